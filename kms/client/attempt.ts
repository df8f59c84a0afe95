// SPDX-License-Identifier: Apache-2.0
//
// Which hosts a client tries, in which order: the host it was told, else the one that answered last, else those in DNS
// (S1-39, S2-25, S3-22, S3-76). It asks no one: SRV records are given.

import { chooseOrder, type SrvRecord } from '../dns/index.ts';
import type { Client, HostAddress } from './types.ts';

export interface AttemptTarget extends HostAddress {
  /** Where the client has it from. */
  readonly source: 'configured' | 'cached' | 'dns';
}

/**
 * True if the plan needs SRV records now: no host is configured and none is cached. With a cached host, DNS is asked
 * only after that host has failed (S1-39), when `afterSilence` has dropped it and this becomes true.
 */
export function needsDiscovery(client: Client): boolean {
  return client.profile.configuredHost === '' && cachedTarget(client) === undefined;
}

/**
 * The hosts to try, first to last; the caller stops at the first that answers. A configured host is the only one. Else
 * the cached host, then the hosts of `srvRecords` in RFC 2782's order, or in any order for a client that does not look
 * at priority and weight; pass no records while `needsDiscovery` is false. Empty: there is no host (0x8007232B).
 */
export function attemptPlan(
  client: Client,
  srvRecords: readonly SrvRecord[],
  random: () => number,
): readonly AttemptTarget[] {
  const { configuredHost, honoursSrvPriority } = client.profile;
  if (configuredHost !== '') return [{ host: configuredHost, port: client.port, source: 'configured' }];
  const cached = cachedTarget(client);
  // By far the most frequent case in a fleet, and the cheapest.
  if (srvRecords.length === 0) return cached === undefined ? [] : [cached];
  const discovered = chooseOrder(srvRecords, random, { honourPriority: honoursSrvPriority }).map(
    (record): AttemptTarget => ({ host: withoutRootDot(record.target), port: record.port, source: 'dns' }),
  );
  if (cached === undefined) return discovered;
  return [cached, ...discovered.filter((t) => t.host !== cached.host || t.port !== cached.port)];
}

function cachedTarget(client: Client): AttemptTarget | undefined {
  if (!client.profile.hostCaching || client.cachedHost === '') return undefined;
  return { host: client.cachedHost, port: client.port, source: 'cached' };
}

/** Resolvers differ in whether they keep it; one spelling keeps the cache comparable. */
function withoutRootDot(name: string): string {
  return name.endsWith('.') ? name.slice(0, -1) : name;
}
