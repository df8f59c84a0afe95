// SPDX-License-Identifier: Apache-2.0
/**
 * Brings the journal to Redis, each contact once and in order. Whatever goes wrong (a time-out, a cut connection, an error, a master that knows less than
 * the last one) takes the same walk: `#lose` -> `#recover` (connect, check, sync) -> `#rewind` to what the store has -> `#replay` what it lacks -> live.
 * The script counts a sequence number once, however often it comes. Not here: who waits for a count, what is answered meanwhile (`redis.ts`).
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Journal, JournalSlice } from './journal.ts';
import { backoffMs } from './loss.ts';
import { asStoreError, type RedisLink } from './redis-link.ts';
import { CALL_FLAG, decodeReply, type ScriptReply } from './script-call.ts';
import { countRoundTrip, type MutableStats } from './stats.ts';
import { StoreUnavailableError, StoreUnusableError } from './store.ts';

/** While calls are in flight the next one waits for a reply, or for so many contacts. */
const CONTACTS_WORTH_A_CALL = 8;
const MAX_CONTACTS_PER_CALL = 512;
/** A version of the tables that the copy has not is fetched this long after it was seen. */
const SYNC_SOON_MS = 50;
const TABLES_EVERY_MS = 10_000;
const CHECK_EVERY_MS = 30_000;
const NO_RECORDS = Buffer.alloc(0);

/** lost: no answer; replaying: it answers, and gets what it lacks; live: contacts are sent as they come. */
export type SenderPhase = 'lost' | 'replaying' | 'live' | 'closed';

export interface SenderOptions {
  readonly journal: Journal;
  readonly link: RedisLink;
  readonly stats: MutableStats;
  readonly monotonicMs: () => number;
  /** The header of a call. */
  readonly header: (flags: number, previous: number) => Buffer;
  /** Every answer, with the contacts that it counted; a sync and a gap count none. */
  readonly onReply: (reply: ScriptReply, counted: JournalSlice | undefined) => void;
  readonly onPhase: (phase: SenderPhase) => void;
  /** The store must not be used; only before it was live for the first time. */
  readonly onUnusable: (error: StoreUnusableError) => void;
  /** So many contacts are missing in the store and no longer in the journal. */
  readonly onContactsLost: (contacts: number) => void;
}

interface Call {
  readonly flags: number;
  readonly previous: number;
  readonly slice?: JournalSlice;
}

export class JournalSender {
  readonly #options: SenderOptions;
  readonly #closing = new AbortController();
  #phase: SenderPhase = 'lost';
  /** One line: why the phase is not live. */
  cause = 'connecting to Redis';
  /** Grows whenever what is in flight lost its meaning. */
  #epoch = 0;
  #inFlight = 0;
  #sent = 0;
  #sentEver = 0;
  #replayThrough = 0;
  #force = false;
  #everLive = false;
  #flushing: NodeJS.Immediate | undefined;
  #syncSoon: NodeJS.Timeout | undefined;
  #syncing = false;
  #tablesAtMs = 0;
  #checkedAtMs = 0;

  constructor(options: SenderOptions) {
    this.#options = options;
  }

  get phase(): SenderPhase {
    return this.#phase;
  }

  start(): void {
    void this.#recover();
  }

