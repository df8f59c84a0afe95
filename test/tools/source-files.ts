// SPDX-License-Identifier: Apache-2.0
//
// Reads the checkout's files for the tests that hold the project's rules (imports.test.ts, licence-boundary.test.ts). It judges nothing.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A file of the checkout: `path` relative to its root with forward slashes, `text` as UTF-8. */
export type SourceFile = { readonly path: string; readonly text: string };

/** The checkout's root, absolute, without a trailing slash. */
export const ROOT: string = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');

// What tools put there, never people: dependencies, build output, results of test runs.
const NOT_OURS: readonly string[] = ['node_modules', '.git', 'dist', 'coverage', '.out'];

function* walk(folder: string): Generator<string> {
  for (const entry of readdirSync(join(ROOT, folder), { withFileTypes: true })) {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory() && !NOT_OURS.includes(entry.name)) yield* walk(path);
    if (entry.isFile()) yield path;
  }
}

/** All files below a folder of the checkout ('' is its root) whose path fits; binary files (with a NUL byte) are left out. */
export function sourceFiles(folder: string, fits: (path: string) => boolean): readonly SourceFile[] {
  return [...walk(folder)]
    .filter(fits)
    .sort()
    .map((path) => ({ path, text: readFileSync(join(ROOT, path), 'utf8') }))
    .filter((file) => !file.text.includes('\0'));
}
