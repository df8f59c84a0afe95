// SPDX-License-Identifier: Apache-2.0

// Writes to the API server that may wait for one another: one at a time for each key, the newest in the place of one that has not begun, and again while
// the API server is away. What it refuses for good is kept as a failure: the player's stop tells it.
import { ApiError, isConflict, isNotFound } from '../../../../operator/runtime/index.ts';

const AT_ONCE = 32;
const RETRY_MS = 250;

type Write = () => Promise<unknown>;

export class ApiQueue {
  readonly #waiting = new Map<string, Write>();
  readonly #running = new Set<string>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #stopped = false;
  /** Refusals that are no consequence of the object having gone or changed. */
  readonly failures: string[] = [];

  /** Writes soon; a write of that key that has not begun is dropped for this one. */
  put(key: string, write: Write): void {
    if (this.#stopped) return;
    this.#waiting.set(key, write);
    this.#next();
  }

  /** Drops everything that has not begun. */
  stop(): void {
    this.#stopped = true;
    this.#waiting.clear();
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }

  #next(): void {
    for (const [key, write] of this.#waiting) {
      if (this.#running.size >= AT_ONCE) return;
      if (this.#running.has(key)) continue;
      this.#waiting.delete(key);
      this.#running.add(key);
      void this.#run(key, write);
    }
  }

  async #run(key: string, write: Write): Promise<void> {
    try {
      await write();
    } catch (error) {
      this.#failed(key, write, error);
    }
    this.#running.delete(key);
    this.#next();
  }

  #failed(key: string, write: Write, error: unknown): void {
    // The object is gone, or another one of that name is there: its informer says so too.
    if (this.#stopped || isNotFound(error) || isConflict(error)) return;
    if (error instanceof ApiError && error.statusCode < 500 && error.statusCode !== 429) {
      this.failures.push(`${key}: ${error.message}`);
      return;
    }
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      if (!this.#waiting.has(key)) this.put(key, write);
    }, RETRY_MS);
    this.#timers.add(timer);
  }
}
