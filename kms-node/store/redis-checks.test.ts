// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { finalError, judgeServer, type Verdict } from './redis-checks.ts';

function judge(info: string, role = 'master', replicaIsFinal = true): Verdict {
  return judgeServer({ info: `# Server\r\n${info}`, role, replicaIsFinal });
}

test('Redis from 6.2 and Valkey from 7.2 on are fit', () => {
  for (const [info, server] of [
    ['redis_version:6.2.0\r\nmaxmemory_policy:noeviction\r\n', 'redis 6.2.0'],
    ['redis_version:7.0.15\r\nmaxmemory_policy:volatile-ttl\r\n', 'redis 7.0.15'],
    ['redis_version:10.1.0\r\n', 'redis 10.1.0'],
    ['redis_version:7.2.4\r\nserver_name:valkey\r\nvalkey_version:8.1.3\r\n', 'valkey 8.1.3'],
    ['server_name:valkey\r\nredis_version:7.2.4\r\n', 'valkey 7.2.4'],
  ] as const) {
    assert.deepEqual(judge(info), { kind: 'fit', server });
  }
});

test('older versions are refused, and a server that tells none', () => {
  for (const info of [
    'redis_version:6.0.16',
    'redis_version:5.0.7',
    'redis_version:7.2.4\r\nvalkey_version:7.0.0',
    '',
  ]) {
    const verdict = judge(info);
    assert.equal(verdict.kind, 'unusable');
    assert.match(verdict.reason, /too old: use Redis 6\.2 or later, or Valkey 7\.2 or later$/);
  }
});

test('every allkeys policy is refused, for it may evict CMIDs', () => {
  for (const policy of ['allkeys-lru', 'allkeys-lfu', 'allkeys-random']) {
    const verdict = judge(`redis_version:7.0.15\r\nmaxmemory_policy:${policy}\r\n`);
    assert.equal(verdict.kind, 'unusable');
    assert.match(verdict.reason, new RegExp(`${policy} may evict`));
  }
});

test('a replica is a mistake under a URL, and waited for behind Sentinel', () => {
  assert.equal(judge('redis_version:7.0.15', 'slave').kind, 'unusable');
  assert.equal(judge('redis_version:7.0.15', 'slave', false).kind, 'notNow');
});

test('a server that is loading is waited for', () => {
  assert.equal(judge('redis_version:7.0.15\r\nloading:1').kind, 'notNow');
});

test('errors that no retry cures have a remedy, all others none', () => {
  assert.match(
    finalError('WRONGPASS invalid username-password pair or user is disabled.') ?? '',
    /check username and password/,
  );
  assert.match(finalError('NOAUTH Authentication required.') ?? '', /give one/);
  assert.match(finalError("NOPERM this user has no permissions to run the 'evalsha' command") ?? '', /docs\/redis\.md/);
  assert.match(
    finalError("ERR The user executing the script can't run this command or subcommand script: 1") ?? '',
    /docs\/redis\.md/,
  );
  assert.match(finalError('WRONGTYPE Operation against a key holding the wrong kind of value') ?? '', /something else/);
  assert.match(
    finalError('KMSPOOLSCHEMA the keys of this pool were written in schema 2') ?? '',
    /^the keys of this pool were written in schema 2, which/,
  );
  for (const message of [
    'connect ECONNREFUSED 127.0.0.1:6379',
    'Command timed out',
    "OOM command not allowed when used memory > 'maxmemory'.",
    'READONLY x',
  ]) {
    assert.equal(finalError(message), undefined);
  }
});
