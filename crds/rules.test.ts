// SPDX-License-Identifier: Apache-2.0

// The rules across fields: each one refuses its bad manifest, in the loader and by its CEL text, with the same words.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stringify } from 'yaml';
import { manifestRefusals, type Refusal } from './api-server.fake.ts';
import { rootNode, type SchemaNode } from './json-schema.ts';
import { loadPools } from './load.ts';
import { BAD, GOOD, type Manifest, whole } from './manifests.fake.ts';

function apiServerRefuses(manifest: Manifest): Refusal[] {
  return manifestRefusals(whole(manifest));
}

function loaderErrors(manifest: Manifest): string[] {
  const loaded = loadPools(stringify(JSON.parse(JSON.stringify(whole(manifest)))), { file: 'x.yaml' });
  return loaded.ok ? [] : loaded.errors;
}

for (const { title, manifest, path, message } of BAD) {
  test(`refused alike by the loader and by CEL: ${title}`, () => {
    const errors = loaderErrors(manifest);
    assert.equal(errors.length, 1, errors.join('\n'));
    const [, place, words] = /^x\.yaml:[0-9]+: ([^ ]+): (.*)$/.exec(errors[0] ?? '') ?? [];
    assert.equal(place, path);
    assert.match(words ?? '', message);
    const refused = apiServerRefuses(manifest);
    assert.equal(refused.length, 1, JSON.stringify(refused));
    assert.equal(refused[0]?.path, path);
    assert.ok(words?.endsWith(refused[0]?.message ?? '?'), `${words} / ${refused[0]?.message}`);
  });
}

test('every rule of the CRD has a bad manifest in the table', () => {
  const messages = new Set(BAD.flatMap(({ manifest }) => apiServerRefuses(manifest)).map((refusal) => refusal.message));
  const missing = rulesOf(rootNode()).filter(({ message }) => !messages.has(message));
  assert.deepEqual(missing, []);
});

function rulesOf(node: SchemaNode): { rule: string; message: string }[] {
  const members = [...Object.values(node.properties ?? {}), ...(node.items === undefined ? [] : [node.items])];
  return [...(node['x-kubernetes-validations'] ?? []), ...members.flatMap(rulesOf)];
}

test('good manifests pass both', () => {
  for (const manifest of GOOD) {
    assert.deepEqual(loaderErrors(manifest), []);
    assert.deepEqual(apiServerRefuses(manifest), []);
  }
});
