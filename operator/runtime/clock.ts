// SPDX-License-Identifier: Apache-2.0

// Time as a parameter. Everything here that waits or measures takes a Clock, so that tests turn the hands themselves
// and never sleep. Two clocks in one: the wall's, which a suspended machine moves, and the monotonic one, which nobody
// sets back.

/** Cancels a timer; harmless once it has fired. */
export type Cancel = () => void;

/** Time and timers. */
export interface Clock {
  /** Milliseconds since 1970 (wall clock): may jump. */
  now(): number;
  /** Milliseconds from an arbitrary start: never goes back. */
  monotonic(): number;
  /** Calls `run` once, about `delayMs` from now (longer than 24 days: then). Must be cancelled, else it keeps the process alive. */
  after(delayMs: number, run: () => void): Cancel;
}

/** A source of numbers in [0, 1), `Math.random` outside tests. */
export type Random = () => number;

/** Node cannot hold longer timers: more than 2^31 - 1 ms fire at once. */
const LONGEST_TIMER_MS = 2_147_483_647;

/** The machine's own clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after: (delayMs, run) => {
    const timer = setTimeout(run, Math.min(Math.max(0, delayMs), LONGEST_TIMER_MS));
    return () => clearTimeout(timer);
  },
};

/** Waits; comes back early, without an error, when the signal is aborted. Callers look at the signal themselves. */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const finish = (): void => {
      cancel();
      signal?.removeEventListener('abort', finish);
      resolve();
    };
    const cancel = clock.after(delayMs, finish);
    signal?.addEventListener('abort', finish, { once: true });
  });
}

/** A signal that follows others and can also be fired by hand. `release` must be called when it is no longer needed. */
export interface LinkedAbort {
  readonly signal: AbortSignal;
  abort(reason: Error): void;
  release(): void;
}

/**
 * Follows `parent` without leaving a listener behind: signals here live as long as the process, requests for
 * milliseconds.
 */
export function linkAbort(parent?: AbortSignal): LinkedAbort {
  const controller = new AbortController();
  const follow = (): void => controller.abort(parent?.reason);
  if (parent?.aborted) follow();
  else parent?.addEventListener('abort', follow, { once: true });
  return {
    signal: controller.signal,
    abort: (reason) => controller.abort(reason),
    release: () => parent?.removeEventListener('abort', follow),
  };
}

/** Resolves once the signal is aborted. */
export function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
