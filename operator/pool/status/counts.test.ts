// SPDX-License-Identifier: Apache-2.0

// status.counts, how often they are written, and CountSufficient and HostKeyWithinLimits.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { KmsHostPoolStatus } from '@kmspool/crds';
import type { HostAnswer } from '../world.ts';
import { COUNTS_HOLD_MS, holdCounts } from './counts.ts';
import type { PoolCounts } from './input.ts';
import { inputOf, messageOf, NOW, objectsOf, reportOf, word } from './status.fake.ts';
import { buildStatus, statusRequeueAfterMs } from './status.ts';

type Row = PoolCounts[number];

const windows = (current: number, cap = 50): Row => ({
  application: 'Windows',
  current,
  cap,
  thresholds: [
    { name: 'Server', required: 5, met: current >= 5 },
    { name: 'Client', required: 25, met: current >= 25 },
  ],
});
const office = (current: number, cap = 10): Row => ({
  application: 'Office2010',
  current,
  cap,
  thresholds: [{ name: 'Office', required: 5, met: current >= 5 }],
});

type Told = readonly Row[] | string | (Partial<HostAnswer> & { atMs?: number });

function inputWith(told: readonly Told[], more: Parameters<typeof inputOf>[0] = {}) {
  const hosts = told.map((said, n) => {
    if (typeof said === 'string') return objectsOf(n, { report: reportOf(n, said) });
    const { atMs = NOW, ...answer } = 'length' in said ? { counts: said as readonly Row[] } : said;
    return objectsOf(n, { report: reportOf(n, answer as Partial<HostAnswer>, atMs) });
  });
  return inputOf({ ...more, world: { hosts } });
}

const countsOf = (status: KmsHostPoolStatus): string =>
  (status.counts ?? []).map(({ application, current, cap }) => `${application} ${current}/${cap}`).join(' ');

describe('counts', () => {
  test('are those of the host that was asked last and reaches the store', () => {
    const status = buildStatus(
      inputWith([
        { counts: [windows(30)], atMs: NOW - 9000 },
        { counts: [windows(31)], atMs: NOW - 1000 },
        { counts: [windows(40)], atMs: NOW, storeState: 'LastKnown' },
        { counts: [windows(0, 0)], atMs: NOW, storeState: 'Starting' },
      ]),
    );
    assert.equal(countsOf(status), 'Windows 31/50');
    assert.deepEqual(status.counts, [windows(31)]);
  });

  test('are the largest known while no host reaches the store', () => {
    const told = { storeState: 'LastKnown', atMs: NOW } as const;
    const status = buildStatus(
      inputWith([
        { ...told, counts: [windows(30), office(4)] },
        { ...told, counts: [windows(29), office(5)], atMs: NOW + 1 },
      ]),
    );
    assert.equal(countsOf(status), 'Windows 30/50 Office2010 5/10');
  });

  test('stay when no host answers any more', () => {
    const before = buildStatus(inputWith([[windows(31)], [windows(31)]]));
    const status = buildStatus(inputWith(['timed out', 'timed out'], { status: before }));
    assert.deepEqual(status.counts, before.counts);
    assert.equal(word(status, 'CountSufficient'), 'Unknown CountUnknown');
    assert.match(messageOf(status, 'CountSufficient'), /Last known: Windows 31\./);
  });

  test('a report that says an application twice, or too much, still makes a status that can be written', () => {
    const flood = Array.from({ length: 20 }, (_, n) => ({ ...windows(9e15), application: `A${n % 12}` }));
    const status = buildStatus(inputWith([flood, flood]));
    assert.equal(new Set(status.counts?.map(({ application }) => application)).size, status.counts?.length);
    assert.deepEqual([status.counts?.length, status.counts?.[0]?.current], [8, 0x7fffffff]);
  });
});

