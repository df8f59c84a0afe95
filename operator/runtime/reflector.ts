// SPDX-License-Identifier: Apache-2.0

// Mirrors one kind, in one namespace or all, into a cache: list, then watch from there, for ever. It never gives up and
// never dies in silence:
//
//   what happens                      | what follows
//   ----------------------------------+------------------------------------------------------------------
//   the server ends the watch         | the next watch from the last resource version, at once
//   nothing comes, not even bookmarks | the connection counts as dead: a new watch on a new one; after three in a row, list again
//   410 Gone                          | list again; what differs was missed by the watch, and is counted
//   an event that cannot be read      | likewise, after a pause
//   anything else                     | a pause with jitter, doubling to 30 s, then the same again
//   404 for a kind that may be absent | empty cache, counts as synced, asked for again every 30 s
//   403 for one that may be forbidden | likewise
import { backoffMs, CONNECTION_BACKOFF } from './backoff.ts';
import type { Cache } from './cache.ts';
import type { Client, ListOptions, Selection } from './client.ts';
import { type Clock, linkAbort, type Random, sleep } from './clock.ts';
import { ApiError, isForbidden, isGone, isNotFound } from './errors.ts';
import type { Logger } from './log.ts';
import type { RuntimeMetrics } from './metrics.ts';
import { type Change, takeIn, takeOut, takeOutUnlisted } from './replica.ts';
import { type KubernetesObject, keyOf, type Resource, refOfObject, resourceName } from './resource.ts';
import { sharing } from './sharing.ts';
import type { WatchEvent } from './watch-event.ts';

/** What a reflector is made of; {@link Informer} has defaults for most of it. */
export interface ReflectorOptions<T extends KubernetesObject> {
  readonly client: Client;
  readonly resource: Resource<T>;
  readonly selection: Selection;
  readonly cache: Cache<T>;
  readonly onChange: (change: Change<T>) => void;
  /** Makes objects lean before they are kept; may change what it is given. */
  readonly trim: (object: T) => T;
  readonly pageSize: number;
  /** Silence after which a watch counts as dead. The server sends a bookmark every minute. */
  readonly silenceMs: number;
  /** Whether the kind may be missing on the server (a CRD of somebody else's). */
  readonly optional: boolean;
  /** Whether this program may lack the right to read it; then it is as if it were missing. */
  readonly mayBeForbidden: boolean;
  readonly metrics: RuntimeMetrics['reflector'];
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** `pending`: no complete list yet. `absent`: the API server does not know the kind. */
export type ReflectorState = 'pending' | 'synced' | 'absent';

/** A watch that had to be ended from this side because nothing came. */
class SilenceError extends Error {
  override readonly name = 'SilenceError';
}

const WATCH_SECONDS = { least: 300, most: 600 };
const ABSENT_RETRY_MS = 30_000;
/** A watch that ends sooner, without an event, is a failure: a broken proxy would else be asked in a tight loop. */
const SHORT_WATCH_MS = 1_000;
/** Watches in a row that were silent or unreadable, before the resource version itself is doubted (a restored etcd). */
const MOST_FRUITLESS = 3;

/** One list-and-watch loop. */
export class Reflector<T extends KubernetesObject> {
  readonly #options: ReflectorOptions<T>;
  readonly #labels: { readonly resource: string };
  readonly #namespace: string;
  #resourceVersion: string | undefined;
  #last: T | undefined;
  #state: ReflectorState = 'pending';
  #failures = 0;
  #fruitless = 0;
  #contactMs: number | undefined;
  #onState: () => void = () => {};

  constructor(options: ReflectorOptions<T>) {
    this.#options = options;
    this.#labels = { resource: resourceName(options.resource) };
    this.#namespace = options.selection.namespace ?? '';
  }

  get state(): ReflectorState {
    return this.#state;
  }

  /** Monotonic time of the last list, event or bookmark; undefined before the first. */
  get contactMs(): number | undefined {
    return this.#contactMs;
  }

