// SPDX-License-Identifier: Apache-2.0

// YAML as text with lines: parsing, and where in the text a field stands. What the fields mean is not known here.
import { type Document, isMap, isNode, isScalar, isSeq, LineCounter, type Node, parseAllDocuments } from 'yaml';
import { type Path, redacted } from './load-errors.ts';

/** An error and the line that it is about, from 1. */
export type Place = { line: number; text: string };

/** The documents of a text; mistakes of syntax are in {@link syntaxErrors}. */
export function parseYaml(text: string): { documents: Document[]; lines: LineCounter } {
  const lines = new LineCounter();
  const documents = [...parseAllDocuments(text, { lineCounter: lines, prettyErrors: false, logLevel: 'error' })];
  return { documents: documents as Document[], lines };
}

export function syntaxErrors(documents: readonly Document[], lines: LineCounter): Place[] {
  return documents.flatMap(({ errors }) =>
    errors.map(({ pos, message }) => ({
      line: lineAt(lines, pos[0]),
      text: `this is not YAML: ${oneLine(message)}`,
    })),
  );
}

/** The value of a document. The parser itself refuses aliases that would grow without measure, and aliases of nothing. */
export function contentOf(document: Document): { value: unknown; reason?: string } {
  try {
    return { value: document.toJS({ maxAliasCount: 100 }) };
  } catch (error) {
    return { value: undefined, reason: error instanceof Error ? error.message : String(error) };
  }
}

/** `FILE:LINE: TEXT`, in the order of the lines. */
export function refusalLines(file: string, errors: readonly Place[]): string[] {
  return errors.toSorted((a, b) => a.line - b.line).map(({ line, text }) => `${file}:${line}: ${text}`);
}

/** The line of the deepest part of the path that is there; of a field, of its name. */
export function lineOf(document: Document, lines: LineCounter, path: Path): number {
  return lineAt(lines, offsetOf(document, path));
}

/** On one line, and without product keys. */
export function oneLine(text: string): string {
  return redacted(text).replace(/\s+/g, ' ').trim();
}

function offsetOf(document: Document, path: Path): number {
  let node: unknown = document.contents;
  let offset = startOf(node) ?? 0;
  for (const step of path) {
    const next = childOf(node, step);
    if (next === undefined) return offset;
    offset = startOf(next.place) ?? offset;
    node = next.node;
  }
  return offset;
}

function childOf(node: unknown, step: string | number): { place: unknown; node: unknown } | undefined {
  if (isSeq(node) && typeof step === 'number') {
    const item = node.items[step];
    return item === undefined ? undefined : { place: item, node: item };
  }
  if (!isMap(node)) return undefined;
  const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(step));
  return pair === undefined ? undefined : { place: pair.key, node: pair.value };
}

function startOf(node: unknown): number | undefined {
  return isNode(node) ? (node as Node).range?.[0] : undefined;
}

function lineAt(lines: LineCounter, offset: number): number {
  return Math.max(1, lines.linePos(offset).line);
}
