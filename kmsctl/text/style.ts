// SPDX-License-Identifier: Apache-2.0
//
// Colours and widths of terminal text. Nothing here asks whether there is a terminal: the caller says so.

import { stripVTControlCharacters } from 'node:util';

export type Paint = (text: string) => string;

export interface Style {
  readonly bold: Paint;
  readonly dim: Paint;
  readonly green: Paint;
  readonly yellow: Paint;
  readonly red: Paint;
  readonly cyan: Paint;
}

/** Colours, or the plain text if `color` is false. */
export function styleFor(color: boolean): Style {
  const sgr = (open: number, close: number): Paint =>
    color ? (text) => `\x1b[${open}m${text}\x1b[${close}m` : (text) => text;
  return {
    bold: sgr(1, 22),
    dim: sgr(2, 22),
    green: sgr(32, 39),
    yellow: sgr(33, 39),
    red: sgr(31, 39),
    cyan: sgr(36, 39),
  };
}

/** Columns that a text takes, colours not counted. All our texts are of single-width characters. */
export function visibleWidth(text: string): number {
  return [...stripVTControlCharacters(text)].length;
}

/** The text filled up with spaces to `width`, on the right side or (for numbers) on the left. */
export function pad(text: string, width: number, align: 'left' | 'right' = 'left'): string {
  const fill = ' '.repeat(Math.max(0, width - visibleWidth(text)));
  return align === 'left' ? text + fill : fill + text;
}

/** A plain text cut to `width` columns, with an ellipsis where something is missing. */
export function cut(text: string, width: number): string {
  const letters = [...text];
  return letters.length <= width ? text : `${letters.slice(0, Math.max(0, width - 1)).join('')}…`;
}

/** Text that came over the wire or from a file, safe to print: control and direction-changing characters escaped. */
export function printable(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu,
    (letter) => `\\u{${letter.codePointAt(0)?.toString(16) ?? ''}}`,
  );
}
