// SPDX-License-Identifier: Apache-2.0

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Handler, listOf, startFakeApiServer, WIDGETS, widget } from './api-server.fake.ts';
import { until } from './clock.fake.ts';
import { latest, lists, startRig, watching } from './informer.fake.ts';

test('it lists, watches from there with bookmarks and a jittered time limit, and keeps the cache true', async () => {
  await using server = await startFakeApiServer();
  const rig = await startRig(server, lists([widget('a', 1), widget('b', 2)]));
  assert.equal(rig.informer.hasSynced(), false);
  await watching(rig, 1);
  assert.equal(rig.informer.hasSynced(), true);
  const { query } = rig.watches[0] ?? assert.fail();
  assert.equal(query.get('resourceVersion'), '10');
  assert.equal(query.get('allowWatchBookmarks'), 'true');
  assert.equal(query.get('timeoutSeconds'), '450', 'half way between 5 and 10 minutes');
  latest(rig).event('MODIFIED', widget('a', 11));
  latest(rig).event('DELETED', widget('b', 12));
  latest(rig).event('ADDED', widget('c', 13));
  await until(() => rig.changes.length === 5, 'five changes');
  assert.deepEqual(rig.told(), ['i+a', 'i+b', '~a', '-b', '+c']);
  assert.equal(rig.changes[2]?.previous?.metadata.resourceVersion, '1');
  assert.deepEqual(
    rig.informer.cache.list().map(({ metadata }) => [metadata.name, metadata.resourceVersion]),
    [
      ['a', '11'],
      ['c', '13'],
    ],
  );
  assert.equal(await rig.metric('reflector_lists_total'), 1);
  assert.equal(await rig.metric('reflector_watches_total'), 1);
  assert.equal(await rig.metric('reflector_missed_events_total'), 0);
  assert.equal(await rig.metric('reflector_last_resource_version'), 13);
  await rig.stop();
});

test('it is synced only when the last page is there', async () => {
  await using server = await startFakeApiServer();
  let last: (() => void) | undefined;
  const rig = await startRig(
    server,
    [
      (_, reply) => reply.json(listOf([widget('a', 1), widget('b', 2)], 10, 'next')),
      (_, reply) => {
        last = () => reply.json(listOf([widget('c', 3)], 10));
      },
    ],
    { pageSize: 2 },
  );
  await until(() => last !== undefined, 'the second page is asked for');
  assert.equal(rig.informer.hasSynced(), false);
  let synced = false;
  const waiting = rig.informer.synced(new AbortController().signal).then(() => {
    synced = true;
  });
  assert.equal(synced, false);
  last?.();
  await waiting;
  assert.equal(rig.informer.cache.size, 3);
  assert.deepEqual(
    rig.lists().map((query) => [query.get('limit'), query.get('continue')]),
    [
      ['2', null],
      ['2', 'next'],
    ],
  );
  await rig.stop();
});

test('a page token that has expired leads to one list of everything', async () => {
  await using server = await startFakeApiServer();
  const rig = await startRig(server, [
    (_, reply) => reply.json(listOf([widget('a', 1), widget('x', 2)], 10, 'next')),
    (_, reply) => reply.status(410, 'Expired'),
    (_, reply) => reply.json(listOf([widget('a', 1), widget('b', 12)], 15)),
  ]);
  await watching(rig, 1);
  assert.equal(rig.lists()[2]?.get('limit'), null);
  assert.deepEqual(
    rig.informer.cache
      .list()
      .map(({ metadata }) => metadata.name)
      .sort(),
    ['a', 'b'],
  );
  assert.equal(rig.watches[0]?.query.get('resourceVersion'), '15');
  await rig.stop();
});

test('a watch that the server ends in order goes on at once where it stood, a bookmark included', async () => {
  await using server = await startFakeApiServer();
  const rig = await startRig(server, lists([widget('a', 1)]));
  await watching(rig, 1);
  latest(rig).event('MODIFIED', widget('a', 11));
  latest(rig).event('BOOKMARK', { kind: 'Widget', metadata: { resourceVersion: '500' } });
  latest(rig).end();
  await watching(rig, 2);
  assert.equal(rig.watches[1]?.query.get('resourceVersion'), '500');
  assert.deepEqual(rig.told(), ['i+a', '~a'], 'a bookmark is no change');
  assert.equal(rig.lists().length, 1);
  await rig.stop();
});

