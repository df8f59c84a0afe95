// SPDX-License-Identifier: Apache-2.0
//
// The CMID table by the documents: the worked example, caps, growth, expiry, ties; and against a naive list that is plainly right.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  CMID_RETENTION_MS,
  CmidTable,
  LICENSE_STATUS_COUNT,
  licenseStatusIndex,
  MAX_REQUIRED_CLIENT_COUNT,
  NO_TOTALS,
  raiseHighWater,
  tableCap,
} from './index.ts';

const T0 = Date.UTC(2024, 0, 1);
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const BOUND = 25;
const CLIENT = 25;
const SERVER = 5;

const cmid = (n: number): string => n.toString(16).padStart(32, '0');

/** A table after clients 0 … count-1 asked one millisecond apart, from T0 on. */
function asked(count: number, required: number, bound = BOUND): { table: CmidTable; answers: number[] } {
  const table = new CmidTable();
  const answers = Array.from({ length: count }, (_, n) => table.record(cmid(n), T0 + n, required, bound));
  return { table, answers };
}

const rising = (count: number, cap: number): number[] => Array.from({ length: count }, (_, n) => Math.min(n + 1, cap));

describe('counting', () => {
  test('S3-09 the worked example: 1, 2, a virtual machine 3, a server 4; servers are licensed at 5 and clients at 25', () => {
    const table = new CmidTable();
    const ask = (n: number, required: number): number => table.record(cmid(n), T0 + n, required, BOUND);
    assert.equal(ask(1, CLIENT), 1, 'first Windows 7');
    assert.equal(ask(2, CLIENT), 2, 'second Windows 7');
    assert.equal(ask(3, CLIENT), 3, 'a virtual machine counts like a physical one');
    assert.equal(ask(4, SERVER), 4, 'Windows Server 2008 R2 joins the same count');
    assert.equal(ask(5, CLIENT), 5, 'from here on the server is licensed when it asks again');
    assert.ok(ask(4, SERVER) >= SERVER);
    for (let n = 6; n <= 24; n++) assert.ok(ask(n, CLIENT) < CLIENT);
    assert.equal(ask(25, CLIENT), 25);
    assert.ok(ask(1, CLIENT) >= CLIENT, 'the first client is licensed when it asks again');
  });

  test('S3-07 S3-08 each answer is the number of distinct clients, the one that asks included', () => {
    const { table, answers } = asked(12, CLIENT);
    assert.deepEqual(answers, rising(12, 50));
    assert.equal(table.record(cmid(3), T0 + HOUR, CLIENT, BOUND), 12, 'asking again counts nobody twice');
  });

  test('S1-13 S1-15 S3-13 the shown count ends at 50, twice the largest number asked for', () => {
    const { table, answers } = asked(120, CLIENT);
    assert.deepEqual(answers, rising(120, 50));
    assert.deepEqual([table.size, table.cap], [50, 50]);
  });

  test('S1-16 S3-13 with servers only it ends at 10, with Office at 10', () => {
    assert.deepEqual(asked(30, SERVER).answers, rising(30, 10));
  });

  test('S3-14 a table of 10 grows to 50 when a client appears, and never shrinks', () => {
    const { table } = asked(30, SERVER);
    assert.equal(table.size, 10);
    assert.equal(table.record(cmid(100), T0 + HOUR, CLIENT, BOUND), 11);
    for (let n = 101; n < 160; n++) table.record(cmid(n), T0 + HOUR + n, CLIENT, BOUND);
    assert.equal(table.size, 50);
    assert.equal(table.record(cmid(200), T0 + 2 * HOUR, SERVER, BOUND), 50);
    table.expire(T0 + 31 * DAY);
    assert.deepEqual([table.size, table.highWater, table.cap], [0, 25, 50]);
  });

  test('a full table replaces whom it has not seen for the longest time, and the count stays', () => {
    const { table } = asked(50, CLIENT);
    table.record(cmid(0), T0 + 1000, CLIENT, BOUND);
    assert.equal(table.record(cmid(77), T0 + 1001, CLIENT, BOUND), 50);
    const { entries } = table.state();
    assert.ok(entries.has(cmid(0)) && entries.has(cmid(77)));
    assert.ok(!entries.has(cmid(1)), 'client 0 had renewed, so client 1 was the oldest');
  });

  test('ties leave in the order of the CMID, as in a sorted set', () => {
    const table = new CmidTable();
    for (const n of [7, 3, 9, 5]) table.record(cmid(n), T0, 2, BOUND);
    table.record(cmid(6), T0, 2, BOUND);
    assert.deepEqual([...table.state().entries.keys()].sort(), [5, 6, 7, 9].map(cmid));
  });

  test('N = 0 keeps a table of one', () => {
    assert.deepEqual(asked(4, 0).answers, [1, 1, 1, 1]);
    assert.equal(tableCap(0), 1);
    const { table } = asked(4, 0);
    assert.equal(table.record(cmid(9), T0 + 9, 1, BOUND), 2, 'and grows as soon as somebody asks for more');
  });

  test('a required count above the pool\u2019s bound is answered, but the table grows no further than the bound', () => {
    assert.deepEqual(asked(60, 1000).answers, rising(60, 50));
    assert.deepEqual(asked(60, 1000, 5).answers, rising(60, 10));
    assert.equal(asked(1, 1000, 1000).table.cap, 2000);
    assert.equal(MAX_REQUIRED_CLIENT_COUNT, 1000);
  });

  test('a bound that is lowered later does not shrink the table', () => {
    const { table } = asked(60, CLIENT);
    assert.equal(table.record(cmid(99), T0 + HOUR, CLIENT, 5), 50);
    assert.equal(raiseHighWater(25, 1000, 5), 25);
  });
});

