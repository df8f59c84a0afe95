// SPDX-License-Identifier: Apache-2.0
//
// Names, ranks, and the odds of the SRV order. Distributions are tested by chi-square on a seeded generator, so a run
// never fails by chance.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { chooseOrder, formatSrvTarget, hostFqdn, hostName, rankHosts, type SrvRecord, srvName } from './index.ts';

/** mulberry32: a small deterministic generator. */
function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const srv = (target: string, weight: number, priority = 0): SrvRecord => ({ priority, weight, port: 1688, target });
const MODERN = { honourPriority: true };
const OLD = { honourPriority: false };
const DRAWS = 20_000;

/** How often each outcome came first. */
function firsts(records: readonly SrvRecord[], options: { honourPriority: boolean }, seed = 1): Map<string, number> {
  const random = seeded(seed);
  const counts = new Map(records.map((r) => [r.target, 0]));
  for (let i = 0; i < DRAWS; i++) {
    const first = chooseOrder(records, random, options)[0];
    if (first !== undefined) counts.set(first.target, (counts.get(first.target) ?? 0) + 1);
  }
  return counts;
}

function chiSquare(counts: ReadonlyMap<string, number>, odds: Readonly<Record<string, number>>): number {
  const total = [...counts.values()].reduce((a, b) => a + b, 0);
  const sum = Object.values(odds).reduce((a, b) => a + b, 0);
  return Object.entries(odds).reduce((x, [target, share]) => {
    const expected = (total * share) / sum;
    return x + ((counts.get(target) ?? 0) - expected) ** 2 / expected;
  }, 0);
}

/** The 99.9 % quantiles of chi-square for 1 … 5 degrees of freedom. */
const CRITICAL: readonly number[] = [0, 10.83, 13.82, 16.27, 18.47, 20.52];

function assertOdds(counts: ReadonlyMap<string, number>, odds: Readonly<Record<string, number>>): void {
  const critical = CRITICAL[Object.keys(odds).length - 1] ?? assert.fail('no quantile');
  const x = chiSquare(counts, odds);
  assert.ok(x < critical, `chi-square ${x} ≥ ${critical}: ${JSON.stringify([...counts])}`);
}

const record = fc.record({
  priority: fc.integer({ min: 0, max: 3 }),
  weight: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 65535 })),
  port: fc.constant(1688),
  target: fc.stringMatching(/^[a-z]{1,4}$/),
});
const records = fc.array(record, { maxLength: 12 });
const sortedText = (list: readonly SrvRecord[]): string[] => list.map((r) => JSON.stringify(r)).toSorted();

describe('chooseOrder', () => {
  test('S2-25 S3-22 the order is a permutation: no host is lost or tried twice', () => {
    fc.assert(
      fc.property(records, fc.integer(), fc.boolean(), (list, seed, honourPriority) => {
        const before = JSON.stringify(list);
        assert.deepEqual(sortedText(chooseOrder(list, seeded(seed), { honourPriority })), sortedText(list));
        assert.equal(JSON.stringify(list), before);
      }),
    );
  });

  test('S3-21 S3-62 lower priorities always come first', () => {
    fc.assert(
      fc.property(records, fc.integer(), (list, seed) => {
        const order = chooseOrder(list, seeded(seed), MODERN).map((r) => r.priority);
        assert.deepEqual(
          order,
          order.toSorted((a, b) => a - b),
        );
      }),
    );
  });

  test('the extreme values of the generator are safe', () => {
    for (const value of [0, 1 - 2 ** -53]) {
      const list = [srv('a', 0), srv('b', 65535), srv('c', 65535)];
      assert.equal(chooseOrder(list, () => value, MODERN).length, 3);
      assert.equal(chooseOrder(list, () => value, OLD).length, 3);
    }
  });

  test('RFC 2782: within a priority the first pick follows the weights', () => {
    // Draws are whole numbers in [0, sum]; the weight-0 record takes only the 0, and so 1 of 101.
    const counts = firsts([srv('a', 60), srv('b', 30), srv('c', 10), srv('z', 0)], MODERN);
    assertOdds(counts, { z: 1, a: 60, b: 30, c: 10 });
  });

  test('RFC 2782: without a weight 0 the drawn 0 falls to any record alike', () => {
    const counts = firsts([srv('a', 3), srv('b', 1)], MODERN);
    assertOdds(counts, { a: 3.5, b: 1.5 });
  });

  test('records of weight 0 alone are equally likely', () => {
    assertOdds(firsts([srv('a', 0), srv('b', 0), srv('c', 0)], MODERN), { a: 1, b: 1, c: 1 });
  });

  test('S3-22 the second pick follows the weights of those left', () => {
    const random = seeded(7);
    const second = new Map<string, number>();
    for (let i = 0; i < DRAWS; i++) {
      const [first, next] = chooseOrder([srv('a', 1000), srv('b', 3000), srv('c', 6000)], random, MODERN);
      if (first?.target === 'c' && next !== undefined) second.set(next.target, (second.get(next.target) ?? 0) + 1);
    }
    assertOdds(second, { a: 1, b: 3 });
  });

  test('S3-19 S3-21 C1 an old client picks uniformly, whatever priority and weight say', () => {
    assertOdds(firsts([srv('a', 60, 0), srv('b', 0, 10), srv('c', 1, 20)], OLD), { a: 1, b: 1, c: 1 });
  });

  test('S3-19 C1 a modern client never starts with a worse priority', () => {
    assert.equal(firsts([srv('a', 0, 0), srv('b', 60, 10)], MODERN).get('b'), 0);
  });

  test('the order in which DNS lists the records does not change the odds', () => {
    const list = [srv('a', 0), srv('b', 0), srv('c', 2), srv('d', 5)];
    const odds = { a: 0.5, b: 0.5, c: 2, d: 5 };
    assertOdds(firsts(list, MODERN, 11), odds);
    assertOdds(firsts(list.toReversed(), MODERN, 12), odds);
    assertOdds(firsts([...list.slice(2), ...list.slice(0, 2)], MODERN, 13), odds);
  });

  test('RFC 2782: a target of "." offers no service', () => {
    assert.deepEqual(chooseOrder([srv('.', 0)], seeded(1), MODERN), []);
    assert.deepEqual(chooseOrder([srv('.', 0), srv('a', 0)], seeded(1), OLD), [srv('a', 0)]);
  });
});

