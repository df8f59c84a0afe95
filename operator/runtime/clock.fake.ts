// SPDX-License-Identifier: Apache-2.0

// For tests: a clock whose hands the test turns, and a wait for a state with a deadline in real time.
import type { Cancel, Clock } from './clock.ts';

interface Timer {
  atMs: number;
  run: () => void;
}

/** A clock that stands still until `advance` is called. Wall and monotonic time can be moved apart. */
export class FakeClock implements Clock {
  #monotonicMs = 0;
  #wallMs = Date.UTC(2026, 0, 1);
  readonly #timers = new Set<Timer>();

  now(): number {
    return this.#wallMs;
  }

  monotonic(): number {
    return this.#monotonicMs;
  }

  after(delayMs: number, run: () => void): Cancel {
    const timer = { atMs: this.#monotonicMs + Math.max(0, delayMs), run };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Delays of the timers that wait, shortest first. */
  pending(): number[] {
    return [...this.#timers].map(({ atMs }) => atMs - this.#monotonicMs).sort((a, b) => a - b);
  }

  /** Lets time pass, firing what falls due in order, with the pending promises run after each. */
  async advance(byMs: number): Promise<void> {
    const endMs = this.#monotonicMs + byMs;
    for (;;) {
      const due = [...this.#timers].filter(({ atMs }) => atMs <= endMs).sort((a, b) => a.atMs - b.atMs)[0];
      if (due === undefined) break;
      this.#timers.delete(due);
      this.#move(Math.max(0, due.atMs - this.#monotonicMs));
      due.run();
      await turn();
    }
    this.#move(Math.max(0, endMs - this.#monotonicMs));
    await turn();
  }

  /** Time passes and no timer fires: a stopped process (SIGSTOP). The next `advance` fires them late. */
  stop(forMs: number): void {
    this.#move(forMs);
  }

  /** The wall clock alone is set. */
  setWall(byMs: number): void {
    this.#wallMs += byMs;
  }

  #move(byMs: number): void {
    this.#monotonicMs += byMs;
    this.#wallMs += byMs;
  }
}

/** One turn of the event loop: promises settle, sockets that are ready are read. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Waits, in real time, until the state is there; fails with its name after the deadline. */
export async function until(state: () => boolean, name: string, deadlineMs = 5_000): Promise<void> {
  const end = performance.now() + deadlineMs;
  while (!state()) {
    if (performance.now() > end) throw new Error(`not within ${deadlineMs} ms: ${name}`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}
