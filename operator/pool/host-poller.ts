// SPDX-License-Identifier: Apache-2.0

// The leader asks hosts what they count and run: one ready host of a calm pool each quarter of a minute, those that something is amiss with more often
// (host-schedule.ts), many pools side by side. It remembers what they said and tells who listens when that changes. It decides nothing about pools.
import type { Counter } from 'prom-client';
import {
  type Cancel,
  type Clock,
  type Logger,
  linkAbort,
  type Random,
  refOf,
  silentLogger,
  systemClock,
} from '../runtime/index.ts';
import { type Ask, type Outcome, readFailure, readReply } from './host-ask.ts';
import {
  FAILURES_BELIEVED,
  type HostState,
  hurry,
  isSamePod,
  newHost,
  nextDueMs,
  nextInRound,
  type PollTarget,
  roundMs,
  saysTheSame,
} from './host-schedule.ts';
import type { HostReport } from './world.ts';

export type { PollTarget } from './host-schedule.ts';

/** What a poller is made of. */
export interface HostPollerOptions {
  readonly ask: Ask;
  /** `kmspool_host_polls_total`. */
  readonly polls: Counter<'result'>;
  /** For one question; default 2 s. */
  readonly timeoutMs?: number;
  /** Questions at once; default 32. */
  readonly concurrency?: number;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly log?: Logger;
}

/** One pool under watch. */
interface PoolState {
  readonly key: string;
  /** By name, in the order in which they were given. */
  hosts: ReadonlyMap<string, HostState>;
  poolId: string | undefined;
  /** Monotonic time of the next round. */
  roundDueMs: number;
  /** The host that the last round asked. */
  lastAsked: string | undefined;
  cancel: Cancel;
}

interface Question {
  readonly pool: PoolState;
  readonly host: HostState;
}

/** Asks the hosts of many pools. */
export class HostPoller {
  readonly #options: HostPollerOptions;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #log: Logger;
  readonly #pools = new Map<string, PoolState>();
  readonly #handlers = new Set<(key: string) => void>();
  readonly #waiting: Question[] = [];
  readonly #inFlight = new Set<Promise<void>>();
  /** Of the run that is on; undefined while there is none. */
  #signal: AbortSignal | undefined;

  constructor(options: HostPollerOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? Math.random;
    this.#log = options.log ?? silentLogger;
  }

  /**
   * Sets which hosts of a pool can be asked; the same again changes nothing. What a host said is forgotten when it has another Pod, or the pool another
   * identity.
   *
   * @param key `namespace/name` of the pool.
   * @param poolId the identity that its hosts must have; undefined while it has none.
   */
  watch(key: string, targets: readonly PollTarget[], poolId?: string): void {
    const nowMs = this.#clock.monotonic();
    const pool = this.#pools.get(key) ?? this.#newPool(key, poolId);
    // What was said to be of another identity has to be said again.
    const known = pool.poolId === poolId ? pool.hosts : new Map<string, HostState>();
    pool.hosts = new Map(targets.map((target) => [target.name, kept(known.get(target.name), target)]));
    pool.poolId = poolId;
    hurry(pool.hosts.values(), nowMs);
    this.#schedule(pool);
  }

  /** Forgets a pool and what its hosts said. */
  forget(key: string): void {
    this.#pools.get(key)?.cancel();
    this.#pools.delete(key);
  }

