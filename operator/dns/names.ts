// SPDX-License-Identifier: Apache-2.0

// Names and addresses as text: one spelling for each, so that they can be compared, and none that a zone's owner could use to write something else
// into a message. Pure. It does not say which names a manifest may hold; the schema does.
import { isIPv4, isIPv6 } from 'node:net';
import type { SrvRecord } from '@kmspool/kms/dns';

/** Longest name that fits a message (RFC 1035 2.3.4), without the root's dot. */
const NAME_MAX = 253;
const LABEL_MAX = 63;
/** The port of DNS servers (RFC 1035 4.2). */
export const DNS_PORT = 53;

/** Lower case and without the root's dot; the root itself is `.`. Bytes that are not printable ASCII become `\DDD` (RFC 1035 5.1). */
export function plainName(name: string): string {
  const bare = name.length > 1 && name.endsWith('.') ? name.slice(0, -1) : name;
  // Escaped first: some letters beyond ASCII have an ASCII one as their lower case.
  return bare.replace(/[^\x21-\x7e]/gu, escaped).toLowerCase();
}

function escaped(character: string): string {
  return [...Buffer.from(character)].map((byte) => `\\${String(byte).padStart(3, '0')}`).join('');
}

/** True for a plain name that can be put into a question as it is. */
export function isAskable(name: string): boolean {
  if (name.length === 0 || name.length > NAME_MAX || /[^\x21-\x7e]|\\/.test(name)) return false;
  return name === '.' || name.split('.').every((label) => label.length > 0 && label.length <= LABEL_MAX);
}

/** The name one label up; undefined for the root. */
export function parentOf(name: string): string | undefined {
  if (name === '.') return undefined;
  const dot = name.indexOf('.');
  return dot < 0 ? '.' : name.slice(dot + 1);
}

/** True when `name` is `zone` or lies below it, by labels; both plain. */
export function isWithin(name: string, zone: string): boolean {
  return zone === '.' || name === zone || name.endsWith(`.${zone}`);
}

/** IPv6 as in RFC 5952, IPv4 as it is; undefined for what is no address. */
export function plainAddress(text: string): string | undefined {
  if (isIPv4(text)) return text;
  if (!isIPv6(text)) return undefined;
  const [address = '', scope] = text.split('%');
  const plain = new URL(`http://[${address}]/`).hostname.slice(1, -1);
  return scope === undefined ? plain : `${plain}%${scope}`;
}

/** `<priority> <weight> <port> <target>.`, as zone files and DNSEndpoints have it. */
export function srvText({ priority, weight, port, target }: SrvRecord): string {
  return `${priority} ${weight} ${port} ${target === '.' ? '' : target}.`;
}

/** `10.0.0.53`, `10.0.0.53:5353`, `[fd00::53]:5353`: the port only where it is not 53. */
export function addressText(address: string, port: number): string {
  if (port === DNS_PORT) return address;
  return isIPv6(address) ? `[${address}]:${port}` : `${address}:${port}`;
}

/** `ns1.lab.example (10.0.0.53)`; an address that was given as such stands alone. */
export function serverText(name: string | undefined, address: string, port: number): string {
  return name === undefined ? addressText(address, port) : `${name} (${addressText(address, port)})`;
}