describe('counts are written', () => {
  const hold = (before: PoolCounts | undefined, latest: PoolCounts | undefined, agoMs: number | undefined) =>
    holdCounts({ before, latest, writtenAtMs: agoMs === undefined ? undefined : NOW - agoMs, nowMs: NOW });

  test('at once when they are the first, and when a threshold is reached or lost', () => {
    assert.deepEqual(hold(undefined, [windows(3)], 0), { counts: [windows(3)], requeueAfterMs: undefined });
    assert.deepEqual(hold([windows(24)], [windows(25)], 0).counts, [windows(25)]);
    assert.deepEqual(hold([windows(25)], [windows(24)], 0).counts, [windows(24)]);
    assert.deepEqual(hold([windows(24)], [windows(24), office(0)], 0).counts?.length, 2);
  });

  test('else at most every 30 seconds, and then by themselves', () => {
    assert.deepEqual(hold([windows(30)], [windows(31)], 12_000), { counts: [windows(30)], requeueAfterMs: 18_000 });
    assert.deepEqual(hold([windows(30)], [windows(31)], COUNTS_HOLD_MS), {
      counts: [windows(31)],
      requeueAfterMs: undefined,
    });
    assert.deepEqual(hold([windows(30)], [windows(31)], undefined).counts, [windows(31)]);
    assert.deepEqual(hold([windows(30)], [windows(30)], 1000), { counts: [windows(30)], requeueAfterMs: undefined });
    assert.deepEqual(hold([windows(30)], undefined, 1000), { counts: [windows(30)], requeueAfterMs: undefined });
  });

  test('together with what the condition says of them', () => {
    const before = buildStatus(inputWith([[windows(10)], [windows(10)]]));
    const input = inputWith([[windows(12)], [windows(12)]], { status: before, countsWrittenAtMs: NOW - 1000 });
    assert.deepEqual(buildStatus(input), before);
    assert.equal(statusRequeueAfterMs(input), 29_000);
    const due = buildStatus({ ...input, nowMs: NOW + 29_000 });
    assert.match(messageOf(due, 'CountSufficient'), /^Windows 12 of 25 for clients\./);
  });
});

describe('CountSufficient', () => {
  const judged = (counts: readonly Row[], spec = {}) => {
    const status = buildStatus(inputWith([counts, counts], { spec }));
    return [word(status, 'CountSufficient'), messageOf(status, 'CountSufficient')];
  };

  test('is False while a kind of client that has asked is not served, and says how many are missing', () => {
    const [state, message = ''] = judged([windows(19), office(3)]);
    assert.equal(state, 'False BelowThreshold');
    assert.match(message, /^Windows 19 of 25 for clients; Office 2010 3 of 5\. More distinct machines have to ask/);
    assert.equal(judged([windows(4)])[1]?.split('.')[0], 'Windows 4 of 5 for servers; Windows 4 of 25 for clients');
  });

  test('is True when it is enough for all that have asked; nobody misses Office where there is none', () => {
    const [state, message] = judged([windows(25), office(0, 0)]);
    assert.equal(state, 'True AllThresholdsMet');
    assert.equal(
      message,
      'Enough for every kind of client that has asked: Windows for servers (5); Windows for clients (25).',
    );
  });

  test('a pool that only servers ask ends at 10 and does not miss the 25 of clients', () => {
    assert.equal(judged([windows(10, 10)])[0], 'True AllThresholdsMet');
    assert.equal(judged([windows(11, 50)])[0], 'False BelowThreshold');
  });

  test('S1-14 a count of 0: no valid client has asked yet', () => {
    const [state, message] = judged([windows(0, 0), office(0, 0)]);
    assert.equal(state, 'False BelowThreshold');
    assert.equal(
      message,
      'No valid client has asked yet. Needed: Windows 5 for servers and 25 for clients; Office 2010 5.',
    );
  });

  test('a table that is kept too small by the spec can never be enough, and the message says which field', () => {
    const [state, message = ''] = judged([windows(20, 20)], { limits: { maxRequiredCount: 10 } });
    assert.equal(state, 'False BelowThreshold');
    assert.match(message, /raise spec\.limits\.maxRequiredCount to 25\.$/);
  });

  test('is Unknown until a host has told it', () => {
    assert.equal(word(buildStatus(inputWith(['timed out', 'timed out'])), 'CountSufficient'), 'Unknown CountUnknown');
  });
});

test('S3-33 more than six hosts on one host key are told, and serve all the same', () => {
  const status = (replicas: number) => buildStatus(inputOf({ spec: { replicas } }));
  assert.equal(word(status(6), 'HostKeyWithinLimits'), 'True WithinLimits');
  const seven = status(7);
  assert.equal(word(seven, 'HostKeyWithinLimits'), 'False HostKeyLimit');
  assert.match(
    messageOf(seven, 'HostKeyWithinLimits'),
    /^7 hosts use the same host keys, and a key may be used on 6\./,
  );
  assert.deepEqual([seven.readyReplicas, word(seven, 'Ready')], [7, 'True AllHostsReady']);
});
