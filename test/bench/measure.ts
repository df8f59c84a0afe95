// SPDX-License-Identifier: Apache-2.0
//
// Runs the load generator against servers: one run, and the alternating runs of a group of rows.

import { join } from 'node:path';
import type { Mode } from './generator.ts';
import type { LoadResult } from './load.ts';
import { kill, start } from './processes.ts';
import type { MeasuredProtocol } from './requests.ts';
import { type Group, judgeRun, type RowResult, type Run, summariseGroup, type Target } from './rows.ts';
import { LOAD_CORE, SERVER_CORE, type Server, type Workbench } from './servers.ts';

/** One run of the generator: for a time, or for a number of requests. */
export interface LoadOrder {
  readonly server: Server;
  readonly mode: Mode;
  readonly protocol: MeasuredProtocol;
  readonly connections?: number;
  /** Distinct CMIDs, and the number of the first. */
  readonly clients?: number;
  readonly firstClient?: number;
  readonly warmupSeconds?: number;
  readonly seconds?: number;
  readonly count?: number;
  /** False for answers that have no meaning. */
  readonly verify?: boolean;
}

/** How long and how often. */
export interface Pace {
  readonly rounds: number;
  readonly warmupSeconds: number;
  readonly seconds: number;
  /** How many times a void run is made again, over the whole group and for each target. */
  readonly repeats: number;
}

/** Servers by target. */
export type Servers = Readonly<Partial<Record<Target, Server>>>;

const GENERATOR_DEADLINE_MS = 120_000;

/** Starts the generator on its core and waits for its result; throws with its message when it fails. */
export async function runLoad(bench: Workbench, order: LoadOrder): Promise<LoadResult> {
  const running = start(bench.processes, {
    name: 'load generator',
    core: LOAD_CORE,
    command: process.execPath,
    args: ['--max-semi-space-size=8', join(import.meta.dirname, 'load.ts'), ...argumentsOf(bench, order)],
  });
  const timer = setTimeout(kill, GENERATOR_DEADLINE_MS, running);
  await running.closed;
  clearTimeout(timer);
  if ((await running.exited) !== 0) {
    throw new Error(
      `load generator against ${order.server.running.name}: ${running.output.stderr.trim() || 'no result'}`,
    );
  }
  return JSON.parse(running.output.stdout) as LoadResult;
}

function argumentsOf(bench: Workbench, order: LoadOrder): string[] {
  const options = {
    port: order.server.port,
    'key-file': bench.keyFile,
    mode: order.mode,
    protocol: order.protocol,
    connections: order.connections ?? 32,
    clients: order.clients ?? 40,
    'first-client': order.firstClient ?? 0,
    warmup: order.warmupSeconds ?? 0,
    'server-pid': order.server.running.pid,
    'server-core': SERVER_CORE,
    ...(bench.engine === undefined ? {} : { engine: bench.engine, scratch: bench.folder }),
    ...(order.verify === false ? { 'verify-every': 0 } : {}),
    ...(order.count === undefined ? { seconds: order.seconds ?? 3 } : { count: order.count }),
  };
  return Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
}

/** All runs of a group: round by round, in each the canned server and then every store; void runs are made again at the end. */
export async function measureGroup(
  bench: Workbench,
  group: Group,
  { servers, pace, onRun }: { servers: Servers; pace: Pace; onRun: (group: Group, run: Run) => void },
): Promise<{ rows: RowResult[]; runs: Run[] }> {
  const targets: Target[] = ['canned', ...group.stores];
  const runs: Run[] = [];
  const runOnce = async (target: Target): Promise<void> => {
    const server = servers[target];
    if (server === undefined) return;
    const { warmupSeconds, seconds } = pace;
    const { mode, protocol } = group;
    const load = await runLoad(bench, { server, mode, protocol, warmupSeconds, seconds, verify: target !== 'canned' });
    const run = judgeRun(target, load);
    runs.push(run);
    onRun(group, run);
  };
  for (let round = 0; round < pace.rounds; round++) {
    for (const target of targets) await runOnce(target);
  }
  for (let repeat = 0; repeat < pace.repeats; repeat++) {
    for (const target of targets.filter((one) => validRuns(runs, one) < pace.rounds)) await runOnce(target);
  }
  return { rows: summariseGroup(group, runs), runs };
}

function validRuns(runs: readonly Run[], target: Target): number {
  return runs.filter((run) => run.target === target && run.valid).length;
}
