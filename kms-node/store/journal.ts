// SPDX-License-Identifier: Apache-2.0
/**
 * The journal: this host's latest contacts, packed one behind the other in a ring, so that they can be sent (again) as slices of it. A contact that the
 * store acknowledged may be overwritten once its place is needed, one that it did not never is. Pure: who sends, and when, is not said here.
 */
import { RECORD_KIND, RECORD_OFFSET } from './contact-record.ts';

export const DEFAULT_JOURNAL_BYTES = 16 * 1024 * 1024;
/** Fixed part, empty name, empty address. */
const MIN_RECORD_BYTES = 102;

/** Writes one record at `offset` of `target` and answers its length. */
export type WriteRecord = (target: Buffer, offset: number, sequence: number) => number;

/** Records that stand side by side in the ring: a view, valid as long as they are not acknowledged. */
export interface JournalSlice {
  readonly bytes: Buffer;
  readonly first: number;
  readonly last: number;
}

export class Journal {
  readonly #ring: Buffer;
  /** Offset by sequence number modulo its length. */
  readonly #offsets: Uint32Array;
  readonly #maxRecordBytes: number;
  #head = 0;
  #first = 1;
  #next = 1;
  #acknowledged = 0;

  /** `capacityBytes` of address space, which the system backs with memory as it is written; records of at most `maxRecordBytes`. */
  constructor(capacityBytes: number, maxRecordBytes: number) {
    if (capacityBytes < 2 * maxRecordBytes) throw new RangeError(`a journal needs ${2 * maxRecordBytes} bytes or more`);
    this.#ring = Buffer.allocUnsafeSlow(capacityBytes);
    this.#offsets = new Uint32Array(Math.ceil(capacityBytes / MIN_RECORD_BYTES));
    this.#maxRecordBytes = maxRecordBytes;
  }

  /** Sequence number of the oldest contact held; {@link last} + 1 if none is. */
  get first(): number {
    return this.#first;
  }

  /** Sequence number of the newest contact ever written; 0 before the first. */
  get last(): number {
    return this.#next - 1;
  }

  /** The store has every contact up to this one. */
  get acknowledged(): number {
    return this.#acknowledged;
  }

  get pendingContacts(): number {
    return this.last - this.#acknowledged;
  }

  get capacityBytes(): number {
    return this.#ring.length;
  }

  /** Bytes of all contacts held, acknowledged or not. */
  get bytes(): number {
    if (this.#first > this.last) return 0;
    const from = this.#offsetOf(this.#first);
    return this.#head > from ? this.#head - from : this.#ring.length - from + this.#head;
  }

  /** Writes the next contact and answers its sequence number; undefined when the ring is full of unacknowledged ones. */
  append(write: WriteRecord): number | undefined {
    if (!this.#makeRoom()) return undefined;
    const sequence = this.#next;
    const length = write(this.#ring, this.#head, sequence);
    this.#offsets[sequence % this.#offsets.length] = this.#head;
    this.#head += length;
    this.#next += 1;
    return sequence;
  }

  /**
   * What the store has: all up to `sequence`, and no more. It may be less than was said before (a master that lost writes); then those
   * behind it are unacknowledged again, as far as the journal still holds them.
   */
  acknowledge(sequence: number): void {
    this.#acknowledged = Math.min(sequence, this.last);
  }

  /** The contacts from `from` on that stand side by side, at most `maxContacts`; undefined if there are none. */
  slice(from: number, maxContacts: number): JournalSlice | undefined {
    if (from < this.#first || from > this.last) return undefined;
    const start = this.#offsetOf(from);
    let last = Math.min(this.last, from + maxContacts - 1);
    while (this.#offsetOf(last) < start) last -= 1;
    const end = this.#offsetOf(last) + this.#lengthAt(this.#offsetOf(last));
    return { bytes: this.#ring.subarray(start, end), first: from, last };
  }

  /** Makes a contact count for nothing, wherever it is sent from now on. */
  void(sequence: number): void {
    if (sequence < this.#first || sequence > this.last) return;
    this.#ring.writeUInt8(RECORD_KIND.void, this.#offsetOf(sequence) + RECORD_OFFSET.kind);
  }

  /** Where a held contact's record stands: buffer and offset. */
  place(sequence: number): { readonly bytes: Buffer; readonly offset: number } | undefined {
    if (sequence < this.#first || sequence > this.last) return undefined;
    return { bytes: this.#ring, offset: this.#offsetOf(sequence) };
  }

  /** A record is never split: when the rest of the ring is too short for the longest one, writing goes on at its start. */
  #makeRoom(): boolean {
    if (this.#ring.length - this.#head < this.#maxRecordBytes) {
      if (!this.#release(this.#head, this.#ring.length)) return false;
      this.#head = 0;
    }
    if (this.#next - this.#first >= this.#offsets.length) return false;
    return this.#release(this.#head, this.#head + this.#maxRecordBytes);
  }

  /** Gives up the oldest contacts as long as they stand between `from` and `to`; false if one of them is not acknowledged. */
  #release(from: number, to: number): boolean {
    while (this.#first < this.#next) {
      const offset = this.#offsetOf(this.#first);
      if (offset < from || offset >= to) return true;
      if (this.#first > this.#acknowledged) return false;
      this.#first += 1;
    }
    return true;
  }

  #offsetOf(sequence: number): number {
    return this.#offsets[sequence % this.#offsets.length] ?? 0;
  }

  #lengthAt(offset: number): number {
    return this.#ring.readUInt16LE(offset);
  }
}
