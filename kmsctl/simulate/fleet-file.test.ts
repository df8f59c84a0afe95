// SPDX-License-Identifier: Apache-2.0
//
// The fleet file: what a good one comes to, and one line for every mistake, with its field and what to write instead.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { UserError } from '@kmspool/crds';
import { expectationsOf } from './expectations.ts';
import { fleetOfText } from './fleet.fake.ts';
import { planOf } from './plan.ts';
import { lengthMs } from './time-text.ts';

const POOL = `
  - name: campus
    spec: {replicas: 2, hostKeys: [{product: WindowsServer2025}], dns: {domains: [{name: lab.example}]}}`;
const MACHINES = `
  - {name: pcs, product: windows-11, count: 10}`;

interface Parts {
  readonly head?: string;
  readonly pools?: string;
  readonly machines?: string;
  readonly rest?: string;
}

const text = ({ head = 'fleet: small', pools = POOL, machines = MACHINES, rest = '' }: Parts): string =>
  `${head}\npools:${pools}\nmachines:${machines}\n${rest}`;

/** Loads and plans, as the verb does. */
function planned(parts: Parts, beside: Readonly<Record<string, string>> = {}): ReturnType<typeof planOf> {
  const loaded = fleetOfText(text(parts), beside);
  const plan = planOf(loaded, loaded.fleet.days);
  expectationsOf(loaded.fleet.expect, plan, loaded.shownAs);
  return plan;
}

