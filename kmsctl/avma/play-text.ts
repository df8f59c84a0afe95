// SPDX-License-Identifier: Apache-2.0
//
// A played scenario and its reports as lines for a terminal.

import { redacted } from '@kmspool/crds';
import type { AvmaRecord } from '@kmspool/kms/avma';
import { printable, type Style, visibleWidth } from '../text/style.ts';
import { tableLines } from '../text/table.ts';
import type { Played, PlayedStep } from './play.ts';
import { type Report, timeText } from './report.ts';
import type { Scenario } from './scenario.ts';

export interface TextOptions {
  readonly style: Style;
  /** Columns of the terminal; without it nothing is shortened. */
  readonly width?: number | undefined;
}

const REASON_WORDS: Readonly<Record<AvmaRecord['reason'], string>> = {
  Activated: 'activated',
  OtherHypervisor: 'no Hyper-V here: guests need KMS, AD or MAK',
  NoDataExchange: 'the Data Exchange service is off',
  HostDoesNotAnswer: 'the host does not answer',
  HostNotSupported: 'no Datacenter of Server 2012 R2 or later',
  HostNotActivated: 'the host is not activated itself',
  HostTooOld: 'the host is older than the guest',
  DataDamaged: 'what the guest sent is damaged',
  IdMismatch: "the key's AVMA ID is not the guest's",
};

/** Steps, records and verdicts, and how it ended. */
export function playedLines(scenario: Scenario, played: Played, options: TextOptions): string[] {
  const { style } = options;
  const title = [style.bold(clean(scenario.name)), ...(scenario.description ?? '').trim().split('\n').map(clean)];
  return [
    ...title.filter((line) => line !== ''),
    '',
    ...played.steps.flatMap((step) => stepLines(step, options)),
    '',
    ending(played, style),
  ];
}

function stepLines({ title, note, atMs, records, verdicts }: PlayedStep, options: TextOptions): string[] {
  const { style } = options;
  const rows = collapsed(records).map(({ record, times }) => recordRow(record, times));
  const columns = [...['', '', '', ''].map((each) => ({ title: each })), { title: '', minWidth: 12 }];
  const table = tableLines(rows, {
    style,
    columns,
    indent: '    ',
    ...(options.width !== undefined && { width: options.width }),
  });
  return [
    `${style.dim(timeText(atMs))}  ${clean(title)}${note === undefined ? '' : style.dim(`  (${clean(note)})`)}`,
    ...(rows.length === 0 ? [] : table.slice(1)),
    ...verdicts.map(({ ok, text }) => `    ${ok ? style.green('✔') : style.red('✘')} ${clean(text)}`),
  ];
}

function recordRow({ id, log, guest, notification, reason }: AvmaRecord, times: number): string[] {
  const repeated = times === 1 ? '' : ` (${times} times)`;
  return [String(id), `log of ${log}`, id === 12310 ? guest : '', notification, `${REASON_WORDS[reason]}${repeated}`];
}

/** Renewals of half a year are one line: records that differ in time only, in the order of the first. */
function collapsed(records: readonly AvmaRecord[]): { record: AvmaRecord; times: number }[] {
  const groups = Map.groupBy(records, ({ atMs: _time, ...record }) => JSON.stringify(record));
  return [...groups.values()].flatMap((group) =>
    group[0] === undefined ? [] : [{ record: group[0], times: group.length }],
  );
}

function ending({ failed, expected, records }: Played, style: Style): string {
  const guests = records.filter(({ id }) => id === 12309).length;
  const seen = `${records.length - guests} records on hosts (12310), ${guests} in guests (12309), no message to any user`;
  if (expected === 0) return `${seen}; nothing was expected`;
  const verdict =
    failed === 0
      ? style.green(`all ${expected} expectations hold`)
      : style.red(`${failed} of ${expected} expectations fail`);
  return `${seen}; ${verdict}`;
}

/** A report as a table; columns in which nothing stands, and those for which a terminal has no room, are left out. */
export function reportLines(report: Report, { style, width = Number.POSITIVE_INFINITY }: TextOptions): string[] {
  const title = style.bold(clean(report.title));
  if (report.rows.length === 0) return [title, '  nothing'];
  const used = report.columns.map((_, at) => at).filter((at) => report.rows.some((row) => row[at] !== ''));
  const table = (columns: readonly number[]): string[] =>
    tableLines(
      report.rows.map((row) => columns.map((at) => clean(row[at] ?? ''))),
      { style, columns: columns.map((at) => ({ title: report.columns[at]?.toUpperCase() ?? '' })) },
    );
  let count = used.length;
  while (count > 1 && table(used.slice(0, count)).some((line) => visibleWidth(line) > width)) count--;
  const left = used.slice(count).map((at) => report.columns[at] ?? '');
  const more = left.length === 0 ? [] : [style.dim(`no room for ${left.join(', ')}; -o csv has them`)];
  return [title, ...table(used.slice(0, count)), ...more];
}

// The file is the user's, but who pastes a key there must not find it in a log.
function clean(text: string): string {
  return printable(redacted(text));
}
