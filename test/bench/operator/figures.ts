// SPDX-License-Identifier: Apache-2.0

// The lines of the operator's bench and the arithmetic behind them: pure.

/** One line of the result. */
export interface Figure {
  readonly what: string;
  /** Empty where nothing has to be reached. */
  readonly wanted: string;
  readonly got: string;
  readonly verdict: 'reached' | 'missed' | '';
}

/** A line that only tells. */
export function told(what: string, got: string): Figure {
  return { what, wanted: '', got, verdict: '' };
}

/** A number that may be at most another one. */
export interface Bounded {
  readonly value: number;
  readonly most: number;
  readonly unit: string;
  readonly digits?: number;
  /** More to be said beside the number. */
  readonly beside?: string;
}

/** A line that is judged; a number that could not be measured is missed. */
export function judged(what: string, { value, most, unit, digits = 0, beside }: Bounded): Figure {
  const text = (number: number): string =>
    Number.isNaN(number) ? '-' : `${number.toFixed(digits)}${unit === '' ? '' : ` ${unit}`}`;
  return {
    what,
    wanted: most === 0 ? '0' : `≤ ${text(most)}`,
    got: beside === undefined ? text(value) : `${text(value)} (${beside})`,
    verdict: value <= most ? 'reached' : 'missed',
  };
}

/** The value below which a share of all lies (nearest rank); NaN of none. */
export function quantileOf(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

/** `p50 0.1, p99 0.4, most 0.5 s`, of milliseconds. */
export function spread(valuesMs: readonly number[]): string {
  const seconds = (share: number): string => (quantileOf(valuesMs, share) / 1000).toFixed(3);
  return `p50 ${seconds(0.5)}, p99 ${seconds(0.99)}, most ${seconds(1)} s of ${valuesMs.length}`;
}

/** `PATCH deployments.apps 3.0, POST secrets 2.0`, of counts for a number of pools, the largest first. */
export function perPool(counts: ReadonlyMap<string, number>, pools: number): string {
  return [...counts]
    .sort(([, a], [, b]) => b - a)
    .map(([name, count]) => `${name} ${(count / pools).toFixed(2)}`)
    .join(', ');
}

/**
 * The dwell's end as the operator can know it: a Pod's `lastTransitionTime` has whole seconds, so a host counts as unready since the second in which it
 * became so. Milliseconds since 1970.
 */
export function dwellEnd(flippedAtMs: number, dwellSeconds: number): number {
  return Math.floor(flippedAtMs / 1000) * 1000 + dwellSeconds * 1000;
}
