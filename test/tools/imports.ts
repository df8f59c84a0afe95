// SPDX-License-Identifier: Apache-2.0
//
// The walls between the packages (ARCHITECTURE.md): which file may import what. Pure: text in, offences out. It reads TypeScript by a
// scanner of its own, for TypeScript 7 has no parser for JavaScript programs and esbuild forgets imports of types, which the walls hold too.
import { posix } from 'node:path';
import type { SourceFile } from './source-files.ts';

/** One import, export-from, import(), require() or import.meta.resolve(); `specifier` is undefined when the name is computed. */
export type ImportUse = { readonly specifier: string | undefined; readonly line: number };

/** What stands in a workspace's package.json: the npm names that its own code may import. */
export type Manifests = {
  readonly root: readonly string[];
  readonly workspaces: Readonly<Record<string, readonly string[]>>;
};

/** The workspaces, by folder: our own packages that each may import besides itself. `/*` stands for any public entry, no `/*` for the bare name alone. */
export const WALLS: Readonly<Record<string, readonly string[]>> = {
  kms: [],
  crds: ['@kmspool/kms/*'],
  'kms-node': ['@kmspool/kms/*', '@kmspool/crds'],
  operator: ['@kmspool/kms/*', '@kmspool/crds'],
  // The second entry is the program of a host process, which kmsctl starts and does not import.
  kmsctl: ['@kmspool/kms/*', '@kmspool/crds', '@kmspool/kms-node', '@kmspool/kms-node/main'],
  // What the chart says of rights, metrics and kinds is made from what the programs say.
  charts: ['@kmspool/kms/*', '@kmspool/crds', '@kmspool/kms-node/*', '@kmspool/operator/*'],
  test: [
    '@kmspool/kms/*',
    '@kmspool/crds',
    '@kmspool/kms-node',
    '@kmspool/kms-node/*',
    '@kmspool/operator',
    '@kmspool/operator/*',
    '@kmspool/kmsctl',
    '@kmspool/kmsctl/*',
    '@kmspool/charts/*',
  ],
};

/** Packages without @kubernetes/client-node: it costs 90 MB in each host's pod, and what a host imports must not bring it in. */
const WITHOUT_KUBERNETES_CLIENT: readonly string[] = ['kms', 'crds', 'kms-node'];

const MAX_LINES = 300;
const MAX_TEST_LINES = 500;

/** node:test takes a reporter only as a default export. */
const DEFAULT_EXPORT_ALLOWED: readonly string[] = ['test/tools/results-reporter.ts', 'test/tools/summary-reporter.ts'];

const isTestFile = (path: string): boolean => path.endsWith('.test.ts') || path.startsWith('test/');

