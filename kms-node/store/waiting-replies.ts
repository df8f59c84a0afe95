// SPDX-License-Identifier: Apache-2.0
/**
 * Who waits for the count of which contact, by sequence number. A ring, because numbers come and go in order and a Map that is filled and emptied ten thousand times a
 * second keeps what was in it alive (see `server/slots.ts`). Not here: what a waiting client is told.
 */
import type { CountReply } from './store.ts';

const FIRST_CAPACITY = 256;

export class WaitingReplies {
  #ring: (CountReply | undefined)[] = new Array(FIRST_CAPACITY).fill(undefined);
  /** No waiting number is lower or higher. */
  #oldest = 0;
  #newest = -1;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** `sequence` is higher than every one before. */
  add(sequence: number, reply: CountReply): void {
    if (this.#size === 0) this.#oldest = sequence;
    this.#newest = sequence;
    if (sequence - this.#oldest >= this.#ring.length) this.#grow();
    this.#ring[sequence % this.#ring.length] = reply;
    this.#size += 1;
  }

  /** Who waited for `sequence`, and does no longer. */
  take(sequence: number): CountReply | undefined {
    if (sequence < this.#oldest || sequence > this.#newest) return undefined;
    const place = sequence % this.#ring.length;
    const reply = this.#ring[place];
    this.#ring[place] = undefined;
    if (reply !== undefined) this.#size -= 1;
    if (sequence === this.#oldest) this.#oldest += 1;
    return reply;
  }

  /** All of them, in order; nobody waits afterwards. */
  takeAll(): { readonly sequence: number; readonly reply: CountReply }[] {
    const all: { readonly sequence: number; readonly reply: CountReply }[] = [];
    for (let sequence = this.#oldest; this.#size > 0 && sequence <= this.#newest; sequence += 1) {
      const reply = this.take(sequence);
      if (reply !== undefined) all.push({ sequence, reply });
    }
    return all;
  }

  #grow(): void {
    const ring = this.#ring;
    let capacity = ring.length;
    while (this.#newest - this.#oldest >= capacity) capacity *= 2;
    this.#ring = new Array(capacity).fill(undefined);
    for (let sequence = this.#oldest; sequence < this.#newest; sequence += 1) {
      if (sequence - this.#oldest >= ring.length) break;
      this.#ring[sequence % capacity] = ring[sequence % ring.length];
    }
  }
}
