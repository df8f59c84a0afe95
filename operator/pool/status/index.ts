// SPDX-License-Identifier: Apache-2.0

// The status of a pool and the events that tell of its changes. See README.md.
export { COUNTS_HOLD_MS, type CountsQuestion, type HeldCounts, holdCounts, sameCounts } from './counts.ts';
export type { PoolCounts, StatusInput } from './input.ts';
export { buildStatus, type InvalidSpec, invalidSpecStatus, statusRequeueAfterMs } from './status.ts';
export { eventsFor } from './transitions.ts';