test('a watch that is swallowed without a word is given up after the silence, and misses nothing', async () => {
  await using server = await startFakeApiServer();
  const rig = await startRig(server, lists([widget('a', 1)]), { silenceMs: 90_000 });
  await watching(rig, 1);
  const swallowed = latest(rig);
  await rig.clock.advance(60_000);
  swallowed.event('BOOKMARK', { metadata: { resourceVersion: '20' } });
  await until(() => rig.informer.silentForMs() === 0, 'the bookmark is received');
  await rig.clock.advance(89_999);
  assert.equal(rig.watches.length, 1, 'a bookmark breaks the silence');
  assert.equal(rig.informer.silentForMs(), 89_999);
  await rig.clock.advance(1);
  await watching(rig, 2);
  await until(() => swallowed.closed(), 'the dead connection is closed');
  assert.equal(rig.watches[1]?.query.get('resourceVersion'), '20');
  latest(rig).event('MODIFIED', widget('a', 21));
  await until(() => rig.told().includes('~a'), 'the change behind the silence');
  assert.equal(await rig.metric('reflector_watch_failures_total'), 1);
  assert.equal(await rig.metric('reflector_missed_events_total'), 0);
  await rig.stop();
});

test('after a silence the next watch takes a new connection: those that lie unused may be as dead', async () => {
  await using server = await startFakeApiServer();
  const client = server.client();
  const rig = await startRig(server, lists([widget('a', 1)]), { client, silenceMs: 90_000 });
  await watching(rig, 1);
  await Promise.all([1, 2, 3].map(() => client.get(WIDGETS, { namespace: 'ns', name: 'a' })));
  const used = new Set(server.seen.map(({ remotePort }) => remotePort));
  await rig.clock.advance(90_000);
  await until(() => rig.watches.length === 2, 'the next watch');
  assert.equal(used.has(server.seen.at(-1)?.remotePort ?? 0), false);
  await rig.stop();
});

test('silence three times in a row puts the resource version itself in doubt: it lists again', async () => {
  await using server = await startFakeApiServer();
  const rig = await startRig(server, lists([widget('a', 1)], [widget('a', 1)]), { silenceMs: 90_000 });
  for (let watch = 1; watch <= 3; watch++) {
    await watching(rig, watch);
    await rig.clock.advance(90_000);
    await until(() => rig.watches[watch - 1]?.stream.closed() === true, 'closed');
    await rig.clock.advance(5_000);
  }
  await until(() => rig.lists().length === 2, 'a second list');
  await rig.stop();
});

for (const how of ['event', 'status'] as const)
  test(`410 Gone as ${how}: it lists again, tells what differs, and counts it as missed`, async () => {
    await using server = await startFakeApiServer();
    const before = [widget('same', 1), widget('changed', 2), widget('gone', 3), widget('anew', 4)];
    const after = [widget('same', 1), widget('changed', 12), widget('anew', 14, { uid: 'other' }), widget('new', 15)];
    const rig = await startRig(server, lists(before, after));
    await watching(rig, 1);
    rig.changes.length = 0;
    if (how === 'event') latest(rig).event('ERROR', { kind: 'Status', code: 410, reason: 'Expired' });
    else {
      server.script(
        (_, reply) => reply.status(410, 'Gone'),
        (_, reply) => reply.json(listOf(after, 20)),
        (seen, reply) => rig.watches.push({ stream: reply.watch(), query: seen.query, path: seen.path }),
      );
      latest(rig).event('BOOKMARK', { metadata: { resourceVersion: '11' } });
      latest(rig).end();
    }
    await watching(rig, 2);
    assert.deepEqual(rig.told(), ['~changed', '-anew', '+anew', '+new', '-gone']);
    assert.equal(await rig.metric('reflector_missed_events_total'), 5);
    assert.equal(rig.informer.hasSynced(), true);
    assert.equal(rig.watches[1]?.query.get('resourceVersion'), '20');
    await rig.stop();
  });

test('410 over and over, with lists that succeed between, does not become a tight loop', async () => {
  await using server = await startFakeApiServer();
  const rig = await startRig(server, lists([widget('a', 1)]));
  const gone = { kind: 'Status', code: 410, reason: 'Expired' };
  await watching(rig, 1);
  latest(rig).event('ERROR', gone);
  await watching(rig, 2);
  latest(rig).event('ERROR', gone);
  await until(() => rig.clock.pending()[0] === 750, 'a pause');
  await rig.clock.advance(750);
  await watching(rig, 3);
  latest(rig).event('ERROR', gone);
  await until(() => rig.clock.pending()[0] === 1_500, 'a longer one');
  await rig.stop();
});

