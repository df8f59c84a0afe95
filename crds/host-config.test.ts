// SPDX-License-Identifier: Apache-2.0

// HostConfig: built from a pool, hashed, compared; and the shape of HostStatus against the catalogue.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LICENSE_STATUSES } from '@kmspool/kms/catalog';
import fc from 'fast-check';
import {
  canonicalJson,
  changedFields,
  type HostConfig,
  hostConfigHash,
  hostConfigSchema,
  parseHostConfig,
  restartHash,
  restartNeeded,
} from './host-config.ts';
import { hostConfigFor } from './host-config-for.ts';
import { LICENSE_STATUS_KEYS } from './host-status.ts';
import { type KmsHostPool, type KmsHostPoolInput, poolSchema } from './pool.ts';

const POOL_ID = '6F1C0A2E-0000-4000-8000-0123456789AB';

function pool(spec: Partial<KmsHostPoolInput['spec']> = {}): KmsHostPool {
  return poolSchema.parse({
    apiVersion: 'kmspool.io/v1alpha1',
    kind: 'KmsHostPool',
    metadata: { name: 'campus', namespace: 'kms' },
    spec: { replicas: 1, hostKeys: [{ product: 'WindowsServer2025' }], ...spec },
  });
}

const config = (): HostConfig => hostConfigFor({ pool: pool(), ordinal: 0 });

test('a host of a pool without a store keeps its table in memory and takes the settings of the pool', () => {
  const built = hostConfigFor({
    pool: pool({ port: 1700, dns: { domains: [{ name: 'lab.example' }] } }),
    ordinal: 2,
    poolId: POOL_ID,
  });
  assert.deepEqual(built.host, { name: 'campus-2', ordinal: 2 });
  assert.deepEqual(built.pool, { name: 'campus', namespace: 'kms' });
  assert.deepEqual(built.store, { kind: 'memory' });
  assert.equal(built.port, 1700);
  assert.equal(built.poolId, POOL_ID.toLowerCase());
  assert.deepEqual(built.domains, ['lab.example']);
  assert.deepEqual(built.retention, { clients: 100_000, events: 100_000 });
});

test('a Redis store reaches the host without the names of Secrets', () => {
  const sentinel = { name: 'kms', addresses: ['redis-sentinel:26379'] };
  const redis = {
    sentinel,
    credentialsSecretRef: { name: 'redis' },
    tls: { caSecretRef: { name: 'ca' }, serverName: 'redis.kms' },
  };
  const built = hostConfigFor({ pool: pool({ replicas: 3, store: { redis, onLoss: 'Refuse' } }), ordinal: 0 });
  assert.deepEqual(built.store, {
    kind: 'redis',
    sentinel,
    tls: { serverName: 'redis.kms', insecureSkipVerify: false },
    onLoss: 'Refuse',
    maxStaleSeconds: 3600,
  });
});

test('a run on one machine replaces store, port and limits, and nothing else', () => {
  const overrides = { port: 0, advertisedPort: 1688, limits: { connectionsPerSource: 0 } };
  const built = hostConfigFor({
    pool: pool({ replicas: 2, store: { redis: { url: 'redis://r' } } }),
    ordinal: 1,
    store: { kind: 'memory' },
    overrides,
  });
  assert.deepEqual(built.store, { kind: 'memory' });
  assert.deepEqual([built.port, built.advertisedPort], [0, 1688]);
  assert.deepEqual(built.limits, {
    connections: 2000,
    connectionsPerSource: 0,
    maxRequiredCount: 25,
    drainSeconds: 15,
  });
});

test('a built configuration is read back from JSON unchanged', () => {
  for (const built of [
    config(),
    hostConfigFor({ pool: pool({ store: { redis: { url: 'rediss://r', tls: {} } } }), ordinal: 0, poolId: POOL_ID }),
  ]) {
    const parsed = parseHostConfig(JSON.stringify(built));
    assert.deepEqual(parsed, { ok: true, config: built });
  }
});

