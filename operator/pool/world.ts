// SPDX-License-Identifier: Apache-2.0

// The world as one reconcile sees it: everything that was read, before anything is decided. gather.ts fills it from the caches, the DNS observer and
// the host poller; plan.ts decides from it and from nothing else. Types only.
import type { HostStoreState, KmsHostPool } from '@kmspool/crds';
import type { DomainObservation, HostNameObservation } from '../dns/observation.ts';
import type { Findings } from './findings.ts';
import type {
  ConfigMap,
  Deployment,
  DnsEndpoint,
  LeanSecret,
  NetworkPolicy,
  Pod,
  PodDisruptionBudget,
  PoolObject,
  Service,
  ServiceAccount,
} from './kinds.ts';

/** What the operator was told by its flags, as far as plans depend on it. */
export interface PlanSettings {
  /** Image of a host. */
  readonly hostImage: string;
  readonly imagePullPolicy: 'Always' | 'IfNotPresent' | 'Never';
  /** Zones in which an emulated pool may publish: a domain is allowed when it is one of these or lies below one. */
  readonly emulatedDnsZones: readonly string[];
  /** How long a host that is to go waits for its records to leave DNS; design: 10 minutes. */
  readonly withdrawBoundSeconds: number;
  /** How often external-dns looks, its `--interval`: nothing is missed before it has looked. */
  readonly externalDnsIntervalSeconds: number;
}

/** The other side of a claim to a domain. */
export interface DomainOwner {
  readonly namespace: string;
  readonly name: string;
  /** Undefined while that pool has no identity yet. */
  readonly poolId: string | undefined;
  /** Its TTL for the domain: external-dns drops one of two record sets with different ones. */
  readonly ttlSeconds: number;
}

/** A domain of the spec, and who named it first. */
export interface DomainClaim {
  readonly domain: string;
  /** The oldest other pool that publishes there, if it is older than this one; of equal age the name decides. */
  readonly elder: DomainOwner | undefined;
  /** Full names of all hosts of *other* pools of the same identity in this domain: they are no foreigners. */
  readonly siblings: readonly string[];
}

/** What a host said when it was last asked, as far as the operator cares. */
export interface HostReport {
  /** The Pod that was asked. */
  readonly podUid: string;
  readonly atMs: number;
  /** Absent when it did not answer; then `error` says why. */
  readonly answer?: HostAnswer;
  readonly error?: string;
}

export interface HostAnswer {
  readonly configHash: string;
  readonly poolId: string;
  readonly version: string;
  readonly ready: boolean;
  readonly reasons: readonly string[];
  readonly storeKind: 'memory' | 'redis';
  readonly storeState: HostStoreState;
  readonly storeError?: string;
  readonly counts: readonly {
    readonly application: string;
    readonly current: number;
    readonly cap: number;
    readonly thresholds: readonly { readonly name: string; readonly required: number; readonly met: boolean }[];
  }[];
}

/** One ordinal: everything that exists under its name, whoever made it. */
export interface HostObjects {
  readonly ordinal: number;
  /** `<pool>-<ordinal>`. */
  readonly name: string;
  readonly deployment: Deployment | undefined;
  readonly service: Service | undefined;
  readonly configMap: ConfigMap | undefined;
  /** Pods with this host's labels, the newest first; those that are going too. */
  readonly pods: readonly Pod[];
  readonly report: HostReport | undefined;
}

/** What external-dns is found to be in this cluster. */
export interface ExternalDnsFinding {
  /** Deployment, as namespace/name. */
  readonly where: string;
  readonly reason: 'PublisherTooOld' | 'PublisherIgnoresSrv';
  readonly message: string;
}

/** Everything that a plan is made from. */
export interface World {
  readonly nowMs: number;
  readonly settings: PlanSettings;
  /** What earlier plans for the same generation found out; a plan is the same without. */
  readonly findings?: Findings;
  /** As read, with its present status. */
  readonly object: PoolObject;
  /** The same by the schema, defaults filled in. */
  readonly pool: KmsHostPool;
  /** The Secret that the spec names (or <pool>-key). */
  readonly keySecret: LeanSecret | undefined;
  readonly adminSecret: LeanSecret | undefined;
  /** A Secret that the hosts need for Redis and that is not there: their Pods wait for it. */
  readonly missingSecret: string | undefined;
  readonly serviceAccount: ServiceAccount | undefined;
  readonly disruptionBudget: PodDisruptionBudget | undefined;
  readonly networkPolicy: NetworkPolicy | undefined;
  /** False while the API server does not serve DNSEndpoint. */
  readonly dnsEndpointServed: boolean;
  readonly dnsEndpoint: DnsEndpoint | undefined;
  /** Other pools, as namespace/name, that have the same identity: they count in the same table. */
  readonly twins: readonly string[];
  /** By ordinal, without gaps filled: those that are wanted and those of which anything of ours exists. */
  readonly hosts: readonly HostObjects[];
  readonly domains: readonly DomainClaim[];
  /** By domain; a domain that was never asked about is absent. */
  readonly observed: ReadonlyMap<string, DomainObservation>;
  /** By full host name. */
  readonly observedHosts: ReadonlyMap<string, HostNameObservation>;
  /** Reasons why the external-dns that is there will not publish; empty also when none was found. */
  readonly externalDns: readonly ExternalDnsFinding[];
  /** Limits of an external-dns that publishes: what it never removes, what it cannot do. */
  readonly externalDnsNotes: readonly string[];
}
