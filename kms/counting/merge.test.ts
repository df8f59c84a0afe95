// SPDX-License-Identifier: Apache-2.0
//
// Merging two views of one table: for equal N a join, so that hosts may merge in any order and as often as they like.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { CMID_RETENTION_MS, CmidTable, type TableState } from './index.ts';

const NOW = Date.UTC(2024, 0, 31);
const DAY = 24 * 3_600_000;
const cmid = (n: number): string => n.toString(16).padStart(32, '0');

/** Views with few enough clients and times to overlap, tie and expire. */
const views = (highWater: fc.Arbitrary<number>): fc.Arbitrary<TableState> =>
  fc.record({
    highWater,
    entries: fc
      .array(
        fc.tuple(
          fc.nat(25).map(cmid),
          fc
            .oneof(
              fc.nat(8),
              fc.nat(31).map((days) => days * DAY),
            )
            .map((age) => NOW - age),
        ),
        {
          maxLength: 30,
          size: 'max',
        },
      )
      .map((pairs) => new Map(pairs)),
  });

function joined(...states: TableState[]): TableState {
  const table = new CmidTable();
  for (const state of states) table.merge(state, NOW);
  return table.state();
}

/** Also the order counts: both sides must hold the same clients in the same order. */
const listed = (state: TableState): [number, [string, number][]] => [state.highWater, [...state.entries]];

describe('merge', () => {
  for (const required of [0, 1, 5]) {
    const one = views(fc.constant(required));

    test(`is commutative for N = ${required}`, () => {
      fc.assert(fc.property(one, one, (a, b) => assert.deepEqual(listed(joined(a, b)), listed(joined(b, a)))));
    });

    test(`is associative for N = ${required}`, () => {
      fc.assert(
        fc.property(one, one, one, (a, b, c) => {
          const left = joined(joined(a, b), c);
          assert.deepEqual(listed(left), listed(joined(a, joined(b, c))));
          assert.deepEqual(listed(left), listed(joined(a, b, c)));
        }),
      );
    });

    test(`is idempotent for N = ${required}`, () => {
      fc.assert(
        fc.property(one, one, (a, b) => {
          const once = joined(a, b);
          assert.deepEqual(listed(joined(once, a)), listed(once));
          assert.deepEqual(listed(joined(once, once, b)), listed(once));
        }),
      );
    });
  }

  test('keeps the larger N, the later time of each client, the newest 2N, and nobody who is 30 days old', () => {
    const any = views(fc.nat(12));
    fc.assert(
      fc.property(any, any, (a, b) => {
        const table = new CmidTable();
        table.replace(a);
        table.merge(b, NOW);
        const { highWater, entries } = table.state();
        assert.equal(highWater, Math.max(a.highWater, b.highWater));
        const cap = highWater === 0 ? 1 : 2 * highWater;
        const ids = [...new Set([...a.entries.keys(), ...b.entries.keys()])];
        const wanted = ids
          .map((id): [string, number] => [id, Math.max(a.entries.get(id) ?? 0, b.entries.get(id) ?? 0)])
          .filter(([, at]) => NOW - at < CMID_RETENTION_MS)
          .sort(([idA, atA], [idB, atB]) => atA - atB || (idA < idB ? -1 : 1));
        assert.deepEqual([...entries], wanted.slice(-cap));
      }),
    );
  });

  test('counts a time of the future no later than now', () => {
    const { entries } = joined({ highWater: 5, entries: new Map([[cmid(1), NOW + DAY]]) });
    assert.deepEqual([...entries], [[cmid(1), NOW]]);
  });

  test('S3-12 contacts dated 30 days ago are merged in and gone at once; one millisecond younger ones count', () => {
    const entries = new Map([
      [cmid(1), NOW - CMID_RETENTION_MS],
      [cmid(2), NOW - CMID_RETENTION_MS + 1],
    ]);
    assert.deepEqual([...joined({ highWater: 25, entries }).entries.keys()], [cmid(2)]);
  });

  test('leaves a table that goes on counting in the right order', () => {
    const table = new CmidTable();
    table.record(cmid(1), NOW - 10, 1, 25);
    table.merge({ highWater: 1, entries: new Map([[cmid(2), NOW - 20]]) }, NOW - 10);
    assert.equal(table.record(cmid(3), NOW, 1, 25), 2);
    assert.deepEqual([...table.state().entries.keys()], [cmid(1), cmid(3)], 'client 2 was the oldest');
  });
});

describe('replace', () => {
  test('takes another state as it is, whatever its order, and keeps no tie to it', () => {
    const entries = new Map([
      [cmid(2), NOW],
      [cmid(1), NOW - 5],
    ]);
    const table = new CmidTable();
    table.record(cmid(9), NOW, 25, 25);
    table.replace({ highWater: 5, entries });
    entries.set(cmid(4), NOW);
    assert.deepEqual(
      [...table.state().entries],
      [
        [cmid(1), NOW - 5],
        [cmid(2), NOW],
      ],
    );
    assert.deepEqual([table.highWater, table.cap, table.size], [5, 10, 2]);
  });
});
