// SPDX-License-Identifier: Apache-2.0

// How many events become few: repeats are counted up, events that differ only in their message are combined when they
// come in a flood, and each object has an allowance. The bounds are client-go's, but that a Warning is never lost to a
// series of Normal events. No I/O and no clock; recorder.ts writes.
import type { KubernetesObject } from './resource.ts';

/** An event about an object, as a controller reports it. */
export interface EventNote {
  readonly object: KubernetesObject;
  readonly type: 'Normal' | 'Warning';
  /** UpperCamelCase, for machines. */
  readonly reason: string;
  /** For people; cut at 1,024 characters, as the API server wants it. */
  readonly message: string;
}

/** Equal events: one Event object with a count. */
export interface EventSeries {
  readonly key: string;
  readonly note: EventNote;
  readonly message: string;
  readonly firstMs: number;
  lastMs: number;
  count: number;
  /** Name of the Event object, once one was written. */
  eventName: string | undefined;
}

/** A series is told further while its last event is not older than this; then a new one begins. */
const WINDOW_MS = 600_000;
/** Different messages of one reason within the window, before they are combined. */
const MOST_MESSAGES = 10;
/** Events of one object and type: 25 at once, then one in five minutes. */
const ALLOWANCE = { burst: 25, refillMs: 300_000 };
/** Series and objects that are remembered. */
const MOST_REMEMBERED = 4_096;
const LONGEST_MESSAGE = 1_024;

interface Allowance {
  tokens: number;
  atMs: number;
}

/** Counts events into series. */
export class EventAggregator {
  readonly #series = new Map<string, EventSeries>();
  readonly #messages = new Map<string, { readonly seen: Set<string>; startedMs: number }>();
  readonly #allowances = new Map<string, Allowance>();

  /**
   * Counts an event. Answers the series it belongs to and whether that may be written now; if not, its count is told by the
   * next event that may.
   */
  add(note: EventNote, nowMs: number): { series: EventSeries; mayWrite: boolean } {
    const group = [idOf(note.object), note.type, note.reason].join('|');
    const combined = this.#isFlood(group, note.message, nowMs);
    const text = combined ? `(combined from similar events): ${note.message}` : note.message;
    const key = combined ? group : `${group}|${note.message}`;
    const known = this.#series.get(key);
    const current = known !== undefined && nowMs - known.lastMs <= WINDOW_MS ? known : undefined;
    const series: EventSeries = {
      key,
      note,
      message: text.slice(0, LONGEST_MESSAGE),
      firstMs: current?.firstMs ?? nowMs,
      lastMs: nowMs,
      count: (current?.count ?? 0) + 1,
      eventName: current?.eventName,
    };
    remember(this.#series, key, series);
    return { series, mayWrite: this.#spend(`${idOf(note.object)}|${note.type}`, nowMs) };
  }

  /** Notes under which name a series is kept (or, undefined, that it is no longer). */
  written(key: string, eventName: string | undefined): void {
    const series = this.#series.get(key);
    if (series !== undefined) series.eventName = eventName;
  }

  #isFlood(group: string, message: string, nowMs: number): boolean {
    const known = this.#messages.get(group);
    const current = known !== undefined && nowMs - known.startedMs <= WINDOW_MS ? known : undefined;
    const entry = current ?? { seen: new Set<string>(), startedMs: nowMs };
    if (entry.seen.size <= MOST_MESSAGES) entry.seen.add(message);
    remember(this.#messages, group, entry);
    return entry.seen.size > MOST_MESSAGES;
  }

  #spend(id: string, nowMs: number): boolean {
    const known = this.#allowances.get(id) ?? { tokens: ALLOWANCE.burst, atMs: nowMs };
    const grown = (nowMs - known.atMs) / ALLOWANCE.refillMs;
    const tokens = Math.min(ALLOWANCE.burst, known.tokens + grown);
    const allowed = tokens >= 1;
    remember(this.#allowances, id, { tokens: allowed ? tokens - 1 : tokens, atMs: nowMs });
    return allowed;
  }
}

function idOf({ metadata, kind }: KubernetesObject): string {
  return metadata.uid ?? `${kind}/${metadata.namespace}/${metadata.name}`;
}

/** Puts an entry last and lets the oldest go: a Map keeps the order of insertion. */
function remember<V>(map: Map<string, V>, key: string, value: V): void {
  map.delete(key);
  map.set(key, value);
  if (map.size <= MOST_REMEMBERED) return;
  const oldest = map.keys().next().value;
  if (oldest !== undefined) map.delete(oldest);
}
