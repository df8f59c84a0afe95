// SPDX-License-Identifier: Apache-2.0
//
// What was seen of a pool and of the way that clients take to it. Values only: the gatherers fill it, the steps judge it.

import type { HostStatus, KmsHostPool } from '@kmspool/crds';
import type { ServerAnswer, SrvSeen } from './dns-query.ts';

/** How a client finds its domain (S2-31). */
export interface ClientView {
  readonly kind: 'domain' | 'workgroup' | 'list';
  /** In the order in which they are tried: primary suffix first. */
  readonly suffixes: readonly string[];
}

export interface NameServerFacts {
  /** `127.0.0.1:10053` */
  readonly server: string;
  readonly role: 'asked' | 'authoritative';
  /** Undefined: it answers. */
  readonly udpProblem: string | undefined;
  readonly tcpProblem: string | undefined;
}

export interface ZoneFacts {
  readonly domain: string;
  /** What each name server says to SRV of `_vlmcs._tcp.<domain>`. */
  readonly answers: readonly { readonly server: string; readonly answer: ServerAnswer }[];
  /** Records at names that somebody meant otherwise. */
  readonly typos: readonly { readonly name: string; readonly records: readonly SrvSeen[] }[];
}

/** How an RPC bind ended; it counts nobody. */
export interface ProbeFacts {
  readonly address: string;
  readonly port: number;
  readonly outcome: 'kms' | 'notKms' | 'refused' | 'silent';
  /** In words, when it is not `kms`. */
  readonly reason: string;
  /** The port that the host hands to its clients (S1-21). */
  readonly advertisedPort: number | undefined;
}

export interface TargetFacts {
  readonly host: string;
  readonly port: number;
  /** Of the pool; undefined where that cannot be known. */
  readonly ours: boolean | undefined;
  readonly isCname: boolean;
  readonly addresses: readonly string[];
  readonly probes: readonly ProbeFacts[];
}

export interface HostFacts {
  readonly name: string;
  readonly fqdn: string | undefined;
  readonly ready: boolean | undefined;
  readonly status: HostStatus | undefined;
  /** Why there is no status. */
  readonly reason: string;
  /** By its own address, without DNS. */
  readonly probe: ProbeFacts | undefined;
  /** What the host's clock is ahead of ours, milliseconds; only where HTTP told it. */
  readonly clockAheadMs: number | undefined;
}

export interface PoolFacts {
  readonly name: string;
  readonly kind: 'local' | 'cluster' | 'url';
  readonly where: string;
  readonly hosts: readonly HostFacts[];
  /** CMIDs with several names, and the names; undefined when it could not be read. */
  readonly duplicates: { readonly groups: number; readonly names: number } | undefined;
  /** Refused requests among the latest events, by code. */
  readonly refused: ReadonlyMap<number, { readonly count: number; readonly products: readonly string[] }> | undefined;
  /** How many events that was. */
  readonly eventsRead: number;
  /** Why duplicates and events could not be read. */
  readonly listingProblem: string | undefined;
}

/** Something in the cluster that was asked for, or why it was not given. */
export type Seen<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly reason: string };

export interface ExternalDnsSeen {
  readonly where: string;
  readonly image: string;
  readonly args: readonly string[];
}

export interface ServiceSeen {
  readonly name: string;
  readonly type: string;
  readonly addresses: readonly string[];
}

export interface ClusterFacts {
  readonly object: KmsHostPool;
  readonly externalDns: Seen<readonly ExternalDnsSeen[]>;
  readonly services: Seen<readonly ServiceSeen[]>;
  /** Policies that select the hosts, beside the operator's own. */
  readonly networkPolicies: Seen<
    readonly { readonly name: string; readonly ours: boolean; readonly ports: readonly number[] }[]
  >;
}

export interface Facts {
  readonly domains: readonly string[];
  readonly servers: readonly NameServerFacts[];
  readonly zones: readonly ZoneFacts[];
  readonly targets: readonly TargetFacts[];
  readonly client: ClientView | undefined;
  /** An address of a client, to hold against allowed sources. */
  readonly clientAddress: string | undefined;
  readonly pool: PoolFacts | undefined;
  readonly cluster: ClusterFacts | undefined;
}
