// SPDX-License-Identifier: Apache-2.0
//
// Who is due when: a calendar of one-minute days, each a linked list in typed arrays. Adding and removing cost the same
// however many machines there are. It knows numbers of machines and times, nothing else.

export const SLOT_MS = 60_000;
/** Place of a machine that was taken out to be served; it stands in no list. */
const TAKEN = -2;
const NONE = -1;
/** In a sort key the time within the slot stands above the machine's number. */
const TIME_STEP = 2 ** 32;

export class Agenda {
  readonly #startMs: number;
  readonly #heads: Int32Array;
  readonly #next: Int32Array;
  readonly #previous: Int32Array;
  readonly #dueMs: Float64Array;
  #keys = new Float64Array(1024);

  /** For machines 0 … `machines` − 1 and times from `startMs` for `lengthMs`. */
  constructor(machines: number, startMs: number, lengthMs: number) {
    this.#startMs = startMs;
    this.#heads = new Int32Array(Math.ceil(lengthMs / SLOT_MS)).fill(NONE);
    this.#next = new Int32Array(machines).fill(NONE);
    this.#previous = new Int32Array(machines).fill(NONE);
    this.#dueMs = new Float64Array(machines).fill(Number.POSITIVE_INFINITY);
  }

  get slots(): number {
    return this.#heads.length;
  }

  /** Machine is due at `dueMs`, a whole number, and at no other time; never, if that is after the end. */
  set(machine: number, dueMs: number): void {
    this.remove(machine);
    const slot = this.#slotOf(dueMs);
    if (slot >= this.#heads.length) return;
    const head = this.#heads[slot] ?? NONE;
    this.#dueMs[machine] = dueMs;
    this.#next[machine] = head;
    this.#previous[machine] = NONE;
    if (head !== NONE) this.#previous[head] = machine;
    this.#heads[slot] = machine;
  }

  remove(machine: number): void {
    const dueMs = this.#dueMs[machine] ?? Number.POSITIVE_INFINITY;
    if (dueMs === Number.POSITIVE_INFINITY) return;
    this.#dueMs[machine] = Number.POSITIVE_INFINITY;
    const next = this.#next[machine] ?? NONE;
    if (next === TAKEN) return;
    const previous = this.#previous[machine] ?? NONE;
    if (next !== NONE) this.#previous[next] = previous;
    if (previous === NONE) this.#heads[this.#slotOf(dueMs)] = next;
    else this.#next[previous] = next;
  }

  /** Takes all machines of a slot, to be had by {@link taken} in order of time, then of number. Answers how many. */
  take(slot: number): number {
    let count = 0;
    const slotMs = this.#startMs + slot * SLOT_MS;
    for (let machine = this.#heads[slot] ?? NONE; machine !== NONE; ) {
      if (count === this.#keys.length) this.#grow();
      this.#keys[count++] = ((this.#dueMs[machine] ?? 0) - slotMs) * TIME_STEP + machine;
      const next = this.#next[machine] ?? NONE;
      this.#next[machine] = TAKEN;
      machine = next;
    }
    this.#heads[slot] = NONE;
    if (count > 1) this.#keys.subarray(0, count).sort();
    return count;
  }

  /** The machine at a place of what was taken; undefined if it was set or removed since. */
  taken(place: number): number | undefined {
    const machine = (this.#keys[place] ?? 0) % TIME_STEP;
    const there = this.#next[machine] === TAKEN && this.#dueMs[machine] !== Number.POSITIVE_INFINITY;
    return there ? machine : undefined;
  }

  /** When the machine at a place of what was taken is due. */
  takenDueMs(place: number, slot: number): number {
    return this.#startMs + slot * SLOT_MS + Math.floor((this.#keys[place] ?? 0) / TIME_STEP);
  }

  /** Undoes {@link take} for the places `from` … `to` − 1, as far as they are still as they were taken. */
  putBack(from: number, to: number, slot: number): void {
    for (let place = from; place < to; place++) {
      const machine = this.taken(place);
      if (machine !== undefined) this.set(machine, this.takenDueMs(place, slot));
    }
  }

  #slotOf(dueMs: number): number {
    return Math.max(0, Math.floor((dueMs - this.#startMs) / SLOT_MS));
  }

  #grow(): void {
    const larger = new Float64Array(2 * this.#keys.length);
    larger.set(this.#keys);
    this.#keys = larger;
  }
}
