// SPDX-License-Identifier: Apache-2.0

// "Did you mean": the nearest known word to one that is not known.

/** The nearest candidate, if it is near enough to be a slip of the pen; upper and lower case count as equal. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  const ranked = candidates
    .map((candidate) => ({ candidate, distance: distance(word.toLowerCase(), candidate.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance);
  const best = ranked[0];
  const allowed = Math.max(1, Math.floor(Math.min(word.length, 64) / 3));
  return best !== undefined && best.distance <= allowed ? best.candidate : undefined;
}

// Edits (insert, delete, replace, swap of neighbours) that turn one word into the other.
function distance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > 32 || a.length > 128) return Number.POSITIVE_INFINITY;
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, column) => column)];
  for (let row = 1; row <= a.length; row += 1) rows.push(nextRow({ a, b, row, rows }));
  return rows[a.length]?.[b.length] ?? Number.POSITIVE_INFINITY;
}

function nextRow({ a, b, row, rows }: { a: string; b: string; row: number; rows: readonly number[][] }): number[] {
  const at = (r: number, c: number): number => rows[r]?.[c] ?? Number.POSITIVE_INFINITY;
  const line = [row];
  for (let column = 1; column <= b.length; column += 1) {
    const same = a[row - 1] === b[column - 1];
    const swapped = a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
    line.push(
      Math.min(
        at(row - 1, column) + 1,
        (line[column - 1] ?? 0) + 1,
        at(row - 1, column - 1) + (same ? 0 : 1),
        swapped ? at(row - 2, column - 2) + 1 : Number.POSITIVE_INFINITY,
      ),
    );
  }
  return line;
}
