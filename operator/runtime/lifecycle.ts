// SPDX-License-Identifier: Apache-2.0

// How a process ends: SIGTERM or SIGINT starts an ordered stop, the last thing started is the first stopped; a second
// signal or the deadline ends it at once. It ends nothing by itself; whoever calls `run` exits with the code it answers.
import { type Clock, systemClock } from './clock.ts';
import { type Logger, silentLogger } from './log.ts';

/** The part of `process` that is used. */
export interface SignalSource {
  on(signal: 'SIGTERM' | 'SIGINT', listener: () => void): unknown;
  off(signal: 'SIGTERM' | 'SIGINT', listener: () => void): unknown;
}

/** What a lifecycle is made of. */
export interface LifecycleOptions {
  /** For the whole stop; shorter than the pod's terminationGracePeriodSeconds. Default 25 s. */
  readonly deadlineMs?: number;
  readonly clock?: Clock;
  readonly log?: Logger;
  readonly signals?: SignalSource;
  /** Ends the process now; default `process.exit`. */
  readonly exit?: (code: number) => void;
}

/** A step of the stop. */
interface Step {
  readonly name: string;
  readonly stop: () => Promise<void> | void;
}

/** One process's way to its end. */
export class Lifecycle {
  readonly #deadlineMs: number;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #signals: SignalSource;
  readonly #exit: (code: number) => void;
  readonly #stopping = new AbortController();
  readonly #steps: Step[] = [];

  constructor(options: LifecycleOptions = {}) {
    this.#deadlineMs = options.deadlineMs ?? 25_000;
    this.#clock = options.clock ?? systemClock;
    this.#log = options.log ?? silentLogger;
    this.#signals = options.signals ?? process;
    this.#exit = options.exit ?? ((code) => process.exit(code));
  }

  /** Aborted when the stop begins. */
  get signal(): AbortSignal {
    return this.#stopping.signal;
  }

  /** Adds a step to the stop. Steps run one after another, the last added first; one that fails does not stop the rest. */
  onStop(name: string, stop: () => Promise<void> | void): void {
    this.#steps.push({ name, stop });
  }

  /** Begins the stop from inside. */
  stop(reason: string): void {
    if (this.#stopping.signal.aborted) return;
    this.#log.info({ reason }, 'stopping');
    this.#stopping.abort(new Error(reason));
  }

  /**
   * Runs the program: `main` until it ends by itself, fails, or a signal comes; then the steps. Answers the exit code: 0, or
   * 1 if `main` or a step failed. A second signal exits with 130, the deadline with 1.
   */
  async run(main: (signal: AbortSignal) => Promise<void>): Promise<number> {
    const onSignal = (): void => {
      if (this.#stopping.signal.aborted) this.#exit(130);
      else this.stop('signal');
    };
    this.#signals.on('SIGTERM', onSignal);
    this.#signals.on('SIGINT', onSignal);
    let cancelDeadline = (): void => {};
    this.#stopping.signal.addEventListener('abort', () => {
      cancelDeadline = this.#clock.after(this.#deadlineMs, () => {
        this.#log.error({ deadlineMs: this.#deadlineMs }, 'not stopped in time');
        this.#exit(1);
      });
    });
    const failures = [...(await this.#attempt('main', () => main(this.signal)))];
    this.stop('main ended');
    for (const { name, stop } of this.#steps.toReversed()) failures.push(...(await this.#attempt(name, stop)));
    cancelDeadline();
    this.#signals.off('SIGTERM', onSignal);
    this.#signals.off('SIGINT', onSignal);
    return failures.length === 0 ? 0 : 1;
  }

  async #attempt(name: string, run: () => Promise<void> | void): Promise<unknown[]> {
    try {
      await run();
      return [];
    } catch (error) {
      this.#log.error({ err: error, step: name }, 'failed');
      return [error];
    }
  }
}