describe('rankHosts', () => {
  test('S3-62 tiers are filled by ordinal and the open tier takes the rest', () => {
    const tiers = [
      { hosts: 2, priority: 0, weight: 60 },
      { priority: 10, weight: 0 },
    ];
    assert.deepEqual(rankHosts({ tiers }, 4), [
      { priority: 0, weight: 60 },
      { priority: 0, weight: 60 },
      { priority: 10, weight: 0 },
      { priority: 10, weight: 0 },
    ]);
  });

  test('hosts beyond the last tier get the last tier’s rank', () => {
    const tiers = [
      { hosts: 1, priority: 0, weight: 5 },
      { hosts: 1, priority: 7, weight: 3 },
    ];
    assert.deepEqual(
      rankHosts({ tiers }, 4).map((r) => r.priority),
      [0, 7, 7, 7],
    );
  });

  test('a domain without tiers ranks all hosts alike, 0 and 0 by default', () => {
    assert.deepEqual(rankHosts({ priority: 10, weight: 4 }, 2), [
      { priority: 10, weight: 4 },
      { priority: 10, weight: 4 },
    ]);
    assert.deepEqual(rankHosts({}, 1), [{ priority: 0, weight: 0 }]);
    assert.deepEqual(rankHosts({ tiers: [] }, 1), [{ priority: 0, weight: 0 }]);
  });

  test('every host has exactly one rank, and scaling never changes a lower ordinal’s', () => {
    const tier = fc.record({
      hosts: fc.option(fc.integer({ min: 0, max: 5 }), { nil: undefined }),
      priority: fc.nat(100),
      weight: fc.nat(100),
    });
    fc.assert(
      fc.property(fc.array(tier, { maxLength: 4 }), fc.nat(12), (tiers, hosts) => {
        const ranks = rankHosts({ tiers }, hosts);
        assert.equal(ranks.length, hosts);
        assert.deepEqual(rankHosts({ tiers }, hosts + 3).slice(0, hosts), ranks);
      }),
    );
  });
});

describe('names', () => {
  test('S1-04 C4 the record’s name is _vlmcs._tcp in the domain', () => {
    assert.equal(srvName('lab.example'), '_vlmcs._tcp.lab.example');
    assert.equal(srvName('lab.example.'), '_vlmcs._tcp.lab.example');
  });

  test('S2-32 a host’s full name has pool, ordinal, namespace and first domain', () => {
    assert.equal(hostName('campus', 0), 'campus-0');
    assert.equal(hostFqdn('campus', 2, 'kms', 'lab.example'), 'campus-2.kms.lab.example');
    assert.equal(hostFqdn('campus', 2, 'kms', 'lab.example.'), 'campus-2.kms.lab.example');
  });

  test('an SRV target is written with exactly one trailing dot', () => {
    const wanted = '0 60 1688 campus-0.kms.lab.example.';
    for (const target of ['campus-0.kms.lab.example', 'campus-0.kms.lab.example.']) {
      assert.equal(formatSrvTarget(srv(target, 60)), wanted);
    }
  });
});
