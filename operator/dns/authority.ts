// SPDX-License-Identifier: Apache-2.0

// Who has to know: the authoritative servers of the zone in which a name lies.
//
//   name -> its zone: SOA of the name, else of the name one label up, and so on; an empty answer names the zone itself (RFC 2308)
//        -> the zone's NS records -> their addresses -> one server for each address
//
// All of it is asked of a resolver, the system's unless others are given, and kept as long as its TTL says, within bounds. A pool may name the servers
// itself; then only their names are looked up. What they say about the records is not asked here.
import { getServers } from 'node:dns';
import { networkInterfaces } from 'node:os';
import type { Clock } from '../runtime/index.ts';
import { Kept } from './kept.ts';
import type { AskedType, DnsReply } from './message.ts';
import { DNS_PORT, parentOf, serverText } from './names.ts';
import { parseServer, type WrittenServer } from './nameservers.ts';
import type { DnsExchange } from './query.ts';
import type { ServerAddress } from './transport.ts';

/** One server to ask. */
export interface NameServer extends ServerAddress {
  /** For people: `ns1.lab.example (10.0.0.53)`. */
  readonly server: string;
  /** A server that a pool names may as well be a resolver. */
  readonly recursionDesired: boolean;
}

/** Whom to ask, or why nobody can be asked. */
export type Authority =
  | {
      readonly ok: true;
      readonly servers: readonly NameServer[];
      /** Servers that there should be and that have no address that could be asked. */
      readonly unresolved: readonly { readonly server: string; readonly error: string }[];
    }
  | { readonly ok: false; readonly error: string };

/** Which kinds of addresses this machine can reach. */
export interface Families {
  readonly ipv4: boolean;
  readonly ipv6: boolean;
}

export interface AuthorityOptions {
  readonly exchange: DnsExchange;
  readonly clock: Clock;
  /** Resolvers in the order to try them; asked for anew each time. Default: the system's. */
  readonly resolvers?: () => readonly ServerAddress[];
  /** Default: by the addresses of this machine's interfaces. */
  readonly families?: () => Families;
  /** Port of the authoritative servers; another one than 53 only in tests. */
  readonly port?: number;
}

type Lookup<T> =
  | { readonly ok: true; readonly value: T; readonly ttlSeconds: number }
  | { readonly ok: false; readonly error: string };
type Addressed = Pick<Authority & { ok: true }, 'servers' | 'unresolved'>;

/** A zone with more name servers than this has most of them for show. */
const SERVERS_MAX = 16;

/** Finds servers, and remembers what it found. */
export class AuthorityFinder {
  readonly #exchange: DnsExchange;
  readonly #resolvers: () => readonly ServerAddress[];
  readonly #families: () => Families;
  readonly #port: number;
  readonly #zones: Kept<Lookup<string>>;
  readonly #nameServers: Kept<Lookup<readonly string[]>>;
  readonly #addresses: Kept<Lookup<readonly string[]>>;

  constructor(options: AuthorityOptions) {
    this.#exchange = options.exchange;
    this.#resolvers = options.resolvers ?? systemResolvers;
    this.#families = options.families ?? machineFamilies;
    this.#port = options.port ?? DNS_PORT;
    this.#zones = new Kept(options.clock);
    this.#nameServers = new Kept(options.clock);
    this.#addresses = new Kept(options.clock);
  }