  /** Mirrors until the signal is aborted. Never rejects. `onState` is called whenever the state has changed. */
  async run(signal: AbortSignal, onState: () => void = () => {}): Promise<void> {
    this.#onState = onState;
    while (!signal.aborted) {
      const pauseMs = await this.#step(signal).catch((error: unknown) => (signal.aborted ? 0 : this.#failed(error)));
      if (pauseMs > 0) await sleep(this.#options.clock, pauseMs, signal);
    }
  }

  /** A list or a watch, whichever is next. Answers how long to pause. */
  async #step(signal: AbortSignal): Promise<number> {
    if (this.#resourceVersion !== undefined) return this.#watch(this.#resourceVersion, signal);
    await this.#list(signal);
    return 0;
  }

  async #list(signal: AbortSignal): Promise<void> {
    const { metrics, clock, cache, selection } = this.#options;
    metrics.lists.inc(this.#labels);
    const beganMs = clock.monotonic();
    const listed = new Set<string>();
    const resourceVersion = await this.#listPages(listed, signal).catch((error: unknown) => {
      metrics.listFailures.inc(this.#labels);
      throw error;
    });
    this.#tell(takeOutUnlisted(cache, listed, selection.namespace), { missed: true });
    metrics.listDuration.observe(this.#labels, (clock.monotonic() - beganMs) / 1000);
    this.#fruitless = 0;
    this.#reached(resourceVersion);
    this.#enter('synced');
  }

  /** All pages; if the token expires on the way, everything in one. Objects are taken in as they come. */
  async #listPages(listed: Set<string>, signal: AbortSignal): Promise<string> {
    const { selection, pageSize } = this.#options;
    try {
      return await this.#takeInPages({ ...selection, limit: pageSize, signal }, listed);
    } catch (error) {
      if (!isGone(error)) throw error;
      listed.clear();
      return this.#takeInPages({ ...selection, signal }, listed);
    }
  }

  #takeInPages(options: ListOptions, listed: Set<string>): Promise<string> {
    const { client, resource, cache } = this.#options;
    return client.listEach(resource, options, (item) => {
      const object = this.#lean(item);
      listed.add(keyOf(refOfObject(object)));
      this.#tell(takeIn(cache, object, this.#state === 'pending'), { missed: true });
    });
  }

