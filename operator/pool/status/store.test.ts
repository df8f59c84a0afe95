// SPDX-License-Identifier: Apache-2.0

// StoreAvailable: what the hosts say, the unready ones too, and what is said when nobody could be asked.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KmsHostPoolStatus } from '@kmspool/crds';
import type { HostObjects } from '../world.ts';
import { hostOf, inputOf, messageOf, NOW, objectsOf, podOf, reportOf, word } from './status.fake.ts';
import { buildStatus, statusRequeueAfterMs } from './status.ts';
import { STARTING_GRACE_MS } from './store.ts';

const reached = objectsOf(0);
const away = (
  n: number,
  storeState: 'LastKnown' | 'Refusing' | 'Starting',
  storeError = 'connect ECONNREFUSED 10.0.0.9:6379',
) => objectsOf(n, { report: reportOf(n, { storeState, storeError }) });

function statusOf(hosts: readonly HostObjects[], before?: KmsHostPoolStatus): KmsHostPoolStatus {
  return buildStatus(inputOf({ world: { hosts }, status: before }));
}
const storeOf = (status: KmsHostPoolStatus): string => word(status, 'StoreAvailable');

test('reached by all, by some, by none', () => {
  assert.equal(storeOf(statusOf([reached, objectsOf(1)])), 'True StoreReachable');
  const some = statusOf([reached, away(1, 'LastKnown')]);
  assert.equal(storeOf(some), 'False StorePartlyLost');
  assert.equal(
    messageOf(some, 'StoreAvailable'),
    'campus-1 does not reach Redis at redis://redis:6379; clients are answered from the last known table, for at most 3600 s. campus-1: connect ECONNREFUSED 10.0.0.9:6379. Check the network between them.',
  );
  const none = statusOf([away(0, 'LastKnown'), away(1, 'Refusing')]);
  assert.equal(storeOf(none), 'False StoreLost');
  assert.match(
    messageOf(none, 'StoreAvailable'),
    /^No host \(campus-0 and campus-1\) reaches Redis .* but not by campus-1\./,
  );
  assert.match(
    messageOf(statusOf([away(0, 'Refusing'), away(1, 'Refusing')]), 'StoreAvailable'),
    /turned away and try the next host/,
  );
});

test('Sentinels and clusters are named in the message', () => {
  const world = { hosts: [away(0, 'LastKnown'), away(1, 'LastKnown')] };
  const sentinel = { name: 'kms', addresses: ['s1:26379', 's2:26379'] };
  const message = (redis: object): string =>
    messageOf(buildStatus(inputOf({ world, spec: { store: { redis } } })), 'StoreAvailable');
  assert.match(message({ sentinel }), /Redis \(Sentinel kms at s1:26379 and s2:26379\)/);
  assert.match(message({ cluster: { addresses: ['c1:6379'] } }), /Redis \(cluster at c1:6379\)/);
});

test('hosts that are not ready are heard, those that are to go are not', () => {
  const hosts = [hostOf(0), hostOf(1, { ready: false, storeLost: true }), hostOf(2, { wanted: false })];
  const world = { hosts: [reached, away(1, 'Refusing'), away(2, 'Refusing')] };
  const status = buildStatus(inputOf({ world, conclusions: { hosts } }));
  assert.match(messageOf(status, 'StoreAvailable'), /^campus-1 does not reach/);
});

