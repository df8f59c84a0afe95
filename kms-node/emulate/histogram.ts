// SPDX-License-Identifier: Apache-2.0
/** A histogram as plain numbers, for values that are observed on the hot path; `http/metrics.ts` shows it. */
export class Histogram {
  readonly bounds: readonly number[];
  /** Per bound, not cumulative; the last is what lies beyond all bounds. */
  readonly counts: Float64Array;
  sum = 0;

  /** `bounds` ascending, in the unit of the values. */
  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.counts = new Float64Array(bounds.length + 1);
  }

  observe(value: number): void {
    let index = 0;
    while (index < this.bounds.length && value > (this.bounds[index] ?? 0)) index++;
    this.counts[index] = (this.counts[index] ?? 0) + 1;
    this.sum += value;
  }
}
