// SPDX-License-Identifier: Apache-2.0

// `make bench-operator`: measures the operator's bundle against a real API server, with Pods that a node player plays. test/bench/README.md says how and why.
// Ends 0 when everything was measured, whether or not a figure was reached; 1 when something failed; 2 when it cannot run here.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, release } from 'node:os';
import { join } from 'node:path';
import { missingControlPlane } from '../../harness/kubernetes/tools.ts';
import { measureEdits, measureFlips } from './changes.ts';
import { Cluster } from './cluster.ts';
import { measureCreation, measureQuiet, stopInOrder } from './creation.ts';
import { Eyes } from './eyes.ts';
import { type Figure, told } from './figures.ts';
import { OPERATOR_USAGE, type OperatorBenchOptions, parseOperatorOptions } from './options.ts';
import { formatOperatorReport, type OperatorBenchResult, type WorldResult } from './report.ts';
import { measureKills, measureResync, measureStarts } from './restarts.ts';
import type { Settled, Window } from './scene.ts';

const ROOT = join(import.meta.dirname, '../../..');
const BUNDLE = join(ROOT, 'dist/kmspool-operator.mjs');

/** A world, and the figure by which worlds are compared. */
interface Measured extends WorldResult {
  readonly perReconcileMs: number | undefined;
  readonly creationCpuMsPerPool: number;
}

async function main(): Promise<void> {
  const parsed = parseOperatorOptions(process.argv.slice(2));
  if (!parsed.ok) return refuse(`bench: ${parsed.reason}\n${OPERATOR_USAGE}`);
  const { options } = parsed;
  const missing = missingControlPlane({ controllers: true });
  if (process.platform !== 'linux')
    return refuse(`bench: Pods have loopback addresses of their own, which needs Linux, not ${process.platform}`);
  if (missing !== false) return refuse(`bench: ${missing}`);
  if (options.profileFolder !== undefined) mkdirSync(options.profileFolder, { recursive: true });
  buildBundle();
  for (const [name, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)
    process.once(name, () => process.exit(code));
  const started = new Date();
  const loadBefore = loadavg()[0] ?? Number.NaN;
  const worlds: Measured[] = [];
  for (const [index, count] of options.pools.entries())
    worlds.push(await measureWorld(options, count, index === options.pools.length - 1));
  const result: OperatorBenchResult = {
    machine: {
      cpu: cpus()[0]?.model ?? 'unknown CPU',
      cores: cpus().length,
      kernel: release(),
      node: process.versions.node,
    },
    startedAt: started.toISOString(),
    seconds: (Date.now() - started.getTime()) / 1000,
    loadBefore,
    worlds,
    linearity: linearityOf(worlds),
  };
  process.stdout.write(`\n${formatOperatorReport(result)}`);
  if (options.jsonFile !== undefined) writeFileSync(options.jsonFile, `${JSON.stringify(result, undefined, 2)}\n`);
}

/** One control plane from its start to its end. The last world has all parts, the others those that show how things grow. */
async function measureWorld(options: OperatorBenchOptions, count: number, isLast: boolean): Promise<Measured> {
  progress(`a world of ${count} pools`);
  const cluster = await Cluster.start();
  const client = cluster.plane.client();
  const eyes = new Eyes(client);
  try {
    await eyes.open();
    const scene = { cluster, client, eyes, options, count, progress };
    const creation = await measureCreation(scene);
    const settled: Settled = { ...scene, refs: creation.refs };
    const does = (part: 'quiet' | 'edits' | 'flips' | 'starts' | 'kills' | 'resync'): boolean =>
      options.parts.has(part) && (isLast || part === 'quiet' || part === 'resync');
    const figures: Figure[] = [...creation.figures];
    const raw: Record<string, unknown> = { creation: creation.raw };
    const take = (part: string, { figures: more, raw: own }: { figures: readonly Figure[]; raw: unknown }): void => {
      figures.push(...more);
      raw[part] = own;
    };
    let idle: Window | undefined;
    if (does('quiet')) {
      const quiet = await measureQuiet(settled, creation.running);
      idle = quiet.window;
      take('quiet', { figures: quiet.figures, raw: quiet.window });
    }
    if (does('edits')) take('edits', await measureEdits(settled));
    if (does('flips')) take('flips', await measureFlips(settled));
    await stopInOrder(creation.running);
    if (does('starts')) take('starts', await measureStarts(settled));
    if (does('kills')) take('kills', await measureKills(settled));
    const resync = does('resync') ? await measureResync(settled, idle) : undefined;
    if (resync !== undefined) take('resync', resync);
    const creationCpuMsPerPool = (creation.raw.cpuSeconds / count) * 1000;
    return { pools: count, figures, raw, perReconcileMs: resync?.perReconcileMs, creationCpuMsPerPool };
  } finally {
    await eyes.close();
    await cluster.stop();
  }
}

/** From the first world to the last. */
function linearityOf(worlds: readonly Measured[]): Figure[] {
  const [first, last] = [worlds[0], worlds.at(-1)];
  if (first === undefined || last === undefined || first === last) return [];
  const ratio = (of: (world: Measured) => number | undefined): string => {
    const [a, b] = [of(first), of(last)];
    return a === undefined || b === undefined ? '-' : `${a.toFixed(2)} -> ${b.toFixed(2)} ms, × ${(b / a).toFixed(2)}`;
  };
  const grown = `${first.pools} -> ${last.pools} pools`;
  return [
    told(
      `CPU of a reconcile, ${grown} (linear: × 1)`,
      ratio(({ perReconcileMs }) => perReconcileMs),
    ),
    told(
      `CPU of a pool's creation, ${grown} (linear: × 1)`,
      ratio(({ creationCpuMsPerPool }) => creationCpuMsPerPool),
    ),
  ];
}

function buildBundle(): void {
  progress('building the bundle');
  execFileSync(process.execPath, [join(ROOT, 'operator/bundle.ts')], {
    cwd: ROOT,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (!existsSync(BUNDLE)) throw new Error(`operator/bundle.ts made no ${BUNDLE}`);
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
