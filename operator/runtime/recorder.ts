// SPDX-License-Identifier: Apache-2.0

// Kubernetes events for people who run `kubectl describe`. It reads core/v1 events, and shows `count` and both
// timestamps, so that is what is written; events.k8s.io shows the same objects. Best effort: whoever reports never
// waits and never fails, and what cannot be written is given up and counted.
import { backoffMs, CONNECTION_BACKOFF } from './backoff.ts';
import type { Client } from './client.ts';
import { type Clock, type Random, sleep, systemClock } from './clock.ts';
import { ApiError, isAlreadyExists, isNotFound, NotLeaderError } from './errors.ts';
import { EventAggregator, type EventNote, type EventSeries } from './event-series.ts';
import { type Logger, silentLogger } from './log.ts';
import type { RuntimeMetrics } from './metrics.ts';
import { defineResource, type KubernetesObject, type Resource } from './resource.ts';

/** core/v1 Event, as far as it is written. */
export interface CoreEvent extends KubernetesObject {
  involvedObject: {
    apiVersion?: string | undefined;
    kind?: string | undefined;
    namespace?: string | undefined;
    name: string;
    uid?: string | undefined;
    resourceVersion?: string | undefined;
  };
  type: 'Normal' | 'Warning';
  reason: string;
  message: string;
  count: number;
  firstTimestamp: string;
  lastTimestamp: string;
  source: { component: string };
  reportingComponent: string;
  reportingInstance: string;
}

/** The kind. */
export const EVENTS: Resource<CoreEvent> = defineResource<CoreEvent>({
  group: '',
  version: 'v1',
  plural: 'events',
  kind: 'Event',
  namespaced: true,
});

/** What a recorder is made of. */
export interface RecorderOptions {
  readonly client: Client;
  /** Shown as `From`. */
  readonly component: string;
  /** The pod's name. */
  readonly instance: string;
  readonly metrics: RuntimeMetrics;
  /** Series that may wait to be written; default 1,000. */
  readonly capacity?: number;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly log?: Logger;
}

const MOST_ATTEMPTS = 5;

/** Takes events and writes them one after another. */
export class EventRecorder {
  readonly #options: RecorderOptions;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #aggregator = new EventAggregator();
  /** What waits to be written, oldest first; a series waits once, with its latest count. */
  readonly #waiting = new Map<string, EventSeries>();
  readonly #given = new AbortController();
  #writing: Promise<void> | undefined;
  #closed = false;
  #names = 0;

  constructor(options: RecorderOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#log = options.log ?? silentLogger;
  }

  /** Reports an event about an object that was read from the API server (with its apiVersion, kind and uid). */
  event(note: EventNote): void {
    if (this.#closed) return;
    const { series, mayWrite } = this.#aggregator.add(note, this.#clock.now());
    const { capacity = 1_000 } = this.#options;
    const waits = this.#waiting.has(series.key);
    if (!waits && (!mayWrite || this.#waiting.size >= capacity)) {
      this.#discard(mayWrite ? 'full' : 'rate');
      return;
    }
    this.#waiting.set(series.key, series);
    this.#writing ??= this.#writeAll().finally(() => {
      this.#writing = undefined;
    });
  }

  /** Takes no more and waits for what waits to be written, at most this long. */
  async stop(withinMs = 5_000): Promise<void> {
    this.#closed = true;
    const cancel = this.#clock.after(withinMs, () => this.#given.abort(new Error('the recorder was stopped')));
    await this.#writing;
    cancel();
  }

  async #writeAll(): Promise<void> {
    for (let next = this.#next(); next !== undefined; next = this.#next()) await this.#writeOrGiveUp(next);
  }

  #next(): EventSeries | undefined {
    const next = this.#waiting.values().next().value;
    if (next !== undefined) this.#waiting.delete(next.key);
    return next;
  }

  async #writeOrGiveUp(series: EventSeries): Promise<void> {
    const { metrics, random = Math.random } = this.#options;
    // One name for all attempts: an attempt whose answer was lost may have made the object.
    const freshName = this.#nameFor(series);
    for (let attempt = 1; ; attempt++) {
      try {
        this.#given.signal.throwIfAborted();
        this.#aggregator.written(series.key, await this.#write(series, freshName));
        metrics.events.written.inc({ type: series.note.type });
        return;
      } catch (error) {
        const stopped = this.#given.signal.aborted || error instanceof NotLeaderError;
        if (stopped || isFinal(error) || attempt === MOST_ATTEMPTS) {
          this.#log.debug({ err: error, reason: series.note.reason }, 'event given up');
          this.#discard(stopped ? 'stopped' : 'refused');
          return;
        }
        await sleep(this.#clock, backoffMs(attempt, CONNECTION_BACKOFF, random), this.#given.signal);
      }
    }
  }

  /** Counts up the series' Event object, or makes one of this name. Answers the name it has. */
  async #write(series: EventSeries, freshName: string): Promise<string> {
    const { client } = this.#options;
    const namespace = namespaceOf(series);
    const { signal } = this.#given;
    if (series.eventName !== undefined) {
      const patch = { count: series.count, lastTimestamp: time(series.lastMs), message: series.message };
      try {
        await client.patch(EVENTS, { namespace, name: series.eventName }, { patch, signal });
        return series.eventName;
      } catch (error) {
        // The API server forgets events after an hour.
        if (!isNotFound(error)) throw error;
      }
    }
    try {
      await client.create(EVENTS, this.#eventOf(series, { namespace, name: freshName }), { signal });
    } catch (error) {
      // The answer to an earlier attempt was lost.
      if (!isAlreadyExists(error)) throw error;
    }
    return freshName;
  }

  #nameFor({ note }: EventSeries): string {
    const unique = `${this.#clock.now().toString(16)}${(this.#names++ & 0xfff).toString(16).padStart(3, '0')}`;
    return `${note.object.metadata.name.slice(0, 220)}.${unique}`;
  }

  #eventOf({ note, message, count, firstMs, lastMs }: EventSeries, at: CoreEvent['metadata']): CoreEvent {
    const { component, instance } = this.#options;
    const { apiVersion, kind, metadata } = note.object;
    const { name, uid, resourceVersion } = metadata;
    return {
      metadata: at,
      involvedObject: { apiVersion, kind, namespace: metadata.namespace, name, uid, resourceVersion },
      type: note.type,
      reason: note.reason,
      message,
      count,
      firstTimestamp: time(firstMs),
      lastTimestamp: time(lastMs),
      source: { component },
      reportingComponent: component,
      reportingInstance: instance,
    };
  }

  #discard(why: 'rate' | 'full' | 'refused' | 'stopped'): void {
    this.#options.metrics.events.discarded.inc({ why });
  }
}

/** An event lives beside its object; one about a cluster-scoped object in `default`, where kubectl looks for it. */
function namespaceOf({ note }: EventSeries): string {
  return note.object.metadata.namespace ?? 'default';
}

/** 4xx other than "too many": asking again will not help (forbidden, namespace going away, invalid). */
function isFinal(error: unknown): boolean {
  return error instanceof ApiError && error.statusCode < 500 && error.statusCode !== 429;
}

/** meta/v1 Time: whole seconds. */
function time(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
}
