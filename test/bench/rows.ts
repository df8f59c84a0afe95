// SPDX-License-Identifier: Apache-2.0
//
// The rows of the benchmark and what a row's runs say: pure. A row is a way to connect, a protocol and a store; its figure is
// the host's rate as a share of the canned server's, best run by best run, for rates on shared machines swing by a third
// over minutes while what a program costs beside its ceiling stays.

import type { Mode } from './generator.ts';
import type { LoadResult } from './load.ts';
import type { MeasuredProtocol } from './requests.ts';
import type { StoreKind } from './servers.ts';

/** The server that a run was made against. */
export type Target = 'canned' | StoreKind;

/** Rows that share their runs of the canned server. */
export interface Group {
  readonly mode: Mode;
  readonly protocol: MeasuredProtocol;
  readonly stores: readonly StoreKind[];
}

/** One run of one target. `busy`: the server's CPU time in the window as a share of the time that its core was ours. */
export interface Run {
  readonly target: Target;
  readonly busy: number;
  /** The server was the bottleneck and every answer was right: else the run says nothing about the server. */
  readonly valid: boolean;
  readonly load: LoadResult;
}

/** What all runs of one target come to; rates from valid runs only. */
export interface TargetSummary {
  readonly target: Target;
  readonly runs: number;
  readonly voidRuns: number;
  readonly errors: number;
  readonly bestRate: number;
  readonly medianRate: number;
  readonly p50Microseconds: number;
  readonly p99Microseconds: number;
  readonly bestCpuMicroseconds: number;
  readonly medianCpuMicroseconds: number;
  readonly medianBusy: number;
}

/** One line of the result. */
export interface RowResult extends TargetSummary {
  readonly name: string;
  readonly mode: Mode;
  readonly protocol: MeasuredProtocol;
  /** The share of the canned server's rate that must be reached; undefined for the canned server. */
  readonly wanted: number | undefined;
  /** Best rate ÷ the canned server's best rate; NaN when either has no valid run. */
  readonly rateRatio: number;
  /** The canned server's CPU per request ÷ this one's, both at their best. */
  readonly cpuRatio: number;
  readonly verdict: 'ceiling' | 'reached' | 'missed' | 'void';
}

/** Below this share of its core a server was not what limited the run. */
export const LEAST_BUSY = 0.93;

const WANTED: Readonly<Record<Mode, Readonly<Record<MeasuredProtocol, Readonly<Record<StoreKind, number>>>>>> = {
  fresh: { 4: { memory: 0.72, redis: 0.56 }, 6: { memory: 0.62, redis: 0.5 } },
  persistent: { 4: { memory: 0.55, redis: 0.38 }, 6: { memory: 0.42, redis: 0.32 } },
};

const MODES: readonly Mode[] = ['fresh', 'persistent'];
const PROTOCOLS: readonly MeasuredProtocol[] = [4, 6];
const STORES: readonly StoreKind[] = ['memory', 'redis'];

/** `fresh-v4-memory` and so on. */
export function rowName(mode: Mode, protocol: MeasuredProtocol, target: Target): string {
  return `${mode}-v${protocol}-${target}`;
}

/** All eight row names. */
export function allRowNames(): string[] {
  return MODES.flatMap((mode) =>
    PROTOCOLS.flatMap((protocol) => STORES.map((store) => rowName(mode, protocol, store))),
  );
}

/** The groups that the chosen rows need, in a fixed order. */
export function groupsOf(rowNames: ReadonlySet<string>): Group[] {
  const groups = MODES.flatMap((mode) =>
    PROTOCOLS.map((protocol) => ({
      mode,
      protocol,
      stores: STORES.filter((store) => rowNames.has(rowName(mode, protocol, store))),
    })),
  );
  return groups.filter((group) => group.stores.length > 0);
}

/** Judges one run. */
export function judgeRun(target: Target, load: LoadResult): Run {
  const busy = load.serverCpuSeconds / (load.wallSeconds - load.stolenSeconds);
  const valid = busy >= LEAST_BUSY && errorCount(load) === 0 && load.requests > 0;
  return { target, busy, valid, load };
}

/** The lines of one group: the canned server first, then its stores. */
export function summariseGroup(group: Group, runs: readonly Run[]): RowResult[] {
  const ceiling = summariseTarget('canned', runs);
  return [ceiling, ...group.stores.map((store) => summariseTarget(store, runs))].map((summary) => {
    const wanted = summary.target === 'canned' ? undefined : WANTED[group.mode][group.protocol][summary.target];
    const rateRatio = summary.bestRate / ceiling.bestRate;
    return {
      ...summary,
      name: rowName(group.mode, group.protocol, summary.target),
      mode: group.mode,
      protocol: group.protocol,
      wanted,
      rateRatio,
      cpuRatio: ceiling.bestCpuMicroseconds / summary.bestCpuMicroseconds,
      verdict: verdictOf(rateRatio, wanted),
    };
  });
}

function verdictOf(rateRatio: number, wanted: number | undefined): RowResult['verdict'] {
  if (Number.isNaN(rateRatio)) return 'void';
  if (wanted === undefined) return 'ceiling';
  return rateRatio >= wanted ? 'reached' : 'missed';
}

function summariseTarget(target: Target, allRuns: readonly Run[]): TargetSummary {
  const runs = allRuns.filter((run) => run.target === target);
  const valid = runs.filter((run) => run.valid);
  const rates = valid.map((run) => run.load.requestsPerSecond);
  const cpu = valid.map((run) => (run.load.serverCpuSeconds / run.load.requests) * 1e6);
  return {
    target,
    runs: runs.length,
    voidRuns: runs.length - valid.length,
    errors: runs.reduce((sum, run) => sum + errorCount(run.load), 0),
    bestRate: valid.length === 0 ? Number.NaN : Math.max(...rates),
    medianRate: median(rates),
    p50Microseconds: median(valid.map((run) => run.load.p50Microseconds)),
    p99Microseconds: median(valid.map((run) => run.load.p99Microseconds)),
    bestCpuMicroseconds: valid.length === 0 ? Number.NaN : Math.min(...cpu),
    medianCpuMicroseconds: median(cpu),
    medianBusy: median(runs.map((run) => run.busy)),
  };
}

/** How many errors a run had, of all kinds. */
export function errorCount(load: LoadResult): number {
  return Object.values(load.errors).reduce((sum, count) => sum + count, 0);
}

/** The middle value, the mean of the two middle ones of an even number; NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  const lower = sorted[Math.ceil(sorted.length / 2) - 1] ?? Number.NaN;
  return (lower + upper) / 2;
}
