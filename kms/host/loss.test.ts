// SPDX-License-Identifier: Apache-2.0

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { conditionOf, type LinkState } from './index.ts';

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
