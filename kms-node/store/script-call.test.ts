// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { CALL_FLAG, decodeReply, encodeHeader } from './script-call.ts';

const settings = { maxRequiredCount: 25, retention: { clients: 1000, events: 2000 } };

test('the header has its fields at the places that the script reads', () => {
  const header = encodeHeader({
    incarnation: Buffer.alloc(16, 0xab),
    flags: CALL_FLAG.replay | CALL_FLAG.sync,
    previous: 2 ** 40 + 1,
    settings,
    copyVersion: -1,
  });
  assert.equal(header.length, 45);
  assert.equal(header.toString('hex', 0, 16), 'ab'.repeat(16));
  assert.equal(header.readUInt8(16), 5);
  assert.equal(header.readDoubleLE(17), 2 ** 40 + 1);
  assert.deepEqual(
    [25, 29, 33].map((at) => header.readUInt32LE(at)),
    [25, 1000, 2000],
  );
  assert.equal(header.readDoubleLE(37), -1);
});

function head(gap: number): Buffer {
  const bytes = Buffer.alloc(25);
  bytes.writeUInt8(gap, 0);
  [1_700_000_000_000, 77, 5].forEach((value, index) => {
    bytes.writeDoubleLE(value, 1 + 8 * index);
  });
  return bytes;
}

function doubles(...values: number[]): Buffer {
  const bytes = Buffer.alloc(8 * values.length);
  for (const [index, value] of values.entries()) bytes.writeDoubleLE(value, 8 * index);
  return bytes;
}

test('an answer to contacts gives a count for each', () => {
  const reply = decodeReply(Buffer.concat([head(0), Buffer.from([1, 0, 0, 0, 0xd0, 7])]), { contacts: 3, sync: false });
  assert.ok(reply);
  assert.equal(reply.gap, false);
  assert.deepEqual([reply.nowMs, reply.highest, reply.version], [1_700_000_000_000, 77, 5]);
  assert.deepEqual(
    [0, 1, 2].map((index) => reply.countOf(index)),
    [1, 0, 2000],
  );
});

test('a gap gives no counts', () => {
  const reply = decodeReply(head(1), { contacts: 3, sync: false });
  assert.equal(reply?.gap, true);
  assert.equal(reply.highest, 77);
});

test('a sync gives totals, and tables when they follow', () => {
  const numbers = doubles(10, 1, 0, 1, 2, 3, 4, 0, 0, 0, 42, 3);
  const without = decodeReply(Buffer.concat([head(0), numbers, Buffer.from([0])]), { contacts: 0, sync: true });
  assert.deepEqual(without?.sync, {
    totals: { total: 10, failed: 1, byLicenseStatus: [0, 1, 2, 3, 4, 0, 0, 0] },
    clients: 42,
    duplicates: 3,
  });
  const table = Buffer.concat([Buffer.from([25, 0, 0, 0, 1, 0]), Buffer.alloc(16, 0x0f), doubles(123)]);
  const empty = Buffer.from([0, 0, 0, 0, 0, 0]);
  const reply = decodeReply(Buffer.concat([head(0), numbers, Buffer.from([1]), table, empty]), {
    contacts: 0,
    sync: true,
  });
  assert.deepEqual(reply?.sync?.tables, [
    { highWater: 25, entries: new Map([['0f'.repeat(16), 123]]) },
    { highWater: 0, entries: new Map() },
  ]);
});

test('bytes that are no answer give undefined, whatever they are', () => {
  assert.equal(decodeReply(Buffer.alloc(0), { contacts: 0, sync: false }), undefined);
  assert.equal(decodeReply(head(0), { contacts: 1, sync: false }), undefined);
  assert.equal(decodeReply(head(0), { contacts: 0, sync: true }), undefined);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(20), fc.boolean(), (bytes, contacts, sync) => {
      const reply = decodeReply(Buffer.from(bytes), { contacts, sync });
      if (reply !== undefined && !reply.gap && contacts > 0) reply.countOf(contacts - 1);
    }),
  );
});
