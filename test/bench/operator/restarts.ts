// SPDX-License-Identifier: Apache-2.0

// The operator started again in a settled world: in order, after a kill -9, and with a resync so often that its cost can be told.
import { setTimeout as delay } from 'node:timers/promises';
import { cpuSeconds } from '../cpu.ts';
import { median } from '../rows.ts';
import { totalOf } from './counters.ts';
import { stopInOrder } from './creation.ts';
import { type Figure, judged, told } from './figures.ts';
import { type Footprint, footprintOf } from './proc.ts';
import { type Settled, untilCalm, untilLeading, type Window, watchFor } from './scene.ts';
import { changedBetween, takeSnapshot } from './snapshot.ts';

const MOST_READY_MS = 3_000;
const MOST_RSS_MB = 200;
const MOST_RECONCILE_MS = 3;
/** Six seconds: of the CPU then used, reconciles are by far the most. */
const OFTEN_MINUTES = 0.1;
const LONGEST_LIFE_MS = 4_000;

/** Starts in the settled world, each once its predecessor has ended; what each wrote, and what the world shows of it. */
export async function measureStarts(scene: Settled) {
  const { client, cluster, count, options, progress } = scene;
  const before = await takeSnapshot(client);
  const took = { readyMs: [] as number[], writes: [] as number[], cpuMs: [] as number[] };
  let footprint: Footprint | undefined;
  for (let n = 0; n < options.pace.starts; n++) {
    const running = await cluster.startOperator();
    took.readyMs.push(running.readyMs);
    await untilLeading(running);
    const calm = await untilCalm(running, count);
    took.writes.push(totalOf(calm.writes));
    took.cpuMs.push(cpuSeconds(running.operator.pid) * 1000);
    footprint = footprintOf(running.operator.pid);
    await stopInOrder(running);
    progress(`start ${n + 1}: ready after ${running.readyMs.toFixed(0)} ms, ${totalOf(calm.writes)} writes`);
  }
  const changed = changedBetween(before, await takeSnapshot(client));
  const figures: Figure[] = [
    judged('start in the settled world: all caches synced, median', {
      value: median(took.readyMs) / 1000,
      most: MOST_READY_MS / 1000,
      unit: 's',
      digits: 2,
      beside: took.readyMs.map((ms) => (ms / 1000).toFixed(2)).join(', '),
    }),
    worldFigure(`${options.pace.starts} starts in order: writes, and objects changed`, sumOf(took.writes), changed),
    judged('RSS at its most, started in the settled world', {
      value: footprint?.peakMb ?? Number.NaN,
      most: MOST_RSS_MB,
      unit: 'MB',
      beside: `now ${footprint?.rssMb.toFixed(0)}, RssAnon ${footprint?.anonMb.toFixed(0)}`,
    }),
    told('CPU of a start until all is calm', `${median(took.cpuMs).toFixed(0)} ms`),
  ];
  return { figures, raw: { ...took, footprint, changed } };
}

/** kill -9 at random moments of operators that are at work, then one that may finish. */
export async function measureKills(scene: Settled) {
  const { client, cluster, count, options, progress } = scene;
  const before = await takeSnapshot(client);
  const livedMs: number[] = [];
  for (let n = 0; n < options.pace.kills; n++) {
    const running = await cluster.startOperator({ resyncMinutes: OFTEN_MINUTES });
    await untilLeading(running);
    const lifeMs = Math.random() * LONGEST_LIFE_MS;
    await delay(lifeMs);
    await running.operator.kill();
    livedMs.push(lifeMs);
    progress(`kill ${n + 1}: ${lifeMs.toFixed(0)} ms after it came to lead`);
  }
  const last = await cluster.startOperator();
  await untilLeading(last);
  const calm = await untilCalm(last, count);
  await stopInOrder(last);
  const changed = changedBetween(before, await takeSnapshot(client));
  const what = `${options.pace.kills} × kill -9 at random moments: writes of the next, and objects changed`;
  return { figures: [worldFigure(what, totalOf(calm.writes), changed)], raw: { livedMs, changed } };
}

function worldFigure(what: string, writes: number, changed: readonly string[]): Figure {
  const examples = changed.slice(0, 3).join('; ');
  return judged(what, {
    value: writes + changed.length,
    most: 0,
    unit: '',
    beside: changed.length === 0 ? `${writes} writes` : `${writes} writes, ${changed.length} objects: ${examples}`,
  });
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}

/** A resync of all pools every six seconds: what a reconcile costs that finds nothing to do. */
export async function measureResync(scene: Settled, idle: Window | undefined) {
  const { cluster, count, options } = scene;
  const { profileFolder } = options;
  const running = await cluster.startOperator({ resyncMinutes: OFTEN_MINUTES, profileFolder });
  await untilLeading(running);
  await untilCalm(running, count);
  const window = await watchFor(running, options.pace.quietSeconds);
  const footprint = footprintOf(running.operator.pid);
  await stopInOrder(running);
  const { counted, seconds } = window;
  const { reconciles } = counted;
  const perReconcileMs = (window.cpuSeconds / reconciles) * 1000;
  const figures: Figure[] = [
    judged('resync every 6 s: CPU of a reconcile, everything else counted in', {
      value: perReconcileMs,
      most: MOST_RECONCILE_MS,
      unit: 'ms',
      digits: 2,
      beside: `${reconciles} reconciles, ${((window.cpuSeconds / seconds) * 100).toFixed(1)} % of a core${netText(window, idle)}`,
    }),
    judged('resync every 6 s: writes', { value: totalOf(counted.writes), most: 0, unit: '' }),
    judged('resync every 6 s: reads per pool and resync', {
      value: counted.reads / Math.max(1, reconciles),
      most: 1,
      unit: '',
      digits: 3,
    }),
    told(
      'resync every 6 s: memory',
      `RSS ${footprint.rssMb.toFixed(0)} MB (most ${footprint.peakMb.toFixed(0)}), RssAnon ${footprint.anonMb.toFixed(0)}`,
    ),
  ];
  return { figures, perReconcileMs, raw: { ...window, counted: { ...counted, writes: [...counted.writes] } } };
}

/** The same without what the process does besides, taken from the window in which nothing happened. */
function netText(window: Window, idle: Window | undefined): string {
  if (idle === undefined) return '';
  const cpu = window.cpuSeconds - (idle.cpuSeconds / idle.seconds) * window.seconds;
  const reconciles = window.counted.reconciles - (idle.counted.reconciles / idle.seconds) * window.seconds;
  return `; without the rest ${((cpu / reconciles) * 1000).toFixed(2)} ms`;
}
