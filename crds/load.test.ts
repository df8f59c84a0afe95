// SPDX-License-Identifier: Apache-2.0

// The loader: what it accepts, and that each mistake is one line with its place and its remedy.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { PRODUCTS, productsCoveredBy } from '@kmspool/kms/catalog';
import fc from 'fast-check';
import { type LoadOptions, loadPools } from './load.ts';
import type { KmsHostPool } from './pool.ts';

const EXAMPLES = join(import.meta.dirname, '../examples');
const HEAD = 'apiVersion: kmspool.io/v1alpha1\nkind: KmsHostPool\nmetadata: {name: campus}\n';
const SPEC = 'spec:\n  replicas: 1\n  hostKeys: [{product: WindowsServer2025}]\n';

function pools(text: string, options: Partial<LoadOptions> = {}): KmsHostPool[] {
  const loaded = loadPools(text, { file: 'x.yaml', ...options });
  assert.ok(loaded.ok, loaded.ok ? '' : loaded.errors.join('\n'));
  return loaded.pools;
}

function errors(text: string, options: Partial<LoadOptions> = {}): string[] {
  const loaded = loadPools(text, { file: 'x.yaml', ...options });
  assert.ok(!loaded.ok, 'accepted');
  for (const line of loaded.errors) assert.match(line, /^x\.yaml:[1-9][0-9]*: [^\n]+$/);
  return loaded.errors;
}

for (const name of readdirSync(EXAMPLES).filter((file) => file.endsWith('.yaml'))) {
  test(`examples/${name} loads`, () => {
    assert.equal(pools(readFileSync(join(EXAMPLES, name), 'utf8')).length, 1);
  });
}

test('examples/campus.yaml covers every product of the catalogue, on three hosts, in two domains', () => {
  const [campus] = pools(readFileSync(join(EXAMPLES, 'campus.yaml'), 'utf8'));
  assert.ok(campus);
  const covered = productsCoveredBy(campus.spec.hostKeys);
  assert.deepEqual(
    PRODUCTS.filter(({ countedIdHex }) => covered.get(countedIdHex)?.state !== 'Activated').map(({ slug }) => slug),
    [],
  );
  assert.equal(campus.spec.replicas, 3);
  assert.deepEqual(
    campus.spec.dns.domains.map(({ name, priority, tiers }) => [name, priority, tiers?.length]),
    [
      ['lab.example', undefined, 2],
      ['branch.example', 10, undefined],
    ],
  );
});

test('JSON is read as well, and several documents', () => {
  const json = JSON.stringify({
    apiVersion: 'kmspool.io/v1alpha1',
    kind: 'KmsHostPool',
    metadata: { name: 'other' },
    spec: { replicas: 1, hostKeys: [{ product: 'Office2024' }] },
  });
  assert.deepEqual(
    pools(`${HEAD}${SPEC}---\n${json}\n---\n# nothing\n`).map(({ metadata }) => metadata.name),
    ['campus', 'other'],
  );
});

test('what else the text holds is named, and its content is left alone', () => {
  const text = `apiVersion: v1\nkind: Secret\nmetadata: {name: redis}\ndata: {password: c2VjcmV0}\n---\n${HEAD}${SPEC}`;
  const loaded = loadPools(text, { file: 'x.yaml' });
  assert.ok(loaded.ok);
  assert.deepEqual(loaded.others, ['Secret "redis" (v1)']);
});

test('a List, as kubectl prints it, with status', () => {
  const item = { apiVersion: 'kmspool.io/v1alpha1', kind: 'KmsHostPool', metadata: { name: 'a', uid: 'u' } };
  const spec = { replicas: 1, hostKeys: [{ product: 'Office2024' }] };
  const list = { apiVersion: 'v1', kind: 'List', items: [{ ...item, spec, status: { fromTheFuture: 1 } }] };
  assert.equal(pools(JSON.stringify(list))[0]?.metadata.name, 'a');
  list.items.push({ ...item, spec: { ...spec, replicas: 5 }, status: { fromTheFuture: 1 } });
  assert.match(errors(JSON.stringify(list))[0] ?? '', /^x\.yaml:1: items\[1\]\.spec\.replicas: /);
});

