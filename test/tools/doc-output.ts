// SPDX-License-Identifier: Apache-2.0
//
// Whether what a block printed has the shape that its document shows. Pure. Not a comparison of values: a count, an ID, an address or a time may be
// another one, for a document shows one run of many. What a command has to be right about, it says with its exit code.
//
// `…` alone on a line stands for any lines or none, within a line for any text. Empty lines do not count.

const ELLIPSIS = '…';

/** Error codes are what a reader compares, so they stay as they are. */
const CODE = /(0x[0-9a-fA-F]{8}\b)/;

/** The line without what varies from run to run: IDs, long hexadecimal texts, numbers, ages such as 2m15s, the width of columns. */
export function shapeOf(line: string): string {
  return line
    .split(CODE)
    .map((part, index) => (index % 2 === 1 ? part : withoutValues(part)))
    .join('')
    .replace(/\s+/g, ' ')
    .trim();
}

function withoutValues(text: string): string {
  return text
    .replace(/\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/gi, 'ID')
    .replace(/\b(?=[a-f]*\d)[0-9a-f]{8,}\b/gi, 'HEX')
    .replace(/\b(?:\d+[dhms])+\b/g, '0s')
    .replace(/\d+/g, '0');
}

/** Undefined if what was printed fits; else one line that says what the document shows and was not printed, or the other way round. */
export function misfit(shown: string, printed: string): string | undefined {
  const lines = linesOf(shown);
  const shapes = printedShapes(printed);
  if (patternOf(lines).test(shapes)) return undefined;
  const missing = lines.find((_, index) => !patternOf([...lines.slice(0, index + 1), ELLIPSIS]).test(shapes));
  return missing === undefined ? 'more was printed than is shown' : `shown, but not printed there: ${missing.trim()}`;
}

/** Whether everything that is shown has been printed already by a program that runs on. */
export function fitsSoFar(shown: string, printed: string): boolean {
  return patternOf([...linesOf(shown), ELLIPSIS]).test(printedShapes(printed));
}

function linesOf(text: string): readonly string[] {
  return text.split('\n').filter((line) => line.trim() !== '');
}

function printedShapes(printed: string): string {
  return linesOf(printed)
    .map((line) => `${shapeOf(line)}\n`)
    .join('');
}

function patternOf(shown: readonly string[]): RegExp {
  return new RegExp(`^${shown.map(linePattern).join('')}$`);
}

function linePattern(line: string): string {
  if (line.trim() === ELLIPSIS) return '(?:.*\\n)*';
  const parts = line.split(ELLIPSIS).map((part) => shapeOf(part).replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return `${parts.join('.*')}\\n`;
}
