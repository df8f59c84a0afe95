// SPDX-License-Identifier: Apache-2.0

// `status.counts`: what the pool has counted, from what its hosts say. A status is no metric: numbers that change are written at most every 30 seconds,
// a threshold that is reached or lost at once. Pure.
import type { HostAnswer, World } from '../world.ts';
import { oldStatus, type PoolCounts, type StatusInput } from './input.ts';

/** Least time between two writes of counts alone. */
export const COUNTS_HOLD_MS = 30_000;

const MOST_APPLICATIONS = 8;
const MOST_THRESHOLDS = 8;
const MOST = 0x7fffffff;

/** The counts to show now. */
export interface HeldCounts {
  /** Undefined: nobody has ever told them. */
  readonly counts: PoolCounts | undefined;
  /** Newer counts are known and held back: look again after so long. */
  readonly requeueAfterMs: number | undefined;
}

/** What {@link holdCounts} decides from. */
export interface CountsQuestion {
  /** Those of the status. */
  readonly before: PoolCounts | undefined;
  /** Those that the hosts tell; undefined when none does. */
  readonly latest: PoolCounts | undefined;
  /** When this process wrote counts last; undefined: not yet. */
  readonly writtenAtMs: number | undefined;
  readonly nowMs: number;
}

/** The counts to show: the latest, or for a while those of before when only numbers have changed. */
export function holdCounts({ before, latest, writtenAtMs, nowMs }: CountsQuestion): HeldCounts {
  if (latest === undefined) return { counts: before, requeueAfterMs: undefined };
  if (before === undefined || !sameThresholds(before, latest)) return { counts: latest, requeueAfterMs: undefined };
  const dueMs = (writtenAtMs ?? Number.NEGATIVE_INFINITY) + COUNTS_HOLD_MS;
  if (sameCounts(before, latest) || nowMs >= dueMs) return { counts: latest, requeueAfterMs: undefined };
  return { counts: before, requeueAfterMs: dueMs - nowMs };
}

/** The counts to show in the status that follows from this input. */
export function countsFor(input: StatusInput): HeldCounts {
  const { world, nowMs, countsWrittenAtMs: writtenAtMs } = input;
  return holdCounts({ before: oldStatus(input).counts, latest: latestCounts(world), writtenAtMs, nowMs });
}

/** Whether two statuses show the same counts; when they do not, whoever writes the second notes the time. */
export function sameCounts(a: PoolCounts | undefined, b: PoolCounts | undefined): boolean {
  return JSON.stringify((a ?? []).map(rowText)) === JSON.stringify((b ?? []).map(rowText));
}

function rowText({ application, current, cap, thresholds }: PoolCounts[number]): unknown[] {
  return [application, current, cap, thresholds.map(({ name, required, met }) => [name, required, met])];
}

function sameThresholds(a: PoolCounts, b: PoolCounts): boolean {
  const text = (counts: PoolCounts): string =>
    JSON.stringify(counts.map(({ application, thresholds }) => [application, thresholds.map((t) => [t.name, t.met])]));
  return text(a) === text(b);
}

/**
 * The counts as the hosts tell them: those of the host that was asked last, for all read one table. While none reaches the store each knows the last table
 * and its own clients since, and the pool's count is at least the largest. A host that has never seen the table knows nothing.
 */
export function latestCounts({ hosts }: Pick<World, 'hosts'>): PoolCounts | undefined {
  const answers = hosts.flatMap(({ report }) =>
    report?.answer === undefined || report.answer.storeState === 'Starting'
      ? []
      : [{ atMs: report.atMs, answer: report.answer }],
  );
  const connected = answers.filter(({ answer }) => answer.storeState === 'Available').sort((a, b) => b.atMs - a.atMs);
  const [freshest] = connected;
  const counts =
    freshest === undefined
      ? answers.map(({ answer }) => countsIn(answer)).reduce(larger, [])
      : countsIn(freshest.answer);
  return counts.length === 0 ? undefined : counts;
}

function larger(a: PoolCounts, b: PoolCounts): PoolCounts {
  const known = new Map(a.map((row) => [row.application, row]));
  for (const row of b) {
    const other = known.get(row.application);
    if (other === undefined || row.current > other.current) known.set(row.application, row);
  }
  return [...known.values()];
}

/** One row for each application, within the bounds of the status: a host of another version must not make it unwritable. */
function countsIn({ counts }: HostAnswer): PoolCounts {
  const rows = new Map(counts.map((row) => [row.application, row]));
  return [...rows.values()].slice(0, MOST_APPLICATIONS).map(({ application, current, cap, thresholds }) => ({
    application,
    current: Math.min(current, MOST),
    cap: Math.min(cap, MOST),
    thresholds: [...new Map(thresholds.map((threshold) => [threshold.name, threshold])).values()]
      .slice(0, MOST_THRESHOLDS)
      .map(({ name, required, met }) => ({ name, required: Math.min(required, MOST), met })),
  }));
}
