// SPDX-License-Identifier: Apache-2.0

// What a plan concludes on its way from the world to the steps; status.ts turns the same conclusions into words. Types only.
import type { Reason } from '@kmspool/crds';
import type { DomainJudgement, NameJudgement } from '../dns/judge.ts';
import type { ObservationWish } from '../dns/observation.ts';
import type { KubernetesObject, ObjectRef, Resource } from '../runtime/index.ts';
import type { DnsRecordSet } from './kinds.ts';

/** Whose pool it is: the one Secret. */
export type Identity =
  | { readonly kind: 'known'; readonly poolId: string }
  /** A pool that never had one: the Secret is to be made. */
  | { readonly kind: 'toMake' }
  | { readonly kind: 'refused'; readonly reason: 'KeyChanged' | 'KeyInvalid'; readonly message: string };

/** Where a host's Pod template stands. */
export type TemplateState =
  /** No Deployment yet. */
  | 'Missing'
  /** The Deployment has another template than wanted. */
  | 'Outdated'
  /** The Deployment has it, and its Pods do not run it yet, or the old one is not gone. */
  | 'Updating'
  /** One Pod, of the wanted template. */
  | 'Current';

/** One host, judged. */
export interface HostView {
  readonly ordinal: number;
  readonly name: string;
  /** Its own DNS name; undefined without a domain. */
  readonly fqdn: string | undefined;
  /** ordinal < spec.replicas. */
  readonly wanted: boolean;
  /** A Pod of it is Ready and not being deleted. */
  readonly ready: boolean;
  /** Since when `ready` is what it is; undefined when there is no telling. */
  readonly sinceMs: number | undefined;
  /** The host itself says that it runs the configuration wanted. */
  readonly configCurrent: boolean;
  readonly template: TemplateState;
  /** IPv4 and IPv6 addresses that clients connect to; empty while there is none. */
  readonly addresses: readonly string[];
  /** The SRV target: `fqdn`, or the host name of its load balancer. */
  readonly target: string | undefined;
  /** The port that clients connect to. */
  readonly port: number;
  /** Not ready because its store is lost: no reason to leave DNS. */
  readonly storeLost: boolean;
  /** When its withdrawal began; only for a host that is to go. */
  readonly withdrawnAtMs: number | undefined;
  /** Why it is not ready or not current, in words; undefined when it is both. */
  readonly trouble: string | undefined;
  /** Version of kmspool that it says to run. */
  readonly version: string | undefined;
}

/** One domain of the spec, judged. */
export interface DomainState {
  readonly domain: string;
  /** `_vlmcs._tcp.<domain>`. */
  readonly record: string;
  /** Whether this pool publishes there. */
  readonly claim: 'Ours' | 'ZoneNotAllowed' | 'DomainTaken';
  /** Why not, and what to do; empty for Ours. */
  readonly claimMessage: string;
  /** `priority weight port target.` that should be there; empty when the claim is not ours. */
  readonly desired: readonly string[];
  /** What the name servers show of it. */
  readonly judgement: DomainJudgement;
}

/** The state of the pool's records. */
export interface Publication {
  readonly mode:
    | 'On'
    /** spec.dns.publisher is None. */
    | 'Off'
    | 'NoDomains'
    /** The DNSEndpoint kind is not served, or nobody has read the object for two minutes. */
    | 'NoPublisher';
  /** What the DNSEndpoint is to hold now; undefined: there is to be no DNSEndpoint. */
  readonly recordSets: readonly DnsRecordSet[] | undefined;
  readonly domains: readonly DomainState[];
  /** What the DNSEndpoint holds is not yet what it should, for `minChangeSeconds` is not over; when it will be. */
  readonly dueMs: number | undefined;
  /** The worst that the name servers show of the hosts' own names (A, AAAA); undefined where none is published. */
  readonly hostNames: NameJudgement | undefined;
  /** All names are as they should be at every server (vacuously true where nothing is published). */
  readonly settled: boolean;
}

/** What is being done with the hosts. */
export interface Rollout {
  readonly kind: 'Settled' | 'Starting' | 'RollingOut' | 'ScalingDown' | 'ConfigStale' | 'Waiting' | 'Deleting';
  /** In words, with names of hosts and what is waited for. */
  readonly message: string;
}

/** An object that has our name and is not ours. */
export interface Clash {
  readonly resource: Resource;
  readonly ref: ObjectRef;
}

/** A step that the API server refused for good: the user has to change something. */
export interface Refusal {
  readonly reason: 'InvalidSpec' | 'Forbidden';
  /** The object and what the API server said, in one line. */
  readonly message: string;
}

/** One thing to do. `why` goes to the log. */
export type Step =
  | { readonly kind: 'addFinalizer' }
  | { readonly kind: 'removeFinalizer' }
  /** A Secret with fresh random bytes; never over one that is there. */
  | { readonly kind: 'makeSecret'; readonly secret: 'key' | 'admin'; readonly name: string }
  | {
      readonly kind: 'apply';
      readonly resource: Resource;
      readonly object: KubernetesObject;
      /** Of the object that was judged; undefined when there seemed to be none. */
      readonly uid: string | undefined;
      readonly why: string;
    }
  | {
      readonly kind: 'delete';
      readonly resource: Resource;
      readonly ref: ObjectRef;
      readonly uid: string | undefined;
      readonly why: string;
    }
  /** Sets annotations, or removes those that are null; nothing else of the object is touched. */
  | {
      readonly kind: 'annotate';
      readonly resource: Resource;
      readonly ref: ObjectRef;
      readonly annotations: Readonly<Record<string, string | null>>;
      readonly why: string;
    }
  /** Deletes every key of the pool in Redis. */
  | { readonly kind: 'purge'; readonly poolId: string };

/** A Kubernetes event that a plan wants told. */
export interface EventWish {
  readonly type: 'Normal' | 'Warning';
  readonly reason: Reason;
  readonly message: string;
}

/** Everything that status.ts needs. */
export interface Conclusions {
  readonly identity: Identity;
  readonly hosts: readonly HostView[];
  readonly publication: Publication;
  readonly rollout: Rollout;
  readonly clashes: readonly Clash[];
  /** Empty in a plan; filled in by what came of its steps, before the status is written. */
  readonly refusals: readonly Refusal[];
}

/** A host that is to be asked for its status. */
export interface PollTarget {
  /** `<pool>-<ordinal>`. */
  readonly name: string;
  readonly namespace: string;
  readonly podName: string;
  readonly podUid: string;
  /** The Pod's address. */
  readonly address: string;
  readonly wantedConfigHash: string;
  readonly ready: boolean;
}

/** What is to be done, in this order. The status follows from the conclusions, once it is known what came of the steps. */
export interface Plan {
  readonly steps: readonly Step[];
  /** Beside those that follow from the change of status. */
  readonly events: readonly EventWish[];
  /** When to look again although nothing has changed. */
  readonly requeueAfterMs: number | undefined;
  readonly conclusions: Conclusions;
  /** What the DNS observer is to watch; undefined: nothing. */
  readonly observe: ObservationWish | undefined;
  /** Whom the host poller is to ask. */
  readonly polls: readonly PollTarget[];
}
