// SPDX-License-Identifier: Apache-2.0

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Handler, listOf, startFakeApiServer, widget } from './api-server.fake.ts';
import { until } from './clock.fake.ts';
import { latest, lists, startRig, watching } from './informer.fake.ts';

test('an optional kind that the server does not know counts as synced, and is found when it comes', async () => {
  await using server = await startFakeApiServer();
  const rig = await startRig(server, [(_, reply) => reply.status(404, 'NotFound'), ...lists([widget('a', 1)])], {
    optional: true,
  });
  await rig.informer.synced(new AbortController().signal);
  assert.equal(rig.informer.available(), false);
  await until(() => rig.clock.pending()[0] === 30_000, 'it waits');
  await rig.clock.advance(30_000);
  await watching(rig, 1);
  assert.equal(rig.informer.available(), true);
  assert.deepEqual(rig.told(), ['+a'], 'news, not the initial list');
  assert.equal(await rig.metric('reflector_missed_events_total'), 0);
  await rig.stop();
});

test('a kind that may be forbidden counts as synced while it is, and is followed once it is allowed', async () => {
  await using server = await startFakeApiServer();
  const rig = await startRig(server, [(_, reply) => reply.status(403, 'Forbidden'), ...lists([widget('a', 1)])], {
    mayBeForbidden: true,
  });
  await rig.informer.synced(new AbortController().signal);
  assert.equal(rig.informer.available(), false);
  await until(() => rig.clock.pending()[0] === 30_000, 'it waits');
  await rig.clock.advance(30_000);
  await watching(rig, 1);
  assert.deepEqual(rig.told(), ['+a']);
  await rig.stop();
});

test('when the right to read it is taken away, the cache of such a kind becomes empty', async () => {
  await using server = await startFakeApiServer();
  const answers: Handler[] = [...lists([widget('a', 1)]), (_, reply) => reply.status(403, 'Forbidden')];
  const rig = await startRig(server, answers, { mayBeForbidden: true });
  await watching(rig, 1);
  latest(rig).event('ERROR', { kind: 'Status', code: 403, reason: 'Forbidden' });
  await until(() => rig.clock.pending().some((ms) => ms <= 500), 'a pause');
  await rig.clock.advance(500);
  await until(() => rig.informer.cache.size === 0, 'the cache to be empty');
  assert.deepEqual(rig.told(), ['i+a', '-a']);
  assert.equal(rig.informer.available(), false);
  await rig.stop();
});

test('any other kind that is forbidden is not synced, and asked for again', async () => {
  await using server = await startFakeApiServer();
  const rig = await startRig(server, [(_, reply) => reply.status(403, 'Forbidden')], { optional: true });
  await until(() => rig.clock.pending().some((ms) => ms <= 500), 'a pause');
  assert.equal(rig.informer.hasSynced(), false);
  await rig.stop();
});

test('several namespaces fill one cache, each by a list and watch of its own', async () => {
  await using server = await startFakeApiServer();
  const answer: Handler = (seen, reply) => {
    const namespace = seen.path.split('/')[5] ?? '';
    reply.json(listOf([widget('a', 1, { namespace }), widget('b', 2, { namespace })], 10));
  };
  const rig = await startRig(server, [answer], { namespaces: ['one', 'two'] });
  await watching(rig, 2);
  assert.deepEqual(rig.watches.map(({ path }) => path).sort(), [
    '/apis/example.test/v1/namespaces/one/widgets',
    '/apis/example.test/v1/namespaces/two/widgets',
  ]);
  assert.equal(rig.informer.cache.size, 4);
  assert.equal(rig.informer.cache.list('one').length, 2);
  // A list of one namespace says nothing about the other's objects.
  server.handle((seen, reply) => {
    if (seen.query.get('watch') === 'true')
      rig.watches.push({ stream: reply.watch(), query: seen.query, path: seen.path });
    else reply.json(listOf([], 20));
  });
  rig.watches[0]?.stream.event('ERROR', { kind: 'Status', code: 410, reason: 'Expired' });
  await until(() => rig.informer.cache.size === 2, 'one namespace is empty');
  await rig.stop();
});

test('what is kept is lean: managedFields and the last applied manifest are dropped', async () => {
  await using server = await startFakeApiServer();
  const fat = widget('a', 1, {
    managedFields: [{ big: 'x' }],
    annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{}', keep: 'me' },
  });
  const rig = await startRig(server, lists([fat]));
  await watching(rig, 1);
  latest(rig).event('MODIFIED', { ...fat, metadata: { ...fat.metadata, resourceVersion: '11' } });
  await until(() => rig.changes.length === 2, 'modified');
  for (const { object } of rig.changes) {
    assert.equal(object.metadata.managedFields, undefined);
    assert.deepEqual(object.metadata.annotations, { keep: 'me' });
  }
  await rig.stop();
});

test('a handler that throws harms neither the others nor the watch', async () => {
  await using server = await startFakeApiServer();
  const rig = await startRig(server, lists([widget('a', 1)]));
  rig.informer.onChange(() => {
    throw new Error('bad handler');
  });
  const late: string[] = [];
  const remove = rig.informer.onChange(({ object, initial }) =>
    late.push(`${initial}${object.metadata.resourceVersion}`),
  );
  await watching(rig, 1);
  latest(rig).event('MODIFIED', widget('a', 11));
  await until(() => late.length === 2, 'the other handler hears it');
  remove();
  latest(rig).event('MODIFIED', widget('a', 12));
  await until(() => rig.changes.length === 3, 'the watch goes on');
  assert.deepEqual(late, ['true1', 'false11']);
  await rig.stop();
});
