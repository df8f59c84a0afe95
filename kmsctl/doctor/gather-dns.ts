// SPDX-License-Identifier: Apache-2.0
//
// Asks the world's name servers about a pool's domains: those given or this machine's own, and the zone's authoritative ones.

import { randomInt } from 'node:crypto';
import { getServers } from 'node:dns';
import { isIP } from 'node:net';
import { srvName } from '@kmspool/kms/dns';
import { type NameServer, textOf } from '../net/index.ts';
import { askSrv, askTexts, query, type SrvSeen } from './dns-query.ts';
import type { NameServerFacts, ZoneFacts } from './facts.ts';

export interface DnsAsking {
  readonly domains: readonly string[];
  /** Asked instead of this machine's own, and then no authoritative ones are looked for. */
  readonly servers: readonly NameServer[];
  readonly timeoutMs: number;
}

export interface DnsFacts {
  readonly servers: readonly NameServerFacts[];
  readonly zones: readonly ZoneFacts[];
  /** Whom to ask for addresses. */
  readonly resolvers: readonly NameServer[];
}

/** No more than so many servers are asked. */
const MAX_SERVERS = 12;

export async function gatherDns({ domains, servers, timeoutMs }: DnsAsking): Promise<DnsFacts> {
  const resolvers = servers.length > 0 ? servers : systemServers();
  const authoritative = servers.length > 0 ? [] : await authorities(domains, resolvers, timeoutMs);
  const asked = distinct([
    ...resolvers.map((server) => ({ server, role: 'asked' as const })),
    ...authoritative.map((server) => ({ server, role: 'authoritative' as const })),
  ]).slice(0, MAX_SERVERS);
  const facts = await Promise.all(asked.map((each) => serverFacts(each, domains[0] ?? '.', timeoutMs)));
  const zones = await Promise.all(domains.map((domain) => zoneFacts(domain, asked, timeoutMs)));
  return { servers: facts, zones, resolvers };
}

/** Addresses of a name by the first resolver that knows one, and whether it is an alias, which an SRV target must not be (RFC 2782). */
export async function addressesOf(
  name: string,
  { resolvers, timeoutMs }: { readonly resolvers: readonly NameServer[]; readonly timeoutMs: number },
): Promise<{ readonly addresses: readonly string[]; readonly isCname: boolean }> {
  if (isIP(name) !== 0) return { addresses: [name], isCname: false };
  for (const server of resolvers) {
    const ask = (type: 'A' | 'AAAA' | 'CNAME'): Promise<readonly string[]> =>
      askTexts({ server, name, type, timeoutMs, id: randomInt(0x1_0000) });
    const [v4, v6, alias] = await Promise.all([ask('A'), ask('AAAA'), ask('CNAME')]);
    const addresses = [...v4, ...v6];
    if (addresses.length > 0 || alias.length > 0) return { addresses, isCname: alias.length > 0 };
  }
  return { addresses: [], isCname: false };
}

interface Asked {
  readonly server: NameServer;
  readonly role: NameServerFacts['role'];
}

async function serverFacts({ server, role }: Asked, name: string, timeoutMs: number): Promise<NameServerFacts> {
  const problem = (transport: 'udp' | 'tcp'): Promise<string | undefined> =>
    query({ server, name, type: 'SOA', timeoutMs, transport, id: randomInt(0x1_0000) }).then(
      () => undefined,
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    );
  const [udpProblem, tcpProblem] = await Promise.all([problem('udp'), problem('tcp')]);
  return { server: textOf(server), role, udpProblem, tcpProblem };
}

/** Names that were meant to be `_vlmcs._tcp`. */
const TYPOS = ['_vmlcs._tcp', '_vlcms._tcp', '_vlmc._tcp', '_vlmcs._udp', 'vlmcs._tcp', '_vlmcs.tcp', '_vlmcs'];

async function zoneFacts(domain: string, asked: readonly Asked[], timeoutMs: number): Promise<ZoneFacts> {
  const srv = (server: NameServer, name: string): ReturnType<typeof askSrv> =>
    askSrv({ server, name, timeoutMs, id: randomInt(0x1_0000) });
  const answers = await Promise.all(
    asked.map(async ({ server }) => ({ server: textOf(server), answer: await srv(server, srvName(domain)) })),
  );
  const usable = asked.find((_, at) => answers[at]?.answer.kind !== 'problem');
  if (usable === undefined) return { domain, answers, typos: [] };
  const typos = await Promise.all(
    TYPOS.map(async (typo) => {
      const answer = await srv(usable.server, `${typo}.${domain}`);
      const records: readonly SrvSeen[] = answer.kind === 'records' ? answer.records : [];
      return { name: `${typo}.${domain}`, records };
    }),
  );
  return { domain, answers, typos: typos.filter(({ records }) => records.length > 0) };
}

/** The zone's own name servers, as the first resolver that knows tells them. */
async function authorities(
  domains: readonly string[],
  resolvers: readonly NameServer[],
  timeoutMs: number,
): Promise<readonly NameServer[]> {
  const found = await Promise.all(domains.map((domain) => authoritiesOf(domain, resolvers, timeoutMs)));
  return found.flat();
}

async function authoritiesOf(
  domain: string,
  resolvers: readonly NameServer[],
  timeoutMs: number,
): Promise<readonly NameServer[]> {
  const [server] = resolvers;
  if (server === undefined) return [];
  const labels = domain.split('.');
  for (let from = 0; from < labels.length - 1; from++) {
    const name = labels.slice(from).join('.');
    const names = await askTexts({ server, name, type: 'NS', timeoutMs, id: randomInt(0x1_0000) });
    if (names.length === 0) continue;
    const addresses = await Promise.all(names.map((each) => addressesOf(each, { resolvers, timeoutMs })));
    return addresses.flatMap((each) => each.addresses.map((address) => ({ address, port: 53 })));
  }
  return [];
}

function systemServers(): NameServer[] {
  return getServers().map((text) => {
    const found = /^\[?([^\]]+?)\]?(?::(\d+))?$/.exec(text);
    if (isIP(text) !== 0 || found === null) return { address: text, port: 53 };
    return { address: found[1] ?? text, port: Number(found[2] ?? 53) };
  });
}

function distinct(servers: readonly Asked[]): Asked[] {
  const known = new Map(servers.toReversed().map((each) => [textOf(each.server), each]));
  return [...known.values()].reverse();
}
