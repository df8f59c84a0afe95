// SPDX-License-Identifier: Apache-2.0

// Reads a file of one document that a schema describes, such as a fleet, with the same manners as the loader of pools:
// every error is one line with file, line, field, what is wrong and what to write. It opens no file.
import type * as z from 'zod';
import { fieldTree } from './json-schema.ts';
import { type Mistake, mistakesOf, pathText } from './load-errors.ts';
import { contentOf, lineOf, oneLine, parseYaml, refusalLines, syntaxErrors } from './yaml-text.ts';

export type FileOptions = {
  /** How the text is called in error lines. */
  file: string;
  /** The page that lists all fields. */
  reference: string;
};

export type LoadedFile<T> = { ok: true; value: T } | { ok: false; errors: string[] };

/** Loads the one document of a text; none, or several, is an error. */
export function loadFile<S extends z.ZodType>(text: string, schema: S, options: FileOptions): LoadedFile<z.output<S>> {
  const { file, reference } = options;
  const { documents, lines } = parseYaml(text);
  const syntax = syntaxErrors(documents, lines);
  if (syntax.length > 0) return { ok: false, errors: refusalLines(file, syntax.slice(0, 1)) };
  const [document, another] = documents;
  if (document === undefined) return { ok: false, errors: [`${file}:1: the file is empty; see ${reference}`] };
  const refuse = (mistakes: readonly Mistake[]): LoadedFile<never> => {
    const places = mistakes.map(({ path, message }) => {
      const place = pathText(path);
      return { line: lineOf(document, lines, path), text: oneLine(place === '' ? message : `${place}: ${message}`) };
    });
    return { ok: false, errors: refusalLines(file, places) };
  };
  if (another !== undefined) return refuse([{ path: [], message: 'there are several documents; keep one to a file' }]);
  const { value, reason } = contentOf(document);
  if (reason !== undefined) return refuse([{ path: [], message: `this cannot be read: ${reason}` }]);
  const parsed = schema.safeParse(value);
  if (parsed.success) return { ok: true, value: parsed.data };
  const guide = { root: fieldTree(schema), reference };
  return refuse(parsed.error.issues.flatMap((issue) => mistakesOf(issue, value, guide)));
}
