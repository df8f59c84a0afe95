// SPDX-License-Identifier: Apache-2.0
//
// What a pool's facts mean for a finding, and how they are gathered, on a pool that is made up.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { API_VERSION, HOST_STATUS_KIND, hostStatusSchema } from '@kmspool/crds';
import { EVENTS, HRESULTS, LANGUAGES, PRODUCTS } from '@kmspool/kms/catalog';
import type { Discovery } from '../net/index.ts';
import { type FactsSource, gatherFacts, refusals } from './gather.ts';
import * as pastes from './pastes.fake.ts';
import { diagnose, type PoolFacts } from './pool-facts.ts';
import { recogniseText, recogniseWord } from './recognise.ts';
import type { Finding } from './types.ts';

const HOSTS = ['campus-0.kms.lab.example', 'campus-1.kms.lab.example'];
const WINDOWS = {
  application: 'Windows' as const,
  count: 19,
  cap: 50,
  thresholds: [
    { name: 'Server', required: 5, met: true },
    { name: 'Client', required: 25, met: false },
  ],
  expiring: ['pc-1', 'pc-2', 'pc-3', 'pc-4', 'pc-5', 'pc-6'],
};
const FACTS: PoolFacts = {
  pool: 'campus',
  applications: [WINDOWS],
  duplicates: [{ cmid: '7e3a1b90-52c1-4f0d-9b6e-30c1b8f0a911', application: 'Windows', names: ['vdi-1', 'vdi-2'] }],
  failures: [{ code: 0xc004f042, count: 7, products: ['Office LTSC 2024'] }],
  hosts: [
    { name: 'campus-0', ready: true, reasons: [] },
    { name: 'campus-1', ready: false, reasons: ['the store does not answer'] },
  ],
  domains: [{ domain: 'lab.example', desired: HOSTS, observed: [HOSTS[0] ?? '', 'old.lab.example'], reason: '' }],
  hostKeys: [{ product: 'WindowsServer2025', hostOs: 'WindowsServer2025', state: 'Blocked' }],
  clockSkewMs: 125_000,
  store: { state: 'LastKnown', staleSeconds: 40 },
  truncated: false,
};

const finding = (text: string): Finding => recogniseWord(text) ?? recogniseText(text)[0] ?? assert.fail(text);
const told = (text: string, facts: PoolFacts = FACTS): string[] =>
  diagnose(finding(text), facts).map((remark) => remark.text.en);

