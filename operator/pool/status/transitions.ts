// SPDX-License-Identifier: Apache-2.0

// Kubernetes events, from the difference of two statuses. Pure. One event for each change that an administrator would want to have been told; none while a
// state stays, whatever its words. Events 12293 and 12294 are those of a KMS host whose SRV records could, or could not, be published (S1-32, S3-66, S3-67).
import type { ConditionType, KmsHostPoolStatus, Reason } from '@kmspool/crds';
import { APPLICATIONS } from '@kmspool/kms/catalog';
import { type Condition, findCondition } from '../../runtime/index.ts';
import type { EventWish } from '../state.ts';
import type { DnsEntry, PoolCounts } from './input.ts';
import { clipped, joined, listOf, sentence } from './text.ts';

/** The events that tell of the change from one status to the next; `before` is undefined for a pool that had none. */
export function eventsFor(before: KmsHostPoolStatus | undefined, after: KmsHostPoolStatus): EventWish[] {
  const change: Change = { before: before ?? {}, after };
  return [
    ...stalledEvents(change),
    ...storeEvents(change),
    ...publicationEvents(change),
    ...foreignEvents(change),
    ...thresholdEvents(change),
    ...conditionEvents(change),
    ...readyEvents(change),
  ].map((wish) => ({ ...wish, message: clipped(wish.message, LONGEST_MESSAGE) }));
}

/** What the API server takes as the message of an event. */
const LONGEST_MESSAGE = 1024;

interface Change {
  readonly before: KmsHostPoolStatus;
  readonly after: KmsHostPoolStatus;
}

type Pair = { readonly old: Condition | undefined; readonly now: Condition | undefined };

function pair({ before, after }: Change, type: ConditionType): Pair {
  return { old: findCondition(before.conditions, type), now: findCondition(after.conditions, type) };
}

/** The condition, when it has come to have this status, or has it for another reason than before. */
function became({ old, now }: Pair, status: Condition['status']): Condition | undefined {
  return now?.status === status && (old?.status !== status || old.reason !== now.reason) ? now : undefined;
}

function wish(type: EventWish['type'], { reason, message }: Pick<Condition, 'reason' | 'message'>): EventWish {
  return { type, reason: reason as Reason, message };
}

function stalledEvents(change: Change): EventWish[] {
  const now = became(pair(change, 'Stalled'), 'True');
  return now === undefined ? [] : [wish('Warning', now)];
}

function storeEvents(change: Change): EventWish[] {
  const { old, now } = pair(change, 'StoreAvailable');
  const lost = became({ old, now }, 'False');
  if (lost !== undefined) return [wish('Warning', lost)];
  const restored = old?.status === 'False' && now?.status === 'True';
  return restored ? [{ type: 'Normal', reason: 'StoreRestored', message: now.message }] : [];
}

/** Reasons of a domain that mean: what should be there is not, or nobody knows. */
const FAILED: ReadonlySet<string> = new Set<Reason>([
  'RecordsDiffer',
  'PublisherTooOld',
  'PublisherIgnoresSrv',
  'NameServerUnreachable',
]);
const REFUSED: readonly Reason[] = ['ZoneNotAllowed', 'DomainTaken'];
const SHOWN: ReadonlySet<string> = new Set<Reason>(['Published', 'ForeignHostFound']);

/** What a KMS host logs with event 12293: DNS server failure (S4-06). */
const DNS_SERVER_FAILURE = '0x8007232A';

interface DomainChange {
  readonly old: DnsEntry | undefined;
  readonly now: DnsEntry;
}

function domainChanges({ before, after }: Change): DomainChange[] {
  const known = new Map((before.dns ?? []).map((entry) => [entry.domain, entry]));
  return (after.dns ?? []).map((now) => ({ old: known.get(now.domain), now }));
}

function publicationEvents(change: Change): EventWish[] {
  const domains = domainChanges(change);
  const published = domains.filter(isNewlyPublished).map(({ now }) => now);
  const failed = domains.filter(({ old, now }) => FAILED.has(now.reason ?? '') && now.reason !== old?.reason);
  const refused = REFUSED.flatMap((reason): EventWish[] => {
    const entries = domains.filter(({ old, now }) => now.reason === reason && old?.reason !== reason);
    const message = sentence(joined(entries.map(({ now }) => now.message ?? now.domain)));
    return entries.length === 0 ? [] : [{ type: 'Warning', reason, message }];
  });
  return [
    ...(published.length === 0 ? [] : [publishedEvent(published)]),
    ...Map.groupBy(failed, ({ now }) => now.reason as Reason)
      .entries()
      .map(([reason, entries]) =>
        failedEvent(
          reason,
          entries.map(({ now }) => now),
          causeOf(change, reason),
        ),
      ),
    ...refused,
  ];
}

