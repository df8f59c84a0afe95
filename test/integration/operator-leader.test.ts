// SPDX-License-Identifier: Apache-2.0
/**
 * Two operators on one real API server: one leads, the other stands by and takes over, whatever becomes of the first. Who wrote what is read from the API
 * server's audit log, not from the operators.
 */
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { SECRETS } from '../../operator/pool/kinds.ts';
import {
  type AuditLog,
  auditLog,
  createdTwice,
  isOfLease,
  isWrite,
  leadersOf,
  writesOutOfTerm,
} from '../harness/kubernetes/audit.ts';
import { type ControlPlane, type PlaneUser, startControlPlane } from '../harness/kubernetes/control-plane.ts';
import {
  endAll,
  isLeading,
  keysIn,
  makePools,
  objectsIn,
  objectsOf,
  operatorAs,
  operatorUser,
  poolIdsOf,
  poolsWhen,
  SHORT_LEASE,
  untilLeading,
} from '../harness/kubernetes/fleet.ts';
import { type NodePlayer, startNodePlayer } from '../harness/kubernetes/node-player.ts';
import type { OperatorProcess } from '../harness/kubernetes/operator-process.ts';
import { missingControlPlane } from '../harness/kubernetes/tools.ts';
import { waitFor } from '../harness/wait.ts';

/** Of one host each: it is the objects that count, and every Pod costs the machine. */
const POOLS_AT_ONCE = 20;
const SPEC = { replicas: 1 };
/** Nobody takes over from one who is silent for less: a takeover that comes sooner was given. */
const LONG_LEASE = ['--lease-duration-seconds=120', '--lease-renew-deadline-seconds=100'];

/** Each has users and a Lease of its own: the history of one is not the next one's. */
const TESTS = ['kill', 'term', 'stop'];
const leaseOf = (user: string): string => `lease-${user.split('-')[0]}`;

