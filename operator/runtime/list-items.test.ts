// SPDX-License-Identifier: Apache-2.0

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { startFakeApiServer, WIDGETS, widget } from './api-server.fake.ts';
import { FakeClock, until } from './clock.fake.ts';
import { readItems } from './list-items.ts';
import { withoutManagedFields } from './managed-fields.ts';

const METADATA = { resourceVersion: '7', continue: 'next' };

/** As the API server writes lists of its own kinds, and of those that a CRD defines. */
const LAYOUTS = [
  (items: unknown) => JSON.stringify({ kind: 'PodList', apiVersion: 'v1', metadata: METADATA, items }),
  (items: unknown) => JSON.stringify({ apiVersion: 'v1', items, kind: 'PoolList', metadata: METADATA }),
  (items: unknown) => JSON.stringify({ items, metadata: METADATA }, null, 2),
];

async function* inChunks(text: string, bytes: number): AsyncGenerator<Uint8Array, void, void> {
  const all = Buffer.from(text);
  for (let at = 0; at < all.length; at += bytes) yield all.subarray(at, at + bytes);
}

async function read(text: string, bytes = 7): Promise<{ items: unknown[]; metadata: unknown }> {
  const items: unknown[] = [];
  const reader = { lighten: withoutManagedFields, onItem: (item: unknown) => items.push(item) };
  const { metadata } = await readItems(inChunks(text, bytes), reader);
  return { items, metadata };
}

const pod = (name: string, more: object = {}): object => ({ metadata: { name, ...more }, spec: { text: 'ä€𝄞"]},{' } });

describe('the objects of a list', () => {
  test('are told once each and in order, whichever way it is laid out and cut into chunks', async () => {
    const pods = ['a', 'b', 'c', 'd'].map((name) => pod(name));
    for (const layout of LAYOUTS)
      for (const items of [[], pods.slice(0, 1), pods])
        for (const bytes of [1, 2, 3, 10, 50, 10_000])
          assert.deepEqual(await read(layout(items), bytes), { items, metadata: METADATA });
  });

  test('an empty list may be null', async () => {
    for (const layout of LAYOUTS) assert.deepEqual(await read(layout(null)), { items: [], metadata: METADATA });
  });

  test('come without managedFields, where these are left out', async () => {
    const full = pod('a', { managedFields: [{ manager: 'x', fieldsV1: { 'k:{"name":"},{"}': {} } }], uid: 'u' });
    const { items } = await read(LAYOUTS[0]?.([full, full]) ?? '');
    assert.deepEqual(items, [pod('a', { uid: 'u' }), pod('a', { uid: 'u' })]);
  });

  test('may hold what looks like the beginning of the next, in texts and in lists of their own, few or many', async () => {
    const inner = pod('a');
    for (const count of [1, 2, 7, 8, 9, 30]) {
      const lists = Array.from({ length: count }, () => inner);
      const items = [pod('x'), { ...pod('y'), list: [inner, ...lists], text: JSON.stringify(lists) }, pod('z')];
      for (const layout of LAYOUTS) assert.deepEqual((await read(layout(items), 100)).items, items);
    }
  });

  test('are told before the end of the list is there, wherever the chunks end', async () => {
    const text = LAYOUTS[0]?.([pod('a'), pod('b'), pod('c')]) ?? '';
    for (const bytes of [1, 5, 21, 1_000]) {
      const told: unknown[] = [];
      let midway: unknown[] = [];
      async function* slow(): AsyncGenerator<Uint8Array, void, void> {
        yield* inChunks(text.slice(0, -20), bytes);
        midway = [...told];
        yield* inChunks(text.slice(-20), bytes);
      }
      await readItems(slow(), { lighten: (json) => json, onItem: (item) => told.push(item) });
      assert.deepEqual(midway, [pod('a'), pod('b')]);
      assert.equal(told.length, 3);
    }
  });

  test('of a list that was cut off lead to a SyntaxError at its end', async () => {
    const text = LAYOUTS[0]?.([pod('a'), pod('b')]) ?? '';
    for (let length = 0; length < text.length; length += 3)
      await assert.rejects(read(Buffer.from(text).subarray(0, length).toString('latin1')), SyntaxError);
  });

  test('are what parsing the whole gives, for every JSON', async () => {
    const layout = fc.constantFrom(...LAYOUTS);
    const item = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 }));
    await fc.assert(
      fc.asyncProperty(
        layout,
        fc.array(item, { maxLength: 4 }),
        fc.integer({ min: 1, max: 60 }),
        async (as, items, n) => {
          const text = withoutManagedFields(as(items));
          assert.deepEqual((await read(text, n)).items, JSON.parse(text).items);
        },
      ),
      { numRuns: 500 },
    );
  });
});

test('a list that begins and does not end is given up after the time limit', async () => {
  await using server = await startFakeApiServer();
  server.handle((_, { response }) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.write(LAYOUTS[0]?.([widget('a', 1), widget('b', 2)]).slice(0, -30) ?? '');
  });
  const clock = new FakeClock();
  const told: string[] = [];
  const list = server.client({ clock, timeoutMs: 5_000 }).listEach(WIDGETS, {}, ({ metadata }) => {
    told.push(metadata.name);
  });
  const refused = assert.rejects(list, { name: 'TransportError', code: 'TIMEOUT' });
  await until(() => told.length === 1, 'the first object');
  await clock.advance(5_000);
  await refused;
});
