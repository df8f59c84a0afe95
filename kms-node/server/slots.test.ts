// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Slots } from './slots.ts';

test('slots hold what was added and not removed, and use places again', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(30)), (steps) => {
      const slots = new Slots<{ value: number }>();
      const places = new Map<number, number>();
      let most = 0;
      for (const value of steps) {
        const place = places.get(value);
        if (place === undefined) places.set(value, slots.add({ value }));
        else {
          slots.remove(place);
          places.delete(value);
        }
        most = Math.max(most, places.size);
        assert.equal(slots.size, places.size);
        assert.ok([...places.values()].every((used) => used < most));
      }
      const held = [...slots].map(({ value }) => value).sort((a, b) => a - b);
      assert.deepEqual(
        held,
        [...places.keys()].sort((a, b) => a - b),
      );
    }),
  );
});
