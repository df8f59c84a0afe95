// SPDX-License-Identifier: Apache-2.0

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { FIELD_MANAGER, LABELS } from '@kmspool/crds';
import { ApiError, type ReconcileResult, silentLogger } from '../runtime/index.ts';
import { type FakeCluster, startFakeCluster } from './cluster.fake.ts';
import { POOLS, type PoolObject, SECRETS, SERVICES } from './kinds.ts';
import { reconcilePool } from './reconcile.ts';
import { specOf } from './world.fake.ts';

const REF = { namespace: 'kms', name: 'campus' };

function poolOf(spec: object = specOf(2), more: object = {}): PoolObject {
  const metadata = { ...REF, uid: 'pool-uid', generation: 1, creationTimestamp: '2026-01-01T00:00:00Z', ...more };
  return { apiVersion: 'kmspool.io/v1alpha1', kind: 'KmsHostPool', metadata, spec };
}

function reconcile({ reconciler }: FakeCluster): Promise<ReconcileResult> {
  const signal = new AbortController().signal;
  return reconcilePool(reconciler, REF, { signal, log: silentLogger, reconcileId: 'r' });
}

/** Reconciles as the queue would, as long as it is asked for at once. */
async function settle(cluster: FakeCluster): Promise<ReconcileResult> {
  for (let round = 0; round < 6; round++) {
    const result = await reconcile(cluster);
    if (result?.requeueAfterMs !== 0) return result;
  }
  throw new Error('it does not come to an end');
}

const messageOf = (cluster: FakeCluster, type: string): string | undefined =>
  cluster.get(POOLS, 'campus')?.status?.conditions?.find((one) => one.type === type)?.message;

const condition = (cluster: FakeCluster, type: string): string | undefined => {
  const found = cluster.get(POOLS, 'campus')?.status?.conditions?.find((one) => one.type === type);
  return found && `${found.status}/${found.reason}`;
};

test('a new pool: finalizer, key, everything else, status; the key is told of once, and the pool is looked at again in time', async () => {
  await using cluster = await startFakeCluster();
  cluster.put(POOLS, poolOf());
  await cluster.start();
  assert.deepEqual(await reconcile(cluster), { requeueAfterMs: 0 });
  assert.deepEqual(cluster.writes(), ['PATCH kmshostpools/campus', 'POST secrets']);
  const result = await settle(cluster);
  assert.ok((result?.requeueAfterMs ?? 0) > 0 && (result?.requeueAfterMs ?? 0) <= 600_000);
  assert.equal(cluster.writes().at(-1), 'PATCH kmshostpools/campus/status');
  assert.equal(condition(cluster, 'Reconciling'), 'True/Progressing');
  assert.deepEqual(cluster.events.filter((event) => event.startsWith('KeyCreated')).length, 1);
  assert.ok(cluster.told.includes('poller.watch kms/campus'));
});

test('what was written is in the next world although no cache has shown it: the next one only tells of it, the third one says nothing', async () => {
  await using cluster = await startFakeCluster();
  cluster.put(POOLS, poolOf());
  await cluster.start();
  cluster.silent = true;
  await settle(cluster);
  assert.match(messageOf(cluster, 'Ready') ?? '', /campus-0: not made yet/);
  const before = cluster.writes().length;
  await settle(cluster);
  assert.match(messageOf(cluster, 'Ready') ?? '', /campus-0: has no Pod yet/);
  await settle(cluster);
  assert.deepEqual(cluster.writes().slice(before), ['PATCH kmshostpools/campus/status']);
});

describe('KeyCreated is not told', () => {
  test('of a key that may not be made', async () => {
    await using cluster = await startFakeCluster();
    cluster.put(POOLS, poolOf());
    await cluster.start();
    cluster.refuse = ({ path }) =>
      path.endsWith('/secrets') ? (_, reply) => reply.status(403, 'Forbidden') : undefined;
    await reconcile(cluster);
    assert.equal(condition(cluster, 'Stalled'), 'True/Forbidden');
    assert.deepEqual(
      cluster.events.filter((event) => event.startsWith('KeyCreated')),
      [],
    );
  });

  test('of a key that another operator made a moment before', async () => {
    await using cluster = await startFakeCluster();
    cluster.put(POOLS, poolOf());
    await cluster.start();
    cluster.refuse = ({ method, path, body }) => {
      if (method !== 'POST' || !path.endsWith('/secrets')) return undefined;
      cluster.refuse = () => undefined;
      cluster.put(SECRETS, {
        ...(body as unknown as PoolObject),
        metadata: { ...REF, name: 'campus-key', uid: 'theirs' },
      });
      return (_, reply) => reply.status(409, 'AlreadyExists');
    };
    await settle(cluster);
    assert.equal(cluster.get(SECRETS, 'campus-key')?.metadata.uid, 'theirs');
    assert.match(cluster.get(POOLS, 'campus')?.status?.poolId ?? '', /^[0-9a-f-]{36}$/);
    assert.deepEqual(
      cluster.events.filter((event) => event.startsWith('KeyCreated')),
      [],
    );
  });
});

