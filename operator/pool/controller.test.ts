// SPDX-License-Identifier: Apache-2.0

// Which change in the world leads to a reconcile of which pool.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FIELD_MANAGER, poolLabels } from '@kmspool/crds';
import { turn, until } from '../runtime/clock.fake.ts';
import { type KubernetesObject, type ObjectRef, type Resource, refOfObject, silentLogger } from '../runtime/index.ts';
import { type FakeCluster, startFakeCluster } from './cluster.fake.ts';
import { createPoolController, enqueueWhenServed } from './controller.ts';
import { CONFIG_MAPS, DEPLOYMENTS, DNS_ENDPOINTS, PODS, POOLS, type PoolObject, SECRETS, SERVICES } from './kinds.ts';

/** Two pools in one domain, one elsewhere. */
const POOL_SPECS: Readonly<Record<string, object>> = {
  campus: { dns: { domains: [{ name: 'lab.example' }] } },
  branch: { dns: { domains: [{ name: 'lab.example' }] }, keySecretRef: { name: 'shared' } },
  other: { dns: { domains: [{ name: 'other.example' }] } },
};

const poolOf = (name: string, more: Partial<PoolObject> = {}): PoolObject => ({
  metadata: { name, generation: 1 },
  spec: POOL_SPECS[name],
  ...more,
});
const labelled = (name: string, pool: string): KubernetesObject => ({ metadata: { name, labels: poolLabels(pool) } });

/** A controller at work on {@link POOL_SPECS}; `since` answers which pools were reconciled since it was last asked. */
async function startRig(cluster: FakeCluster) {
  for (const name of Object.keys(POOL_SPECS)) cluster.put(POOLS, poolOf(name));
  await cluster.start();
  const seen: string[] = [];
  const { reconciler } = cluster;
  // What a reconcile begins with: no further does it go here.
  const pools = {
    read: ({ metadata }: PoolObject) => {
      seen.push(metadata.name);
      return { ok: false, errors: ['of no interest'] };
    },
    forget: ({ name }: ObjectRef) => void seen.push(`${name} is gone`),
  } as unknown as typeof reconciler.pools;
  const options = { workers: 2, metrics: cluster.server.metrics, log: silentLogger };
  const controller = createPoolController({ ...reconciler, pools }, options);
  const stop = new AbortController();
  const running = controller.run(stop.signal);
  const calm = (): boolean => controller.pending.ready + controller.pending.delayed + controller.pending.inWork === 0;
  const since = async (): Promise<string[]> => {
    await cluster.clock.advance(1_000);
    await until(calm, 'the queue to be empty');
    return seen.splice(0).sort();
  };
  await until(() => seen.length > 0, 'the first reconcile');
  await since();
  return {
    controller,
    since,
    stop: async () => {
      stop.abort();
      await running;
    },
  };
}

/** Resolves once a cache shows what was put there. */
async function shown<T extends KubernetesObject>(
  cluster: FakeCluster,
  resource: Resource<T>,
  object: T,
): Promise<void> {
  const stored = cluster.put(resource, object);
  const informers = Object.values(cluster.caches).filter((one) => one.resource.plural === resource.plural);
  const isShown = (): boolean =>
    informers.some(
      ({ cache }) => cache.get(refOfObject(stored))?.metadata.resourceVersion === stored.metadata.resourceVersion,
    );
  await until(isShown, `${resource.kind} ${object.metadata.name} in its cache`);
  await turn();
}

test('a changed spec concerns its pool at once, and those that share a domain with it', async () => {
  await using cluster = await startFakeCluster();
  const rig = await startRig(cluster);
  await shown(cluster, POOLS, poolOf('campus', { metadata: { name: 'campus', generation: 2 } }));
  assert.deepEqual(await rig.since(), ['branch', 'campus']);
  await rig.stop();
});

test('a changed status concerns nobody, but for an identity, which concerns the neighbours', async () => {
  await using cluster = await startFakeCluster();
  const rig = await startRig(cluster);
  await shown(cluster, POOLS, poolOf('campus', { status: { readyReplicas: 1 } }));
  assert.deepEqual(await rig.since(), []);
  await shown(cluster, POOLS, poolOf('campus', { status: { poolId: 'one' } }));
  assert.deepEqual(await rig.since(), ['branch']);
  await shown(cluster, POOLS, poolOf('other', { status: { poolId: 'one' } }));
  assert.deepEqual(await rig.since(), ['campus'], 'a twin, in another domain');
  await rig.stop();
});

