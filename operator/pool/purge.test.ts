// SPDX-License-Identifier: Apache-2.0
//
// What is read from Secrets, and what is refused before anything is asked. The purge itself is tested on real servers, in test/integration.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Secret } from './kinds.ts';
import { credentialsOf, PurgeError, purgePool, slotOf, tlsOf } from './purge.ts';

function secret(data: Record<string, string>): Secret {
  const base64 = Object.entries(data).map(([name, text]) => [name, Buffer.from(text).toString('base64')]);
  return { metadata: { name: 'redis' }, data: Object.fromEntries(base64) };
}

const url = 'redis://127.0.0.1:1';

test('credentials are what the Secret holds, without the line break that editors leave', () => {
  assert.deepEqual(credentialsOf(secret({ password: 'a b \n', other: 'x' })), { password: 'a b ' });
  const all = { username: 'kmspool', password: 'p', sentinelUsername: 's', sentinelPassword: 'q' };
  assert.deepEqual(credentialsOf(secret(all)), all);
  assert.deepEqual(credentialsOf({ metadata: { name: 'empty' } }), {});
});

test('TLS is spoken as the spec says, with the certificates of the Secrets', () => {
  assert.equal(tlsOf({ redis: { url } }), undefined);
  assert.deepEqual(tlsOf({ redis: { url, tls: { insecureSkipVerify: false } } }), {});
  const tls = { serverName: 'redis.kms.svc', insecureSkipVerify: true };
  const authorities = secret({ 'ca.crt': 'CA' });
  const certificate = secret({ 'tls.crt': 'CERT', 'tls.key': 'KEY' });
  assert.deepEqual(tlsOf({ redis: { url, tls }, authorities, certificate }), {
    ca: 'CA',
    cert: 'CERT',
    key: 'KEY',
    serverName: 'redis.kms.svc',
    insecureSkipVerify: true,
  });
});

test('the slot of a hash tag is that of the Redis Cluster specification', () => {
  // Its test vector: CRC16 of "123456789" is 0x31C3.
  assert.equal(slotOf('123456789'), 0x31c3);
  assert.equal(slotOf('foo'), 12_182);
});

test('an identity that could be a pattern or no identity at all is refused', async () => {
  const { signal } = new AbortController();
  for (const poolId of ['', '*', '6f1c2d3e-0000-4000-8000-00000000000?', '6F1C2D3E-0000-4000-8000-000000000000'])
    await assert.rejects(purgePool({ redis: { url }, poolId, signal }), (error) => {
      assert.ok(error instanceof PurgeError);
      assert.match(error.message, /^the pool has no identity that names keys in Redis: "/);
      return true;
    });
});
