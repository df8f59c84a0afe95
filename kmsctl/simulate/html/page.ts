// SPDX-License-Identifier: Apache-2.0
//
// The report as one page that needs no network: head, verdicts, charts with a table behind each, tables.

import { whenText } from '@kmspool/kms/fleet';
import type { FleetReport } from '../report.ts';
import { PAGE_ASSETS } from './assets.ts';
import { type Chart, chartsOf } from './charts.ts';

/** Rows of the table behind a chart. */
const TABLE_ROWS = 24;

/** The whole page. It loads nothing, and its own policy forbids it to. */
export function htmlReport(report: FleetReport): string {
  const charts = chartsOf(report);
  const { chartScript, chartStyle, chartLicence, pageScript, pageStyle } = PAGE_ASSETS;
  const data = JSON.stringify({ charts, marks: report.changes.map(({ atMs }) => atMs / 86_400_000) });
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:">
<link rel="icon" href="data:,">
<title>${escaped(report.title)} – kmsctl simulate</title>
<style>${chartStyle}${pageStyle}</style>
</head>
<body>
<main>
${headHtml(report)}
${expectationsHtml(report)}
${changesHtml(report)}
${charts.map(chartHtml).join('\n')}
${groupsHtml(report)}
${resultsHtml(report)}
<footer>Made by kmsctl simulate from the fleet ${escaped(report.fleet)}, seed ${report.seed}: a rehearsal on a virtual clock, with emulated hosts. Drag across a chart to zoom, double-click to go back.</footer>
</main>
<script type="application/json" id="data">${data.replaceAll('<', '\\u003c')}</script>
<script>/*! uPlot
${chartLicence}*/
${chartScript}</script>
<script>${pageScript}</script>
</body>
</html>
`;
}

const number = (value: number): string => value.toLocaleString('en-US');

/** Text as HTML shows it. */
function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
}

function headHtml(report: FleetReport): string {
  const { title, machines, cmids, hosts, days, start, events, series, groups } = report;
  const licensed = (series.states.licensed.at(-1) ?? 0) + (series.states.mak.at(-1) ?? 0);
  const left = groups.reduce((sum, group) => sum + group.leftLicensed, 0);
  const tiles: [string, string][] = [
    ['machines', number(machines)],
    ...(cmids < machines ? [['different CMIDs', number(cmids)] as [string, string]] : []),
    ['hosts', number(hosts.length)],
    ['licensed at the end', number(licensed)],
    ['left Licensed', number(left)],
    ['events', number(events)],
  ];
  return `<h1>${escaped(title)}</h1>
<p class="about">${days} days from ${start.slice(0, 16).replace('T', ' ')} UTC</p>
${verdictHtml(report)}
<dl class="tiles">${tiles.map(([name, value]) => `<div><dt>${name}</dt><dd>${value}</dd></div>`).join('')}</dl>`;
}

function verdictHtml({ expectations, ok }: FleetReport): string {
  if (expectations.length === 0) return '';
  const failed = expectations.filter((each) => !each.ok).length;
  const text = ok ? '✔ All expectations are met.' : `✘ ${failed} of ${expectations.length} expectations are not met.`;
  return `<p class="verdict${ok ? '' : ' no'}">${text}</p>`;
}

interface Cell {
  readonly text: string;
  readonly kind?: 'n' | 'name' | 'ok' | 'bad';
}

/** A table; the head of a column is aligned as its cells are. */
function tableHtml(titles: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const head = titles.map(
    (title, at) => `<th scope="col"${classOf(rows[0]?.[at]?.kind === 'n' ? 'n' : undefined)}>${title}</th>`,
  );
  const body = rows.map(
    (row) => `<tr>${row.map(({ text, kind }) => `<td${classOf(kind)}>${escaped(text)}</td>`).join('')}</tr>`,
  );
  return `<div class="scroll" tabindex="0"><table class="data"><thead><tr>${head.join('')}</tr></thead><tbody>${body.join('')}</tbody></table></div>`;
}

function classOf(name: string | undefined): string {
  return name === undefined ? '' : ` class="${name}"`;
}

function expectationsHtml({ expectations }: FleetReport): string {
  if (expectations.length === 0) return '';
  const rows = expectations.map(({ expected, evidence, ok }): Cell[] => [
    { text: ok ? '✔ yes' : '✘ no', kind: ok ? 'ok' : 'bad' },
    { text: expected },
    { text: evidence },
  ]);
  return `<h2>Expectations</h2>\n${tableHtml(['met', 'expected', 'seen'], rows)}`;
}

function changesHtml({ changes }: FleetReport): string {
  if (changes.length === 0) return '';
  const rows = changes.map(({ atMs, title }, at): Cell[] => [
    { text: String(at + 1), kind: 'n' },
    { text: whenText(atMs), kind: 'name' },
    { text: title },
  ]);
  return `<h2>What happens</h2>\n<p class="hint">The numbers stand above the charts.</p>\n${tableHtml(['', 'when', 'what'], rows)}`;
}

function chartHtml(chart: Chart): string {
  const { id, title, hint } = chart;
  return `<figure aria-labelledby="${id}-title">
<h2 id="${id}-title">${escaped(title)}</h2>
<p class="hint">${escaped(hint)}</p>
<div class="chart" id="${id}" role="img" aria-label="${escaped(`${title}, chart; the same as a table follows`)}"></div>
<details><summary>${escaped(title)} as a table</summary>
${chartTable(chart)}
</details>
</figure>`;
}

/** Some points of the chart, evenly over its time, first and last among them. */
function chartTable({ x, series, unit }: Chart): string {
  const rows = Math.min(TABLE_ROWS, x.length);
  const places = Array.from({ length: rows }, (_, row) => Math.round((row * (x.length - 1)) / Math.max(1, rows - 1)));
  const lines = series.filter(({ line }) => line !== 'threshold');
  return tableHtml(
    ['day', ...lines.map(({ label }) => escaped(label))],
    places.map((at): Cell[] => [
      { text: String(Number((x[at] ?? 0).toFixed(2))), kind: 'n' },
      ...lines.map(({ values }): Cell => {
        const value = values[at];
        return { text: value === null || value === undefined ? '–' : `${number(value)}${unit}`, kind: 'n' };
      }),
    ]),
  );
}

function groupsHtml({ groups, hosts }: FleetReport): string {
  const numeric = (value: number): Cell => ({ text: number(value), kind: 'n' });
  const rows = groups.map((group): Cell[] => [
    { text: group.name, kind: 'name' },
    { text: `${group.product}${group.virtual ? ' VM' : ''}`, kind: 'name' },
    numeric(group.count),
    ...['licensed', 'grace', 'outOfTolerance', 'notification', 'mak', 'retail'].map((state) =>
      numeric(group.states[state] ?? 0),
    ),
    numeric(group.leftLicensed),
    numeric(group.mostFailedTries),
  ]);
  const titles = [
    'group',
    'product',
    'machines',
    'Licensed',
    'grace',
    'out of tolerance',
    'notification',
    'MAK',
    'retail',
  ];
  const hostRows = hosts.map(({ host, answered, share }): Cell[] => [
    { text: host, kind: 'name' },
    numeric(answered),
    { text: `${(share * 100).toFixed(1)} %`, kind: 'n' },
  ]);
  return `<h2>Groups at the end</h2>
${tableHtml([...titles, 'left Licensed', 'most failed tries of one'], rows)}
<h2>Hosts</h2>
${tableHtml(['host', 'answered', 'share'], hostRows)}`;
}

function resultsHtml({ results }: FleetReport): string {
  if (results.length === 0) return '';
  const rows = results.map(({ code, times, meaning }): Cell[] => [
    { text: code, kind: 'name' },
    { text: number(times), kind: 'n' },
    { text: meaning },
  ]);
  return `<h2>What failed tries came to</h2>\n${tableHtml(['result', 'times', 'meaning'], rows)}`;
}
