// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeRequestBase } from '@kmspool/kms/wire';
import fc from 'fast-check';
import { MAX_RECORD_BYTES, packContact, RECORD_KIND, RECORD_OFFSET, unpackContact } from './contact-record.ts';
import type { Contact } from './store.ts';

function contactOf(bytes: Uint8Array, address = '10.0.0.1', hresult = 0): Contact {
  return { application: 2, protocol: 6, request: decodeRequestBase(Buffer.from(bytes)), hresult, address };
}

const anyRequest = fc.uint8Array({ minLength: 236, maxLength: 236 });
const anyAddress = fc.constantFrom('10.0.0.1', '2001:db8:ffff:ffff:ffff:ffff:ffff:ffff', 'fe80::1%eth0', '');

test('any 236 bytes that decrypted can be packed and read back', () => {
  fc.assert(
    fc.property(anyRequest, anyAddress, fc.nat(0xffff_ffff), (bytes, address, hresult) => {
      const contact = contactOf(bytes, address, hresult);
      const target = Buffer.alloc(MAX_RECORD_BYTES + 7, 0xcc);
      const length = packContact(target, 7, contact, { sequence: 2 ** 33, atMs: 1_700_000_000_123 });
      assert.ok(length <= MAX_RECORD_BYTES);
      assert.equal(target.readUInt16LE(7), length);
      assert.equal(target.readDoubleLE(7 + RECORD_OFFSET.sequence), 2 ** 33);
      assert.equal(target.readUInt8(7 + RECORD_OFFSET.kind), hresult === 0 ? RECORD_KIND.counted : RECORD_KIND.refused);
      const record = unpackContact(target, 7);
      assert.ok(record);
      assert.equal(record.atMs, 1_700_000_000_123);
      assert.equal(record.address, address);
      assert.equal(record.hresult, hresult);
      assert.equal(record.requiredClientCount, contact.request.requiredClientCount);
      assert.equal(record.minutesToExpiry, contact.request.minutesToExpiry);
      assert.ok(record.licenseStatus <= 7 && record.isClientVm <= 2);
    }),
  );
});

test('a name of 64 units, each three bytes of UTF-8, fits', () => {
  const bytes = Buffer.alloc(236);
  for (let unit = 0; unit < 64; unit += 1) bytes.writeUInt16LE(0xffee, 108 + 2 * unit);
  const target = Buffer.alloc(MAX_RECORD_BYTES);
  packContact(target, 0, contactOf(bytes, 'x'.repeat(45)), { sequence: 1, atMs: 1 });
  assert.equal(unpackContact(target)?.workstationName, '\uffee'.repeat(64));
});

test('foreign values give undefined or a record, never an error', () => {
  assert.equal(unpackContact(Buffer.alloc(0)), undefined);
  assert.equal(unpackContact(Buffer.alloc(101)), undefined);
  fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => void unpackContact(Buffer.from(bytes))));
});
