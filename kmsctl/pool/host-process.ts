// SPDX-License-Identifier: Apache-2.0
//
// One host process: started, its output passed on, started again with growing pauses when it dies, stopped by SIGTERM.

import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { HOST_NODE_FLAGS } from '@kmspool/kms-node';

const MIN_PAUSE_MS = 1_000;
const MAX_PAUSE_MS = 30_000;
/** Who has run for so long has recovered: the next pause is a short one again. */
const RECOVERED_MS = 60_000;
/** kms-node: bad flags, files or store; starting it again would not help. */
const UNUSABLE_EXIT_CODE = 2;
const LINE_PREFIX = 'kms-node: ';

export interface HostProcessOptions {
  readonly name: string;
  readonly flags: readonly string[];
  /** Lines for the user, without a line end. */
  readonly report: (line: string) => void;
}

export interface HostProcess {
  /** Sends SIGTERM and waits for the end. */
  stop(): Promise<void>;
  /** Sends SIGKILL. */
  kill(): void;
  startFailure(): string | undefined;
}

/** Starts a host and keeps it running until it is stopped. */
export function superviseHost(options: HostProcessOptions): HostProcess {
  const supervisor = new Supervisor(options);
  supervisor.start();
  return supervisor;
}

class Supervisor implements HostProcess {
  readonly #options: HostProcessOptions;
  #child: ChildProcess | undefined;
  #ended: Promise<void> = Promise.resolve();
  #restart: NodeJS.Timeout | undefined;
  #pauseMs = MIN_PAUSE_MS;
  #stopping = false;
  #failure: string | undefined;

  constructor(options: HostProcessOptions) {
    this.#options = options;
  }

  start(): void {
    const main = fileURLToPath(import.meta.resolve('@kmspool/kms-node/main'));
    const startedMs = performance.now();
    // A group of its own: Ctrl-C in the terminal is for us, and we tell the hosts.
    const child = spawn(process.execPath, [...HOST_NODE_FLAGS, main, ...this.#options.flags], {
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    this.#child = child;
    const lastLine = this.#passOn(child);
    this.#ended = new Promise((resolve) => {
      child.once('error', (error) => {
        this.#options.report(`${this.#options.name} cannot be started: ${error.message}`);
        resolve();
      });
      // 'close', not 'exit': its last line has been read by then.
      child.once('close', (code, signal) => {
        this.#child = undefined;
        resolve();
        this.#onEnd({ code, signal, line: lastLine(), ranMs: performance.now() - startedMs });
      });
    });
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#restart);
    this.#child?.kill('SIGTERM');
    await this.#ended;
  }

  kill(): void {
    this.#stopping = true;
    clearTimeout(this.#restart);
    this.#child?.kill('SIGKILL');
  }

  startFailure(): string | undefined {
    return this.#failure;
  }

  /** Logs and error lines go to our standard error; answers the last plain line of kms-node's own. */
  #passOn(child: ChildProcess): () => string {
    let last = '';
    for (const stream of [child.stdout, child.stderr]) {
      if (stream === null) continue;
      createInterface({ input: stream }).on('line', (line) => {
        if (line.startsWith(LINE_PREFIX)) last = line.slice(LINE_PREFIX.length);
        else process.stderr.write(`${line}\n`);
      });
    }
    return () => last;
  }

  #onEnd(end: { code: number | null; signal: string | null; line: string; ranMs: number }): void {
    if (this.#stopping) return;
    const { name, report } = this.#options;
    const how = end.signal === null ? `ended with code ${end.code ?? '?'}` : `was ended by ${end.signal}`;
    const why = end.line === '' ? '' : `: ${end.line}`;
    if (end.code === UNUSABLE_EXIT_CODE) {
      this.#failure = `${name}: ${end.line === '' ? 'it cannot start' : end.line}`;
      report(`${name} ${how}${why}`);
      return;
    }
    if (end.ranMs > RECOVERED_MS) this.#pauseMs = MIN_PAUSE_MS;
    report(`${name} ${how}${why}; it starts again in ${this.#pauseMs / 1000} s`);
    this.#restart = setTimeout(() => this.start(), this.#pauseMs);
    this.#pauseMs = Math.min(2 * this.#pauseMs, MAX_PAUSE_MS);
  }
}