// Comments, strings, templates and regular expressions, whichever begins first: what is inside one never begins another.
const TOKENS =
  /\/\*[\s\S]*?\*\/|\/\/[^\n]*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`|(?<=(?:[=(,:;!&|?[{}]|return)\s*)\/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n])+\//g;

type Scanned = { readonly code: string; readonly strings: readonly string[] };

/** The code with comments gone and each literal as its number in quotes; line breaks stay where they were. */
function scan(text: string): Scanned {
  const strings: string[] = [];
  const code = text.replace(TOKENS, (token) => {
    const breaks = '\n'.repeat(token.split('\n').length - 1);
    if (token.startsWith('/*') || token.startsWith('//')) return ` ${breaks}`;
    strings.push(token.slice(1, -1));
    return `"${strings.length - 1}"${breaks}`;
  });
  return { code, strings };
}

const IMPORT_FORMS: readonly RegExp[] = [
  /^[ \t]*(?:import|export)\b[^;"]*?\bfrom\s*"(\d+)"/gm,
  /^[ \t]*import\s*"(\d+)"/gm,
  /\bimport\s*\(\s*(?:"(\d+)"\s*[,)])?/g,
  /\b(?:require|require\.resolve|import\.meta\.resolve)\s*\(\s*"(\d+)"/g,
];

/** All imports of a file, in the order of the lines; imports of types count. */
export function importsOf(text: string): readonly ImportUse[] {
  const { code, strings } = scan(text);
  return IMPORT_FORMS.flatMap((form) => [...code.matchAll(form)])
    .map((match) => ({
      specifier: match[1] === undefined ? undefined : strings[Number(match[1])],
      line: code.slice(0, match.index + match[0].length).split('\n').length,
    }))
    .sort((a, b) => a.line - b.line);
}

const packageOf = (specifier: string): string =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');

function fitsEntry(specifier: string, entry: string): boolean {
  return entry.endsWith('/*') ? specifier.startsWith(entry.slice(0, -1)) : specifier === entry;
}

function offenceOfOwn(workspace: string, specifier: string): string | undefined {
  if (packageOf(specifier) === `@kmspool/${workspace}`) return undefined;
  if (packageOf(specifier) === '@kmspool/test') return 'nothing imports test';
  const entries = WALLS[workspace] ?? [];
  if (entries.some((entry) => fitsEntry(specifier, entry))) return undefined;
  return `${workspace} may import of ours only ${['itself', ...entries].join(', ')}`;
}

function offenceOfRelative(workspace: string, path: string, specifier: string): string | undefined {
  // Tests may look inside: what they hold to the contract is not always a public entry.
  if (workspace === 'test') return undefined;
  const target = posix.join(posix.dirname(path), specifier);
  return target.startsWith(`${workspace}/`)
    ? undefined
    : 'a relative import stays in its package; import others by name';
}

function offenceOfForeign(workspace: string, path: string, name: string, manifests: Manifests): string | undefined {
  if (name === '@kubernetes/client-node' && WITHOUT_KUBERNETES_CLIENT.includes(workspace)) {
    return `${workspace} does without the Kubernetes client`;
  }
  const declared = manifests.workspaces[workspace] ?? [];
  if (workspace === 'kms' && !isTestFile(path)) return 'kms imports only node:crypto and itself';
  if (declared.includes(name) || (isTestFile(path) && manifests.root.includes(name))) return undefined;
  return `not among the dependencies in ${workspace}/package.json`;
}

/** Why a file may not import this, or undefined when it may. `specifier` is what stands in quotes. */
export function offenceOf(path: string, specifier: string | undefined, manifests: Manifests): string | undefined {
  const workspace = path.split('/')[0]!;
  if (specifier === undefined) return isTestFile(path) ? undefined : 'an import by a computed name cannot be checked';
  if (specifier.startsWith('.')) return offenceOfRelative(workspace, path, specifier);
  if (specifier.startsWith('/') || specifier.startsWith('file:')) return 'no absolute imports';
  if (specifier.startsWith('node:')) {
    const allowed = workspace !== 'kms' || isTestFile(path) || specifier === 'node:crypto';
    return allowed ? undefined : 'kms imports only node:crypto and itself';
  }
  if (specifier.startsWith('@kmspool/')) return offenceOfOwn(workspace, specifier);
  return offenceOfForeign(workspace, path, packageOf(specifier), manifests);
}

/** `path:line imports "x": reason` for each import through a wall. */
export function wallOffences(files: readonly SourceFile[], manifests: Manifests): readonly string[] {
  return files.flatMap(({ path, text }) =>
    importsOf(text).flatMap(({ specifier, line }) => {
      const reason = offenceOf(path, specifier, manifests);
      return reason === undefined
        ? []
        : [`${path}:${line} imports ${JSON.stringify(specifier) ?? 'a computed name'}: ${reason}`];
    }),
  );
}

/** The files with a default export. */
export function defaultExports(files: readonly SourceFile[]): readonly string[] {
  return files
    .filter(({ path }) => !DEFAULT_EXPORT_ALLOWED.includes(path))
    .filter(({ text }) => /\bexport\s+default\b|\bas\s+default\b/.test(scan(text).code))
    .map(({ path }) => path);
}

/** The files that are too long, with their lines: 300 at most, tests 500. Generated files are not read by people. */
export function overlongFiles(files: readonly SourceFile[]): readonly string[] {
  return files
    .filter(({ path }) => !path.includes('/generated/'))
    .map(({ path, text }) => ({
      path,
      lines: text.replace(/\n$/, '').split('\n').length,
      max: isTestFile(path) ? MAX_TEST_LINES : MAX_LINES,
    }))
    .filter(({ lines, max }) => lines > max)
    .map(({ path, lines, max }) => `${path}: ${lines} lines, at most ${max}`);
}
