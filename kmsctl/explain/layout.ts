// SPDX-License-Identifier: Apache-2.0
//
// An explanation as lines of text: short for who is in a hurry, long for who has to mend it (S4-34). Whatever came from a
// user is made printable here.

import { eventById, formatHresult, type Hresult, hresult, type KmsEvent, type Language } from '@kmspool/kms/catalog';
import { printable, type Style } from '../text/style.ts';
import { wrapLines } from '../text/wrap.ts';
import type { ExplainedFinding, Explanation } from './explanation.ts';
import type { CodeFinding, EventFinding, Finding, Remark } from './types.ts';
import { facilityOf, win32Meaning } from './win32.ts';
import { ACTIVATION_NAMES, DECIDER_NAMES, FORM_NAMES, filled, LOGGER_NAMES, ROLE_NAMES, WORDS } from './words.ts';

export interface Layout {
  readonly language: Language;
  readonly long: boolean;
  readonly style: Style;
  /** Columns; lines are no longer, single words apart. */
  readonly width: number;
}

const INDENT = '  ';
const ARROW = '-> ';

/** The lines, without line ends. */
export function explanationLines({ items, together, facts }: Explanation, layout: Layout): string[] {
  const { language, long, style } = layout;
  const blocks = items.map((item) => itemLines(item, facts?.pool, layout));
  if (together.length > 0)
    blocks.push([style.bold(WORDS.together[language]), ...together.flatMap((remark) => remarkLines(remark, layout))]);
  const shortened =
    !long && items.some(({ finding }) => finding.kind === 'code' && hresult(finding.code) !== undefined);
  if (shortened) blocks.push([style.dim(WORDS.more[language])]);
  if (long && shortenable(items)) blocks.push(wrapLines(WORDS.home[language], layout));
  return blocks.flatMap((block, at) => (at === 0 ? block : ['', ...block]));
}

function shortenable(items: readonly ExplainedFinding[]): boolean {
  return items.some(({ finding }) => finding.kind === 'code');
}

function itemLines(
  { finding, remarks, pool: here }: ExplainedFinding,
  pool: string | undefined,
  layout: Layout,
): string[] {
  const { language, style } = layout;
  const heading = filled(WORDS.pool[language], { pool: printable(pool ?? '') });
  return [
    ...headLines(finding, layout),
    ...remarks.flatMap((remark) => remarkLines(remark, layout)),
    ...(here === undefined
      ? []
      : [style.bold(INDENT + heading), ...here.flatMap((remark) => remarkLines(remark, layout))]),
  ];
}

function headLines(finding: Finding, layout: Layout): string[] {
  const { language, style } = layout;
  const head = (text: string): string[] => wrapLines(printable(text), layout).map(style.bold);
  switch (finding.kind) {
    case 'code':
      return codeLines(finding, layout);
    case 'event':
      return eventLines(finding, layout);
    case 'dlv':
      return head(ROLE_NAMES[finding.role][language] + (finding.name === undefined ? '' : `: ${finding.name}`));
    case 'ipconfig':
      return head(filled(WORDS.ipconfig[language], { name: finding.hostName ?? WORDS.thisComputer[language] }));
    case 'nslookup':
      return head(WORDS.nslookup[language]);
    case 'key':
      return head(WORDS.key[language]);
  }
}

function codeLines({ code, form }: CodeFinding, layout: Layout): string[] {
  const { language, style } = layout;
  const row = hresult(code);
  const how = FORM_NAMES[form]?.[language];
  const head = style.bold(`${formatHresult(code)}${row === undefined ? '' : ` ${row.symbol}`}`);
  const given = how === undefined ? '' : style.dim(` (${how})`);
  return [head + given, ...(row === undefined ? unknownLines(code, layout) : knownLines(row, layout))];
}

function knownLines(row: Hresult, layout: Layout): string[] {
  const { language, long } = layout;
  const { meaning, remedy, cause, steps, pool } = row.texts[language];
  const types = row.activation.map((type) => ACTIVATION_NAMES[type][language]).join(', ');
  const short = [
    ...paragraph(meaning, layout),
    ...paragraph(remedy, layout, ARROW),
    ...labelled(WORDS.activation[language], types, layout),
    ...labelled(WORDS.decidedBy[language], DECIDER_NAMES[row.decidedBy][language], layout),
  ];
  if (!long) return short;
  return [
    ...short,
    ...labelled(WORDS.cause[language], cause, layout),
    `${INDENT}${WORDS.steps[language]}:`,
    ...steps.flatMap((step, at) => paragraph(step, layout, `  ${at + 1}. `)),
    ...labelled(WORDS.inPool[language], pool, layout),
  ];
}

/** A code that the catalogue does not have: at least where it comes from. */
function unknownLines(code: number, layout: Layout): string[] {
  const { language } = layout;
  const hex = formatHresult(code);
  const win32 = win32Meaning(code);
  const facility = facilityOf(code);
  const told: string[] = [filled(WORDS.unknown[language], { code: hex })];
  if (win32?.text !== undefined)
    told.push(filled(WORDS.win32[language], { win32: win32.win32, text: win32.text[language] }));
  else if (win32 !== undefined) told.push(filled(WORDS.win32Unknown[language], { win32: win32.win32 }));
  else if (facility !== undefined) told.push(filled(WORDS.facility[language], { text: facility[language] }));
  if (win32 === undefined) told.push(filled(WORDS.slui[language], { code: hex }));
  return told.flatMap((text) => paragraph(text, layout));
}

function eventLines({ id, values }: EventFinding, layout: Layout): string[] {
  const { language, long, style } = layout;
  const event = eventById(id);
  const head = filled(WORDS.event[language], { id });
  if (event === undefined) return [style.bold(head)];
  const { title, meaning, advice } = event.texts[language];
  const isPasted = Object.keys(values).length > 0;
  // Who pastes an event wants to know what this one says, not what such events are for.
  const about = isPasted && !long ? [] : [...paragraph(meaning, layout), ...paragraph(advice, layout, ARROW)];
  return [
    ...wrapLines(`${head}: ${title}`, layout).map(style.bold),
    ...about,
    ...(long || !isPasted ? fieldLines(event, values, layout) : []),
  ];
}

function fieldLines(
  { fields, loggedBy, log, source }: KmsEvent,
  values: EventFinding['values'],
  layout: Layout,
): string[] {
  const { language } = layout;
  const list = fields.map(({ name, titles }) => {
    const value = values[name];
    return value === undefined ? titles[language] : `${titles[language]} = ${value}`;
  });
  return [
    ...labelled(WORDS.loggedBy[language], `${LOGGER_NAMES[loggedBy][language]}; ${log}, ${source}`, layout),
    ...(list.length === 0 ? [] : labelled(WORDS.fields[language], list.join(', '), layout)),
  ];
}

function remarkLines({ severity, text, remedy }: Remark, layout: Layout): string[] {
  const { language, style } = layout;
  const mark = { good: style.green('✓'), note: style.dim('·'), problem: style.red('!') }[severity];
  const said = wrapLines(printable(text[language]), { width: layout.width, first: `${INDENT}${mark} ` });
  const fix = remedy === undefined ? [] : paragraph(remedy[language], layout, `  ${ARROW}`);
  return [...said, ...fix];
}

function paragraph(text: string, { width }: Layout, lead = ''): string[] {
  return wrapLines(printable(text), { width, first: INDENT + lead });
}

function labelled(label: string, text: string, { width }: Layout): string[] {
  return wrapLines(printable(text), { width, first: `${INDENT}${label}: `, rest: `${INDENT}  ` });
}
