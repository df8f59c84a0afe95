// SPDX-License-Identifier: Apache-2.0
//
// Verdicts: what was to be true of a simulation, whether it was, and what shows it. Pure; the words are for people.

import type { ApplicationName } from '../catalog/index.ts';
import type { Simulated } from './simulate.ts';
import type { GroupStates, MachineState } from './tally.ts';

/** Times are milliseconds since the start; `group` undefined means all machines. */
export type Expectation =
  | { readonly kind: 'neverLeavesLicensed'; readonly group: string | undefined }
  | { readonly kind: 'licensedBy'; readonly atMs: number; readonly share: number; readonly group: string | undefined }
  | {
      readonly kind: 'countAtLeast';
      readonly count: number;
      readonly application: ApplicationName;
      readonly pool: string;
      readonly fromMs: number;
      readonly toMs: number;
    }
  | { readonly kind: 'maxRetriesPerClient'; readonly retries: number; readonly group: string | undefined }
  | {
      readonly kind: 'nobodyIn';
      readonly state: MachineState;
      readonly atMs: number;
      readonly group: string | undefined;
    }
  | { readonly kind: 'hostShare'; readonly host: string; readonly atLeast: number; readonly atMost: number };

export interface Verdict {
  /** What was expected, as a sentence. */
  readonly expected: string;
  readonly ok: boolean;
  /** What was seen. */
  readonly evidence: string;
}

/** The moments whose states {@link judgeExpectations} needs, for `checkpointsMs`. */
export function checkpointsFor(expectations: readonly Expectation[]): number[] {
  const times = expectations.flatMap((each) =>
    each.kind === 'licensedBy' || each.kind === 'nobodyIn' ? [each.atMs] : [],
  );
  return [...new Set(times)].sort((a, b) => a - b);
}

/** One verdict for each expectation, in their order. */
export function judgeExpectations(expectations: readonly Expectation[], result: Simulated): Verdict[] {
  return expectations.map((expectation) => judgeOne(expectation, result));
}

function judgeOne(expectation: Expectation, result: Simulated): Verdict {
  switch (expectation.kind) {
    case 'neverLeavesLicensed':
      return neverLeaves(expectation, result);
    case 'licensedBy':
      return licensedBy(expectation, result);
    case 'countAtLeast':
      return countAtLeast(expectation, result);
    case 'maxRetriesPerClient':
      return maxRetries(expectation, result);
    case 'nobodyIn':
      return nobodyIn(expectation, result);
    case 'hostShare':
      return hostShare(expectation, result);
  }
}

type Of<K extends Expectation['kind']> = Extract<Expectation, { kind: K }>;

/** `pcs 17`: the seventeenth machine of the group pcs. */
export function machineName({ machines }: Simulated, machine: number): string {
  const group = machines.groupOf(machine);
  return `${machines.groups[group]?.name ?? '?'} ${machine - (machines.firstOf[group] ?? 0) + 1}`;
}

/** `day 30`, `day 1, 02:00`: the time since the start; the start is day 0. */
export function whenText(atMs: number): string {
  const minutes = Math.floor(atMs / 60_000);
  const two = (value: number): string => String(value).padStart(2, '0');
  const clock = minutes % 1440 === 0 ? '' : `, ${two(Math.floor((minutes % 1440) / 60))}:${two(minutes % 60)}`;
  return `day ${Math.floor(minutes / 1440)}${clock}`;
}

function neverLeaves({ group }: Of<'neverLeavesLicensed'>, result: Simulated): Verdict {
  const seen = groupNumbers(group, result).map((at) => result.tally.leavings(at));
  const times = seen.reduce((sum, each) => sum + each.times, 0);
  const first = seen
    .flatMap((each) => (each.first === undefined ? [] : [each.first]))
    .sort((a, b) => a.atMs - b.atMs)[0];
  const licensed = groupNumbers(group, result).reduce((sum, at) => sum + (result.tally.groups()[at]?.licensed ?? 0), 0);
  return {
    expected: `${who(group)}: none ever leaves Licensed`,
    ok: times === 0,
    evidence:
      first === undefined
        ? `none did; ${licensed} Licensed at the end`
        : `it happened ${times} times, first to ${machineName(result, first.machine)} on ${whenText(first.atMs)}`,
  };
}

