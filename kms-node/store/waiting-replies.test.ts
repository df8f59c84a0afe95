// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { CountReply } from './store.ts';
import { WaitingReplies } from './waiting-replies.ts';

type Step = { kind: 'add'; skip: number } | { kind: 'take'; back: number } | { kind: 'all' };

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({ kind: fc.constant('add' as const), skip: fc.constantFrom(0, 0, 0, 1, 3, 700) }),
    },
    { weight: 6, arbitrary: fc.record({ kind: fc.constant('take' as const), back: fc.nat(900) }) },
    { weight: 1, arbitrary: fc.constant({ kind: 'all' as const }) },
  ),
  { maxLength: 400, size: 'max' },
);

test('whoever waits is found under its number once, whatever numbers are left out, in order', () => {
  fc.assert(
    fc.property(steps, (sequence) => {
      const waiting = new WaitingReplies();
      const model = new Map<number, CountReply>();
      let last = 0;
      for (const step of sequence) {
        if (step.kind === 'add') {
          last += 1 + step.skip;
          const reply = (): void => undefined;
          waiting.add(last, reply);
          model.set(last, reply);
        } else if (step.kind === 'take') {
          const number = Math.max(0, last - step.back);
          assert.equal(waiting.take(number), model.get(number));
          model.delete(number);
        } else {
          assert.deepEqual(
            waiting.takeAll(),
            [...model].map(([number, reply]) => ({ sequence: number, reply })),
          );
          model.clear();
        }
        assert.equal(waiting.size, model.size);
      }
    }),
  );
});
