// SPDX-License-Identifier: Apache-2.0

// What of a cluster belongs to the world of one pool.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { hostLabels, poolLabels } from '@kmspool/crds';
import { until } from '../runtime/clock.fake.ts';
import type { KubernetesObject, Resource } from '../runtime/index.ts';
import { type FakeCluster, startFakeCluster } from './cluster.fake.ts';
import { gather } from './gather.ts';
import {
  CONFIG_MAPS,
  DEPLOYMENTS,
  DISRUPTION_BUDGETS,
  DNS_ENDPOINTS,
  NETWORK_POLICIES,
  PODS,
  POOLS,
  type PoolObject,
  SECRETS,
  SERVICE_ACCOUNTS,
  SERVICES,
} from './kinds.ts';
import { specOf } from './world.fake.ts';
import type { World } from './world.ts';

function poolOf(name: string, spec: object = specOf(2)): PoolObject {
  const metadata = { name, generation: 1, creationTimestamp: '2026-01-01T00:00:00Z' };
  return { apiVersion: 'kmspool.io/v1alpha1', kind: 'KmsHostPool', metadata, spec };
}

const ofHost = (name: string, pool: string, ordinal: number, more: object = {}): KubernetesObject => ({
  metadata: { name, labels: hostLabels(pool, ordinal), ...more },
});

/** The world of the pool `campus`. */
function worldOf(cluster: FakeCluster): World {
  const { reconciler } = cluster;
  const object = cluster.get(POOLS, 'campus') as PoolObject;
  const read = reconciler.pools.read(object);
  assert.ok(read.ok);
  return gather(reconciler, { object, read, nowMs: reconciler.clock.now() });
}

const names = (objects: readonly (KubernetesObject | undefined)[]): (string | undefined)[] =>
  objects.map((object) => object?.metadata.name);

describe('hosts', () => {
  test('are those that are wanted and those of which anything is left, by ordinal, without gaps filled', async () => {
    await using cluster = await startFakeCluster();
    cluster.put(POOLS, poolOf('campus'));
    cluster.put(DEPLOYMENTS, ofHost('campus-0', 'campus', 0));
    cluster.put(SERVICES, ofHost('campus-3', 'campus', 3));
    cluster.put(CONFIG_MAPS, ofHost('campus-7', 'campus', 7));
    cluster.put(DEPLOYMENTS, ofHost('branch-9', 'branch', 9));
    await cluster.start();
    const { hosts } = worldOf(cluster);
    assert.deepEqual(
      hosts.map(({ ordinal }) => ordinal),
      [0, 1, 3, 7],
    );
    assert.deepEqual(names(hosts.map(({ deployment }) => deployment)), ['campus-0', undefined, undefined, undefined]);
    assert.deepEqual(names(hosts.map(({ service }) => service)), [undefined, undefined, 'campus-3', undefined]);
    assert.deepEqual(names(hosts.map(({ configMap }) => configMap)), [undefined, undefined, undefined, 'campus-7']);
  });

  test('a label that is no ordinal names no host', async () => {
    await using cluster = await startFakeCluster();
    cluster.put(POOLS, poolOf('campus'));
    cluster.put(SERVICES, {
      metadata: { name: 'campus-x', labels: { ...poolLabels('campus'), 'kmspool.io/ordinal': 'x' } },
    });
    cluster.put(SERVICES, { metadata: { name: 'campus', labels: poolLabels('campus') } });
    await cluster.start();
    assert.deepEqual(
      worldOf(cluster).hosts.map(({ ordinal }) => ordinal),
      [0, 1],
    );
  });

  test("have their Pods, the newest first, those that are going too, and nobody else's", async () => {
    await using cluster = await startFakeCluster();
    cluster.put(POOLS, poolOf('campus'));
    const times = { old: '2026-01-01T00:00:01Z', new: '2026-01-01T00:00:02Z' };
    cluster.put(
      PODS,
      ofHost('campus-0-old', 'campus', 0, { creationTimestamp: times.old, deletionTimestamp: times.new }),
    );
    cluster.put(PODS, ofHost('campus-0-new', 'campus', 0, { creationTimestamp: times.new }));
    cluster.put(PODS, ofHost('campus-1-a', 'campus', 1));
    cluster.put(PODS, ofHost('branch-0-a', 'branch', 0));
    await cluster.start();
    const { hosts } = worldOf(cluster);
    assert.deepEqual(
      hosts.map(({ pods }) => names(pods)),
      [['campus-0-new', 'campus-0-old'], ['campus-1-a']],
    );
  });
});

