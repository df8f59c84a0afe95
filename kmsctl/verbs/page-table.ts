// SPDX-License-Identifier: Apache-2.0
//
// Rows that come one after the other as a table: the columns' widths are settled before, so that no more than a few hundred rows are held.

import type { Io } from '../cli/io.ts';
import { printable, styleFor } from '../text/style.ts';
import { tableLines } from '../text/table.ts';

export interface RowShape<T> {
  readonly columns: readonly {
    readonly title: string;
    /** Wider cells push the rest of their part of the table to the right. */
    readonly width: number;
    readonly align?: 'left' | 'right';
  }[];
  readonly cells: (item: T) => readonly string[];
}

const PART = 200;

/** Prints header and rows, the header only if there are rows; answers how many. */
export async function printPages<T>(items: AsyncIterable<T>, shape: RowShape<T>, io: Io): Promise<number> {
  let part: string[][] = [];
  let printed = 0;
  const flush = (): void => {
    if (part.length === 0) return;
    const lines = partLines(part, shape, io);
    io.out(`${lines.slice(printed === 0 ? 0 : 1).join('\n')}\n`);
    printed += part.length;
    part = [];
  };
  for await (const item of items) {
    part.push(shape.cells(item).map(printable));
    if (part.length === PART) flush();
  }
  flush();
  return printed;
}

function partLines<T>(rows: readonly (readonly string[])[], { columns }: RowShape<T>, io: Io): string[] {
  const titles = columns.map(({ title, width, align }) => ({
    title: align === 'right' ? title.padStart(width) : title.padEnd(width),
    ...(align && { align }),
  }));
  return tableLines(rows, { style: styleFor(io.color), columns: titles });
}
