// SPDX-License-Identifier: Apache-2.0
/**
 * HMAC-SHA-256 (RFC 2104) as two one-shot digests over preallocated pads. A `createHmac` object per message costs about twice as much,
 * and three of them stand in the path of every V6 answer (docs/adr/0008).
 */
import { hash } from 'node:crypto';

const BLOCK_BYTES = 64;
const DIGEST_BYTES = 32;

export class HmacSha256 {
  /** Compose the message here; {@link digest} reads it whole. Valid until the next call. */
  readonly message: Buffer;
  readonly #inner: Buffer;
  readonly #outer: Buffer;

  /** `key` of at most 64 bytes (all of ours have 32); every message has `messageBytes` bytes. */
  constructor(key: Buffer, messageBytes: number) {
    this.#inner = Buffer.alloc(BLOCK_BYTES + messageBytes, 0x36);
    this.#outer = Buffer.alloc(BLOCK_BYTES + DIGEST_BYTES, 0x5c);
    key.forEach((byte, index) => {
      this.#inner.writeUInt8(byte ^ 0x36, index);
      this.#outer.writeUInt8(byte ^ 0x5c, index);
    });
    this.message = this.#inner.subarray(BLOCK_BYTES);
  }

  /** The 32 bytes over the message, as a latin1 string: the cheapest form that node:crypto returns. */
  digest(): string {
    this.#outer.write(hash('sha256', this.#inner, 'latin1'), BLOCK_BYTES, 'latin1');
    return hash('sha256', this.#outer, 'latin1');
  }
}