function licensedBy({ atMs, share, group }: Of<'licensedBy'>, result: Simulated): Verdict {
  const states = statesAt(atMs, group, result);
  const all = total(states, () => true);
  const licensed = total(states, (state) => state === 'licensed' || state === 'mak');
  return {
    expected: `${who(group)}: ${percent(share)} Licensed by ${whenText(atMs)}`,
    ok: licensed >= share * all,
    evidence: `${licensed} of ${all} (${percent(all === 0 ? 0 : licensed / all)})`,
  };
}

function countAtLeast(wanted: Of<'countAtLeast'>, { tally }: Simulated): Verdict {
  const { count, application, pool, fromMs, toMs } = wanted;
  const series = tally.series();
  const points = series.counts.find((each) => each.pool === pool && each.application === application)?.count ?? [];
  const within = series.atMs.flatMap((atMs, at) =>
    atMs < fromMs || atMs > toMs ? [] : [{ atMs, count: points[at] ?? 0 }],
  );
  const lowest = within.reduce<{ atMs: number; count: number } | undefined>(
    (least, point) => (least === undefined || point.count < least.count ? point : least),
    undefined,
  );
  return {
    expected: `${pool}, ${application}: count at least ${count} from ${whenText(fromMs)} to ${whenText(toMs)}`,
    ok: lowest !== undefined && lowest.count >= count,
    evidence:
      lowest === undefined
        ? 'no point of the series lies in that time; make it longer'
        : `lowest ${lowest.count}, on ${whenText(lowest.atMs)}`,
  };
}

function maxRetries({ retries, group }: Of<'maxRetriesPerClient'>, result: Simulated): Verdict {
  const { machines } = result;
  let worst: number | undefined;
  for (const at of groupNumbers(group, result)) {
    const first = machines.firstOf[at] ?? 0;
    for (let machine = first; machine < first + (machines.groups[at]?.count ?? 0); machine++) {
      if (worst === undefined || machines.failedTries(machine) > machines.failedTries(worst)) worst = machine;
    }
  }
  const most = worst === undefined ? 0 : machines.failedTries(worst);
  return {
    expected: `${who(group)}: at most ${retries} tries of a machine fail`,
    ok: most <= retries,
    evidence: most === 0 || worst === undefined ? 'none failed' : `${machineName(result, worst)} failed ${most} times`,
  };
}

function nobodyIn({ state, atMs, group }: Of<'nobodyIn'>, result: Simulated): Verdict {
  const there = total(statesAt(atMs, group, result), (each) => each === state);
  return {
    expected: `${who(group)}: nobody in ${state} on ${whenText(atMs)}`,
    ok: there === 0,
    evidence: there === 0 ? 'nobody is' : `${there} are`,
  };
}

function hostShare({ host, atLeast, atMost }: Of<'hostShare'>, { tally }: Simulated): Verdict {
  const answered = tally.answeredByHost();
  const names = tally.series().hosts.map((each) => each.host);
  const all = answered.reduce((sum, each) => sum + each, 0);
  const share = all === 0 ? 0 : (answered[names.indexOf(host)] ?? 0) / all;
  return {
    expected: `${host}: answers ${percent(atLeast)} to ${percent(atMost)} of all requests`,
    ok: share >= atLeast && share <= atMost,
    evidence: percent(share),
  };
}

function groupNumbers(group: string | undefined, { machines }: Simulated): number[] {
  return machines.groups.flatMap(({ name }, at) => (group === undefined || name === group ? [at] : []));
}

function statesAt(atMs: number, group: string | undefined, result: Simulated): GroupStates[] {
  const checkpoint = result.checkpoints.find((each) => each.atMs === atMs);
  return groupNumbers(group, result).flatMap((at) => checkpoint?.groups[at] ?? []);
}

function total(states: readonly GroupStates[], wanted: (state: MachineState) => boolean): number {
  return states
    .flatMap((each) => Object.entries(each) as [MachineState, number][])
    .reduce((sum, [state, count]) => sum + (wanted(state) ? count : 0), 0);
}

function who(group: string | undefined): string {
  return group ?? 'all machines';
}

function percent(share: number): string {
  return `${Number((share * 100).toFixed(1))} %`;
}
