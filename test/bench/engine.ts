// SPDX-License-Identifier: Apache-2.0
//
// Builds and runs the load generator's fast engine (`engine.c`): gives it the prebuilt PDUs, reads what it counted, and
// checks in full the answers that it prints as samples. Without a C compiler the bench uses `generator.ts` instead.

import { type SpawnSyncReturns, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { GeneratorOptions, Tally } from './generator.ts';
import { createHistogram } from './histogram.ts';
import type { RequestSet } from './requests.ts';

/** One run of the engine. */
export interface EngineOrder extends GeneratorOptions {
  readonly engine: string;
  /** A folder for the file of requests. */
  readonly scratch: string;
  readonly warmupSeconds: number;
  readonly seconds: number;
  readonly serverPid: number;
  readonly serverCore: number;
}

/** What the engine measured in its window. */
export interface EngineResult {
  readonly tally: Tally;
  readonly wallSeconds: number;
  readonly serverCpuSeconds: number;
  readonly stolenSeconds: number;
  readonly generatorCpuSeconds: number;
}

const SOURCE = join(import.meta.dirname, 'engine.c');

/** The engine's path, compiled into the user's cache folder when it is not there yet; undefined without a C compiler. */
export function buildEngine(): string | undefined {
  const digest = createHash('sha256').update(readFileSync(SOURCE)).digest('hex').slice(0, 16);
  const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'kmspool');
  const engine = join(cache, `bench-engine-${process.arch}-${digest}`);
  if (existsSync(engine)) return engine;
  mkdirSync(cache, { recursive: true });
  const unfinished = `${engine}.${process.pid}`;
  const compiled = spawnSync('cc', ['-O2', '-Wall', '-Wextra', '-o', unfinished, SOURCE], { encoding: 'utf8' });
  if (!succeeded(compiled)) return undefined;
  renameSync(unfinished, engine);
  return engine;
}

function succeeded(compiled: SpawnSyncReturns<string>): boolean {
  if (compiled.error !== undefined) return false; // no cc
  if (compiled.status !== 0) throw new Error(`cc could not compile engine.c: ${compiled.stderr.trim()}`);
  return true;
}

/** Runs the engine on this process's core; throws with its message when it fails. */
export async function runEngine(order: EngineOrder): Promise<EngineResult> {
  const folder = mkdtempSync(join(order.scratch, 'engine-'));
  try {
    const file = join(folder, 'requests');
    writeFileSync(file, requestFile(order.requestSet));
    return readOutput(await outputOf(order, file), order.requestSet);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function outputOf(order: EngineOrder, file: string): Promise<string> {
  const { port, mode, connections, warmupSeconds, seconds, verifyEvery, serverPid, serverCore } = order;
  const args = [file, port, mode, connections, warmupSeconds, seconds, verifyEvery, serverPid, serverCore].map(String);
  const child = spawn(order.engine, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const code = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  const [exitCode, output, words] = await Promise.all([code, text(child.stdout), text(child.stderr)]);
  if (exitCode !== 0) throw new Error(words.trim() || `the engine ended with ${exitCode}`);
  return output;
}

/** Four u32 in this machine's order, the bind, the requests: what engine.c reads. */
function requestFile({ bind, requests, responseBytes }: RequestSet): Buffer {
  const head = new Uint32Array([bind.length, requests[0]?.length ?? 0, responseBytes, requests.length]);
  return Buffer.concat([Buffer.from(head.buffer), bind, ...requests]);
}

/** Reads the engine's lines and checks its samples. */
export function readOutput(output: string, requestSet: Pick<RequestSet, 'verify'>): EngineResult {
  const tally: Tally = { latencies: createHistogram(), errors: new Map(), verified: 0 };
  let window: number[] = [];
  for (const line of output.split('\n')) {
    const [kind = '', first = '', ...rest] = line.split(' ');
    if (kind === 'window') window = [first, ...rest].map(Number);
    else if (kind === 'latency') tally.latencies.counts[Number(first)] = Number(rest[0]);
    else if (kind === 'error') addErrors(tally, rest.join(' '), Number(first));
    else if (kind === 'sample') checkSample(tally, requestSet.verify(Number(first), Buffer.from(rest[0] ?? '', 'hex')));
  }
  const [requests = 0, wallSeconds = 0, serverCpuSeconds = 0, stolenSeconds = 0, generatorCpuSeconds = 0, max = 0] =
    window;
  tally.latencies.total = requests;
  tally.latencies.maxMicroseconds = max;
  return { tally, wallSeconds, serverCpuSeconds, stolenSeconds, generatorCpuSeconds };
}

function checkSample(tally: Tally, fault: string | undefined): void {
  tally.verified += 1;
  if (fault !== undefined) addErrors(tally, `wrong answer: ${fault}`, 1);
}

function addErrors(tally: Tally, reason: string, count: number): void {
  tally.errors.set(reason, (tally.errors.get(reason) ?? 0) + count);
}