const MISTAKES: readonly (readonly [mistake: string, parts: Parts, line: RegExp])[] = [
  ['not YAML', { rest: 'a: [' }, /^fleet\.yaml:\d+: this is not YAML/],
  ['an unknown field', { rest: 'dayz: 3' }, /^fleet\.yaml:7: dayz: unknown field; did you mean days\?$/],
  ['another kind of file', { head: 'kind: KmsHostPool' }, /fleet: is missing; add it: What the fleet is called/],
  ['a wrong type', { rest: 'days: "30"' }, /days: "30" is a text; write the number without quotes/],
  ['out of range', { rest: 'days: 0' }, /days: 0 is below 1; use days from 1 to 3650/],
  [
    'a bad time',
    { rest: 'changes: [{at: 3 days, dnsDown: true}]' },
    /changes\[0\]\.at: "3 days" will not do; write a time such as 30d, 2h/,
  ],
  [
    'a number for a time',
    { rest: 'changes: [{at: 3, dnsDown: true}]' },
    /changes\[0\]\.at: 3 is not a text; write it in quotes/,
  ],
  [
    'an unknown product',
    { machines: '\n  - {name: a, product: windows-12, count: 1}' },
    /machines\[0\]\.product: "windows-12" is not known; did you mean windows-1[01]\?/,
  ],
  [
    'an edition of another product',
    { machines: '\n  - {name: a, product: windows-11, count: 1, edition: datacenter}' },
    /machines\[0\]\.edition: there is no edition of windows-11, "datacenter"; use one of windows-11-/,
  ],
  ['no machines', { machines: ' []' }, /machines: has 0 entries; add at least 1/],
  [
    'two kinds of arrival',
    { machines: '\n  - {name: a, product: windows-11, count: 1, arrival: {over: 1d, officeDays: 2}}' },
    /arrival: has both over and officeDays; keep one/,
  ],
  [
    'a change that says nothing',
    { rest: 'changes: [{at: 3d}]' },
    /changes\[0\]: has none of hostDown, .*; write what happens/,
  ],
  [
    'a change that says two things',
    { rest: 'changes: [{at: 3d, dnsDown: true, hostDown: campus-0}]' },
    /changes\[0\]: has hostDown and dnsDown; keep one/,
  ],
  [
    'an end to what cannot be undone',
    { rest: 'changes: [{at: 3d, for: 1d, machines: {do: rearm}}]' },
    /changes\[0\]: has for, but .* remove for/,
  ],
  [
    'an unknown host',
    { rest: 'changes: [{at: 3d, hostDown: campus-9}]' },
    /^fleet\.yaml: changes\[0\]\.hostDown: there is no host "campus-9"; use one of campus-0, campus-1$/,
  ],
  [
    'an unknown domain',
    { rest: 'changes: [{at: 3d, domainRemoved: {name: x.example}}]' },
    /there is no domain of campus, "x\.example"; use one of lab\.example/,
  ],
  [
    'an unknown group',
    { rest: 'changes: [{at: 3d, machines: {do: toMak, group: pc}}]' },
    /there is no group "pc"; use one of pcs/,
  ],
  [
    'a host key that the pool has not',
    { rest: 'changes: [{at: 3d, hostKey: {product: Office2024, state: Blocked}}]' },
    /there is no host key in campus, "Office2024"; use one of WindowsServer2025/,
  ],
  [
    'two groups of one name',
    { machines: `${MACHINES}${MACHINES}` },
    /machines\[1\]\.name: a group pcs stands above already; rename one/,
  ],
  [
    'a pool that is neither',
    { pools: '\n  - {name: campus}' },
    /pools\[0\]: has none of file, spec; write file: MANIFEST, or name and spec/,
  ],
  [
    'a manifest that is not there',
    { pools: '\n  - {file: nope.yaml}' },
    /pools\[0\]\.file: nope\.yaml cannot be read \(ENOENT\)/,
  ],
  [
    'a mistake in a pool',
    { pools: '\n  - {name: a, spec: {replicas: 200, hostKeys: [{product: WindowsServer2025}]}}' },
    /pools\[0\]\.spec\.replicas: 200 is above 100; use hosts from 0 to 100/,
  ],
  ['two pools of one name', { pools: `${POOL}${POOL}` }, /two pools are called campus; rename one/],
  [
    'an expectation after the end',
    { rest: 'days: 5\nexpect: [{licensedBy: {at: 6d}}]' },
    /expect\[0\]\.licensedBy\.at: the simulation ends after 5 days; write an earlier time, or more days/,
  ],
  [
    'a share above the whole',
    { rest: 'expect: [{licensedBy: {at: 6d, share: 95}}]' },
    /expect\[0\]\.licensedBy\.share: 95 is above 1; use a share from 0 to 1/,
  ],
  ['a product key', { head: 'fleet: AAAAA-BBBBB-CCCCC-DDDDD-EEEEE' }, /fleet: "?\(a product key, …EEEEE\)/],
];

describe('a fleet file', () => {
  for (const [mistake, parts, line] of MISTAKES) {
    test(`refuses ${mistake} in one line`, () => {
      assert.throws(
        () => planned(parts),
        (error: unknown) => {
          assert.ok(error instanceof UserError, String(error));
          assert.match(error.message, line);
          assert.doesNotMatch(error.message, /\n/);
          return true;
        },
      );
    });
  }

  test('needs a pool to be named when there are several', () => {
    const two = `${POOL}${POOL.replace('name: campus', 'name: other')}`;
    const rest = 'changes: [{at: 1d, storeLost: {}}]';
    assert.throws(
      () => planned({ pools: two, rest }),
      /changes\[0\]\.storeLost: there are several pools; add pool: with one of campus, other/,
    );
    assert.equal(planned({ pools: two, rest: 'changes: [{at: 1d, storeLost: {pool: other}}]' }).changes.length, 1);
  });

  test('takes a pool from a manifest beside it, with its store and its domains', () => {
    const manifest = `
apiVersion: kmspool.io/v1alpha1
kind: KmsHostPool
metadata: {name: site, namespace: kms}
spec:
  replicas: 3
  hostKeys: [{product: WindowsServer2025}]
  store: {redis: {url: "redis://redis:6379"}, onLoss: Refuse, maxStaleSeconds: 60}
  dns: {domains: [{name: one.example}, {name: two.example, priority: 5}], publisher: None}`;
    const plan = planned({ pools: '\n  - file: pool.yaml' }, { 'pool.yaml': manifest });
    const [pool] = plan.pools;
    assert.deepEqual(
      [pool?.name, pool?.namespace, pool?.replicas, pool?.withdrawAfterMs, pool?.store],
      ['site', 'kms', 3, undefined, { onLoss: 'Refuse', maxStaleSeconds: 60 }],
    );
    assert.deepEqual(plan.groups[0]?.domains, ['one.example'], "by default members of the first pool's first domain");
  });

  test('S2-31 looks where membership says: a domain member in its domain, a workgroup in what DHCP hands out', () => {
    const domains = (network: string): readonly string[] | undefined =>
      planned({ machines: `\n  - {name: a, product: windows-11, count: 1, network: ${network}}` }).groups[0]?.domains;
    const both = 'domain: corp.example, dhcpDomain: dhcp.example';
    assert.deepEqual(domains(`{membership: domain, ${both}}`), ['corp.example']);
    assert.deepEqual(domains(`{membership: workgroup, ${both}, searchList: [Lab.example.]}`), [
      'dhcp.example',
      'lab.example',
    ]);
    assert.deepEqual(domains(`{${both}, primarySuffix: own.example}`), ['own.example']);
    assert.deepEqual(domains('{membership: workgroup}'), []);
  });

  test('a change with `for` is undone when that time is over', () => {
    const rest =
      'changes: [{at: 2d, for: 12h, hostDown: campus-1}, {at: 1d, for: 1d, ranking: {domain: lab.example, weight: 7}}]';
    assert.deepEqual(
      planned({ rest }).changes.map(({ atMs, title }) => [atMs / 3_600_000, title]),
      [
        [48, 'campus-1 is lost'],
        [60, 'campus-1 is back'],
        [24, 'priority and weight change in lab.example'],
        [48, 'priority and weight in lab.example are as before'],
      ],
    );
  });
});

test('lengths of time are written with their units', () => {
  const cases: [string, number | undefined][] = [
    ['30d', 30 * 86_400_000],
    ['1d 9h', 33 * 3_600_000],
    ['1d9h30m', 33.5 * 3_600_000],
    ['-5h', -5 * 3_600_000],
    ['1.5h', 90 * 60_000],
    ['90', undefined],
    ['h', undefined],
    ['1w', undefined],
    ['', undefined],
    ['1h  2m', undefined],
  ];
  for (const [written, ms] of cases) assert.equal(lengthMs(written), ms, written);
});
