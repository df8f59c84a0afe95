// SPDX-License-Identifier: Apache-2.0

// Whether a pool may publish in a domain that its spec names. Pure. What it publishes there is publication.ts.
import { isAllowedZone } from '../dns/zones.ts';
import type { DomainState } from './state.ts';
import type { DomainClaim, World } from './world.ts';

/** A domain of the spec, and whether it is ours to publish in. */
export type JudgedClaim = Pick<DomainState, 'claim' | 'claimMessage' | 'domain'> & {
  readonly ttlSeconds: number;
  readonly siblings: readonly string[];
};

/** Judges a claim by the test zones and by who named the domain first. */
export function judgeClaim(world: World, { domain, elder, siblings }: DomainClaim, poolId: string): JudgedClaim {
  const { domains } = world.pool.spec.dns;
  const own = domains.find(({ name }) => name === domain);
  const base = { domain, siblings, ttlSeconds: own?.ttlSeconds ?? 60 };
  const forbidden = [domain, domains[0]?.name ?? domain].find(
    (name) => !isAllowedZone(name, world.settings.emulatedDnsZones),
  );
  if (forbidden !== undefined) {
    const zones = world.settings.emulatedDnsZones.join(', ');
    const which = forbidden === domain ? forbidden : `the hosts' names lie in ${forbidden}, which`;
    const message = `${which} is not in a test zone (${zones}); choose a domain below one, or start the operator with --emulated-dns-zone=${forbidden} if it is one`;
    return { ...base, claim: 'ZoneNotAllowed', claimMessage: message };
  }
  if (elder !== undefined && elder.poolId !== poolId) {
    const message = `pool ${elder.namespace}/${elder.name} is older and publishes in ${domain} with another key; its clients would not understand this pool: give both the same Secret, or choose another domain`;
    return { ...base, claim: 'DomainTaken', claimMessage: message };
  }
  // Two DNSEndpoints with one name and different TTLs are rivals for external-dns; with one TTL their targets are merged.
  return { ...base, claim: 'Ours', claimMessage: '', ttlSeconds: elder?.ttlSeconds ?? base.ttlSeconds };
}