  /** What the present Pods of a pool said, by host; a host that was not asked yet is absent. */
  reports(key: string): ReadonlyMap<string, HostReport> {
    const hosts = [...(this.#pools.get(key)?.hosts ?? [])];
    return new Map(hosts.flatMap(([name, { report }]) => (report === undefined ? [] : [[name, report] as const])));
  }

  /** Adds a handler that is told the pool whose reports changed in something else than their time. Answers a function that removes it. */
  onChange(handler: (key: string) => void): () => void {
    this.#handlers.add(handler);
    return () => this.#handlers.delete(handler);
  }

  /** Asks until the signal is aborted; then all questions are broken off. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    this.#signal = signal;
    for (const pool of this.#pools.values()) this.#schedule(pool);
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    this.#signal = undefined;
    for (const { host } of this.#waiting.splice(0)) host.asking = false;
    for (const pool of this.#pools.values()) pool.cancel();
    await Promise.all(this.#inFlight);
  }

  #newPool(key: string, poolId: string | undefined): PoolState {
    // Spread over a whole round, so that the pools of a fresh leader do not stay in step.
    const roundDueMs = this.#clock.monotonic() + this.#random() * roundMs(this.#random);
    const pool: PoolState = { key, hosts: new Map(), poolId, roundDueMs, lastAsked: undefined, cancel: () => {} };
    this.#pools.set(key, pool);
    return pool;
  }

  /** Sets the pool's timer to what is due next. */
  #schedule(pool: PoolState): void {
    pool.cancel();
    if (this.#signal === undefined) return;
    const own = [...pool.hosts.values()].flatMap(({ dueMs, asking }) => (dueMs === undefined || asking ? [] : [dueMs]));
    const dueMs = Math.min(pool.roundDueMs, ...own);
    pool.cancel = this.#clock.after(Math.max(0, dueMs - this.#clock.monotonic()), () => this.#whenDue(pool));
  }

  #whenDue(pool: PoolState): void {
    const nowMs = this.#clock.monotonic();
    const hosts = [...pool.hosts.values()];
    for (const host of hosts)
      if (host.dueMs !== undefined && host.dueMs <= nowMs && !host.asking) this.#enqueue(pool, host);
    if (pool.roundDueMs <= nowMs) {
      pool.roundDueMs = nowMs + roundMs(this.#random);
      const next = nextInRound(hosts, pool.lastAsked);
      if (next !== undefined) {
        pool.lastAsked = next.target.name;
        this.#enqueue(pool, next);
      }
    }
    this.#schedule(pool);
  }

  #enqueue(pool: PoolState, host: HostState): void {
    host.asking = true;
    this.#waiting.push({ pool, host });
    this.#pump();
  }

  #pump(): void {
    const signal = this.#signal;
    if (signal === undefined) return;
    while (this.#inFlight.size < (this.#options.concurrency ?? 32)) {
      const question = this.#waiting.shift();
      if (question === undefined) return;
      if (!this.#isWatched(question)) continue;
      const asking: Promise<void> = this.#question(question, signal).finally(() => {
        this.#inFlight.delete(asking);
        this.#pump();
      });
      this.#inFlight.add(asking);
    }
  }

  /** False once the pool was forgotten, or the host has gone or has another Pod. */
  #isWatched({ pool, host }: Question): boolean {
    return this.#pools.get(pool.key) === pool && pool.hosts.get(host.target.name) === host;
  }

  async #question(question: Question, signal: AbortSignal): Promise<void> {
    const { host } = question;
    const outcome = await this.#ask(question, signal);
    host.asking = false;
    if (signal.aborted) return;
    this.#options.polls.inc({ result: outcome.result });
    if (this.#isWatched(question)) this.#take(question, outcome);
  }

  /** Never rejects, and answers in time whatever the way of asking does. */
  async #ask({ pool, host: { target } }: Question, signal: AbortSignal): Promise<Outcome> {
    const { ask, timeoutMs = 2_000 } = this.#options;
    const link = linkAbort(signal);
    const ended = Promise.withResolvers<Outcome>();
    const error = `${target.address} does not answer within ${timeoutMs / 1000} s`;
    link.signal.addEventListener('abort', () => ended.resolve({ result: 'timeout', error }), { once: true });
    const cancel = this.#clock.after(timeoutMs, () => link.abort(new Error(error)));
    const expected = { target, pool: refOf(pool.key).name, poolId: pool.poolId };
    const answered = async (): Promise<Outcome> => readReply(await ask(target, link.signal), expected);
    try {
      return await Promise.race([answered(), ended.promise]);
    } catch (failure) {
      return readFailure(failure, target);
    } finally {
      cancel();
      link.release();
    }
  }

  #take({ pool, host }: Question, outcome: Outcome): void {
    const before = host.report;
    learn(host, outcome, this.#clock.now());
    const nowMs = this.#clock.monotonic();
    hurry(pool.hosts.values(), nowMs);
    if (host.hurriedSinceMs !== undefined) host.dueMs = nextDueMs(host.hurriedSinceMs, nowMs, this.#random);
    this.#schedule(pool);
    if (host.report !== undefined && !saysTheSame(before, host.report)) this.#tell(pool.key);
  }

  #tell(key: string): void {
    for (const handler of this.#handlers) {
      try {
        handler(key);
      } catch (error) {
        this.#log.error({ err: error, pool: key }, 'a handler of host reports failed');
      }
    }
  }
}

/** The state of a host under its present target: the same as long as its Pod is. */
function kept(host: HostState | undefined, target: PollTarget): HostState {
  if (host === undefined || !isSamePod(host.target, target)) return newHost(target);
  const changed = host.target.wantedConfigHash !== target.wantedConfigHash || host.target.ready !== target.ready;
  host.target = target;
  // Whatever patience it was asked with before, this is new.
  if (changed) host.hurriedSinceMs = undefined;
  return host;
}

/** An answer is believed at once; that there is none only when there never was one, or several times in a row. */
function learn(host: HostState, outcome: Outcome, atMs: number): void {
  const { podUid } = host.target;
  if (outcome.result === 'answered') {
    host.failures = 0;
    host.report = { podUid, atMs, answer: outcome.answer };
    return;
  }
  host.failures += 1;
  const believed = outcome.result === 'foreign' || host.failures >= FAILURES_BELIEVED;
  if (believed || host.report?.answer === undefined) host.report = { podUid, atMs, error: outcome.error };
}