test('a broken configuration gives lines that name the field', () => {
  const lines = (text: string): string => {
    const parsed = parseHostConfig(text);
    return parsed.ok ? '' : parsed.errors.join('\n');
  };
  assert.match(lines('{'), /^HostConfig is not JSON: [^\n]+$/);
  assert.match(lines(JSON.stringify({ ...config(), port: 65_536 })), /^port: /);
  assert.match(lines(JSON.stringify({ ...config(), colour: 1 })), /colour/);
  assert.match(
    lines(JSON.stringify({ ...config(), store: { kind: 'redis' } })),
    /^store: set exactly one of url, sentinel and cluster$/,
  );
  assert.match(lines(JSON.stringify({ ...config(), allowedSources: ['10.0.0.1/8'] })), /^allowedSources\.0: .*CIDR/);
  assert.match(lines(JSON.stringify({ ...config(), poolId: 'x' })), /^poolId: /);
});

test('the hash is SHA-256 over canonical JSON: the order of keys does not matter, any value does', () => {
  const built = config();
  const shuffled = Object.fromEntries(Object.entries(built).reverse()) as HostConfig;
  assert.match(hostConfigHash(built), /^[0-9a-f]{64}$/);
  assert.equal(hostConfigHash(shuffled), hostConfigHash(built));
  assert.equal(hostConfigHash(hostConfigSchema.parse(JSON.parse(JSON.stringify(built)))), hostConfigHash(built));
  for (const changed of [
    { renewalIntervalMinutes: 15 },
    { limits: { ...built.limits, drainSeconds: 1 } },
    { domains: ['test'] },
  ]) {
    assert.notEqual(hostConfigHash({ ...built, ...changed }), hostConfigHash(built));
  }
});

test('canonical JSON is JSON of the same value, with one text for equal values', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = canonicalJson(value);
      const plain: unknown = JSON.parse(JSON.stringify(value));
      assert.equal(canonicalJson(JSON.parse(text)), text);
      assert.deepEqual(JSON.parse(text), plain);
    }),
  );
  assert.equal(canonicalJson({ b: [{ d: 1, c: undefined }], a: null }), '{"a":null,"b":[{"d":1}]}');
});

test('canonical JSON keeps its texts from version to version: hashes in the cluster are of them', () => {
  const unusual = JSON.parse('{"b":1,"10":1,"9":1,"B":1,"ä":1,"__proto__":{"b":1,"a":1},"constructor":[],"":0}');
  const text = '{"9":1,"10":1,"":0,"B":1,"__proto__":{"a":1,"b":1},"b":1,"constructor":[],"ä":1}';
  assert.equal(canonicalJson(unusual), text);
  assert.equal(canonicalJson([undefined, () => 1, { a: () => 1 }, Number.NaN, -0]), '[null,null,{},null,0]');
  assert.equal(canonicalJson(undefined), 'null');
});

test('port, store, identity and name need a restart; all else is re-read', () => {
  const before = config();
  const cases: [Partial<HostConfig>, string[]][] = [
    [{}, []],
    [{ port: 1700 }, ['port']],
    [{ store: { kind: 'redis', url: 'redis://r', onLoss: 'Refuse', maxStaleSeconds: 1 } }, ['store']],
    [{ poolId: POOL_ID }, ['poolId']],
    [{ host: { name: 'campus-1', ordinal: 1 }, pool: { name: 'b', namespace: 'kms' } }, ['host', 'pool']],
    [{ renewalIntervalMinutes: 15, activationIntervalMinutes: 15, advertisedPort: 9, domains: ['test'] }, []],
    [
      {
        hostKeys: [],
        allowedSources: [],
        retention: { clients: 1, events: 1 },
        limits: { ...before.limits, connections: 1 },
      },
      [],
    ],
  ];
  for (const [change, wanted] of cases) {
    const after = { ...before, ...change };
    assert.deepEqual(restartNeeded(before, after), wanted);
    assert.equal(restartHash(before) === restartHash(after), wanted.length === 0);
    assert.deepEqual(changedFields(before, after), Object.keys(change).sort());
  }
});

test('S1-24 totals have one counter for each license status of the catalogue, and one for any other value', () => {
  assert.deepEqual([...LICENSE_STATUS_KEYS], [...LICENSE_STATUSES.map(({ slug }) => slug), 'unknown']);
});
