// SPDX-License-Identifier: Apache-2.0

// The operator tells a store that cannot be used from one that is away by the words of the hosts. Both sides of that agreement, without a process.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lossReason } from '../../kms-node/store/loss.ts';
import { finalError, judgeServer, type ServerFacts } from '../../kms-node/store/redis-checks.ts';
import { isUnsuitable } from '../../operator/pool/status/store.ts';

const GOOD: ServerFacts = { info: 'redis_version:7.2.0\r\n', role: 'master', replicaIsFinal: true };

const UNUSABLE: readonly Partial<ServerFacts>[] = [
  { info: 'redis_version:6.0.9\r\n' },
  { info: 'valkey_version:7.0.0\r\nserver_name:valkey\r\n' },
  { role: 'slave' },
  { role: 'sentinel' },
  { info: 'redis_version:7.2.0\r\nmaxmemory_policy:allkeys-lru\r\n' },
];

const FINAL: readonly string[] = [
  'WRONGPASS invalid username-password pair or user is disabled.',
  'ERR invalid password',
  'NOAUTH Authentication required.',
  "NOPERM this user has no permissions to run the 'evalsha' command",
  'WRONGTYPE Operation against a key holding the wrong kind of value',
  'KMSPOOLSCHEMA the keys have schema 9',
];

const POLICY = { onLoss: 'LastKnown', maxStaleSeconds: 60 } as const;
const STATE = { live: false, copied: true, staleMs: 0, journalFull: false, closed: false };

/** The reason as a host shows it in its status, in each of the states that it may be in. */
function shown(cause: string): string[] {
  const states = [STATE, { ...STATE, copied: false }, { ...STATE, journalFull: true }, { ...STATE, staleMs: 99_000 }];
  return [cause, ...states.map((state) => lossReason(POLICY, state, cause))];
}

test('whatever a host calls unusable is StoreUnsuitable to the operator', () => {
  const reasons = UNUSABLE.map((facts) => {
    const verdict = judgeServer({ ...GOOD, ...facts });
    assert.ok(verdict.kind === 'unusable', JSON.stringify(facts));
    return verdict.reason;
  });
  const finals = FINAL.map((error) => finalError(error) ?? assert.fail(error));
  for (const reason of [...reasons, ...finals].flatMap(shown)) assert.ok(isUnsuitable(reason), reason);
});

test('what another attempt may cure is not', () => {
  const failover = judgeServer({ ...GOOD, role: 'slave', replicaIsFinal: false });
  const loading = judgeServer({ ...GOOD, info: 'redis_version:7.2.0\r\nloading:1\r\n' });
  assert.ok(failover.kind === 'notNow' && loading.kind === 'notNow');
  const errors = ['connect ECONNREFUSED 127.0.0.1:6379', 'Command timed out', 'the connection to Redis was closed'];
  for (const reason of [failover.reason, loading.reason, ...errors].flatMap(shown))
    assert.ok(!isUnsuitable(reason), reason);
});
