// SPDX-License-Identifier: Apache-2.0
//
// What a pool's numbers mean, without a pool: reasons of a count, forecasts, filters, the table as a file, who has not moved.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ApplicationCount } from '@kmspool/crds';
import { productBySlug } from '@kmspool/kms/catalog';
import type { ContactRecord, DuplicateCmid, TableView } from '@kmspool/kms-node';
import fc from 'fast-check';
import { contactFits, firstOf, fitting } from './contact-filter.ts';
import { contactView } from './contact-view.ts';
import { countReasons } from './count-reasons.ts';
import { forecast, quietAfterMs } from './forecast.ts';
import { stillUsing } from './moves.ts';
import { parseTableFile, tableFileLines } from './table-file.ts';
import { type CountTable, tablesOf } from './table-reading.ts';

const DAY = 86_400_000;
const NOW = Date.UTC(2026, 0, 31);
const WEEKLY = 10_080;
const cmid = (n: number): string => `00000000-0000-0000-0000-${n.toString(16).padStart(12, '0')}`;

const contact = (changes: Partial<ContactRecord> = {}): ContactRecord => ({
  atMs: NOW,
  application: 0,
  protocol: 6,
  hresult: 0,
  cmid: cmid(1),
  activationId: productBySlug('windows-11')?.editions[0]?.skuId ?? '',
  countedId: productBySlug('windows-11')?.countedId ?? '',
  requiredClientCount: 25,
  licenseStatus: 2,
  minutesToExpiry: 43_200,
  isClientVm: 0,
  clientTimeMs: NOW,
  workstationName: 'PC-17',
  address: '10.1.2.3',
  ...changes,
});

/** A Windows table with clients of these ages in days. */
function windows(...agesDays: readonly number[]): { count: ApplicationCount; table: CountTable } {
  const view: TableView = {
    poolId: 'p',
    takenAt: new Date(NOW).toISOString(),
    tables: [
      {
        application: 'Windows',
        highWaterRequired: 25,
        cap: 50,
        entries: agesDays.map((age, at) => ({
          cmid: cmid(at + 1),
          lastSeen: new Date(NOW - age * DAY).toISOString(),
        })),
      },
    ],
  };
  const [table] = tablesOf(view).tables;
  assert.ok(table);
  const current = agesDays.length;
  const thresholds = [
    { name: 'Server', required: 5, met: current >= 5 },
    { name: 'Client', required: 25, met: current >= 25 },
  ];
  return { count: { application: 'Windows', current, cap: 50, highWaterRequired: 25, thresholds }, table };
}

const TOTALS = { total: 40, failed: 0, byLicenseStatus: {} } as never;
const duplicate: DuplicateCmid = {
  application: 0,
  cmid: cmid(1),
  names: ['a', 'b', 'c'].map((workstationName) => ({ workstationName, address: '10.0.0.1', lastSeenMs: NOW })),
};

describe('why a count is not more', () => {
  const reasons = (
    ages: readonly number[],
    more: { duplicates?: DuplicateCmid[]; totals?: typeof TOTALS } = {},
  ): string => countReasons({ ...windows(...ages), duplicates: [], totals: TOTALS, nowMs: NOW, ...more }).join('\n');
  const days = (count: number, age = 0): number[] => new Array(count).fill(age);

  test('S1-14 nobody has asked, or nobody lately', () => {
    assert.match(reasons([], { totals: { ...(TOTALS as object), total: 0 } as never }), /nobody has asked yet/);
    assert.match(reasons([]), /no valid client of this application has asked within 30 days/);
  });

  test('S1-15 it is as high as it goes', () => {
    assert.match(reasons(days(50)), /as high as it goes: twice 25/);
    assert.doesNotMatch(reasons(days(49)), /as high as it goes/);
  });

  test('S1-17 names share an ID, unless the count is full or they are of another application', () => {
    assert.match(reasons(days(19), { duplicates: [duplicate] }), /3 machine names share 1 CMID and count as 1/);
    assert.doesNotMatch(reasons(days(50), { duplicates: [duplicate] }), /share/);
    assert.doesNotMatch(reasons(days(19), { duplicates: [{ ...duplicate, application: 2 }] }), /share/);
  });

  test('S3-12 who leaves within the week is counted, with the first of them', () => {
    assert.match(
      reasons([...days(17), 24, 25]),
      /^2 of 19 will not be counted any more within 7 days unless they ask again, the first in 5d/m,
    );
    assert.doesNotMatch(reasons(days(19, 20)), /within 7 days/);
  });

  test('S1-23 requests were refused; S1-19 others may count elsewhere; a count that is enough has no reasons', () => {
    const totals = { ...(TOTALS as object), failed: 3 } as never;
    assert.match(reasons(days(19), { totals }), /3 of 40 requests were refused/);
    assert.match(reasons(days(19)), /another host counts them/);
    assert.equal(reasons(days(30), { totals }), '');
  });
});

