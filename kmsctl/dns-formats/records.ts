// SPDX-License-Identifier: Apache-2.0
//
// The DNS records of a pool as values: what the operator publishes through external-dns, by the same ranking and with the same
// names. Everything that becomes text elsewhere is checked here, so that no name can end a quote or begin a command.

import { isIP, isIPv6 } from 'node:net';
import { DNS_NAME } from '@kmspool/crds';
import { type DomainRanking, formatSrvTarget, rankHosts, srvName } from '@kmspool/kms/dns';
import { closestApex } from '../dns/zone.ts';

/** One host as DNS shows it. */
export interface ExportHost {
  readonly ordinal: number;
  /** `<pool>-<n>`. */
  readonly name: string;
  /** What SRV points to, without a trailing dot. */
  readonly target: string;
  readonly port: number;
  /** IPv4 and IPv6 as text; empty if they are not known. */
  readonly addresses: readonly string[];
}

export interface ExportDomain extends DomainRanking {
  readonly name: string;
  readonly ttlSeconds: number;
}

export interface ExportSource {
  readonly domains: readonly ExportDomain[];
  /** By ordinal. */
  readonly hosts: readonly ExportHost[];
  /** Zones that hold the domains, where a domain is no zone itself. */
  readonly zones?: readonly string[];
}

interface RecordPlace {
  /** The zone that holds the record, without a trailing dot. */
  readonly zone: string;
  /** The record's full name, without a trailing dot. */
  readonly name: string;
  readonly ttlSeconds: number;
  /** Which host it is of. */
  readonly host: string;
}

export interface SrvExport extends RecordPlace {
  readonly type: 'SRV';
  readonly priority: number;
  readonly weight: number;
  readonly port: number;
  readonly target: string;
}

export interface AddressExport extends RecordPlace {
  readonly type: 'A' | 'AAAA';
  readonly address: string;
}

export type ExportRecord = SrvExport | AddressExport;

export type Exported =
  | { readonly ok: true; readonly records: readonly ExportRecord[] }
  | { readonly ok: false; readonly reason: string };

const NAME_MAX = 253;

/** The records of all domains: SRV by domain and ordinal, then the hosts' addresses, which stand in the first domain only. */
export function exportRecords(source: ExportSource): Exported {
  const reason = mistakeOf(source);
  if (reason !== undefined) return { ok: false, reason };
  const zones = new Set(source.zones?.length ? source.zones : source.domains.map(({ name }) => name));
  const zoneOf = (name: string, domain: string): string => closestApex(name, zones) ?? domain;
  const services = source.domains.flatMap((domain) =>
    srvRecords(source, domain, zoneOf(srvName(domain.name), domain.name)),
  );
  const [first] = source.domains;
  const addresses = first === undefined ? [] : source.hosts.flatMap((host) => addressRecords(host, first, zoneOf));
  return { ok: true, records: [...services, ...addresses] };
}

function srvRecords({ hosts }: ExportSource, domain: ExportDomain, zone: string): SrvExport[] {
  const ranks = rankHosts(domain, Math.max(0, ...hosts.map(({ ordinal }) => ordinal + 1)));
  return hosts.map(({ ordinal, name, port, target }) => {
    const { priority, weight } = ranks[ordinal] ?? { priority: 0, weight: 0 };
    const place = { zone, name: srvName(domain.name), ttlSeconds: domain.ttlSeconds, host: name };
    return { type: 'SRV', ...place, priority, weight, port, target };
  });
}

// The name of a load balancer, say, is another zone's business.
function addressRecords(
  { name: host, target, addresses }: ExportHost,
  { name: domain, ttlSeconds }: ExportDomain,
  zoneOf: (name: string, domain: string) => string,
): AddressExport[] {
  if (!target.endsWith(`.${domain}`)) return [];
  const place = { zone: zoneOf(target, domain), name: target, ttlSeconds, host };
  return addresses.map((address) => ({ type: isIPv6(address) ? 'AAAA' : 'A', ...place, address }));
}

/** True for a host or domain name that may stand in every format: lower case, labels of RFC 1123, no trailing dot. */
export function isPlainName(name: string): boolean {
  return name.length <= NAME_MAX && DNS_NAME.test(name);
}

function mistakeOf({ domains, hosts, zones = [] }: ExportSource): string | undefined {
  const names = [
    ...domains.map(({ name }) => ({ what: 'spec.dns.domains', name })),
    ...hosts.map(({ target }) => ({
      what: "a host's name (pool, metadata.namespace and first domain make it)",
      name: target,
    })),
    ...zones.map((name) => ({ what: '--zone', name })),
  ];
  const bad = names.find(({ name }) => !isPlainName(name));
  if (bad !== undefined) {
    return `${bad.what}: ${JSON.stringify(bad.name)} is no DNS name; use labels of a-z, 0-9 and '-', such as lab.example`;
  }
  const address = hosts.flatMap((host) => host.addresses).find((each) => isIP(each) === 0 || each.includes('%'));
  return address === undefined
    ? undefined
    : `${JSON.stringify(address)} is no IP address; write one such as 192.0.2.10`;
}

/** The zones of some records, in their order, each with its records. */
export function byZone(records: readonly ExportRecord[]): readonly (readonly [string, readonly ExportRecord[]])[] {
  return [...Map.groupBy(records, ({ zone }) => zone)];
}

/** `name` as it is written inside `zone`: `_vlmcs._tcp`, or `@` for the zone itself. */
export function relativeTo(zone: string, name: string): string {
  if (name === zone) return '@';
  return name.endsWith(`.${zone}`) ? name.slice(0, -zone.length - 1) : `${name}.`;
}

/** The data of a record as a zone file has it, names absolute. */
export function recordData(record: ExportRecord): string {
  return record.type === 'SRV' ? formatSrvTarget(record) : record.address;
}
