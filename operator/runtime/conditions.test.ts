// SPDX-License-Identifier: Apache-2.0

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Condition,
  type ConditionedObject,
  isConditionTrue,
  type Judgement,
  kstatusOf,
  mergeConditions,
  sameConditions,
} from './conditions.ts';

const NOW = Date.UTC(2026, 5, 1, 12);
const ready = (status: Judgement['status'], reason = 'R'): Judgement => ({
  type: 'Ready',
  status,
  reason,
  message: reason,
});

test('a transition time moves when the status changes, and only then', () => {
  const first = mergeConditions([], [ready('False')], { generation: 1, nowMs: NOW });
  const second = mergeConditions(first, [ready('False', 'Other')], { generation: 2, nowMs: NOW + 5_000 });
  const third = mergeConditions(second, [ready('True')], { generation: 2, nowMs: NOW + 9_000 });
  assert.deepEqual(
    [first, second, third].map(([one]) => [one?.lastTransitionTime, one?.observedGeneration, one?.reason]),
    [
      ['2026-06-01T12:00:00Z', 1, 'R'],
      ['2026-06-01T12:00:00Z', 2, 'Other'],
      ['2026-06-01T12:00:09Z', 2, 'R'],
    ],
  );
});

test('conditions of other types stay, and the order does not depend on that of the judgements', () => {
  const foreign: Condition = { type: 'Foreign', status: 'True', reason: 'X', message: '', lastTransitionTime: 'T' };
  const at = { generation: 1, nowMs: NOW };
  const stalled: Judgement = { type: 'Stalled', status: 'False', reason: 'S', message: '' };
  const one = mergeConditions([foreign], [ready('True'), stalled], at);
  const other = mergeConditions([foreign], [stalled, ready('True')], at);
  assert.deepEqual(one, other);
  assert.deepEqual(
    one.map(({ type }) => type),
    ['Foreign', 'Ready', 'Stalled'],
  );
  assert.ok(sameConditions(one, [...one].reverse()));
  assert.ok(!sameConditions(one, mergeConditions(one, [ready('False')], at)));
});

test('a condition that speaks of an older generation is no answer', () => {
  const conditions = mergeConditions([], [ready('True')], { generation: 3, nowMs: NOW });
  const object = (generation: number): ConditionedObject => ({
    metadata: { name: 'a', generation },
    status: { conditions },
  });
  assert.equal(isConditionTrue(object(3), 'Ready'), true);
  assert.equal(isConditionTrue(object(4), 'Ready'), false);
  assert.equal(isConditionTrue(object(3), 'Other'), false);
});

const judged = (...types: string[]): Condition[] =>
  types.map((text) => {
    const [type = '', status] = text.split('=');
    return {
      type,
      status: (status ?? 'True') as Condition['status'],
      reason: 'R',
      message: '',
      lastTransitionTime: 'T',
    };
  });

const CASES: [string, Partial<ConditionedObject['metadata']>, ConditionedObject['status'], string][] = [
  ['nothing said', {}, undefined, 'Current'],
  ['ready', { generation: 2 }, { observedGeneration: 2, conditions: judged('Ready') }, 'Current'],
  [
    'ready for an older generation',
    { generation: 3 },
    { observedGeneration: 2, conditions: judged('Ready') },
    'InProgress',
  ],
  ['not ready', {}, { conditions: judged('Ready=False') }, 'InProgress'],
  ['readiness unknown', {}, { conditions: judged('Ready=Unknown') }, 'InProgress'],
  ['reconciling although ready', {}, { conditions: judged('Ready', 'Reconciling') }, 'InProgress'],
  ['stalled', {}, { conditions: judged('Ready=False', 'Stalled') }, 'Failed'],
  ['being deleted', { deletionTimestamp: 'T' }, { conditions: judged('Ready') }, 'Terminating'],
];

for (const [name, metadata, status, state] of CASES)
  test(`kstatus of an object: ${name} is ${state}`, () => {
    assert.equal(
      kstatusOf({ metadata: { name: 'a', ...metadata }, ...(status === undefined ? {} : { status }) }),
      state,
    );
  });