test('a deletion concerns the pool and its neighbours, and so does its end', async () => {
  await using cluster = await startFakeCluster();
  const rig = await startRig(cluster);
  const metadata = { name: 'campus', generation: 1, deletionTimestamp: '2026-01-01T00:00:00Z' };
  await shown(cluster, POOLS, poolOf('campus', { metadata }));
  assert.deepEqual(await rig.since(), ['branch', 'campus']);
  cluster.remove(POOLS, 'campus');
  await until(() => cluster.caches.pools.cache.size === 2, 'it to be gone');
  assert.deepEqual(await rig.since(), ['branch', 'campus is gone']);
  await rig.stop();
});

test('objects concern the pool whose label they carry, and many at once lead to one reconcile', async () => {
  await using cluster = await startFakeCluster();
  const rig = await startRig(cluster);
  for (const resource of [DEPLOYMENTS, SERVICES, CONFIG_MAPS, PODS, DNS_ENDPOINTS])
    await shown<KubernetesObject>(cluster, resource, labelled('campus-0', 'campus'));
  assert.deepEqual(await rig.since(), ['campus']);
  cluster.remove(SERVICES, 'campus-0');
  await until(() => cluster.caches.services.cache.size === 0, 'it to be gone');
  assert.deepEqual(await rig.since(), ['campus']);
  await rig.stop();
});

test('an object that moves to another pool concerns both', async () => {
  await using cluster = await startFakeCluster();
  const rig = await startRig(cluster);
  await shown(cluster, SERVICES, labelled('x', 'campus'));
  await rig.since();
  await shown(cluster, SERVICES, labelled('x', 'other'));
  assert.deepEqual(await rig.since(), ['campus', 'other']);
  await rig.stop();
});

test('a Secret concerns the pools that it is the key or the admin token of, whether it carries a label or not', async () => {
  await using cluster = await startFakeCluster();
  const rig = await startRig(cluster);
  for (const [secret, pools] of Object.entries({
    'campus-key': ['campus'],
    'other-admin': ['other'],
    shared: ['branch'],
    'branch-key': [],
    unrelated: [],
  })) {
    await shown(cluster, SECRETS, { metadata: { name: secret } });
    assert.deepEqual(await rig.since(), pools, secret);
  }
  await rig.stop();
});

test('what external-dns is concerns everybody', async () => {
  await using cluster = await startFakeCluster();
  const rig = await startRig(cluster);
  const labels = { 'app.kubernetes.io/name': 'external-dns' };
  await shown(cluster, DEPLOYMENTS, { metadata: { name: 'external-dns', labels } });
  assert.deepEqual(await rig.since(), ['branch', 'campus', 'other']);
  await rig.stop();
});

test('what observer and poller tell concerns the pool that they name', async () => {
  await using cluster = await startFakeCluster();
  const rig = await startRig(cluster);
  for (const handler of cluster.handlers) handler('kms/other');
  assert.deepEqual(await rig.since(), ['other']);
  assert.equal(cluster.handlers.length, 2);
  await rig.stop();
});

test('when DNSEndpoints begin to be served, everybody is looked at again', async () => {
  await using cluster = await startFakeCluster();
  const rig = await startRig(cluster);
  let served = false;
  const dnsEndpoints = { available: () => served } as typeof cluster.caches.dnsEndpoints;
  const stop = new AbortController();
  const reconciler = { ...cluster.reconciler, caches: { ...cluster.caches, dnsEndpoints } };
  const looking = enqueueWhenServed(reconciler, rig.controller, stop.signal);
  await cluster.clock.advance(2_000);
  assert.deepEqual(await rig.since(), []);
  served = true;
  await cluster.clock.advance(2_000);
  assert.deepEqual(await rig.since(), ['branch', 'campus', 'other']);
  stop.abort();
  await looking;
  await rig.stop();
});

test('the end of an object in a cache ends what was written of it', async () => {
  await using cluster = await startFakeCluster();
  const rig = await startRig(cluster);
  await shown(cluster, SERVICES, labelled('campus-0', 'campus'));
  const stored = cluster.get(SERVICES, 'campus-0');
  assert.ok(stored);
  cluster.reconciler.written.note(SERVICES, stored);
  cluster.remove(SERVICES, 'campus-0');
  const { written } = cluster.reconciler;
  await until(() => written.latest(SERVICES, refOfObject(stored), undefined) === undefined, 'it to be forgotten');
  assert.equal(stored.metadata.labels?.['app.kubernetes.io/managed-by'], FIELD_MANAGER);
  await rig.stop();
});
