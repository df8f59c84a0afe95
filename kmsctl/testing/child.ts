// SPDX-License-Identifier: Apache-2.0
//
// For tests: kmsctl as a child process, in a state folder of its own, and waiting for what it does. Not part of the command line.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url));
export const CAMPUS = fileURLToPath(new URL('../../examples/campus.yaml', import.meta.url));
const DEADLINE_MS = 30_000;

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Sandbox {
  /** A folder that is gone after `close`. */
  readonly dir: string;
  /** Runs kmsctl to its end. */
  run(...args: string[]): Promise<Ended>;
  /** Starts kmsctl. */
  start(...args: string[]): Running;
  /** Ends what still runs and removes the folder. */
  close(): Promise<void>;
}

export interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** What it has written so far. */
  stdout(): string;
  stderr(): string;
}

/** A place for one test file: no state of the user's is read or written. */
export function openSandbox(): Sandbox {
  const dir = mkdtempSync(join(tmpdir(), 'kmsctl-test-'));
  const running = new Set<Running>();
  const start = (...args: string[]): Running => {
    const env = { PATH: process.env['PATH'], HOME: dir, XDG_STATE_HOME: join(dir, 'state'), TMPDIR: dir };
    const child = spawn(process.execPath, [MAIN, ...args], { env, cwd: dir, stdio: ['ignore', 'pipe', 'pipe'] });
    const started = watch(child);
    running.add(started);
    void started.ended.then(() => running.delete(started));
    return started;
  };
  return {
    dir,
    start,
    run: (...args) => start(...args).ended,
    close: async () => {
      await Promise.all(
        [...running].map(({ child, ended }) => {
          child.kill('SIGKILL');
          return ended;
        }),
      );
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

function watch(child: ChildProcess): Running {
  let stdout = '';
  let stderr = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, stdout, stderr }));
  return { child, ended, stdout: () => stdout, stderr: () => stderr };
}

/** Waits until `condition` answers something; fails with `what` at a deadline. */
export async function until<T>(
  what: string,
  condition: () => T | undefined | false | Promise<T | undefined | false>,
): Promise<T> {
  const deadline = performance.now() + DEADLINE_MS;
  for (;;) {
    const value = await condition();
    if (value !== undefined && value !== false) return value;
    if (performance.now() > deadline) throw new Error(`not within ${DEADLINE_MS} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
