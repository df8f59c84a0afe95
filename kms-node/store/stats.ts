// SPDX-License-Identifier: Apache-2.0
/** The store's counters, kept while it works. Not here: how they are named as metrics (`http/`). */
import type { StoreStats } from './store.ts';

/** Upper bounds of the round-trip histogram, milliseconds. */
export const ROUND_TRIP_BOUNDS_MS: readonly number[] = [0.5, 1, 2, 3, 5, 8, 12, 20, 50, 100, 200, 500];

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** {@link StoreStats} as the store itself writes them. */
export interface MutableStats extends Writable<Omit<StoreStats, 'roundTrip'>> {
  roundTrip: { upperBoundsMs: readonly number[]; counts: number[]; sumMs: number };
}

export function emptyStats(): MutableStats {
  return {
    batches: 0,
    contactsSent: 0,
    contactsResent: 0,
    gaps: 0,
    contactsLost: 0,
    timeouts: 0,
    failures: 0,
    reconnects: 0,
    answeredFromCopy: 0,
    refused: 0,
    roundTrip: {
      upperBoundsMs: ROUND_TRIP_BOUNDS_MS,
      counts: new Array(ROUND_TRIP_BOUNDS_MS.length + 1).fill(0),
      sumMs: 0,
    },
  };
}

/** Counts one round trip of `ms`. */
export function countRoundTrip(stats: MutableStats, ms: number): void {
  const found = ROUND_TRIP_BOUNDS_MS.findIndex((bound) => ms <= bound);
  const bucket = found < 0 ? ROUND_TRIP_BOUNDS_MS.length : found;
  stats.roundTrip.counts[bucket] = (stats.roundTrip.counts[bucket] ?? 0) + 1;
  stats.roundTrip.sumMs += ms;
}
