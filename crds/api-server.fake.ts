// SPDX-License-Identifier: Apache-2.0

// For tests: what an API server does with the generated schema, in small. It fills in defaults and runs the CEL rules of
// the schema's own text; bounds and types are left to zod, which wrote them. CEL is translated to JavaScript by
// replacement: a rule that uses more of the language fails to run, and so fails its test.
import { isIP } from 'node:net';
import { compileFunction } from 'node:vm';
import { rootNode, type SchemaNode } from './json-schema.ts';
import { isCidrRange } from './network-names.ts';

/** One rule that a value breaks: where, and in which words. */
export type Refusal = { path: string; message: string };

/** The rules that a whole manifest breaks. */
export function manifestRefusals(manifest: object, root: SchemaNode = rootNode()): Refusal[] {
  return refusals(root, withDefaults(root, JSON.parse(JSON.stringify(manifest))));
}

/** A copy of the value with the schema's defaults, outer ones first, as an API server does it. */
export function withDefaults(node: SchemaNode, value: unknown): unknown {
  if (Array.isArray(value))
    return value.map((item) => (node.items === undefined ? item : withDefaults(node.items, item)));
  if (typeof value !== 'object' || value === null) return value;
  const given = value as Record<string, unknown>;
  const members = Object.entries(node.properties ?? {}).flatMap(([name, member]) => {
    const wanted = given[name] ?? structuredClone(member.default);
    return wanted === undefined ? [] : [[name, withDefaults(member, wanted)] as const];
  });
  return { ...given, ...Object.fromEntries(members) };
}

/** Every rule of the schema that the value breaks, after defaulting. */
export function refusals(node: SchemaNode, value: unknown, path = ''): Refusal[] {
  if (value === undefined) return [];
  const own = (node['x-kubernetes-validations'] ?? [])
    .filter(({ rule }) => !holds(rule, value))
    .map(({ message, fieldPath = '' }) => ({ path: `${path}${fieldPath}`.replace(/^\./, ''), message }));
  return [...own, ...membersOf(node, value, path).flatMap(([member, at, where]) => refusals(member, at, where))];
}

function membersOf(node: SchemaNode, value: unknown, path: string): [SchemaNode, unknown, string][] {
  const { items, properties = {} } = node;
  if (Array.isArray(value))
    return items === undefined ? [] : value.map((item, index) => [items, item, `${path}[${index}]`]);
  if (typeof value !== 'object' || value === null) return [];
  const given = value as Record<string, unknown>;
  return Object.entries(properties).map(([name, member]) => [
    member,
    given[name],
    path === '' ? name : `${path}.${name}`,
  ]);
}

/** Whether a CEL rule holds for `self`. */
export function holds(rule: string, self: unknown): boolean {
  const names = Object.keys(FUNCTIONS);
  const run = compileFunction(`return ${toJavaScript(rule)};`, ['self', ...names]) as (...args: unknown[]) => unknown;
  const result = run(self, ...Object.values(FUNCTIONS));
  if (typeof result !== 'boolean') throw new TypeError(`not true or false: ${rule}`);
  return result;
}

const FUNCTIONS = {
  isIP: (text: string): boolean => isIP(text) !== 0,
  // Stands for `isCIDR(self) && self == string(cidr(self).masked())`, of which Node has no second implementation.
  isCanonicalRange: isCidrRange,
};

function toJavaScript(rule: string): string {
  return rule
    .replace('isCIDR(self) && self == string(cidr(self).masked())', 'isCanonicalRange(self)')
    .replace(/\.matches\(r?'([^']*)'\)/g, (_match, pattern: string) => `.search(${JSON.stringify(pattern)})>=0`)
    .replace(/has\(((?:[^()]|\(\))*)\)/g, '($1!==undefined)')
    .replace(/\.size\(\)/g, '.length')
    .replace(/\.exists_one\((\w+), ([^()]*)\)/g, '.filter(($1)=>$2).length==1')
    .replace(/\.all\((\w+), /g, '.every(($1)=>')
    .replace(/\.filter\((\w+), /g, '.filter(($1)=>')
    .replace(/([\w.]+) in (\[[^\]]*\])/g, '$2.includes($1)')
    .replace(/([^=!<>])==([^=])/g, '$1===$2');
}
