// SPDX-License-Identifier: Apache-2.0
//
// The formats of `kmsctl dns export`, by name.

/** With what is for whom, for help. */
export const DNS_FORMATS = {
  powershell: 'Microsoft DNS, by PowerShell on the DNS server',
  dnscmd: 'Microsoft DNS before Server 2012, a batch file',
  bind: 'zone file of BIND, NSD, Knot; whole zones with --nameserver',
  nsupdate: 'any server that takes RFC 2136 updates',
  dnsmasq: 'dnsmasq.conf',
  unbound: 'unbound.conf',
  skms: 'slmgr /skms lines, for clients without SRV records',
  'publish-list': 'lines of DnsDomainPublishList',
  reg: 'the same as a .reg file',
} as const;
export type DnsFormat = keyof typeof DNS_FORMATS;

/** The formats' names, in the order of the help. */
export const DNS_FORMAT_NAMES = Object.keys(DNS_FORMATS) as readonly DnsFormat[];
