// SPDX-License-Identifier: Apache-2.0

// The generated CRD: structural as apiextensions v1 asks for it, and up to date in the repository.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { withDefaults } from './api-server.fake.ts';
import { type CustomResourceDefinition, customResourceDefinition } from './crd.ts';
import { generatedFiles, staleFiles } from './generate.ts';
import type { SchemaNode } from './json-schema.ts';
import { poolSchema } from './pool.ts';

const ROOT = join(import.meta.dirname, '..');
const crd = customResourceDefinition();
const schema = schemaOf(crd);

function schemaOf(definition: CustomResourceDefinition): SchemaNode {
  const found = definition.spec.versions[0]?.schema.openAPIV3Schema;
  assert.ok(found);
  return found;
}

type Place = { path: string; node: SchemaNode };

function everyNode(node: SchemaNode, path = '$'): Place[] {
  const members = Object.entries(node.properties ?? {}).map(([name, member]) => ({
    path: `${path}.${name}`,
    node: member,
  }));
  const items = node.items === undefined ? [] : [{ path: `${path}[]`, node: node.items }];
  const values =
    node.additionalProperties === undefined ? [] : [{ path: `${path}{}`, node: node.additionalProperties }];
  return [{ path, node }, ...[...members, ...items, ...values].flatMap((place) => everyNode(place.node, place.path))];
}

// What apiextensions v1 knows of a structural schema, less what this project has no use for.
const ALLOWED = new Set([
  ...['description', 'type', 'format', 'default', 'enum', 'minimum', 'maximum', 'minLength', 'maxLength', 'minItems'],
  ...['maxItems', 'maxProperties', 'items', 'required', 'properties', 'additionalProperties', 'x-kubernetes-list-type'],
  ...['x-kubernetes-list-map-keys', 'x-kubernetes-preserve-unknown-fields', 'x-kubernetes-validations'],
]);

test('every node of the schema is structural: a type, and no keyword that an API server refuses', () => {
  const places = everyNode(schema);
  assert.ok(places.length > 120, `only ${places.length} nodes`);
  for (const { path, node } of places) {
    assert.ok(
      ['object', 'array', 'string', 'integer', 'number', 'boolean'].includes(node.type),
      `${path}: ${node.type}`,
    );
    assert.deepEqual(
      Object.keys(node).filter((key) => !ALLOWED.has(key)),
      [],
      path,
    );
    assert.ok(
      node.properties === undefined || node.additionalProperties === undefined,
      `${path}: both kinds of members`,
    );
    assert.ok(
      node.type !== 'array' || (node.items !== undefined && node.maxItems !== undefined),
      `${path}: unbounded list`,
    );
    assert.deepEqual(
      (node.required ?? []).filter((name) => node.properties?.[name] === undefined),
      [],
      `${path}: required but unknown`,
    );
  }
});

test('lists that must not repeat say so in a rule too, and map lists have keys that each entry must have', () => {
  for (const { path, node } of everyNode(schema)) {
    const unique = ['set', 'map'].includes(node['x-kubernetes-list-type'] ?? '');
    const rules = (node['x-kubernetes-validations'] ?? []).map(({ rule }) => rule).join(' ');
    if (unique && path.startsWith('$.spec')) assert.match(rules, /exists_one/, path);
    if (node['x-kubernetes-list-type'] === 'set') assert.equal(node.items?.type, 'string', path);
    if (node['x-kubernetes-list-type'] !== 'map') continue;
    for (const key of node['x-kubernetes-list-map-keys'] ?? ['?'])
      assert.ok(node.items?.required?.includes(key), `${path}: ${key}`);
  }
});

test('every field that a user writes or reads is explained', () => {
  const silent = everyNode(schema)
    .filter(({ path, node }) => /^\$\.(spec|status)\..*[a-zA-Z]$/.test(path) && node.description === undefined)
    .map(({ path }) => path);
  assert.deepEqual(silent, []);
});