test('with a store on this machine several hosts need no spec.store, and all other rules hold', () => {
  const three = `${HEAD}${SPEC}`.replace('replicas: 1', 'replicas: 3');
  assert.equal(pools(three, { localStore: true })[0]?.spec.replicas, 3);
  assert.deepEqual(errors(three), [
    'x.yaml:5: spec.replicas: more than one host needs a shared count: add spec.store.redis, or set spec.replicas to 1',
  ]);
  assert.equal(errors(`${three}  dns: {domains: [{name: A}]}\n`, { localStore: true }).length, 1);
});

const LINES: readonly [title: string, text: string, line: string | RegExp][] = [
  [
    'a number below its range',
    `${HEAD}${SPEC}  renewalIntervalMinutes: 5\n`,
    'x.yaml:7: spec.renewalIntervalMinutes: 5 is below 15; use minutes from 15 to 43200 (slmgr /sri)',
  ],
  [
    'a number above its range',
    `${HEAD}${SPEC}  port: 70000\n`,
    /^x\.yaml:7: spec\.port: 70000 is above 65535; use a port from 1024 to 65535 \(slmgr \/sprt/,
  ],
  [
    'a number in quotes',
    `${HEAD}${SPEC}  port: "1688"\n`,
    'x.yaml:7: spec.port: "1688" is a text; write the number without quotes',
  ],
  ['a fraction', `${HEAD}${SPEC}  port: 1688.5\n`, /spec\.port: 1688\.5 is not a whole number; use a port from/],
  [
    'an empty value',
    `${HEAD}${SPEC}  port:\n`,
    'x.yaml:7: spec.port: has no value; write a whole number, or remove the field',
  ],
  [
    'a word for a map',
    `${HEAD}${SPEC}  dns: lab.example\n`,
    'x.yaml:7: spec.dns: "lab.example" is not a map of fields',
  ],
  [
    'a slip in a field name',
    `${HEAD}${SPEC}  renewalIntervallMinutes: 15\n`,
    'x.yaml:7: spec.renewalIntervallMinutes: unknown field; did you mean renewalIntervalMinutes?',
  ],
  [
    'a field in the wrong place',
    `${HEAD}${SPEC}  maxStaleSeconds: 5\n`,
    'x.yaml:7: spec.maxStaleSeconds: unknown field here; did you mean spec.store.maxStaleSeconds?',
  ],
  ['a field that nothing resembles', `${HEAD}${SPEC}  limits: {quux: 5}\n`, /unknown field; known here: connections, /],
  [
    'a slip in a value',
    `${HEAD}${SPEC}  mode: emulated\n`,
    'x.yaml:7: spec.mode: "emulated" is not known; did you mean Emulated? use Emulated',
  ],
  [
    'a slip in one of many values',
    `${HEAD}${SPEC}`.replace('Server2025', 'Server25'),
    /^x\.yaml:6: spec\.hostKeys\[0\]\.product: "WindowsServer25" is not known; did you mean WindowsServer20\d\d\? docs\/pool-reference\.md lists all$/,
  ],
  [
    'a missing field',
    `${HEAD}spec: {replicas: 1}\n`,
    /^x\.yaml:4: spec\.hostKeys: is missing; add it: What the emulated host keys cover/,
  ],
  [
    'an empty list',
    `${HEAD}spec: {replicas: 1, hostKeys: []}\n`,
    'x.yaml:4: spec.hostKeys: has 0 entries; add at least 1',
  ],
  ['no spec', HEAD, /^x\.yaml:1: spec: is missing; add it/],
  ['no name', `${HEAD}${SPEC}`.replace('name: campus', ''), /^x\.yaml:3: metadata\.name: is missing/],
  [
    'another version',
    `${HEAD}${SPEC}`.replace('v1alpha1', 'v1'),
    'x.yaml:1: apiVersion: "kmspool.io/v1" is not known; write apiVersion: kmspool.io/v1alpha1',
  ],
  [
    'another kind',
    `${HEAD}${SPEC}`.replace('HostPool', 'Pool'),
    'x.yaml:2: kind: "KmsPool" is not known; write kind: KmsHostPool',
  ],
  [
    'no version',
    `${HEAD}${SPEC}`.replace(/^.*\n/, ''),
    'x.yaml:1: apiVersion: is missing; write apiVersion: kmspool.io/v1alpha1',
  ],
  [
    'other objects only',
    'apiVersion: v1\nkind: Pod\nmetadata: {name: p}\n',
    /there is no KmsHostPool here, only Pod "p" \(v1\); write one with/,
  ],
  ['an empty text', '', /^x\.yaml:1: there is no KmsHostPool here; write one with/],
  ['a plain word', 'hello', /^x\.yaml:1: "hello" is not a manifest; write apiVersion, kind, metadata and spec$/],
  ['broken YAML', `${HEAD}spec: [1, {\n`, /^x\.yaml:[45]: this is not YAML: /],
  ['a field twice', `${HEAD}${SPEC}  replicas: 1\n`, /^x\.yaml:7: this is not YAML: .*unique/],
  ['an alias of nothing', `${HEAD}spec: *nothing\n`, /^x\.yaml:[0-9]+: this (is not YAML|cannot be read): .*nothing/],
  [
    'two pools of one name',
    `${HEAD}${SPEC}---\n${HEAD}${SPEC}`,
    /^x\.yaml:10: metadata\.name: a pool default\/campus stands above already/,
  ],
];

for (const [title, text, line] of LINES) {
  test(`one clear line for ${title}`, () => {
    const [first, ...more] = errors(text);
    assert.deepEqual(more, []);
    if (typeof line === 'string') assert.equal(first, line);
    else assert.match(first ?? '', line);
  });
}

test('several mistakes are told at once, in the order of their lines', () => {
  const lines = errors(`${HEAD}${SPEC}  port: 1\n  limits:\n    connections: 0\n    drain: 3\n`);
  assert.deepEqual(
    lines.map((line) => line.split(': ').slice(0, 2).join(': ')),
    ['x.yaml:7: spec.port', 'x.yaml:9: spec.limits.connections', 'x.yaml:10: spec.limits.drain'],
  );
});

test('a pasted product key or password is never shown in full', () => {
  // Letters that no product key has, in the shape of one.
  for (const dash of ['-', '\u2014']) {
    const key = ['AAAAA', 'EEEEE', 'IIIII', 'OOOOO', 'UUUUU'].join(dash);
    const places = [
      `  ${key}: 1\n`,
      `  mode: ${key}\n`,
      `  exposure: {annotations: {a: [${key}]}}\n`,
      `  dns: {knownHosts: [${key}]}\n`,
    ];
    for (const place of places) {
      const text = errors(`${HEAD}${SPEC}${place}`).join('\n');
      assert.ok(!text.includes('AAAAA'), text);
    }
    assert.match(errors(`${HEAD}${SPEC}  mode: ${key}\n`)[0] ?? '', /…UUUUU/);
  }
  const url = errors(`${HEAD}${SPEC}  store: {redis: {url: "redis://:hunter2@redis"}}\n`).join('\n');
  assert.ok(!url.includes('hunter2'), url);
});

test('no text at all makes the loader throw', () => {
  const piece = fc.constantFrom(
    HEAD,
    SPEC,
    '---\n',
    '- a\n',
    '? {a: b}\n: c\n',
    '&a [*a]\n',
    '\t',
    '"',
    '  x: !!binary y\n',
    '{',
    '%YAML 9\n',
  );
  fc.assert(
    fc.property(fc.array(fc.oneof(piece, fc.string({ maxLength: 20 })), { maxLength: 6 }), (pieces) => {
      const loaded = loadPools(pieces.join(''), { file: 'x.yaml' });
      if (!loaded.ok) for (const line of loaded.errors) assert.match(line, /^x\.yaml:[1-9][0-9]*: [^\n]+$/);
    }),
    { numRuns: 500 },
  );
});
