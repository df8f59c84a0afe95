// SPDX-License-Identifier: Apache-2.0
/**
 * Who may connect, and how often at once (docs/protocol.md §5.1 step 1): `allowedSources` and the limit per source address.
 * Addresses arrive as Node prints them; IPv4-mapped ones are IPv4 to every rule, log line and record.
 */
import { BlockList, isIPv6 } from 'node:net';

/** `::ffff:10.1.2.3` -> `10.1.2.3`; anything else as it is, without a zone (`fe80::1%eth0`). */
export function normaliseAddress(address: string): string {
  const zone = address.indexOf('%');
  const bare = zone < 0 ? address : address.slice(0, zone);
  return bare.startsWith('::ffff:') && bare.includes('.') ? bare.slice(7) : bare;
}

/** Compiles CIDR texts, e.g. `10.0.0.0/8`, `fd00::/7`. Throws on a malformed one; the schema has refused those before. */
export function compileSources(cidrs: readonly string[]): BlockList {
  const list = new BlockList();
  for (const cidr of cidrs) {
    const [network = '', prefix] = cidr.split('/');
    const family = isIPv6(network) ? 'ipv6' : 'ipv4';
    list.addSubnet(network, Number(prefix ?? (family === 'ipv6' ? 128 : 32)), family);
  }
  return list;
}

/** Verdicts kept, so that a busy source is not looked up in the list at every connection. */
const REMEMBERED_VERDICTS = 4096;

export class Sources {
  #allowed: BlockList;
  #verdicts = new Map<string, boolean>();
  readonly #open = new Map<string, number>();

  constructor(cidrs: readonly string[]) {
    this.#allowed = compileSources(cidrs);
  }

  /** New rules from a re-read HostConfig; connections that are open stay. */
  configure(cidrs: readonly string[]): void {
    this.#allowed = compileSources(cidrs);
    this.#verdicts = new Map();
  }

  allows(address: string): boolean {
    const known = this.#verdicts.get(address);
    if (known !== undefined) return known;
    const verdict = this.#allowed.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
    if (this.#verdicts.size >= REMEMBERED_VERDICTS) this.#verdicts.clear();
    this.#verdicts.set(address, verdict);
    return verdict;
  }

  /** Connections now open from `address`. */
  open(address: string): number {
    return this.#open.get(address) ?? 0;
  }

  opened(address: string): void {
    this.#open.set(address, this.open(address) + 1);
  }

  closed(address: string): void {
    const left = this.open(address) - 1;
    if (left > 0) this.#open.set(address, left);
    else this.#open.delete(address);
  }
}
