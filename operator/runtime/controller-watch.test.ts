// SPDX-License-Identifier: Apache-2.0

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type FakeApiServer,
  listOf,
  startFakeApiServer,
  type WatchStream,
  WIDGETS,
  type Widget,
  widget,
} from './api-server.fake.ts';
import { turn, until } from './clock.fake.ts';
import { Controller, type Reconcile, toOwner, toSelf } from './controller.ts';
import { Informer } from './informer.ts';
import { keyOf } from './resource.ts';

interface World {
  readonly informer: Informer<Widget>;
  readonly list: { release: () => void };
  readonly watch: () => WatchStream;
  readonly stop: () => Promise<void>;
}

/** An informer whose list is held back until `release`. */
function startWorld(server: FakeApiServer, items: Widget[]): World {
  let release: (() => void) | undefined;
  let stream: WatchStream | undefined;
  server.handle((seen, reply) => {
    if (seen.query.get('watch') === 'true') stream = reply.watch();
    else release = () => reply.json(listOf(items, 10));
  });
  const informer = new Informer({ client: server.client(), resource: WIDGETS, metrics: server.metrics });
  const stopping = new AbortController();
  const running = informer.run(stopping.signal);
  return {
    informer,
    list: { release: () => release?.() },
    watch: () => stream ?? assert.fail('no watch yet'),
    stop: async () => {
      stopping.abort(new Error('stop'));
      await running;
    },
  };
}

const GROUP_OWNER = { group: 'example.test', kind: 'Owner', namespaced: true };
const ownedBy = (name: string, controller = true): Partial<Widget['metadata']> => ({
  ownerReferences: [{ apiVersion: 'example.test/v1', kind: 'Owner', name, uid: `u-${name}`, controller }],
});

test('no reconcile begins before the caches are synced; then one for each owner, and news go first', async () => {
  await using server = await startFakeApiServer();
  const world = startWorld(server, [
    widget('a', 1, ownedBy('x')),
    widget('b', 2, ownedBy('x')),
    widget('c', 3, ownedBy('y', false)),
    widget('d', 4),
  ]);
  const seen: string[] = [];
  const reconcile: Reconcile = async (request) => {
    seen.push(world.informer.hasSynced() ? keyOf(request) : 'too early');
    return undefined;
  };
  const controller = new Controller({ name: 'owner', reconcile, metrics: server.metrics });
  controller.watch(world.informer, toOwner(GROUP_OWNER));
  const stopping = new AbortController();
  const running = controller.run(stopping.signal);
  controller.enqueue({ name: 'early' });
  await until(() => server.seen.length === 1, 'listed');
  await turn();
  assert.deepEqual(seen, []);
  world.list.release();
  await until(() => seen.length === 2, 'reconciled');
  assert.deepEqual(seen, ['early', 'ns/x']);
  await until(() => server.seen.length === 2, 'watch');
  seen.length = 0;
  world.watch().event('MODIFIED', widget('a', 11, ownedBy('z')));
  await until(() => seen.length === 2, 'the old and the new owner');
  assert.deepEqual(seen.sort(), ['ns/x', 'ns/z']);
  stopping.abort();
  await running;
  await world.stop();
});

test('a predicate leaves out what does not matter; a deleted object is news', async () => {
  await using server = await startFakeApiServer();
  const world = startWorld(server, [widget('a', 1, { generation: 1 })]);
  const seen: string[] = [];
  const reconcile: Reconcile = async (request) => {
    seen.push(keyOf(request));
    return undefined;
  };
  const controller = new Controller({ name: 'self', reconcile, metrics: server.metrics });
  controller.watch(
    world.informer,
    toSelf,
    ({ object, previous }) => object.metadata.generation !== previous?.metadata.generation,
  );
  const stopping = new AbortController();
  const running = controller.run(stopping.signal);
  await until(() => server.seen.length === 1, 'listed');
  world.list.release();
  await until(() => seen.length === 1, 'the first');
  await until(() => server.seen.length === 2, 'watch');
  world.watch().event('MODIFIED', widget('a', 11, { generation: 1 }));
  world.watch().event('MODIFIED', widget('b', 12, { generation: 1 }));
  world.watch().event('DELETED', widget('a', 13, { generation: 1 }));
  await until(() => seen.length === 3, 'b and the deletion of a');
  assert.deepEqual(seen, ['ns/a', 'ns/b', 'ns/a']);
  stopping.abort();
  await running;
  await world.stop();
});

test('a change of an object is one reconcile of it, also when a worker waits for it', async (t) => {
  await using server = await startFakeApiServer();
  const world = startWorld(server, [widget('a', 1)]);
  const seen: string[] = [];
  const reconcile: Reconcile = async (request) => {
    seen.push(keyOf(request));
    return undefined;
  };
  const controller = new Controller({ name: 'once', reconcile, metrics: server.metrics });
  controller.watch(world.informer, toSelf);
  const stopping = new AbortController();
  const running = controller.run(stopping.signal);
  t.after(async () => {
    stopping.abort();
    await running;
    await world.stop();
  });
  await until(() => server.seen.length === 1, 'listed');
  world.list.release();
  await until(() => server.seen.length === 2, 'watch');
  world.watch().event('MODIFIED', widget('a', 11));
  await until(() => seen.length >= 2, 'the change');
  world.watch().event('ADDED', widget('b', 12));
  await until(() => seen.includes('ns/b'), 'what comes after it');
  assert.deepEqual(seen, ['ns/a', 'ns/a', 'ns/b']);
});
