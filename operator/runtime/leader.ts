// SPDX-License-Identifier: Apache-2.0

// Leader election by a Lease: contend, lead while renewing, release at the stop. As client-go does it, and stricter in
// one point: whoever writes asks `guard` first, in the same turn in which the bytes leave, so that a leader that was
// stopped past its deadline starts no write after waking. (A write that left before may still arrive: no lease is a
// fence. The five seconds between renewDeadline and leaseDuration are for those.)
import { jittered } from './backoff.ts';
import type { Client } from './client.ts';
import { aborted, type Clock, type LinkedAbort, linkAbort, type Random, sleep, systemClock } from './clock.ts';
import { isAlreadyExists, isConflict, isNotFound, NotLeaderError } from './errors.ts';
import {
  heldBy,
  isHeldByAnother,
  LEASES,
  type Lease,
  type Moment,
  mayAct,
  type Observation,
  observe,
  released,
} from './lease.ts';
import { type Logger, silentLogger } from './log.ts';
import type { RuntimeMetrics } from './metrics.ts';

/** What an elector is made of. Defaults are client-go's. */
export interface LeaderOptions {
  /** Without a guard, and with a throttle of its own: renewals must not queue behind the work. */
  readonly client: Client;
  readonly namespace: string;
  readonly leaseName: string;
  /** Unlike every other contender's: the pod's name and something random. */
  readonly identity: string;
  readonly metrics: RuntimeMetrics;
  /** How long others wait for a holder that is silent; whole seconds, default 15. */
  readonly leaseDurationSeconds?: number;
  /** How long a holder acts without a renewal; default 10 s, must be shorter than the duration. */
  readonly renewDeadlineMs?: number;
  /** Between attempts; default 2 s. */
  readonly retryPeriodMs?: number;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly log?: Logger;
}

/** `stopped`: by the signal, lease released. `lost`: somebody else leads, or nobody knows; contend again or exit. */
export type TermEnd = 'stopped' | 'lost';

/** client-go's jitter of the retry period: up to 1.2 periods more. */
const JITTER = 1.2;

/** One contender for one lease. */
export class LeaderElector {
  readonly #options: LeaderOptions;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #log: Logger;
  readonly #durationSeconds: number;
  readonly #deadlineMs: number;
  readonly #periodMs: number;
  #observation: Observation | undefined;
  /** Attempts that failed for no everyday reason since the last success. */
  #troubles = 0;
  /** When the last renewal that succeeded was sent; undefined while not leading. */
  #renewed: Moment | undefined;