describe('diagnosis', () => {
  test('0xC004F038: count 19 of 25, two names on one CMID, six entries that expire this week, so … (S4-23)', () => {
    assert.deepEqual(told('0xC004F038'), [
      'Windows: count 19, enough for Windows Server (5).',
      'Windows: count 19 of 25 for Windows clients.',
      'Windows: entries that expire within 7 days unless they renew: 6 (pc-1, pc-2, pc-3, pc-4, pc-5 and 1 more).',
      'Windows: so the count would be 20 with every clone mended, and 13 in 7 days if nobody renews; 25 are needed.',
      'Machine names that share a CMID: vdi-1, vdi-2 (2 names, counted as 1).',
    ]);
  });

  test('a refusal is told with the products refused and what the pool’s keys are (S4-26)', () => {
    assert.deepEqual(told('C004F042'), [
      'Requests answered 0xC004F042 since the hosts started: 7, to Office LTSC 2024.',
      'The pool’s host keys: WindowsServer2025.',
    ]);
    assert.deepEqual(told('0xC004F06C').slice(0, 1), ['No request was answered 0xC004F06C here.']);
  });

  test('no host answered: hosts, DNS, refusals, clock, store (S4-32)', () => {
    assert.deepEqual(told('0xC004F074'), [
      '1 of 2 hosts are ready; not campus-1.',
      'DNS: lab.example shows 1 of 2 hosts.',
      'DNS: lab.example also points to old.lab.example, which is no host of this pool.',
      'Requests answered 0xC004F042 since the hosts started: 7, to Office LTSC 2024.',
      'A host’s clock is 125 s off the store’s.',
      'The store: LastKnown, silent for 40 s.',
    ]);
  });

  test('host keys and their states (S4-25, S4-28)', () => {
    assert.deepEqual(told('0xC004F051'), [
      'Host key Windows Server 2025 on Windows Server 2025: Blocked (0xC004F051).',
    ]);
  });

  test('a client’s paste: its host, its CMID, its suffixes (S1-37, S1-38, S2-20)', () => {
    const client = told(pastes.LICENSED_CLIENT_DLV);
    assert.equal(client[0], 'campus-1.kms.lab.example is a host of this pool.');
    assert.equal(client[1], 'This CMID is used by vdi-1, vdi-2: they count as one.');
    assert.match(told(pastes.EVENT_12288)[0] ?? '', /^kms-server\.contoso\.example is no host of this pool/);
    assert.match(
      told(pastes.IPCONFIG)[0] ?? '',
      /published in lab\.example; the client searches corp\.contoso\.example/,
    );
  });

  test('a table too large is somebody’s absurd minimum', () => {
    assert.deepEqual(told('0xC004D104'), ['No client has asked for more than a product needs.']);
    const large = { ...FACTS, applications: [{ ...WINDOWS, cap: 2000 }] };
    assert.match(told('0xC004D104', large)[0] ?? '', /keeps 2000 entries; a client asked for a count of 1000/);
  });

  test('every code and event has something to say, filled in, in both languages; a MAK’s code that a pool has no part in it', () => {
    const empty: PoolFacts = {
      ...FACTS,
      applications: [],
      duplicates: [],
      failures: [],
      hosts: [],
      domains: [],
      hostKeys: [],
      clockSkewMs: undefined,
    };
    const all: Finding[] = [
      ...HRESULTS.map(({ code }): Finding => ({ kind: 'code', code, form: 'hex' })),
      ...EVENTS.map(({ id }): Finding => ({ kind: 'event', id, values: {} })),
      ...Object.values(pastes).flatMap(recogniseText),
    ];
    for (const facts of [FACTS, empty])
      for (const each of all) {
        const remarks = diagnose(each, facts);
        assert.ok(remarks.length > 0);
        for (const { text, remedy } of remarks)
          for (const language of LANGUAGES)
            assert.doesNotMatch(`${text[language]} ${remedy?.[language] ?? ''}`, /\{\w+\}|undefined|NaN/);
      }
    assert.deepEqual(told('0xC004C003'), ['A KMS pool has no part in this.']);
  });
});

const DAY = 86_400_000;
const NOW = 1_000 * DAY;
const whole = (count: number): Record<string, number> =>
  Object.fromEntries(
    [
      'unlicensed',
      'licensed',
      'oob_grace',
      'oot_grace',
      'non_genuine_grace',
      'notification',
      'extended_grace',
      'unknown',
    ].map((key) => [key, count]),
  );

function status(name: string, change: Record<string, unknown> = {}): string {
  return JSON.stringify({
    apiVersion: API_VERSION,
    kind: HOST_STATUS_KIND,
    version: '0.1.0',
    mode: 'Emulated',
    pool: { name: 'campus', namespace: 'kms' },
    host: { name, ordinal: 0 },
    poolId: '',
    hostPid: '',
    startedAt: '2026-01-01T00:00:00Z',
    incarnation: '',
    configHash: '',
    ready: true,
    reasons: [],
    hostKeys: [{ product: 'WindowsServer2025', hostOs: 'WindowsServer2025', state: 'Activated' }],
    port: 1688,
    activationIntervalMinutes: 120,
    renewalIntervalMinutes: 10080,
    store: { kind: 'memory', state: 'Available', journal: { contacts: 0, bytes: 0, capacityBytes: 0 } },
    counts: [{ application: 'Windows', current: 4, cap: 50, highWaterRequired: 25, thresholds: WINDOWS.thresholds }],
    totals: { total: 0, failed: 0, byLicenseStatus: whole(0) },
    clients: 0,
    duplicates: 0,
    connections: { open: 0, accepted: 0, refused: 0 },
    clockSkewMilliseconds: -40,
    ...change,
  });
}

type Answers = Readonly<Record<string, string>>;

