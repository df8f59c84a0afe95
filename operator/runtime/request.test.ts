// SPDX-License-Identifier: Apache-2.0

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startFakeApiServer, WIDGETS, type Widget, widget } from './api-server.fake.ts';
import { FakeClock, until } from './clock.fake.ts';
import { ApiError, NotLeaderError, TransportError } from './errors.ts';

const REF = { namespace: 'ns', name: 'a' };

for (const code of [429, 500, 503])
  test(`${code} with Retry-After is sent again once that time has passed, not before`, async () => {
    await using server = await startFakeApiServer();
    const clock = new FakeClock();
    server.script(
      (_, reply) => reply.status(code, 'Busy', { 'retry-after': '2' }),
      (_, reply) => reply.json(widget('a', 1)),
    );
    const call = server.client({ clock, random: () => 0 }).create(WIDGETS, { metadata: { ...REF } });
    await until(() => clock.pending()[0] === 2_000, 'it waits two seconds');
    await clock.advance(1_999);
    assert.equal(server.seen.length, 1);
    await clock.advance(1);
    assert.equal((await call).metadata.name, 'a');
    assert.equal(server.seen.length, 2);
  });

test('500 without Retry-After is left to the caller', async () => {
  await using server = await startFakeApiServer();
  server.handle((_, reply) => reply.status(500, 'InternalError'));
  await assert.rejects(server.client().get(WIDGETS, REF), ApiError);
  assert.equal(server.seen.length, 1);
});

test('a server that asks for more patience than a call has gets it from the caller', async () => {
  await using server = await startFakeApiServer();
  server.handle((_, reply) => reply.status(429, 'TooManyRequests', { 'retry-after': '60' }));
  await assert.rejects(server.client().get(WIDGETS, REF), (error: ApiError) => error.retryAfterSeconds === 60);
  assert.equal(server.seen.length, 1);
});

test('patience ends: the fifth 429 in a row is thrown', async () => {
  await using server = await startFakeApiServer();
  server.handle((_, reply) => reply.status(429, 'TooManyRequests', { 'retry-after': '0' }));
  await assert.rejects(server.client().get(WIDGETS, REF), ApiError);
  assert.equal(server.seen.length, 5);
});

test('no answer in time is a TransportError, and the call does not hang', async () => {
  await using server = await startFakeApiServer();
  const clock = new FakeClock();
  server.handle(() => {});
  const call = assert.rejects(
    server.client({ clock, timeoutMs: 3_000 }).get(WIDGETS, REF),
    (error: TransportError) => error instanceof TransportError && error.code === 'TIMEOUT',
  );
  await until(() => server.seen.length === 1, 'asked');
  await clock.advance(3_000);
  await call;
  assert.deepEqual(clock.pending(), [], 'no timer is left');
});

test('a body that stops half way is bound by the same time limit', async () => {
  await using server = await startFakeApiServer();
  const clock = new FakeClock();
  let begun = false;
  server.handle((_, { response }) => {
    response.writeHead(200).write('{"half":');
    begun = true;
  });
  const call = assert.rejects(server.client({ clock }).get(WIDGETS, REF), TransportError);
  await until(() => begun, 'half an answer');
  await clock.advance(30_000);
  await call;
});

test('an aborted signal ends a call with its reason, also while it waits for the throttle', async () => {
  await using server = await startFakeApiServer();
  const clock = new FakeClock();
  server.handle(() => {});
  const stop = new AbortController();
  const client = server.client({ clock, throttle: { qps: 1, burst: 1 } });
  const calls = [1, 2].map(() => assert.rejects(client.get(WIDGETS, REF, { signal: stop.signal }), /enough/));
  await until(() => server.seen.length === 1, 'the first is asked');
  stop.abort(new Error('enough'));
  await Promise.all(calls);
  assert.equal(server.seen.length, 1, 'the second was never sent');
});

test('nobody listening is a TransportError with the code of the system', async () => {
  const server = await startFakeApiServer();
  const client = server.client();
  await server[Symbol.asyncDispose]();
  await assert.rejects(client.get(WIDGETS, REF), (error: TransportError) => error.code === 'ECONNREFUSED');
});

