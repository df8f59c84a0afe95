// SPDX-License-Identifier: Apache-2.0

// Reads KmsHostPools from the text of a manifest, YAML or JSON, with one document or several. It holds the same schema and
// the same rules as the API server, and refuses unknown fields besides. Every error is one line: file, line of the text,
// field, what is wrong, what to write. It opens no file.
import type { Document, LineCounter } from 'yaml';
import { poolFieldTree } from './json-schema.ts';
import { type Mistake, mistakesOf, type Path, pathText, shown } from './load-errors.ts';
import { API_VERSION, GROUP, type KmsHostPool, localPoolSchema, POOL_KIND, poolSchema } from './pool.ts';
import { contentOf, lineOf, oneLine, type Place, parseYaml, refusalLines, syntaxErrors } from './yaml-text.ts';

export type LoadOptions = {
  /** How the text is called in error lines. */
  file: string;
  /** The pool runs on one machine with a table of its own: `spec.store` is not needed for more than one host. */
  localStore?: boolean;
};

export type Loaded =
  /** `others` names what else the text holds, such as `Secret "redis" (v1)`. */
  { ok: true; pools: KmsHostPool[]; others: string[] } | { ok: false; errors: string[] };

type Manifest = { value: unknown; reason?: string; path: Path; document: Document };
type Outcome =
  | { kind: 'pool'; pool: KmsHostPool; manifest: Manifest }
  | { kind: 'other'; name: string }
  | { kind: 'wrong'; errors: Place[] };

/** Loads all KmsHostPools of a text; none at all is an error. */
export function loadPools(text: string, options: LoadOptions): Loaded {
  const { documents, lines } = parseYaml(text);
  const syntax = syntaxErrors(documents, lines);
  if (syntax.length > 0) return refusal(options.file, syntax.slice(0, 1));
  const outcomes = manifestsOf(documents).map((manifest) => readManifest(manifest, { lines, options }));
  const errors = outcomes.flatMap((outcome) => (outcome.kind === 'wrong' ? outcome.errors : []));
  const found = outcomes.filter((outcome) => outcome.kind === 'pool');
  const others = outcomes.flatMap((outcome) => (outcome.kind === 'other' ? [outcome.name] : []));
  const wrong = [...errors, ...repeatedNames(found, lines)];
  if (wrong.length > 0) return refusal(options.file, wrong);
  if (found.length === 0) return refusal(options.file, [{ line: 1, text: noPool(others) }]);
  return { ok: true, pools: found.map(({ pool }) => pool), others };
}

function refusal(file: string, errors: readonly Place[]): Loaded {
  return { ok: false, errors: refusalLines(file, errors) };
}

function noPool(others: readonly string[]): string {
  const found = others.length === 0 ? '' : `, only ${others.join(', ')}`;
  return `there is no ${POOL_KIND} here${found}; write one with apiVersion: ${API_VERSION} and kind: ${POOL_KIND}`;
}

// What `kubectl get -o yaml` prints of several objects is one List.
function manifestsOf(documents: readonly Document[]): Manifest[] {
  return documents.flatMap((document) => {
    const { value, reason } = contentOf(document);
    if (reason !== undefined) return [{ value, reason, path: [], document }];
    if (value === null || value === undefined) return [];
    const items = isRecord(value) && value['kind'] === 'List' ? value['items'] : undefined;
    if (!Array.isArray(items)) return [{ value, path: [], document }];
    return items.map((item: unknown, index) => ({ value: item, path: ['items', index], document }));
  });
}

type Context = { lines: LineCounter; options: LoadOptions };

function readManifest(manifest: Manifest, { lines, options }: Context): Outcome {
  const { value, reason } = manifest;
  const wrong = (mistakes: readonly Mistake[]): Outcome => ({
    kind: 'wrong',
    errors: mistakes.map((mistake) => located(mistake, manifest, lines)),
  });
  if (reason !== undefined) return wrong([{ path: [], message: `this cannot be read: ${reason}` }]);
  if (!isRecord(value))
    return wrong([
      { path: [], message: `${shown(value)} is not a manifest; write apiVersion, kind, metadata and spec` },
    ]);
  const { apiVersion, kind } = value;
  if (!isOurs(apiVersion, kind)) return { kind: 'other', name: nameOf(value) };
  const mistakes = headMistakes(apiVersion, kind);
  if (mistakes.length > 0) return wrong(mistakes);
  const { status: _seen, ...wanted } = value;
  const parsed = (options.localStore === true ? localPoolSchema : poolSchema).safeParse(wanted);
  if (parsed.success) return { kind: 'pool', pool: parsed.data, manifest };
  const guide = { root: poolFieldTree(), reference: 'docs/pool-reference.md' };
  return wrong(parsed.error.issues.flatMap((issue) => mistakesOf(issue, wanted, guide)));
}

// A manifest without a kind or a version, or with one of ours, is meant to be a pool.
function isOurs(apiVersion: unknown, kind: unknown): boolean {
  const ofGroup = typeof apiVersion === 'string' && apiVersion.startsWith(`${GROUP}/`);
  const ofKind = typeof kind === 'string' && kind.toLowerCase() === POOL_KIND.toLowerCase();
  return ofGroup || ofKind || apiVersion === undefined || kind === undefined;
}

function headMistakes(apiVersion: unknown, kind: unknown): Mistake[] {
  return [headMistake('apiVersion', apiVersion, API_VERSION), headMistake('kind', kind, POOL_KIND)].flat();
}

function headMistake(field: string, value: unknown, wanted: string): Mistake[] {
  if (value === wanted) return [];
  const message = value === undefined ? 'is missing' : `${shown(value)} is not known`;
  return [{ path: [field], message: `${message}; write ${field}: ${wanted}` }];
}

function nameOf(value: Record<string, unknown>): string {
  const name = isRecord(value['metadata']) ? value['metadata']['name'] : undefined;
  return oneLine(
    `${String(value['kind'])}${name === undefined ? '' : ` ${shown(name)}`} (${String(value['apiVersion'])})`,
  );
}

function repeatedNames(found: readonly { pool: KmsHostPool; manifest: Manifest }[], lines: LineCounter): Place[] {
  const keyOf = ({ metadata }: KmsHostPool): string => `${metadata.namespace ?? 'default'}/${metadata.name}`;
  return found
    .filter(({ pool }, index) => found.findIndex((other) => keyOf(other.pool) === keyOf(pool)) < index)
    .map(({ pool, manifest }) =>
      located(
        { path: ['metadata', 'name'], message: `a pool ${keyOf(pool)} stands above already; rename one` },
        manifest,
        lines,
      ),
    );
}

function located({ path, message }: Mistake, manifest: Manifest, lines: LineCounter): Place {
  const full = [...manifest.path, ...path];
  const place = pathText(full);
  const line = lineOf(manifest.document, lines, full);
  return { line, text: oneLine(place === '' ? message : `${place}: ${message}`) };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