describe('two operators, one of which leads', { skip: missingControlPlane({ controllers: true }) }, () => {
  const users: PlaneUser[] = [];
  const running: OperatorProcess[] = [];
  let audit: AuditLog;
  let plane: ControlPlane;
  let player: NodePlayer;

  before(async () => {
    const names = TESTS.flatMap((test) => [`${test}-a`, `${test}-b`]);
    audit = auditLog(names);
    plane = await startControlPlane({
      controllers: true,
      crds: ['KmsHostPool', 'DNSEndpoint'],
      apiServerFlags: audit.flags,
    });
    player = await startNodePlayer({ client: plane.client(), strategy: () => ({ kind: 'stub' }) });
    for (const name of names) users.push(await operatorUser(plane, name, leaseOf(name)));
  });
  afterEach(() => Promise.all(running.splice(0).map((operator) => operator.kill())));
  after(() =>
    endAll(
      () => player?.stop(),
      () => plane?.stop(),
      () => audit?.remove(),
    ),
  );

  /** The first one leads when this resolves, and the other one stands by. */
  async function startTwo(test: string, ...flags: string[]): Promise<[OperatorProcess, OperatorProcess]> {
    const [a, b] = users.filter(({ name }) => name.startsWith(`${test}-`));
    assert.ok(a !== undefined && b !== undefined);
    const all = [...flags, `--lease-name=${leaseOf(test)}`];
    const leader = await operatorAs(a, ...all);
    running.push(leader);
    await untilLeading(leader);
    const standby = await operatorAs(b, ...all);
    running.push(standby);
    return [leader, standby];
  }

  const entriesOf = (test: string) => audit.entries().filter(({ user }) => user.startsWith(`${test}-`));

  /** Resolves when some pools were begun and not all are done, with the Secrets that are there then. */
  async function midway(namespace: string): Promise<Record<string, string>> {
    const isMidway = async (): Promise<boolean> =>
      (await plane.client().list(SECRETS, { namespace })).items.length >= 5 || delay(50, false);
    await waitFor('the first keys', isMidway, 30_000);
    const keys = await keysIn(plane.client(), namespace);
    assert.ok(Object.keys(keys).length < 2 * POOLS_AT_ONCE, 'work is left');
    return keys;
  }

  async function assertWhole(namespace: string, names: readonly string[], early: Record<string, string>) {
    const pools = await poolsWhen(plane.client(), namespace, { count: names.length });
    assert.deepEqual(await objectsIn(plane.client(), namespace), objectsOf(names, SPEC.replicas));
    const keys = await keysIn(plane.client(), namespace);
    assert.deepEqual(Object.fromEntries(Object.keys(early).map((name) => [name, keys[name]])), early);
    return pools;
  }

  test('killed while 20 pools are made: the other one finishes, and everything is made exactly once', async () => {
    const [leader, standby] = await startTwo('kill', ...SHORT_LEASE);
    const namespace = await plane.namespace('kill');
    const names = await makePools(plane.client(), { namespace, count: POOLS_AT_ONCE, spec: SPEC });
    const keys = await midway(namespace);
    const ids = poolIdsOf(await poolsWhen(plane.client(), namespace, { count: POOLS_AT_ONCE, like: () => true }));
    assert.equal(await isLeading(standby), false);
    await leader.kill();
    const pools = await assertWhole(namespace, names, keys);
    for (const [name, id] of Object.entries(ids)) if (id !== undefined) assert.equal(poolIdsOf(pools)[name], id);
    (await import('node:fs')).writeFileSync('/tmp/b/standby.log', standby.output());
    assert.equal(await isLeading(standby), true);
    const entries = entriesOf('kill');
    assert.deepEqual(leadersOf(entries), ['kill-a', 'kill-b']);
    assert.deepEqual(createdTwice(entries), []);
    assert.deepEqual(writesOutOfTerm(entries), []);
    assert.deepEqual(new Set(entries.filter(isWrite).map(({ user }) => user)), new Set(['kill-a', 'kill-b']));
  });

  test('the one that stands by is ready; SIGTERM gives the lease away, and the other one leads long before it would expire', async (t) => {
    const [leader, standby] = await startTwo('term', ...LONG_LEASE);
    assert.deepEqual([await isLeading(leader), await isLeading(standby)], [true, false]);
    assert.equal((await standby.http('/readyz')).status, 200);
    const namespace = await plane.namespace('term');
    const names = await makePools(plane.client(), { namespace, count: POOLS_AT_ONCE, spec: SPEC });
    const keys = await midway(namespace);
    const stoppedMs = performance.now();
    assert.equal(await leader.stop(), 0, leader.output().slice(-2_000));
    const endedMs = performance.now();
    await untilLeading(standby);
    const tookMs = [endedMs - stoppedMs, performance.now() - endedMs].map(Math.round);
    t.diagnostic(`stop ${tookMs[0]} ms, then takeover ${tookMs[1]} ms`);
    await assertWhole(namespace, names, keys);
    const entries = entriesOf('term');
    assert.deepEqual(createdTwice(entries), []);
    assert.deepEqual(writesOutOfTerm(entries), []);
  });

  test('stopped (SIGSTOP) past its lease with work in hand, it starts no write after it wakes, and ends with a failure', async () => {
    const [leader, standby] = await startTwo('stop', ...SHORT_LEASE);
    const namespace = await plane.namespace('stop');
    const names = await makePools(plane.client(), { namespace, count: POOLS_AT_ONCE, spec: SPEC });
    const keys = await midway(namespace);
    leader.freeze();
    await untilLeading(standby);
    await assertWhole(namespace, names, keys);
    const wokenMs = Date.now();
    leader.thaw();
    assert.equal(await leader.ended, 1);
    const entries = entriesOf('stop');
    const late = entries.filter((entry) => entry.user === 'stop-a' && entry.receivedMs >= wokenMs && isWrite(entry));
    assert.deepEqual(late, []);
    assert.ok(entries.some((entry) => entry.user === 'stop-a' && isWrite(entry) && !isOfLease(entry)));
    assert.deepEqual(leadersOf(entries), ['stop-a', 'stop-b']);
    assert.deepEqual(createdTwice(entries), []);
    assert.deepEqual(writesOutOfTerm(entries), []);
    assert.match(leader.output(), /the lease was lost/);
    // The world has not changed by it.
    await assertWhole(namespace, names, keys);
  });
});