test("a step that is refused for good: the rest is done, and the status says so in the API server's words", async () => {
  await using cluster = await startFakeCluster();
  cluster.put(POOLS, poolOf());
  await cluster.start();
  const status = { kind: 'Status', code: 422, reason: 'Invalid', message: 'spec.ports: too many' };
  cluster.refuse = ({ path }) =>
    path.endsWith('/services/campus-0') ? (_, reply) => reply.json(status, 422) : undefined;
  await settle(cluster);
  assert.equal(condition(cluster, 'Stalled'), 'True/InvalidSpec');
  assert.match(messageOf(cluster, 'Stalled') ?? '', /Service campus-0: .*spec\.ports: too many/);
  assert.ok(cluster.get(SERVICES, 'campus-1') !== undefined);
});

test('a step that fails for now: it is thrown, and no status is written that would tell of what was not done', async () => {
  await using cluster = await startFakeCluster();
  cluster.put(POOLS, poolOf());
  await cluster.start();
  cluster.refuse = ({ path }) =>
    path.endsWith('/services/campus-0') ? (_, reply) => reply.status(500, 'InternalError') : undefined;
  await assert.rejects(settle(cluster), ApiError);
  assert.equal(cluster.get(POOLS, 'campus')?.status, undefined);
});

test('a spec that the schema refuses: the status says why, and nothing is made', async () => {
  await using cluster = await startFakeCluster();
  cluster.put(POOLS, poolOf({ ...specOf(2), replicas: -1 }));
  await cluster.start();
  assert.equal(await reconcile(cluster), undefined);
  assert.equal(condition(cluster, 'Stalled'), 'True/InvalidSpec');
  assert.deepEqual(cluster.writes(), ['PATCH kmshostpools/campus/status']);
  await reconcile(cluster);
  assert.equal(cluster.writes().length, 1, 'once');
});

test('a pool that is deleted while its status is written: no error, and no event of it', async () => {
  await using cluster = await startFakeCluster();
  cluster.put(POOLS, poolOf());
  await cluster.start();
  cluster.refuse = ({ path }) => (path.endsWith('/status') ? (_, reply) => reply.status(404, 'NotFound') : undefined);
  await settle(cluster);
  assert.deepEqual(
    cluster.events.map((event) => event.split(':')[0]),
    ['KeyCreated'],
  );
});

test('a pool that is gone is forgotten by everybody', async () => {
  await using cluster = await startFakeCluster();
  cluster.put(POOLS, poolOf());
  await cluster.start();
  await settle(cluster);
  assert.match(await cluster.registry.metrics(), /kmspool_pool_hosts\{[^}]*pool="campus"/);
  cluster.remove(POOLS, 'campus');
  const gone = async () => cluster.caches.pools.cache.get(REF) === undefined;
  while (!(await gone())) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(await reconcile(cluster), undefined);
  assert.deepEqual(cluster.told.slice(-2), ['observer.forget kms/campus', 'poller.forget kms/campus']);
  assert.doesNotMatch(await cluster.registry.metrics(), /pool="campus"/);
});

test("an object of somebody else's with a name of ours: left as it is, named in the status, and looked at again", async () => {
  await using cluster = await startFakeCluster();
  cluster.put(POOLS, poolOf());
  const theirs = cluster.put(SERVICES, { metadata: { ...REF, name: 'campus-0' } });
  await cluster.start();
  const result = await settle(cluster);
  assert.equal(condition(cluster, 'Stalled'), 'True/NameTaken');
  assert.deepEqual(cluster.get(SERVICES, 'campus-0'), theirs);
  assert.ok((result?.requeueAfterMs ?? 0) <= 30_000);
});

test('everything that is made carries the label of the pool, by which the caches find it', async () => {
  await using cluster = await startFakeCluster();
  cluster.put(POOLS, poolOf());
  await cluster.start();
  await settle(cluster);
  const made = cluster.server.seen.filter(
    ({ method, path }) => ['POST', 'PATCH'].includes(method) && !path.includes('kmshostpools'),
  );
  assert.ok(made.length > 8);
  for (const { body, path } of made) {
    const { labels } = (body?.['metadata'] ?? {}) as { labels?: Record<string, string> };
    assert.deepEqual([labels?.[LABELS.pool], labels?.[LABELS.managedBy]], ['campus', FIELD_MANAGER], path);
  }
});
