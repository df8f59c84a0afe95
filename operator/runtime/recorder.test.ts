// SPDX-License-Identifier: Apache-2.0

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type FakeApiServer, type Seen, startFakeApiServer, widget } from './api-server.fake.ts';
import { FakeClock, until } from './clock.fake.ts';
import type { EventNote } from './event-series.ts';
import { EventRecorder, type RecorderOptions } from './recorder.ts';

interface Rig {
  readonly clock: FakeClock;
  readonly recorder: EventRecorder;
  readonly note: (more?: Partial<EventNote>) => void;
  readonly discarded: (why: string) => Promise<number>;
}

function startRig(server: FakeApiServer, more: Partial<RecorderOptions> = {}): Rig {
  const clock = new FakeClock();
  const client = server.client({ clock, throttle: { qps: Number.POSITIVE_INFINITY, burst: 1 } });
  const { metrics } = server;
  const recorder = new EventRecorder({
    client,
    component: 'op',
    instance: 'op-0',
    metrics,
    clock,
    random: () => 0,
    ...more,
  });
  return {
    clock,
    recorder,
    note: (one = {}) =>
      recorder.event({ object: widget('a', 1), type: 'Warning', reason: 'StoreLost', message: 'gone', ...one }),
    discarded: async (why) =>
      (await metrics.events.discarded.get()).values.find(({ labels }) => labels.why === why)?.value ?? 0,
  };
}

const nameIn = (seen: Seen | undefined): string =>
  (seen?.body as { metadata: { name: string } } | undefined)?.metadata.name ?? '';

const echo = (server: FakeApiServer): void => server.handle((seen, reply) => reply.json(seen.body ?? {}));

test('an event is written as kubectl describe reads it', async () => {
  await using server = await startFakeApiServer();
  echo(server);
  const { note, recorder } = startRig(server);
  note();
  await recorder.stop();
  const [seen] = server.asked('POST');
  assert.equal(seen?.path, '/api/v1/namespaces/ns/events');
  assert.match(nameIn(seen), /^a\.[0-9a-f]+$/);
  const { metadata: _, ...event } = seen?.body ?? {};
  assert.deepEqual(event, {
    apiVersion: 'v1',
    kind: 'Event',
    involvedObject: {
      apiVersion: 'example.test/v1',
      kind: 'Widget',
      namespace: 'ns',
      name: 'a',
      uid: 'uid-a',
      resourceVersion: '1',
    },
    type: 'Warning',
    reason: 'StoreLost',
    message: 'gone',
    count: 1,
    firstTimestamp: '2026-01-01T00:00:00Z',
    lastTimestamp: '2026-01-01T00:00:00Z',
    source: { component: 'op' },
    reportingComponent: 'op',
    reportingInstance: 'op-0',
  });
});

test('a repeat counts up the event that is there, and a burst of repeats is one write', async () => {
  await using server = await startFakeApiServer();
  echo(server);
  const { note, recorder, clock } = startRig(server);
  note();
  await until(() => server.seen.length === 1 && clock.pending().length === 0, 'created');
  await clock.advance(60_000);
  for (let repeat = 0; repeat < 5; repeat++) note();
  await recorder.stop();
  assert.equal(server.asked('POST').length, 1);
  const patches = server.asked('PATCH');
  const name = nameIn(server.asked('POST')[0]);
  assert.ok(patches.length <= 2, `${patches.length} writes for five repeats`);
  assert.ok(patches.every(({ path }) => path === `/api/v1/namespaces/ns/events/${name}`));
  assert.deepEqual(patches.at(-1)?.body, { count: 6, lastTimestamp: '2026-01-01T00:01:00Z', message: 'gone' });
});

test('other reasons, types, messages and objects are events of their own', async () => {
  await using server = await startFakeApiServer();
  echo(server);
  const { note, recorder } = startRig(server);
  note();
  note({ reason: 'StoreRestored' });
  note({ type: 'Normal' });
  note({ message: 'still gone' });
  note({ object: widget('b', 1) });
  await recorder.stop();
  assert.equal(server.asked('POST').length, 5);
});

test('an event that the API server has forgotten is made anew, with its count', async () => {
  await using server = await startFakeApiServer();
  echo(server);
  const { note, recorder } = startRig(server);
  note();
  await until(() => server.seen.length === 1, 'created');
  server.handle((seen, reply) => (seen.method === 'PATCH' ? reply.status(404, 'NotFound') : reply.json(seen.body)));
  note();
  await recorder.stop();
  const created = server.asked('POST');
  assert.deepEqual(
    created.map(({ body }) => body?.['count']),
    [1, 2],
  );
  assert.notEqual(nameIn(created[0]), nameIn(created[1]));
});

