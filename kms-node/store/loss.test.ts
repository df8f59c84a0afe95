// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LinkState } from '@kmspool/kms/host';
import { backoffMs, lossReason } from './loss.ts';

const LAST_KNOWN = { onLoss: 'LastKnown', maxStaleSeconds: 60 } as const;
const REFUSE = { onLoss: 'Refuse', maxStaleSeconds: 60 } as const;
const LOST: LinkState = { live: false, copied: true, staleMs: 1000, journalFull: false, closed: false };

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
