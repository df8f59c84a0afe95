// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { backoffMs, conditionOf, type LinkState, lossReason } from './loss.ts';

const LAST_KNOWN = { onLoss: 'LastKnown', maxStaleSeconds: 60 } as const;
const REFUSE = { onLoss: 'Refuse', maxStaleSeconds: 60 } as const;
const LOST: LinkState = { live: false, copied: true, staleMs: 1000, journalFull: false, closed: false };

test('a host without a copy of the table is starting, whatever the policy', () => {
  for (const policy of [LAST_KNOWN, REFUSE]) {
    assert.equal(conditionOf(policy, { ...LOST, copied: false }), 'Starting');
    assert.equal(conditionOf(policy, { ...LOST, copied: false, journalFull: true }), 'Starting');
  }
});

test('LastKnown holds until maxStaleSeconds, then the host refuses', () => {
  assert.equal(conditionOf(LAST_KNOWN, { ...LOST, live: true }), 'Available');
  assert.equal(conditionOf(LAST_KNOWN, { ...LOST, staleMs: 60_000 }), 'LastKnown');
  assert.equal(conditionOf(LAST_KNOWN, { ...LOST, staleMs: 60_001 }), 'Refusing');
});

test('Refuse never answers from the copy', () => {
  assert.equal(conditionOf(REFUSE, { ...LOST, staleMs: 0 }), 'Refusing');
  assert.equal(conditionOf(REFUSE, { ...LOST, live: true }), 'Available');
});

test('a full journal and a closed store refuse', () => {
  assert.equal(conditionOf(LAST_KNOWN, { ...LOST, journalFull: true }), 'Refusing');
  assert.equal(conditionOf(LAST_KNOWN, { ...LOST, live: true, journalFull: true }), 'Refusing');
  assert.equal(conditionOf(LAST_KNOWN, { ...LOST, live: true, closed: true }), 'Refusing');
});

test('the reason is one line that names the setting and the cause', () => {
  assert.equal(lossReason(LAST_KNOWN, LOST, 'no route'), 'answering from the last known table: no route');
  assert.match(lossReason(LAST_KNOWN, { ...LOST, staleMs: 61_000 }, 'no route'), /60 s \(maxStaleSeconds\): no route$/);
  assert.match(lossReason(REFUSE, LOST, 'no route'), /onLoss: Refuse.*no route$/);
  assert.match(lossReason(LAST_KNOWN, { ...LOST, journalFull: true }, 'x'), /journal is full/);
  assert.match(lossReason(LAST_KNOWN, { ...LOST, copied: false }, 'x'), /no answer from the store yet: x/);
  assert.match(lossReason(LAST_KNOWN, { ...LOST, closed: true }, 'x'), /closed/);
});

test('attempts back off from 50 ms to 1 s, with up to half of it taken off at random', () => {
  assert.equal(backoffMs(0, 0), 50);
  assert.equal(backoffMs(1, 0), 100);
  assert.equal(backoffMs(1000, 0), 1000);
  assert.equal(backoffMs(1000, 1), 500);
});
