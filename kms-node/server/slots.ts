// SPDX-License-Identifier: Apache-2.0
/**
 * A collection of things that come and go thousands of times a second. A Set would do, but each time it rehashes, the table that it leaves behind still points to what was
 * in it; once such a table has grown old, it keeps the young alive, and a kilobyte for each connection piles up until the next full collection. Measured: without
 * it a scavenge promotes nothing, and the heap stays flat.
 */
export class Slots<T extends object> {
  readonly #items: (T | undefined)[] = [];
  readonly #free: number[] = [];

  get size(): number {
    return this.#items.length - this.#free.length;
  }

  /** Answers the place, which {@link remove} wants. */
  add(item: T): number {
    const place = this.#free.pop() ?? this.#items.length;
    this.#items[place] = item;
    return place;
  }

  remove(place: number): void {
    this.#items[place] = undefined;
    this.#free.push(place);
  }

  *[Symbol.iterator](): Generator<T> {
    for (const item of this.#items) if (item !== undefined) yield item;
  }
}
