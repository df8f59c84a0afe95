// SPDX-License-Identifier: Apache-2.0

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ANNOTATIONS, hostLabels, restartHash } from '@kmspool/crds';
import { buildPodTemplate, type PodTemplateSource } from './pod-template.ts';
import { EVERYTHING, POOL_NAME, SETTINGS, type SpecInput, sourceOf } from './sources.fake.ts';

interface Container {
  readonly [field: string]: unknown;
  readonly args: readonly string[];
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string; readonly readOnly: boolean }[];
}

interface PodSpec {
  readonly [field: string]: unknown;
  readonly containers: readonly Container[];
  readonly volumes: readonly { readonly [source: string]: unknown; readonly name: string }[];
}

function podOf(source: PodTemplateSource) {
  const { metadata, spec } = buildPodTemplate(source);
  const pod = spec as unknown as PodSpec;
  const [container, ...others] = pod.containers;
  assert.equal(others.length, 0);
  return {
    metadata: metadata ?? assert.fail(),
    annotations: metadata?.annotations ?? {},
    pod,
    container: container ?? assert.fail(),
  };
}

const podOfSpec = (spec?: SpecInput) => podOf(sourceOf(spec));
const hashOf = (source: PodTemplateSource) => podOf(source).annotations[ANNOTATIONS.templateHash] ?? assert.fail();

test('the Pod of the smallest pool, whole', () => {
  const { pod, container } = podOfSpec();
  const { containers: _, volumes, ...rest } = pod;
  const poolLabels = {
    'app.kubernetes.io/name': 'kmspool',
    'app.kubernetes.io/component': 'host',
    'kmspool.io/pool': 'campus',
  };
  const spread = (topologyKey: string) => ({
    maxSkew: 1,
    topologyKey,
    whenUnsatisfiable: 'ScheduleAnyway',
    labelSelector: { matchLabels: poolLabels },
  });
  assert.deepEqual(rest, {
    nodeSelector: { 'kubernetes.io/os': 'linux' },
    topologySpreadConstraints: [spread('kubernetes.io/hostname'), spread('topology.kubernetes.io/zone')],
    serviceAccountName: 'campus',
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    terminationGracePeriodSeconds: 30,
    securityContext: {
      runAsNonRoot: true,
      runAsUser: 65532,
      runAsGroup: 65532,
      fsGroup: 65532,
      seccompProfile: { type: 'RuntimeDefault' },
    },
  });
  assert.deepEqual(container, {
    name: 'host',
    image: SETTINGS.hostImage,
    imagePullPolicy: 'IfNotPresent',
    args: [
      '--config',
      '/etc/kmspool/config/host.json',
      '--key-file',
      '/etc/kmspool/key/key',
      '--admin-token-file',
      '/etc/kmspool/admin/token',
    ],
    ports: [
      { name: 'kms', containerPort: 1688, protocol: 'TCP' },
      { name: 'http', containerPort: 8080, protocol: 'TCP' },
    ],
    startupProbe: {
      httpGet: { path: '/livez', port: 'http' },
      timeoutSeconds: 3,
      periodSeconds: 1,
      failureThreshold: 60,
    },
    readinessProbe: {
      httpGet: { path: '/readyz', port: 'http' },
      timeoutSeconds: 3,
      periodSeconds: 5,
      failureThreshold: 2,
    },
    livenessProbe: {
      httpGet: { path: '/livez', port: 'http' },
      timeoutSeconds: 3,
      periodSeconds: 10,
      failureThreshold: 3,
    },
    resources: { requests: { cpu: '25m', memory: '96Mi' }, limits: { memory: '192Mi' } },
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    },
    terminationMessagePolicy: 'FallbackToLogsOnError',
    volumeMounts: [
      { name: 'config', mountPath: '/etc/kmspool/config', readOnly: true },
      { name: 'key', mountPath: '/etc/kmspool/key', readOnly: true },
      { name: 'admin', mountPath: '/etc/kmspool/admin', readOnly: true },
    ],
  });
  assert.deepEqual(volumes, [
    { name: 'config', configMap: { name: 'campus-0', defaultMode: 0o440 } },
    {
      name: 'key',
      secret: { secretName: 'campus-key', items: [{ key: 'key', path: 'key' }], defaultMode: 0o440 },
    },
    {
      name: 'admin',
      secret: { secretName: 'campus-admin', items: [{ key: 'token', path: 'token' }], defaultMode: 0o440 },
    },
  ]);
});

test("labels and annotations are the user's, but ours win; what a Prometheus reads is there unless the user says otherwise", () => {
  const source = sourceOf(EVERYTHING, 2);
  const { metadata, annotations } = podOf(source);
  assert.deepEqual(metadata.labels, { team: 'desktop', ...hostLabels(POOL_NAME, 2) });
  const { [ANNOTATIONS.templateHash]: hash, ...others } = annotations;
  assert.deepEqual(others, {
    'prometheus.io/scrape': 'false',
    'prometheus.io/port': '8080',
    'prometheus.io/path': '/metrics',
    team: 'desktop',
    [ANNOTATIONS.restartHash]: restartHash(source.config),
  });
  assert.match(hash ?? '', /^[0-9a-f]{16}$/);
});

