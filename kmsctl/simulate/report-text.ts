// SPDX-License-Identifier: Apache-2.0
//
// The result of a simulation on a terminal: what happened, small charts over the same time line, tables, verdicts.

import { whenText } from '@kmspool/kms/fleet';
import type { Io } from '../cli/io.ts';
import { pad, printable, type Style, styleFor, visibleWidth } from '../text/style.ts';
import { tableLines } from '../text/table.ts';
import type { FleetReport } from './report.ts';
import { averaged, markLine, sparkline } from './sparkline.ts';

const MAX_COLUMNS = 120;
const LABEL = 18;

export function reportText(report: FleetReport, io: Io): string {
  const style = styleFor(io.color);
  const columns = Math.min(MAX_COLUMNS, io.columns());
  const sections = [
    headLines(report, style),
    changeLines(report, style),
    chartLines(report, style, columns),
    groupLines(report, style, columns),
    hostLines(report, style, columns),
    resultLines(report, style, columns),
    verdictLines(report, style),
  ];
  return `${sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`;
}

const number = (value: number): string => value.toLocaleString('en-US');

function headLines(report: FleetReport, style: Style): string[] {
  const { machines, cmids, days, hosts, seed, title, start, events } = report;
  const cloned = cmids < machines ? style.yellow(` with only ${number(cmids)} different CMIDs`) : '';
  return [
    style.bold(printable(title)),
    `${number(machines)} machines${cloned}, ${hosts.length} host${hosts.length === 1 ? '' : 's'}, ${days} days from ${start.slice(0, 16).replace('T', ' ')} UTC, seed ${seed}: ${number(events)} events`,
  ];
}

function changeLines({ changes }: FleetReport, style: Style): string[] {
  return changes.map(
    ({ atMs, title }, at) => `  ${style.cyan(markOf(at))} ${pad(whenText(atMs), 15)} ${printable(title)}`,
  );
}

/** 1 … 9, a … z: one column each, below the charts and before each change. */
function markOf(at: number): string {
  return at < 35 ? (at + 1).toString(36) : '+';
}

function thresholdsText({ counts }: FleetReport): string {
  const all = counts.flatMap(({ thresholds }) => thresholds);
  const first = all.filter(({ name }, at) => all.findIndex((other) => other.name === name) === at);
  return first.map(({ name, required }) => `${name} ${required}`).join(', ');
}

interface Row {
  readonly label: string;
  readonly points: readonly number[];
  readonly top: number;
  readonly note: string;
}

function chartLines(report: FleetReport, style: Style, columns: number): string[] {
  const rows = chartRows(report);
  const noteWidth = Math.max(8, ...rows.map(({ note }) => note.length));
  const width = Math.max(20, columns - LABEL - noteWidth - 6);
  const endMs = report.days * 86_400_000;
  const marks = report.changes.map(({ atMs }, at) => ({ place: atMs / endMs, text: markOf(at) }));
  const axis = pad(`day ${report.days}`, width - 5, 'right');
  return [
    style.dim(`  ${pad('', LABEL)}  day 0${axis}  ${pad('AT END', noteWidth, 'right')}`),
    ...rows.map(({ label, points, top, note }) => {
      const chart = sparkline(averaged(points, width), top);
      return `  ${pad(printable(label), LABEL)}  ${style.cyan(pad(chart, width))}  ${pad(note, noteWidth, 'right')}`;
    }),
    ...(marks.length === 0 ? [] : [`  ${pad('', LABEL)}  ${style.cyan(markLine(marks, width))}`]),
    style.dim(`  Licensed from: ${thresholdsText(report)}`),
  ];
}

