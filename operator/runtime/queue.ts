// SPDX-License-Identifier: Apache-2.0

// A work queue of keys, as client-go's and controller-runtime's: a key waits at most once, is worked on by at most one
// worker, and may wait for a time to come. Of two wishes for one key the earlier time and the higher priority win. What
// is added while its key is in work comes back when that work is done.
import { type BackoffPolicy, backoffMs, RECONCILE_BACKOFF } from './backoff.ts';
import { type Cancel, type Clock, type Random, systemClock } from './clock.ts';
import { Heap } from './heap.ts';
import type { RuntimeMetrics } from './metrics.ts';

/** For what is not news: the objects of the first list. Everything else goes before it. */
export const LOW_PRIORITY = -100;

/** How and when a key should be worked on. */
export interface AddOptions {
  /** Not before; default at once. */
  readonly delayMs?: number;
  /** Higher goes first; default 0. */
  readonly priority?: number;
}

/** What a queue is made of. */
export interface QueueOptions {
  /** `name` and `controller` label of the metrics. */
  readonly name: string;
  readonly metrics: RuntimeMetrics;
  readonly backoff?: BackoffPolicy;
  readonly clock?: Clock;
  readonly random?: Random;
}

/** A wish for one key. */
interface Entry {
  readonly key: string;
  /** Monotonic time from which it is ready. */
  readonly atMs: number;
  readonly priority: number;
  /** Order of arrival, to be fair among equals. */
  readonly sequence: number;
}