test('after ten minutes of quiet a repeat begins a new series', async () => {
  await using server = await startFakeApiServer();
  echo(server);
  const { note, recorder, clock } = startRig(server);
  note();
  await until(() => server.seen.length === 1 && clock.pending().length === 0, 'created');
  await clock.advance(600_001);
  note();
  await recorder.stop();
  assert.deepEqual(
    server.asked('POST').map(({ body }) => body?.['count']),
    [1, 1],
  );
});

test('a flood of messages under one reason is combined into one event', async () => {
  await using server = await startFakeApiServer();
  echo(server);
  const { note, recorder } = startRig(server);
  for (let at = 0; at < 20; at++) note({ message: `address 10.0.0.${at}` });
  await recorder.stop();
  assert.equal(server.asked('POST').length, 11);
  const last = server.seen.at(-1)?.body;
  assert.equal(last?.['message'], '(combined from similar events): address 10.0.0.19');
  assert.equal(last?.['count'], 10);
});

test('an object has an allowance: 25 writes at once, then one in five minutes; counts are not lost', async () => {
  await using server = await startFakeApiServer();
  echo(server);
  const { note, recorder, clock, discarded } = startRig(server);
  for (let at = 0; at < 30; at++) {
    note();
    const wanted = Math.min(at + 1, 25);
    await until(() => server.seen.length === wanted, `write ${wanted}`);
    // The write is over, so that the next repeat is not joined with it.
    await until(() => clock.pending().length === 0, 'written');
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.equal(server.seen.length, 25);
  assert.equal(await discarded('rate'), 5);
  note({ object: widget('b', 1) });
  await until(() => server.seen.length === 26, 'another object is not held back');
  note({ type: 'Normal' });
  await until(() => server.seen.length === 27, 'events of the other type are not held back either');
  await clock.advance(300_000);
  note();
  await recorder.stop();
  assert.equal(server.seen.at(-1)?.body?.['count'], 31);
});

test('who reports never waits: a full queue gives up the newest and counts it', async () => {
  await using server = await startFakeApiServer();
  const held: (() => void)[] = [];
  server.handle((seen, reply) => held.push(() => reply.json(seen.body ?? {})));
  const { note, recorder, discarded } = startRig(server, { capacity: 3 });
  note({ message: 'first' });
  await until(() => held.length === 1, 'the first is being written');
  for (let at = 0; at < 5; at++) note({ message: `m${at}` });
  assert.equal(await discarded('full'), 2);
  echo(server);
  held[0]?.();
  await recorder.stop();
  assert.deepEqual(
    server.asked('POST').map(({ body }) => body?.['message']),
    ['first', 'm0', 'm1', 'm2'],
  );
});

test('an API server in trouble is asked again later under the same name; a refusal is final', async () => {
  await using server = await startFakeApiServer();
  server.script(
    (_, reply) => reply.status(500, 'InternalError'),
    (_, reply) => reply.cut(),
    (_, reply) => reply.status(409, 'AlreadyExists'),
    (_, reply) => reply.status(403, 'Forbidden'),
  );
  const { note, recorder, clock, discarded } = startRig(server);
  note();
  await until(() => clock.pending()[0] === 500, 'a pause');
  await clock.advance(500);
  await until(() => clock.pending()[0] === 1_000, 'a longer one');
  await clock.advance(1_000);
  await until(() => server.seen.length === 3, 'written');
  assert.equal(new Set(server.seen.map(nameIn)).size, 1);
  note({ reason: 'Other' });
  await recorder.stop();
  assert.equal(server.seen.length, 4);
  assert.equal(await discarded('refused'), 1);
});

test('a stop writes what waits, but not for ever', async () => {
  await using server = await startFakeApiServer();
  server.handle(() => {});
  const { note, recorder, clock, discarded } = startRig(server);
  note();
  note({ reason: 'Other' });
  await until(() => server.seen.length === 1, 'a write hangs');
  const stopped = recorder.stop(3_000);
  await clock.advance(3_000);
  await stopped;
  assert.equal(await discarded('stopped'), 2);
  note();
  assert.equal(server.seen.length, 1);
  assert.deepEqual(clock.pending(), []);
});

test('an event about a cluster-scoped object lives in the namespace default; a long message is cut', async () => {
  await using server = await startFakeApiServer();
  echo(server);
  const { note, recorder } = startRig(server);
  const { namespace: _, ...metadata } = widget('a', 1).metadata;
  note({ object: { ...widget('a', 1), metadata }, message: 'x'.repeat(5_000) });
  await recorder.stop();
  assert.equal(server.seen[0]?.path, '/api/v1/namespaces/default/events');
  assert.equal(String(server.seen[0]?.body?.['message']).length, 1_024);
});
