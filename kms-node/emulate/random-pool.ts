// SPDX-License-Identifier: Apache-2.0
/** Random bytes, fetched from the system in blocks: a call for 16 bytes costs as much as one for 8192. Bytes are handed out once. */
import { randomFillSync } from 'node:crypto';

const POOL_BYTES = 8192;

export class RandomPool {
  readonly #pool = Buffer.allocUnsafeSlow(POOL_BYTES);
  #used = POOL_BYTES;

  /** Fills `length` (up to 8192) bytes of `target` at `offset`. */
  readonly fill = (target: Buffer, offset: number, length: number): void => {
    if (this.#used + length > POOL_BYTES) {
      randomFillSync(this.#pool);
      this.#used = 0;
    }
    this.#pool.copy(target, offset, this.#used, this.#used + length);
    this.#used += length;
  };
}
