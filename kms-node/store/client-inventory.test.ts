// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ClientInventory, type ClientKey } from './client-inventory.ts';

/** A record of `length` bytes with `value` in it. */
function record(value: number, length: number): Buffer {
  const bytes = Buffer.alloc(length, value & 0xff);
  bytes.writeUInt32LE(value, 4);
  return bytes;
}

/** Clients of three applications. */
function clientOf(name: string): ClientKey {
  return { application: name.length % 3, cmid: name };
}

function values(inventory: ClientInventory): number[] {
  return [...inventory.records()].map(({ bytes, offset }) => bytes.readUInt32LE(offset + 4));
}

test('any order of puts keeps the latest record of the latest keys, newest first', () => {
  const puts = fc.array(fc.record({ key: fc.nat(40), length: fc.constantFrom(120, 144, 145, 341) }), {
    maxLength: 300,
  });
  fc.assert(
    fc.property(puts, fc.integer({ min: 1, max: 20 }), (steps, capacity) => {
      const inventory = new ClientInventory();
      const model = new Map<string, number>();
      for (const [index, { key, length }] of steps.entries()) {
        inventory.put(clientOf(`k${key}`), { bytes: record(index, length), offset: 0 }, { length, capacity });
        model.delete(`k${key}`);
        model.set(`k${key}`, index);
        for (const oldest of model.keys()) {
          if (model.size <= capacity) break;
          model.delete(oldest);
        }
        assert.equal(inventory.size, model.size);
      }
      assert.deepEqual(values(inventory), [...model.values()].reverse());
      for (const [key, value] of model) {
        const stored = inventory.get(clientOf(key));
        assert.equal(stored?.bytes.readUInt32LE(stored.offset + 4), value);
      }
    }),
  );
});

test('a capacity that was lowered is enforced with the next put', () => {
  const inventory = new ClientInventory();
  for (let i = 0; i < 3000; i += 1) {
    inventory.put(clientOf(`k${i}`), { bytes: record(i, 130), offset: 0 }, { length: 130, capacity: 5000 });
  }
  assert.equal(inventory.size, 3000);
  inventory.put(clientOf('k0'), { bytes: record(9, 130), offset: 0 }, { length: 130, capacity: 2 });
  assert.deepEqual(values(inventory), [9, 2999]);
  assert.equal(inventory.get(clientOf('k1')), undefined);
});

test('one CMID in two applications is two clients', () => {
  const inventory = new ClientInventory();
  const put = (application: number, value: number): void =>
    inventory.put({ application, cmid: 'a' }, { bytes: record(value, 130), offset: 0 }, { length: 130, capacity: 5 });
  put(0, 1);
  put(2, 2);
  put(0, 3);
  assert.equal(inventory.size, 2);
  assert.deepEqual(values(inventory), [3, 2]);
});
