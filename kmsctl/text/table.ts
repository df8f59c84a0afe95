// SPDX-License-Identifier: Apache-2.0
//
// Lines of columns. Cells may be coloured; widths are those of the visible text.

import { cut, pad, type Style, visibleWidth } from './style.ts';

export interface Column {
  readonly title: string;
  readonly align?: 'left' | 'right';
  /** May be shortened when the table is wider than the terminal, down to `minWidth`. */
  readonly minWidth?: number;
}

export interface TableOptions {
  readonly style: Style;
  readonly columns: readonly Column[];
  /** In front of every line. */
  readonly indent?: string;
  /** The width to fit into; without it nothing is shortened. */
  readonly width?: number;
}

const GAP = '  ';

/** A header line and one line for each row; no line ends with spaces. */
export function tableLines(rows: readonly (readonly string[])[], options: TableOptions): string[] {
  const { columns, style, indent = '' } = options;
  const widths = fit(
    columns.map(({ title }, at) => Math.max(visibleWidth(title), ...rows.map((row) => visibleWidth(row[at] ?? '')))),
    options,
  );
  const line = (cells: readonly string[], paint: (text: string) => string = (text) => text): string => {
    const padded = columns.map(({ align, minWidth }, at) => {
      const width = widths[at] ?? 0;
      const cell = cells[at] ?? '';
      return pad(minWidth !== undefined && visibleWidth(cell) > width ? cut(cell, width) : cell, width, align);
    });
    return paint((indent + padded.join(GAP)).trimEnd());
  };
  return [
    line(
      columns.map(({ title }) => title),
      style.dim,
    ),
    ...rows.map((row) => line(row)),
  ];
}

/** Takes what is too much from the columns that may be shortened, the widest first. */
function fit(natural: readonly number[], { columns, width, indent = '' }: TableOptions): number[] {
  const widths = [...natural];
  const total = (): number =>
    indent.length + widths.reduce((sum, each) => sum + each, 0) + GAP.length * (widths.length - 1);
  while (width !== undefined && total() > width) {
    const candidates = widths
      .map((each, at) => ({ at, each, least: columns[at]?.minWidth ?? Number.POSITIVE_INFINITY }))
      .filter(({ each, least }) => each > least)
      .sort((a, b) => b.each - a.each);
    const widest = candidates[0];
    if (widest === undefined) break;
    widths[widest.at] = widest.each - 1;
  }
  return widths;
}
