// SPDX-License-Identifier: Apache-2.0
/**
 * The store of a pool whose hosts are several processes: one table in Redis, counted by a script (`record.lua`), exact also across failover
 * (docs/redis.md). Every contact goes into the journal, and `journal-sender.ts` brings it to Redis. This file knows who waits for a count, and what
 * they are told when Redis does not answer: the count of the host's own copy, or nothing.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { TableState } from '@kmspool/kms/counting';
import { conditionOf, type LinkState, type StoreCondition } from '@kmspool/kms/host';
import { MAX_RECORD_BYTES, packContact } from './contact-record.ts';
import { DEFAULT_JOURNAL_BYTES, Journal, type JournalSlice } from './journal.ts';
import { JournalSender, type SenderPhase } from './journal-sender.ts';
import { lossReason } from './loss.ts';
import { PoolCopy } from './pool-copy.ts';
import { poolKeyNames, scriptKeys } from './redis-keys.ts';
import { RedisLink } from './redis-link.ts';
import { RedisListing } from './redis-listing.ts';
import { mergeTables } from './redis-merge.ts';
import type { RedisStoreOptions } from './redis-options.ts';
import { encodeHeader, INCARNATION_BYTES, type ScriptReply } from './script-call.ts';
import { emptyStats } from './stats.ts';
import {
  type CmidStore,
  type Contact,
  type ContactRecord,
  type CountReply,
  type DuplicateCmid,
  type EventPage,
  type EventPageRequest,
  type Page,
  type PageRequest,
  type PoolSnapshot,
  type StoreHealth,
  type StoreSettings,
  type StoreStats,
  StoreUnavailableError,
} from './store.ts';
import { WaitingReplies } from './waiting-replies.ts';

export type { RedisStoreOptions } from './redis-options.ts';

const TICK_MS = 500;
const COMMAND_TIMEOUT_MS = 200;

/** A store on Redis; it connects at once. */
export function createRedisStore(options: RedisStoreOptions): CmidStore {
  return new RedisStore(options);
}

class RedisStore implements CmidStore {
  readonly #options: RedisStoreOptions;
  readonly #monotonicMs: () => number;
  readonly #incarnation: Buffer;
  readonly #journal: Journal;
  readonly #copy: PoolCopy;
  readonly #link: RedisLink;
  readonly #sender: JournalSender;
  readonly #listing: RedisListing;
  readonly #stats = emptyStats();
  readonly #ready = Promise.withResolvers<void>();
  readonly #listeners: ((health: StoreHealth) => void)[] = [];
  readonly #ticks: NodeJS.Timeout;
  readonly #waiting = new WaitingReplies();
  #settings: StoreSettings;
  #condition: StoreCondition = 'Starting';
  #journalFull = false;
  #answeredAtMs = 0;
  /** The store's clock, and ours when we learnt it. */
  #clock: { storeMs: number; atMs: number } | undefined;
  #deadline: NodeJS.Timeout | undefined;

  constructor(options: RedisStoreOptions) {
    this.#options = options;
    this.#incarnation = options.incarnation ?? randomBytes(INCARNATION_BYTES);
    this.#settings = options.settings;
    this.#monotonicMs = options.monotonicMs ?? (() => performance.now());
    this.#journal = new Journal(options.journalBytes ?? DEFAULT_JOURNAL_BYTES, MAX_RECORD_BYTES);
    this.#copy = new PoolCopy(this.#journal);
    const keys = poolKeyNames(options.poolId);
    this.#link = this.#createLink(scriptKeys(keys));
    this.#sender = this.#createSender();
    const read = this.#link.read.bind(this.#link);
    this.#listing = new RedisListing({ keys, read, nowMs: () => this.nowMs() });
    this.#ready.promise.catch(() => undefined);
    this.#ticks = setInterval(() => this.#tick(), TICK_MS).unref();
    this.#sender.start();
  }

