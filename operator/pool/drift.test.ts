// SPDX-License-Identifier: Apache-2.0

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ANNOTATIONS } from '@kmspool/crds';
import fc from 'fast-check';
import type { KubernetesObject } from '../runtime/index.ts';
import { buildConfigMap } from './build/config-map.ts';
import { buildDeployment } from './build/deployment.ts';
import { buildDisruptionBudget } from './build/disruption-budget.ts';
import { buildDnsEndpoint } from './build/dns-endpoint.ts';
import { buildNetworkPolicy } from './build/network-policy.ts';
import { buildService } from './build/service.ts';
import { EVERYTHING, sourceOf } from './build/sources.fake.ts';
import { difference, driftReason } from './drift.ts';

const objectOf = (fields: object): KubernetesObject => ({ metadata: { name: 'x' }, ...fields });
const between = (desired: object, live: object) => difference(objectOf(desired), objectOf(live));
const copyOf = <T>(value: T): T => structuredClone(value);

const full = sourceOf(EVERYTHING, 1);
const plain = sourceOf();
const DEPLOYMENT = buildDeployment(full);
const INTENTS: readonly KubernetesObject[] = [
  DEPLOYMENT,
  buildDeployment(plain),
  buildService(full) ?? assert.fail(),
  buildService(plain) ?? assert.fail(),
  buildConfigMap(plain),
  buildDisruptionBudget(plain),
  buildNetworkPolicy(plain),
  buildDnsEndpoint({
    ...plain,
    changedAt: '2026-01-02T03:04:05Z',
    recordSets: [
      { dnsName: 'a.lab.example', recordType: 'A', recordTTL: 60, targets: ['10.0.0.1', '10.0.0.2'] },
      { dnsName: 'b.lab.example', recordType: 'A', recordTTL: 60, targets: ['10.0.0.3'] },
    ],
  }),
];

type Path = readonly string[];

/** All members below a value, leaves only or all; without the kind, which nobody compares. */
function pathsOf(value: unknown, wanted: 'leaves' | 'members', path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return wanted === 'leaves' ? [path] : [];
  return Object.entries(value)
    .filter(([name]) => path.length > 0 || (name !== 'apiVersion' && name !== 'kind'))
    .flatMap(([name, member]) => [
      ...(wanted === 'members' && !Array.isArray(value) && Object.keys(Object(member)).length + path.length > 0
        ? [[...path, name]]
        : []),
      ...pathsOf(member, wanted, [...path, name]),
    ]);
}

/** The object with one member given to a function that changes or removes it. */
function changedAt<T>(object: T, path: Path, change: (holder: Record<string, unknown>, name: string) => void): T {
  const copy = copyOf(object);
  const holder = path.slice(0, -1).reduce<unknown>((value, name) => (value as Record<string, unknown>)[name], copy);
  change(holder as Record<string, unknown>, path.at(-1) ?? assert.fail());
  return copy;
}

const pathIn = (wanted: 'leaves' | 'members') =>
  fc
    .constantFrom(...INTENTS)
    .chain((intent) => fc.tuple(fc.constant(intent), fc.constantFrom(...pathsOf(intent, wanted))));

function otherLeaf(value: unknown): unknown {
  if (typeof value === 'number') return value + 1;
  return typeof value === 'boolean' ? !value : `${value}x`;
}

const KEYED = [
  'containers',
  'imagePullSecrets',
  'ownerReferences',
  'ports',
  'topologySpreadConstraints',
  'volumeMounts',
  'volumes',
];

/** The same with what others may add: members of maps, entries of lists with keys, another order of these. */
function withForeign(value: unknown, field = ''): unknown {
  if (typeof value !== 'object' || value === null || field === 'ingress') return value;
  if (!Array.isArray(value)) {
    const members = Object.entries(value).map(([name, member]) => [name, withForeign(member, name)]);
    return { addedByOthers: { deep: ['x'] }, ...Object.fromEntries(members) };
  }
  const entries = value.map((entry: unknown) => withForeign(entry, ''));
  const foreign = { name: 'theirs', uid: 'theirs', port: 9, mountPath: '/theirs', topologyKey: 'theirs' };
  return KEYED.includes(field) ? [foreign, ...entries.toReversed()] : entries;
}

