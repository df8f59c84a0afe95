// SPDX-License-Identifier: Apache-2.0
/**
 * What a host does while Redis is away, as one function of what is known (`spec.store.onLoss`, `maxStaleSeconds`). Pure; the clock is the caller's.
 */
import type { StoreCondition } from './store.ts';

export type OnLoss = 'LastKnown' | 'Refuse';

export interface LossPolicy {
  readonly onLoss: OnLoss;
  /** LastKnown ends this long after the store's last answer. */
  readonly maxStaleSeconds: number;
}

export interface LinkState {
  /** The store answers and has all that it should have. */
  readonly live: boolean;
  /** There is a copy of the tables to answer from. */
  readonly copied: boolean;
  /** Since the store's last answer. */
  readonly staleMs: number;
  /** The last contact found no place in the journal. */
  readonly journalFull: boolean;
  /** Nothing will be sent any more. */
  readonly closed: boolean;
}

/** The condition of a store under `policy` in `state`, in the order of precedence. */
export function conditionOf(policy: LossPolicy, state: LinkState): StoreCondition {
  if (!state.copied) return 'Starting';
  if (state.journalFull || state.closed) return 'Refusing';
  if (state.live) return 'Available';
  if (policy.onLoss === 'Refuse') return 'Refusing';
  return state.staleMs > 1000 * policy.maxStaleSeconds ? 'Refusing' : 'LastKnown';
}

/** One line: why the store is not available, and what the host does about it. */
export function lossReason(policy: LossPolicy, state: LinkState, cause: string): string {
  const condition = conditionOf(policy, state);
  if (condition === 'Starting') return `no answer from the store yet: ${cause}`;
  if (condition === 'LastKnown') return `answering from the last known table: ${cause}`;
  if (state.closed) return 'refusing, the store was closed';
  if (state.journalFull)
    return `refusing, the journal is full of contacts that the store has not acknowledged: ${cause}`;
  if (policy.onLoss === 'Refuse') return `refusing (onLoss: Refuse): ${cause}`;
  return `refusing, the store has not answered for more than ${policy.maxStaleSeconds} s (maxStaleSeconds): ${cause}`;
}

/** How long to wait before the next attempt, the `failures`-th in a row: 50 ms doubling to 1 s, of which `random` (0…1) takes up to half. */
export function backoffMs(failures: number, random: number): number {
  return Math.min(1000, 50 * 2 ** Math.min(failures, 10)) * (1 - random / 2);
}
