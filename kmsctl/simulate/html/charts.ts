// SPDX-License-Identifier: Apache-2.0
//
// Which charts the page has, as values: title, axes, series. How they are drawn is browser.js.

import type { FleetReport } from '../report.ts';

export interface ChartSeries {
  readonly label: string;
  /** Name of a CSS variable. */
  readonly color: string;
  readonly values: readonly (number | null)[];
  readonly line?: 'threshold';
}

export interface Chart {
  readonly id: string;
  readonly title: string;
  /** One sentence below the title. */
  readonly hint: string;
  /** Label of the vertical axis. */
  readonly axis: string;
  /** Behind every number; empty or such as ` %`. */
  readonly unit: string;
  /** Days since the start. */
  readonly x: readonly number[];
  readonly series: readonly ChartSeries[];
  /** One upon the other. */
  readonly stacked?: boolean;
  /** Values hold until the next point. */
  readonly steps?: boolean;
  readonly top?: number;
}

const DAY_MS = 86_400_000;
const COLORS = ['c1', 'c2', 'c3', 'c4', 'c5', 'c6'];
/** As many bins as shares are shown in: a share of few requests says nothing. */
const SHARE_BINS = 60;

/** The charts of a report, in the order of the page. */
export function chartsOf(report: FleetReport): Chart[] {
  return [countChart(report), stateChart(report), hostChart(report), failureChart(report), successChart(report)];
}

const daysOf = (report: FleetReport): number[] => report.series.atMs.map((atMs) => Number((atMs / DAY_MS).toFixed(4)));

const color = (at: number): string => COLORS[at % COLORS.length] ?? 'c1';

function countChart(report: FleetReport): Chart {
  const many = new Set(report.counts.map(({ pool }) => pool)).size > 1;
  const all = report.counts.flatMap(({ thresholds }) => thresholds);
  const thresholds = all.filter(({ required }, at) => all.findIndex((other) => other.required === required) === at);
  const tables = report.series.counts.map(
    ({ pool, application, count }, at): ChartSeries => ({
      label: many ? `${application}, ${pool}` : application,
      color: color(at),
      values: count,
    }),
  );
  const lines = thresholds.map(({ required }): ChartSeries => {
    const names = [...new Set(all.filter((other) => other.required === required).map(({ name }) => name))];
    return {
      label: `${names.join(', ')} from`,
      color: 'muted',
      values: report.series.atMs.map(() => required),
      line: 'threshold',
    };
  });
  return {
    id: 'count',
    title: 'Count against thresholds',
    hint: 'Different clients that asked within 30 days, at most twice the largest threshold asked for. Below the dashed line a product is not licensed.',
    axis: 'clients counted',
    unit: '',
    x: daysOf(report),
    series: [...tables, ...lines],
    steps: true,
  };
}

const STATES = [
  ['licensed', 'Licensed'],
  ['mak', 'MAK'],
  ['grace', 'initial grace'],
  ['outOfTolerance', 'out of tolerance'],
  ['notification', 'notification'],
  ['retail', 'retail'],
  ['absent', 'not there yet'],
] as const;

function stateChart(report: FleetReport): Chart {
  const used = STATES.filter(
    ([state]) => state === 'licensed' || report.series.states[state].some((count) => count > 0),
  );
  return {
    id: 'states',
    title: 'Licence states',
    hint: 'All machines, by the state that they are in.',
    axis: 'machines',
    unit: '',
    x: daysOf(report),
    // The first series is drawn on top of the stack; Licensed belongs to the bottom.
    series: used.toReversed().map(([state, label]) => ({ label, color: state, values: report.series.states[state] })),
    stacked: true,
    steps: true,
    top: report.machines,
  };
}

function hostChart(report: FleetReport): Chart {
  const { hosts, atMs } = report.series;
  const size = Math.max(1, Math.ceil(atMs.length / SHARE_BINS));
  const bins = Array.from({ length: Math.ceil(atMs.length / size) }, (_, bin) => bin * size);
  const sum = (values: readonly number[], from: number): number =>
    values.slice(from, from + size).reduce((total, value) => total + value, 0);
  const totals = bins.map((from) => hosts.reduce((total, { answered }) => total + sum(answered, from), 0));
  return {
    id: 'hosts',
    title: 'Share per host',
    hint: 'Which host answered, counts and refusals alike. Gaps: nobody asked, or nobody was answered.',
    axis: 'share of answers',
    unit: ' %',
    x: bins.map((from) => Number(((atMs[from] ?? 0) / DAY_MS).toFixed(4))),
    series: hosts
      .map(({ host, answered }, at) => ({
        label: host,
        color: color(at),
        values: bins.map((from, bin) => percentOf(sum(answered, from), totals[bin] ?? 0)),
      }))
      .toReversed(),
    stacked: true,
    steps: true,
    top: 100,
  };
}

function percentOf(part: number, total: number): number | null {
  return total === 0 ? null : Number(((100 * part) / total).toFixed(1));
}

function failureChart(report: FleetReport): Chart {
  const { tries } = report.series;
  return {
    id: 'retries',
    title: 'Tries that failed',
    hint: 'Each is repeated after the activation interval.',
    axis: `tries in ${stepText(report.stepMs)}`,
    unit: '',
    x: daysOf(report),
    series: [
      { label: 'count too low', color: 'c5', values: tries.countTooLow },
      { label: 'refused', color: 'c6', values: tries.refused },
      { label: 'no host reached', color: 'c2', values: tries.notReached },
    ],
    steps: true,
  };
}

function successChart(report: FleetReport): Chart {
  const { tries } = report.series;
  return {
    id: 'renewals',
    title: 'Activations and renewals',
    hint: 'What hosts have to bear; after a large arrival the renewals come in waves.',
    axis: `tries in ${stepText(report.stepMs)}`,
    unit: '',
    x: daysOf(report),
    series: [
      { label: 'first activations', color: 'c1', values: tries.firstActivation },
      { label: 'renewals', color: 'c3', values: tries.renewal },
    ],
    steps: true,
  };
}

/** `6 hours`, `1 day`. */
function stepText(stepMs: number): string {
  const minutes = stepMs / 60_000;
  const [amount, unit] =
    minutes % 1440 === 0 ? [minutes / 1440, 'day'] : minutes % 60 === 0 ? [minutes / 60, 'hour'] : [minutes, 'minute'];
  return amount === 1 ? `one ${unit}` : `${amount} ${unit}s`;
}
