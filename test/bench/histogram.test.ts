// SPDX-License-Identifier: Apache-2.0
//
// Proves that the latency histogram's quantiles are never too low and at most 1/32 too high.

import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { createHistogram, quantile, recordLatency, resetHistogram } from './histogram.ts';

test('a quantile of the histogram is at least the true one and at most 1/32 above it', () => {
  const latencies = fc.array(fc.integer({ min: 0, max: 60_000_000 }), { minLength: 1, maxLength: 300 });
  fc.assert(
    fc.property(latencies, fc.constantFrom(0.5, 0.9, 0.99, 1), (values, q) => {
      const histogram = createHistogram();
      for (const value of values) recordLatency(histogram, value);
      const sorted = values.toSorted((a, b) => a - b);
      const truth = sorted[Math.max(1, Math.ceil(values.length * q)) - 1] ?? 0;
      const found = quantile(histogram, q);
      assert.ok(found >= truth, `${found} is below ${truth}`);
      assert.ok(found <= truth + truth / 32 + 1, `${found} is too far above ${truth}`);
    }),
  );
});

test('negative and huge latencies stay inside the histogram', () => {
  const histogram = createHistogram();
  recordLatency(histogram, -5);
  recordLatency(histogram, 1e9);
  assert.equal(histogram.total, 2);
  assert.equal(quantile(histogram, 0.5), 0);
  assert.equal(quantile(histogram, 1), 2 ** 26 - 1);
});

test('an empty and a reset histogram have quantile 0', () => {
  const histogram = createHistogram();
  recordLatency(histogram, 77);
  resetHistogram(histogram);
  assert.equal(quantile(histogram, 0.99), 0);
  assert.equal(histogram.total, 0);
});
