// SPDX-License-Identifier: Apache-2.0
//
// The few things that happen at a time of their own, beside the machines: changes, samples, checkpoints.

type Action = (nowMs: number) => void;

export class Marks {
  /** In order of time; of the same time, in order of adding. */
  readonly #marks: { readonly atMs: number; readonly action: Action }[] = [];
  #done = 0;

  /** When the next one is; infinity if there is none. */
  get nextMs(): number {
    return this.#marks[this.#done]?.atMs ?? Number.POSITIVE_INFINITY;
  }

  add(atMs: number, action: Action): void {
    let place = this.#marks.length;
    while (place > this.#done && (this.#marks[place - 1]?.atMs ?? 0) > atMs) place -= 1;
    this.#marks.splice(place, 0, { atMs, action });
  }

  /** Runs all that are not later than `untilMs`, also those added meanwhile. */
  runUntil(untilMs: number): void {
    for (
      let mark = this.#marks[this.#done];
      mark !== undefined && mark.atMs <= untilMs;
      mark = this.#marks[this.#done]
    ) {
      this.#done += 1;
      mark.action(mark.atMs);
    }
  }
}