  /** A contact was written to the journal. */
  wake(): void {
    if (this.#phase !== 'live') return;
    if (this.#inFlight === 0) this.#flushing ??= setImmediate(() => this.#flush());
    else if (this.#options.journal.last - this.#sent >= CONTACTS_WORTH_A_CALL) this.#flush();
  }

  /** The store's tables changed in membership. */
  syncSoon(): void {
    this.#syncSoon ??= setTimeout(() => {
      this.#syncSoon = undefined;
      void this.sync();
    }, SYNC_SOON_MS).unref();
  }

  /** To be called twice a second: an idle host, too, learns what others count, and that the store lost what it had. */
  async sync(): Promise<void> {
    if (this.#phase !== 'live' || this.#syncing) return;
    this.#syncing = true;
    const epoch = this.#epoch;
    const now = this.#options.monotonicMs();
    try {
      if (now - this.#checkedAtMs > CHECK_EVERY_MS) await this.#open();
      const tables = now - this.#tablesAtMs > TABLES_EVERY_MS;
      const previous = this.#options.journal.acknowledged;
      const reply = await this.#call({ flags: CALL_FLAG.sync | (tables ? CALL_FLAG.tables : 0), previous });
      if (tables) this.#tablesAtMs = now;
      if (epoch !== this.#epoch) return;
      this.#options.onReply(reply, undefined);
      if (reply.gap) this.#onGap(reply);
    } catch (error) {
      if (epoch === this.#epoch) this.lose(error);
    } finally {
      this.#syncing = false;
    }
  }

  /** What is in flight may or may not have been counted; find out. */
  lose(cause: unknown): void {
    if (this.#phase === 'lost' || this.#phase === 'closed') return;
    this.cause = asStoreError(cause).message;
    this.#enter('lost');
    void this.#recover();
  }

  /** Ends all work; what is still pending stays unsent. */
  close(): void {
    this.#enter('closed');
    this.#closing.abort();
    clearTimeout(this.#syncSoon);
    clearImmediate(this.#flushing);
    this.#options.link.drop();
  }

  #enter(phase: SenderPhase): void {
    this.#epoch += 1;
    this.#inFlight = 0;
    this.#phase = phase;
    if (phase === 'live') this.#everLive = true;
    this.#options.onPhase(phase);
  }

  async #recover(): Promise<void> {
    for (let failures = 1; this.#phase === 'lost'; failures += 1) {
      try {
        await this.#open();
        const previous = this.#options.journal.acknowledged;
        const reply = await this.#call({ flags: CALL_FLAG.sync | CALL_FLAG.tables, previous });
        if (this.#phase !== 'lost') return;
        this.#tablesAtMs = this.#options.monotonicMs();
        this.#options.onReply(reply, undefined);
        if (reply.gap) this.#options.stats.gaps += 1;
        this.#rewind(reply.highest);
        return;
      } catch (error) {
        if (this.#phase !== 'lost' || this.#giveUp(error)) return;
      }
      await delay(backoffMs(failures, Math.random()), undefined, { signal: this.#closing.signal }).catch(
        () => undefined,
      );
    }
  }

  /** True when trying again is of no use. A connection on which recovery failed once is not tried again. */
  #giveUp(cause: unknown): boolean {
    const error = asStoreError(cause);
    this.cause = error.message;
    this.#options.link.drop();
    if (!(error instanceof StoreUnusableError) || this.#everLive) return false;
    this.close();
    this.#options.onUnusable(error);
    return true;
  }

  async #open(): Promise<void> {
    const { link, stats } = this.#options;
    const connections = link.connections;
    try {
      await link.open();
    } catch (error) {
      this.#countFailure(error);
      throw error;
    }
    if (link.connections !== connections && this.#everLive) stats.reconnects += 1;
    this.#checkedAtMs = this.#options.monotonicMs();
  }

  /** The store has this host's contacts up to `highest` and no more. */
  #rewind(highest: number): void {
    const { journal } = this.#options;
    journal.acknowledge(highest);
    this.#sent = journal.acknowledged;
    this.#replayThrough = journal.last;
    const missing = journal.first - 1 - this.#sent;
    this.#force = missing > 0;
    if (missing > 0) {
      this.#sent += missing;
      this.#options.stats.contactsLost += missing;
      this.#options.onContactsLost(missing);
    }
    if (!this.#replayed()) this.#enter('replaying');
    this.#replay();
  }

  #replayed(): boolean {
    return this.#sent >= this.#replayThrough && !this.#force;
  }

  #onGap(reply: ScriptReply): void {
    this.#options.stats.gaps += 1;
    this.cause = 'the store lost contacts that it had acknowledged, or got them out of order; sending them again';
    this.#rewind(reply.highest);
  }

  /** One call after the other, until the store has all that was written before the replay began. */
  #replay(): void {
    if (this.#replayed()) {
      this.#enter('live');
      this.#flush();
      return;
    }
    const flags = CALL_FLAG.replay | (this.#force ? CALL_FLAG.force : 0);
    this.#force = false;
    const slice = this.#options.journal.slice(this.#sent + 1, MAX_CONTACTS_PER_CALL);
    void this.#send({ flags, previous: this.#sent, ...(slice ? { slice } : {}) });
  }

  #flush(): void {
    clearImmediate(this.#flushing);
    this.#flushing = undefined;
    while (this.#phase === 'live' && this.#sent < this.#options.journal.last) {
      const slice = this.#options.journal.slice(this.#sent + 1, MAX_CONTACTS_PER_CALL);
      if (slice === undefined) return;
      void this.#send({ flags: 0, previous: this.#sent, slice });
    }
  }

  async #send(call: Call): Promise<void> {
    const epoch = this.#epoch;
    this.#inFlight += 1;
    const last = call.slice?.last ?? call.previous;
    this.#sent = last;
    try {
      const reply = await this.#call(call);
      if (epoch === this.#epoch) this.#inFlight -= 1;
      this.#onAnswer(reply, { call, last, current: epoch === this.#epoch });
    } catch (error) {
      if (epoch === this.#epoch) this.lose(error);
    }
  }

  /** An answer from before a loss still tells counts; what the store has by now, only the newest ones know. */
  #onAnswer(reply: ScriptReply, sent: { call: Call; last: number; current: boolean }): void {
    if (this.#phase === 'closed') return;
    if (reply.gap) {
      if (sent.current) this.#onGap(reply);
      return;
    }
    const { journal } = this.#options;
    if (sent.current) journal.acknowledge(Math.max(journal.acknowledged, sent.last));
    this.#options.onReply(reply, sent.call.slice);
    if (!sent.current) return;
    if (this.#phase === 'replaying') this.#replay();
    else if (this.#inFlight === 0 || journal.last - this.#sent >= CONTACTS_WORTH_A_CALL) this.#flush();
  }

  async #call(call: Call): Promise<ScriptReply> {
    const { link, stats, header, monotonicMs } = this.#options;
    const contacts = call.slice === undefined ? 0 : call.slice.last - call.slice.first + 1;
    stats.batches += 1;
    stats.contactsSent += contacts;
    stats.contactsResent += Math.max(0, Math.min(this.#sentEver, call.slice?.last ?? 0) - call.previous);
    this.#sentEver = Math.max(this.#sentEver, call.slice?.last ?? 0);
    const started = monotonicMs();
    try {
      const bytes = await link.call(header(call.flags, call.previous), call.slice?.bytes ?? NO_RECORDS);
      const reply = decodeReply(bytes, { contacts, sync: (call.flags & CALL_FLAG.sync) !== 0 });
      if (reply === undefined) throw new StoreUnavailableError('the script answered bytes that are no answer of it');
      countRoundTrip(stats, monotonicMs() - started);
      return reply;
    } catch (error) {
      this.#countFailure(error);
      throw error;
    }
  }

  #countFailure(error: unknown): void {
    if (error instanceof Error && error.message.includes('timed out')) this.#options.stats.timeouts += 1;
    else this.#options.stats.failures += 1;
  }
}