test('a connection that is lost is tried again for a read and an apply, not for a create', async () => {
  await using server = await startFakeApiServer();
  const client = server.client();
  const cutOnce = (): void =>
    server.script(
      (_, reply) => reply.cut(),
      (_, reply) => reply.json(widget('a', 1)),
    );
  cutOnce();
  await client.get(WIDGETS, REF);
  cutOnce();
  await client.apply(WIDGETS, { metadata: { ...REF } }, { fieldManager: 'me' });
  cutOnce();
  await assert.rejects(client.create(WIDGETS, { metadata: { ...REF } }), TransportError);
});

test('a connection that is lost again and again is a TransportError after the second time', async () => {
  await using server = await startFakeApiServer();
  server.handle((_, reply) => reply.cut());
  await assert.rejects(server.client().get(WIDGETS, REF), TransportError);
  assert.equal(server.seen.length, 2);
});

test('calls one after another use one connection', async () => {
  await using server = await startFakeApiServer();
  server.handle((_, reply) => reply.json(widget('a', 1)));
  const client = server.client();
  for (let call = 0; call < 5; call++) await client.get(WIDGETS, REF);
  assert.equal(new Set(server.seen.map(({ remotePort }) => remotePort)).size, 1);
});

test('the throttle lets a burst through and then keeps to its rate', async () => {
  await using server = await startFakeApiServer();
  const clock = new FakeClock();
  server.handle((_, reply) => reply.json(widget('a', 1)));
  const client = server.client({ clock, throttle: { qps: 2, burst: 3 } });
  const calls = Array.from({ length: 5 }, () => client.get(WIDGETS, REF));
  await until(() => server.seen.length === 3, 'the burst');
  await clock.advance(499);
  assert.equal(server.seen.length, 3);
  await clock.advance(1);
  await until(() => server.seen.length === 4, 'one after half a second');
  await clock.advance(500);
  await Promise.all(calls);
});

test('a guard refuses writes before a byte is sent, and lets reads pass', async () => {
  await using server = await startFakeApiServer();
  server.handle((_, reply) => reply.json(widget('a', 1)));
  const client = server.client().withGuard(() => {
    throw new NotLeaderError();
  });
  await client.get(WIDGETS, REF);
  const writes = [
    () => client.create(WIDGETS, { metadata: { ...REF } }),
    () => client.replace(WIDGETS, widget('a', 1)),
    () => client.apply(WIDGETS, { metadata: { ...REF } }, { fieldManager: 'me' }),
    () => client.patch(WIDGETS, REF, { patch: {} }),
    () => client.delete(WIDGETS, REF),
  ];
  for (const write of writes) await assert.rejects(write(), NotLeaderError);
  assert.deepEqual(
    server.seen.map(({ method }) => method),
    ['GET'],
  );
});

test('a guard is asked after the wait for the throttle, not before', async () => {
  await using server = await startFakeApiServer();
  const clock = new FakeClock();
  server.handle((_, reply) => reply.json(widget('a', 1)));
  let leading = true;
  const client = server.client({ clock, throttle: { qps: 1, burst: 1 } }).withGuard(() => {
    if (!leading) throw new NotLeaderError();
  });
  await client.create(WIDGETS, { metadata: { ...REF } });
  const second = assert.rejects(client.create(WIDGETS, { metadata: { ...REF } }), NotLeaderError);
  await until(() => clock.pending().length === 1, 'it waits');
  leading = false;
  await clock.advance(1_000);
  await second;
  assert.equal(server.seen.length, 1);
});

test('requests are counted by code, method, host and resource, as dashboards for client-go expect', async () => {
  await using server = await startFakeApiServer();
  server.script(
    (_, reply) => reply.json(widget('a', 1)),
    (_, reply) => reply.status(404, 'NotFound'),
    (_, reply) => reply.cut(),
  );
  const client = server.client();
  await client.get(WIDGETS, REF);
  await client.find(WIDGETS, REF);
  await assert.rejects(client.create<Widget>(WIDGETS, { metadata: { ...REF } }));
  const { host } = new URL(server.url);
  const labels = `host="${host}",resource="widgets.example.test"`;
  const text = await server.registry.metrics();
  for (const line of [
    `rest_client_requests_total{code="200",method="GET",${labels}} 1`,
    `rest_client_requests_total{code="404",method="GET",${labels}} 1`,
    `rest_client_requests_total{code="<error>",method="POST",${labels}} 1`,
    `rest_client_request_duration_seconds_count{verb="GET",host="${host}"} 2`,
  ])
    assert.ok(text.includes(line), `${line} in\n${text}`);
});
