// SPDX-License-Identifier: Apache-2.0
//
// In which domains a client looks for _vlmcs._tcp: what its network settings come to (S2-31, S3-20).

/** What decides a Windows client's own domain, and where else it looks. */
export interface ClientNetwork {
  readonly membership: 'domain' | 'workgroup';
  /** The Active Directory domain; of a domain member only. */
  readonly adDomain?: string | undefined;
  /** What DHCP option 15 hands out (RFC 2132); counts in a workgroup only. */
  readonly dhcpDomain?: string | undefined;
  /** Set by hand, the primary DNS suffix takes the place of either. */
  readonly primarySuffix?: string | undefined;
  /** The DNS suffix search list, in order. */
  readonly searchList?: readonly string[] | undefined;
}

/** The domains, first to last, each once, in lower case. Empty: the client has nowhere to look (0x8007007B). */
export function searchDomains(network: ClientNetwork): string[] {
  const { membership, adDomain, dhcpDomain, primarySuffix, searchList = [] } = network;
  const own = primarySuffix ?? (membership === 'domain' ? adDomain : dhcpDomain);
  const all = [...(own === undefined ? [] : [own]), ...searchList];
  return [...new Set(all.map((name) => name.toLowerCase().replace(/\.$/, '')).filter((name) => name !== ''))];
}
