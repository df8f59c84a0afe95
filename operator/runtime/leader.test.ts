// SPDX-License-Identifier: Apache-2.0

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startFakeApiServer } from './api-server.fake.ts';
import { until } from './clock.fake.ts';
import { NotLeaderError } from './errors.ts';
import { contend, leaseStore, leaseWrites, waiting, widgetWrites, write } from './leader.fake.ts';
import { LeaderElector } from './leader.ts';
import { type Logger, silentLogger } from './log.ts';

test('the first contender makes the lease and leads; its writes pass', async () => {
  await using server = await startFakeApiServer();
  const store = leaseStore();
  server.handle(store.handler);
  const a = contend(server, 'a');
  await until(() => a.terms.length === 1, 'a leads');
  assert.equal(a.elector.isLeader(), true);
  const spec = store.lease()?.spec;
  assert.deepEqual(spec, {
    holderIdentity: 'a',
    leaseDurationSeconds: 15,
    acquireTime: '2026-01-01T00:00:00.000000Z',
    renewTime: '2026-01-01T00:00:00.000000Z',
    leaseTransitions: 0,
  });
  await write(a.client);
  assert.match(await server.registry.metrics(), /leader_election_master_status\{name="lock"\} 1/);
  await a.stop();
});

test('it renews every two seconds, one write each, and keeps leading', async () => {
  await using server = await startFakeApiServer();
  server.handle(leaseStore().handler);
  const a = contend(server, 'a');
  await until(() => a.terms.length === 1, 'a leads');
  for (let renewal = 2; renewal <= 8; renewal++) {
    await waiting(a, 2_000);
    await a.clock.advance(2_000);
    await until(() => leaseWrites(server).length === renewal, `renewal ${renewal}`);
  }
  await waiting(a, 2_000);
  assert.equal(a.elector.isLeader(), true);
  assert.equal(server.asked('GET').length, 1);
  await a.stop();
});

test('a second contender waits while the first renews, and its writes are refused before a byte is sent', async () => {
  await using server = await startFakeApiServer();
  const store = leaseStore();
  server.handle(store.handler);
  const a = contend(server, 'a');
  await until(() => a.terms.length === 1, 'a leads');
  const b = contend(server, 'b');
  for (let round = 0; round < 12; round++) {
    await waiting(a, 2_000);
    await waiting(b, 2_000);
    await Promise.all([a.clock.advance(2_000), b.clock.advance(2_000)]);
  }
  assert.equal(b.terms.length, 0);
  assert.equal(b.elector.leader, 'a');
  await assert.rejects(write(b.client), NotLeaderError);
  assert.equal(widgetWrites(server).length, 0);
  await Promise.all([a.stop(), b.stop()]);
});

test('a stop releases the lease, and the next one leads without waiting for it to expire', async () => {
  await using server = await startFakeApiServer();
  const store = leaseStore();
  server.handle(store.handler);
  const a = contend(server, 'a');
  await until(() => a.terms.length === 1, 'a leads');
  const b = contend(server, 'b');
  await waiting(b, 2_000);
  await a.stop();
  assert.equal(a.end(), 'stopped');
  assert.equal(store.lease()?.spec?.holderIdentity, '');
  assert.equal(a.elector.isLeader(), false);
  await b.clock.advance(2_000);
  await until(() => b.terms.length === 1, 'b leads');
  assert.equal(store.lease()?.spec?.leaseTransitions, 1);
  await b.stop();
});

test('while its work winds up after a stop, the leader renews; the release comes last', async () => {
  await using server = await startFakeApiServer();
  const store = leaseStore();
  server.handle(store.handler);
  const a = contend(server, 'a', { slow: true });
  await until(() => a.terms.length === 1, 'a leads');
  const stopped = a.stop();
  assert.equal(a.terms[0]?.aborted, true);
  for (let renewal = 2; renewal <= 7; renewal++) {
    await waiting(a, 2_000);
    await a.clock.advance(2_000);
    await until(() => leaseWrites(server).length === renewal, `renewal ${renewal}`);
  }
  assert.equal(a.elector.isLeader(), true);
  await write(a.client);
  a.finish();
  await stopped;
  assert.equal(store.lease()?.spec?.holderIdentity, '');
});

test('a lease that is not renewed is taken after its duration, counted from when its state was first seen', async () => {
  await using server = await startFakeApiServer();
  const store = leaseStore();
  // Its clock is years ahead: what is written in a lease is not believed, only that it does not change.
  const spec = {
    holderIdentity: 'dead',
    leaseDurationSeconds: 15,
    renewTime: '2999-01-01T00:00:00.000000Z',
    leaseTransitions: 4,
  };
  store.put({ metadata: { namespace: 'ns', name: 'lock' }, spec });
  server.handle(store.handler);
  const b = contend(server, 'b');
  for (let elapsedMs = 0; elapsedMs < 14_000; elapsedMs += 2_000) {
    await waiting(b, 2_000);
    await b.clock.advance(2_000);
  }
  await waiting(b, 2_000);
  assert.equal(b.terms.length, 0);
  await b.clock.advance(2_000);
  await until(() => b.terms.length === 1, 'b leads');
  assert.equal(store.lease()?.spec?.leaseTransitions, 5);
  await b.stop();
});

test('what lead throws is thrown, after the lease was released', async () => {
  await using server = await startFakeApiServer();
  const store = leaseStore();
  server.handle(store.handler);
  const { metrics } = server;
  const elector = new LeaderElector({
    client: server.client(),
    namespace: 'ns',
    leaseName: 'lock',
    identity: 'a',
    metrics,
  });
  const run = elector.run(new AbortController().signal, () => Promise.reject(new Error('boom')));
  await assert.rejects(run, /boom/);
  assert.equal(store.lease()?.spec?.holderIdentity, '');
});

test('a lease that may not be read is told of at once and at every tenth attempt; a quicker contender is not', async () => {
  await using server = await startFakeApiServer();
  const warned: object[] = [];
  const log: Logger = { ...silentLogger, warn: (fields) => warned.push(fields), child: () => log };
  server.handle((_, reply) => reply.status(403, 'Forbidden'));
  const a = contend(server, 'a', { log });
  for (let attempt = 1; attempt <= 11; attempt++) {
    await waiting(a, 2_000);
    assert.equal(warned.length, attempt === 11 ? 2 : 1, `attempt ${attempt}`);
    if (attempt < 11) await a.clock.advance(2_000);
  }
  const store = leaseStore();
  let conflicts = 3;
  server.handle((seen, reply) => {
    if (seen.method !== 'GET' && conflicts-- > 0) reply.status(409, 'Conflict');
    else store.handler(seen, reply);
  });
  await a.clock.advance(2_000);
  for (; conflicts > 0; await a.clock.advance(2_000)) await waiting(a, 2_000);
  await until(() => a.terms.length === 1, 'a leads');
  assert.equal(warned.length, 2);
  await a.stop();
});

test('times that cannot work are refused', async () => {
  await using server = await startFakeApiServer();
  for (const times of [{ renewDeadlineMs: 15_000 }, { retryPeriodMs: 9_000 }])
    assert.throws(() => contend(server, 'a', times), RangeError);
});