test('a Redis that cannot be used is told in the words of the host, running or ended', () => {
  const words =
    'answering from the last known table: maxmemory-policy allkeys-lru may evict client machine IDs: set it to noeviction (or volatile-*)';
  const running = statusOf([away(0, 'LastKnown', words), objectsOf(1)]);
  assert.equal(storeOf(running), 'False StoreUnsuitable');
  assert.match(messageOf(running, 'StoreAvailable'), /cannot be used, say campus-0: .*set it to noeviction/);
  const message = 'starting\nRedis asks for a password: give one in the credentials\n';
  const ended = podOf(0, {
    status: {
      podIP: '10.0.0.1',
      containerStatuses: [{ name: 'host', lastState: { terminated: { exitCode: 2, message } } }],
    },
  });
  const hosts = [hostOf(0, { ready: false }), hostOf(1, { ready: false })];
  const world = {
    hosts: [objectsOf(0, { pods: [ended], report: undefined }), objectsOf(1, { pods: [], report: undefined })],
  };
  const crashed = buildStatus(inputOf({ world, conclusions: { hosts } }));
  assert.equal(storeOf(crashed), 'False StoreUnsuitable');
  assert.match(messageOf(crashed, 'StoreAvailable'), /: Redis asks for a password: give one in the credentials\. See/);
  // What a Pod said before its last start is no news once it answers.
  const well = { hosts: [objectsOf(0, { pods: [ended] }), objectsOf(1)] };
  assert.equal(storeOf(buildStatus(inputOf({ world: well }))), 'True StoreReachable');
});

test('a host that has just been started has no say yet, and is looked at again', () => {
  const pods = [podOf(1, { ageMs: 4000 })];
  const starting = objectsOf(1, { pods, report: reportOf(1, { storeState: 'Starting' }) });
  assert.equal(storeOf(statusOf([reached, starting])), 'True StoreReachable');
  assert.equal(statusRequeueAfterMs(inputOf({ world: { hosts: [reached, starting] } })), STARTING_GRACE_MS - 4000);
  assert.equal(storeOf(statusOf([reached, away(1, 'Starting')])), 'False StorePartlyLost');
  assert.equal(statusRequeueAfterMs(inputOf({ world: { hosts: [reached, away(1, 'Starting')] } })), undefined);
});

test('nobody could be asked: Unknown, but for the time after a start of the operator', () => {
  const before = statusOf([away(0, 'LastKnown'), away(1, 'LastKnown')]);
  const unasked = [0, 1].map((n) => objectsOf(n, { report: undefined }));
  assert.equal(storeOf(statusOf(unasked)), 'Unknown StoreUnknown');
  assert.deepEqual(
    statusOf(unasked, before).conditions?.find(({ type }) => type === 'StoreAvailable'),
    before.conditions?.find(({ type }) => type === 'StoreAvailable'),
  );
  const silent = [0, 1].map((n) => objectsOf(n, { report: reportOf(n, 'timed out') }));
  assert.equal(storeOf(statusOf(silent, before)), 'Unknown StoreUnknown');
  assert.match(messageOf(statusOf(silent), 'StoreAvailable'), /campus-0 and campus-1 did not answer the operator/);
  const gone = [0, 1].map((n) => objectsOf(n, { pods: [], report: undefined }));
  assert.equal(storeOf(statusOf(gone, before)), 'Unknown StoreUnknown');
});

test('a report of a Pod that is no longer there says nothing', () => {
  const replaced = [0, 1].map((n) => objectsOf(n, { report: { ...reportOf(n, {}), podUid: 'gone' } }));
  assert.equal(storeOf(statusOf(replaced)), 'Unknown StoreUnknown');
});

test('a pool without a store has its count in memory, and that counts as available', () => {
  const { store: _, ...spec } = inputOf().world.pool.spec;
  const input = inputOf({ spec: { replicas: 1 } });
  const pool = { ...input.world.pool, spec: { ...spec, replicas: 1, store: undefined } };
  const status = buildStatus({ ...input, world: { ...input.world, pool }, nowMs: NOW });
  assert.equal(storeOf(status), 'True InMemory');
  assert.equal(word(status, 'Ready'), 'True AllHostsReady');
});

test('a host that still runs without the store that the spec now has does not speak for it', () => {
  const old = [0, 1].map((n) => objectsOf(n, { report: reportOf(n, { storeKind: 'memory' }) }));
  assert.equal(storeOf(statusOf(old)), 'Unknown StoreUnknown');
});
