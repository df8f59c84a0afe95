// SPDX-License-Identifier: Apache-2.0
/**
 * Association group IDs (docs/protocol.md §1.3). KMS has no context handles, so a group means nothing but its number; still a client that
 * comes with a number of ours gets it back, and one with somebody else's (another pod's) gets a fresh one instead of a refusal.
 */
export class AssociationGroups {
  readonly #first: number;
  #next: number;

  /** `seed` makes numbers of different hosts unlikely to meet; any 32-bit number. */
  constructor(seed: number) {
    this.#first = ((seed & 0x3fff_0000) | 1) >>> 0;
    this.#next = this.#first;
  }

  /** The group for a bind that asks for `requested` (0 = new); never 0. */
  join(requested: number): number {
    if (requested >= this.#first && requested < this.#next) return requested;
    const id = this.#next;
    this.#next = id >= 0xffff_fffe ? this.#first : id + 1;
    return id;
  }
}
