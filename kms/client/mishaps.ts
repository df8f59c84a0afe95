// SPDX-License-Identifier: Apache-2.0
//
// What is done to a client from outside: the timer reset of slmgr /rearm and Sysprep, another key, other hardware. How
// often a machine may be rearmed is counted by its owner.

import { DAY_MS, newClient } from './life.ts';
import { type Client, type ClientProfile, GRACE_DAYS } from './types.ts';

/** How often slmgr /rearm, or Sysprep /generalize in its stead, resets the timer of one installation (S3-79, S3-80). */
export const MAX_REARMS = 3;

/** slmgr /rearm: the machine starts over with a grace of 30 days and tries at once (S3-80). */
export function rearmed(client: Client, nowMs: number): Client {
  return newClient(client.profile, nowMs);
}

/**
 * A machine deployed from an image whose timer could not be reset, for it was not generalized or had no rearm left: its
 * grace has been running for `ageMs` already, and the copy tries at once (S3-79).
 */
export function fromAgedImage(profile: ClientProfile, ageMs: number, nowMs: number): Client {
  return { ...newClient(profile, nowMs), graceEndsAtMs: nowMs + Math.max(0, GRACE_DAYS * DAY_MS - ageMs) };
}

/** Other hardware: the activation no longer holds, 30 days of out-of-tolerance grace begin, and it tries at once (S3-85). */
export function hardwareChanged(client: Client, nowMs: number): Client {
  if (client.licenseStatus !== 1) return client;
  return {
    ...client,
    licenseStatus: 3,
    validUntilMs: 0,
    graceEndsAtMs: nowMs + GRACE_DAYS * DAY_MS,
    nextAttemptAtMs: nowMs,
  };
}
