// SPDX-License-Identifier: Apache-2.0

// Which hosts stand in DNS, and with what. Pure: hosts and what is published now in, the record sets wanted and their state out.
//
//   host                              published already      not published
//   ready                             stays                  enters
//   not ready, not long               stays                  stays out
//   not ready, withdrawAfter over     leaves                 stays out
//   not ready, its store is lost      stays                  stays out
//   no longer wanted                  leaves                 stays out
//
// A host's addresses (A, AAAA) stay as long as it exists, for clients that still hold its SRV record. Records never change faster than
// `minChangeSeconds` (S3-63): until then what is published stays as it is.
import { ANNOTATIONS, canonicalJson } from '@kmspool/crds';
import { formatSrvTarget, rankHosts, srvName } from '@kmspool/kms/dns';
import { type JudgementKind, judgeDomain, judgeHostName, type NameJudgement } from '../dns/judge.ts';
import type { ObservationWish } from '../dns/observation.ts';
import { isAllowedZone } from '../dns/zones.ts';
import { type JudgedHost, ownOf } from './hosts.ts';
import type { DnsRecordSet } from './kinds.ts';
import type { DomainState, Publication } from './state.ts';
import type { DomainClaim, World } from './world.ts';

/** A DNSEndpoint that nobody has read while external-dns should have looked so often has none that would publish it. */
const UNREAD_LOOKS = 2;

/** What is published, as far as a later decision needs it. */
export interface PublicationPlan extends Publication {
  /** Targets that stand in the DNSEndpoint as it is now; of a host that leaves, the servers may show it longer. */
  readonly published: ReadonlySet<string>;
  /** When a host that is not ready is due to leave. */
  readonly leavingMs: number | undefined;
  readonly observe: ObservationWish | undefined;
}

/** Decides what the DNSEndpoint is to hold, and judges what the name servers show. */
export function planPublication(world: World, hosts: readonly JudgedHost[], poolId: string): PublicationPlan {
  const claims = world.domains.map((claim) => judgeClaim(world, claim, poolId));
  const live = ownOf(world, world.dnsEndpoint);
  const liveSets = live?.spec?.endpoints ?? [];
  const published = publishedTargets(world, live === undefined ? undefined : liveSets);
  const members = hosts.filter((host) => belongs(world, host, published));
  const wantsRecords = world.pool.spec.dns.publisher === 'ExternalDNS' && world.dnsEndpointServed;
  const wantedSets = wantsRecords ? recordSets({ world, hosts, members, claims, liveSets }) : [];
  const changedAtMs = Date.parse(live?.metadata.annotations?.[ANNOTATIONS.changedAt] ?? '');
  const dueMs = holdUntil(world, { liveSets, wantedSets, changedAtMs });
  const sets = dueMs === undefined ? wantedSets : liveSets;
  const states = claims.map((claim) => domainState({ world, claim, hosts, members, sets, changedAtMs, wantsRecords }));
  const mode = modeOf(world, changedAtMs);
  const agreed = states.every(({ claim, judgement }) => claim !== 'Ours' || judgement.kind === 'Agreed');
  const hostNames = judgeHostNames(world, sets, changedAtMs);
  const named = hostNames === undefined || hostNames.kind === 'Agreed';
  const settled = mode !== 'On' || (dueMs === undefined && agreed && named);
  return {
    mode,
    recordSets: sets.length === 0 ? undefined : sets,
    domains: states,
    dueMs,
    hostNames,
    settled,
    published,
    leavingMs: nextLeaving(world, hosts, published),
    observe: wishOf(world, { states, hosts, sets, settled }),
  };
}

/** Targets of the SRV sets; where the DNSEndpoint is gone, what the name servers last showed (S2-11). */
function publishedTargets(world: World, liveSets: readonly DnsRecordSet[] | undefined): Set<string> {
  const lines =
    liveSets === undefined
      ? (world.object.status?.dns ?? []).flatMap(({ published }) => published ?? [])
      : liveSets.filter(({ recordType }) => recordType === 'SRV').flatMap(({ targets }) => targets);
  return new Set(lines.map(targetOfLine));
}

/** `0 60 1688 campus-0.kms.lab.example.` -> `campus-0.kms.lab.example`. */
function targetOfLine(line: string): string {
  return (line.split(' ')[3] ?? '').replace(/\.$/, '');
}

function belongs(world: World, host: JudgedHost, published: ReadonlySet<string>): boolean {
  if (!host.wanted || host.target === undefined) return false;
  if (host.ready) return host.addresses.length > 0 || host.target !== host.fqdn;
  if (!published.has(host.target)) return false;
  const dueMs = leavesAt(world, host);
  return dueMs === undefined || world.nowMs < dueMs;
}