describe('forecast', () => {
  const of = (ages: readonly number[], active: number) =>
    forecast({ ...windows(...ages), active, renewalIntervalMinutes: WEEKLY, nowMs: NOW });

  test('S3-11 S3-12 without anybody each leaves 30 days after its last request, and a threshold with the right one', () => {
    const { ifNobodyComes, thresholds } = of([29, 28, 10, 5, 4, 3], 6);
    assert.deepEqual(
      [ifNobodyComes[0], ifNobodyComes[1], ifNobodyComes[2], ifNobodyComes[20], ifNobodyComes[30]],
      [6, 5, 4, 3, 0],
    );
    const [server, client] = thresholds;
    assert.equal(server?.lostIfNobodyComesMs, NOW + 2 * DAY, 'the second to leave brings 6 below 5');
    assert.deepEqual([client?.met, client?.lostIfNobodyComesMs], [false, undefined]);
  });

  test('as they come, only who missed two renewals leaves', () => {
    const steady = of([20, 5, 4, 3, 2, 1], 5);
    assert.equal(steady.quiet, 1);
    assert.deepEqual([steady.asTheyCome[9], steady.asTheyCome[10], steady.asTheyCome[30]], [6, 5, 5]);
    assert.equal(steady.thresholds[0]?.lostAsTheyComeMs, undefined);
    const shrinking = of([20, 19, 4, 3, 2, 1], 4);
    assert.equal(shrinking.thresholds[0]?.lostAsTheyComeMs, NOW + 11 * DAY);
  });

  test('who came and was pushed out of a full table takes the place of one who leaves', () => {
    const ages = new Array(50).fill(20);
    assert.equal(of(ages, 50).asTheyCome[30], 50);
    assert.equal(of(ages, 10).asTheyCome[30], 10);
  });

  test('two renewals are bounded by the 30 days that a table looks back', () => {
    assert.equal(quietAfterMs(WEEKLY), 14 * DAY);
    assert.equal(quietAfterMs(43_200), 30 * DAY);
    assert.equal(quietAfterMs(15), DAY);
  });

  test('never forecasts more than there are, nor fewer as they come than if nobody does', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 29 }), { maxLength: 50 }), fc.nat(50), (ages, active) => {
        const { ifNobodyComes, asTheyCome, current } = of(ages, active);
        for (const [day, count] of ifNobodyComes.entries()) {
          assert.ok(count <= current && (asTheyCome[day] ?? 0) >= count);
          assert.ok(day === 0 || count <= (ifNobodyComes[day - 1] ?? 0));
        }
      }),
    );
  });
});

