// SPDX-License-Identifier: Apache-2.0
/**
 * The words for what a host does while Redis is away, and when it tries again. What it does is @kmspool/kms/host. Pure; the clock is the caller's.
 */
import { conditionOf, type LinkState, type LossPolicy } from '@kmspool/kms/host';

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
