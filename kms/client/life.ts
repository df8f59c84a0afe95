// SPDX-License-Identifier: Apache-2.0
//
// What time alone does to a client: birth, grace running out, an activation running out. No hosts, no answers.

import {
  type Client,
  type ClientProfile,
  DEFAULT_ACTIVATION_INTERVAL_MINUTES,
  DEFAULT_RENEWAL_INTERVAL_MINUTES,
  GRACE_DAYS,
} from './types.ts';

export const MINUTE_MS = 60_000;
export const DAY_MS = 86_400_000;

/** A freshly installed client: out-of-box grace of 30 days, first attempt at once (S1-05). */
export function newClient(profile: ClientProfile, nowMs: number): Client {
  return {
    profile,
    licenseStatus: 2,
    graceEndsAtMs: nowMs + GRACE_DAYS * DAY_MS,
    validUntilMs: 0,
    nextAttemptAtMs: nowMs,
    activationIntervalMinutes: DEFAULT_ACTIVATION_INTERVAL_MINUTES,
    renewalIntervalMinutes: DEFAULT_RENEWAL_INTERVAL_MINUTES,
    cachedHost: '',
    port: profile.port,
    lastHresult: 0,
  };
}

/**
 * The client at `nowMs` if nothing happened but time: an activation that ran out becomes out-of-tolerance grace of
 * 30 days from that moment, a grace that ran out becomes notification. Returns the same object if nothing changes.
 */
export function advance(client: Client, nowMs: number): Client {
  const lapsed = client.licenseStatus === 1 && nowMs >= client.validUntilMs ? lapse(client) : client;
  return lapsed.graceEndsAtMs !== 0 && nowMs >= lapsed.graceEndsAtMs
    ? { ...lapsed, licenseStatus: 5, graceEndsAtMs: 0 }
    : lapsed;
}

/** Whole minutes, rounded up, until the present status ends; 0 when it does not, as in notification (protocol §3.1). */
export function minutesToExpiry(client: Client, nowMs: number): number {
  const endsAtMs = statusEndsAtMs(client);
  return endsAtMs === 0 ? 0 : Math.max(0, Math.ceil((endsAtMs - nowMs) / MINUTE_MS));
}

/** When the client next needs attention: its next attempt or the end of its status, whichever is first. */
export function nextChangeAtMs(client: Client): number {
  const endsAtMs = statusEndsAtMs(client);
  return endsAtMs === 0 ? client.nextAttemptAtMs : Math.min(client.nextAttemptAtMs, endsAtMs);
}

/** Forgets the cached host and any port a host handed over, as slmgr /ckms does (S2-37, S3-77). */
export function forgetHost(client: Client): Client {
  return { ...client, cachedHost: '', port: client.profile.port };
}

function statusEndsAtMs(client: Client): number {
  return client.licenseStatus === 1 ? client.validUntilMs : client.graceEndsAtMs;
}

function lapse(client: Client): Client {
  return {
    ...client,
    licenseStatus: 3,
    graceEndsAtMs: client.validUntilMs + GRACE_DAYS * DAY_MS,
    validUntilMs: 0,
    // No longer activated, so it does not wait for a renewal that may be weeks away.
    nextAttemptAtMs: Math.min(
      client.nextAttemptAtMs,
      client.validUntilMs + client.activationIntervalMinutes * MINUTE_MS,
    ),
  };
}