  /** @throws RangeError when the times are not leaseDuration > renewDeadline > 1.2 · retryPeriod. */
  constructor(options: LeaderOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? Math.random;
    this.#log = (options.log ?? silentLogger).child({ lease: options.leaseName, identity: options.identity });
    this.#durationSeconds = options.leaseDurationSeconds ?? 15;
    this.#deadlineMs = options.renewDeadlineMs ?? 10_000;
    this.#periodMs = options.retryPeriodMs ?? 2_000;
    if (this.#durationSeconds * 1000 <= this.#deadlineMs || this.#deadlineMs <= JITTER * this.#periodMs)
      throw new RangeError('leader election: leaseDuration > renewDeadline > 1.2 · retryPeriod must hold');
    this.#show();
  }

  /** Whether this process may act as the leader at this very moment. */
  isLeader(): boolean {
    return this.#renewed !== undefined && mayAct(this.#renewed, this.#moment(), this.#deadlineMs);
  }

  /** For {@link Client.withGuard}. @throws NotLeaderError when {@link isLeader} is false. */
  readonly guard = (): void => {
    if (!this.isLeader()) throw new NotLeaderError();
  };

  /** Who holds the lease, as last seen; empty when nobody does. */
  get leader(): string {
    return this.#observation?.lease.spec?.holderIdentity ?? '';
  }

  /**
   * Contends until it leads, then calls `lead` once with a signal that is aborted when the process stops or the lease is
   * lost. While `lead` winds up after a stop the lease is still renewed; then it is released. What `lead` throws is
   * thrown, after the release.
   */
  async run(signal: AbortSignal, lead: (term: AbortSignal) => Promise<void>): Promise<TermEnd> {
    if (!(await this.#acquire(signal))) return 'stopped';
    this.#log.info({}, 'became leader');
    const term = linkAbort(signal);
    const ended = new AbortController();
    const renewing = this.#renewUntil(ended.signal, term);
    try {
      await lead(term.signal);
      // A task that ends by itself keeps its term: nobody else should begin it anew.
      await aborted(term.signal);
    } finally {
      ended.abort();
      term.release();
      await renewing;
      await this.#release();
    }
    return signal.aborted ? 'stopped' : 'lost';
  }

  async #acquire(signal: AbortSignal): Promise<boolean> {
    while (!signal.aborted) {
      if (await this.#attempt(signal)) return true;
      await sleep(this.#clock, jittered(this.#periodMs, JITTER, this.#random), signal);
    }
    return false;
  }

  /** Renews until told to end; ends the term when no renewal has succeeded within the deadline. */
  async #renewUntil(ended: AbortSignal, term: LinkedAbort): Promise<void> {
    const stopWatching = this.#watchDeadline(term);
    while (!ended.aborted && this.#renewed !== undefined) {
      await sleep(this.#clock, this.#periodMs, ended);
      if (ended.aborted || !this.isLeader()) break;
      await this.#attempt(ended);
    }
    if (!ended.aborted) this.#lose(term);
    stopWatching();
  }

  /** A renewal that hangs must not hide that the deadline has passed: a timer of its own looks. */
  #watchDeadline(term: LinkedAbort): () => void {
    let cancel = (): void => {};
    const look = (): void => {
      const renewed = this.#renewed;
      if (renewed === undefined || !this.isLeader()) this.#lose(term);
      else cancel = this.#clock.after(renewed.monotonicMs + this.#deadlineMs - this.#clock.monotonic(), look);
    };
    look();
    return () => cancel();
  }

  #lose(term: LinkedAbort): void {
    if (!term.signal.aborted) this.#log.warn({ leader: this.leader }, 'lost the lease');
    this.#renewed = undefined;
    this.#show();
    term.abort(new NotLeaderError('the lease was lost'));
  }

  /** One attempt to take or renew. False, with a line in the log, when it did not succeed. */
  async #attempt(signal: AbortSignal): Promise<boolean> {
    const leading = this.#renewed !== undefined;
    try {
      const sent = await this.#takeOrRenew(signal);
      this.#troubles = 0;
      // Lost meanwhile, by the deadline: a renewal that came too late does not bring the term back.
      if (sent === undefined || (leading && this.#renewed === undefined)) return false;
      this.#renewed = sent;
      this.#show();
      return true;
    } catch (error) {
      if (signal.aborted) return false;
      // Quicker contenders are everyday; so is our own renewal whose answer got lost. Look again next time.
      const everyday = isConflict(error) || isAlreadyExists(error) || isNotFound(error);
      if (everyday) this.#observation = undefined;
      this.#complain(error, { leading, everyday });
      return false;
    }
  }

  /** What lasts, such as a right that is missing, is told at once and then every tenth time. */
  #complain(error: unknown, { leading, everyday }: { leading: boolean; everyday: boolean }): void {
    const attempts = everyday ? this.#troubles : ++this.#troubles;
    const fields = { err: error, leading, attempts };
    if (everyday || attempts % 10 !== 1) this.#log.debug(fields, 'did not get or renew the lease');
    else this.#log.warn(fields, 'cannot get or renew the lease');
  }

  /** Answers when the successful write was sent; undefined if another one holds the lease. */
  async #takeOrRenew(signal: AbortSignal): Promise<Moment | undefined> {
    const { client, identity, namespace, leaseName } = this.#options;
    const call = { signal, timeoutMs: this.#deadlineMs / 2 };
    const renewing = this.#renewed !== undefined && this.#observation !== undefined;
    const lease = renewing ? this.#observation?.lease : await client.find(LEASES, { namespace, name: leaseName }, call);
    const now = this.#clock.monotonic();
    if (lease !== undefined) {
      this.#observation = observe(this.#observation, lease, now);
      if (isHeldByAnother(this.#observation, identity, now)) return this.#yield();
    }
    const sent = this.#moment();
    const base: Lease = lease ?? { metadata: { namespace, name: leaseName } };
    const wanted = heldBy(base, { identity, durationSeconds: this.#durationSeconds, nowMs: sent.wallMs });
    const writer = this.#renewed === undefined ? client : client.withGuard(this.guard);
    const written = lease === undefined ? writer.create(LEASES, wanted, call) : writer.replace(LEASES, wanted, call);
    this.#observation = { lease: await written, atMs: this.#clock.monotonic() };
    return sent;
  }

  /** Another one holds the lease. If it was ours, it no longer is. */
  #yield(): undefined {
    this.#renewed = undefined;
    this.#show();
    return undefined;
  }

  /** Gives the lease back, if it is still ours. A renewal that was cut off may have changed it: then once more. */
  async #release(): Promise<void> {
    try {
      const conflict = await this.#writeRelease(this.#observation?.lease).catch((error: unknown) => {
        if (isConflict(error)) return true;
        throw error;
      });
      if (conflict) await this.#writeRelease(await this.#readOwn());
    } catch (error) {
      this.#log.warn({ err: error }, 'could not release the lease; the next leader waits until it expires');
    }
    this.#renewed = undefined;
    this.#observation = undefined;
    this.#show();
  }

  async #writeRelease(lease: Lease | undefined): Promise<false> {
    if (lease === undefined || !this.isLeader()) return false;
    const writer = this.#options.client.withGuard(this.guard);
    await writer.replace(LEASES, released(lease, this.#clock.now()), { timeoutMs: this.#periodMs });
    this.#log.info({}, 'released the lease');
    return false;
  }

  async #readOwn(): Promise<Lease | undefined> {
    const { client, namespace, leaseName, identity } = this.#options;
    const lease = await client.find(LEASES, { namespace, name: leaseName }, { timeoutMs: this.#periodMs });
    return lease?.spec?.holderIdentity === identity ? lease : undefined;
  }

  #moment(): Moment {
    return { wallMs: this.#clock.now(), monotonicMs: this.#clock.monotonic() };
  }

  #show(): void {
    const { metrics, leaseName } = this.#options;
    metrics.leader.master.set({ name: leaseName }, this.#renewed === undefined ? 0 : 1);
  }
}
