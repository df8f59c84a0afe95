// SPDX-License-Identifier: Apache-2.0

// docs/status-conditions.md explains every condition and every reason, and nothing that does not exist.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { CONDITION_TYPES, REASONS, REASONS_BY_USE } from './conditions.ts';
import { customResourceDefinition } from './crd.ts';
import { rootNode, type SchemaNode } from './json-schema.ts';

const TEXT = readFileSync(join(import.meta.dirname, '../docs/status-conditions.md'), 'utf8');

/** Headings of one depth, with what stands below each until the next heading of this depth or above. */
function sections(text: string, depth: number): Map<string, string> {
  const marks = '#'.repeat(depth);
  const found = new Map<string, string>();
  for (const part of text.split(new RegExp(`^(?=#{1,${depth}} )`, 'm'))) {
    const [heading = '', ...lines] = part.split('\n');
    if (!heading.startsWith(`${marks} `)) continue;
    const name = heading.slice(depth + 1);
    assert.ok(!found.has(name), `${name} stands there twice`);
    found.set(name, lines.join('\n'));
  }
  return found;
}

const uses = sections(TEXT, 2);

test('each condition has a section, and below it the reasons that it uses first, in their order', () => {
  for (const [use, reasons] of Object.entries(REASONS_BY_USE)) {
    const section = uses.get(use);
    assert.ok(section !== undefined, `no section ${use}`);
    assert.deepEqual([...sections(section, 4).keys()], Object.keys(reasons), use);
  }
});

test('every reason has a heading, every heading is a reason, and each says what it means and what to do', () => {
  const explained = sections(TEXT, 4);
  assert.deepEqual([...explained.keys()].sort(), Object.keys(REASONS).sort());
  for (const [reason, text] of explained) {
    const [meaning = '', remedy] = text.split('**What to do:**');
    assert.ok(meaning.trim().length > 20, `${reason}: no meaning`);
    assert.ok((remedy ?? '').trim().length > 4, `${reason}: not said what to do`);
  }
});

test('the table of conditions has all types, and links lead to headings', () => {
  const table = uses.get('At a glance') ?? '';
  for (const type of CONDITION_TYPES) assert.match(table, new RegExp(`^\\| \\[${type}\\]`, 'm'));
  const anchors = new Set(
    [...TEXT.matchAll(/^#+ (.+)$/gm)].map(([, title = '']) => title.toLowerCase().replaceAll(' ', '-')),
  );
  for (const [, anchor = ''] of TEXT.matchAll(/\]\(#([^)]+)\)/g)) assert.ok(anchors.has(anchor), anchor);
});

test('recipes wait for conditions and fields that exist', () => {
  const recipes = [...TEXT.matchAll(/--for=condition=(\w+)/g)].map(([, type = '']) => type);
  assert.ok(recipes.includes('Ready') && recipes.length > 4);
  for (const type of recipes) assert.ok((CONDITION_TYPES as readonly string[]).includes(type), type);
  assert.match(TEXT, /--for=delete/);
  const status = rootNode().properties?.['status'];
  const paths = [...TEXT.matchAll(/\{?\.status\.([a-zA-Z]+)(\[\*\])?/g)].map(([, field = '']) => field);
  for (const field of paths) assert.ok(status?.properties?.[field] !== undefined, field);
  const fieldsOf = (node: SchemaNode | undefined): string[] => Object.keys(node?.items?.properties ?? {});
  for (const [, list = '', body = ''] of TEXT.matchAll(/\{range \.status\.(\w+)\[\*\]\}(.*?)\{end\}/g)) {
    const known = fieldsOf(status?.properties?.[list]);
    for (const [, field = ''] of body.matchAll(/\{\.(\w+)\}/g)) assert.ok(known.includes(field), `${list}: ${field}`);
  }
});

test('the columns shown are those of the CRD', () => {
  const names = customResourceDefinition().spec.versions[0]?.additionalPrinterColumns.map(({ name }) =>
    name.toUpperCase(),
  );
  const line = TEXT.split('\n').find((text) => text.startsWith('NAME ')) ?? '';
  assert.deepEqual(line.trim().split(/ {2,}/), ['NAME', ...(names ?? [])]);
});

test('events 12293 and 12294 are explained with their reasons', () => {
  const section = uses.get('Events') ?? '';
  assert.match(section, /Event 12294\*\*, reason `Published`/);
  assert.match(section, /Event 12293\*\*, reasons `RecordsDiffer`/);
  assert.match(section, /0x8007232A/);
});
