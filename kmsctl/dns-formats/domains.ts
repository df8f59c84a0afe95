// SPDX-License-Identifier: Apache-2.0
//
// Between what each host of a pool publishes and `spec.dns.domains`: a pool has one list for all its hosts, with tiers where
// their ranks differ; Windows has a list on each host. Pure.

import { type HostRank, rankHosts, type Tier } from '@kmspool/kms/dns';
import { no, type Parsed, type PublishEntry, type PublishList } from './publish-list.ts';
import type { ExportDomain } from './records.ts';

/** An entry of `spec.dns.domains` as a user writes it. */
export interface DomainSpec {
  readonly name: string;
  readonly priority?: number;
  readonly weight?: number;
  readonly tiers?: readonly Tier[];
}

const TIERS_MAX = 16;
const DOMAINS_MAX = 32;

/** What each host publishes, by ordinal. Domains without any rank have 0 and 0, as Windows would write. */
export function listsOfHosts(domains: readonly ExportDomain[], hosts: readonly string[]): PublishList[] {
  return hosts.map((host, ordinal) => ({
    host,
    entries: domains.map(
      (domain): PublishEntry => ({ domain: domain.name, rank: rankHosts(domain, hosts.length)[ordinal] }),
    ),
  }));
}

/** The lists without their repetition: one without a name where all hosts have the same. */
export function distinctLists(lists: readonly PublishList[]): readonly PublishList[] {
  const [first] = lists;
  const same = lists.every(({ entries }) => JSON.stringify(entries) === JSON.stringify(first?.entries));
  return first !== undefined && same ? [{ entries: first.entries }] : lists;
}

/** `spec.dns.domains` of a pool whose hosts, by ordinal, publish these lists; `notes` say where the two cannot be the same. */
export function domainsOf(lists: readonly PublishList[]): Parsed<{ domains: DomainSpec[]; notes: string[] }> {
  const names = [...new Set(lists.flatMap(({ entries }) => entries.map(({ domain }) => domain)))];
  if (names.length > DOMAINS_MAX) return no(`there are ${names.length} domains; a pool has at most ${DOMAINS_MAX}`);
  const notes: string[] = [];
  const domains: DomainSpec[] = [];
  for (const name of names) {
    const entries = lists.map((list) => list.entries.find(({ domain }) => domain === name));
    const present = entries.filter((entry) => entry !== undefined);
    if (present.length < entries.length) {
      notes.push(`${name} is published by ${present.length} of ${entries.length} hosts; in a pool all of them do`);
    }
    const ranking = rankingOf(present.map(({ rank }) => rank));
    if ((ranking.tiers?.length ?? 0) > TIERS_MAX)
      return no(`${name} has more than ${TIERS_MAX} ranks in a row; a pool has at most ${TIERS_MAX} tiers`);
    domains.push({ name, ...ranking });
  }
  return { ok: true, value: { domains, notes } };
}

/** The ranks of hosts, by ordinal, as one rank or as tiers of which the last one is open. */
export function rankingOf(ranks: readonly (HostRank | undefined)[]): Omit<DomainSpec, 'name'> {
  if (ranks.every((rank) => rank === undefined)) return {};
  const runs: { hosts: number; priority: number; weight: number }[] = [];
  for (const { priority, weight } of ranks.map((rank) => rank ?? { priority: 0, weight: 0 })) {
    const last = runs.at(-1);
    if (last?.priority === priority && last.weight === weight) last.hosts += 1;
    else runs.push({ hosts: 1, priority, weight });
  }
  const tiers = runs.map(({ hosts, priority, weight }, at) =>
    at === runs.length - 1 ? { priority, weight } : { hosts, priority, weight },
  );
  const [only, another] = tiers;
  return only !== undefined && another === undefined ? { priority: only.priority, weight: only.weight } : { tiers };
}
