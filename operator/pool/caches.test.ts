// SPDX-License-Identifier: Apache-2.0

// What the caches ask for, how pools are found in them, and when a pool's specification is read anew.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { FIELD_MANAGER } from '@kmspool/crds';
import type { Change } from '../runtime/index.ts';
import { BY_DOMAIN, BY_IDENTITY, BY_POOL, BY_SECRET, isNews, PoolReader, poolOfLabel } from './caches.ts';
import { startFakeCluster } from './cluster.fake.ts';
import { POOLS, type PoolObject, SECRETS } from './kinds.ts';
import { specOf } from './world.fake.ts';

const poolOf = (more: Partial<PoolObject['metadata']> = {}, spec: object = specOf(1)): PoolObject => ({
  apiVersion: 'kmspool.io/v1alpha1',
  kind: 'KmsHostPool',
  metadata: { name: 'campus', namespace: 'kms', uid: 'a', generation: 1, resourceVersion: '1', ...more },
  spec,
});

test('of our own kinds only what carries our label is asked for, of Secrets all that may be a key, of pools everything', async () => {
  await using cluster = await startFakeCluster();
  await cluster.start();
  const asked = cluster.server.seen.filter(({ query }) => query.get('watch') === null);
  const text = asked.map(({ path, query }) => `${path.split('/').at(-1)} ${query.get('labelSelector') ?? ''}`).sort();
  const ours = `app.kubernetes.io/managed-by=${FIELD_MANAGER}`;
  assert.deepEqual(text, [
    `configmaps ${ours}`,
    `deployments ${ours}`,
    'deployments app.kubernetes.io/name=external-dns',
    `dnsendpoints ${ours}`,
    'kmshostpools ',
    `networkpolicies ${ours}`,
    `poddisruptionbudgets ${ours}`,
    `pods ${ours}`,
    'secrets ',
    `serviceaccounts ${ours}`,
    `services ${ours}`,
  ]);
  const secrets = asked.find(({ path }) => path.endsWith('/secrets'))?.query.get('fieldSelector') ?? '';
  assert.match(secrets, /type!=helm\.sh\/release\.v1,.*type!=kubernetes\.io\/service-account-token/);
  assert.doesNotMatch(secrets, /Opaque/);
});

test('no byte of what a Secret holds is kept', async () => {
  await using cluster = await startFakeCluster();
  const secret = { key: Buffer.alloc(32, 7).toString('base64'), token: Buffer.alloc(32, 8).toString('base64') };
  cluster.put(SECRETS, { metadata: { name: 'campus-key' }, data: secret });
  await cluster.start();
  const kept = JSON.stringify(cluster.caches.secrets.cache.list());
  assert.match(kept, /"keyBytes":32/);
  for (const value of Object.values(secret)) assert.equal(kept.includes(value), false);
});

test('pools are found by domain, Secret and identity', async () => {
  await using cluster = await startFakeCluster();
  const domains = [{ name: 'lab.example' }, { name: 'b.example' }];
  cluster.put(POOLS, { ...poolOf({}, specOf(1, { dns: { domains } })), status: { poolId: 'one' } });
  cluster.put(POOLS, poolOf({ name: 'mine', uid: 'b' }, specOf(1, { keySecretRef: { name: 'key' } })));
  cluster.put(POOLS, poolOf({ name: 'off', uid: 'c' }, specOf(1, { dns: { publisher: 'None', domains } })));
  await cluster.start();
  const found = (index: string, value: string): string[] =>
    cluster.caches.pools.cache
      .byIndex(index, value)
      .map(({ metadata }) => metadata.name)
      .sort();
  assert.deepEqual(found(BY_DOMAIN, 'b.example'), ['campus'], 'who publishes nothing claims nothing');
  assert.deepEqual(found(BY_DOMAIN, 'lab.example'), ['campus', 'mine']);
  assert.deepEqual(found(BY_SECRET, 'kms/campus-key'), ['campus']);
  assert.deepEqual(found(BY_SECRET, 'kms/campus-admin'), ['campus']);
  assert.deepEqual(found(BY_SECRET, 'kms/key'), ['mine']);
  assert.deepEqual(found(BY_SECRET, 'kms/mine-key'), []);
  assert.deepEqual(found(BY_SECRET, 'other/key'), [], 'another namespace');
  assert.deepEqual(found(BY_IDENTITY, 'one'), ['campus']);
  assert.equal(cluster.caches.services.cache.byIndex(BY_POOL, 'kms/campus').length, 0);
});

