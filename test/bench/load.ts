// SPDX-License-Identifier: Apache-2.0
//
// The load generator as a process of its own, so that it can be pinned to the core that the server does not have.
// Prints one line of JSON, a LoadResult. The bench starts it; by hand:
//
//   node test/bench/load.ts --port 1688 --key-file F --mode fresh --protocol 6 --seconds 5 [--server-pid PID --server-core 0]

import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { parseArgs } from 'node:util';
import { cpuSeconds, stolenSeconds } from './cpu.ts';
import { runEngine } from './engine.ts';
import { type GeneratorOptions, type Mode, startGenerator, type Tally } from './generator.ts';
import { quantile } from './histogram.ts';
import { type MeasuredProtocol, makeRequestSet } from './requests.ts';

/** What one run measured. Times are of the window after the warm-up. */
export interface LoadResult {
  readonly requests: number;
  readonly wallSeconds: number;
  readonly requestsPerSecond: number;
  readonly p50Microseconds: number;
  readonly p99Microseconds: number;
  readonly maxMicroseconds: number;
  readonly verified: number;
  readonly errors: Readonly<Record<string, number>>;
  /** CPU of the process given by --server-pid; 0 without one. */
  readonly serverCpuSeconds: number;
  /** What the hypervisor took from the server's core during the window. */
  readonly stolenSeconds: number;
  readonly generatorCpuSeconds: number;
}

interface Plan {
  readonly generator: GeneratorOptions;
  readonly warmupSeconds: number;
  readonly seconds: number;
  readonly serverPid: number;
  readonly serverCore: number;
  /** The path of the fast engine; without it, or for a number of requests, the generator of this process. */
  readonly engine: string | undefined;
  readonly scratch: string;
}

const STOP_DEADLINE_MS = 15_000;

const OPTIONS = {
  host: { type: 'string', default: '127.0.0.1' },
  port: { type: 'string', default: '1688' },
  'key-file': { type: 'string' },
  mode: { type: 'string', default: 'fresh' },
  protocol: { type: 'string', default: '6' },
  clients: { type: 'string', default: '40' },
  'first-client': { type: 'string', default: '0' },
  connections: { type: 'string', default: '32' },
  'verify-every': { type: 'string', default: '997' },
  warmup: { type: 'string', default: '0' },
  seconds: { type: 'string', default: '3' },
  count: { type: 'string' },
  'server-pid': { type: 'string', default: '0' },
  'server-core': { type: 'string', default: '0' },
  engine: { type: 'string' },
  scratch: { type: 'string', default: tmpdir() },
} as const;

function readPlan(): Plan {
  const { values } = parseArgs({ options: OPTIONS });
  const requestSet = makeRequestSet({
    poolSecret: readFileSync(values['key-file'] ?? '/dev/null'),
    protocol: Number(values.protocol) as MeasuredProtocol,
    clients: Number(values.clients),
    firstClient: Number(values['first-client']),
  });
  return {
    generator: {
      address: values.host,
      port: Number(values.port),
      mode: values.mode as Mode,
      connections: Number(values.connections),
      requestSet,
      verifyEvery: Number(values['verify-every']),
      ...(values.count === undefined ? {} : { maxRequests: Number(values.count) }),
    },
    warmupSeconds: Number(values.warmup),
    seconds: values.count === undefined ? Number(values.seconds) : Number.POSITIVE_INFINITY,
    serverPid: Number(values['server-pid']),
    serverCore: Number(values['server-core']),
    engine: values.count === undefined ? values.engine : undefined,
    scratch: values.scratch,
  };
}

interface Meter {
  readonly atMs: number;
  readonly serverCpu: number;
  readonly stolen: number;
  readonly ownCpuMicroseconds: number;
}

function readMeter(plan: Plan): Meter {
  const own = process.cpuUsage();
  return {
    serverCpu: plan.serverPid > 0 ? cpuSeconds(plan.serverPid) : 0,
    stolen: stolenSeconds(plan.serverCore),
    ownCpuMicroseconds: own.user + own.system,
    atMs: performance.now(),
  };
}

async function run(plan: Plan): Promise<LoadResult> {
  if (plan.engine !== undefined) {
    const { generator, engine, ...rest } = plan;
    const { tally, ...measured } = await runEngine({ ...generator, ...rest, engine });
    return resultOf(tally, measured);
  }
  const generator = startGenerator(plan.generator);
  if (plan.warmupSeconds > 0) await untilDone(generator.finished, plan.warmupSeconds);
  generator.reset();
  const before = readMeter(plan);
  await untilDone(generator.finished, plan.seconds);
  const result = resultOf(generator.tally, difference(before, readMeter(plan)));
  const late = setTimeout(() => fail(`no answer to the last requests within ${STOP_DEADLINE_MS} ms`), STOP_DEADLINE_MS);
  await generator.stop();
  clearTimeout(late);
  return result;
}

/** Waits until the generator is done by itself or `seconds` have passed. */
async function untilDone(finished: Promise<void>, seconds: number): Promise<void> {
  if (!Number.isFinite(seconds)) return finished;
  const timeout = Promise.withResolvers<void>();
  const timer = setTimeout(timeout.resolve, seconds * 1000);
  await Promise.race([finished, timeout.promise]);
  clearTimeout(timer);
}

type Measured = Pick<LoadResult, 'wallSeconds' | 'serverCpuSeconds' | 'stolenSeconds' | 'generatorCpuSeconds'>;

function difference(before: Meter, after: Meter): Measured {
  return {
    wallSeconds: (after.atMs - before.atMs) / 1000,
    serverCpuSeconds: after.serverCpu - before.serverCpu,
    stolenSeconds: after.stolen - before.stolen,
    generatorCpuSeconds: (after.ownCpuMicroseconds - before.ownCpuMicroseconds) / 1e6,
  };
}

function resultOf({ latencies, verified, errors }: Tally, measured: Measured): LoadResult {
  return {
    requests: latencies.total,
    requestsPerSecond: latencies.total / measured.wallSeconds,
    p50Microseconds: quantile(latencies, 0.5),
    p99Microseconds: quantile(latencies, 0.99),
    maxMicroseconds: latencies.maxMicroseconds,
    verified,
    errors: Object.fromEntries(errors),
    ...measured,
  };
}

function fail(message: string): never {
  process.stderr.write(`load: ${message}\n`);
  process.exit(1);
}

try {
  process.stdout.write(`${JSON.stringify(await run(readPlan()))}\n`);
} catch (error) {
  fail(error instanceof Error ? error.message : String(error));
}
