// SPDX-License-Identifier: Apache-2.0
//
// Which pool's records are to be exported: of a manifest, with the addresses that its status knows, or of a pool that runs on this
// machine, of which DNS is asked. What becomes of them is dns-formats/'s business.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type KmsHostPool, poolStatusSchema, UserError } from '@kmspool/crds';
import { hostFqdn, hostName } from '@kmspool/kms/dns';
import { parseAllDocuments } from 'yaml';
import type { Io } from '../cli/io.ts';
import { rankingOf } from '../dns-formats/domains.ts';
import type { ExportDomain, ExportHost, ExportSource } from '../dns-formats/records.ts';
import { discoveryBy } from '../net/index.ts';
import { ENDPOINTS_FILE, type Endpoints, findEndpoints, stateRoot } from './endpoints.ts';
import { loadPoolText, readManifest } from './pool-file.ts';

/** An address that the user gives for a host. */
export interface HostAddress {
  readonly host: string;
  readonly address: string;
}

export interface PoolChoice {
  readonly poolName?: string | undefined;
  readonly file?: string | undefined;
  readonly state?: string | undefined;
  readonly address?: readonly HostAddress[] | undefined;
}

export interface DnsPool {
  readonly source: ExportSource;
  /** Names of hosts that the pool itself gives. */
  readonly ownTargets: ReadonlySet<string>;
  /** As in the manifest; undefined for a pool that runs here. */
  readonly publisher: 'ExternalDNS' | 'None' | undefined;
}

/** TTL of records of a pool that runs here, for DNS answers have only what is left of it: the manifest's default. */
const LOCAL_TTL_SECONDS = 60;
const DNS_TIMEOUT_MS = 3_000;

/** The pool that the flags mean. Throws a UserError where there is none, or a choice is needed. */
export async function poolToExport(io: Io, choice: PoolChoice): Promise<DnsPool> {
  const pool =
    choice.file === undefined ? await runningPool(io, choice) : poolOfManifest(io, choice.file, choice.poolName);
  return withAddresses(pool, choice.address ?? []);
}

function poolOfManifest(io: Io, file: string, poolName: string | undefined): DnsPool {
  const text = readManifest({ file: io.path(file), shownAs: file });
  const pool = loadPoolText(text, { shownAs: file, poolName });
  const { metadata, spec } = pool;
  const [first] = spec.dns.domains;
  if (first === undefined)
    throw new UserError(`${file}: spec.dns.domains is empty, so there are no records; add a domain`);
  const seen = statusHosts(text, pool);
  const own = new Set<string>();
  const hosts = Array.from({ length: spec.replicas }, (_, ordinal): ExportHost => {
    const name = hostName(metadata.name, ordinal);
    const fqdn = hostFqdn(metadata.name, ordinal, metadata.namespace ?? 'default', first.name);
    own.add(fqdn);
    const { fqdn: target = fqdn, port = spec.port, addresses = [] } = seen.find((host) => host.name === name) ?? {};
    return { ordinal, name, target, port, addresses };
  });
  return {
    source: { domains: spec.dns.domains, hosts },
    ownTargets: own,
    publisher: spec.dns.publisher,
  };
}

type SeenHost = NonNullable<NonNullable<KmsHostPool['status']>['hosts']>[number];

/** The hosts in the status of that pool, where the text comes from `kubectl get -o yaml`. */
function statusHosts(text: string, { metadata }: KmsHostPool): readonly SeenHost[] {
  const values = parseAllDocuments(text).flatMap((document): unknown[] => {
    const value: unknown = document.toJS({ maxAliasCount: 100 });
    return isRecord(value) && Array.isArray(value['items']) ? value['items'] : [value];
  });
  const same = values.find((value) => {
    const found = isRecord(value) ? value['metadata'] : undefined;
    return isRecord(found) && found['name'] === metadata.name && found['namespace'] === metadata.namespace;
  });
  const status = poolStatusSchema.safeParse(isRecord(same) ? same['status'] : undefined);
  return status.success ? (status.data.hosts ?? []) : [];
}

async function runningPool(io: Io, { state, poolName }: PoolChoice): Promise<DnsPool> {
  const endpoints = findEndpoints(io, state ?? stateOf(io, poolName));
  if (poolName !== undefined && endpoints.pool !== poolName) {
    throw new UserError(
      `the pool there is ${endpoints.pool}, not ${poolName}; leave out the name, or choose another --state`,
    );
  }
  const domains: ExportDomain[] = [];
  const targets = new Map<number, string>();
  for (const name of endpoints.domains) {
    const { ranks, found } = await ranksInDns(endpoints, name);
    for (const [ordinal, target] of found) targets.set(ordinal, target);
    domains.push({ name, ttlSeconds: LOCAL_TTL_SECONDS, ...rankingOf(ranks) });
  }
  const hosts = endpoints.hosts.flatMap(({ name, port, address }): ExportHost[] => {
    const ordinal = Number(/-(\d+)$/.exec(name)?.[1]);
    const target = targets.get(ordinal);
    return target === undefined ? [] : [{ ordinal, name, port, target, addresses: [address] }];
  });
  return { source: { domains, hosts }, ownTargets: new Set(targets.values()), publisher: undefined };
}

// A pool is named by its folder, unless --state says otherwise.
function stateOf(io: Io, poolName: string | undefined): string | undefined {
  const dir = join(stateRoot(io.env), poolName ?? '');
  return poolName !== undefined && existsSync(join(dir, ENDPOINTS_FILE)) ? dir : undefined;
}

interface Seen {
  /** By ordinal. */
  readonly ranks: readonly { readonly priority: number; readonly weight: number }[];
  readonly found: ReadonlyMap<number, string>;
}

async function ranksInDns({ dns, hosts }: Endpoints, domain: string): Promise<Seen> {
  const { records, reason } = await discoveryBy(dns, DNS_TIMEOUT_MS).srv(domain);
  if (records.length === 0)
    throw new UserError(`the pool's DNS server has no SRV for ${domain} (${reason}); is the pool still running?`);
  const byOrdinal = hosts.map(({ name }) => records.find(({ target }) => target.startsWith(`${name}.`)));
  const known = byOrdinal.filter((record) => record !== undefined);
  return { ranks: known, found: new Map(known.map(({ target }) => [Number(/-(\d+)\./.exec(target)?.[1]), target])) };
}

function withAddresses(pool: DnsPool, given: readonly HostAddress[]): DnsPool {
  const names = pool.source.hosts.map(({ name }) => name);
  const stranger = given.find(({ host }) => !names.includes(host));
  if (stranger !== undefined)
    throw new UserError(`--address: the pool has no host ${stranger.host}; use one of ${names.join(', ')}`);
  const hosts = pool.source.hosts.map((host) => {
    const own = given.filter((each) => each.host === host.name).map(({ address }) => address);
    return own.length === 0 ? host : { ...host, addresses: own };
  });
  return { ...pool, source: { ...pool.source, hosts } };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
