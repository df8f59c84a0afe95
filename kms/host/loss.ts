// SPDX-License-Identifier: Apache-2.0
//
// What a host does while the shared table is away, as one function of what is known (`spec.store.onLoss`,
// `maxStaleSeconds`). The clock is the caller's.

/** Available: the store answers. LastKnown: answers come from the host's own copy. Refusing: neither. Starting: not yet connected. */
export type StoreCondition = 'Starting' | 'Available' | 'LastKnown' | 'Refusing';

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
