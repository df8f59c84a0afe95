// SPDX-License-Identifier: Apache-2.0
//
// Text in lines of a width, where Hangul, Han and Kana take two columns (Unicode UAX #11, wide and fullwidth).

import { stripVTControlCharacters } from 'node:util';

const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u;
const NARROWEST = 20;
/** Longer lines are hard to read. */
const WIDEST = 100;

/** Columns that a text takes on a terminal, colours not counted. */
export function columnsOf(text: string): number {
  return [...stripVTControlCharacters(text)].reduce((sum, letter) => sum + (WIDE.test(letter) ? 2 : 1), 0);
}

export interface Wrapping {
  readonly width: number;
  /** In front of the first line, and of the others (blanks of the same width if not given). */
  readonly first?: string;
  readonly rest?: string;
}

/** The words in lines of at most `width` columns; a word that is longer stands alone. No line ends with spaces. */
export function wrapLines(
  text: string,
  { width, first = '', rest = ' '.repeat(columnsOf(first)) }: Wrapping,
): string[] {
  const most = Math.max(NARROWEST, width);
  const lines: string[] = [];
  let line = first;
  let empty = true;
  for (const word of text.split(/\s+/).filter((each) => each !== '')) {
    if (!empty && columnsOf(line) + 1 + columnsOf(word) > most) {
      lines.push(line);
      line = rest;
      empty = true;
    }
    line += `${empty ? '' : ' '}${word}`;
    empty = false;
  }
  return [...lines, line].map((each) => each.trimEnd());
}

/** A sentence in lines of the terminal's width. */
export function wrapped(text: string, io: { readonly columns: () => number }, first = ''): string[] {
  return wrapLines(text, { width: Math.min(WIDEST, io.columns()), first });
}
