// SPDX-License-Identifier: Apache-2.0

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LeanSecret, PoolObject } from './kinds.ts';
import { claimOf, type NeighbourSources, twinsOf } from './neighbours.ts';

const DOMAIN = 'lab.example';

interface Facts {
  readonly second?: number;
  readonly poolId?: string;
  readonly secret?: string;
  readonly ttlSeconds?: number;
  readonly replicas?: number;
  readonly hosts?: readonly string[];
  readonly deleting?: boolean;
}

function pool(name: string, facts: Facts = {}): PoolObject {
  const { second = 0, poolId, secret, ttlSeconds = 60, replicas = 1, hosts = [], deleting = false } = facts;
  const creationTimestamp = `2026-11-21T12:00:0${second}Z`;
  return {
    metadata: {
      name,
      namespace: 'kms',
      uid: `uid-${name}`,
      creationTimestamp,
      ...(deleting && { deletionTimestamp: creationTimestamp }),
    },
    spec: {
      replicas,
      ...(secret !== undefined && { keySecretRef: { name: secret } }),
      dns: { domains: [{ name: DOMAIN, ttlSeconds }] },
    },
    ...(poolId !== undefined && {
      status: { poolId, hosts: hosts.map((fqdn) => ({ name: 'h', fqdn, port: 1688, ready: true })) },
    }),
  } as PoolObject;
}

/** A cluster of these pools and Secrets (name -> identity). */
function sources(pools: readonly PoolObject[], secrets: Readonly<Record<string, string>> = {}): NeighbourSources {
  const secretOf = (name: string): LeanSecret | undefined =>
    secrets[name] === undefined ? undefined : { metadata: { name }, poolId: secrets[name] };
  return {
    caches: {
      pools: {
        cache: {
          byIndex: (index, value) =>
            pools.filter(({ status }) => (index === 'identity' ? status?.poolId === value : value === DOMAIN)),
        },
      },
      secrets: { cache: { get: ({ name }) => secretOf(name) } },
    },
    written: { latest: (_resource, _ref, cached) => cached },
  };
}

test('the oldest other pool that names a domain is the elder; of one second the name decides', () => {
  const [a, b, c] = [pool('a', { second: 2 }), pool('b', { second: 1 }), pool('c', { second: 1, ttlSeconds: 5 })];
  const all = sources([a, b, c]);
  assert.equal(claimOf(all, a, DOMAIN).elder?.name, 'b');
  assert.equal(claimOf(all, b, DOMAIN).elder, undefined);
  assert.deepEqual(claimOf(all, c, DOMAIN).elder?.name, 'b');
  assert.equal(claimOf(sources([a, c]), a, DOMAIN).elder?.ttlSeconds, 5);
});

test('a pool that has no status yet has the identity that its Secret gives: made together with one key, they are siblings at once', () => {
  const [east, west] = [pool('east', { secret: 'both' }), pool('west', { secret: 'both' })];
  const claim = claimOf(sources([east, west], { both: 'one' }), west, DOMAIN);
  assert.deepEqual([claim.elder?.name, claim.elder?.poolId], ['east', 'one']);
  assert.deepEqual(claim.siblings, ['east-0.kms.lab.example']);
  assert.equal(claimOf(sources([east, west]), west, DOMAIN).elder?.poolId, undefined);
  assert.deepEqual(claimOf(sources([east, west]), west, DOMAIN).siblings, []);
});

test('what the status says comes before what a Secret says now', () => {
  const [east, west] = [pool('east', { poolId: 'one' }), pool('west', { poolId: 'two' })];
  const claim = claimOf(sources([east, west], { 'east-key': 'two' }), west, DOMAIN);
  assert.deepEqual([claim.elder?.poolId, claim.siblings], ['one', []]);
});

test('siblings are named with the hosts that are wanted and those that are still there', () => {
  const east = pool('east', {
    poolId: 'one',
    replicas: 1,
    hosts: ['east-0.kms.lab.example', 'east-1.kms.lab.example'],
  });
  const west = pool('west', { poolId: 'one' });
  assert.deepEqual(claimOf(sources([east, west]), west, DOMAIN).siblings, [
    'east-0.kms.lab.example',
    'east-1.kms.lab.example',
  ]);
});

test('twins count in one table; one that is being deleted does no more, and a pool without an identity has none', () => {
  const [east, west] = [pool('east', { poolId: 'one' }), pool('west', { poolId: 'one' })];
  assert.deepEqual(twinsOf(sources([east, west]), west), ['kms/east']);
  const going = pool('east', { poolId: 'one', deleting: true });
  assert.deepEqual(twinsOf(sources([going, west]), west), []);
  assert.deepEqual(twinsOf(sources([east, west]), pool('new')), []);
});