function chartRows({ machines, series, counts, tries }: FleetReport): Row[] {
  const many = new Set(counts.map(({ pool }) => pool)).size > 1;
  const last = (points: readonly number[]): number => points.at(-1) ?? 0;
  const states = (['licensed', 'grace', 'outOfTolerance', 'notification'] as const).map((state) => ({
    label: STATE_LABELS[state],
    points: series.states[state],
    top: machines,
    note: number(last(series.states[state])),
  }));
  const tables = counts.map(({ pool, application, thresholds, atEnd, highest }, at) => ({
    label: `count ${application}${many ? ` ${pool}` : ''}`,
    points: series.counts[at]?.count ?? [],
    top: Math.max(highest, ...thresholds.map(({ required }) => required)),
    note: String(atEnd),
  }));
  const failed = series.tries.countTooLow.map(
    (count, at) => count + (series.tries.refused[at] ?? 0) + (series.tries.notReached[at] ?? 0),
  );
  const allFailed = tries.countTooLow + tries.refused + tries.notReached;
  return [
    ...states.filter(({ points, label }) => label === STATE_LABELS.licensed || points.some((count) => count > 0)),
    ...tables,
    {
      label: 'renewals',
      points: series.tries.renewal,
      top: Math.max(...series.tries.renewal),
      note: `${number(tries.renewal)} in all`,
    },
    { label: 'tries that failed', points: failed, top: Math.max(...failed), note: `${number(allFailed)} in all` },
  ];
}

const STATE_LABELS = {
  licensed: 'Licensed',
  grace: 'initial grace',
  outOfTolerance: 'out of tolerance',
  notification: 'notification',
} as const;

/** States that few fleets have; each has a column only where it is needed. */
const RARE = [
  ['mak', 'MAK'],
  ['retail', 'RETAIL'],
  ['absent', 'ABSENT'],
] as const;

function groupLines({ groups }: FleetReport, style: Style, width: number): string[] {
  const rare = RARE.filter(([state]) => groups.some(({ states }) => (states[state] ?? 0) > 0));
  const shown = ['licensed', 'grace', 'outOfTolerance', 'notification', ...rare.map(([state]) => state)];
  const rows = groups.map(({ name, product, count, virtual, states, leftLicensed, mostFailedTries }) => [
    printable(name),
    `${product}${virtual ? ' VM' : ''}`,
    ...[count, ...shown.map((state) => states[state] ?? 0), leftLicensed, mostFailedTries].map(number),
  ]);
  const titles = ['COUNT', 'LICENSED', 'GRACE', 'OOT', 'NOTIFIED', ...rare.map(([, title]) => title), 'LEFT', 'FAILS'];
  return tableLines(rows, {
    style,
    width,
    columns: [
      { title: 'GROUP', minWidth: 6 },
      { title: 'PRODUCT', minWidth: 10 },
      ...titles.map((title) => ({ title, align: 'right' as const })),
    ],
  });
}

function hostLines({ hosts }: FleetReport, style: Style, width: number): string[] {
  const most = Math.max(1, ...hosts.map(({ answered }) => answered));
  const rows = hosts.map(({ host, answered, share }) => [
    printable(host),
    number(answered),
    `${(share * 100).toFixed(1)} %`,
    style.cyan('▇'.repeat(Math.round((answered / most) * 30))),
  ]);
  const columns = [
    { title: 'HOST', minWidth: 6 },
    { title: 'ANSWERED', align: 'right' as const },
    { title: 'SHARE', align: 'right' as const },
    { title: '' },
  ];
  return tableLines(rows, { style, width, columns });
}

function resultLines({ results }: FleetReport, style: Style, width: number): string[] {
  if (results.length === 0) return [];
  const rows = results.map(({ code, meaning, times }) => [code, number(times), meaning]);
  const columns = [
    { title: 'RESULT' },
    { title: 'TIMES', align: 'right' as const },
    { title: 'MEANING', minWidth: 20 },
  ];
  return tableLines(rows, { style, width, columns });
}

function verdictLines({ expectations, ok }: FleetReport, style: Style): string[] {
  if (expectations.length === 0) return [];
  const width = Math.max(...expectations.map(({ expected }) => visibleWidth(expected)));
  const lines = expectations.map(({ expected, evidence, ok: right }) => {
    const sign = right ? style.green('✔') : style.red('✘');
    return `${sign} ${pad(printable(expected), width)}  ${right ? style.dim(evidence) : style.red(evidence)}`;
  });
  const failed = expectations.filter(({ ok: right }) => !right).length;
  const last = ok
    ? style.green('All expectations are met.')
    : style.red(`${failed} of ${expectations.length} expectations are not met.`);
  return [...lines, last];
}
