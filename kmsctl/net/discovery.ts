// SPDX-License-Identifier: Apache-2.0
//
// How a simulated client finds hosts: the SRV records of a domain and the addresses of a host name, by real DNS queries
// (S1-04, S2-25). In which order it tries them is @kmspool/kms/dns's business.

import { lookup, Resolver } from 'node:dns/promises';
import { isIP } from 'node:net';
import { type SrvRecord, srvName } from '@kmspool/kms/dns';

export interface NameServer {
  /** An IP address. */
  readonly address: string;
  readonly port: number;
}

/** `reason` says in a few words why there are no records. */
export interface Discovered {
  readonly records: readonly SrvRecord[];
  readonly reason: string;
}

export interface Discovery {
  /** Whom it asks, as text. */
  readonly server: string;
  /** SRV of `_vlmcs._tcp.<domain>`. Never rejects. */
  srv(domain: string): Promise<Discovered>;
  /** Addresses of a name, IPv4 first; an address is its own. Empty: none, or no name server answered. */
  addresses(host: string): Promise<readonly string[]>;
}

/** Asks `server`, or the system's name servers without one. */
export function discoveryBy(server: NameServer | undefined, timeoutMs: number): Discovery {
  const resolver = new Resolver({ timeout: Math.max(100, Math.floor(timeoutMs / 2)), tries: 2 });
  if (server !== undefined) resolver.setServers([textOf(server)]);
  return {
    server: server === undefined ? 'the name servers of this machine' : textOf(server),
    srv: async (domain) => {
      try {
        const found = await resolver.resolveSrv(srvName(domain));
        const records = found.map(({ name, port, priority, weight }) => ({ target: name, port, priority, weight }));
        return { records, reason: records.length === 0 ? 'the answer holds no record' : '' };
      } catch (error) {
        return { records: [], reason: reasonOf(error) };
      }
    },
    addresses: async (host) => {
      if (isIP(host) !== 0) return [host];
      const none = (): string[] => [];
      // Without a name server of our choice, as any program of this machine resolves it: /etc/hosts counts.
      if (server === undefined) {
        return (await lookup(host, { all: true, order: 'ipv4first' }).catch(() => [])).map(({ address }) => address);
      }
      return (await Promise.all([resolver.resolve4(host).catch(none), resolver.resolve6(host).catch(none)])).flat();
    },
  };
}

/** `127.0.0.1:53`, `[::1]:53`. */
export function textOf({ address, port }: NameServer): string {
  return isIP(address) === 6 ? `[${address}]:${port}` : `${address}:${port}`;
}

const REASONS: Readonly<Record<string, string>> = {
  ENOTFOUND: 'the name does not exist (NXDOMAIN)',
  ENODATA: 'the name exists, without an SRV record (NODATA)',
  ESERVFAIL: 'the name server failed (SERVFAIL)',
  EREFUSED: 'the name server refused the question (REFUSED)',
  ECONNREFUSED: 'no name server listens there',
  ETIMEOUT: 'no name server answered in time',
  EBADNAME: 'this is no DNS name',
};

function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return REASONS[code] ?? (error instanceof Error ? error.message : String(error));
}
