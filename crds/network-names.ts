// SPDX-License-Identifier: Apache-2.0

// The text forms of network things that a manifest may carry: DNS names, CIDR ranges, server addresses, Redis URLs.
// Each form is one regular expression that reads the same in ECMAScript and in RE2, because the CRD's CEL rules are
// written from its source text. It resolves nothing and opens nothing.
import { isIP, isIPv4, isIPv6 } from 'node:net';

const LABEL = '[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?';
const PORT = '([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])';
// Redis and name servers: a name (upper case and underscores occur in internal names), an IPv4 address, or [IPv6].
const SERVER = String.raw`(\[[0-9a-fA-F:.]+\]|[a-zA-Z0-9]([a-zA-Z0-9._-]*[a-zA-Z0-9])?)`;

/** A DNS name in lower case, without a trailing dot; labels as in RFC 1123 (1 to 63 of a-z, 0-9, '-'). */
export const DNS_NAME = new RegExp(`^(${LABEL}[.])*${LABEL}$`);

/** `host:port` of one Redis or Sentinel server; port 1 to 65535. */
export const SERVER_ADDRESS = new RegExp(`^${SERVER}:${PORT}$`);

/** `host` or `host:port` of a name server; a bare IPv6 address is also allowed, see isNameserver. */
export const NAMESERVER = new RegExp(`^${SERVER}(:${PORT})?$`);

/** `redis://host[:port][/database]` or `rediss://…`; no user or password, for those belong in a Secret. */
export const REDIS_URL = new RegExp(`^rediss?:[/][/]${SERVER}(:${PORT})?([/][0-9]{1,4})?$`);

/** The name of a pool: `<pool>-<ordinal>` has to be a Service name (RFC 1035 label), and Pod names grow from it. */
export const POOL_NAME = /^[a-z][-a-z0-9]{0,39}$/;

/** True when the text is an IP address that Kubernetes would parse: no zone, no IPv4-mapped IPv6. */
function isPlainAddress(text: string): boolean {
  return isIP(text) !== 0 && !text.includes('%') && !isMappedIpv4(text);
}

// `::ffff:10.0.0.1` in any spelling. Kubernetes' CEL library refuses it, for it would compare unequal to 10.0.0.1.
function isMappedIpv4(text: string): boolean {
  if (!isIPv6(text)) return false;
  const [marker, ...zeros] = words(text).slice(0, 6).reverse();
  return marker === 0xffff && zeros.every((word) => word === 0);
}

/**
 * True for a CIDR range in its canonical text (RFC 5952 for IPv6) whose host bits are zero, such as `10.0.0.0/8` or
 * `fd00::/8`; the same as `isCIDR(self) && self == string(cidr(self).masked())` in Kubernetes' CEL, whose estimated cost
 * is bounded by the text's length (two CIDR values compared are not).
 */
export function isCidrRange(text: string): boolean {
  const [address = '', bits = '', rest] = text.split('/');
  if (rest !== undefined || !isPlainAddress(address) || !/^(0|[1-9][0-9]{0,2})$/.test(bits)) return false;
  const size = isIPv4(address) ? 32 : 128;
  const length = Number(bits);
  return length <= size && isCanonical(address) && hostBitsAreZero(bytes(address), length);
}

// The URL standard writes an IPv6 host as RFC 5952 does; IPv4 that isIPv4 accepts has no other spelling.
function isCanonical(address: string): boolean {
  return isIPv4(address) || new URL(`http://[${address}]/`).hostname === `[${address}]`;
}

/** True for the address of a name server: a name or IPv4 address with an optional port, [IPv6] likewise, or bare IPv6. */
export function isNameserver(text: string): boolean {
  return isPlainAddress(text) || NAMESERVER.test(text);
}

function hostBitsAreZero(address: readonly number[], length: number): boolean {
  return address.every((byte, index) => {
    const kept = Math.min(8, Math.max(0, length - index * 8));
    return (byte & (0xff >> kept)) === 0;
  });
}

function bytes(address: string): number[] {
  if (isIPv4(address)) return address.split('.').map(Number);
  return words(address).flatMap((word) => [word >> 8, word & 0xff]);
}

// The eight 16-bit words of an IPv6 address that isIPv6 has accepted (RFC 4291 2.2, with a dotted tail or without).
function words(address: string): number[] {
  const hex = address.replace(/[0-9]+(\.[0-9]+){3}$/, (dotted) => {
    const [a = 0, b = 0, c = 0, d = 0] = dotted.split('.').map(Number);
    return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
  });
  const [left = '', right] = hex.split('::');
  const head = wordsOf(left);
  if (right === undefined) return head;
  const tail = wordsOf(right);
  return [...head, ...new Array<number>(8 - head.length - tail.length).fill(0), ...tail];
}

function wordsOf(part: string): number[] {
  return part === '' ? [] : part.split(':').map((word) => Number.parseInt(word, 16));
}
