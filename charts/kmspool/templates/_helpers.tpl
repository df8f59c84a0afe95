{{/* SPDX-License-Identifier: Apache-2.0 */}}

{{/* Names: at most 52 characters, so that what is put behind them fits into 63. */}}
{{- define "kmspool.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 52 | trimSuffix "-" }}
{{- end }}

{{- define "kmspool.fullname" -}}
{{- $name := include "kmspool.name" . }}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" }}
{{- else if contains $name .Release.Name }}
{{- .Release.Name | trunc 52 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 52 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{/* Call with (dict "root" $ "component" "operator"). What selects never changes. */}}
{{- define "kmspool.selector" -}}
app.kubernetes.io/name: {{ include "kmspool.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "kmspool.labels" -}}
{{ include "kmspool.selector" . }}
app.kubernetes.io/part-of: kmspool
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* Of Pods: nothing that another version of the chart changes, or Redis would be restarted for it. */}}
{{- define "kmspool.podLabels" -}}
{{ include "kmspool.selector" . }}
app.kubernetes.io/part-of: kmspool
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* Call with (dict "root" $ "image" .Values.….image). A digest decides alone. */}}
{{- define "kmspool.image" -}}
{{- with .root.Values.imageRegistry }}{{ trimSuffix "/" . }}/{{ end }}{{ .image.repository }}
{{- if .image.digest }}@{{ .image.digest }}{{ else }}:{{ .image.tag | default .root.Chart.AppVersion }}{{ end }}
{{- end }}

{{- define "kmspool.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "kmspool.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "kmspool.leaseName" -}}
{{- default (include "kmspool.fullname" .) .Values.operator.leaderElection.leaseName }}
{{- end }}

{{/* Call with (dict "root" $ "when" .Values.metrics.… "kind" "ServiceMonitor"); answers a text that is empty for no. */}}
{{- define "kmspool.monitored" -}}
{{- if or (eq .when "Always") (and (eq .when "Auto") (.root.Capabilities.APIVersions.Has (printf "monitoring.coreos.com/v1/%s" .kind))) }}yes{{ end }}
{{- end }}

{{- define "kmspool.podSecurity" -}}
runAsNonRoot: true
runAsUser: {{ .user }}
runAsGroup: {{ .user }}
fsGroup: {{ .user }}
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "kmspool.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{/* Call with (dict "of" .Values.operator). */}}
{{- define "kmspool.placement" -}}
nodeSelector:
  {{- toYaml (merge (dict "kubernetes.io/os" "linux") .of.nodeSelector) | nindent 2 }}
{{- with .of.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .of.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "kmspool.pullSecrets" -}}
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
