// SPDX-License-Identifier: Apache-2.0

// The values of the chart: the one source of values.yaml, values.schema.json and the table in the chart's README. What they do is in the templates.
import { z } from 'zod';
import { flag, image, listPassedOn, passedOn, section, text, texts, time, whether, whole } from './values-parts.ts';

/** RFC 1123 label, as namespaces are named. */
const NAMESPACE = z.string().regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/);
const DNS_ZONE = z
  .string()
  .regex(/^[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9])?)*\.?$/);

const placement = {
  nodeSelector: texts('Nodes that Pods may run on, besides `kubernetes.io/os: linux`.'),
  tolerations: listPassedOn('Taints that Pods tolerate.'),
  affinity: passedOn('Affinity of the Pods.'),
};

const RESOURCES = z.strictObject({
  requests: z.record(z.string(), z.union([z.string(), z.number()])).optional(),
  limits: z.record(z.string(), z.union([z.string(), z.number()])).optional(),
  claims: z.array(z.record(z.string(), z.unknown())).optional(),
});
const resources = (byDefault: z.infer<typeof RESOURCES>, description: string) =>
  RESOURCES.default(byDefault).describe(description);

const leaderElection = section('Leader election: one of the replicas acts, the others stand by.', {
  leaseName: z
    .string()
    .regex(/^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?)?$/)
    .default('')
    .describe('Name of the Lease, in the namespace of the release; empty: the full name of the release.'),
  durationSeconds: whole({ min: 1, max: 3600 }, 15, 'How long others wait for a leader that is silent.'),
  renewDeadlineSeconds: time({ min: 0.01, max: 3600 }, 10, 'How long a leader acts without a renewal.'),
  retryPeriodSeconds: time({ min: 0.01, max: 3600 }, 2, 'Time between attempts.'),
});

const operator = section('The operator.', {
  image: image({ repository: 'kmspool/operator', tag: '', what: 'the operator' }),
  replicas: whole({ min: 1, max: 10 }, 2, 'One leads, the others take over within seconds.'),
  leaderElection,
  hostAccess: z
    .enum(['Direct', 'Proxy'])
    .default('Direct')
    .describe("How hosts are asked for their status: at the Pod's address, or through the API server."),
  resolvers: z
    .array(z.string().min(1))
    .default([])
    .describe("DNS servers (ADDRESS or ADDRESS:PORT) to find the zones' own servers with; empty: the cluster's."),
  withdrawBoundMinutes: time(
    { min: 0.01, max: 1440 },
    10,
    'A host that leaves is stopped after this long, although its records are still there.',
  ),
  externalDnsIntervalMinutes: time({ min: 0.01, max: 1440 }, 1, 'How often external-dns looks: its `--interval`.'),
  workers: whole({ min: 1, max: 100 }, 4, 'Pools worked on at once.'),
  resyncMinutes: time({ min: 0.01, max: 1440 }, 10, 'Every pool is looked at at least this often.'),
  apiQps: whole({ min: 1, max: 100_000 }, 200, 'Requests a second to the API server.'),
  apiBurst: whole({ min: 1, max: 100_000 }, 400, 'Requests at once after a quiet time.'),
  watchSilenceSeconds: time({ min: 0.01, max: 86_400 }, 150, 'A watch is begun anew after this silence.'),
  logLevel: z
    .enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'])
    .default('info')
    .describe('Lines below it are left out.'),
  extraArgs: z.array(z.string()).default([]).describe('Further flags; they win over those above.'),
  resources: resources(
    { requests: { cpu: '50m', memory: '128Mi' }, limits: { memory: '384Mi' } },
    'Requests and limits. The heap is at most 65 % of the memory limit.',
  ),
  podDisruptionBudget: flag(true, 'With more than one replica: a drain takes one Pod at a time.'),
  ...placement,
  topologySpreadConstraints: listPassedOn('Empty: over nodes and zones where possible.'),
  priorityClassName: text('', 'Priority class of the Pods.'),
  podLabels: texts('Further labels of the Pods.'),
  podAnnotations: texts('Further annotations of the Pods.'),
});

const rbac = section('Rights.', {
  create: flag(true, 'Make the roles that the operator needs, and the one that the uninstall hook needs.'),
  userRoles: flag(true, 'Add KmsHostPools to the built-in roles view, edit and admin.'),
});

const serviceAccount = section('Service account of the operator.', {
  create: flag(true, 'Make it.'),
  name: text('', 'Its name; empty: the full name of the release, or `default` if it is not made.'),
  annotations: texts('Its annotations.'),
});

