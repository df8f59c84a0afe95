// SPDX-License-Identifier: Apache-2.0
/**
 * The numbers of counting (docs/protocol.md §4, S3-11…14) and the few formulas over them. No state here.
 */

/** How long a CMID is remembered after its last request (S3-11). */
export const CMID_RETENTION_MS = 30 * 24 * 3_600_000;

/** An N above this is absurd and refused with 0x8007000D (docs/protocol.md §4). */
export const MAX_REQUIRED_CLIENT_COUNT = 1000;

/**
 * How many CMIDs a table holds for a high-water mark N: twice the largest count ever required (S3-13), and one while nobody has asked
 * for more than N = 0.
 */
export function tableCap(highWater: number): number {
  return highWater === 0 ? 1 : 2 * highWater;
}

/**
 * The high-water mark after a request for N clients. It grows and never shrinks (S3-14); N is the client's word, so it counts no further than
 * `maxRequiredCount` (S1-15: 25 gives the documented maximum of 50).
 */
export function raiseHighWater(highWater: number, required: number, maxRequiredCount: number): number {
  return Math.max(highWater, Math.min(required, maxRequiredCount));
}
