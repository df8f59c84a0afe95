// SPDX-License-Identifier: Apache-2.0
/**
 * Machines that share a CMID because an image was not generalised (S1-17): the names that came with one CMID in the last 30 days. In memory; Redis keeps the
 * same in its script. Bounded: {@link MAX_DUPLICATE_CMIDS} CMIDs with {@link MAX_NAMES_PER_CMID} names each, the latest stay.
 */
import { CMID_RETENTION_MS } from '@kmspool/kms/counting';

export const MAX_NAMES_PER_CMID = 16;
export const MAX_DUPLICATE_CMIDS = 1000;

/** A name as it came, from where and when. */
export interface NameSighting {
  readonly workstationName: string;
  readonly address: string;
  readonly lastSeenMs: number;
}

/** The names of one CMID, latest first. */
export type NameGroup = readonly NameSighting[];

/** `group` with one more sighting: a known name moves to the front, names older than 30 days leave, the latest 16 stay. */
export function withSighting(group: NameGroup, sighting: NameSighting, nowMs: number): NameGroup {
  const others = group.filter((known) => known.workstationName !== sighting.workstationName);
  return stillFresh([sighting, ...others], nowMs).slice(0, MAX_NAMES_PER_CMID);
}

/** The names seen within 30 days before `nowMs`. */
export function stillFresh(group: NameGroup, nowMs: number): NameGroup {
  return group.filter((known) => known.lastSeenMs > nowMs - CMID_RETENTION_MS);
}

/** With the second latest name a duplicate ends; duplicates are ordered by it. */
function standsUntil(group: NameGroup): number {
  return group[1]?.lastSeenMs ?? 0;
}

export class DuplicateNames {
  readonly #groups = new Map<string, NameGroup>();

  /** Two contacts of one CMID, one after the other, had different names. */
  note(key: string, previous: NameSighting, current: NameSighting): void {
    const now = current.lastSeenMs;
    const group = withSighting(withSighting(this.#groups.get(key) ?? [], previous, now), current, now);
    this.#groups.set(key, group);
    if (this.#groups.size <= MAX_DUPLICATE_CMIDS) return;
    const [oldest] = [...this.#groups].reduce((a, b) => (standsUntil(b[1]) < standsUntil(a[1]) ? b : a));
    this.#groups.delete(oldest);
  }

  /** The CMIDs that still have two names or more, latest first. */
  groups(nowMs: number): [key: string, group: NameGroup][] {
    const fresh: [string, NameGroup][] = [];
    for (const [key, group] of this.#groups) {
      const names = stillFresh(group, nowMs);
      if (names.length < 2) this.#groups.delete(key);
      else fresh.push([key, names]);
    }
    return fresh.sort((a, b) => standsUntil(b[1]) - standsUntil(a[1]));
  }
}
