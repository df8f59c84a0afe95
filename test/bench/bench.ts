// SPDX-License-Identifier: Apache-2.0
//
// `make bench`: measures KMS hosts against the canned server on the same core, in alternating runs, and what they need of
// memory and time. README.md beside this file says how and why. Ends 0 when everything was measured, whether or not a
// figure was reached; 1 when something failed; 2 when it cannot run here.

import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { join } from 'node:path';
import { buildEngine } from './engine.ts';
import { measureLatency, measureMemory, measureRedisCost, measureStart } from './extras.ts';
import { measureGroup, type Servers } from './measure.ts';
import { type BenchOptions, parseOptions, USAGE } from './options.ts';
import { createProcesses, kill } from './processes.ts';
import { type BenchResult, formatReport } from './report.ts';
import { type Group, groupsOf, type RowResult, type Run, rowName } from './rows.ts';
import { createWorkbench, removeWorkbench, startCanned, startHost, startRedis, type Workbench } from './servers.ts';

const ROOT = join(import.meta.dirname, '../..');
const BUNDLE = join(ROOT, 'dist/kms-node.mjs');

type Measured = Omit<BenchResult, 'machine' | 'startedAt' | 'seconds'>;

async function main(): Promise<void> {
  const parsed = parseOptions(process.argv.slice(2));
  if (!parsed.ok) return refuse(`${parsed.reason}\n${USAGE}`);
  const obstacle = findObstacle();
  if (obstacle !== undefined) return refuse(obstacle);
  buildBundle();
  const processes = createProcesses();
  const engine = buildEngine();
  if (engine === undefined)
    progress('no C compiler (cc): the generator in TypeScript may not saturate the canned server');
  const bench = createWorkbench(processes, { hostProgram: BUNDLE, engine });
  process.on('exit', () => removeWorkbench(bench));
  for (const [name, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)
    process.once(name, () => process.exit(code));
  const started = new Date();
  const measured = await measureAll(bench, parsed.options);
  const result: BenchResult = {
    machine: describeMachine(),
    startedAt: started.toISOString(),
    seconds: (Date.now() - started.getTime()) / 1000,
    ...measured,
  };
  process.stdout.write(`\n${formatReport(result)}`);
  if (parsed.options.jsonFile !== undefined) {
    writeFileSync(parsed.options.jsonFile, `${JSON.stringify(result, undefined, 2)}\n`);
  }
}

/** Why the bench cannot run on this machine, with the remedy; undefined when it can. */
function findObstacle(): string | undefined {
  if (process.platform !== 'linux')
    return `bench: it reads /proc and pins processes, which needs Linux, not ${process.platform}`;
  if (cpus().length < 2) return 'bench: it needs two cores, one for the server and one for the load';
  if (!canRun('taskset')) return 'bench: there is no taskset; install util-linux';
  return undefined;
}

function canRun(command: string): boolean {
  return spawnSync(command, ['--version'], { stdio: 'ignore' }).status === 0;
}

function buildBundle(): void {
  progress('building the bundle');
  execFileSync(process.execPath, [join(ROOT, 'kms-node/bundle.ts')], {
    cwd: ROOT,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (!existsSync(BUNDLE)) throw new Error(`kms-node/bundle.ts made no ${BUNDLE}`);
}

async function measureAll(bench: Workbench, options: BenchOptions): Promise<Measured> {
  const withRedis = canRun('redis-server');
  const rowNames = withRedis ? options.rowNames : options.rowNames.difference(redisRows(options.rowNames));
  const skipped = withRedis
    ? []
    : ['everything over Redis: there is no redis-server; install it (Debian: redis-server)'];
  const { rows, runs } = await measureRows(bench, options, groupsOf(rowNames));
  const extras = options.extras
    ? await measureExtras(bench, options, withRedis)
    : { latency: [], memory: [], redisCost: [] };
  const saturated = rows.find((row) => row.name === rowName('fresh', 6, 'redis'));
  const atRows = saturated === undefined ? [] : [latencyOfRow(saturated)];
  return { rows, runs, ...extras, latency: [...atRows, ...extras.latency], skipped };
}

function redisRows(names: ReadonlySet<string>): Set<string> {
  return new Set([...names].filter((name) => name.endsWith('-redis')));
}

function latencyOfRow(row: RowResult): BenchResult['latency'][number] {
  return { connections: 32, p50Ms: row.p50Microseconds / 1000, p99Ms: row.p99Microseconds / 1000 };
}

/** All groups on one set of servers, which stay for all rounds, so that every one is warm. */
async function measureRows(
  bench: Workbench,
  { pace }: BenchOptions,
  groups: readonly Group[],
): Promise<Pick<Measured, 'rows' | 'runs'>> {
  if (groups.length === 0) return { rows: [], runs: [] };
  const stores = new Set(groups.flatMap((group) => group.stores));
  const redis = stores.has('redis') ? await startRedis(bench) : undefined;
  const servers: Servers = {
    canned: await startCanned(bench),
    ...(stores.has('memory') ? { memory: await startHost(bench) } : {}),
    ...(redis === undefined ? {} : { redis: await startHost(bench, redis.port) }),
  };
  const rows: RowResult[] = [];
  const runs: object[] = [];
  for (const group of groups) {
    const measured = await measureGroup(bench, group, { servers, pace, onRun: reportRun });
    rows.push(...measured.rows);
    runs.push(...measured.runs.map((run) => ({ row: rowName(group.mode, group.protocol, run.target), ...run })));
  }
  for (const server of [...Object.values(servers), redis]) if (server !== undefined) await kill(server.running);
  return { rows, runs };
}

function reportRun(group: Group, { target, busy, valid, load }: Run): void {
  const name = rowName(group.mode, group.protocol, target).padEnd(20);
  const errors = Object.entries(load.errors).map(([reason, count]) => `, ${count} × ${reason}`);
  const stolen = (load.stolenSeconds / load.wallSeconds) * 100;
  const generatorBusy = (load.generatorCpuSeconds / load.wallSeconds) * 100;
  progress(
    `${name} ${Math.round(load.requestsPerSecond)}/s, p99 ${(load.p99Microseconds / 1000).toFixed(2)} ms, ` +
      `server ${(busy * 100).toFixed(1)} % busy, generator ${generatorBusy.toFixed(0)} %, stolen ${stolen.toFixed(1)} %` +
      `${errors.join('')}${valid ? '' : ' (void)'}`,
  );
}

async function measureExtras(
  bench: Workbench,
  { pace }: BenchOptions,
  withRedis: boolean,
): Promise<Pick<Measured, 'latency' | 'memory' | 'start' | 'redisCost'>> {
  progress('start-up');
  const start = await measureStart(bench, pace.rounds);
  progress('memory of a host with memory');
  const memory = [await measureMemory(bench, 'memory')];
  if (!withRedis) return { latency: [], memory, start, redisCost: [] };
  progress('memory of a host with Redis');
  memory.push(await measureMemory(bench, 'redis'));
  progress('latency over Redis with 8 connections');
  const brief = { rounds: Math.min(pace.rounds, 3), seconds: pace.seconds };
  const latency = [await measureLatency(bench, 8, brief)];
  progress('cost in Redis by inventory');
  return { latency, memory, start, redisCost: await measureRedisCost(bench, brief) };
}

function describeMachine(): BenchResult['machine'] {
  const redis = canRun('redis-server') ? execFileSync('redis-server', ['--version'], { encoding: 'utf8' }) : '';
  return {
    cpu: cpus()[0]?.model ?? 'unknown CPU',
    cores: cpus().length,
    kernel: release(),
    node: process.versions.node,
    redis: /v=([\d.]+)/.exec(redis)?.[1] ?? 'absent',
  };
}

function progress(line: string): void {
  process.stderr.write(`${line}\n`);
}

function refuse(reason: string): void {
  process.stderr.write(`${reason}\n`);
  process.exitCode = 2;
}

try {
  await main();
} catch (error) {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
process.exit();