test('an object belongs to the pool of its label, in its own namespace', () => {
  const labels = { 'kmspool.io/pool': 'campus' };
  assert.deepEqual(poolOfLabel({ metadata: { name: 'x', namespace: 'kms', labels } }), [
    { namespace: 'kms', name: 'campus' },
  ]);
  assert.deepEqual(poolOfLabel({ metadata: { name: 'x', namespace: 'kms' } }), []);
});

describe('news of a pool', () => {
  const before = poolOf();
  const change = (object: PoolObject, previous: PoolObject | undefined = before): Change<PoolObject> => ({
    type: previous === undefined ? 'added' : 'modified',
    object,
    previous,
    initial: false,
  });
  const cases: [string, PoolObject, boolean][] = [
    ['a new generation', poolOf({ generation: 2 }), true],
    ['its deletion', poolOf({ deletionTimestamp: '2026-01-01T00:00:00Z' }), true],
    ['another pool of that name', poolOf({ uid: 'b' }), true],
    ['a finalizer', poolOf({ finalizers: ['x'] }), true],
    ['its status', { ...poolOf({ resourceVersion: '2' }), status: { readyReplicas: 1 } }, false],
    ['an annotation', poolOf({ resourceVersion: '2', annotations: { a: 'b' } }), false],
  ];
  for (const [what, object, news] of cases)
    test(`${what} is ${news ? '' : 'not '}such`, () => assert.equal(isNews(change(object)), news));
  test('a pool that was not known is such', () =>
    assert.equal(isNews({ ...change(poolOf()), previous: undefined }), true));
});

describe('the specification', () => {
  test('is read once a generation, and its findings are kept as long', () => {
    const reader = new PoolReader();
    const first = reader.read(poolOf());
    assert.equal(reader.read({ ...poolOf({ resourceVersion: '2' }), status: { readyReplicas: 1 } }), first);
    const second = reader.read(poolOf({ generation: 2 }, specOf(2)));
    assert.ok(first.ok && second.ok);
    assert.deepEqual([first.pool.spec.replicas, second.pool.spec.replicas], [1, 2]);
    assert.notEqual(second.findings, first.findings);
  });

  test('of another pool with that name is another one, although its generation is the same', () => {
    const reader = new PoolReader();
    reader.read(poolOf());
    const other = reader.read(poolOf({ uid: 'b' }, specOf(3)));
    assert.ok(other.ok);
    assert.equal(other.pool.spec.replicas, 3);
    const apart = reader.read(poolOf({ namespace: 'other', uid: 'a' }, specOf(2)));
    assert.ok(apart.ok);
    assert.equal(apart.pool.spec.replicas, 2);
  });

  test('is forgotten with its pool', () => {
    const reader = new PoolReader();
    const first = reader.read(poolOf());
    reader.forget({ namespace: 'kms', name: 'campus' });
    assert.notEqual(reader.read(poolOf()), first);
  });

  test('that the schema refuses is a line for each mistake; a status of another version is none', () => {
    const reader = new PoolReader();
    const read = reader.read(poolOf({}, { ...specOf(1), replicas: -1, port: 80 }));
    assert.ok(!read.ok);
    assert.deepEqual(
      read.errors.map((line) => line.split(':')[0]),
      ['spec.replicas', 'spec.port'],
    );
    const status = { conditions: 'of a later version' } as unknown as NonNullable<PoolObject['status']>;
    assert.equal(reader.read({ ...poolOf({ generation: 2 }), status }).ok, true);
  });
});
