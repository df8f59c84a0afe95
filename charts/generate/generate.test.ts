// SPDX-License-Identifier: Apache-2.0

// The generated parts of the chart hold together: values.yaml is what the schema takes and gives, and every value is explained.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { generatedFiles } from './main.ts';
import { defaultValues, leaves, valuesSchema } from './schema.ts';
import { chartReadme, valuesYaml } from './texts.ts';
import { VALUES } from './values.ts';

const ROOT = join(import.meta.dirname, '../..');

test('every generated file is up to date', () => {
  const stale = [...generatedFiles()].filter(([path, text]) => readFileSync(join(ROOT, path), 'utf8') !== text);
  assert.deepEqual(
    stale.map(([path]) => path),
    [],
  );
});

test('values.yaml is the default of every value, and valid', () => {
  const values = parse(valuesYaml());
  assert.deepEqual(values, defaultValues());
  assert.deepEqual(VALUES.parse(values), values);
});

test('every value has a description, and a row in the README', () => {
  const readme = chartReadme();
  const all = leaves();
  assert.ok(all.length > 80, String(all.length));
  for (const { path, description } of all) {
    assert.match(description, /\.$/, path);
    assert.ok(readme.includes(`| \`${path}\` |`), path);
  }
});

test('the schema refuses unknown values everywhere but in what is passed on to Kubernetes', () => {
  const open: string[] = [];
  const visit = (schema: ReturnType<typeof valuesSchema>, path: string): void => {
    if (schema['type'] !== 'object') return;
    if (schema['additionalProperties'] !== false) open.push(path);
    for (const [name, member] of Object.entries(schema.properties ?? {})) visit(member, `${path}.${name}`);
  };
  visit(valuesSchema(), '');
  const passed = /\.(nodeSelector|affinity|annotations|labels|global|\w+(Labels|Annotations)|(requests|limits))$/;
  assert.deepEqual(
    open.filter((path) => !passed.test(path)),
    [],
  );
});
