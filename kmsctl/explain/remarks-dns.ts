// SPDX-License-Identifier: Apache-2.0
//
// What a pasted ipconfig /all and nslookup say about a client that looks for a KMS host (S2-08, S2-15…S2-20, S2-31).

import { isIP } from 'node:net';
import { hostKeyOf } from './nslookup.ts';
import { listed, sayer, when } from './remark.ts';
import { DNS_SAYINGS } from './sayings-dns.ts';
import type { IpconfigFinding, NslookupFinding, Remark, SrvLine } from './types.ts';

const say = sayer(DNS_SAYINGS);

const DEFAULT_PORT = 1688;
const KMS_LABELS = /^_v(?:lmcs|mlcs)\._tcp\.?/i;
/** Resolvers of the internet, here and in Korea: they know nothing of a site's own zones. */
const PUBLIC_RESOLVERS: readonly string[] = [
  '8.8.8.8',
  '8.8.4.4',
  '1.1.1.1',
  '1.0.0.1',
  '9.9.9.9',
  '208.67.222.222',
  '168.126.63.1',
  '168.126.63.2',
  '210.220.163.82',
  '164.124.101.2',
];

/** The domains in which this client looks for `_vlmcs._tcp`: its own suffixes, then its search list (S2-31). */
export function searchedDomains({ primarySuffix, searchList, connectionSuffixes }: IpconfigFinding): string[] {
  const own = primarySuffix === undefined ? [] : [primarySuffix];
  return [...new Set([...own, ...connectionSuffixes, ...searchList])];
}

export function ipconfigRemarks(client: IpconfigFinding): Remark[] {
  const { addresses, gateways, dnsServers } = client;
  const received = addresses.filter((address) => !address.startsWith('169.254.'));
  const foreign = dnsServers.filter((server) => PUBLIC_RESOLVERS.includes(server));
  return [
    ...when(received.length === 0, () => say('no-address')),
    ...when(gateways.length === 0, () => say('no-gateway')),
    ...when(dnsServers.length === 0, () => say('no-dns-server')),
    ...when(dnsServers.length > 0, () => say('ping-dns', { server: dnsServers[0] ?? '' })),
    ...when(foreign.length > 0, () => say('public-resolver', { servers: listed(foreign) })),
    ...suffixRemarks(client),
  ];
}

function suffixRemarks(client: IpconfigFinding): Remark[] {
  const domains = searchedDomains(client);
  if (domains.length === 0) return [say('no-suffix')];
  return [
    ...when(client.primarySuffix === undefined, () => say('workgroup')),
    say('searched-domains', { domains: listed(domains), first: domains[0] ?? '' }),
  ];
}

const FAILURES = {
  notFound: 'no-srv-record',
  timeout: 'dns-timeout',
  serverFailed: 'dns-server-failed',
  refused: 'dns-refused',
} as const;

/** `client`: an ipconfig /all that was pasted along, if there was one. */
export function nslookupRemarks(found: NslookupFinding, client: IpconfigFinding | undefined): Remark[] {
  const { failure, records } = found;
  if (failure !== undefined) return [say(FAILURES[failure])];
  return [
    ...records.flatMap((record) => recordRemarks(record, found)),
    ...when(records.length > 1, () => say('several-records')),
    ...(client === undefined ? [] : suffixVerdict(records, searchedDomains(client))),
    say('nslookup-is-not-the-client'),
  ];
}

/** S2-17: address, host name, port and domain of each record; C4. */
function recordRemarks({ name, port, target = '', priority, weight }: SrvLine, found: NslookupFinding): Remark[] {
  if (/^_vmlcs/i.test(name)) return [say('misspelt-record', { name })];
  const known = found.addresses[hostKeyOf(target)] ?? [];
  const told = {
    name,
    target,
    port: port ?? '?',
    address: known.length === 0 ? '' : `, ${known.join(', ')}`,
    priority: priority ?? '?',
    weight: weight ?? '?',
  };
  return [
    say('srv-record', told),
    ...when(isIP(target) !== 0, () => say('target-is-an-address', told)),
    ...when(target !== '' && !target.includes('.'), () => say('target-without-domain', told)),
    ...when(port !== undefined && port !== DEFAULT_PORT, () => say('srv-other-port', told)),
  ];
}

/** The domains in which records were found. */
export function publishedDomains(records: readonly SrvLine[]): string[] {
  const domains = records.map(({ name }) => hostKeyOf(name).replace(KMS_LABELS, ''));
  return [...new Set(domains.filter((domain) => domain !== ''))];
}

/** S2-20: the record's domain has to be one that the client searches. */
function suffixVerdict(records: readonly SrvLine[], domains: readonly string[]): Remark[] {
  const published = publishedDomains(records);
  const missing = published.filter((domain) => !domains.includes(domain));
  if (missing.length === 0) return when(published.length > 0, () => say('suffix-fits'));
  const none = { en: 'none', ko: '없음' };
  return [
    say('suffix-misses', {
      missing: listed(missing),
      domains: domains.length === 0 ? none : listed(domains),
      first: domains[0] ?? 'DOMAIN',
    }),
  ];
}
