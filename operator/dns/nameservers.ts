// SPDX-License-Identifier: Apache-2.0

// Addresses of name servers as people write them. Pure.
import { isIP } from 'node:net';
import { DNS_PORT, plainAddress, plainName } from './names.ts';

/** A name server as it was written: by address or by name. */
export interface WrittenServer {
  /** A literal address (RFC 5952 text) or a plain name. */
  readonly host: string;
  readonly isAddress: boolean;
  /** 1 … 65535. */
  readonly port: number;
}

/** Reads `host`, `host:port`, `[IPv6]`, `[IPv6]:port` and a bare IPv6 address; undefined for anything else. The port is 53 unless given. */
export function parseServer(text: string): WrittenServer | undefined {
  const bare = plainAddress(text);
  if (bare !== undefined) return { host: bare, isAddress: true, port: DNS_PORT };
  const parts = /^(?:\[(?<ip>[^\]]+)\]|(?<name>[^:[\]\s]+))(?::(?<port>\d{1,5}))?$/.exec(text)?.groups;
  const port = Number(parts?.['port'] ?? DNS_PORT);
  if (parts === undefined || port < 1 || port > 65_535) return undefined;
  const { ip, name } = parts;
  if (ip !== undefined) return isIP(ip) === 6 ? { host: plainAddress(ip) ?? ip, isAddress: true, port } : undefined;
  if (name === undefined) return undefined;
  return isIP(name) === 0 ? { host: plainName(name), isAddress: false, port } : { host: name, isAddress: true, port };
}
