// SPDX-License-Identifier: Apache-2.0
//
// A histogram of fixed size for latencies in microseconds: 32 buckets for each power of two, so that a quantile is at most
// 1/32 (3 %) too high and recording costs a few integer operations and no memory. It is not a general HDR histogram:
// values above 67 s are put into the last bucket.

const SUB_BUCKET_BITS = 5;
const SUB_BUCKETS = 1 << SUB_BUCKET_BITS;
const LARGEST_MICROSECONDS = 2 ** 26 - 1;
const BUCKETS = (26 - SUB_BUCKET_BITS + 1) * SUB_BUCKETS;

/** Counts of latencies. `counts[bucketOf(µs)]`; `total` is the sum of all counts, `max` the largest value in µs. */
export interface Histogram {
  readonly counts: Uint32Array;
  total: number;
  maxMicroseconds: number;
}

/** An empty histogram. */
export function createHistogram(): Histogram {
  return { counts: new Uint32Array(BUCKETS), total: 0, maxMicroseconds: 0 };
}

/** Forgets all values. */
export function resetHistogram(histogram: Histogram): void {
  histogram.counts.fill(0);
  histogram.total = 0;
  histogram.maxMicroseconds = 0;
}

/** Adds one latency in microseconds; what is below 0 counts as 0. */
export function recordLatency(histogram: Histogram, microseconds: number): void {
  const value = Math.min(Math.max(microseconds | 0, 0), LARGEST_MICROSECONDS);
  const bucket = bucketOf(value);
  histogram.counts[bucket] = (histogram.counts[bucket] ?? 0) + 1;
  histogram.total += 1;
  if (value > histogram.maxMicroseconds) histogram.maxMicroseconds = value;
}

/** The latency in µs that the share `q` (0…1) of all values does not exceed, at most 1/32 too high; 0 when empty. */
export function quantile(histogram: Histogram, q: number): number {
  const wanted = Math.max(1, Math.ceil(histogram.total * q));
  let seen = 0;
  for (let bucket = 0; bucket < BUCKETS; bucket++) {
    seen += histogram.counts[bucket] ?? 0;
    if (seen >= wanted) return Math.min(upperEdge(bucket), histogram.maxMicroseconds);
  }
  return 0;
}

function bucketOf(value: number): number {
  if (value < SUB_BUCKETS) return value;
  const shift = 31 - Math.clz32(value) - SUB_BUCKET_BITS;
  return (shift + 1) * SUB_BUCKETS + ((value >> shift) - SUB_BUCKETS);
}

function upperEdge(bucket: number): number {
  if (bucket < SUB_BUCKETS) return bucket;
  const shift = (bucket >> SUB_BUCKET_BITS) - 1;
  return (((bucket & (SUB_BUCKETS - 1)) + SUB_BUCKETS + 1) << shift) - 1;
}
