// SPDX-License-Identifier: Apache-2.0
//
// Key derivation against RFC 5869 written out by hand and against vectors computed elsewhere; the pool's identity; the licence boundary of
// docs/protocol.md §3.2 and §3.4.

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { secretOf } from './fixtures.ts';
import { derivePoolKeys, emulatedHostPid, MIN_SECRET_BYTES, type PoolKeys, poolIdText } from './index.ts';

/** HKDF-SHA-256 (RFC 5869): extract, then expand block by block. */
function hkdf(secret: Buffer, salt: Buffer, info: Buffer, length: number): Buffer {
  const hmac = (key: Buffer, ...parts: Buffer[]): Buffer =>
    createHmac('sha256', key).update(Buffer.concat(parts)).digest();
  const prk = hmac(salt.length > 0 ? salt : Buffer.alloc(32), secret);
  let block: Buffer = Buffer.alloc(0);
  let output: Buffer = Buffer.alloc(0);
  for (let n = 1; output.length < length; n++) {
    block = hmac(prk, block, info, Buffer.from([n]));
    output = Buffer.concat([output, block]);
  }
  return output.subarray(0, length);
}

const LABELS: readonly [keyof PoolKeys, label: string, bytes: number][] = [
  ['v4Mac', 'v4-mac', 32],
  ['v5Enc', 'v5-enc', 16],
  ['v6Enc', 'v6-enc', 16],
  ['requestIv', 'req-iv', 32],
  ['blockB', 'block-b', 32],
  ['v6Mac', 'v6-mac', 32],
  ['hardwareId', 'hwid', 8],
];

// Of the Secret `secretOf('one')`, computed with Python's hmac and hashlib.
const VECTORS: Record<keyof PoolKeys, string> = {
  poolId: '2da1d5d9609b6e7314326b2501111855',
  v4Mac: '47ebba1dca3235ea07615b4e861a7eacaf3320f3e55ca5eb4de8b10d16dea1cf',
  v5Enc: 'ee4e4ece63bb5f320ec0e61629c9051f',
  v6Enc: 'd1f401ffc930c1e81ca50e27631ad8fa',
  requestIv: 'b6e76a4e1eeafec76eb678a93fb70ca44b6b28bb5128bdab2b486205e6dec476',
  blockB: '395f554761c75c3a622cab6367653c6b167bc05faab26ae7b630e836e8cb6930',
  v6Mac: '746720e703fc5046c54127b1a54614cd4781ca84b29c4465e2a4037daf5a9c08',
  hardwareId: 'feca3f3b34571e90',
};

const secrets = fc.uint8Array({ minLength: MIN_SECRET_BYTES, maxLength: 100 }).map((bytes) => Buffer.from(bytes));

describe('pool keys', () => {
  test('are the known vectors', () => {
    const keys = derivePoolKeys(secretOf('one'));
    const hex = Object.fromEntries(Object.entries(keys).map(([name, bytes]) => [name, bytes.toString('hex')]));
    assert.deepEqual(hex, VECTORS);
  });

  test('are HKDF-SHA-256 of the Secret with the pool ID as salt and kms-emu/1/<label> as info', () => {
    fc.assert(
      fc.property(secrets, (secret) => {
        const keys = derivePoolKeys(secret);
        const poolId = hkdf(secret, Buffer.alloc(0), Buffer.from('kms-emu/1/pool-id'), 16);
        assert.deepEqual(keys.poolId, poolId);
        for (const [name, label, bytes] of LABELS) {
          assert.deepEqual(keys[name], hkdf(secret, poolId, Buffer.from(`kms-emu/1/${label}`), bytes), label);
        }
      }),
      { numRuns: 50 },
    );
  });

  test('the HKDF of this test is the one of RFC 5869, appendix A.1', () => {
    const salt = Buffer.from([...Array(13).keys()]);
    const info = Buffer.from('f0f1f2f3f4f5f6f7f8f9', 'hex');
    assert.equal(
      hkdf(Buffer.alloc(22, 0x0b), salt, info, 42).toString('hex'),
      '3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865',
    );
  });

  test('a Secret shorter than 32 bytes is refused', () => {
    assert.throws(
      () => derivePoolKeys(Buffer.alloc(31, 1)),
      /^RangeError: the pool key has 31 bytes; it needs at least 32/,
    );
    assert.ok(derivePoolKeys(Buffer.alloc(32, 1)));
  });
});

describe('the host PID', () => {
  test('is 48 characters, the same on every host of a pool, and never shaped like a genuine one', () => {
    fc.assert(
      fc.property(secrets, (secret) => {
        const pid = emulatedHostPid(derivePoolKeys(secret).poolId);
        assert.equal(pid.length, 48);
        assert.match(pid, /^EMULATED-KMS-NOT-GENUINE-POOL-[0-9a-f]{8}-000000000$/);
        assert.doesNotMatch(pid, /^\d{5}-\d{5}-\d{3}-/);
        assert.equal(emulatedHostPid(derivePoolKeys(Buffer.from(secret)).poolId), pid);
      }),
    );
    assert.equal(
      emulatedHostPid(derivePoolKeys(secretOf('one')).poolId),
      'EMULATED-KMS-NOT-GENUINE-POOL-cfc1c801-000000000',
    );
  });

  test('two pools have two identities', () => {
    const [one, two] = ['one', 'two'].map((name) => derivePoolKeys(secretOf(name)));
    assert.ok(one && two);
    assert.notEqual(emulatedHostPid(one.poolId), emulatedHostPid(two.poolId));
    assert.equal(poolIdText(one.poolId), '2da1d5d9-609b-6e73-1432-6b2501111855');
  });
});
