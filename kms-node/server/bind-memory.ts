// SPDX-License-Identifier: Apache-2.0
/**
 * Remembers what binds came to. Clients of one kind send the same bind, byte for byte but for the call ID, and its answer depends on nothing else; so it is decoded
 * and negotiated once and copied from then on. Half of the server's own work for a fresh connection was there.
 */
import type { TransferSyntax } from '@kmspool/kms/wire';

export interface SettledBind {
  /** The bind_ack; call ID and association group are overwritten in each copy. */
  readonly ack: Buffer;
  readonly contexts: ReadonlyMap<number, TransferSyntax>;
  readonly maxFrag: number;
  /** The client can have several calls under way (CONC_MPX). */
  readonly concurrent: boolean;
}

/** Kinds of clients are few. When somebody sends a new kind each time, everything is learnt again now and then. */
const CAPACITY = 64;
const CALL_ID_AT = 12;
const GROUP_AT = 20;

export class BindMemory {
  readonly #known = new Map<string, SettledBind>();

  /** Everything that the answer depends on: flags, byte order, lengths, and all after the call ID. */
  static key(bytes: Buffer, start: number, end: number): string {
    return bytes.toString('latin1', start + 3, start + CALL_ID_AT) + bytes.toString('latin1', start + 16, end);
  }

  find(key: string): SettledBind | undefined {
    return this.#known.get(key);
  }

  keep(key: string, settled: SettledBind): void {
    if (this.#known.size >= CAPACITY) this.#known.clear();
    this.#known.set(key, settled);
  }
}

/** A bind_ack for another call. */
export function ackFor(settled: SettledBind, callId: number, groupId: number): Buffer {
  const ack = Buffer.allocUnsafe(settled.ack.length);
  settled.ack.copy(ack);
  ack.writeUInt32LE(callId, CALL_ID_AT);
  ack.writeUInt32LE(groupId, GROUP_AT);
  return ack;
}
