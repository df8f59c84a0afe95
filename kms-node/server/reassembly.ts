// SPDX-License-Identifier: Apache-2.0
/**
 * Joins the fragments of one call (docs/protocol.md §1.6, §5.2, §9): at most 16 of them and 4096 stub bytes, judged as they arrive. Real KMS messages fit
 * into one PDU, which passes through here without a copy.
 */
import { type PduHeader, PFC, type RequestHead } from '@kmspool/kms/wire';

export const MAX_STUB_BYTES = 4096;
export const MAX_FRAGMENTS = 16;

interface PendingCall {
  readonly callId: number;
  readonly contextId: number;
  readonly opnum: number;
  readonly littleEndian: boolean;
}

export type Joined =
  | { readonly kind: 'pending' }
  | { readonly kind: 'whole'; readonly stub: Buffer }
  /** Not a first fragment, and no call with this ID is pending. */
  | { readonly kind: 'orphan' }
  | { readonly kind: 'second-first'; readonly pending: { callId: number; contextId: number } }
  | { readonly kind: 'mismatch' }
  | { readonly kind: 'too-large' };

export class Reassembly {
  #pending: PendingCall | undefined;
  #parts: Buffer[] = [];
  #bytes = 0;

  /** The call whose last fragment is awaited. */
  get pending(): PendingCall | undefined {
    return this.#pending;
  }

  add(part: Buffer, header: PduHeader, head: RequestHead): Joined {
    const first = (header.flags & PFC.firstFrag) !== 0;
    const last = (header.flags & PFC.lastFrag) !== 0;
    const pending = this.#pending;
    if (first && pending)
      return { kind: 'second-first', pending: { callId: pending.callId, contextId: pending.contextId } };
    if (first && last) return part.length > MAX_STUB_BYTES ? { kind: 'too-large' } : { kind: 'whole', stub: part };
    if (!first) {
      if (!pending || pending.callId !== header.callId) return { kind: 'orphan' };
      if (!continues(pending, header, head)) return { kind: 'mismatch' };
    }
    return this.#keep(
      part,
      last,
      first ? { ...head, callId: header.callId, littleEndian: header.littleEndian } : pending,
    );
  }

  #keep(part: Buffer, last: boolean, call: PendingCall | undefined): Joined {
    this.#pending = call;
    // A copy, for the network's buffer behind `part` may be 64 KiB and live for ten seconds.
    this.#parts.push(Buffer.from(part));
    this.#bytes += part.length;
    if (this.#bytes > MAX_STUB_BYTES || this.#parts.length > MAX_FRAGMENTS) return { kind: 'too-large' };
    if (!last) return { kind: 'pending' };
    const stub = Buffer.concat(this.#parts, this.#bytes);
    this.#pending = undefined;
    this.#parts = [];
    this.#bytes = 0;
    return { kind: 'whole', stub };
  }
}

function continues(pending: PendingCall, header: PduHeader, head: RequestHead): boolean {
  return (
    pending.contextId === head.contextId && pending.opnum === head.opnum && pending.littleEndian === header.littleEndian
  );
}
