// SPDX-License-Identifier: Apache-2.0
//
// The small parts beside the walk: counters that give back what was put in, the histogram, the pool of random bytes, and names made safe for a terminal.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { printable } from './contact-log.ts';
import { Histogram } from './histogram.ts';
import { RandomPool } from './random-pool.ts';
import { COUNTED_HRESULTS, type CountedRequest, OUTCOMES, RequestCounters } from './request-counters.ts';

test('S1-24 request counters give back each combination with how often it came', () => {
  const requests: fc.Arbitrary<CountedRequest> = fc.record(
    {
      application: fc.constantFrom(0, 1, 2, 255),
      protocol: fc.constantFrom(0, 4, 5, 6),
      hresult: fc.constantFrom(...COUNTED_HRESULTS, 0x8000_4005),
      licenseStatus: fc.oneof(fc.nat(9), fc.constant(0xffff_ffff)),
      outcome: fc.constantFrom(...OUTCOMES),
    },
    { noNullPrototype: true },
  );
  fc.assert(
    fc.property(fc.array(requests, { maxLength: 60 }), (list) => {
      const counters = new RequestCounters();
      const wanted = new Map<string, number>();
      for (const one of list) {
        counters.add(one);
        const known = COUNTED_HRESULTS.some((code) => code === one.hresult);
        const key = [
          one.application === 255 ? 3 : one.application,
          one.protocol,
          known ? one.hresult : 0xffff_ffff,
          Math.min(one.licenseStatus, 7),
          one.outcome,
        ].join();
        wanted.set(key, (wanted.get(key) ?? 0) + 1);
      }
      const read = counters
        .read()
        .map(({ application, protocol, hresult, licenseStatus, outcome, count }): [string, number] => [
          [application, protocol, hresult, licenseStatus, outcome].join(),
          count,
        ]);
      assert.deepEqual(new Map(read), wanted);
      assert.equal(read.length, wanted.size);
    }),
  );
});

test('a histogram puts a value on a bound below it, what lies beyond into the last place, and sums all', () => {
  const histogram = new Histogram([1, 2, 5]);
  for (const value of [0, 1, 1.5, 2, 5, 5.1, 100]) histogram.observe(value);
  assert.deepEqual([...histogram.counts], [2, 2, 1, 2]);
  assert.equal(histogram.sum, 114.6);
});

describe('the pool of random bytes', () => {
  test('fills what is asked, leaves the rest, and never hands out the same bytes twice', () => {
    const pool = new RandomPool();
    const seen = new Set<string>();
    for (let n = 0; n < 2_000; n++) {
      const target = Buffer.alloc(24, 0xee);
      pool.fill(target, 4, 16);
      assert.deepEqual([target.readUInt32BE(0), target.readUInt32BE(20)], [0xeeee_eeee, 0xeeee_eeee]);
      seen.add(target.toString('hex', 4, 20));
    }
    assert.equal(seen.size, 2_000);
  });

  test('sizes that do not divide the pool meet no bytes of an earlier fetch', () => {
    const pool = new RandomPool();
    for (const size of [1, 8191, 8192, 5000, 5000, 17]) {
      const target = Buffer.alloc(size);
      pool.fill(target, 0, size);
      const zeros = target.reduce((count, byte) => count + (byte === 0 ? 1 : 0), 0);
      assert.ok(zeros <= size / 64 + 3, `${zeros} zeros in ${size} bytes`);
    }
  });
});

test('names from the wire cannot rewrite a line: controls, formats, bidi and lone surrogates are shown as escapes', () => {
  assert.equal(printable('pc-1.lab.example'), 'pc-1.lab.example');
  assert.equal(printable('Büro-東京-😀'), 'Büro-東京-😀');
  assert.equal(
    printable('a\nb\u001b[31mc\u202ed\ud800e\u2028f\u0000'),
    'a\\u{a}b\\u{1b}[31mc\\u{202e}d\\u{d800}e\\u{2028}f\\u{0}',
  );
  fc.assert(
    fc.property(fc.string({ unit: fc.nat(0xffff).map((unit) => String.fromCharCode(unit)) }), (name) => {
      const shown = printable(name);
      assert.ok(shown.isWellFormed());
      assert.doesNotMatch(shown, /[\p{C}\u2028\u2029]/u);
    }),
  );
});
