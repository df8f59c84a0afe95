// SPDX-License-Identifier: Apache-2.0
//
// The result of a simulation as data: what `-o json` prints, and what text and page are made from. Nothing in it depends
// on the machine or the time it was made on, so the same seed gives the same bytes.

import { APPLICATIONS, application, formatHresult, hresult as hresultInfo } from '@kmspool/kms/catalog';
import {
  type FleetPlan,
  machineName,
  type Series,
  type Simulated,
  STATES,
  type TryOutcome,
  type Verdict,
} from '@kmspool/kms/fleet';
import type { LoadedFleet } from './fleet-file.ts';

export interface GroupReport {
  readonly name: string;
  readonly product: string;
  readonly count: number;
  readonly virtual: boolean;
  readonly key: string;
  /** Machines in each state at the end. */
  readonly states: Readonly<Record<string, number>>;
  /** How often a machine left Licensed. */
  readonly leftLicensed: number;
  /** Failed tries of the machine that has most of them. */
  readonly mostFailedTries: number;
  readonly mostFailedTriesOf: string;
}

export interface FleetReport {
  readonly fleet: string;
  readonly title: string;
  readonly seed: number;
  /** ISO 8601, UTC. */
  readonly start: string;
  readonly days: number;
  readonly machines: number;
  /** Fewer than machines where images were cloned without /generalize (S1-17). */
  readonly cmids: number;
  readonly events: number;
  readonly ok: boolean;
  readonly expectations: readonly Verdict[];
  readonly changes: readonly { readonly atMs: number; readonly title: string }[];
  readonly groups: readonly GroupReport[];
  readonly hosts: readonly { readonly host: string; readonly answered: number; readonly share: number }[];
  readonly counts: readonly CountReport[];
  readonly tries: Readonly<Record<TryOutcome, number>>;
  /** What tries that failed came to, the most frequent first. */
  readonly results: readonly { readonly code: string; readonly meaning: string; readonly times: number }[];
  readonly stepMs: number;
  readonly series: Series;
}

export interface CountReport {
  readonly pool: string;
  readonly application: string;
  readonly thresholds: readonly { readonly name: string; readonly required: number }[];
  readonly atEnd: number;
  readonly highest: number;
}

export interface ReportSource {
  readonly loaded: LoadedFleet;
  readonly seed: number;
  readonly plan: FleetPlan;
  readonly result: Simulated;
  readonly verdicts: readonly Verdict[];
}

export function reportOf(source: ReportSource): FleetReport {
  const { loaded, seed, plan, result, verdicts } = source;
  const series = usedCounts(result.tally.series());
  return {
    fleet: loaded.fleet.fleet,
    title: loaded.fleet.title ?? loaded.fleet.fleet,
    seed,
    start: new Date(plan.startMs).toISOString(),
    days: plan.days,
    machines: result.machines.count,
    cmids: plan.groups.reduce((sum, { count, image }) => sum + (image.generalized ? count : 1), 0),
    events: result.events,
    ok: verdicts.every(({ ok }) => ok),
    expectations: verdicts,
    changes: [...plan.changes]
      .filter(({ atMs }) => atMs <= plan.days * 86_400_000)
      .sort((a, b) => a.atMs - b.atMs)
      .map(({ atMs, title }) => ({ atMs, title })),
    groups: groupReports(result),
    hosts: hostReports(result),
    counts: series.counts.map(({ pool, application: name, count }) => ({
      pool,
      application: name,
      thresholds: APPLICATIONS.find((each) => each.name === name)?.thresholds ?? [],
      atEnd: count.at(-1) ?? 0,
      highest: Math.max(0, ...count),
    })),
    tries: result.tally.totals(),
    results: [...result.tally.hresults]
      .sort(([a, times], [b, others]) => others - times || a - b)
      .map(([code, times]) => ({
        code: formatHresult(code),
        meaning: hresultInfo(code)?.texts.en.meaning ?? '',
        times,
      })),
    stepMs: plan.stepMs,
    series,
  };
}

/** Without the tables that nobody ever asked; of Windows always, for an empty chart says something too. */
function usedCounts(series: Series): Series {
  const windows = application('Windows').name;
  const counts = series.counts.filter((each) => each.application === windows || each.count.some((count) => count > 0));
  return { ...series, counts };
}

function groupReports(result: Simulated): GroupReport[] {
  const { machines, tally } = result;
  const states = tally.groups();
  return machines.groups.map(({ name, product, count, virtual, key }, at) => {
    const worst = worstOf(result, at);
    return {
      name,
      product: product.slug,
      count,
      virtual,
      key,
      states: Object.fromEntries(STATES.map((state) => [state, states[at]?.[state] ?? 0])),
      leftLicensed: tally.leavings(at).times,
      mostFailedTries: machines.failedTries(worst),
      mostFailedTriesOf: machines.failedTries(worst) === 0 ? '' : machineName(result, worst),
    };
  });
}

function worstOf({ machines }: Simulated, group: number): number {
  const first = machines.firstOf[group] ?? 0;
  let worst = first;
  for (let machine = first; machine < first + (machines.groups[group]?.count ?? 0); machine++) {
    if (machines.failedTries(machine) > machines.failedTries(worst)) worst = machine;
  }
  return worst;
}

function hostReports({ tally }: Simulated): FleetReport['hosts'] {
  const answered = tally.answeredByHost();
  const all = answered.reduce((sum, each) => sum + each, 0);
  return tally.series().hosts.map(({ host }, at) => {
    const own = answered[at] ?? 0;
    return { host, answered: own, share: all === 0 ? 0 : Number((own / all).toFixed(4)) };
  });
}
