// SPDX-License-Identifier: Apache-2.0

// The Pod of one host, under the restricted Pod security standard. Every change in here replaces Pods: what a running host can take over belongs into
// HostConfig. Files that the host reads are volumes.ts.
import {
  ANNOTATIONS,
  HOST_HTTP_PORT,
  type HostConfig,
  hostLabels,
  type KmsHostPool,
  poolSelector,
  restartHash,
} from '@kmspool/crds';
import type { PodTemplate } from '../kinds.ts';
import type { PlanSettings } from '../world.ts';
import { type HostSource, present, shortHash } from './object.ts';
import { type HostFiles, hostFiles } from './volumes.ts';

/** Name of the container's KMS port, which Services point to. */
export const KMS_PORT_NAME = 'kms';

/** Name of the one container. */
export const CONTAINER_NAME = 'host';

/** Beyond the drain: time for a host to hand its last contacts to Redis and close. */
const AFTER_DRAIN_SECONDS = 15;

/** User and group of the image; numbers, for runAsNonRoot cannot be checked by name. */
const HOST_UID = 65_532;

/** For a Prometheus that finds Pods by annotations; one that uses a PodMonitor ignores them. */
const SCRAPE = {
  'prometheus.io/scrape': 'true',
  'prometheus.io/port': String(HOST_HTTP_PORT),
  'prometheus.io/path': '/metrics',
} as const;

/**
 * What a host gets without `spec.pod.resources`. Measured (test/bench/README.md): 84 MiB idle, 124 MiB after 100,000 clients with Redis, 155 MiB with
 * the store in memory. No limit of CPU, for a host that is throttled answers late.
 */
const DEFAULT_RESOURCES = {
  requests: { cpu: '25m', memory: '96Mi' },
  limits: { memory: '192Mi' },
} as const;

/** What the Pod of a host is made from. */
export interface PodTemplateSource extends HostSource {
  readonly settings: PlanSettings;
  /** The configuration wanted; the fields of it that need a restart are part of the template, by their hash. */
  readonly config: HostConfig;
}

/** The Pod template of a host, with its own hash among the annotations. */
export function buildPodTemplate(source: PodTemplateSource): PodTemplate {
  const { pool, ordinal, config } = source;
  const { labels, annotations } = pool.spec.pod;
  const metadata = {
    labels: { ...labels, ...hostLabels(pool.metadata.name, ordinal) },
    annotations: { ...SCRAPE, ...annotations, [ANNOTATIONS.restartHash]: restartHash(config) },
  };
  const spec = podSpec(source);
  const hash = shortHash({ metadata, spec });
  return {
    metadata: { ...metadata, annotations: { ...metadata.annotations, [ANNOTATIONS.templateHash]: hash } },
    spec,
  };
}

function podSpec({ pool, ordinal, settings }: PodTemplateSource): Record<string, unknown> {
  const { metadata, spec } = pool;
  const files = hostFiles(pool, ordinal);
  return present({
    ...placement(pool),
    serviceAccountName: metadata.name,
    automountServiceAccountToken: false,
    // Else every Service of the namespace becomes a handful of environment variables.
    enableServiceLinks: false,
    terminationGracePeriodSeconds: spec.limits.drainSeconds + AFTER_DRAIN_SECONDS,
    securityContext: {
      runAsNonRoot: true,
      runAsUser: HOST_UID,
      runAsGroup: HOST_UID,
      fsGroup: HOST_UID,
      seccompProfile: { type: 'RuntimeDefault' },
    },
    imagePullSecrets: spec.pod.imagePullSecrets,
    containers: [container(pool, settings, files)],
    volumes: files.volumes,
  });
}

/** Where the Pod runs, as the user says. */
function placement({ metadata, spec }: KmsHostPool): Record<string, unknown> {
  const { nodeSelector, tolerations, affinity, topologySpreadConstraints, ...names } = spec.pod;
  const { priorityClassName, runtimeClassName, schedulerName } = names;
  return {
    // The image is a Linux one.
    nodeSelector: { ...nodeSelector, 'kubernetes.io/os': 'linux' },
    tolerations: tolerations?.map(withoutEmptyTexts),
    affinity,
    // An empty list turns the spread off.
    topologySpreadConstraints:
      topologySpreadConstraints?.map((constraint) => ({
        labelSelector: { matchLabels: poolSelector(metadata.name) },
        ...constraint,
      })) ?? defaultSpread(metadata.name),
    priorityClassName,
    runtimeClassName,
    schedulerName,
  };
}

/** An empty text is a toleration's default, and the API server leaves it out: named, it would be applied again for ever. */
function withoutEmptyTexts(toleration: object): object {
  return Object.fromEntries(Object.entries(toleration).filter(([, member]) => member !== ''));
}

/** Over nodes and zones where possible (S3-27: a second host is for failover); never a reason not to run. */
function defaultSpread(poolName: string): readonly object[] {
  return ['kubernetes.io/hostname', 'topology.kubernetes.io/zone'].map((topologyKey) => ({
    maxSkew: 1,
    topologyKey,
    whenUnsatisfiable: 'ScheduleAnyway',
    labelSelector: { matchLabels: poolSelector(poolName) },
  }));
}

function container({ spec }: KmsHostPool, settings: PlanSettings, files: HostFiles): Record<string, unknown> {
  return present({
    name: CONTAINER_NAME,
    image: settings.hostImage,
    imagePullPolicy: settings.imagePullPolicy,
    // The image's entrypoint is the host program with the flags that node needs.
    args: files.args,
    ports: [
      { name: KMS_PORT_NAME, containerPort: spec.port, protocol: 'TCP' },
      { name: 'http', containerPort: HOST_HTTP_PORT, protocol: 'TCP' },
    ],
    startupProbe: { ...probe('/livez'), periodSeconds: 1, failureThreshold: 60 },
    readinessProbe: { ...probe('/readyz'), periodSeconds: 5, failureThreshold: 2 },
    livenessProbe: { ...probe('/livez'), periodSeconds: 10, failureThreshold: 3 },
    resources: spec.pod.resources ?? DEFAULT_RESOURCES,
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    },
    // A host that cannot start says why in one line on stderr: the status of the pool shows it.
    terminationMessagePolicy: 'FallbackToLogsOnError',
    volumeMounts: files.mounts,
  });
}

function probe(path: string): Record<string, unknown> {
  return { httpGet: { path, port: 'http' }, timeoutSeconds: 3 };
}
