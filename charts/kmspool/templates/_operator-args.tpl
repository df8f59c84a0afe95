{{/* SPDX-License-Identifier: Apache-2.0 */}}

{{/* The operator's flags. Numbers come as floats from --set and as texts from --set-string: both are written plainly. */}}
{{- define "kmspool.operatorArgs" -}}
{{- $operator := .Values.operator }}
{{- $election := $operator.leaderElection }}
{{- range .Values.watchNamespaces }}
- --watch-namespace={{ . }}
{{- end }}
{{- range .Values.emulatedDnsZones }}
- --emulated-dns-zone={{ . }}
{{- end }}
- --host-image={{ include "kmspool.image" (dict "root" . "image" .Values.host.image) }}
- --host-image-pull-policy={{ .Values.host.image.pullPolicy }}
- --host-access={{ $operator.hostAccess }}
{{- range $operator.resolvers }}
- {{ printf "--resolver=%s" . | quote }}
{{- end }}
- --withdraw-bound-minutes={{ $operator.withdrawBoundMinutes }}
- --external-dns-interval-minutes={{ $operator.externalDnsIntervalMinutes }}
- --workers={{ int $operator.workers }}
- --resync-minutes={{ $operator.resyncMinutes }}
- --api-qps={{ int $operator.apiQps }}
- --api-burst={{ int $operator.apiBurst }}
- --watch-silence-seconds={{ $operator.watchSilenceSeconds }}
- --lease-namespace={{ .Release.Namespace }}
- --lease-name={{ include "kmspool.leaseName" . }}
- --lease-duration-seconds={{ int $election.durationSeconds }}
- --lease-renew-deadline-seconds={{ $election.renewDeadlineSeconds }}
- --lease-retry-period-seconds={{ $election.retryPeriodSeconds }}
- --log-level={{ $operator.logLevel }}
{{- range $operator.extraArgs }}
- {{ . | quote }}
{{- end }}
{{- end }}
