// SPDX-License-Identifier: Apache-2.0

// The words of a pool's status: condition types and their reasons. The same words stand in the condition, the Kubernetes
// Event, the metric label and docs/status-conditions.md; nothing else may invent one.

/** Condition types, in the order in which the documentation explains them. */
export const CONDITION_TYPES = [
  'Ready',
  'Reconciling',
  'Stalled',
  'StoreAvailable',
  'DnsPublished',
  'CountSufficient',
  'HostKeyWithinLimits',
] as const;
export type ConditionType = (typeof CONDITION_TYPES)[number];

/** What a reason means and, where it is a fault, what to do; under the condition that uses it first, or Event when only events have it. */
export const REASONS_BY_USE = {
  Ready: {
    AllHostsReady: 'All hosts answer, with the configuration wanted.',
    HostsNotReady: 'Some hosts do not answer yet; the message names them, `kubectl describe pod` tells why.',
    HostUnreachable: 'A host is ready but does not answer the operator; let the operator reach port 8080 of the hosts.',
    NoHosts: 'spec.replicas is 0; raise it to have hosts.',
  },
  Reconciling: {
    Progressing: 'The operator is changing something, or waits for a host to take a change over.',
    RollingOut: 'Hosts are being replaced, one at a time.',
    ConfigStale: 'A host still runs an older configuration.',
    ScalingDown: 'Hosts are withdrawn from DNS before they stop.',
    Deleting: 'The pool is being deleted; its records are withdrawn first.',
    Settled: 'The operator has nothing left to change for this generation.',
  },
  Stalled: {
    KeyChanged:
      'The Secret is gone, or gives another identity than status.poolId; restore the Secret, or delete the pool to start anew.',
    KeyInvalid: 'data.key of the Secret is missing or shorter than 32 bytes; write 32 random bytes.',
    NameTaken:
      "An object of a name that the pool needs is not the pool's; remove it, or give the pool or the object another name.",
    InvalidSpec: 'The spec is refused; the message names the field.',
    Forbidden: 'The API server refuses what the operator has to do; check its roles and the quotas of the namespace.',
    NotStalled: 'Nothing stands in the way.',
  },
  StoreAvailable: {
    StoreReachable: 'All hosts that could be asked reach the store.',
    StoreLost: 'No host reaches the store; they answer from the last known table or refuse, as spec.store.onLoss says.',
    StorePartlyLost: 'Some hosts do not reach the store; check the network between them.',
    StoreUnsuitable:
      'Redis answers but cannot be used: too old, a replica, set to evict keys, or it refuses the user; the message says which.',
    StoreUnknown: 'No host could be asked about the store.',
    InMemory: 'The pool has one host and no store; its count ends with the host.',
  },
  DnsPublished: {
    Published: 'All name servers show the records wanted.',
    ForeignHostFound:
      'Our records are right, and the same name also holds a host that is neither ours nor in spec.dns.knownHosts; find out whose it is.',
    Propagating: 'The records are written, and not every name server shows them yet.',
    NotVerified: 'The name servers have not been asked yet.',
    NameServerUnreachable: 'A name server does not answer; the last records are left as they are.',
    RecordsDiffer: 'A name server shows other records than wanted; the message says which and where.',
    PublisherTooOld: 'external-dns is older than 0.22 and cannot publish these SRV records; upgrade it.',
    PublisherIgnoresSrv: 'external-dns is not told to publish SRV records of DNSEndpoints; the message names the flag.',
    ZoneNotAllowed:
      'An emulated pool may publish only in test zones, for a real client must not find it; choose another domain or tell the operator that the zone is one.',
    DomainTaken: 'An older pool with another identity publishes in this domain; its clients would meet a foreign key.',
    NoPublisher:
      'Nothing publishes: spec.dns.publisher is None, or external-dns is not there to read what the pool wants.',
    NoDomains: 'spec.dns.domains is empty; clients need the host names by hand (slmgr /skms).',
  },
  CountSufficient: {
    AllThresholdsMet: 'The count is enough for every kind of client that has asked.',
    BelowThreshold: 'The count is too low for some clients; more distinct machines have to ask.',
    CountUnknown: 'No host could be asked for the count.',
  },
  HostKeyWithinLimits: {
    WithinLimits: 'No more than six hosts share a host key (S3-33).',
    HostKeyLimit: 'A host key may be used on six hosts; lower spec.replicas, or ask for an extension (S3-35).',
  },
  Event: {
    KeyCreated: "The pool's Secret was made, and with it the pool's identity; keep a copy.",
    StoreRestored: 'All hosts reach the store again, and have sent it what it lacked.',
    CountThresholdReached: 'The count has become enough for one more kind of client.',
    CountThresholdLost: 'The count is no longer enough for one kind of client.',
    StaleRecord: 'A record outlived its host; remove it by hand, the message holds its text.',
    PurgeIncomplete:
      "store.onDelete is Purge, and the pool's keys are still in Redis; the message says why and what to remove by hand.",
  },
} as const satisfies Record<ConditionType | 'Event', Record<string, string>>;

/** Every reason, with what it means. */
export const REASONS = {
  ...REASONS_BY_USE.Ready,
  ...REASONS_BY_USE.Reconciling,
  ...REASONS_BY_USE.Stalled,
  ...REASONS_BY_USE.StoreAvailable,
  ...REASONS_BY_USE.DnsPublished,
  ...REASONS_BY_USE.CountSufficient,
  ...REASONS_BY_USE.HostKeyWithinLimits,
  ...REASONS_BY_USE.Event,
} as const satisfies Record<string, string>;
export type Reason = keyof typeof REASONS;

/** The most hosts that one host key may be used on (S3-33). */
export const HOSTS_PER_KEY = 6;
