// SPDX-License-Identifier: Apache-2.0
//
// KMS in DNS: names, the SRV records of a pool's hosts, and the order in which a client tries them (RFC 2782).
// It is not a resolver, an encoder of DNS messages or a publisher: it turns values into values, and randomness is passed in.

export type { ChooseOptions, SrvRecord } from './choose.ts';
export { chooseOrder } from './choose.ts';
export { formatSrvTarget, hostFqdn, hostName, srvName } from './names.ts';
export type { DomainRanking, HostRank, Tier } from './rank.ts';
export { rankHosts } from './rank.ts';
export { type ClientNetwork, searchDomains } from './search.ts';