describe('what all hosts share', () => {
  const SHARED = [SERVICE_ACCOUNTS, DISRUPTION_BUDGETS, NETWORK_POLICIES, DNS_ENDPOINTS] as readonly Resource[];

  test('is found by the name of the pool', async () => {
    await using cluster = await startFakeCluster();
    cluster.put(POOLS, poolOf('campus'));
    for (const resource of SHARED) {
      cluster.put(resource, { metadata: { name: 'campus', labels: poolLabels('campus') } });
      cluster.put(resource, { metadata: { name: 'branch', labels: poolLabels('branch') } });
    }
    await cluster.start();
    const { serviceAccount, disruptionBudget, networkPolicy, dnsEndpoint, dnsEndpointServed } = worldOf(cluster);
    assert.deepEqual(names([serviceAccount, disruptionBudget, networkPolicy, dnsEndpoint]), Array(4).fill('campus'));
    assert.equal(dnsEndpointServed, true);
  });

  test('was written and is in no cache: it is there all the same', async () => {
    await using cluster = await startFakeCluster();
    cluster.put(POOLS, poolOf('campus'));
    await cluster.start();
    const written = { metadata: { name: 'campus', namespace: 'kms', uid: 'a', resourceVersion: '99' } };
    for (const resource of SHARED) cluster.reconciler.written.note(resource, written);
    cluster.reconciler.written.note(SERVICES, { metadata: { ...written.metadata, name: 'campus-1' } });
    const world = worldOf(cluster);
    const { serviceAccount, disruptionBudget, networkPolicy, dnsEndpoint } = world;
    assert.deepEqual(names([serviceAccount, disruptionBudget, networkPolicy, dnsEndpoint]), Array(4).fill('campus'));
    assert.deepEqual(names(world.hosts.map(({ service }) => service)), [undefined, 'campus-1']);
  });
});

describe('Secrets', () => {
  const key = (name: string): KubernetesObject =>
    ({ metadata: { name }, data: { key: Buffer.alloc(32, 1).toString('base64') } }) as KubernetesObject;

  test('the key is the one that the spec names, whether it carries a label or not; no byte of it is in the world', async () => {
    await using cluster = await startFakeCluster();
    cluster.put(POOLS, poolOf('campus', { ...specOf(1), keySecretRef: { name: 'mine' } }));
    cluster.put(SECRETS, key('mine'));
    cluster.put(SECRETS, key('campus-key'));
    await cluster.start();
    const world = worldOf(cluster);
    assert.equal(world.keySecret?.metadata.name, 'mine');
    assert.equal(world.keySecret?.keyBytes, 32);
    assert.equal(JSON.stringify(world).includes(Buffer.alloc(32, 1).toString('base64')), false);
    assert.equal(world.adminSecret, undefined);
  });

  test('one that opens Redis and is not there is named, until it is', async () => {
    await using cluster = await startFakeCluster();
    const store = { redis: { url: 'redis://redis:6379', credentialsSecretRef: { name: 'redis' } } };
    cluster.put(POOLS, poolOf('campus', { ...specOf(1), store }));
    await cluster.start();
    assert.equal(worldOf(cluster).missingSecret, 'redis');
    cluster.put(SECRETS, { metadata: { name: 'redis' } });
    await until(() => cluster.caches.secrets.cache.size === 1, 'the Secret');
    assert.equal(worldOf(cluster).missingSecret, undefined);
  });
});

test('each domain has its claim; an external-dns that will not publish is found', async () => {
  await using cluster = await startFakeCluster();
  cluster.put(
    POOLS,
    poolOf('campus', specOf(1, { dns: { domains: [{ name: 'lab.example' }, { name: 'b.example' }] } })),
  );
  const elder = poolOf('elder', specOf(1, { dns: { domains: [{ name: 'b.example' }] } }));
  cluster.put(POOLS, { ...elder, metadata: { ...elder.metadata, creationTimestamp: '2025-01-01T00:00:00Z' } });
  cluster.put(DEPLOYMENTS, {
    metadata: { name: 'external-dns', labels: { 'app.kubernetes.io/name': 'external-dns' } },
    spec: {
      replicas: 1,
      template: {
        spec: { containers: [{ name: 'external-dns', image: 'x/external-dns:v0.14.0', args: ['--source=crd'] }] },
      },
    },
  });
  await cluster.start();
  const world = worldOf(cluster);
  assert.deepEqual(
    world.domains.map(({ domain, elder: other }) => [domain, other?.name]),
    [
      ['lab.example', undefined],
      ['b.example', 'elder'],
    ],
  );
  assert.deepEqual(
    world.externalDns.map(({ where, reason }) => [where, reason]),
    [['kms/external-dns', 'PublisherTooOld']],
  );
  assert.deepEqual(
    world.hosts.map(({ deployment }) => deployment),
    [undefined],
    'it is no host',
  );
});
