// SPDX-License-Identifier: Apache-2.0

// When records may change, and since when they are the ones wanted. Pure. Which records those are is decided in publication.ts.
import { canonicalJson } from '@kmspool/crds';
import type { DnsRecordSet } from './kinds.ts';
import type { World } from './world.ts';

/** What the DNSEndpoint holds, and when that changed last (ms since 1970; NaN when nobody knows). */
export interface LiveRecords {
  readonly liveSets: readonly DnsRecordSet[];
  readonly changedAtMs: number;
}

/** Until when the present records stay although others are wanted (S3-63), ms since 1970. The first ones, and taking all away, wait for nothing. */
export function holdUntil(
  { nowMs, pool }: World,
  { liveSets, changedAtMs }: LiveRecords,
  wantedSets: readonly DnsRecordSet[],
): number | undefined {
  if (liveSets.length === 0 || wantedSets.length === 0 || Number.isNaN(changedAtMs)) return undefined;
  if (sameSets(liveSets, wantedSets)) return undefined;
  const dueMs = changedAtMs + pool.spec.dns.minChangeSeconds * 1000;
  return dueMs > nowMs ? dueMs : undefined;
}

/** A host, as far as the first records wait for it. */
export interface Starting {
  readonly wanted: boolean;
  readonly ready: boolean;
  /** Since when it is ready, or not. */
  readonly sinceMs: number | undefined;
}

/**
 * Until when the very first records wait for hosts that are still starting, ms since 1970: a new pool appears as a whole, and not as a change for each host. No
 * longer than `minChangeSeconds` after its first host.
 */
export function firstHoldUntil({ nowMs, pool }: World, hosts: readonly Starting[]): number | undefined {
  const wanted = hosts.filter((host) => host.wanted);
  const times = wanted.flatMap(({ ready, sinceMs }) => (ready && sinceMs !== undefined ? [sinceMs] : []));
  if (times.length === 0 || wanted.every(({ ready }) => ready)) return undefined;
  const dueMs = Math.min(...times) + pool.spec.dns.minChangeSeconds * 1000;
  return dueMs > nowMs ? dueMs : undefined;
}

/**
 * Since when these records are to be there, ms since 1970: from this plan on where it changes them, else name servers would be blamed at once for what they
 * cannot know yet. Where all were taken away and no DNSEndpoint tells, since DNS is no longer as it was. NaN when nobody knows.
 */
export function wantedSince(
  { nowMs, object }: World,
  { liveSets, changedAtMs }: LiveRecords,
  sets: readonly DnsRecordSet[],
): number {
  if (!sameSets(liveSets, sets)) return nowMs;
  const shown = object.status?.conditions?.find(({ type }) => type === 'DnsPublished');
  if (!Number.isNaN(changedAtMs) || shown?.status !== 'Unknown') return changedAtMs;
  return Date.parse(shown.lastTransitionTime);
}

function sameSets(a: readonly DnsRecordSet[], b: readonly DnsRecordSet[]): boolean {
  return canonicalJson(a.map(plainSet)) === canonicalJson(b.map(plainSet));
}

/** Without what others may have put into it. */
function plainSet({ dnsName, recordType, recordTTL, targets }: DnsRecordSet): DnsRecordSet {
  return { dnsName, recordType, recordTTL, targets };
}