/** When a published host that is not ready leaves; undefined: not for being unready. */
function leavesAt(world: World, host: JudgedHost): number | undefined {
  if (host.ready || host.storeLost || host.sinceMs === undefined) return undefined;
  return host.sinceMs + world.pool.spec.dns.withdrawAfterSeconds * 1000;
}

function nextLeaving(world: World, hosts: readonly JudgedHost[], published: ReadonlySet<string>): number | undefined {
  const times = hosts
    .filter((host) => host.wanted && host.target !== undefined && published.has(host.target))
    .flatMap((host) => leavesAt(world, host) ?? [])
    .filter((ms) => ms > world.nowMs);
  return times.length === 0 ? undefined : Math.min(...times);
}

type JudgedClaim = Pick<DomainState, 'claim' | 'claimMessage' | 'domain'> & {
  readonly ttlSeconds: number;
  readonly siblings: readonly string[];
};

function judgeClaim(world: World, { domain, elder, siblings }: DomainClaim, poolId: string): JudgedClaim {
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

type SetSources = {
  readonly world: World;
  readonly hosts: readonly JudgedHost[];
  readonly members: readonly JudgedHost[];
  readonly claims: readonly JudgedClaim[];
  readonly liveSets: readonly DnsRecordSet[];
};

function recordSets({ world, hosts, members, claims, liveSets }: SetSources): DnsRecordSet[] {
  const ours = claims.filter(({ claim }) => claim === 'Ours');
  if (ours.length === 0) return [];
  const services = ours.flatMap(({ domain, ttlSeconds }): DnsRecordSet[] => {
    const targets = srvLines(world, members, domain);
    return targets.length === 0
      ? []
      : [{ dnsName: srvName(domain), recordType: 'SRV', recordTTL: ttlSeconds, targets }];
  });
  const ttlSeconds = claims[0]?.ttlSeconds ?? 60;
  return [...services, ...hosts.flatMap((host) => addressSets({ host, members, liveSets, ttlSeconds }))];
}

/** The SRV targets of these hosts in one domain, by ordinal. */
function srvLines(world: World, members: readonly JudgedHost[], domain: string): string[] {
  const ranking = world.pool.spec.dns.domains.find(({ name }) => name === domain) ?? {};
  const ranks = rankHosts(ranking, Math.max(world.pool.spec.replicas, 1));
  return members.flatMap(({ ordinal, target, port }) => {
    const { priority, weight } = ranks[ordinal] ?? { priority: 0, weight: 0 };
    return target === undefined ? [] : [formatSrvTarget({ priority, weight, port, target })];
  });
}

type AddressSources = {
  readonly host: JudgedHost;
  readonly members: readonly JudgedHost[];
  readonly liveSets: readonly DnsRecordSet[];
  readonly ttlSeconds: number;
};

function addressSets({ host, members, liveSets, ttlSeconds }: AddressSources): DnsRecordSet[] {
  const { fqdn, target, addresses } = host;
  if (fqdn === undefined || target !== fqdn) return [];
  const present = liveSets.filter(({ dnsName, recordType }) => dnsName === fqdn && recordType !== 'SRV');
  const exists = host.objects.deployment !== undefined || host.objects.service !== undefined;
  if (!members.includes(host) && !(exists && present.length > 0)) return [];
  // Between two Pods a host may have no address for a moment: that is no reason to take its name away.
  if (addresses.length === 0) return [...present];
  const set = (recordType: 'A' | 'AAAA', targets: string[]): DnsRecordSet[] =>
    targets.length === 0 ? [] : [{ dnsName: fqdn, recordType, recordTTL: ttlSeconds, targets }];
  return [
    ...set(
      'A',
      addresses.filter((address) => !address.includes(':')),
    ),
    ...set(
      'AAAA',
      addresses.filter((address) => address.includes(':')),
    ),
  ];
}

type Held = {
  readonly liveSets: readonly DnsRecordSet[];
  readonly wantedSets: readonly DnsRecordSet[];
  readonly changedAtMs: number;
};

/** Until when the present records stay although others are wanted. The first ones, and taking all away, wait for nothing. */
function holdUntil(world: World, { liveSets, wantedSets, changedAtMs }: Held): number | undefined {
  if (liveSets.length === 0 || wantedSets.length === 0 || Number.isNaN(changedAtMs)) return undefined;
  if (canonicalJson(liveSets.map(plainSet)) === canonicalJson(wantedSets)) return undefined;
  const dueMs = changedAtMs + world.pool.spec.dns.minChangeSeconds * 1000;
  return dueMs > world.nowMs ? dueMs : undefined;
}

function plainSet({ dnsName, recordType, recordTTL, targets }: DnsRecordSet): DnsRecordSet {
  return { dnsName, recordType, recordTTL, targets };
}

function modeOf(world: World, changedAtMs: number): Publication['mode'] {
  const { publisher, domains } = world.pool.spec.dns;
  if (domains.length === 0) return 'NoDomains';
  if (publisher === 'None') return 'Off';
  if (!world.dnsEndpointServed) return 'NoPublisher';
  const live = ownOf(world, world.dnsEndpoint);
  const unread = live !== undefined && live.status?.observedGeneration === undefined;
  const patienceMs = UNREAD_LOOKS * world.settings.externalDnsIntervalSeconds * 1000;
  return unread && world.nowMs - changedAtMs > patienceMs ? 'NoPublisher' : 'On';
}

type StateSources = {
  readonly world: World;
  readonly claim: JudgedClaim;
  readonly hosts: readonly JudgedHost[];
  readonly members: readonly JudgedHost[];
  readonly sets: readonly DnsRecordSet[];
  readonly changedAtMs: number;
  readonly wantsRecords: boolean;
};

function domainState(sources: StateSources): DomainState {
  const { world, claim, hosts, members, sets, changedAtMs, wantsRecords } = sources;
  const { domain, ttlSeconds, siblings } = claim;
  const record = srvName(domain);
  // Where nothing is published by us, the records are still what an administrator would have to make by hand.
  const lines = wantsRecords
    ? sets.filter(({ dnsName, recordType }) => dnsName === record && recordType === 'SRV').flatMap((set) => set.targets)
    : srvLines(world, members, domain);
  const desired = claim.claim === 'Ours' ? lines : [];
  const judgement = judgeDomain({
    desired: desired.map(parseLine),
    ours: hosts.flatMap(({ target }) => target ?? []),
    siblings,
    known: world.pool.spec.dns.knownHosts,
    ttlSeconds,
    observation: world.observed.get(domain),
    nowMs: world.nowMs,
    changedAtMs: Number.isNaN(changedAtMs) ? undefined : changedAtMs,
    publishingSeconds: world.settings.externalDnsIntervalSeconds,
  });
  return { domain, record, claim: claim.claim, claimMessage: claim.claimMessage, desired, judgement };
}

function parseLine(line: string): { priority: number; weight: number; port: number; target: string } {
  const [priority, weight, port] = line.split(' ').map(Number);
  return { priority: priority ?? 0, weight: weight ?? 0, port: port ?? 0, target: targetOfLine(line) };
}

/** The worst judgement on the hosts' own names: an SRV record is of no use without them (S2-36). */
function judgeHostNames(world: World, sets: readonly DnsRecordSet[], changedAtMs: number): NameJudgement | undefined {
  const judgements = hostNamesOf(sets).map((fqdn) => {
    const own = sets.filter(({ dnsName }) => dnsName === fqdn);
    return judgeHostName({
      addresses: own.flatMap(({ targets }) => targets),
      observation: world.observedHosts.get(fqdn),
      nowMs: world.nowMs,
      changedAtMs: Number.isNaN(changedAtMs) ? undefined : changedAtMs,
      ttlSeconds: own[0]?.recordTTL ?? 60,
    });
  });
  return WORST_FIRST.map((kind) => judgements.find((judgement) => judgement.kind === kind)).find(Boolean);
}

const WORST_FIRST: readonly JudgementKind[] = ['Differs', 'Unreachable', 'Propagating', 'NotVerified', 'Agreed'];

function hostNamesOf(sets: readonly DnsRecordSet[]): string[] {
  return [...new Set(sets.filter(({ recordType }) => recordType !== 'SRV').map(({ dnsName }) => dnsName))];
}

type WishSources = {
  readonly states: readonly DomainState[];
  readonly hosts: readonly JudgedHost[];
  readonly sets: readonly DnsRecordSet[];
  readonly settled: boolean;
};

function wishOf(world: World, { states, hosts, sets, settled }: WishSources): ObservationWish | undefined {
  const targets = hosts.flatMap(({ target }) => target ?? []);
  const asked = states.filter(({ claim }) => claim !== 'ZoneNotAllowed').map(({ domain }) => ({ domain, targets }));
  if (asked.length === 0) return undefined;
  return {
    revision: canonicalJson(sets),
    domains: asked,
    hostNames: hostNamesOf(sets),
    nameservers: world.pool.spec.dns.verifyNameservers,
    settled,
  };
}
