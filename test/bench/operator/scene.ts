// SPDX-License-Identifier: Apache-2.0

// What every measurement of one world works with, and the waiting that they share.
import { setTimeout as delay } from 'node:timers/promises';
import type { Client, ObjectRef } from '@kmspool/operator/runtime';
import { cpuSeconds } from '../cpu.ts';
import { type Cluster, countersOf, type Running } from './cluster.ts';
import { type Counters, countedBetween, totalOf } from './counters.ts';
import type { Eyes } from './eyes.ts';
import type { OperatorBenchOptions } from './options.ts';

/** One world. */
export interface Scene {
  readonly cluster: Cluster;
  readonly client: Client;
  readonly eyes: Eyes;
  readonly options: OperatorBenchOptions;
  /** Pools that are to be there. */
  readonly count: number;
  readonly progress: (line: string) => void;
}

/** A scene with its pools. */
export interface Settled extends Scene {
  readonly refs: readonly ObjectRef[];
}

const LOOK_MS = 1_000;
/** Nothing was written for so long: whatever was to be written is. */
const CALM_MS = 6_000;

/** Waits until the process leads. */
export async function untilLeading(running: Running, timeoutMs = 60_000): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await countersOf(running)).leads) {
    if (performance.now() > deadline) throw new Error('the operator does not come to lead');
    await delay(100);
  }
}

/** Waits until the process has reconciled every pool once and has written nothing for a while. Answers its counters then. */
export async function untilCalm(running: Running, pools: number, timeoutMs = 300_000): Promise<Counters> {
  const deadline = performance.now() + timeoutMs;
  let calmSinceMs = performance.now();
  let writes = -1;
  for (;;) {
    const now = await countersOf(running);
    const total = totalOf(now.writes);
    if (total !== writes || now.queued > 0 || now.reconciles < pools) calmSinceMs = performance.now();
    else if (performance.now() - calmSinceMs >= CALM_MS) return now;
    writes = total;
    if (performance.now() > deadline) throw new Error(`the operator does not come to rest: ${total} writes so far`);
    await delay(LOOK_MS);
  }
}

/** What a process did in a time in which nobody disturbed it. */
export interface Window {
  readonly seconds: number;
  readonly counted: Counters;
  readonly cpuSeconds: number;
}

/** Watches a process for some seconds. What the two scrapes cost is not counted. */
export async function watchFor(running: Running, seconds: number): Promise<Window> {
  const { pid } = running.operator;
  const before = await countersOf(running);
  const [cpuBefore, beganMs] = [cpuSeconds(pid), performance.now()];
  await delay(seconds * 1000);
  const window = { seconds: (performance.now() - beganMs) / 1000, cpuSeconds: cpuSeconds(pid) - cpuBefore };
  return { ...window, counted: countedBetween(before, await countersOf(running)) };
}