const FAILURES: [string, Handler][] = [
  ['500', (_, reply) => reply.status(500, 'InternalError')],
  ['403', (_, reply) => reply.status(403, 'Forbidden')],
  ['404', (_, reply) => reply.status(404, 'NotFound')],
  ['a lost connection', (_, reply) => reply.cut()],
  ['rubbish', (_, { response }) => response.writeHead(200).end('<html>')],
];

for (const [name, fail] of FAILURES)
  test(`a list that fails (${name}) is tried again with growing pauses, for ever`, async () => {
    await using server = await startFakeApiServer();
    const answers: Handler[] = [...Array.from({ length: 8 }, () => fail), ...lists([widget('a', 1)])];
    const rig = await startRig(server, answers);
    const pauses: number[] = [];
    while (rig.watches.length === 0) {
      const asked = server.seen.length;
      await until(() => rig.clock.pending().some((ms) => ms < 30_000) || rig.watches.length > 0, 'a pause or a watch');
      const pause = rig.clock.pending()[0] ?? 0;
      if (rig.watches.length > 0) break;
      pauses.push(pause);
      await rig.clock.advance(pause);
      await until(() => server.seen.length > asked, 'asked again');
    }
    // A quarter is taken off by chance (jitter 0.5, random 0.5); a lost connection is also tried again at once.
    assert.deepEqual(pauses.filter((ms) => ms > 0).slice(0, 4), [375, 750, 1_500, 3_000]);
    assert.ok(Math.max(...pauses) <= 30_000);
    assert.equal(rig.informer.hasSynced(), true);
    await rig.stop();
  });

test('a watch that fails keeps its place, and the cache stays', async () => {
  await using server = await startFakeApiServer();
  const rig = await startRig(server, lists([widget('a', 1)]));
  await watching(rig, 1);
  latest(rig).event('MODIFIED', widget('a', 11));
  await until(() => rig.changes.length === 2, 'one event');
  latest(rig).cut();
  await until(() => rig.clock.pending()[0] === 375, 'a pause');
  assert.equal(rig.informer.cache.size, 1);
  await rig.clock.advance(375);
  await watching(rig, 2);
  assert.equal(rig.watches[1]?.query.get('resourceVersion'), '11');
  assert.equal(rig.lists().length, 1);
  await rig.stop();
});

test('a watch that ends at once without an event counts as failed', async () => {
  await using server = await startFakeApiServer();
  const rig = await startRig(server, lists([widget('a', 1)]));
  await watching(rig, 1);
  latest(rig).end();
  await until(() => rig.clock.pending()[0] === 375, 'a pause');
  await rig.clock.advance(375);
  await watching(rig, 2);
  await rig.stop();
});

test('events that cannot be read, three watches in a row, lead to a new list', async () => {
  await using server = await startFakeApiServer();
  const rig = await startRig(server, lists([widget('a', 1)], [widget('a', 2)]));
  for (let watch = 1; watch <= 3; watch++) {
    await watching(rig, watch);
    latest(rig).write('{"type":"ADDED","object":\n');
    await until(() => (rig.clock.pending()[0] ?? 99_999) < 10_000, 'a pause');
    await rig.clock.advance(10_000);
  }
  await watching(rig, 4);
  assert.equal(rig.lists().length, 2);
  assert.deepEqual(rig.told(), ['i+a', '~a']);
  await rig.stop();
});

test('429 with Retry-After on a watch is obeyed', async () => {
  await using server = await startFakeApiServer();
  const rig = await startRig(server, lists([widget('a', 1)]));
  await watching(rig, 1);
  server.handle((_, reply) => reply.status(429, 'TooManyRequests', { 'retry-after': '25' }));
  latest(rig).event('BOOKMARK', { metadata: { resourceVersion: '11' } });
  latest(rig).end();
  await until(() => rig.clock.pending()[0] === 25_000, 'the asked pause');
  await rig.stop();
});

test('abort ends it at once, wherever it is, and leaves no timer', async () => {
  await using server = await startFakeApiServer();
  const never = await startRig(server, [() => {}]);
  await until(() => server.seen.length === 1, 'asked');
  await never.stop();
  assert.deepEqual(never.clock.pending(), []);
  const open = await startRig(server, lists([widget('a', 1)]));
  await watching(open, 1);
  await open.stop();
  assert.deepEqual(open.clock.pending(), []);
  const pausing = await startRig(server, [(_, reply) => reply.status(500, 'InternalError')]);
  await until(() => pausing.clock.pending()[0] === 375, 'a pause');
  await pausing.stop();
  assert.deepEqual(pausing.clock.pending(), []);
});