test('placement is as the user says, on Linux, and an empty toleration value is left to its default', () => {
  const { pod } = podOfSpec(EVERYTHING);
  assert.deepEqual(pod['nodeSelector'], { 'node.example/kms': 'true', 'kubernetes.io/os': 'linux' });
  assert.deepEqual(pod['tolerations'], [{ key: 'node.example/kms', operator: 'Equal', effect: 'NoSchedule' }]);
  for (const field of ['affinity', 'topologySpreadConstraints', 'runtimeClassName', 'schedulerName'] as const)
    assert.deepEqual(pod[field], EVERYTHING.pod?.[field], field);
  assert.deepEqual(pod['imagePullSecrets'], [{ name: 'pull' }]);
  assert.equal(pod['terminationGracePeriodSeconds'], 55);
});

test('an empty list of spread constraints turns the spread off, and empty resources ask for none', () => {
  const { pod, container } = podOfSpec({
    pod: { topologySpreadConstraints: [], resources: {}, tolerations: [], affinity: {}, imagePullSecrets: [] },
  });
  for (const field of ['topologySpreadConstraints', 'tolerations', 'affinity', 'imagePullSecrets'])
    assert.ok(!(field in pod), field);
  assert.ok(!('resources' in container));
});

test('a lower priority is a priority class and resources, which the Pod gets as the user wrote them (S3-52)', () => {
  const { pod, container } = podOfSpec(EVERYTHING);
  assert.equal(pod['priorityClassName'], 'low');
  assert.deepEqual(container['resources'], EVERYTHING.pod?.resources);
});

test('without a priority class hosts run at the normal priority (S3-53)', () => {
  assert.ok(!('priorityClassName' in podOfSpec().pod));
});

test('the port that the spec names is the one that the container opens, under the name that Services use (S3-49)', () => {
  assert.deepEqual(podOfSpec().container.ports[0], { name: 'kms', containerPort: 1688, protocol: 'TCP' });
  assert.equal(podOfSpec({ port: 1700 }).container.ports[0]?.containerPort, 1700);
});

test("Redis credentials and certificates are mounted, each under the name of the host's flag for it", () => {
  const { pod, container } = podOfSpec(EVERYTHING);
  assert.deepEqual(container.args.slice(6), [
    '--credentials-dir',
    '/etc/kmspool/redis',
    '--tls-dir',
    '/etc/kmspool/tls',
  ]);
  assert.deepEqual(pod.volumes.slice(3), [
    { name: 'redis', secret: { secretName: 'redis', defaultMode: 0o440 } },
    {
      name: 'tls',
      projected: {
        defaultMode: 0o440,
        sources: [
          { secret: { name: 'redis-ca', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
          {
            secret: {
              name: 'redis-client',
              items: [
                { key: 'tls.crt', path: 'tls.crt' },
                { key: 'tls.key', path: 'tls.key' },
              ],
            },
          },
        ],
      },
    },
  ]);
  const mounted = container.volumeMounts.map(({ name }) => name);
  assert.deepEqual(
    mounted,
    pod.volumes.map(({ name }) => name),
  );
});

test('TLS with default trust needs no file, and so no volume', () => {
  const { container } = podOfSpec({ store: { redis: { url: 'rediss://redis:6379', tls: {} } } });
  assert.ok(!container.args.includes('--tls-dir'));
});

test('the template changes with the key Secret, the image and what needs a restart, and with nothing that a host takes over by itself', () => {
  const before = hashOf(sourceOf());
  const changing: Record<string, PodTemplateSource> = {
    'key Secret': sourceOf({ keySecretRef: { name: 'other' } }),
    port: sourceOf({ port: 1700 }),
    store: sourceOf({ store: { redis: { url: 'redis://redis:6379' } } }),
    image: { ...sourceOf(), settings: { ...SETTINGS, hostImage: 'kmspool/kms-node:0.2.0' } },
    identity: { ...sourceOf(), config: { ...sourceOf().config, poolId: '00000000-0000-4000-8000-000000000000' } },
    ordinal: sourceOf({}, 1),
  };
  for (const [what, source] of Object.entries(changing)) assert.notEqual(hashOf(source), before, what);
  const taken: Record<string, SpecInput> = {
    intervals: { activationIntervalMinutes: 15, renewalIntervalMinutes: 60 },
    sources: { access: { allowedSources: ['10.0.0.0/8'] } },
    domains: { dns: { domains: [{ name: 'lab.example' }] } },
    limits: { limits: { connections: 10 } },
    'host keys': { hostKeys: [{ product: 'Office2024' }] },
  };
  for (const [what, spec] of Object.entries(taken)) assert.equal(hashOf(sourceOf(spec)), before, what);
});
