// SPDX-License-Identifier: Apache-2.0
//
// Charts of one line of text.

const LEVELS = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'] as const;

/** `points` shrunk or stretched to `width` values, each the mean of those that fall on it. */
export function averaged(points: readonly number[], width: number): number[] {
  if (points.length === 0) return [];
  return Array.from({ length: width }, (_, column) => {
    const from = Math.floor((column * points.length) / width);
    const to = Math.max(from + 1, Math.floor(((column + 1) * points.length) / width));
    const part = points.slice(from, to);
    return part.reduce((sum, point) => sum + point, 0) / Math.max(1, part.length);
  });
}

/** One character a value: from `▁` to `█` at `top`, and `·` for nothing at all. */
export function sparkline(points: readonly number[], top: number): string {
  return points
    .map((point) => {
      if (point <= 0 || top <= 0) return '·';
      return LEVELS[Math.min(LEVELS.length - 1, Math.floor((point / top) * LEVELS.length))] ?? '█';
    })
    .join('');
}

/** A line with a character at each place, 0 … 1 of the width; where two fall together the later moves on. */
export function markLine(marks: readonly { readonly place: number; readonly text: string }[], width: number): string {
  const cells: string[] = new Array(width).fill(' ');
  for (const { place, text } of marks) {
    let column = Math.min(width - 1, Math.floor(place * width));
    while (column < width - 1 && cells[column] !== ' ') column += 1;
    cells[column] = text;
  }
  return cells.join('').trimEnd();
}