describe('filters', () => {
  const fits = (filter: Parameters<typeof contactFits>[0], record = contact()): boolean =>
    contactFits(filter, NOW)(record);

  test('by part of a name, by pattern, by product, by result, by age', () => {
    assert.ok(fits({ name: 'c-1' }) && fits({ name: 'pc-*' }) && fits({ name: 'PC-?7' }));
    assert.ok(!fits({ name: 'c-*' }) && !fits({ name: 'pc.17' }) && !fits({ name: 'pc-?' }));
    assert.ok(fits({ product: 'windows-11' }) && !fits({ product: 'windows-10' }));
    assert.ok(fits({ hresult: 0 }) && !fits({ hresult: 0xc004f042 }));
    const old = contact({ atMs: NOW - 20 * DAY });
    assert.ok(fits({ olderThanMs: 20 * DAY }, old) && !fits({ olderThanMs: 21 * DAY }, old));
    assert.ok(fits({ newerThanMs: 20 * DAY }, old) && !fits({ newerThanMs: 19 * DAY }, old));
  });

  test('reading stops where nothing newer can come, and after as many as are wanted', async () => {
    let read = 0;
    async function* newestFirst(): AsyncGenerator<ContactRecord> {
      for (; ; read++) yield contact({ atMs: NOW - read * 60_000 });
    }
    const recent = await Array.fromAsync(fitting(newestFirst(), { newerThanMs: 5 * 60_000 }, NOW));
    assert.equal(recent.length, 6);
    assert.ok(read < 20, `${read} records read`);
    read = 0;
    assert.equal((await Array.fromAsync(firstOf(newestFirst(), 3))).length, 3);
    assert.ok(read <= 3);
  });

  test('S1-28 S1-30 a contact in the words of the catalogue, also with what the catalogue does not know', () => {
    const view = contactView(
      contact({ hresult: 0xc004f06c, clientTimeMs: 1e20, countedId: cmid(9), application: 255 }),
    );
    assert.deepEqual(
      [
        view.hresult,
        view.symbol,
        view.clientTime,
        view.product,
        view.application,
        view.licenseStatus,
        view.minimumCount,
      ],
      ['0xC004F06C', 'ClockSkew', 'unknown', undefined, 'unknown', 'oob_grace', 25],
    );
  });
});

describe('a table as a file', () => {
  const view: TableView = {
    poolId: '6f1c0000-0000-0000-0000-000000000000',
    takenAt: '2026-01-31T00:00:00.000Z',
    tables: [
      {
        application: 'Windows',
        highWaterRequired: 25,
        cap: 50,
        entries: [{ cmid: cmid(1), lastSeen: '2026-01-30T00:00:00.000Z' }],
      },
      { application: 'Office2013', highWaterRequired: 0, cap: 1, entries: [] },
    ],
  };

  test('comes back as it was', () => {
    assert.deepEqual(parseTableFile(`${tableFileLines(view).join('\n')}\n`), view);
  });

  test('a line that is none is named', () => {
    const [head = '', entry = ''] = tableFileLines(view);
    for (const [text, problem] of [
      ['', /line 1/],
      ['{}', /line 1 is not the head/],
      [head.replace('/v1', '/v2'), /line 1/],
      [`${head}\n${entry}\n{"application":"Windows"}`, /line 3/],
      [`${head}\n${entry.replace('Windows', 'Solaris')}`, /line 2/],
      [`${head}\n${entry.replace('2026', 'x')}`, /line 2/],
    ] as const)
      assert.throws(() => parseTableFile(text), problem, text);
  });
});

test('J05 who still needs the old pool: not who has come to the new one since, nor whose activation is over', async () => {
  async function* old(): AsyncGenerator<ContactRecord> {
    yield contact({ cmid: cmid(1) });
    yield contact({ cmid: cmid(2), atMs: NOW - 10 * DAY });
    yield contact({ cmid: cmid(3), atMs: NOW - 10 * DAY });
    yield contact({ cmid: cmid(4), atMs: NOW - 180 * DAY });
  }
  const seen = new Map([
    [cmid(2), NOW - DAY],
    [cmid(3), NOW - 11 * DAY],
  ]);
  const still = await Array.fromAsync(stillUsing(old(), (record) => seen.get(record.cmid), NOW));
  assert.deepEqual(
    still.map(({ record, alsoNew }) => [record.cmid, alsoNew]),
    [
      [cmid(1), false],
      [cmid(3), true],
    ],
  );
  assert.equal(still[0]?.validUntilMs, NOW + 180 * DAY);
});
