// SPDX-License-Identifier: Apache-2.0

// From an issue that zod found to the words of an error line: what is wrong, and what to write instead.
import type * as z from 'zod';
import type { SchemaNode } from './json-schema.ts';
import { nearest } from './suggest.ts';

/** A place in a manifest, from its root. */
export type Path = readonly (string | number)[];
/** One mistake: where it is and what to do about it. */
export type Mistake = { path: Path; message: string };

/** What an error line may point to: the fields that there are, and the page that lists them. */
export type Guide = { root: SchemaNode; reference: string };

type Issue = z.core.$ZodIssue;

/** The mistakes that one issue stands for; unknown fields are one mistake each. */
export function mistakesOf(issue: Issue, manifest: unknown, guide: Guide): Mistake[] {
  const path = issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step));
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ path: [...path, key], message: unknownField(path, key, guide.root) }));
  }
  const value = valueAt(manifest, path);
  return [{ path, message: messageOf({ issue, value, node: nodeAt(path, guide.root), guide }) }];
}

/** A path as text: `spec.dns.domains[0].name`. */
export function pathText(path: Path): string {
  return path
    .map((step, index) => (typeof step === 'number' ? `[${step}]` : `${index === 0 ? '' : '.'}${step}`))
    .join('');
}

/** A value as it may stand in an error line: short, on one line, and without secrets. */
export function shown(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'a map';
  const text = redacted(JSON.stringify(value) ?? String(value));
  return text.length > 60 ? `${text.slice(0, 57)}…"` : text;
}

/** Takes out what looks like a product key, in any spelling of its dashes; its last five characters stay. */
export function redacted(text: string): string {
  return text.replace(PRODUCT_KEY, (_key, last: string) => `(a product key, …${last})`);
}

// Five groups of five, with hyphens or with the dashes that word processors make of them (S4-27).
const PRODUCT_KEY = /(?:[A-Z0-9]{5}\s?[-\u2010-\u2015\u2212]\s?){4}([A-Z0-9]{5})/gi;

type Case = { issue: Issue; value: unknown; node: SchemaNode | undefined; guide: Guide };

function messageOf({ issue, value, node, guide }: Case): string {
  if (issue.code === 'custom') return ruleText(issue.message, value);
  if (value === undefined)
    return `is missing; add it${node?.description === undefined ? '' : `: ${firstSentence(node.description)}`}`;
  if (issue.code === 'invalid_value') return notOneOf(value, issue.values.map(String), guide);
  if (issue.code === 'invalid_type') return wrongType(value, issue.expected, node);
  if (issue.code === 'too_small' || issue.code === 'too_big') return outOfRange(issue, value, node);
  return issue.message;
}

// A plain text that breaks a rule is shown, unless it may hold a password: `redis://user:password@host`.
function ruleText(message: string, value: unknown): string {
  return typeof value === 'string' && !value.includes('@') ? `${shown(value)} will not do; ${message}` : message;
}

function notOneOf(value: unknown, allowed: readonly string[], { reference }: Guide): string {
  const guess = typeof value === 'string' ? nearest(value, allowed) : undefined;
  const question = guess === undefined ? '' : `did you mean ${guess}? `;
  const choice = allowed.length === 1 ? `use ${allowed[0]}` : `use one of ${allowed.join(', ')}`;
  return `${shown(value)} is not known; ${question}${guess !== undefined && allowed.length > 8 ? `${reference} lists all` : choice}`;
}

const TYPE_WORDS: Readonly<Record<string, string>> = {
  int: 'a whole number',
  number: 'a number',
  string: 'a text',
  boolean: 'true or false',
  array: 'a list',
  object: 'a map of fields',
  record: 'a map of texts',
};

function wrongType(value: unknown, expected: string, node: SchemaNode | undefined): string {
  const wanted = TYPE_WORDS[node?.type === 'integer' ? 'int' : expected] ?? expected;
  const quoted = typeof value === 'string' && node?.type === 'integer' && /^[0-9]+$/.test(value);
  if (quoted) return `${shown(value)} is a text; write the number without quotes`;
  if (value === null) return `has no value; write ${wanted}, or remove the field`;
  const unquoted = expected === 'string' && ['number', 'boolean'].includes(typeof value);
  if (unquoted) return `${shown(value)} is not a text; write it in quotes`;
  return `${shown(value)} is not ${wanted}${range(node)}`;
}

type OutOfRange = Extract<Issue, { code: 'too_small' | 'too_big' }>;

function outOfRange(issue: OutOfRange, value: unknown, node: SchemaNode | undefined): string {
  const bound = issue.code === 'too_small' ? issue.minimum : issue.maximum;
  const small = issue.code === 'too_small';
  if (Array.isArray(value)) {
    return small
      ? `has ${value.length} entries; add at least ${bound}`
      : `has ${value.length} entries; at most ${bound} are allowed`;
  }
  if (typeof value === 'string')
    return small ? 'is empty; write a value or remove the field' : `is longer than ${bound} characters; shorten it`;
  return `${shown(value)} is ${small ? 'below' : 'above'} ${bound}${range(node)}`;
}

// The remedy for a number: `; use minutes from 15 to 43200 (slmgr /sri)`.
function range(node: SchemaNode | undefined): string {
  if (node?.minimum === undefined || node.maximum === undefined) return '';
  const note = node['x-kmspool-note'];
  return `; use ${node['x-kmspool-unit'] ?? 'a number'} from ${node.minimum} to ${node.maximum}${note === undefined ? '' : ` (${note})`}`;
}

function unknownField(parent: Path, key: string, root: SchemaNode): string {
  const known = Object.keys(nodeAt(parent, root)?.properties ?? {});
  const guess = nearest(key, known);
  if (guess !== undefined) return `unknown field; did you mean ${guess}?`;
  const elsewhere = pathsOf(key, root);
  if (elsewhere.length > 0) return `unknown field here; did you mean ${elsewhere.join(' or ')}?`;
  return known.length === 0 ? 'unknown field; remove it' : `unknown field; known here: ${known.join(', ')}`;
}

function nodeAt(path: Path, root: SchemaNode): SchemaNode | undefined {
  return path.reduce<SchemaNode | undefined>(
    (node, step) => (typeof step === 'number' ? node?.items : node?.properties?.[step]),
    root,
  );
}

// Everywhere in the schema that a field of this very name stands.
function pathsOf(key: string, root: SchemaNode): string[] {
  return namesBelow(root, '').filter((path) => path === key || path.endsWith(`.${key}`));
}

function namesBelow(node: SchemaNode, prefix: string): string[] {
  const fields = Object.entries(node.properties ?? {}).flatMap(([name, member]) => [
    `${prefix}${name}`,
    ...namesBelow(member, `${prefix}${name}.`),
  ]);
  return node.items === undefined ? fields : [...fields, ...namesBelow(node.items, `${prefix.slice(0, -1)}[].`)];
}

function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (at, step) => (typeof at === 'object' && at !== null ? (at as Record<string | number, unknown>)[step] : undefined),
    value,
  );
}

function firstSentence(text: string): string {
  return (/^.*?[.:](?= |$)/.exec(text)?.[0] ?? text).slice(0, -1);
}
