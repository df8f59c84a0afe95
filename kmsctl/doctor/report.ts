// SPDX-License-Identifier: Apache-2.0
//
// The ladder as text: a mark and a title for each step, what was seen, and the command that mends it. No I/O.

import type { Io } from '../cli/io.ts';
import { printable, type Style, styleFor } from '../text/style.ts';
import { wrapped } from '../text/wrap.ts';
import type { Step, Verdict } from './step.ts';

const MARK: Readonly<Record<Verdict, string>> = { ok: 'ok  ', warn: 'warn', fail: 'FAIL', skipped: 'skip' };

/** Of one step, unless all is wanted: a pool may have a hundred hosts. */
const LINES_SHOWN = 8;

export interface ReportOptions {
  /** Also what was seen where all is well, and what was skipped. */
  readonly verbose: boolean;
}

/** The lines. */
export function reportLines(steps: readonly Step[], { verbose }: ReportOptions, io: Io): string[] {
  const style = styleFor(io.color);
  const shown = verbose ? steps : steps.filter(({ verdict }) => verdict !== 'skipped');
  return [...shown.flatMap((step) => stepLines(step, verbose, { io, style })), '', summaryLine(steps, style)];
}

function stepLines(
  { verdict, title, evidence, fix }: Step,
  verbose: boolean,
  { io, style }: { readonly io: Io; readonly style: Style },
): string[] {
  const mark = paintOf(verdict, style)(MARK[verdict]);
  const shown = verdict === 'ok' ? [] : evidence.slice(0, LINES_SHOWN);
  const left = evidence.length - shown.length;
  const details = verbose
    ? evidence
    : left > 0 && shown.length > 0
      ? [...shown, `and ${left} more; -v shows them`]
      : shown;
  return [
    `${mark}  ${style.bold(title)}`,
    ...details.flatMap((line) => wrapped(printable(line), io, line.startsWith('  ') ? '        ' : '      ')),
    ...(fix === undefined ? [] : [`      ${style.cyan('->')} ${style.cyan(printable(fix))}`]),
  ];
}

function paintOf(verdict: Verdict, style: Style): (text: string) => string {
  if (verdict === 'ok') return style.green;
  if (verdict === 'warn') return style.yellow;
  return verdict === 'fail' ? style.red : style.dim;
}

function summaryLine(steps: readonly Step[], style: Style): string {
  const count = (verdict: Verdict): number => steps.filter((step) => step.verdict === verdict).length;
  const first = steps.find(({ verdict }) => verdict === 'fail') ?? steps.find(({ verdict }) => verdict === 'warn');
  const tally = `${count('ok')} ok, ${count('warn')} warnings, ${count('fail')} failed, ${count('skipped')} skipped`;
  return first === undefined ? style.green(tally) : `${tally}; begin with: ${first.title}`;
}
