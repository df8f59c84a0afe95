// SPDX-License-Identifier: Apache-2.0

// All pools made at once, and the quiet after it.
import type { ObjectRef } from '@kmspool/operator/runtime';
import { cpuSeconds } from '../cpu.ts';
import type { Running } from './cluster.ts';
import { totalOf } from './counters.ts';
import { type Figure, judged, perPool, spread, told } from './figures.ts';
import { makePools, namespacesFor, poolOf } from './pools.ts';
import { footprintOf } from './proc.ts';
import { type Scene, type Settled, untilCalm, untilLeading, type Window, watchFor } from './scene.ts';

const MOST_WRITES_PER_POOL = 30;
const MOST_RSS_MB = 200;
const CREATION_MS = 1_800_000;

/** What came of it. */
export interface Creation {
  readonly refs: readonly ObjectRef[];
  readonly running: Running;
  readonly figures: readonly Figure[];
  readonly raw: { readonly cpuSeconds: number; readonly [name: string]: unknown };
}

/** Starts an operator in an empty world, makes all pools at once and waits until all is done. */
export async function measureCreation(scene: Scene): Promise<Creation> {
  const { cluster, client, count, eyes, options, progress } = scene;
  const { plane, surroundings } = cluster;
  const namespaces: string[] = [];
  for (let n = 0; n < namespacesFor(count); n++) namespaces.push(await plane.namespace(`bench-${n}`));
  const running = await cluster.startOperator({ profileFolder: options.profileFolder });
  await untilLeading(running);
  const { pid } = running.operator;
  const [cpuBefore, beganMs] = [cpuSeconds(pid), Date.now()];
  const refs = await makePools(client, { count, namespaces, nameserver: surroundings.nameserver });
  const madeMs = Date.now();
  progress(`${count} pools: made in ${((madeMs - beganMs) / 1000).toFixed(1)} s`);
  const readyMs = await eyes.until('all pools to be Ready', () => eyes.readyAtMs.size === count, CREATION_MS);
  const settledMs = await eyes.until('all pools to be settled', () => eyes.settled() === count, CREATION_MS);
  const cpu = cpuSeconds(pid) - cpuBefore;
  progress(`${count} pools: all settled after ${((settledMs - beganMs) / 1000).toFixed(1)} s`);
  const calm = await untilCalm(running, count);
  const footprint = footprintOf(pid);
  const writes = totalOf(calm.writes) / count;
  const seconds = (ms: number): string => `${((ms - beganMs) / 1000).toFixed(1)} s`;
  const figures = [
    judged('made at once: API writes per pool', {
      value: writes,
      most: MOST_WRITES_PER_POOL,
      unit: '',
      digits: 1,
      beside: perPool(calm.writes, count),
    }),
    told('made at once: all pools Ready, settled', `${seconds(readyMs)}, ${seconds(settledMs)}`),
    told('made at once: a pool is Ready', spread([...eyes.readyAtMs.values()].map((ms) => ms - beganMs))),
    told(
      'made at once: per pool',
      `${(calm.reconciles / count).toFixed(1)} reconciles (${calm.reconcileErrors} failed in all), ${(calm.reads / count).toFixed(1)} reads, ${((cpu / count) * 1000).toFixed(0)} ms of CPU`,
    ),
    judged('RSS at its most, all pools made', {
      value: footprint.peakMb,
      most: MOST_RSS_MB,
      unit: 'MB',
      beside: `now ${footprint.rssMb.toFixed(0)}, RssAnon ${footprint.anonMb.toFixed(0)}`,
    }),
  ];
  const raw = {
    writes: Object.fromEntries(calm.writes),
    reconciles: calm.reconciles,
    reads: calm.reads,
    readySeconds: (readyMs - beganMs) / 1000,
    settledSeconds: (settledMs - beganMs) / 1000,
    cpuSeconds: cpu,
    footprint,
    pool: poolOf({ count, namespaces, nameserver: surroundings.nameserver }, 0),
  };
  return { refs, running, figures, raw };
}

/** What an operator does while nothing happens. */
export async function measureQuiet(scene: Settled, running: Running): Promise<{ figures: Figure[]; window: Window }> {
  const { options, count } = scene;
  const window = await watchFor(running, options.pace.quietSeconds);
  const { counted, seconds } = window;
  const idle = window.cpuSeconds / seconds;
  const figures = [
    judged(`${Math.round(seconds)} s of quiet: writes`, {
      value: totalOf(counted.writes),
      most: 0,
      unit: '',
      beside: [...counted.writes.keys()].join(', ') || `the Lease ${counted.leaseWrites} times`,
    }),
    judged(`${Math.round(seconds)} s of quiet: reads`, {
      value: counted.reads,
      most: count,
      unit: '',
      beside: `${counted.watches} watches begun anew`,
    }),
    told(
      'while nothing happens',
      `${(idle * 100).toFixed(2)} % of a core; a second: ${(counted.hostPolls / seconds).toFixed(1)} hosts asked, ${(counted.dnsQuestions / seconds).toFixed(1)} DNS questions, ${(counted.reconciles / seconds).toFixed(1)} reconciles`,
    ),
  ];
  return { figures, window };
}

/** Stops an operator in order. @throws Error when it ends with another code than 0. */
export async function stopInOrder({ operator }: Running): Promise<void> {
  const code = await operator.stop();
  if (code !== 0) throw new Error(`the operator ended with ${code}:\n${operator.output().slice(-2_000)}`);
}