/** A pool of two hosts that answer these. */
function source(answers: Answers): FactsSource {
  const answerOf = (path: string): string =>
    answers[path] ?? answers[path.slice(path.indexOf('/'))] ?? assert.fail(`${path} was not asked for`);
  return {
    pool: 'campus',
    hosts: [{ name: 'campus-0', fqdn: 'Campus-0.kms.lab.test.' }, { name: 'campus-1' }],
    domains: ['lab.test'],
    statuses: async () =>
      ['campus-0', 'campus-1'].map((host) => {
        const text = answers[`${host}/status`];
        if (text === undefined) return { host, asked: { ok: false, reason: `${host}/status does not answer` } };
        return { host, asked: { ok: true, status: hostStatusSchema.parse(JSON.parse(text)), dateMs: undefined } };
      }),
    page: async (listing, { limit, after }) => {
      const cursor = after === undefined ? '' : `&after=${encodeURIComponent(after)}`;
      return JSON.parse(answerOf(`/${listing}?limit=${limit}${cursor}`));
    },
    text: async (host, path) => answerOf(`${host}${path}`),
  };
}

const dns: Pick<Discovery, 'srv'> = {
  srv: async () => ({ records: [{ target: 'campus-0.KMS.lab.test', port: 1688, priority: 0, weight: 0 }], reason: '' }),
};

const contact = (name: string, daysAgo: number, more: object = {}): object => ({
  atMs: NOW - daysAgo * DAY,
  application: 0,
  hresult: 0,
  cmid: `cmid-of-${name}`,
  countedId: PRODUCTS[0]?.countedId,
  workstationName: name,
  ...more,
});

const METRICS = `# TYPE kmspool_requests_total counter
kmspool_requests_total{application="Windows",outcome="counted",hresult="0x00000000",kind="renewal"} 90
kmspool_requests_total{application="Windows",outcome="refused",hresult="0xC004F042",kind="renewal"} 3
kmspool_requests_total{application="none",outcome="refused",hresult="other",kind="renewal"} 5
`;

describe('gathering', () => {
  const answers = {
    'campus-0/status': status('campus-0'),
    'campus-1/status': status('campus-1', { clockSkewMilliseconds: -900 }),
    '/metrics': METRICS,
    '/clients?limit=1000': JSON.stringify({ items: [contact('new', 1), contact('due', 24)], next: 'a b' }),
    '/clients?limit=1000&after=a%20b': JSON.stringify({
      items: [
        contact('late', 29.9),
        contact('gone', 31),
        contact('refused', 25, { hresult: 0xc004f042 }),
        contact('office', 25, { application: 2 }),
      ],
    }),
    '/events?limit=1000': JSON.stringify({
      items: [contact('x', 1, { hresult: 0xc004f042 }), contact('x', 2, { hresult: 0xc004f042 })],
    }),
    '/duplicates?limit=1000': JSON.stringify({
      items: [{ cmid: 'ABC', application: 0, names: [{ workstationName: 'a' }, { workstationName: 'b' }] }],
    }),
  };

  test('all pages are read, what expires within seven days is named, refusals of all hosts are added up', async () => {
    const facts = await gatherFacts(source(answers), dns, NOW);
    assert.deepEqual(facts.applications, [{ ...WINDOWS, count: 4, expiring: ['due', 'late'] }]);
    assert.deepEqual(facts.failures, [{ code: 0xc004f042, count: 6, products: [PRODUCTS[0]?.name] }]);
    assert.deepEqual(facts.duplicates, [{ cmid: 'abc', application: 'Windows', names: ['a', 'b'] }]);
    assert.equal(facts.clockSkewMs, 900);
    assert.deepEqual(facts.domains, [
      {
        domain: 'lab.test',
        desired: ['campus-0.kms.lab.test', 'campus-1.kms.lab.test'],
        observed: ['campus-0.kms.lab.test'],
        reason: '',
      },
    ]);
    assert.equal(facts.truncated, false);
  });

  test('a host that does not answer is not ready, and says why; the other one is asked', async () => {
    const { 'campus-0/status': _gone, ...rest } = answers;
    const facts = await gatherFacts(source(rest), dns, NOW);
    assert.deepEqual(facts.hosts, [
      { name: 'campus-0', ready: false, reasons: ['campus-0/status does not answer'] },
      { name: 'campus-1', ready: true, reasons: [] },
    ]);
  });

  test('without any host there is one line', async () => {
    await assert.rejects(
      gatherFacts(source({}), dns, NOW),
      /^UserError: --pool: no host of campus answers; campus-0\/status does not answer$/,
    );
  });

  test('success and codes without a place of their own are no refusals by code', () => {
    assert.deepEqual(refusals(METRICS), [{ code: 0xc004f042, value: 3 }]);
  });
});
