// SPDX-License-Identifier: Apache-2.0

// The operator as a process of its own, as its Deployment runs it: `operator/main.ts` with flags, a kubeconfig and a free port for health and metrics.
// Tests stop, freeze and kill it, and read what it logged.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { waitFor } from '../wait.ts';
import { fixedPort, makeTestFolder, startServer } from './server-process.ts';

const MAIN = fileURLToPath(new URL('../../../operator/main.ts', import.meta.url));
const LOG_KEPT = 16 << 20;

export interface OperatorOptions {
  /** Path of the kubeconfig: the user in it decides what the operator may do. */
  readonly kubeconfig: string;
  /** Further flags; they win. */
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Flags of node. */
  readonly nodeFlags?: readonly string[];
  /** Whether to wait until /readyz says so; default true. A standby is ready too. */
  readonly awaitReady?: boolean;
  /** The program; default `operator/main.ts`. */
  readonly main?: string;
}

/** A line of its log (pino's JSON). */
export type OperatorLogLine = Readonly<Record<string, unknown>> & { readonly level?: number; readonly msg?: string };

export interface OperatorProcess {
  readonly pid: number;
  /** Base URL of /livez, /readyz and /metrics, without a trailing slash. */
  readonly httpUrl: string;
  /** Resolves with the exit code, null after a signal. */
  readonly ended: Promise<number | null>;
  /** Everything that it wrote. */
  output(): string;
  /** The lines of its log; what is no JSON is left out. */
  log(): OperatorLogLine[];
  /** `GET` of a path of its HTTP interface. */
  http(path: string): Promise<{ readonly status: number; readonly body: string }>;
  /** SIGSTOP: it holds its connections and does nothing. */
  freeze(): void;
  /** SIGCONT. */
  thaw(): void;
  /** SIGKILL, and waits until it is gone. */
  kill(): Promise<void>;
  /** SIGTERM, and waits for its exit code; SIGKILL after 30 s, then null. */
  stop(): Promise<number | null>;
}

/** Starts an operator. @throws Error with the end of its log, when it ends before it is ready, or is not ready within 30 s. */
export async function startOperator(options: OperatorOptions): Promise<OperatorProcess> {
  const folder = makeTestFolder('operator');
  const port = await fixedPort();
  const { kubeconfig, args = [], env = {}, nodeFlags = [], awaitReady = true, main = MAIN } = options;
  const server = startServer({
    command: process.execPath,
    args: [...nodeFlags, main, '--kubeconfig', kubeconfig, '--http', `127.0.0.1:${port}`, ...args],
    logFile: join(folder.path, 'operator.log'),
    env: { PATH: process.env['PATH'], HOME: folder.path, ...env },
  });
  let written: string | undefined;
  const ended = server.ended.then((code) => {
    written = server.log(LOG_KEPT);
    folder.remove();
    return code;
  });
  const operator: OperatorProcess = {
    pid: server.pid,
    httpUrl: `http://127.0.0.1:${port}`,
    ended,
    output: () => written ?? server.log(LOG_KEPT),
    log: () => operator.output().split('\n').flatMap(parsedLine),
    http: async (path) => {
      const answer = await fetch(`${operator.httpUrl}${path}`, { signal: AbortSignal.timeout(5_000) });
      return { status: answer.status, body: await answer.text() };
    },
    freeze: () => server.signal('SIGSTOP'),
    thaw: () => server.signal('SIGCONT'),
    kill: async () => {
      server.signal('SIGKILL');
      await ended;
    },
    stop: async () => {
      server.signal('SIGTERM');
      const timer = setTimeout(() => server.signal('SIGKILL'), 30_000);
      const code = await ended;
      clearTimeout(timer);
      return code;
    },
  };
  if (awaitReady) await untilReady(operator, () => server.exitCode());
  return operator;
}

async function untilReady(operator: OperatorProcess, exitCode: () => number | null | undefined): Promise<void> {
  try {
    await waitFor(
      'the operator to be ready',
      async () => {
        if (exitCode() !== undefined) throw new Error(`the operator ended with ${exitCode()}`);
        return (await operator.http('/readyz').catch(() => undefined))?.status === 200;
      },
      30_000,
    );
  } catch (error) {
    await operator.kill();
    throw new Error(`${(error as Error).message}\n${operator.output().slice(-3_000)}`, { cause: error });
  }
}

function parsedLine(line: string): OperatorLogLine[] {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? [value as OperatorLogLine] : [];
  } catch {
    return [];
  }
}
