// SPDX-License-Identifier: Apache-2.0
//
// From a pool to the DNS zones that its clients would find: SRV for every domain, addresses of the hosts, SOA and NS.
// Pure: no packets, no sockets. What the operator publishes through external-dns is not made here, but says the same.

import { isIPv6 } from 'node:net';
import { type DomainRanking, hostFqdn, rankHosts, srvName } from '@kmspool/kms/dns';
import type { SoaAnswer, SrvAnswer, StringAnswer } from 'dns-packet';

export type ZoneRecord = SrvAnswer | SoaAnswer | StringAnswer;

/** A domain of `spec.dns.domains`. */
export interface PublishedDomain extends DomainRanking {
  readonly name: string;
  readonly ttlSeconds: number;
}

export interface PublishedHost {
  readonly ordinal: number;
  /** The port that clients connect to. */
  readonly port: number;
  /** IPv4 and IPv6 addresses as text. */
  readonly addresses: readonly string[];
}

export interface ZoneSource {
  readonly pool: string;
  readonly namespace: string;
  readonly domains: readonly PublishedDomain[];
  readonly hosts: readonly PublishedHost[];
  /** Where the name server that serves the zones listens; each zone's NS name gets it as address. */
  readonly nameserverAddress: string;
  /** SOA serial, 0 … 2^32 − 1. */
  readonly serial: number;
}

export interface Zone {
  /** Lower case, without a trailing dot. */
  readonly apex: string;
  readonly soa: SoaAnswer;
  /** By lower-case name. A name without records of its own that has names below it is there with an empty list (RFC 8020). */
  readonly names: ReadonlyMap<string, readonly ZoneRecord[]>;
}

/** What a name server says to a question. `records` of `answer` is never empty. */
export type Lookup =
  | { readonly kind: 'answer'; readonly zone: Zone; readonly records: readonly ZoneRecord[] }
  | { readonly kind: 'nodata' | 'nxdomain'; readonly zone: Zone }
  | { readonly kind: 'refused' };

/** One zone for each domain; the hosts' own names stand in the first one only (design of `spec.dns`). */
export function buildZones(source: ZoneSource): Zone[] {
  const first = source.domains[0]?.name;
  const apexes = new Set(source.domains.map(({ name }) => name));
  return source.domains.map((domain) => {
    const hosts = first === undefined || domain.name !== first ? [] : hostRecords(source, domain);
    const records = [...apexRecords(source, domain), ...srvRecords(source, domain, first ?? domain.name), ...hosts];
    const mine = records.filter(({ name }) => closestApex(name, apexes) === domain.name);
    return { apex: domain.name, soa: soaRecord(source, domain), names: namesOf(domain.name, mine) };
  });
}

/** The answer of the zones to a name and a type; `ANY` asks for all records of the name. Case does not matter (RFC 4343). */
export function lookup(zones: readonly Zone[], name: string, type: string): Lookup {
  const wanted = name.toLowerCase().replace(/\.$/, '');
  const apexes = new Set(zones.map(({ apex }) => apex));
  const apex = closestApex(wanted, apexes);
  const zone = zones.find((candidate) => candidate.apex === apex);
  if (zone === undefined) return { kind: 'refused' };
  const there = zone.names.get(wanted);
  if (there === undefined) return { kind: 'nxdomain', zone };
  const records = type === 'ANY' ? there : there.filter((record) => record.type === type);
  return records.length === 0 ? { kind: 'nodata', zone } : { kind: 'answer', zone, records };
}

/** The longest of `apexes` that `name` is, or is below. */
export function closestApex(name: string, apexes: ReadonlySet<string>): string | undefined {
  const labels = name.toLowerCase().split('.');
  for (let at = 0; at < labels.length; at++) {
    const candidate = labels.slice(at).join('.');
    if (apexes.has(candidate)) return candidate;
  }
  return undefined;
}

function soaRecord({ serial }: ZoneSource, { name, ttlSeconds }: PublishedDomain): SoaAnswer {
  const times = { refresh: 3600, retry: 600, expire: 86_400, minimum: ttlSeconds };
  const data = { mname: `ns.${name}`, rname: `hostmaster.${name}`, serial, ...times };
  return { name, type: 'SOA', ttl: ttlSeconds, data };
}

function apexRecords(source: ZoneSource, domain: PublishedDomain): ZoneRecord[] {
  const { name, ttlSeconds: ttl } = domain;
  const nameserver = `ns.${name}`;
  return [
    soaRecord(source, domain),
    { name, type: 'NS', ttl, data: nameserver },
    addressRecord(nameserver, ttl, source.nameserverAddress),
  ];
}

function srvRecords(source: ZoneSource, domain: PublishedDomain, firstDomain: string): ZoneRecord[] {
  const count = Math.max(0, ...source.hosts.map(({ ordinal }) => ordinal + 1));
  const ranks = rankHosts(domain, count);
  return source.hosts.map(({ ordinal, port }) => {
    const target = hostFqdn(source.pool, ordinal, source.namespace, firstDomain);
    const { priority, weight } = ranks[ordinal] ?? { priority: 0, weight: 0 };
    return {
      name: srvName(domain.name),
      type: 'SRV',
      ttl: domain.ttlSeconds,
      data: { priority, weight, port, target },
    };
  });
}

function hostRecords(source: ZoneSource, { name, ttlSeconds }: PublishedDomain): ZoneRecord[] {
  return source.hosts.flatMap(({ ordinal, addresses }) => {
    const fqdn = hostFqdn(source.pool, ordinal, source.namespace, name);
    return addresses.map((address) => addressRecord(fqdn, ttlSeconds, address));
  });
}

function addressRecord(name: string, ttl: number, address: string): ZoneRecord {
  return { name, type: isIPv6(address) ? 'AAAA' : 'A', ttl, data: address };
}

function namesOf(apex: string, records: readonly ZoneRecord[]): ReadonlyMap<string, readonly ZoneRecord[]> {
  const names = new Map<string, ZoneRecord[]>([[apex, []]]);
  for (const record of records) {
    const name = record.name.toLowerCase();
    for (const between of upTo(name, apex)) if (!names.has(between)) names.set(between, []);
    names.get(name)?.push(record);
  }
  return names;
}

/** `name` and every name between it and `apex`. */
function upTo(name: string, apex: string): string[] {
  const labels = name
    .slice(0, name.length - apex.length)
    .split('.')
    .filter((label) => label !== '');
  return labels.map((_, at) => [...labels.slice(at), apex].join('.'));
}
