// SPDX-License-Identifier: Apache-2.0
//
// Priority and weight of each host of a pool in one domain, by ordinal (S3-21, S3-62). Pure arithmetic on a manifest's
// `spec.dns.domains[]` entry; which hosts are published at all is decided elsewhere.

export interface HostRank {
  /** 0 … 65535; lower is tried first. */
  readonly priority: number;
  /** 0 … 65535; share within one priority. */
  readonly weight: number;
}

/** So many hosts, in order of ordinal, at this rank; without `hosts`, all that remain. */
export interface Tier {
  readonly hosts?: number | undefined;
  readonly priority: number;
  readonly weight: number;
}

/** A domain's ranking: one rank for all hosts, or tiers; tiers win if both are there, and neither means 0 and 0. */
export interface DomainRanking {
  readonly priority?: number | undefined;
  readonly weight?: number | undefined;
  readonly tiers?: readonly Tier[] | undefined;
}

/** The rank of each ordinal 0 … hostCount − 1. Hosts beyond the last tier get the last tier's rank. */
export function rankHosts(domain: DomainRanking, hostCount: number): HostRank[] {
  const tiers = domain.tiers ?? [];
  const last = tiers.at(-1) ?? { priority: domain.priority ?? 0, weight: domain.weight ?? 0 };
  const ranks: HostRank[] = [];
  for (const tier of [...tiers, { priority: last.priority, weight: last.weight }]) {
    const end = Math.min(hostCount, ranks.length + (tier.hosts ?? hostCount));
    while (ranks.length < end) ranks.push({ priority: tier.priority, weight: tier.weight });
  }
  return ranks;
}