  /**
   * The servers that have to know about `name`. Never rejects.
   *
   * @param signal ends the lookups for all who share them: not that of one caller.
   * @param nameservers `spec.dns.verifyNameservers`: when there are any, these and no others.
   */
  async find(name: string, nameservers: readonly string[], signal: AbortSignal): Promise<Authority> {
    if (nameservers.length > 0) return this.#named(nameservers, signal);
    const zone = await this.#zones.get(name, () => this.#zoneOf(name, signal), signal);
    if (!zone.ok) return zone;
    const apex = zone.value;
    const hosts = await this.#nameServers.get(apex, () => this.#nameServersOf(apex, signal), signal);
    if (!hosts.ok) return hosts;
    const written = hosts.value.map((host) => ({ host, isAddress: false, port: this.#port }));
    return { ok: true, ...(await this.#addressAll(written, false, signal)) };
  }

  async #named(nameservers: readonly string[], signal: AbortSignal): Promise<Authority> {
    const written: WrittenServer[] = [];
    for (const text of nameservers) {
      const server = parseServer(text);
      if (server === undefined)
        return { ok: false, error: `"${text}" is no name server; write host, host:port or [IPv6]:port` };
      written.push(server);
    }
    return { ok: true, ...(await this.#addressAll(written, true, signal)) };
  }

  async #zoneOf(name: string, signal: AbortSignal): Promise<Lookup<string>> {
    for (let at: string | undefined = name; at !== undefined && at !== '.'; at = parentOf(at)) {
      const reply = await this.#resolve(at, 'SOA', signal);
      if (!reply.ok) return { ok: false, error: `the zone of ${name} is not known: ${reply.error}` };
      const [soa] = reply.records;
      if (soa !== undefined) return { ok: true, value: at, ttlSeconds: soa.ttlSeconds };
      const { zone } = reply;
      // The root's servers hold no test zone: whoever comes to them has a resolver that does not know the zone.
      if (zone?.apex === '.') break;
      if (zone !== undefined) return { ok: true, value: zone.apex, ttlSeconds: zone.ttlSeconds };
    }
    const error = `no zone holds ${name}, as the resolver sees it; delegate its zone, or name its servers in spec.dns.verifyNameservers`;
    return { ok: false, error };
  }

  async #nameServersOf(apex: string, signal: AbortSignal): Promise<Lookup<readonly string[]>> {
    const reply = await this.#resolve(apex, 'NS', signal);
    if (!reply.ok) return { ok: false, error: `the name servers of zone ${apex} are not known: ${reply.error}` };
    if (reply.records.length === 0) return { ok: false, error: `zone ${apex} has no NS records` };
    const hosts = [...new Set(reply.records.map(({ host }) => host))].sort().slice(0, SERVERS_MAX);
    return { ok: true, value: hosts, ttlSeconds: Math.min(...reply.records.map(({ ttlSeconds }) => ttlSeconds)) };
  }

  async #addressAll(
    written: readonly WrittenServer[],
    recursionDesired: boolean,
    signal: AbortSignal,
  ): Promise<Addressed> {
    const each = await Promise.all(written.map((server) => this.#address(server, recursionDesired, signal)));
    // Two names for one address are one server.
    const servers = new Map(
      each.flatMap((found) => found.servers.map((server) => [`${server.address} ${server.port}`, server])),
    );
    return { servers: [...servers.values()], unresolved: each.flatMap(({ unresolved }) => unresolved) };
  }

  async #address(
    { host, isAddress, port }: WrittenServer,
    recursionDesired: boolean,
    signal: AbortSignal,
  ): Promise<Addressed> {
    const server = (address: string, name?: string): NameServer => {
      return { server: serverText(name, address, port), address, port, recursionDesired };
    };
    if (isAddress) return { servers: [server(host)], unresolved: [] };
    const found = await this.#addresses.get(host, () => this.#resolveAddresses(host, signal), signal);
    const addresses = found.ok ? found.value : [];
    const families = this.#families();
    const usable = addresses.filter((address) => reachable(address, families));
    if (usable.length > 0) return { servers: usable.map((address) => server(address, host)), unresolved: [] };
    const error = found.ok ? noneUsable(addresses) : found.error;
    return { servers: [], unresolved: [{ server: serverText(undefined, host, port), error }] };
  }

  async #resolveAddresses(host: string, signal: AbortSignal): Promise<Lookup<readonly string[]>> {
    const [four, six] = await Promise.all([this.#resolve(host, 'A', signal), this.#resolve(host, 'AAAA', signal)]);
    const records = [...(four.ok ? four.records : []), ...(six.ok ? six.records : [])];
    const failed = [four, six].find((reply) => !reply.ok);
    // One family is enough to ask the server; a failure of the other one must not hide it.
    if (records.length === 0)
      return { ok: false, error: failed?.ok === false ? `address not known: ${failed.error}` : 'has no address' };
    const addresses = [...new Set(records.map(({ address }) => address))].sort();
    return { ok: true, value: addresses, ttlSeconds: Math.min(...records.map(({ ttlSeconds }) => ttlSeconds)) };
  }

  /** Asks the resolvers one after another until one answers. */
  async #resolve<T extends AskedType>(name: string, type: T, signal: AbortSignal): Promise<DnsReply<T>> {
    let failure: DnsReply<T> = { ok: false, error: 'no resolver is configured' };
    for (const resolver of this.#resolvers()) {
      const question = { name, type, recursionDesired: true, followAliases: type === 'A' || type === 'AAAA' };
      const reply = await this.#exchange.ask(resolver, question, signal);
      if (reply.ok || signal.aborted) return reply;
      failure = {
        ok: false,
        error: `resolver ${serverText(undefined, resolver.address, resolver.port)}: ${reply.error}`,
      };
    }
    return failure;
  }
}

function reachable(address: string, families: Families): boolean {
  const six = address.includes(':');
  if (six ? address === '::1' : address.startsWith('127.')) return true;
  return six ? families.ipv6 : families.ipv4;
}

function noneUsable(addresses: readonly string[]): string {
  const family = addresses[0]?.includes(':') ? 'IPv6' : 'IPv4';
  return `has only ${family} addresses (${addresses.join(', ')}), and the operator has no ${family}`;
}

/** The resolvers of resolv.conf. */
export function systemResolvers(): readonly ServerAddress[] {
  return getServers()
    .map(parseServer)
    .flatMap((server) => (server === undefined ? [] : [{ address: server.host, port: server.port }]));
}

/** By the addresses of the interfaces; where none is found, anything may be tried. */
export function machineFamilies(): Families {
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const global = addresses.filter(({ internal, address }) => !internal && !/^fe[89ab]/i.test(address));
  if (global.length === 0) return { ipv4: true, ipv6: true };
  const has = (family: string): boolean => global.some((address) => address.family === family);
  return { ipv4: has('IPv4'), ipv6: has('IPv6') };
}
