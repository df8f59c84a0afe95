// SPDX-License-Identifier: Apache-2.0

// A rule is written twice, in CEL and in TypeScript. Here both read the same specs, and have to agree.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HOST_KEY_PRODUCTS, HOST_KEYS, HOST_OS_NAMES } from '@kmspool/kms/catalog';
import fc from 'fast-check';
import { manifestRefusals } from './api-server.fake.ts';
import { rootNode } from './json-schema.ts';
import { poolSchema } from './pool.ts';

const ROOT = rootNode();

function manifestOf(spec: object): object {
  return { apiVersion: 'kmspool.io/v1alpha1', kind: 'KmsHostPool', metadata: { name: 'campus' }, spec };
}

// Most of each kind is good, for otherwise nearly no whole spec would be.
const seldom = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(value, { nil: undefined, freq: 2 });
const mostly = <T>(usual: fc.Arbitrary<T>, any: fc.Arbitrary<T>): fc.Arbitrary<T> =>
  fc.oneof({ arbitrary: usual, weight: 4 }, { arbitrary: any, weight: 1 });
const tier = fc.record({ hosts: seldom(fc.integer({ min: 1, max: 3 })), priority: fc.integer({ min: 0, max: 2 }) });
const domain = fc.record({
  name: mostly(fc.constantFrom('lab.example', 'branch.example', 'test'), fc.constantFrom('Lab.example', 'a..b', '-x')),
  priority: seldom(fc.integer({ min: 0, max: 2 })),
  weight: seldom(fc.integer({ min: 0, max: 2 })),
  tiers: seldom(fc.array(tier, { minLength: 1, maxLength: 3 })),
});
const redisUrls = fc.constantFrom('redis://redis', 'redis://u:p@redis', 'http://redis', 'rediss://redis:6379/99999');
const addresses = fc.constantFrom(['a:1'], ['[::1]:1', 'b:2'], ['a:1', 'a:1'], ['a'], ['b:0']);
const redis = mostly<object>(
  fc.constantFrom({ url: 'redis://redis' }, { cluster: { addresses: ['a:1'] } }),
  fc.record({
    url: seldom(redisUrls),
    sentinel: seldom(fc.record({ name: fc.constant('kms'), addresses })),
    cluster: seldom(fc.record({ addresses })),
  }),
);
const hostKey = mostly<object>(
  fc.record({ product: fc.constantFrom(...HOST_KEY_PRODUCTS) }),
  fc.record({ product: fc.constantFrom(...HOST_KEY_PRODUCTS), hostOs: fc.constantFrom(...HOST_OS_NAMES) }),
);
const exposure = mostly<object>(
  fc.record({ type: fc.constantFrom('LoadBalancer', 'PodIP') }),
  fc.record({
    type: fc.constantFrom('ClusterIP', 'LoadBalancer', 'NodePort', 'PodIP', undefined),
    loadBalancerClass: seldom(fc.constant('metallb')),
    externalTrafficPolicy: seldom(fc.constantFrom('Local', 'Cluster')),
  }),
);
const spec = fc.record({
  replicas: seldom(fc.integer({ min: 0, max: 3 })),
  hostKeys: fc.array(hostKey, { minLength: 1, maxLength: 3 }),
  store: seldom(fc.record({ redis })),
  dns: fc.record({ domains: fc.array(domain, { maxLength: 2 }) }),
  exposure: seldom(exposure),
});

test('the CEL texts and the TypeScript checks agree on any spec', () => {
  let passed = 0;
  fc.assert(
    fc.property(spec, (value) => {
      const manifest = manifestOf(value);
      const byCel = manifestRefusals(manifest, ROOT).map((refusal) => refusal.message);
      const parsed = poolSchema.safeParse(JSON.parse(JSON.stringify(manifest)));
      passed += parsed.success ? 1 : 0;
      const byZod = new Set(parsed.success ? [] : parsed.error.issues.map((issue) => issue.message));
      assert.equal(byCel.length === 0, parsed.success);
      // zod stops at an object whose members are wrong; CEL goes on. So CEL's words include zod's.
      assert.deepEqual(
        [...byZod].filter((message) => !byCel.includes(message)),
        [],
      );
    }),
    { numRuns: 600 },
  );
  assert.ok(passed > 20 && passed < 580, `${passed} of 600 specs passed; the generator is lopsided`);
});

test('S3-43 each host key is accepted on the systems of the catalogue only, by CEL and by the loader', () => {
  for (const product of HOST_KEY_PRODUCTS) {
    for (const hostOs of HOST_OS_NAMES) {
      const manifest = manifestOf({ replicas: 1, hostKeys: [{ product, hostOs }] });
      const allowed = HOST_KEYS.some((key) => key.product === product && key.hostOs.includes(hostOs));
      assert.equal(poolSchema.safeParse(manifest).success, allowed, `${product} on ${hostOs}`);
      assert.equal(manifestRefusals(manifest, ROOT).length === 0, allowed, `${product} on ${hostOs}, CEL`);
    }
  }
});