  nowMs(): number {
    if (this.#clock === undefined) return Date.now();
    return Math.round(this.#clock.storeMs + this.#monotonicMs() - this.#clock.atMs);
  }

  record(contact: Contact, reply: CountReply): void {
    if (contact.hresult !== 0) {
      this.note(contact);
      reply(undefined);
      return;
    }
    const condition = this.#condition;
    const sequence = condition === 'Available' || condition === 'LastKnown' ? this.#append(contact) : undefined;
    if (sequence === undefined) {
      this.#stats.refused += 1;
      reply(undefined);
    } else if (condition === 'Available') {
      this.#waiting.add(sequence, reply);
      this.#sender.wake();
    } else {
      this.#answerFromCopy(sequence, reply);
    }
  }

  note(contact: Contact): void {
    if (this.#append(contact) === undefined) this.#stats.contactsLost += 1;
    else this.#sender.wake();
  }

  health(): StoreHealth {
    const { pendingContacts, bytes, capacityBytes } = this.#journal;
    const state = this.#linkState();
    return {
      kind: 'redis',
      condition: this.#condition,
      ...(this.#condition === 'Available' ? {} : { reason: lossReason(this.#options, state, this.#sender.cause) }),
      staleSeconds: state.live ? 0 : state.staleMs / 1000,
      journal: { pendingContacts, bytes, capacityBytes },
      ...(this.#link.server === undefined ? {} : { server: this.#link.server }),
    };
  }

  stats(): StoreStats {
    const { roundTrip } = this.#stats;
    return { ...this.#stats, roundTrip: { ...roundTrip, counts: [...roundTrip.counts] } };
  }

  snapshot(): PoolSnapshot {
    return this.#copy.snapshot(this.nowMs(), this.#settings.maxRequiredCount);
  }

  async listClients(page: PageRequest): Promise<Page<ContactRecord>> {
    return this.#listing.clients(page);
  }

  async listEvents(page: EventPageRequest): Promise<EventPage> {
    return this.#listing.events(page);
  }

  async listDuplicates(page: PageRequest): Promise<Page<DuplicateCmid>> {
    return this.#listing.duplicates(page);
  }

  async merge(tables: readonly TableState[]): Promise<readonly number[]> {
    const { maxRequiredCount } = this.#settings;
    const run = this.#link.read.bind(this.#link);
    const sizes = await mergeTables(run, poolKeyNames(this.#options.poolId), { tables, maxRequiredCount });
    this.#sender.syncSoon();
    return sizes;
  }

  ready(): Promise<void> {
    return this.#ready.promise;
  }

  onConditionChange(listener: (health: StoreHealth) => void): void {
    this.#listeners.push(listener);
  }

  configure(settings: StoreSettings): void {
    this.#settings = settings;
  }

  async close(timeoutMs: number): Promise<void> {
    const until = this.#monotonicMs() + timeoutMs;
    while (this.#journal.pendingContacts > 0 && this.#monotonicMs() < until && this.#sender.phase !== 'closed') {
      await delay(5);
    }
    clearInterval(this.#ticks);
    clearTimeout(this.#deadline);
    this.#sender.close();
    this.#ready.reject(new StoreUnavailableError('the store was closed'));
  }

  #append(contact: Contact): number | undefined {
    const atMs = this.nowMs();
    const sequence = this.#journal.append((target, offset, number) =>
      packContact(target, offset, contact, { sequence: number, atMs }),
    );
    if (sequence === undefined && !this.#journalFull) {
      this.#journalFull = true;
      this.#refresh();
    }
    return sequence;
  }

  #answerFromCopy(sequence: number, reply: CountReply): void {
    this.#stats.answeredFromCopy += 1;
    reply(this.#copy.countThrough(sequence, this.#settings.maxRequiredCount));
  }

  /** Nobody waits longer for Redis: by the copy if it may answer, else they are refused and never counted, unless they were counted already. */
  #settleWaiting(): void {
    for (const { sequence, reply } of this.#waiting.takeAll()) {
      if (this.#condition === 'LastKnown') {
        this.#answerFromCopy(sequence, reply);
        continue;
      }
      this.#journal.void(sequence);
      this.#stats.refused += 1;
      reply(undefined);
    }
  }

  #onReply(reply: ScriptReply, counted: JournalSlice | undefined): void {
    this.#answeredAtMs = this.#monotonicMs();
    this.#clock = { storeMs: reply.nowMs, atMs: this.#answeredAtMs };
    if (reply.sync) this.#copy.take(reply.sync, reply);
    this.#journalFull = false;
    if (reply.version !== this.#copy.version) this.#sender.syncSoon();
    if (counted === undefined) return;
    for (let sequence = counted.first; sequence <= counted.last; sequence += 1) {
      this.#waiting.take(sequence)?.(reply.countOf(sequence - counted.first));
    }
  }

  /** After a gap those who wait get their exact count from the replay, if that is there in time. */
  #onPhase(phase: SenderPhase): void {
    this.#refresh();
    clearTimeout(this.#deadline);
    if (phase === 'live') this.#ready.resolve();
    else if (phase !== 'replaying') this.#settleWaiting();
    else if (this.#waiting.size > 0)
      this.#deadline = setTimeout(() => this.#settleWaiting(), this.#options.commandTimeoutMs ?? COMMAND_TIMEOUT_MS);
  }

  #tick(): void {
    void this.#sender.sync();
    this.#refresh();
  }

  #linkState(): LinkState {
    return {
      live: this.#sender.phase === 'live',
      copied: this.#copy.complete,
      staleMs: this.#monotonicMs() - this.#answeredAtMs,
      journalFull: this.#journalFull,
      closed: this.#sender.phase === 'closed',
    };
  }

  #refresh(): void {
    const condition = conditionOf(this.#options, this.#linkState());
    if (condition === this.#condition) return;
    this.#condition = condition;
    const health = this.health();
    for (const listener of this.#listeners) listener(health);
  }

  #createLink(keys: readonly string[]): RedisLink {
    const { target, tls, credentialsDirectory, connectionName } = this.#options;
    return new RedisLink({
      target,
      ...(tls === undefined ? {} : { tls }),
      ...(credentialsDirectory === undefined ? {} : { credentialsDirectory }),
      connectionName: connectionName ?? 'kmspool',
      commandTimeoutMs: this.#options.commandTimeoutMs ?? COMMAND_TIMEOUT_MS,
      connectTimeoutMs: 1000,
      keys,
      onLost: (reason) => this.#sender.lose(new StoreUnavailableError(reason)),
    });
  }

  #createSender(): JournalSender {
    const incarnation = this.#incarnation;
    return new JournalSender({
      journal: this.#journal,
      link: this.#link,
      stats: this.#stats,
      monotonicMs: this.#monotonicMs,
      header: (flags, previous) =>
        encodeHeader({ incarnation, flags, previous, settings: this.#settings, copyVersion: this.#copy.version }),
      onReply: (reply, counted) => this.#onReply(reply, counted),
      onPhase: (phase) => this.#onPhase(phase),
      onUnusable: (error) => this.#ready.reject(error),
      onContactsLost: (contacts) =>
        this.#options.log?.warn(
          `the store lost ${contacts} contacts that are no longer in the journal: totals and table may miss them until those clients ask again`,
        ),
    });
  }
}
