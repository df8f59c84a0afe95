// SPDX-License-Identifier: Apache-2.0
/**
 * The operator interrupted in the middle of much work: stopped in order and started anew, and held up by an etcd that stands still every other moment.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { SECRETS } from '../../operator/pool/kinds.ts';
import { type AuditLog, auditLog, createdTwice, termsOf, writesOutOfTerm } from '../harness/kubernetes/audit.ts';
import { type ControlPlane, type PlaneUser, startControlPlane } from '../harness/kubernetes/control-plane.ts';
import {
  endAll,
  keysIn,
  makePools,
  objectsIn,
  objectsOf,
  operatorAs,
  operatorUser,
  poolsWhen,
  SHORT_LEASE,
} from '../harness/kubernetes/fleet.ts';
import { type NodePlayer, startNodePlayer } from '../harness/kubernetes/node-player.ts';
import { type OperatorProcess, startOperator } from '../harness/kubernetes/operator-process.ts';
import { missingControlPlane } from '../harness/kubernetes/tools.ts';
import { waitFor } from '../harness/wait.ts';

const ONE_HOST = { replicas: 1 };

interface Supervised {
  /** Those that ended before they were told to. */
  readonly ended: readonly OperatorProcess[];
  stop(): Promise<void>;
}

describe('an operator that is interrupted', { skip: missingControlPlane({ controllers: true }) }, () => {
  let audit: AuditLog;
  let plane: ControlPlane;
  let player: NodePlayer;

  before(async () => {
    audit = auditLog(['stopped', 'slow-a', 'slow-b']);
    plane = await startControlPlane({
      controllers: true,
      crds: ['KmsHostPool', 'DNSEndpoint'],
      apiServerFlags: audit.flags,
    });
    player = await startNodePlayer({ client: plane.client(), strategy: () => ({ kind: 'stub' }) });
  });
  after(() =>
    endAll(
      () => plane?.resumeEtcd(),
      () => player?.stop(),
      () => plane?.stop(),
      () => audit?.remove(),
    ),
  );

  const keysMade = async (namespace: string): Promise<number> => {
    await delay(50);
    return (await plane.client().list(SECRETS, { namespace })).items.length;
  };

  test('SIGTERM while 50 pools are made: it ends with 0 within ten seconds, and the next start finishes', async (t) => {
    const user = await operatorUser(plane, 'stopped', 'stopped');
    const first = await operatorAs(user, '--lease-name=stopped');
    t.after(() => first.kill());
    const namespace = await plane.namespace('stopped');
    const names = await makePools(plane.client(), { namespace, count: 50, spec: ONE_HOST });
    await waitFor('the first keys', async () => (await keysMade(namespace)) >= 5, 30_000);
    const stopping = first.stop();
    assert.equal(await Promise.race([stopping, delay(10_000, 'still there')]), 0);
    const keys = await keysIn(plane.client(), namespace);
    assert.ok(Object.keys(keys).length < 100, 'work is left');
    assert.deepEqual(
      first.log().filter(({ level = 0 }) => level >= 50),
      [],
    );

    const second = await operatorAs(user, '--lease-name=stopped');
    t.after(() => second.kill());
    await poolsWhen(plane.client(), namespace, { count: 50, timeoutMs: 120_000 });
    assert.deepEqual(await objectsIn(plane.client(), namespace), objectsOf(names, 1));
    const now = await keysIn(plane.client(), namespace);
    for (const [name, key] of Object.entries(keys)) assert.equal(now[name], key);
    assert.deepEqual(createdTwice(audit.entries('stopped')), []);
    assert.deepEqual(writesOutOfTerm(audit.entries('stopped')), []);
  });

  /** Starts an operator anew whenever it has ended, as a kubelet does, until told to stop. */
  function supervise({ name, kubeconfig }: PlaneUser): Supervised {
    const ended: OperatorProcess[] = [];
    const own = ['--lease-name=slow', '--lease-namespace=default', `--instance=${name}`, '--host-access=Direct'];
    const args = [...own, ...SHORT_LEASE];
    let stopped = false;
    let current: OperatorProcess | undefined;
    const running = (async () => {
      while (!stopped) {
        current = await startOperator({ kubeconfig, args, awaitReady: false });
        if (stopped) await current.kill();
        await current.ended;
        if (!stopped) ended.push(current);
      }
    })();
    return {
      ended,
      stop: async () => {
        stopped = true;
        await current?.stop();
        await running;
      },
    };
  }

  test('etcd stands still every other moment while 12 pools are made by one of two: nobody crashes, nobody writes out of turn, and all is there once', async (t) => {
    const users = [await operatorUser(plane, 'slow-a', 'slow'), await operatorUser(plane, 'slow-b', 'slow')];
    const supervised = users.map(supervise);
    t.after(() => Promise.all(supervised.map((one) => one.stop())));
    const namespace = await plane.namespace('slow');
    const names: string[] = [];
    // Two outlast a lease.
    for (const [pulse, standsMs] of [500, 700, 4_500, 700, 4_500, 700].entries()) {
      const made = makePools(plane.client(), { namespace, count: 2, prefix: `pulse-${pulse}`, spec: ONE_HOST });
      names.push(...(await made));
      await delay(300);
      plane.pauseEtcd();
      await delay(standsMs);
      plane.resumeEtcd();
      await delay(500);
    }
    await poolsWhen(plane.client(), namespace, { count: names.length, timeoutMs: 180_000 });
    assert.deepEqual(await objectsIn(plane.client(), namespace), objectsOf(names, 1));
    const entries = audit.entries().filter(({ user }) => user.startsWith('slow-'));
    assert.deepEqual(createdTwice(entries), []);
    assert.deepEqual(writesOutOfTerm(entries), []);
    for (const operator of supervised.flatMap(({ ended }) => ended)) {
      assert.equal(await operator.ended, 1);
      assert.match(operator.output(), /the lease was lost/);
    }
    assert.ok(termsOf(entries).length > 1, 'it was long enough to lose the lease');
  });
});
