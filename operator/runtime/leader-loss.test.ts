// SPDX-License-Identifier: Apache-2.0

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startFakeApiServer } from './api-server.fake.ts';
import { FakeClock, turn, until } from './clock.fake.ts';
import { plainConnection } from './connection.ts';
import { NotLeaderError } from './errors.ts';
import { contend, leaseStore, leaseWrites, waiting, widgetWrites, write } from './leader.fake.ts';
import type { Lease } from './lease.ts';

test('a leader stopped past its deadline starts no write after waking, and its term ends', async () => {
  await using server = await startFakeApiServer();
  const store = leaseStore();
  server.handle(store.handler);
  const a = contend(server, 'a');
  await until(() => a.terms.length === 1, 'a leads');
  await waiting(a, 2_000);
  const b = contend(server, 'b');
  await waiting(b, 2_000);
  // SIGSTOP: time passes for a, but nothing of it runs. Meanwhile b takes over.
  a.clock.stop(20_000);
  while (b.terms.length === 0) {
    await until(() => b.clock.pending().includes(2_000) || b.terms.length > 0, 'b waits or leads');
    await b.clock.advance(2_000);
  }
  const before = leaseWrites(server).length;
  // a wakes: the very first thing it does is a write, before any timer has fired.
  await assert.rejects(write(a.client), NotLeaderError);
  await a.clock.advance(0);
  await until(() => a.end() === 'lost', 'the term ends');
  assert.equal(a.terms[0]?.aborted, true);
  assert.ok(a.terms[0]?.reason instanceof NotLeaderError);
  assert.equal(widgetWrites(server).length, 0);
  const later = leaseWrites(server).slice(before);
  assert.ok(
    later.every(({ body }) => (body as unknown as Lease).spec?.holderIdentity === 'b'),
    'not even the lease',
  );
  await b.stop();
});

test('a leader stopped between the decision to renew and the sending does not even renew', async () => {
  await using server = await startFakeApiServer();
  server.handle(leaseStore().handler);
  let meanwhile = (): void => {};
  const plain = plainConnection(server.url);
  const authorize: typeof plain.authorize = async () => {
    meanwhile();
    return plain.authorize();
  };
  const client = server.client({ connection: { ...plain, authorize }, clock: new FakeClock() });
  const a = contend(server, 'a', { client });
  await until(() => a.terms.length === 1, 'a leads');
  await waiting(a, 2_000);
  meanwhile = () => a.clock.stop(20_000);
  await a.clock.advance(2_000);
  await a.clock.advance(0);
  await until(() => a.end() === 'lost', 'the term ends');
  assert.equal(leaseWrites(server).length, 1);
});

test('a machine that slept (the monotonic clock stood still) does not lead after waking', async () => {
  await using server = await startFakeApiServer();
  server.handle(leaseStore().handler);
  const a = contend(server, 'a');
  await until(() => a.terms.length === 1, 'a leads');
  a.clock.setWall(20_000);
  await assert.rejects(write(a.client), NotLeaderError);
  a.clock.setWall(-40_000);
  await write(a.client);
  a.clock.stop(10_000);
  await assert.rejects(write(a.client), NotLeaderError);
  assert.equal(widgetWrites(server).length, 1, 'a wall clock that was set back prolongs nothing');
  await a.stop();
});

test('an API server that does not answer ends the term at the deadline; the lease is contended for again by a new run', async () => {
  await using server = await startFakeApiServer();
  const store = leaseStore();
  server.handle(store.handler);
  const a = contend(server, 'a');
  await until(() => a.terms.length === 1, 'a leads');
  await waiting(a, 2_000);
  server.handle(() => {});
  await a.clock.advance(2_000);
  await until(() => leaseWrites(server).length === 2, 'a renewal hangs');
  await a.clock.advance(7_998);
  assert.equal(a.elector.isLeader(), true);
  assert.equal(a.terms[0]?.aborted, false);
  await a.clock.advance(1);
  assert.equal(a.elector.isLeader(), false);
  assert.equal(a.terms[0]?.aborted, true);
  await until(() => a.end() === 'lost', 'lost');
  server.handle(store.handler);
  const again = new AbortController();
  let led = false;
  const running = a.elector.run(again.signal, async () => {
    led = true;
  });
  await until(() => led, 'a leads again');
  assert.equal(store.lease()?.spec?.leaseTransitions, 0, 'nobody else had it');
  again.abort();
  await running;
});

for (const code of [500, 409])
  test(`renewals that fail with ${code} for a while do not end the term`, async () => {
    await using server = await startFakeApiServer();
    const store = leaseStore();
    server.handle(store.handler);
    const a = contend(server, 'a');
    await until(() => a.terms.length === 1, 'a leads');
    await waiting(a, 2_000);
    let failing = 3;
    server.handle((seen, reply) => {
      if (seen.method !== 'GET' && failing-- > 0) reply.status(code, code === 409 ? 'Conflict' : 'InternalError');
      else store.handler(seen, reply);
    });
    for (let round = 0; round < 8; round++) {
      await waiting(a, 2_000);
      await a.clock.advance(2_000);
      await turn();
    }
    await waiting(a, 2_000);
    assert.equal(a.elector.isLeader(), true);
    assert.equal(a.terms[0]?.aborted, false);
    await a.stop();
  });

test('a lease that another one took over (somebody edited it) ends the term at the next renewal', async () => {
  await using server = await startFakeApiServer();
  const store = leaseStore();
  server.handle(store.handler);
  const a = contend(server, 'a');
  await until(() => a.terms.length === 1, 'a leads');
  await waiting(a, 2_000);
  store.put({ ...(store.lease() ?? assert.fail()), spec: { holderIdentity: 'thief', leaseDurationSeconds: 15 } });
  await a.clock.advance(2_000);
  await waiting(a, 2_000);
  await a.clock.advance(2_000);
  await until(() => a.end() === 'lost', 'lost');
  assert.equal(store.lease()?.spec?.holderIdentity, 'thief', 'the lease is left to whom it belongs');
  await assert.rejects(write(a.client), NotLeaderError);
});
