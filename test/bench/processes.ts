// SPDX-License-Identifier: Apache-2.0
//
// Child processes of the bench: started on one core, ended by their own process ID, whatever way the bench ends.
// Not here: what the processes are.

import { type ChildProcess, spawn } from 'node:child_process';
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** A process that the bench started. */
export interface Running {
  readonly name: string;
  readonly pid: number;
  /** The exit code; null after a signal. */
  readonly exited: Promise<number | null>;
  /** What it wrote to stdout and stderr, each cut to its last 16 KiB; complete once `closed` is resolved. */
  readonly output: { stdout: string; stderr: string };
  /** Resolves after the exit and the end of both outputs. */
  readonly closed: Promise<void>;
}

/** What to start, and on which core. */
export interface ProcessSpec {
  readonly name: string;
  readonly core: number;
  readonly command: string;
  readonly args: readonly string[];
}

/** All processes that run. */
export interface Processes {
  readonly running: Set<Running>;
}

const KEPT_OUTPUT_CHARACTERS = 16_384;
const STOP_DEADLINE_MS = 20_000;

/** An empty set of processes, whose members do not outlive this process. */
export function createProcesses(): Processes {
  const processes: Processes = { running: new Set() };
  process.on('exit', () => {
    for (const running of processes.running) signal(running, 'SIGKILL');
  });
  return processes;
}

/** Starts a process pinned to a core (by `taskset`, which becomes the process: the ID is the program's own). */
export function start(processes: Processes, spec: ProcessSpec): Running {
  const child = spawn('taskset', ['-c', String(spec.core), spec.command, ...spec.args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output.stdout = (output.stdout + text).slice(-KEPT_OUTPUT_CHARACTERS);
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output.stderr = (output.stderr + text).slice(-KEPT_OUTPUT_CHARACTERS);
  });
  const running: Running = { name: spec.name, pid: child.pid ?? -1, output, ...ends(child) };
  processes.running.add(running);
  running.exited.finally(() => processes.running.delete(running));
  return running;
}

function ends(child: ChildProcess): Pick<Running, 'exited' | 'closed'> {
  const exited = Promise.withResolvers<number | null>();
  const closed = Promise.withResolvers<void>();
  child.once('exit', exited.resolve);
  child.once('close', () => closed.resolve());
  child.once('error', () => {
    exited.resolve(127);
    closed.resolve();
  });
  return { exited: exited.promise, closed: closed.promise };
}

/** SIGTERM, and SIGKILL to what is still there after 20 s; resolves when the process is gone. */
export async function stop(running: Running): Promise<void> {
  signal(running, 'SIGTERM');
  const timer = setTimeout(signal, STOP_DEADLINE_MS, running, 'SIGKILL');
  await running.exited;
  clearTimeout(timer);
}

/** SIGKILL; resolves when the process is gone. For processes that have nothing to drain. */
export async function kill(running: Running): Promise<void> {
  signal(running, 'SIGKILL');
  await running.exited;
}

function signal(running: Running, name: NodeJS.Signals): void {
  if (running.pid <= 0) return;
  try {
    process.kill(running.pid, name);
  } catch {
    // gone already
  }
}

/** A TCP port of 127.0.0.1 that is free now. */
export async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no TCP port is free on 127.0.0.1');
  return address.port;
}

/** Connects, writes `bytes` and says whether any answer came. */
export function answers(port: number, bytes: Buffer): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect({ host: '127.0.0.1', port });
    const done = (result: boolean): void => {
      socket.destroy();
      resolve(result);
    };
    socket.setTimeout(1000, () => done(false));
    socket.once('data', () => done(true));
    socket.once('error', () => done(false));
    socket.once('close', () => done(false));
    socket.write(bytes);
  });
}

/**
 * Asks every few milliseconds until `check` is true. Throws with the process's last words when it exits before, or when
 * `deadlineMs` have passed.
 */
export async function waitUntil(running: Running, check: () => Promise<boolean>, deadlineMs = 15_000): Promise<void> {
  const end = performance.now() + deadlineMs;
  let gone = false;
  running.exited.then(() => {
    gone = true;
  });
  while (!(await check())) {
    if (gone || performance.now() > end) {
      if (gone) await running.closed;
      const words = running.output.stderr.trim() || running.output.stdout.trim() || 'it said nothing';
      throw new Error(`${running.name} ${gone ? 'ended at once' : `was not ready after ${deadlineMs} ms`}: ${words}`);
    }
    await sleep(4);
  }
}