test('nothing differs from itself, nor from a copy', () => {
  for (const intent of INTENTS) {
    assert.equal(difference(intent, intent), undefined);
    assert.equal(driftReason(intent, copyOf(intent)), undefined);
  }
  const trees = fc.dictionary(fc.string(), fc.jsonValue());
  fc.assert(fc.property(trees, (spec) => assert.equal(between({ spec }, copyOf({ spec })), undefined)));
});

test('what others add, and the order in which keyed lists come back, is no difference', () => {
  for (const intent of INTENTS) assert.equal(driftReason(intent, withForeign(intent) as KubernetesObject), undefined);
});

test('any leaf that is changed is found, also among what others add', () => {
  fc.assert(
    fc.property(pathIn('leaves'), fc.boolean(), ([intent, path], foreign) => {
      const changed = changedAt(intent, path, (holder, name) => {
        holder[name] = otherLeaf(holder[name]);
      });
      const live = (foreign ? withForeign(changed) : changed) as KubernetesObject;
      assert.notEqual(difference(intent, live), undefined, path.join('.'));
      assert.notEqual(driftReason(intent, live), undefined, path.join('.'));
    }),
    { numRuns: 500 },
  );
});

test('any member that is taken away is found', () => {
  fc.assert(
    fc.property(pathIn('members'), ([intent, path]) => {
      const live = changedAt(intent, path, (holder, name) => delete holder[name]);
      const said = path.reduce<unknown>((value, name) => (value as Record<string, unknown>)[name], intent);
      const empty = typeof said === 'object' && Object.keys(said ?? {}).length === 0;
      assert.equal(difference(intent, live) === undefined, empty, path.join('.'));
    }),
    { numRuns: 500 },
  );
});

test('the place is named as people write it, with what is there and what is wanted', () => {
  const live = changedAt(DEPLOYMENT, ['spec', 'template', 'spec', 'containers', '0', 'image'], (holder, name) => {
    holder[name] = 'other:1';
  });
  assert.equal(
    driftReason(DEPLOYMENT, live),
    'spec.template.spec.containers[host].image: other:1, wanted kmspool/kms-node:0.1.0',
  );
  const cases: [object, object, string][] = [
    [{ spec: { replicas: 1 } }, { spec: { replicas: 3 } }, 'spec.replicas: 3, wanted 1'],
    [{ spec: { type: 'ClusterIP' } }, {}, 'spec.type: absent, wanted ClusterIP'],
    [{ spec: { on: false } }, { spec: {} }, 'spec.on: absent, wanted false'],
    [{ data: { 'host.json': 'a\n b' } }, { data: { 'host.json': '' } }, 'data[host.json]: "", wanted a b'],
    [{ spec: { args: ['a', 'b'] } }, { spec: { args: ['a', 'c'] } }, 'spec.args[1]: c, wanted b'],
    [
      { spec: { ports: [{ port: 1688, protocol: 'TCP', name: 'kms' }] } },
      { spec: { ports: [{ port: 1688, protocol: 'TCP', name: 'x' }] } },
      'spec.ports[1688/TCP].name: x, wanted kms',
    ],
    [
      { spec: { volumes: [{ name: 'key' }] } },
      { spec: { volumes: [] } },
      'spec.volumes[key]: absent, wanted {"name":"key"}',
    ],
  ];
  for (const [desired, found, text] of cases) assert.equal(between(desired, found), text);
  const long = between({ data: { x: 'y'.repeat(500) } }, { data: { x: 'z'.repeat(500) } }) ?? '';
  assert.ok(long.length < 200, long);
});

test('a field that was ours and is wanted no more shows in the hash alone', () => {
  const before = buildDeployment(sourceOf({ pod: { nodeSelector: { disk: 'ssd' } } }));
  const after = buildDeployment(sourceOf());
  assert.equal(driftReason(after, before), 'hash');
  assert.match(difference(after, before) ?? '', /applied-hash\]: [0-9a-f]{16}, wanted [0-9a-f]{16}$/);
  const rewritten = changedAt(before, ['metadata', 'annotations', ANNOTATIONS.appliedHash], (holder, name) => {
    holder[name] = after.metadata.annotations?.[ANNOTATIONS.appliedHash];
  });
  assert.match(
    difference(after, rewritten) ?? '',
    /^spec\.template\.metadata\.annotations\[kmspool\.io\/template-hash\]/,
  );
});