test('rules have one-line messages and field paths that exist; texts that a rule reads are bounded', () => {
  const ruled = everyNode(schema).filter(({ node }) => node['x-kubernetes-validations'] !== undefined);
  assert.ok(ruled.length > 15);
  for (const { path, node } of ruled) {
    assert.ok(node.type !== 'string' || node.maxLength !== undefined, `${path}: no maxLength`);
    for (const { message, fieldPath } of node['x-kubernetes-validations'] ?? []) {
      assert.match(message, /^[^\n]{10,400}$/, path);
      assert.ok(
        fieldPath === undefined || everyNode(node).some((place) => place.path === `$${fieldPath}`),
        `${path}${fieldPath}`,
      );
    }
  }
});

test('defaults of the schema are those of zod, and pass it', () => {
  const manifest = {
    apiVersion: 'kmspool.io/v1alpha1',
    kind: 'KmsHostPool',
    metadata: { name: 'campus' },
    spec: {
      hostKeys: [{ product: 'Office2021' }],
      store: { redis: { url: 'redis://redis', tls: {} } },
      dns: { domains: [{ name: 'lab.example', tiers: [{}] }] },
    },
  };
  const parsed = poolSchema.parse(structuredClone(manifest));
  assert.deepEqual(withDefaults(schema, manifest), parsed);
  assert.equal(parsed.spec.replicas, 2);
  assert.equal(parsed.spec.port, 1688);
  assert.equal(parsed.spec.hostKeys[0]?.state, 'Activated');
  assert.deepEqual(parsed.spec.limits, {
    connections: 2000,
    connectionsPerSource: 256,
    maxRequiredCount: 25,
    drainSeconds: 15,
  });
});

test('S3-54 S3-55 the intervals default to 120 and 10080 minutes, within 15 minutes and 30 days', () => {
  for (const [field, fallback] of [
    ['activationIntervalMinutes', 120],
    ['renewalIntervalMinutes', 10_080],
  ] as const) {
    const node = schema.properties?.['spec']?.properties?.[field];
    assert.deepEqual([node?.minimum, node?.default, node?.maximum], [15, fallback, 43_200]);
  }
});

test('the pool can be scaled, has a status of its own, and short names', () => {
  const [version] = crd.spec.versions;
  assert.deepEqual(version?.subresources.status, {});
  for (const path of Object.values(version?.subresources.scale ?? {})) assert.ok(nodeAt(path), path);
  assert.deepEqual(crd.spec.names.shortNames, ['khp']);
  assert.deepEqual(crd.spec.names.categories, ['kms']);
});

test('plain printer columns point to fields that exist', () => {
  const paths = crd.spec.versions[0]?.additionalPrinterColumns.map(({ jsonPath }) => jsonPath) ?? [];
  for (const path of paths.filter((text) => !text.startsWith('.metadata'))) {
    assert.ok(nodeAt(path.replace(/\[[^\]]*\]/g, '[]')), path);
  }
});

function nodeAt(path: string): SchemaNode | undefined {
  return everyNode(schema).find((place) => place.path === `$${path}`)?.node;
}

test('the checked-in files are up to date', () => {
  assert.deepEqual(staleFiles(ROOT, generatedFiles()), []);
  assert.deepEqual(parse(readFileSync(join(ROOT, 'crds/kmshostpools.yaml'), 'utf8')), JSON.parse(JSON.stringify(crd)));
});

test('generate --check names the stale file and fails; generate mends it', (t) => {
  const root = mkdtempSync(join(tmpdir(), 'kmspool-generate-'));
  t.after(() => rmSync(root, { recursive: true }));
  const generate = (...args: string[]) =>
    spawnSync(process.execPath, [join(import.meta.dirname, 'generate.ts'), '--root', root, ...args], {
      encoding: 'utf8',
    });
  assert.equal(generate('--check').status, 1, 'files that are not there are stale');
  assert.equal(generate().status, 0);
  assert.equal(generate('--check').status, 0);
  appendFileSync(join(root, 'crds/kmshostpools.yaml'), '# by hand\n');
  const stale = generate('--check');
  assert.equal(stale.status, 1);
  assert.match(stale.stderr, /^crds\/kmshostpools\.yaml is stale; run: [^\n]+\n$/);
  assert.equal(generate('--chek').status, 2);
});