/** The name servers have come to agree on another set, or again after a failure. */
function isNewlyPublished({ old, now }: DomainChange): boolean {
  if (!SHOWN.has(now.reason ?? '') || now.verifiedAt === undefined) return false;
  return old?.verifiedAt !== now.verifiedAt || FAILED.has(old?.reason ?? '');
}

function publishedEvent(entries: readonly DnsEntry[]): EventWish {
  const texts = entries.map(({ record, published = [] }) => `${record} SRV ${listOf(published, 3)}`);
  return {
    type: 'Normal',
    reason: 'Published',
    message: `Event 12294: published in DNS, and shown by every name server: ${sentence(joined(texts))}`,
  };
}

/** Reasons whose cause is the same for all domains and stands in the condition. */
const AT_THE_PUBLISHER: ReadonlySet<string> = new Set<Reason>(['PublisherTooOld', 'PublisherIgnoresSrv']);

function causeOf({ after }: Change, reason: Reason): string | undefined {
  const condition = findCondition(after.conditions, 'DnsPublished');
  return AT_THE_PUBLISHER.has(reason) && condition?.reason === reason ? condition.message : undefined;
}

function failedEvent(reason: Reason, entries: readonly DnsEntry[], cause: string | undefined): EventWish {
  const texts = entries.map(({ domain, message = '' }) => `${domain}: ${message}`);
  const words = cause ?? sentence(joined(texts));
  const message = `Event 12293: publishing in DNS failed (${DNS_SERVER_FAILURE}): ${words}`;
  return { type: 'Warning', reason, message };
}

function foreignEvents(change: Change): EventWish[] {
  const found = domainChanges(change).flatMap(({ old, now }) => {
    const fresh = (now.foreign ?? []).filter((host) => !old?.foreign?.includes(host));
    return fresh.length === 0 ? [] : [`${now.record} names ${listOf(fresh)}`];
  });
  if (found.length === 0) return [];
  const message = `A KMS host that is not ours is in DNS: ${sentence(joined(found))} Find out whose it is; then remove its record, or add its name to spec.dns.knownHosts.`;
  return [{ type: 'Warning', reason: 'ForeignHostFound', message }];
}

/** A threshold that nobody had told before is no change: a pool that is restored has its count already. */
function thresholdEvents({ before, after }: Change): EventWish[] {
  const known = new Map(thresholdsOf(before.counts).map((entry) => [entry.key, entry.met]));
  return thresholdsOf(after.counts)
    .filter(({ key, met }) => known.has(key) && known.get(key) !== met)
    .map(({ title, current, required, kind, met }): EventWish => {
      const figures = `${title} ${current} of ${required}`;
      if (met)
        return {
          type: 'Normal',
          reason: 'CountThresholdReached',
          message: `${figures}: the count is enough for ${kind}, which activate from now on.`,
        };
      return {
        type: 'Warning',
        reason: 'CountThresholdLost',
        message: `${figures}: the count is no longer enough for ${kind}; those that ask now are not activated.`,
      };
    });
}

function thresholdsOf(counts: PoolCounts | undefined) {
  return (counts ?? []).flatMap(({ application, current, thresholds }) =>
    thresholds.map(({ name, required, met }) => {
      const title = APPLICATIONS.find((one) => one.name === application)?.title ?? application;
      const kind = { Server: 'servers', Client: 'clients' }[name] ?? `${title} clients`;
      return { key: `${application}/${name}`, title, current, required, met, kind };
    }),
  );
}

/** What is told when it begins, and by the condition's own words: S3-33, S3-69. */
function conditionEvents(change: Change): EventWish[] {
  const keys = became(pair(change, 'HostKeyWithinLimits'), 'False');
  const { old, now } = pair(change, 'DnsPublished');
  const silent = now?.reason === 'NoPublisher' && old?.reason !== 'NoPublisher' ? [wish('Normal', now)] : [];
  return [...(keys === undefined ? [] : [wish('Warning', keys)]), ...silent];
}

/** Reasons that a pool gives for not being ready and that no other event tells. */
const UNREADY: ReadonlyMap<string, EventWish['type']> = new Map<Reason, EventWish['type']>([
  ['HostsNotReady', 'Warning'],
  ['HostUnreachable', 'Warning'],
  ['RollingOut', 'Normal'],
  ['ConfigStale', 'Normal'],
  ['Progressing', 'Normal'],
  ['NoHosts', 'Normal'],
  ['Deleting', 'Normal'],
]);

function readyEvents(change: Change): EventWish[] {
  const { old, now } = pair(change, 'Ready');
  if (now === undefined || now.status === old?.status) return [];
  if (now.status === 'True') return [wish('Normal', now)];
  const type = UNREADY.get(now.reason);
  return old?.status === 'True' && type !== undefined ? [wish(type, now)] : [];
}
