// SPDX-License-Identifier: Apache-2.0
/**
 * The CMID table of one application (S3-11…14): who was seen in the last 30 days, the newest 2·N kept. Entries are ordered by (last seen, CMID),
 * which is also how a Redis sorted set orders them, so the host's copy and the script agree to the byte.
 *
 * The clock is the caller's. It may jump back (another Redis master); a table's own time never does.
 */
import { CMID_RETENTION_MS, raiseHighWater, tableCap } from './rules.ts';

/** CMID as 32 hex digits of its wire bytes -> last seen, milliseconds since 1970. */
export type CmidEntries = ReadonlyMap<string, number>;

export interface TableState {
  readonly highWater: number;
  readonly entries: CmidEntries;
}

export class CmidTable {
  #highWater = 0;
  /** In order of last seen: `record` re-inserts at the end, and only a merge has to sort. */
  #entries = new Map<string, number>();
  #latestMs = 0;
  /** Nobody expires before; kept so that most calls of `expire` need not look. */
  #quietUntilMs = 0;

  get highWater(): number {
    return this.#highWater;
  }

  /** Distinct CMIDs remembered, without looking at the clock; call {@link expire} first. */
  get size(): number {
    return this.#entries.size;
  }

  get cap(): number {
    return tableCap(this.#highWater);
  }

  /** Records one contact and answers the count that includes it (docs/protocol.md §4). */
  record(cmid: string, nowMs: number, required: number, maxRequiredCount: number): number {
    const at = Math.max(nowMs, this.#latestMs);
    this.#latestMs = at;
    this.#highWater = raiseHighWater(this.#highWater, required, maxRequiredCount);
    this.expire(at);
    this.#entries.delete(cmid);
    this.#entries.set(cmid, at);
    this.#quietUntilMs = Math.min(this.#quietUntilMs, at + CMID_RETENTION_MS);
    this.#trim();
    return this.#entries.size;
  }

  /** Forgets who was not seen for 30 days; an idle pool's count decays too (S3-12). Answers how many were forgotten. */
  expire(nowMs: number): number {
    if (nowMs < this.#quietUntilMs) return 0;
    const before = this.#entries.size;
    this.#quietUntilMs = nowMs + CMID_RETENTION_MS;
    for (const [cmid, at] of this.#entries) {
      if (at > nowMs - CMID_RETENTION_MS) {
        this.#quietUntilMs = at + CMID_RETENTION_MS;
        break;
      }
      this.#entries.delete(cmid);
    }
    return before - this.#entries.size;
  }

  /**
   * Joins another view of the same table: the larger N, per CMID the later time (no later than `nowMs`), then the newest 2·N. For equal N this is
   * commutative, associative and idempotent, so hosts may merge in any order and as often as they like.
   */
  merge(other: TableState, nowMs: number): void {
    this.#highWater = Math.max(this.#highWater, other.highWater);
    for (const [cmid, at] of other.entries) {
      const clamped = Math.min(at, nowMs);
      const known = this.#entries.get(cmid);
      if (known === undefined || known < clamped) this.#entries.set(cmid, clamped);
    }
    this.#sort();
    this.expire(nowMs);
    this.#trim();
  }

  /** Takes another state as it is: a copy of what the store holds. */
  replace(state: TableState): void {
    this.#highWater = state.highWater;
    this.#entries = new Map(state.entries);
    this.#sort();
  }

  state(): TableState {
    return { highWater: this.#highWater, entries: new Map(this.#entries) };
  }

  #sort(): void {
    this.#quietUntilMs = 0;
    this.#entries = new Map([...this.#entries].sort(byTimeThenCmid));
    this.#latestMs = Math.max(0, ...this.#entries.values());
  }

  #trim(): void {
    while (this.#entries.size > this.cap) this.#entries.delete(this.#oldest());
  }

  /** Entries stand in order of time, so only the first few can tie. */
  #oldest(): string {
    let oldest: [string, number] | undefined;
    for (const entry of this.#entries) {
      if (oldest && entry[1] > oldest[1]) break;
      if (!oldest || entry[0] < oldest[0]) oldest = entry;
    }
    return oldest?.[0] ?? '';
  }
}

function byTimeThenCmid(a: [string, number], b: [string, number]): number {
  return a[1] - b[1] || (a[0] < b[0] ? -1 : 1);
}