/** The queue. Keys are handed out by `take` and must be given back by `done`. */
export class WorkQueue {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #backoff: BackoffPolicy;
  readonly #metrics: RuntimeMetrics['queue'];
  readonly #labels: { readonly name: string; readonly controller: string };
  /** The valid wish for each key that waits; what the heaps hold beside these is stale and skipped. */
  readonly #waiting = new Map<string, Entry>();
  readonly #delayed = new Heap<Entry>((a, b) => a.atMs < b.atMs);
  readonly #ready = new Heap<Entry>((a, b) =>
    a.priority === b.priority ? a.sequence < b.sequence : a.priority > b.priority,
  );
  readonly #inWork = new Map<string, { beganMs: number; again: Entry | undefined }>();
  readonly #failures = new Map<string, number>();
  readonly #takers: ((key: string | undefined) => void)[] = [];
  readonly #stopMeasuring: () => void;
  /** Keys whose valid wish is in the heap of the ready. */
  readonly #readyKeys = new Set<string>();
  #sequence = 0;
  #timer: { atMs: number; cancel: Cancel } | undefined;
  #closed = false;

  constructor(options: QueueOptions) {
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? Math.random;
    this.#backoff = options.backoff ?? RECONCILE_BACKOFF;
    this.#metrics = options.metrics.queue;
    this.#labels = { name: options.name, controller: options.name };
    const collect = (): void => this.#collect();
    options.metrics.onScrape.add(collect);
    this.#stopMeasuring = () => options.metrics.onScrape.delete(collect);
    this.#metrics.depth.set(this.#labels, 0);
  }

  /** Keys that wait, ready or delayed, and those in work. */
  get size(): { readonly ready: number; readonly delayed: number; readonly inWork: number } {
    return {
      ready: this.#readyKeys.size,
      delayed: this.#waiting.size - this.#readyKeys.size,
      inWork: this.#inWork.size,
    };
  }

  /** Wishes in memory, those included that a better one has replaced. */
  get held(): number {
    return this.#delayed.size + this.#ready.size;
  }

  /** Wishes that a key be worked on. After `close` nothing is taken in. */
  add(key: string, { delayMs = 0, priority = 0 }: AddOptions = {}): void {
    if (this.#closed) return;
    const wish = { key, atMs: this.#clock.monotonic() + Math.max(0, delayMs), priority, sequence: this.#sequence++ };
    const work = this.#inWork.get(key);
    if (work !== undefined) work.again = work.again === undefined ? wish : merged(work.again, wish);
    else this.#await(wish);
    this.#hand();
  }

  /** Wishes that a key be worked on after a failure: the wait doubles with each until {@link forget}. */
  retry(key: string, { atLeastMs = 0 }: { atLeastMs?: number } = {}): void {
    const failures = (this.#failures.get(key) ?? 0) + 1;
    this.#failures.set(key, failures);
    this.#metrics.retries.inc(this.#labels);
    this.add(key, { delayMs: Math.max(atLeastMs, backoffMs(failures, this.#backoff, this.#random)) });
  }

  /** The key's failures are over. */
  forget(key: string): void {
    this.#failures.delete(key);
  }

  /** Failures of a key since it was last forgotten. */
  failures(key: string): number {
    return this.#failures.get(key) ?? 0;
  }

  /** The next key, once there is one; undefined when the queue is closed. */
  take(): Promise<string | undefined> {
    if (this.#closed) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      this.#takers.push(resolve);
      this.#hand();
    });
  }

  /** Gives a key back. What was wished for it meanwhile now counts. */
  done(key: string): void {
    const work = this.#inWork.get(key);
    if (work === undefined) return;
    this.#inWork.delete(key);
    this.#metrics.workDuration.observe(this.#labels, (this.#clock.monotonic() - work.beganMs) / 1000);
    if (work.again === undefined || this.#closed) return;
    this.#await(work.again);
    this.#hand();
  }

  /** Hands out no more keys; those in work may still be given back. */
  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    this.#stopMeasuring();
    for (const take of this.#takers.splice(0)) take(undefined);
  }

  /** Lets a wish wait, joined with the one that waits already. */
  #await(wish: Entry): void {
    const known = this.#waiting.get(wish.key);
    const entry = known === undefined ? wish : merged(known, wish);
    if (entry === known) return;
    if (known === undefined) this.#metrics.adds.inc(this.#labels);
    this.#waiting.set(wish.key, entry);
    if (this.#readyKeys.has(entry.key) || this.#isReady(entry)) this.#makeReady(entry);
    else this.#delayed.push(entry);
  }

  #isReady({ atMs }: Entry): boolean {
    return atMs <= this.#clock.monotonic();
  }

  #makeReady(entry: Entry): void {
    this.#ready.push(entry);
    this.#readyKeys.add(entry.key);
    this.#metrics.depth.set(this.#labels, this.#readyKeys.size);
  }

  /** Moves what has become ready, then serves those who wait for a key. */
  #hand(): void {
    for (let next = this.#delayed.peek(); next !== undefined; next = this.#delayed.peek()) {
      if (this.#waiting.get(next.key) !== next) this.#delayed.pop();
      else if (!this.#isReady(next)) break;
      else this.#makeReady(this.#delayed.pop() as Entry);
    }
    while (this.#takers.length > 0) {
      const entry = this.#popReady();
      if (entry === undefined) break;
      this.#takers.shift()?.(entry.key);
    }
    this.#sweep();
    this.#setTimer();
  }

  /** Stale wishes go when their time comes; if that is far and they are many, they go now. */
  #sweep(): void {
    if (this.#delayed.size < 2 * this.#waiting.size + 64) return;
    this.#delayed.retain((entry) => this.#waiting.get(entry.key) === entry && !this.#readyKeys.has(entry.key));
  }

  #popReady(): Entry | undefined {
    for (let entry = this.#ready.pop(); entry !== undefined; entry = this.#ready.pop()) {
      if (this.#waiting.get(entry.key) !== entry) continue;
      this.#waiting.delete(entry.key);
      const nowMs = this.#clock.monotonic();
      this.#inWork.set(entry.key, { beganMs: nowMs, again: undefined });
      this.#readyKeys.delete(entry.key);
      this.#metrics.depth.set(this.#labels, this.#readyKeys.size);
      this.#metrics.queueDuration.observe(this.#labels, Math.max(0, nowMs - entry.atMs) / 1000);
      return entry;
    }
    return undefined;
  }

  #setTimer(): void {
    const next = this.#delayed.peek();
    if (this.#timer?.atMs === next?.atMs) return;
    this.#timer?.cancel();
    this.#timer = undefined;
    if (next === undefined || this.#closed) return;
    const fire = (): void => {
      this.#timer = undefined;
      this.#hand();
    };
    // A timer may fire a fraction of a millisecond early; #hand then sets the next one.
    this.#timer = { atMs: next.atMs, cancel: this.#clock.after(Math.ceil(next.atMs - this.#clock.monotonic()), fire) };
  }

  #collect(): void {
    const nowMs = this.#clock.monotonic();
    const ages = [...this.#inWork.values()].map(({ beganMs }) => (nowMs - beganMs) / 1000);
    this.#metrics.unfinished.set(
      this.#labels,
      ages.reduce((sum, age) => sum + age, 0),
    );
    this.#metrics.longestRunning.set(this.#labels, Math.max(0, ...ages));
  }
}

/** The earlier time and the higher priority of two wishes; the older one itself when the newer adds nothing. */
function merged(older: Entry, newer: Entry): Entry {
  if (newer.atMs >= older.atMs && newer.priority <= older.priority) return older;
  return {
    key: older.key,
    atMs: Math.min(older.atMs, newer.atMs),
    priority: Math.max(older.priority, newer.priority),
    sequence: older.sequence,
  };
}