  async #watch(resourceVersion: string, signal: AbortSignal): Promise<number> {
    const { client, resource, selection, metrics, clock, random } = this.#options;
    const { least, most } = WATCH_SECONDS;
    const timeoutSeconds = Math.round(least + (most - least) * random());
    metrics.watches.inc(this.#labels);
    const beganMs = clock.monotonic();
    const watchdog = this.#watchdog(signal);
    let events = 0;
    try {
      const options = { ...selection, resourceVersion, timeoutSeconds, signal: watchdog.signal };
      for await (const event of client.watch(resource, options)) {
        watchdog.fed();
        events++;
        this.#take(event);
      }
    } finally {
      watchdog.stop();
      // Only a watch that lived ends a row of failures: lists that succeed between watches that fail do not.
      if (clock.monotonic() - beganMs >= SHORT_WATCH_MS) this.#failures = 0;
    }
    if (events > 0 || clock.monotonic() - beganMs >= SHORT_WATCH_MS) return 0;
    metrics.watchFailures.inc({ ...this.#labels, reason: 'short' });
    return this.#pause(undefined);
  }

  /** A signal that is aborted when nothing was fed for the length of the silence, or when `parent` is. */
  #watchdog(parent: AbortSignal): { signal: AbortSignal; fed(): void; stop(): void } {
    const { clock, silenceMs } = this.#options;
    const link = linkAbort(parent);
    const bite = (): void => link.abort(new SilenceError(`nothing received for ${silenceMs} ms`));
    let fedMs = clock.monotonic();
    // One timer a silence, not one an event: it looks when it fires whether it was fed meanwhile.
    const look = (): void => {
      const leftMs = fedMs + silenceMs - clock.monotonic();
      if (leftMs <= 0) bite();
      else cancel = clock.after(leftMs, look);
    };
    let cancel = clock.after(silenceMs, look);
    return {
      signal: link.signal,
      fed: () => {
        fedMs = clock.monotonic();
      },
      stop: () => {
        cancel();
        link.release();
      },
    };
  }

  #take(event: WatchEvent<T>): void {
    const { cache, metrics } = this.#options;
    metrics.events.inc({ ...this.#labels, type: event.type });
    this.#failures = 0;
    this.#fruitless = 0;
    if (event.type === 'BOOKMARK') {
      this.#reached(event.resourceVersion);
      return;
    }
    const object = this.#lean(event.object);
    this.#tell(event.type === 'DELETED' ? takeOut(cache, object) : takeIn(cache, object, false), { missed: false });
    this.#reached(object.metadata.resourceVersion ?? '');
  }

  /** An object as it is kept: trimmed, and sharing what it has in common with the version before or with the object that came last. */
  #lean(object: T): T {
    const { cache, trim } = this.#options;
    const trimmed = trim(object);
    this.#last = sharing(trimmed, cache.get(refOfObject(trimmed)) ?? this.#last);
    return this.#last;
  }

  /** Notes what a step's failure means for the next one. Answers how long to pause. */
  #failed(error: unknown): number {
    const { client, metrics, optional, mayBeForbidden, log, clock } = this.#options;
    const reason = reasonOf(error);
    // Else the next watch waits on one of them until its time limit.
    if (reason === 'silence') client.dropIdle().catch(() => undefined);
    const listing = this.#resourceVersion === undefined;
    if (!listing) metrics.watchFailures.inc({ ...this.#labels, reason });
    log.debug(
      { ...this.#labels, namespace: this.#namespace, reason, err: error },
      listing ? 'list failed' : 'watch failed',
    );
    const absent = (optional && isNotFound(error)) || (mayBeForbidden && isForbidden(error));
    if (listing && absent) {
      this.#tell(takeOutUnlisted(this.#options.cache, new Set(), this.#options.selection.namespace), { missed: false });
      this.#contactMs = clock.monotonic();
      this.#enter('absent');
      return ABSENT_RETRY_MS;
    }
    if (reason === 'unreadable' || reason === 'silence') this.#fruitless++;
    const stale = reason === 'gone' || isNotFound(error) || absent || this.#fruitless >= MOST_FRUITLESS;
    if (stale) this.#resourceVersion = undefined;
    return this.#pause(error);
  }

  /** The first failure after a success is answered at once where the cause is known to be over with it. */
  #pause(error: unknown): number {
    const { random, log } = this.#options;
    this.#failures++;
    const harmless = error instanceof SilenceError || isGone(error);
    if (harmless && this.#failures === 1) return 0;
    const asked = error instanceof ApiError ? (error.retryAfterSeconds ?? 0) * 1000 : 0;
    const pauseMs = Math.max(asked, backoffMs(this.#failures, CONNECTION_BACKOFF, random));
    if (this.#failures % 10 === 1)
      log.warn({ ...this.#labels, err: error, failures: this.#failures, pauseMs }, complaint(error));
    return pauseMs;
  }

  #reached(resourceVersion: string): void {
    const { metrics, clock } = this.#options;
    this.#contactMs = clock.monotonic();
    const labels = { ...this.#labels, namespace: this.#namespace };
    metrics.lastContact.set(labels, clock.now() / 1000);
    if (resourceVersion === '') return;
    this.#resourceVersion = resourceVersion;
    metrics.lastResourceVersion.set(labels, Number(resourceVersion) || 0);
  }

  #tell(changes: readonly Change<T>[], { missed }: { missed: boolean }): void {
    const { onChange, metrics, cache } = this.#options;
    if (changes.length === 0) return;
    if (missed && this.#state === 'synced') metrics.missedEvents.inc(this.#labels, changes.length);
    metrics.objects.set(this.#labels, cache.size);
    for (const change of changes) onChange(change);
  }

  #enter(state: ReflectorState): void {
    if (this.#state === state) return;
    this.#state = state;
    this.#onState();
  }
}

function complaint(error: unknown): string {
  if (isNotFound(error))
    return 'the API server does not know this kind; install its CustomResourceDefinition, it is looked for again';
  if (isForbidden(error)) return 'this kind may not be read; the role lacks a right, it is tried again';
  return 'cannot follow the API server, it is tried again';
}

function reasonOf(error: unknown): string {
  if (error instanceof SilenceError) return 'silence';
  if (isGone(error)) return 'gone';
  return error instanceof SyntaxError || error instanceof RangeError ? 'unreadable' : 'error';
}