describe('thirty days', () => {
  test('S3-11 S3-12 a client is remembered until exactly 30 days after its last request', () => {
    const table = new CmidTable();
    table.record(cmid(1), T0, CLIENT, BOUND);
    assert.equal(CMID_RETENTION_MS, 30 * DAY);
    assert.equal(table.expire(T0 + 30 * DAY - 1), 0);
    assert.equal(table.size, 1);
    assert.equal(table.expire(T0 + 30 * DAY), 1);
    assert.equal(table.size, 0);
  });

  test('S3-11 a renewal replaces the record and restarts the 30 days', () => {
    const table = new CmidTable();
    table.record(cmid(1), T0, CLIENT, BOUND);
    table.record(cmid(1), T0 + 7 * DAY, CLIENT, BOUND);
    assert.equal(table.expire(T0 + 36 * DAY), 0);
    assert.equal(table.expire(T0 + 37 * DAY), 1);
  });

  test('S3-12 a client that stays away lowers the next answer by one, without anybody asking to forget it', () => {
    const { table } = asked(10, CLIENT);
    assert.equal(table.record(cmid(5), T0 + 29 * DAY, CLIENT, BOUND), 10);
    assert.equal(table.record(cmid(5), T0 + 30 * DAY, CLIENT, BOUND), 9);
    assert.equal(table.record(cmid(5), T0 + 31 * DAY, CLIENT, BOUND), 1);
  });

  test('a clock that jumps back neither forgets nor rejuvenates anybody', () => {
    const { table } = asked(3, CLIENT);
    const before = table.state();
    assert.equal(table.record(cmid(3), T0 - DAY, CLIENT, BOUND), 4);
    assert.equal(table.state().entries.get(cmid(3)), T0 + 2, 'it counts from the latest time that the table knows');
    for (const [id, at] of before.entries) assert.equal(table.state().entries.get(id), at);
  });
});

/** The rules as a list: slow and plainly right. */
class NaiveTable {
  entries: { cmid: string; at: number }[] = [];
  highWater = 0;
  latest = 0;

  record(id: string, now: number, required: number): number {
    this.latest = Math.max(this.latest, now);
    this.highWater = Math.max(this.highWater, Math.min(required, BOUND));
    this.expire(this.latest);
    this.entries = [...this.entries.filter((entry) => entry.cmid !== id), { cmid: id, at: this.latest }];
    this.entries.sort((a, b) => a.at - b.at || (a.cmid < b.cmid ? -1 : 1));
    this.entries = this.entries.slice(-(this.highWater === 0 ? 1 : 2 * this.highWater));
    return this.entries.length;
  }

  expire(now: number): void {
    this.entries = this.entries.filter(({ at }) => now - at < 30 * DAY);
  }
}

test('S3-11…14 any history of requests gives the counts and the table of a naive list', () => {
  const steps = fc.array(
    fc.record({
      client: fc.nat(70),
      pauseMs: fc.oneof(
        fc.constant(0),
        fc.nat(3),
        fc.integer({ min: -DAY, max: 3 * DAY }),
        fc.constantFrom(30 * DAY, 30 * DAY - 1),
      ),
      required: fc.constantFrom(0, 1, 5, 5, 25, 1000),
      idle: fc.boolean(),
    }),
    { maxLength: 200, size: 'max' },
  );
  fc.assert(
    fc.property(steps, (history) => {
      const table = new CmidTable();
      const naive = new NaiveTable();
      let now = T0;
      for (const { client, pauseMs, required, idle } of history) {
        now += pauseMs;
        if (idle) {
          table.expire(now);
          naive.expire(now);
        } else {
          assert.equal(table.record(cmid(client), now, required, BOUND), naive.record(cmid(client), now, required));
        }
        assert.deepEqual(new Map(table.state().entries), new Map(naive.entries.map(({ cmid: id, at }) => [id, at])));
        assert.equal(table.highWater, naive.highWater);
      }
    }),
    { numRuns: 150 },
  );
});

describe('totals', () => {
  test('S1-24 have a place for each license status of the wire, and one for any other value', () => {
    assert.equal(LICENSE_STATUS_COUNT, 8);
    assert.deepEqual([0, 1, 2, 3, 4, 5, 6].map(licenseStatusIndex), [0, 1, 2, 3, 4, 5, 6]);
    assert.deepEqual([7, 8, 0xffff_ffff].map(licenseStatusIndex), [7, 7, 7]);
    assert.deepEqual(NO_TOTALS, { total: 0, failed: 0, byLicenseStatus: [0, 0, 0, 0, 0, 0, 0, 0] });
  });
});
