// SPDX-License-Identifier: Apache-2.0

// What holds for every object that is applied, whatever the pool; and the two that are too small for a file of tests.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ANNOTATIONS, poolLabels, poolSelector } from '@kmspool/crds';
import fc from 'fast-check';
import type { KubernetesObject } from '../../runtime/index.ts';
import { difference, driftReason } from '../drift.ts';
import { CONFIG_MAPS } from '../kinds.ts';
import { buildConfigMap } from './config-map.ts';
import { buildDeployment } from './deployment.ts';
import { buildDisruptionBudget } from './disruption-budget.ts';
import { buildNetworkPolicy } from './network-policy.ts';
import { intentOf, poolMetadata } from './object.ts';
import type { PodTemplateSource } from './pod-template.ts';
import { buildService } from './service.ts';
import { buildServiceAccount } from './service-account.ts';
import { EVERYTHING, OWNER, poolOf, type SpecInput, sourceOf } from './sources.fake.ts';

const objectsOf = (source: PodTemplateSource): KubernetesObject[] =>
  [
    buildServiceAccount(source),
    buildConfigMap(source),
    buildDeployment(source),
    buildService(source),
    buildDisruptionBudget(source),
    buildNetworkPolicy(source),
  ].filter((object) => object !== undefined);

/** Any part of everything that a spec can say. */
const specs: fc.Arbitrary<SpecInput> = fc
  .tuple(fc.subarray(Object.keys(EVERYTHING)), fc.subarray(Object.keys(EVERYTHING.pod ?? {})))
  .map(([fields, podFields]) => {
    const some = <T extends object>(from: T, names: readonly string[]): Partial<T> =>
      Object.fromEntries(Object.entries(from).filter(([name]) => names.includes(name))) as Partial<T>;
    const spec: SpecInput = { ...some(EVERYTHING, fields), pod: some(EVERYTHING.pod ?? {}, podFields) };
    return spec.store === undefined ? { ...spec, replicas: 1 } : spec;
  });

/** Places of members that say nothing, but for those that mean something in Kubernetes: every namespace, every Pod. */
function emptyMembers(value: unknown, path = ''): string[] {
  if (value === undefined || value === null) return [path];
  if (typeof value !== 'object') return [];
  const members = Object.entries(value);
  if (members.length === 0 && !/\.(namespaceSelector|labelSelector)$/.test(path)) return [path];
  return members.flatMap(([name, member]) => emptyMembers(member, `${path}.${name}`));
}

test('every object is whole, is our own, says nothing that is empty, and is what it is read back as', () => {
  fc.assert(
    fc.property(specs, fc.integer({ min: 0, max: 99 }), (spec, ordinal) => {
      for (const object of objectsOf(sourceOf(spec, ordinal))) {
        assert.ok(object.apiVersion !== undefined && object.kind !== undefined);
        assert.deepEqual(emptyMembers(object), []);
        assert.equal(object.metadata.namespace, 'kms');
        assert.equal(object.metadata.labels?.['kmspool.io/pool'], 'campus');
        assert.deepEqual(
          object.metadata.ownerReferences?.map(({ uid, controller }) => [uid, controller]),
          [[OWNER.metadata.uid, true]],
        );
        assert.match(object.metadata.annotations?.[ANNOTATIONS.appliedHash] ?? '', /^[0-9a-f]{16}$/);
        assert.equal(driftReason(object, JSON.parse(JSON.stringify(object)) as KubernetesObject), undefined);
      }
    }),
  );
});

test('the same pool gives the same objects, and another spec gives another hash exactly where the object is another', () => {
  fc.assert(
    fc.property(specs, specs, (one, other) => {
      const [first, again, second] = [one, one, other].map((spec) => objectsOf(sourceOf(spec)));
      assert.deepEqual(first, again);
      for (const object of first ?? []) {
        const twin = second?.find(({ kind }) => kind === object.kind);
        if (twin === undefined) continue;
        const hash = ({ metadata }: KubernetesObject) => metadata.annotations?.[ANNOTATIONS.appliedHash];
        const bare = ({ metadata, ...rest }: KubernetesObject) => {
          const { [ANNOTATIONS.appliedHash]: _, ...annotations } = metadata.annotations ?? {};
          return JSON.stringify({ ...rest, metadata: { ...metadata, annotations } });
        };
        assert.equal(hash(object) === hash(twin), bare(object) === bare(twin));
        assert.equal(difference(object, twin) === undefined, bare(object) === bare(twin));
      }
    }),
  );
});

test('an object that was never read from the API server owns nothing', () => {
  const { uid: _, ...unseen } = OWNER.metadata;
  assert.throws(() => poolMetadata({ pool: poolOf(), owner: { ...OWNER, metadata: unseen } }), TypeError);
  assert.throws(() => poolMetadata({ pool: poolOf(), owner: { ...OWNER, metadata: { name: 'campus' } } }), TypeError);
});

test('the hash of what was applied does not depend on the order of members', () => {
  const metadata = { name: 'x' };
  const [one, other] = [
    intentOf(CONFIG_MAPS, { metadata, data: { a: '1', b: '2' } }),
    intentOf(CONFIG_MAPS, { data: { b: '2', a: '1' }, metadata }),
  ];
  assert.deepEqual(one, other);
});

test('Pods have an account of their own without a token', () => {
  const { metadata, ...account } = buildServiceAccount(sourceOf());
  assert.deepEqual([metadata.name, metadata.labels], ['campus', poolLabels('campus')]);
  assert.deepEqual(account, { apiVersion: 'v1', kind: 'ServiceAccount', automountServiceAccountToken: false });
});

test('a pool has two hosts unless told otherwise, on different nodes where possible, and loses one at a time to drains (S3-27)', () => {
  const { pool: _, ...rest } = sourceOf();
  const { replicas: unsaid, ...pool } = { ...EVERYTHING, pod: {} };
  assert.ok(unsaid);
  const { replicas } = poolOf({ ...pool, replicas: undefined }).spec;
  assert.equal(replicas, 2);
  const source = { ...rest, pool: poolOf(pool) };
  assert.deepEqual(buildDisruptionBudget(source).spec, {
    maxUnavailable: 1,
    selector: { matchLabels: poolSelector('campus') },
    unhealthyPodEvictionPolicy: 'AlwaysAllow',
  });
  const spread = buildDeployment(source).spec?.template?.spec?.['topologySpreadConstraints'];
  assert.deepEqual(
    (spread as { topologyKey: string; labelSelector: unknown }[]).map((entry) => [
      entry.topologyKey,
      entry.labelSelector,
    ]),
    ['kubernetes.io/hostname', 'topology.kubernetes.io/zone'].map((key) => [
      key,
      { matchLabels: poolSelector('campus') },
    ]),
  );
});