test('an object that was never applied is to be applied, even if nothing in it is amiss', () => {
  const { annotations: _, ...metadata } = buildDisruptionBudget(plain).metadata;
  assert.equal(driftReason(buildDisruptionBudget(plain), { ...buildDisruptionBudget(plain), metadata }), 'hash');
});

test('empty and absent are the same, in both directions', () => {
  const forms = [{}, { spec: {} }, { spec: { a: {} } }, { spec: { a: [] } }, { spec: { a: null } }];
  for (const desired of forms) for (const live of forms) assert.equal(between(desired, live), undefined);
  for (const value of ['', 0, false]) assert.notEqual(between({ spec: { a: value } }, { spec: {} }), undefined);
});

test('a name that every object has is a name like any other', () => {
  const [wanted, none] = [{ spec: { constructor: 'x', toString: 'y' } }, { spec: {} }];
  assert.equal(between(wanted, none), 'spec.constructor: absent, wanted x');
  assert.equal(between(wanted, copyOf(wanted)), undefined);
  assert.match(between({ spec: { ingress: none } }, { spec: { ingress: wanted } }) ?? '', /wanted absent$/);
});

test('quantities are compared by value, and only where quantities stand', () => {
  const inside = (cpu: unknown, memory: unknown) => ({ spec: { limits: { cpu, memory }, requests: { cpu } } });
  assert.equal(between(inside('0.1', '1Gi'), inside('100m', '1024Mi')), undefined);
  assert.equal(between(inside(1, '1Gi'), inside('1', '1Gi')), undefined);
  assert.equal(between(inside('0.1', '1Gi'), inside('100m', '1G')), 'spec.limits.memory: 1G, wanted 1Gi');
  assert.notEqual(between({ spec: { replicas: 1 } }, { spec: { replicas: '1' } }), undefined);
  assert.notEqual(between({ data: { a: '1000m' } }, { data: { a: '1' } }), undefined);
});

test('a list without keys is one value: its length and its order count', () => {
  assert.notEqual(between({ spec: { args: ['a'] } }, { spec: { args: ['a', 'b'] } }), undefined);
  assert.notEqual(between({ spec: { args: ['a', 'b'] } }, { spec: { args: ['b', 'a'] } }), undefined);
  const toleration = { key: 'a', operator: 'Exists' };
  assert.equal(between({ tolerations: [toleration] }, { tolerations: [{ ...toleration, seconds: 1 }] }), undefined);
});

test('the rules of a NetworkPolicy are exact: whatever others add to them opens or closes something (S3-46)', () => {
  const policy = buildNetworkPolicy(plain);
  const ports = ['spec', 'ingress', '0', 'ports'];
  const added: KubernetesObject[] = [
    changedAt(policy, [...ports, '0', 'endPort'], (holder, name) => {
      holder[name] = 65_535;
    }),
    changedAt(policy, [...ports, '1'], (holder, name) => {
      holder[name] = { protocol: 'TCP', port: 22 };
    }),
    changedAt(policy, ['spec', 'ingress', '0', 'from', '0', 'podSelector'], (holder, name) => {
      holder[name] = { matchLabels: { a: 'b' } };
    }),
    changedAt(policy, ['spec', 'ingress', '2'], (holder, name) => {
      holder[name] = { ports: [{ protocol: 'TCP', port: 22 }] };
    }),
    changedAt(policy, ['spec', 'ingress', '1', 'from', '0', 'namespaceSelector'], (holder, name) => {
      holder[name] = { matchLabels: { a: 'b' } };
    }),
  ];
  for (const live of added) assert.match(difference(policy, live) ?? '', /^spec\.ingress/);
  assert.equal(difference(policy, added[0] ?? assert.fail()), 'spec.ingress[0].ports[0].endPort: 65535, wanted absent');
});

test('items of a list do not say their kind, and are compared all the same', () => {
  const { apiVersion: _, kind: __, ...item } = DEPLOYMENT;
  assert.equal(driftReason(DEPLOYMENT, item), undefined);
});
