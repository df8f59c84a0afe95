// SPDX-License-Identifier: Apache-2.0
//
// The agenda against a plain list that is sorted each time.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Agenda, SLOT_MS } from './agenda.ts';

const SLOTS = 5;
const MACHINES = 12;
const START = 1_700_000_000_000;
const machine = fc.nat(MACHINES - 1);
const step = fc.oneof(
  fc.record({
    kind: fc.constant('set' as const),
    machine,
    dueMs: fc.integer({ min: START, max: START + (SLOTS + 1) * SLOT_MS }),
  }),
  fc.record({ kind: fc.constant('remove' as const), machine }),
);

function takeAll(agenda: Agenda): [number, number][] {
  const seen: [number, number][] = [];
  for (let slot = 0; slot < agenda.slots; slot++) {
    const count = agenda.take(slot);
    for (let place = 0; place < count; place++) {
      const taken = agenda.taken(place);
      if (taken !== undefined) seen.push([agenda.takenDueMs(place, slot), taken]);
    }
  }
  return seen;
}

test('whoever was set last, and not removed, is taken once, in order of time and number', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const agenda = new Agenda(MACHINES, START, SLOTS * SLOT_MS);
      const model = new Map<number, number>();
      for (const each of steps) {
        if (each.kind === 'set') {
          agenda.set(each.machine, each.dueMs);
          model.set(each.machine, each.dueMs);
        } else {
          agenda.remove(each.machine);
          model.delete(each.machine);
        }
      }
      const wanted = [...model]
        .map(([who, dueMs]): [number, number] => [dueMs, who])
        .filter(([dueMs]) => dueMs < START + SLOTS * SLOT_MS)
        .sort(([a, x], [b, y]) => a - b || x - y);
      assert.deepEqual(takeAll(agenda), wanted);
    }),
  );
});

test('a machine that is set or removed after it was taken, and before its turn, is not served twice', () => {
  const agenda = new Agenda(3, START, SLOTS * SLOT_MS);
  for (const who of [0, 1, 2]) agenda.set(who, START + 10);
  assert.equal(agenda.take(0), 3);
  agenda.set(1, START + 20);
  agenda.remove(2);
  assert.deepEqual([agenda.taken(0), agenda.taken(1), agenda.taken(2)], [0, undefined, undefined]);
  assert.equal(agenda.take(0), 1);
  assert.equal(agenda.taken(0), 1);
});
