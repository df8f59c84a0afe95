// SPDX-License-Identifier: Apache-2.0

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Widget, widget } from './api-server.fake.ts';
import { Cache, labelIndex, labelIndexValue, namespaceIndex, ownerIndex } from './cache.ts';
import { keyOf, refOf, refOfObject } from './resource.ts';

const names = (objects: Widget[]): string[] => objects.map(({ metadata }) => metadata.name).sort();

test('objects are found by owner, by label within a namespace, and by an index of one’s own', () => {
  const cache = new Cache<Widget>({
    owner: ownerIndex,
    pool: labelIndex('pool'),
    namespace: namespaceIndex,
    size: ({ spec }) => (spec?.size === undefined ? [] : [String(spec.size)]),
  });
  const owner = { apiVersion: 'v1', kind: 'Owner', name: 'o', uid: 'o-1' };
  cache.set({ ...widget('a', 1, { ownerReferences: [owner], labels: { pool: 'x' } }), spec: { size: 3 } });
  cache.set(widget('b', 2, { labels: { pool: 'x' }, namespace: 'other' }));
  cache.set(widget('c', 3, { ownerReferences: [owner] }));
  assert.deepEqual(names(cache.byIndex('owner', 'o-1')), ['a', 'c']);
  assert.deepEqual(names(cache.byIndex('pool', labelIndexValue('ns', 'x'))), ['a']);
  assert.deepEqual(names(cache.byIndex('namespace', 'other')), ['b']);
  assert.deepEqual(names(cache.byIndex('size', '3')), ['a']);
  assert.deepEqual(names(cache.list('ns')), ['a', 'c']);
  assert.throws(() => cache.byIndex('nope', 'x'), /no index "nope"/);
  cache.set(widget('a', 4));
  assert.deepEqual(names(cache.byIndex('owner', 'o-1')), ['c'], 'an object that lost its owner is found no more');
});

test('an index holds exactly what a search of all objects would find, after any changes', () => {
  const change = fc.record({
    name: fc.constantFrom('a', 'b', 'c'),
    label: fc.option(fc.constantFrom('x', 'y', '')),
    remove: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(change), (changes) => {
      const cache = new Cache<Widget>({ pool: labelIndex('pool') });
      changes.forEach(({ name, label, remove }, at) => {
        if (remove) cache.delete(`ns/${name}`);
        else cache.set(widget(name, at, label === null ? {} : { labels: { pool: label } }));
      });
      for (const label of ['x', 'y', ''])
        assert.deepEqual(
          names(cache.byIndex('pool', labelIndexValue('ns', label))),
          names(cache.list().filter(({ metadata }) => metadata.labels?.['pool'] === label)),
        );
    }),
  );
});

test('a key divides into the name that it was made of', () => {
  for (const ref of [{ namespace: 'ns', name: 'a' }, { name: 'a' }]) assert.deepEqual(refOf(keyOf(ref)), ref);
  assert.deepEqual(refOfObject(widget('a', 1)), { namespace: 'ns', name: 'a' });
});
