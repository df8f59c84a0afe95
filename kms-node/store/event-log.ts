// SPDX-License-Identifier: Apache-2.0
/**
 * The latest contacts in memory, packed, oldest dropped first: what the event stream is in Redis. Records stand one behind the other in chunks, and whole
 * chunks are dropped and used again, so that a contact costs no allocation. Not here: what a record says (`contact-record.ts`).
 */
import { MAX_RECORD_BYTES } from './contact-record.ts';

const CHUNK_BYTES = 64 * 1024;

interface Chunk {
  readonly bytes: Buffer;
  /** Position of its first record, counted from the first record ever. */
  first: number;
  records: number;
  used: number;
}

/** Where to write a record of at most MAX_RECORD_BYTES. */
export interface RecordPlace {
  readonly bytes: Buffer;
  readonly offset: number;
}

export class EventLog {
  readonly #chunks: Chunk[] = [];
  #next = 0;

  /** Records ever kept: the position of the next one. */
  get size(): number {
    return this.#next;
  }

  /** A place for the next record; it counts once {@link commit} is called, before the next call of this. */
  place(): RecordPlace {
    const chunk = this.#current();
    return { bytes: chunk.bytes, offset: chunk.used };
  }

  /** Keeps the record of `length` bytes that was written at {@link place}, and at least the newest `retention` records. */
  commit(length: number, retention: number): void {
    const chunk = this.#current();
    chunk.used += length;
    chunk.records += 1;
    this.#next += 1;
    let oldest = this.#chunks[0];
    while (oldest !== undefined && oldest !== chunk && this.#next - (oldest.first + oldest.records) >= retention) {
      this.#chunks.shift();
      oldest = this.#chunks[0];
    }
  }

  /** Places of the newest records first, at most `limit`, only those at positions below `before` and among the newest `retention`. */
  newest(query: { readonly limit: number; readonly before: number; readonly retention: number }): EventPlace[] {
    const found: EventPlace[] = [];
    const oldest = this.#next - query.retention;
    for (const chunk of this.#chunks.toReversed()) {
      if (chunk.first >= query.before) continue;
      for (const place of placesOf(chunk).toReversed()) {
        if (found.length >= query.limit || place.position < oldest) return found;
        if (place.position < query.before) found.push(place);
      }
    }
    return found;
  }

  #current(): Chunk {
    const last = this.#chunks.at(-1);
    if (last !== undefined && last.used + MAX_RECORD_BYTES <= CHUNK_BYTES) return last;
    const chunk = { bytes: Buffer.allocUnsafeSlow(CHUNK_BYTES), first: this.#next, records: 0, used: 0 };
    this.#chunks.push(chunk);
    return chunk;
  }
}

export interface EventPlace extends RecordPlace {
  /** Grows by one with every record. */
  readonly position: number;
}

function placesOf(chunk: Chunk): EventPlace[] {
  const places: EventPlace[] = [];
  let offset = 0;
  for (let i = 0; i < chunk.records; i += 1) {
    places.push({ bytes: chunk.bytes, offset, position: chunk.first + i });
    offset += chunk.bytes.readUInt16LE(offset);
  }
  return places;
}
