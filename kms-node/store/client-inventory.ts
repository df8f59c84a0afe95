// SPDX-License-Identifier: Apache-2.0
/**
 * The latest contact of every client in memory: who asked, for what, when. Bounded; the client that was not seen for the longest time leaves first.
 * Records are packed into slots of chunked buffers, and the order of last seen is a doubly linked list over slot numbers, for a hundred thousand
 * clients as objects cost a hundred megabytes. Not here: counting (the CMID table forgets by other rules).
 */
import { MAX_RECORD_BYTES } from './contact-record.ts';

/** Holds the record of a 42-byte name and address; the few longer ones stand in buffers of their own. */
const SLOT_BYTES = 144;
const CHUNK_SLOTS = 1024;
const NONE = 0xffff_ffff;

/** A record in somebody's buffer. Valid until the inventory changes. */
export interface StoredRecord {
  readonly bytes: Buffer;
  readonly offset: number;
}

/** Who a client is: one machine may ask for Windows and for Office with the same CMID. */
export interface ClientKey {
  readonly application: number;
  /** 32 hex digits; the very string that the table uses, so that it is hashed once. */
  readonly cmid: string;
}

export class ClientInventory {
  /** By application. */
  readonly #slots: Map<string, number>[] = [];
  #size = 0;
  readonly #keys: ClientKey[] = [];
  readonly #chunks: Buffer[] = [];
  readonly #long = new Map<number, Buffer>();
  #newer = new Uint32Array(0);
  #older = new Uint32Array(0);
  #newest = NONE;
  #oldest = NONE;
  #free: number[] = [];

  get size(): number {
    return this.#size;
  }

  get(key: ClientKey): StoredRecord | undefined {
    const slot = this.#slots[key.application]?.get(key.cmid);
    return slot === undefined ? undefined : this.#stored(slot);
  }

  /** Makes the record at `from` (`length` bytes) the newest one of `key`; then drops the oldest beyond `capacity`. */
  put(key: ClientKey, from: StoredRecord, bounds: { readonly length: number; readonly capacity: number }): void {
    let slot = this.#slots[key.application]?.get(key.cmid);
    if (slot === undefined) {
      slot = this.#allocate(key);
      this.#link(slot);
    } else if (slot !== this.#newest) {
      this.#unlink(slot);
      this.#link(slot);
    }
    this.#write(slot, from, bounds.length);
    while (this.#size > bounds.capacity) this.#drop(this.#oldest);
  }

  /** Newest first. */
  *records(): Generator<StoredRecord> {
    for (let slot = this.#newest; slot !== NONE; slot = this.#older[slot] ?? NONE) yield this.#stored(slot);
  }

  #stored(slot: number): StoredRecord {
    const long = this.#long.get(slot);
    if (long !== undefined) return { bytes: long, offset: 0 };
    return { bytes: this.#chunkOf(slot), offset: (slot % CHUNK_SLOTS) * SLOT_BYTES };
  }

  #write(slot: number, from: StoredRecord, length: number): void {
    if (length > SLOT_BYTES) {
      const long = this.#long.get(slot) ?? Buffer.alloc(MAX_RECORD_BYTES);
      from.bytes.copy(long, 0, from.offset, from.offset + length);
      this.#long.set(slot, long);
      return;
    }
    if (this.#long.size > 0) this.#long.delete(slot);
    from.bytes.copy(this.#chunkOf(slot), (slot % CHUNK_SLOTS) * SLOT_BYTES, from.offset, from.offset + length);
  }

  #chunkOf(slot: number): Buffer {
    const chunk = this.#chunks[Math.floor(slot / CHUNK_SLOTS)];
    if (chunk === undefined) throw new RangeError(`slot ${slot} was never allocated`);
    return chunk;
  }

  #allocate(key: ClientKey): number {
    const slot = this.#free.pop() ?? this.#keys.length;
    if (slot === this.#keys.length && slot % CHUNK_SLOTS === 0) this.#grow();
    this.#keys[slot] = key;
    const slots = this.#slots[key.application] ?? new Map<string, number>();
    this.#slots[key.application] = slots;
    slots.set(key.cmid, slot);
    this.#size += 1;
    return slot;
  }

  #grow(): void {
    this.#chunks.push(Buffer.allocUnsafeSlow(CHUNK_SLOTS * SLOT_BYTES));
    const slots = this.#chunks.length * CHUNK_SLOTS;
    if (slots <= this.#newer.length) return;
    this.#newer = enlarged(this.#newer, Math.max(slots, 2 * this.#newer.length));
    this.#older = enlarged(this.#older, this.#newer.length);
  }

  #drop(slot: number): void {
    this.#unlink(slot);
    const key = this.#keys[slot];
    if (key !== undefined) this.#slots[key.application]?.delete(key.cmid);
    this.#size -= 1;
    this.#long.delete(slot);
    this.#free.push(slot);
  }

  #link(slot: number): void {
    this.#newer[slot] = NONE;
    this.#older[slot] = this.#newest;
    if (this.#newest === NONE) this.#oldest = slot;
    else this.#newer[this.#newest] = slot;
    this.#newest = slot;
  }

  #unlink(slot: number): void {
    const newer = this.#newer[slot] ?? NONE;
    const older = this.#older[slot] ?? NONE;
    if (newer === NONE) this.#newest = older;
    else this.#older[newer] = older;
    if (older === NONE) this.#oldest = newer;
    else this.#newer[older] = newer;
  }
}

function enlarged(array: Uint32Array, length: number): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(length);
  larger.set(array);
  return larger;
}
