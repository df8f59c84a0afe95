// SPDX-License-Identifier: Apache-2.0
/**
 * A server that runs as a process of its own while a test does, writes its log to a file, and never outlives the test: it is ended at exit, and by the
 * kernel when the test itself is killed.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** How to start it. */
export interface ServerStart {
  readonly command: string;
  readonly args: readonly string[];
  /** Gets stdout and stderr, after what it already holds. */
  readonly logFile: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
}

/** A running server. */
export interface ServerProcess {
  readonly pid: number;
  /** Undefined while it runs; then its exit code, null if a signal ended it. */
  exitCode(): number | null | undefined;
  /** Resolves with the exit code once it has ended. */
  readonly ended: Promise<number | null>;
  /** Sends a signal; harmless once it has ended. */
  signal(name: NodeJS.Signals): void;
  /** SIGKILL, and waits until it is gone. */
  kill(): Promise<void>;
  /** The end of its log, at most this many characters (default 3,000). */
  log(characters?: number): string;
}

/** util-linux's setpriv lets the kernel kill a child whose parent has died; elsewhere the end at exit has to do. */
const WITH_PARENT: readonly string[] =
  spawnSync('setpriv', ['--pdeathsig', 'KILL', '--', 'true']).status === 0
    ? ['setpriv', '--pdeathsig', 'KILL', '--']
    : [];

/**
 * Starts a server in a process group of its own, so that Ctrl-C reaches only the test, which then ends it in order.
 *
 * @throws Error when the program cannot be started.
 */
export function startServer(start: ServerStart): ServerProcess {
  const [command = start.command, ...args] = [...WITH_PARENT, start.command, ...start.args];
  const log = openSync(start.logFile, 'a');
  const child = spawn(command, args, {
    stdio: ['ignore', log, log],
    detached: true,
    ...(start.env === undefined ? {} : { env: start.env }),
    ...(start.cwd === undefined ? {} : { cwd: start.cwd }),
  });
  closeSync(log);
  if (child.pid === undefined) throw new Error(`${start.command} cannot be started`);
  return serverOf(child, child.pid, start.logFile);
}

function serverOf(child: ChildProcess, pid: number, logFile: string): ServerProcess {
  let exitCode: number | null | undefined;
  const ended = new Promise<number | null>((resolve) => {
    child.once('exit', (code) => {
      exitCode = code;
      process.removeListener('exit', killAtExit);
      resolve(code);
    });
  });
  const signal = (name: NodeJS.Signals): void => void (exitCode === undefined && child.kill(name));
  const killAtExit = (): void => signal('SIGKILL');
  // Before the folders are removed.
  process.prependOnceListener('exit', killAtExit);
  return {
    pid,
    exitCode: () => exitCode,
    ended,
    signal,
    kill: async () => {
      signal('SIGKILL');
      await ended;
    },
    log: (characters = 3_000) => readFileSync(logFile, 'utf8').slice(-characters),
  };
}

// A server that was killed a moment ago may still have written something.
const REMOVE = { recursive: true, force: true, maxRetries: 5, retryDelay: 20 };

/** A temporary folder that carries the number of its process, so that what a killed test left behind is removed by a later one. */
export function makeTestFolder(purpose: string): { readonly path: string; remove(): void } {
  const prefix = `kmspool-${purpose}-`;
  for (const name of readdirSync(tmpdir())) {
    // Other folders may begin with the same words.
    const owner = name.startsWith(prefix) ? /^(\d+)-/.exec(name.slice(prefix.length))?.[1] : undefined;
    if (owner !== undefined && !isAlive(Number(owner))) removeFolder(name);
  }
  const path = mkdtempSync(join(tmpdir(), `${prefix}${process.pid}-`));
  const remove = (): void => {
    process.removeListener('exit', remove);
    rmSync(path, REMOVE);
  };
  process.once('exit', remove);
  return { path, remove };
}

function removeFolder(name: string): void {
  rmSync(join(tmpdir(), name), REMOVE);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Below the range from which systems take the ports of outgoing connections (Linux: 32768 and up), so that none is taken while a server is down. */
const FIXED_PORTS = { from: 15_000, to: 32_000 };

/** A loopback port that nobody listens on, and that no outgoing connection will take. Two processes may still get the same one: a server that finds it taken is started on another. */
export async function fixedPort(): Promise<number> {
  for (;;) {
    const port = FIXED_PORTS.from + Math.floor(Math.random() * (FIXED_PORTS.to - FIXED_PORTS.from));
    if (await isFree(port)) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
