// SPDX-License-Identifier: Apache-2.0

// The words of a pool's status: condition types and their reasons. The same words stand in the condition, the Kubernetes
// Event, the metric label and the documentation; nothing else may invent one.

/** Condition types, in the order in which a status lists them. */
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

/** What a reason means and, where it is a fault, what to do. Sorted by the condition that uses it first. */
export const REASONS = {
  // Ready
  AllHostsReady: 'All hosts answer, with the configuration wanted.',
  HostsNotReady: 'Some hosts do not answer yet; `kmsctl doctor` tells why.',
  NoHosts: 'spec.replicas is 0; raise it to have hosts.',
  // Reconciling
  Progressing: 'The operator is changing something, or waits for a host to take a change over.',
  RollingOut: 'Hosts are being replaced, one at a time.',
  ScalingDown: 'Hosts are withdrawn from DNS before they stop.',
  Settled: 'Nothing is left to do for this generation.',
  Deleting: 'The pool is being deleted; its records are withdrawn first.',
  // Stalled
  KeyChanged:
    'The Secret is gone, or gives another identity than status.poolId; restore the Secret, or delete the pool to start anew.',
  KeyInvalid: 'data.key of the Secret is missing or shorter than 32 bytes; write 32 random bytes.',
  InvalidSpec: 'The spec is refused; the message names the field.',
  Forbidden: 'The operator may not do what is needed; check its roles.',
  NotStalled: 'Nothing stands in the way.',
  // StoreAvailable
  StoreReachable: 'All hosts reach the store.',
  StoreLost: 'No host reaches the store; they answer from the last known table or refuse, as spec.store.onLoss says.',
  StorePartlyLost: 'Some hosts do not reach the store; check the network between them.',
  StoreUnsuitable:
    'Redis answers but cannot be used: too old, a replica, or set to evict keys; the message says which.',
  InMemory: 'The pool has one host and no store; its count ends with the host.',
  // DnsPublished
  Published: 'All name servers show the records wanted.',
  Propagating: 'The records are written, and not every name server shows them yet.',
  NoPublisher: 'Nothing publishes: spec.dns.publisher is None, or external-dns is not installed.',
  NoDomains: 'spec.dns.domains is empty; clients need the host names by hand (slmgr /skms).',
  ZoneNotAllowed:
    'An emulated pool may publish only in test zones, for a real client must not find it; choose another domain or tell the operator that the zone is one.',
  DomainTaken: 'An older pool with another identity publishes in this domain; its clients would meet a foreign key.',
  RecordsDiffer: 'A name server shows other records than wanted; the message says which and where.',
  NameServerUnreachable: 'A name server does not answer; the last records are left as they are.',
  ForeignHostFound:
    'The SRV record names a host that is neither ours nor in spec.dns.knownHosts; find out whose it is.',
  StaleRecord: 'A record outlived its host; remove it by hand, the message holds its text.',
  NotVerified: 'The name servers have not been asked yet.',
  // CountSufficient
  AllThresholdsMet: 'The count is enough for every kind of client.',
  BelowThreshold: 'The count is too low for some clients; more distinct machines have to ask.',
  CountUnknown: 'No host could be asked for the count.',
  // HostKeyWithinLimits
  WithinLimits: 'No more than six hosts share a host key (S3-33).',
  TooManyHosts: 'A host key may be used on six hosts; lower spec.replicas, or ask for an extension (S3-35).',
  // Hosts
  ConfigStale: 'A host still runs an older configuration.',
  HostUnreachable: 'A host does not answer the operator.',
} as const satisfies Record<string, string>;
export type Reason = keyof typeof REASONS;

/** The most hosts that one host key may be used on (S3-33). */
export const HOSTS_PER_KEY = 6;
