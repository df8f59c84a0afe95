// SPDX-License-Identifier: Apache-2.0

// Which hosts stand in DNS, and with what. Pure: hosts and what is published now in, the record sets wanted and their state out.
//
//   host                              published already      not published
//   ready                             stays                  enters
//   not ready, not long               stays                  stays out
//   not ready, withdrawAfter over     leaves                 stays out
//   not ready, its store is lost      stays                  stays out
//   not ready, not yet asked why      stays                  stays out
//   no longer wanted                  leaves                 stays out
//
// A host's addresses (A, AAAA) stay as long as it exists, for clients that still hold its SRV record. Records never change faster than
// `minChangeSeconds` (S3-63): until then what is published stays as it is.
import { ANNOTATIONS, canonicalJson } from '@kmspool/crds';
import { formatSrvTarget, rankHosts, srvName } from '@kmspool/kms/dns';
import { type JudgementKind, judgeDomain, judgeHostName, type NameJudgement } from '../dns/judge.ts';
import type { ObservationWish } from '../dns/observation.ts';
import { type JudgedClaim, judgeClaim } from './claims.ts';
import { type JudgedHost, ownOf } from './hosts.ts';
import type { DnsRecordSet } from './kinds.ts';
import { judgePublisher, type Publisher } from './publisher.ts';
import { firstHoldUntil, holdUntil, wantedSince } from './record-timing.ts';
import type { DomainState, Publication } from './state.ts';
import type { World } from './world.ts';

/** What is published, as far as a later decision needs it. */
export interface PublicationPlan extends Publication {
  /** Targets that stand in the DNSEndpoint as it is now; of a host that leaves, the servers may show it longer. */
  readonly published: ReadonlySet<string>;
  /** When a host that is not ready is due to leave. */
  readonly leavingMs: number | undefined;
  /** When it is known that nobody publishes. */
  readonly publisherDueMs: number | undefined;
  /** Since when the DNSEndpoint's records are waited for, as it says itself; undefined: from now on. */
  readonly changedAt: string | undefined;
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
  const publisher = judgePublisher(world);
  const { mode, isFresh } = publisher;
  const changedAt = live?.metadata.annotations?.[ANNOTATIONS.changedAt];
  const changedAtMs = isFresh ? world.nowMs : Date.parse(changedAt ?? '');
  const isFirst = live === undefined && published.size === 0 && wantedSets.length > 0;
  const dueMs = isFirst ? firstHoldUntil(world, hosts) : holdUntil(world, { liveSets, changedAtMs }, wantedSets);
  const sets = dueMs === undefined ? wantedSets : liveSets;
  const sinceMs = wantedSince(world, { liveSets, changedAtMs }, sets);
  const states = claims.map((claim) =>
    domainState({ world, claim, hosts, members, sets, changedAtMs: sinceMs, wantsRecords, publisher }),
  );
  const agreed = states.every(({ claim, judgement }) => claim !== 'Ours' || judgement.kind === 'Agreed');
  const hostNames = judgeHostNames({ world, sets, changedAtMs: sinceMs, publisher });
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
    publisherDueMs: publisher.waitsUntilMs,
    changedAt: isFresh ? undefined : changedAt,
    observe: wishOf(world, { claims, hosts, sets, settled }),
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
  // One whose store is lost stays, so that is to be known first.
  const dueMs = Math.max(host.sinceMs + world.pool.spec.dns.withdrawAfterSeconds * 1000, host.askedUntilMs);
  return Number.isFinite(dueMs) ? dueMs : undefined;
}

function nextLeaving(world: World, hosts: readonly JudgedHost[], published: ReadonlySet<string>): number | undefined {
  const times = hosts
    .filter((host) => host.wanted && host.target !== undefined && published.has(host.target))
    .flatMap((host) => leavesAt(world, host) ?? [])
    .filter((ms) => ms > world.nowMs);
  return times.length === 0 ? undefined : Math.min(...times);
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

type StateSources = {
  readonly world: World;
  readonly claim: JudgedClaim;
  readonly hosts: readonly JudgedHost[];
  readonly members: readonly JudgedHost[];
  readonly sets: readonly DnsRecordSet[];
  readonly changedAtMs: number;
  readonly wantsRecords: boolean;
  readonly publisher: Publisher;
};

function domainState(sources: StateSources): DomainState {
  const { world, claim, hosts, members, sets, changedAtMs, wantsRecords, publisher } = sources;
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
    publishingSeconds: publisher.publishingSeconds,
  });
  return { domain, record, claim: claim.claim, claimMessage: claim.claimMessage, desired, judgement };
}

function parseLine(line: string): { priority: number; weight: number; port: number; target: string } {
  const [priority, weight, port] = line.split(' ').map(Number);
  return { priority: priority ?? 0, weight: weight ?? 0, port: port ?? 0, target: targetOfLine(line) };
}

/** The worst judgement on the hosts' own names: an SRV record is of no use without them (S2-36). */
function judgeHostNames({
  world,
  sets,
  changedAtMs,
  publisher,
}: Pick<StateSources, 'world' | 'sets' | 'changedAtMs' | 'publisher'>): NameJudgement | undefined {
  const judgements = hostNamesOf(sets).map((fqdn) => {
    const own = sets.filter(({ dnsName }) => dnsName === fqdn);
    return judgeHostName({
      addresses: own.flatMap(({ targets }) => targets),
      observation: world.observedHosts.get(fqdn),
      nowMs: world.nowMs,
      changedAtMs: Number.isNaN(changedAtMs) ? undefined : changedAtMs,
      ttlSeconds: own[0]?.recordTTL ?? 60,
      publishingSeconds: publisher.publishingSeconds,
    });
  });
  return WORST_FIRST.map((kind) => judgements.find((judgement) => judgement.kind === kind)).find(Boolean);
}

const WORST_FIRST: readonly JudgementKind[] = ['Differs', 'Unreachable', 'Propagating', 'NotVerified', 'Agreed'];

function hostNamesOf(sets: readonly DnsRecordSet[]): string[] {
  return [...new Set(sets.filter(({ recordType }) => recordType !== 'SRV').map(({ dnsName }) => dnsName))];
}

type WishSources = {
  readonly claims: readonly JudgedClaim[];
  readonly hosts: readonly JudgedHost[];
  readonly sets: readonly DnsRecordSet[];
  readonly settled: boolean;
};

function wishOf(world: World, { claims, hosts, sets, settled }: WishSources): ObservationWish | undefined {
  const targets = hosts.flatMap(({ target }) => target ?? []);
  const asked = claims
    .filter(({ claim }) => claim !== 'ZoneNotAllowed')
    .map(({ domain, siblings }) => ({ domain, targets: [...targets, ...siblings] }));
  if (asked.length === 0) return undefined;
  return {
    revision: canonicalJson(sets),
    domains: asked,
    hostNames: hostNamesOf(sets),
    nameservers: world.pool.spec.dns.verifyNameservers,
    settled,
  };
}