const metrics = section('Metrics, alerts and dashboards.', {
  scrapeAnnotations: flag(
    true,
    "`prometheus.io/*` annotations on the operator's Pods. Those of hosts always have them.",
  ),
  serviceMonitor: whether('ServiceMonitor for the operator. Auto: if the API server knows the kind.'),
  podMonitor: whether('PodMonitor for the hosts of all pools that are looked after.'),
  prometheusRule: whether('PrometheusRule with the alerts.'),
  runbookBaseUrl: z
    .string()
    .regex(/^[^\s"'\\]+$/)
    .default('docs/runbooks')
    .describe("Where alerts point to for what to do: the address of this repository's docs/runbooks, or of your copy."),
  dashboards: flag(true, "ConfigMaps with the dashboards, for Grafana's sidecar."),
  interval: z
    .string()
    .regex(/^((\d+(ms|s|m|h))+)?$/)
    .default('')
    .describe("How often monitors scrape, such as 30s; empty: Prometheus's default."),
  labels: texts('Labels of monitors and rules, by which your Prometheus selects them.'),
  dashboardLabels: texts('Labels of the dashboards, by which the sidecar selects them.').default({
    grafana_dashboard: '1',
  }),
  dashboardAnnotations: texts('Annotations of the dashboards, such as `grafana_folder`.'),
});

const networkPolicy = section(
  'NetworkPolicies of the operator and of Redis. Those of the hosts are made by the operator.',
  {
    enabled: flag(true, 'Make them.'),
    metricsFrom: listPassedOn('Peers that may scrape the operator; empty: all Pods of the cluster.'),
    operatorEgress: listPassedOn(
      "Where the operator may connect to; empty: not limited. It needs the API server, DNS, the zones' name servers, TCP 8080 of hosts, and Redis where pools are purged.",
    ),
  },
);

const redis = section(
  'A small Redis for tests: one Pod, no failover. For anything else bring your own; see docs/redis.md.',
  {
    enabled: flag(
      false,
      'Run it, as the Service `<full name>-redis`, port 6379, with a password in the Secret of the same name.',
    ),
    image: image({ repository: 'redis', tag: '8.2-alpine', what: 'Redis; the official one, or Valkey' }),
    password: z
      .string()
      .regex(/^[A-Za-z0-9._~-]*$/)
      .default('')
      .describe(
        'Its password; empty: made at random and kept. Needed where charts are rendered without a cluster (Argo CD).',
      ),
    maxMemory: z
      .string()
      .regex(/^\d+(kb|mb|gb)$/)
      .default('192mb')
      .describe('Beyond it Redis refuses writes; nothing is ever evicted.'),
    persistence: section('Its append-only file.', {
      enabled: flag(
        false,
        'On a PersistentVolumeClaim, which stays after an uninstall. Otherwise it lives as long as the Pod.',
      ),
      size: text('1Gi', 'Size of the claim.'),
      storageClassName: text('', "Its class; empty: the cluster's default."),
    }),
    resources: resources(
      { requests: { cpu: '25m', memory: '64Mi' }, limits: { memory: '320Mi' } },
      'Requests and limits.',
    ),
    ...placement,
  },
);

const uninstall = section('What `helm uninstall` does beside removing what the chart made.', {
  releasePools: flag(
    true,
    'Afterwards a Job takes the finalizer off the pools, so that they, and their namespaces, can be deleted without the operator. Hosts go on serving.',
  ),
});

const test = section(
  '`helm test`: simulated clients find a host of a pool by SRV and activate. They count as machines of that pool for 30 days.',
  {
    pool: text('', 'Name of the pool; empty: there is no test.'),
    namespace: text('', 'Its namespace; empty: that of the release.'),
    keySecretName: text('', 'Its `spec.keySecretRef.name`; empty: `<pool>-key`.'),
    domain: text('', 'Domain that the clients search, one of `spec.dns.domains`.'),
    product: text(
      'windows-server-2025',
      'What the clients are; `kmsctl catalog` lists products. The host keys of the pool must cover it.',
    ),
    clients: whole(
      { min: 1, max: 50 },
      5,
      'How many there are at most; the last one must be licensed. Windows clients need 25.',
    ),
    dnsServer: text('', 'DNS server (ADDRESS or ADDRESS:PORT) that they ask; empty: that of the cluster.'),
    image: image({ repository: 'kmspool/kmsctl', tag: '', what: 'kmsctl' }),
  },
);

/** All values. Unknown ones are refused, except below `global`, which belongs to Helm. */
export const VALUES = z
  .strictObject({
    nameOverride: text('', 'Instead of `kmspool` in names.'),
    fullnameOverride: text('', 'Instead of the release in names.'),
    watchNamespaces: z
      .array(NAMESPACE)
      .default([])
      .describe(
        'Look after pools in these namespaces only, with a Role in each; empty: in all, with a ClusterRole. They must exist.',
      ),
    emulatedDnsZones: z
      .array(DNS_ZONE)
      .min(1)
      .default(['test', 'example'])
      .describe('Zones in which emulated pools may publish: test zones. Never one that real clients search.'),
    imageRegistry: z
      .string()
      .regex(/^([A-Za-z0-9][A-Za-z0-9.-]*(:\d+)?(\/[a-z0-9._-]+)*)?$/)
      .default('')
      .describe('Put before the name of every image, for sites with a registry of their own: HOST[:PORT][/PATH].'),
    imagePullSecrets: z
      .array(z.strictObject({ name: z.string().min(1) }))
      .default([])
      .describe(
        "Secrets to pull the images of this chart with, in its namespace. Hosts have their pool's `spec.pod.imagePullSecrets`.",
      ),
    commonLabels: texts('Further labels of everything that the chart makes.'),
    crds: section('The kind KmsHostPool.', {
      install: flag(true, 'Install and upgrade it with the chart. It stays after an uninstall, and so do all pools.'),
    }),
    operator,
    host: section('Hosts. All else about them is in each KmsHostPool.', {
      image: image({ repository: 'kmspool/kms-node', tag: '', what: 'a host' }),
    }),
    rbac,
    serviceAccount,
    metrics,
    networkPolicy,
    redis,
    uninstall,
    test,
    global: z.record(z.string(), z.unknown()).optional(),
  })
  .describe('Values of the Helm chart kmspool.');

/** The values as templates see them. */
export type Values = z.infer<typeof VALUES>;
