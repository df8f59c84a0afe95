// SPDX-License-Identifier: Apache-2.0
/** The oracle of the faults, on tries made up for it: it must see what is wrong, and nothing else. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type FaultWindow, judge } from './oracle.ts';
import type { Tried } from './tried.ts';

const FAULT: FaultWindow = { fromMs: 10_000, toMs: 20_000, storeAway: false, dnsAway: false };
const NOBODY = { machines: 0, others: 0 };

const tried = (machine: number, startedMs: number, more: Partial<Tried> = {}): Tried => ({
  startedMs,
  tookMs: 100,
  machine,
  product: 'windows-11',
  cached: false,
  hresult: 0xc004f038,
  count: 3,
  host: 'campus-0.kms.lab.example',
  offered: 3,
  failed: [],
  dns: '',
  ...more,
});
/** Three machines, counted one after the other before the fault. */
const before = [tried(0, 1_000, { count: 1 }), tried(1, 2_000, { count: 2 }), tried(2, 3_000, { count: 3 })];
const lost = { host: '', count: 0 };
const refused = { host: 'campus-1.kms.lab.example', why: 'connection refused' };

describe('what clients say of a fault', () => {
  test('answers of a whole table are right, and a failed try of one host is no offence', () => {
    const seen = [...before, tried(0, 11_000, { failed: [refused] }), tried(1, 12_000)];
    const verdict = judge(seen, FAULT, NOBODY);
    assert.deepEqual(verdict.offences, []);
    assert.equal(verdict.tries, 2);
    assert.equal(verdict.failedHosts, 1);
    assert.equal(verdict.recoveryMs, 1_100);
  });

  test('a client that nobody served is one', () => {
    const { offences } = judge([...before, tried(1, 15_000, { ...lost, failed: [refused] })], FAULT, NOBODY);
    assert.deepEqual(offences, ['machine 1 was served by nobody: campus-1.kms.lab.example (connection refused)']);
  });

  test('a count that leaves somebody out is one, and so is one of machines that never asked', () => {
    const low = judge([...before, tried(0, 12_000, { count: 2 })], FAULT, NOBODY);
    assert.match(low.offences.join(), /machine 0 was told 2 .* must be 3 to 3/);
    const high = judge([...before, tried(0, 12_000, { count: 4 })], FAULT, NOBODY);
    assert.match(high.offences.join(), /machine 0 was told 4 .* must be 3 to 3/);
  });

  test('who asks at the same time may or may not be in the count', () => {
    const together = [tried(3, 12_000, { count: 4, tookMs: 500 }), tried(0, 12_100, { count: 3 })];
    assert.deepEqual(judge([...before, ...together], FAULT, NOBODY).offences, []);
    const later = [tried(3, 12_000, { count: 4, tookMs: 500 }), tried(0, 12_600, { count: 3 })];
    assert.equal(judge([...before, ...later], FAULT, NOBODY).offences.length, 1);
  });

  test('while the store is away a count may be what it was before, and never more than the truth', () => {
    const away = { ...FAULT, storeAway: true };
    const newcomer = tried(3, 11_000, { count: 4 });
    assert.deepEqual(judge([...before, newcomer, tried(0, 12_000, { count: 3 })], away, NOBODY).offences, []);
    assert.equal(judge([...before, newcomer, tried(0, 12_000, { count: 2 })], away, NOBODY).offences.length, 1);
    assert.equal(judge([...before, newcomer, tried(0, 12_000, { count: 5 })], away, NOBODY).offences.length, 1);
    assert.equal(judge([...before, newcomer, tried(0, 21_000, { count: 3 })], away, NOBODY).offences.length, 1);
  });

  test('without DNS a client that remembers no host comes to a DNS code, then only, and only such a client (S4-07)', () => {
    const away = { ...FAULT, dnsAway: true };
    const nameless = { ...lost, hresult: 0x8007232b, offered: 0, dns: 'no name server answered in time' };
    assert.deepEqual(judge([...before, tried(1, 15_000, nameless)], away, NOBODY).offences, []);
    assert.equal(judge([...before, tried(1, 15_000, nameless)], FAULT, NOBODY).offences.length, 1);
    assert.equal(judge([...before, tried(1, 25_000, nameless)], away, NOBODY).offences.length, 1);
    assert.equal(
      judge([...before, tried(1, 15_000, { ...nameless, offered: 1, failed: [refused] })], away, NOBODY).offences
        .length,
      1,
    );
  });

  test('machines counted before these tries are expected from the first answer on', () => {
    const known = { machines: 2, others: 5 };
    assert.deepEqual(judge([tried(0, 12_000, { count: 7 })], FAULT, known).offences, []);
    assert.equal(judge([tried(0, 12_000, { count: 6 })], FAULT, known).offences.length, 1);
    assert.deepEqual(judge([tried(2, 12_000, { count: 8 })], FAULT, known).offences, []);
  });
});
