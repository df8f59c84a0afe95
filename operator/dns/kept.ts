// SPDX-License-Identifier: Apache-2.0

// A memory of what was looked up: one lookup for a key at a time, kept as long as it says itself, within bounds. It finds nothing out by itself.
import type { Clock } from '../runtime/index.ts';

/** What can be kept: a success says for how long. */
export type Keepable = { readonly ok: true; readonly ttlSeconds: number } | { readonly ok: false };

/** However short or long a TTL is: a zone's servers are not looked up more often, and a new one is noticed within ten minutes. */
const SHORTEST_MS = 30_000;
const LONGEST_MS = 600_000;
/** A failure is kept only so long that pools of one zone share it. */
const FAILURE_MS = 5_000;
const ENTRIES_MAX = 4096;

interface Entry<V> {
  readonly value: Promise<V>;
  /** Monotonic; infinite while the lookup is under way. */
  untilMs: number;
}

/** Remembers by key. */
export class Kept<V extends Keepable> {
  readonly #clock: Clock;
  readonly #entries = new Map<string, Entry<V>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** What is known, or what `look` finds. @param signal the one that `look` obeys: what was given up is not kept. */
  get(key: string, look: () => Promise<V>, signal: AbortSignal): Promise<V> {
    const known = this.#entries.get(key);
    if (known !== undefined && known.untilMs > this.#clock.monotonic()) return known.value;
    this.#makeRoom();
    const entry: Entry<V> = { value: look(), untilMs: Number.POSITIVE_INFINITY };
    this.#entries.set(key, entry);
    const keep = (keepMs: number): void => {
      entry.untilMs = this.#clock.monotonic() + keepMs;
    };
    entry.value.then(
      (value) => keep(signal.aborted ? 0 : keepMsOf(value)),
      () => keep(0),
    );
    return entry.value;
  }

  #makeRoom(): void {
    if (this.#entries.size < ENTRIES_MAX) return;
    const nowMs = this.#clock.monotonic();
    for (const [key, { untilMs }] of this.#entries) if (untilMs <= nowMs) this.#entries.delete(key);
    if (this.#entries.size >= ENTRIES_MAX) this.#entries.clear();
  }
}

function keepMsOf(value: Keepable): number {
  return value.ok ? Math.min(Math.max(value.ttlSeconds * 1000, SHORTEST_MS), LONGEST_MS) : FAILURE_MS;
}
