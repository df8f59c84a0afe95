// SPDX-License-Identifier: Apache-2.0

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { poolLabels } from '@kmspool/crds';
import { derivePoolKeys, poolIdText } from '@kmspool/kms/wire';
import { adminSecretName, buildAdminSecret, buildKeySecret, keySecretName, SECRET_BYTES } from './secret.ts';
import { EVERYTHING, OWNER, poolOf } from './sources.fake.ts';

const bytes = Uint8Array.from({ length: SECRET_BYTES }, (_, index) => (index * 73 + 251) % 256);
const pool = poolOf();

test('the key Secret holds the bytes as they are, names the identity, cannot be changed, and outlives its pool', () => {
  assert.deepEqual(buildKeySecret({ pool, owner: OWNER, bytes }), {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name: 'campus-key',
      namespace: 'kms',
      labels: poolLabels('campus'),
      annotations: { 'kmspool.io/pool-id': poolIdText(derivePoolKeys(Buffer.from(bytes)).poolId) },
    },
    type: 'Opaque',
    immutable: true,
    data: { key: Buffer.from(bytes).toString('base64') },
  });
});

test('the admin Secret holds a token that a host accepts, and goes with its pool', () => {
  const { data, metadata, ...rest } = buildAdminSecret({ pool, owner: OWNER, bytes });
  assert.deepEqual(rest, { apiVersion: 'v1', kind: 'Secret', type: 'Opaque', immutable: true });
  assert.equal(metadata.name, 'campus-admin');
  assert.equal(metadata.ownerReferences?.[0]?.uid, OWNER.metadata.uid);
  const token = Buffer.from(data?.['token'] ?? '', 'base64').toString();
  assert.match(token, /^[\w-]{43}$/);
  assert.deepEqual(Buffer.from(token, 'base64url'), Buffer.from(bytes));
});

test('the spec may name the key Secret', () => {
  assert.deepEqual([keySecretName(pool), keySecretName(poolOf(EVERYTHING))], ['campus-key', 'the-key']);
  assert.equal(buildKeySecret({ pool: poolOf(EVERYTHING), owner: OWNER, bytes }).metadata.name, 'the-key');
  assert.equal(adminSecretName(pool), 'campus-admin');
});

test('nothing but the data tells of the random bytes', () => {
  for (const build of [buildKeySecret, buildAdminSecret]) {
    const { data: _, ...visible } = build({ pool, owner: OWNER, bytes });
    const text = JSON.stringify(visible);
    for (const form of ['hex', 'base64', 'base64url'] as const)
      assert.ok(!text.includes(Buffer.from(bytes).toString(form)));
    assert.ok(!('kmspool.io/applied-hash' in (visible.metadata.annotations ?? {})));
  }
});

test('too few or too many bytes make no Secret', () => {
  for (const length of [0, 31, 33])
    for (const build of [buildKeySecret, buildAdminSecret])
      assert.throws(() => build({ pool, owner: OWNER, bytes: new Uint8Array(length) }), RangeError);
});
