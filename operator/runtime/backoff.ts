// SPDX-License-Identifier: Apache-2.0

// How long to wait after the n-th failure in a row. Pure arithmetic; who waits is elsewhere.
import type { Random } from './clock.ts';

/** Bounds of an exponential backoff. */
export interface BackoffPolicy {
  /** Wait after the first failure, before jitter. */
  readonly baseMs: number;
  /** Never longer than this. */
  readonly maxMs: number;
  /** Share of the wait that chance may take away, 0…1. */
  readonly jitter: number;
}

/** For a key of a work queue: from 100 ms to 5 minutes. */
export const RECONCILE_BACKOFF: BackoffPolicy = { baseMs: 100, maxMs: 300_000, jitter: 0.3 };

/** For a connection to the API server: from 500 ms to 30 s, as client-go's reflector (800 ms to 30 s). */
export const CONNECTION_BACKOFF: BackoffPolicy = { baseMs: 500, maxMs: 30_000, jitter: 0.5 };

/**
 * Wait before the next attempt, in milliseconds: within `[(1 - jitter)·d, d]` for `d = min(maxMs, baseMs·2^(failures-1))`.
 * Chance only shortens, so that `maxMs` is a promise.
 *
 * @param failures failures in a row so far, at least 1.
 */
export function backoffMs(failures: number, policy: BackoffPolicy, random: Random): number {
  const doubled = policy.baseMs * 2 ** Math.min(failures - 1, 60);
  return Math.min(policy.maxMs, doubled) * (1 - policy.jitter * random());
}

/** A period stretched by up to `share` of itself, so that many waiters do not come at once. */
export function jittered(periodMs: number, share: number, random: Random): number {
  return periodMs * (1 + share * random());
}
