// SPDX-License-Identifier: Apache-2.0
//
// SIGINT, SIGTERM and SIGHUP of a verb that runs until it is told to stop: the first one asks it to, a later one means it.

/** npm passes a Ctrl-C on to us that the terminal has sent us already; within this time it is one and the same. */
const SAME_MS = 500;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export interface StopSignals {
  /** Aborted by the first signal. */
  readonly first: AbortSignal;
  /** Back to the system's own reaction to these signals. */
  release(): void;
}

/** Listens. `onSecond` is called for a signal that comes later than the first. */
export function stopSignals(onSecond: () => void): StopSignals {
  const controller = new AbortController();
  let firstMs: number | undefined;
  const handle = (): void => {
    if (firstMs === undefined) {
      firstMs = performance.now();
      controller.abort();
    } else if (performance.now() - firstMs > SAME_MS) {
      onSecond();
    }
  };
  for (const signal of SIGNALS) process.on(signal, handle);
  return {
    first: controller.signal,
    release: () => {
      for (const signal of SIGNALS) process.off(signal, handle);
    },
  };
}

/** Resolves at the first signal. */
export function stopped({ first }: StopSignals): Promise<void> {
  return new Promise((resolve) => {
    // An abort listener alone does not keep the process alive, and a pool of processes has nothing else that does.
    const alive = setInterval(() => undefined, 1 << 30);
    const done = (): void => {
      clearInterval(alive);
      resolve();
    };
    if (first.aborted) done();
    else first.addEventListener('abort', done, { once: true });
  });
}
