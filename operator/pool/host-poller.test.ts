// SPDX-License-Identifier: Apache-2.0
//
// When hosts are asked and what is made of their answers, on a clock that the test turns. How they are asked is in host-ask.test.ts.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Counter, Registry } from 'prom-client';
import { FakeClock, turn } from '../runtime/clock.fake.ts';
import { statusReply } from './host-ask.fake.ts';
import type { HostReply } from './host-ask.ts';
import { HostPoller, type HostPollerOptions, type PollTarget } from './host-poller.ts';

const POOL = 'kms/campus';

function target(ordinal: number, changes: Partial<PollTarget> = {}): PollTarget {
  const name = `campus-${ordinal}`;
  return {
    name,
    podUid: `uid-${ordinal}`,
    podName: `${name}-abc`,
    namespace: 'kms',
    address: `10.0.0.${ordinal}`,
    wantedConfigHash: 'new',
    ready: true,
    ...changes,
  };
}

interface Rig {
  readonly clock: FakeClock;
  readonly poller: HostPoller;
  /** What hosts answer from now on, by name. */
  readonly says: Map<string, () => HostReply | Promise<HostReply>>;
  /** Seconds at which each host was asked. */
  readonly asked: (name?: string) => number[];
  readonly changes: string[];
  readonly results: () => Promise<Record<string, number>>;
  stop(): Promise<void>;
}

function rig(options: Partial<HostPollerOptions> = {}): Rig {
  const clock = new FakeClock();
  const says = new Map<string, () => HostReply | Promise<HostReply>>();
  const log: { name: string; atMs: number }[] = [];
  const polls = new Counter({
    name: 'kmspool_host_polls_total',
    help: '.',
    labelNames: ['result'],
    registers: [new Registry()],
  });
  const poller = new HostPoller({
    ask: async ({ name }) => {
      log.push({ name, atMs: clock.monotonic() });
      return (says.get(name) ?? (() => statusReply({ host: name })))();
    },
    polls,
    clock,
    random: () => 0.5,
    ...options,
  });
  const changes: string[] = [];
  poller.onChange((key) => changes.push(key));
  const stop = new AbortController();
  const running = poller.run(stop.signal);
  return {
    clock,
    poller,
    says,
    changes,
    asked: (name) => log.filter((one) => name === undefined || one.name === name).map(({ atMs }) => atMs / 1000),
    results: async () =>
      Object.fromEntries((await polls.get()).values.map(({ labels, value }) => [String(labels.result), value])),
    stop: async () => {
      stop.abort();
      await running;
    },
  };
}

const refused = (): never => {
  throw Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
};

test('a host that nothing is known of is asked at once; what it said is told once and reported', async () => {
  const { clock, poller, changes, asked, results, stop } = rig();
  poller.watch(POOL, [target(0), target(1)]);
  await clock.advance(0);
  await clock.advance(0);
  assert.deepEqual(asked(), [0, 0]);
  const report = poller.reports(POOL).get('campus-1');
  assert.deepEqual([report?.podUid, report?.atMs, report?.error], ['uid-1', Date.UTC(2026, 0, 1), undefined]);
  assert.deepEqual(report?.answer?.configHash, 'new');
  assert.deepEqual(changes, [POOL, POOL]);
  assert.deepEqual(await results(), { answered: 2 });
  await stop();
});

test('in a calm pool one ready host is asked each 15 s, in turn, and nobody is told', async () => {
  const { clock, poller, changes, asked, stop } = rig();
  poller.watch(POOL, [target(0), target(1), target(2)]);
  await clock.advance(1_000);
  changes.length = 0;
  await clock.advance(59_000);
  assert.deepEqual(asked().slice(3), [7.5, 22.5, 37.5, 52.5]);
  assert.deepEqual(asked('campus-0').slice(1), [7.5, 52.5]);
  assert.deepEqual(asked('campus-1').slice(1), [22.5]);
  assert.deepEqual(changes, []);
  const { atMs } = poller.reports(POOL).get('campus-0') ?? {};
  assert.equal(atMs, Date.UTC(2026, 0, 1) + 52_500, 'the time is that of the last answer all the same');
  await stop();
});

test('a changed count is told', async () => {
  const { clock, poller, says, changes, stop } = rig();
  poller.watch(POOL, [target(0)]);
  await clock.advance(1_000);
  changes.length = 0;
  says.set('campus-0', () => statusReply({ host: 'campus-0', current: 5 }));
  await clock.advance(10_000);
  assert.deepEqual(changes, [POOL]);
  assert.equal(poller.reports(POOL).get('campus-0')?.answer?.counts[0]?.current, 5);
  await stop();
});

test('a host that runs another configuration than wanted is asked each second, then each 5 s, after two minutes each 15 s', async () => {
  const { clock, poller, says, asked, stop } = rig();
  says.set('campus-0', () => statusReply({ host: 'campus-0', configHash: 'old' }));
  poller.watch(POOL, [target(0), target(1)]);
  await clock.advance(200_000);
  const times = asked('campus-0');
  assert.deepEqual(times.slice(0, 6), [0, 1, 2, 3, 4, 5]);
  const waits = times.slice(1).map((at, index) => Math.round(1000 * (at - (times[index] ?? 0))) / 1000);
  const between = (from: number, to: number): number[] =>
    waits.filter((_, index) => times[index]! >= from && times[index]! < to);
  assert.deepEqual([...new Set(between(25, 115))], [5]);
  assert.deepEqual([...new Set(between(120, 180))], [15]);
  assert.ok(asked('campus-1').length < 20, 'the other is asked in the round only');
  says.set('campus-0', () => statusReply({ host: 'campus-0' }));
  await clock.advance(15_000);
  const { length } = asked('campus-0');
  await clock.advance(60_000);
  assert.ok(asked('campus-0').length - length <= 3, 'calm again');
  await stop();
});

test('a new wanted configuration, a new Pod and a Pod that became ready begin anew at once', async () => {
  const { clock, poller, says, asked, stop } = rig();
  says.set('campus-0', () => statusReply({ host: 'campus-0', ready: false }));
  poller.watch(POOL, [target(0, { ready: false })]);
  await clock.advance(300_000);
  const begins = async (changes: Partial<PollTarget>): Promise<number[]> => {
    const before = asked().length;
    const now = clock.monotonic() / 1000;
    poller.watch(POOL, [target(0, changes)]);
    await clock.advance(2_500);
    return asked()
      .slice(before)
      .map((at) => at - now);
  };
  assert.deepEqual(await begins({ ready: true }), [0, 1, 2]);
  await clock.advance(300_000);
  assert.deepEqual(await begins({ ready: true, wantedConfigHash: 'newer' }), [0, 1, 2]);
  await clock.advance(300_000);
  assert.deepEqual(await begins({ ready: true, wantedConfigHash: 'newer', podUid: 'uid-9' }), [0, 1, 2]);
  await stop();
});

test('the same wish again asks nobody', async () => {
  const { clock, poller, asked, stop } = rig();
  for (let second = 0; second < 7; second += 1) {
    poller.watch(POOL, [target(0), target(1)]);
    await clock.advance(1_000);
  }
  assert.deepEqual(asked(), [0, 0]);
  await stop();
});

test('when one host has lost its store all of the pool are asked, and calm returns with the store', async () => {
  const { clock, poller, says, asked, stop } = rig();
  poller.watch(POOL, [target(0), target(1), target(2)]);
  poller.watch('kms/other', []);
  await clock.advance(8_000);
  assert.deepEqual(asked('campus-2'), [0]);
  says.set('campus-1', () => statusReply({ host: 'campus-1', storeState: 'LastKnown' }));
  await clock.advance(15_000);
  assert.deepEqual(asked('campus-1').slice(0, 2), [0, 22.5]);
  assert.deepEqual(asked('campus-2').slice(0, 2), [0, 22.5], 'as soon as it was known');
  await clock.advance(3_000);
  assert.deepEqual(asked('campus-0').slice(-3), [23.5, 24.5, 25.5]);
  says.delete('campus-1');
  await clock.advance(2_000);
  const { length } = asked();
  await clock.advance(45_000);
  assert.equal(asked().length - length, 3);
  await stop();
});

test('a host that never answered is reported with its error at once, the same error is told once', async () => {
  const { clock, poller, says, changes, results, stop } = rig();
  says.set('campus-0', refused);
  poller.watch(POOL, [target(0)]);
  await clock.advance(5_000);
  assert.equal(poller.reports(POOL).get('campus-0')?.error, '10.0.0.0 cannot be asked: ECONNREFUSED');
  assert.deepEqual(changes, [POOL]);
  assert.deepEqual(await results(), { unreachable: 6 });
  await stop();
});

test('a host that answered before loses its answer only after three failures in a row', async () => {
  const { clock, poller, says, changes, asked, stop } = rig();
  poller.watch(POOL, [target(0)]);
  await clock.advance(1_000);
  changes.length = 0;
  let failures = 2;
  says.set('campus-0', () => (failures-- > 0 ? refused() : statusReply({ host: 'campus-0' })));
  await clock.advance(10_000);
  assert.deepEqual(asked().slice(1), [7.5, 8.5, 9.5], 'asked again soon');
  assert.deepEqual([changes, poller.reports(POOL).get('campus-0')?.error], [[], undefined]);
  says.set('campus-0', refused);
  await clock.advance(20_000);
  assert.equal(poller.reports(POOL).get('campus-0')?.answer, undefined);
  assert.match(poller.reports(POOL).get('campus-0')?.error ?? '', /ECONNREFUSED/);
  assert.deepEqual(changes, [POOL]);
  await stop();
});

test('who does not answer within two seconds is given up, also when asking cannot be broken off', async () => {
  const { clock, poller, says, results, stop } = rig();
  says.set('campus-0', () => new Promise(() => {}));
  poller.watch(POOL, [target(0)]);
  await clock.advance(0);
  await clock.advance(1_999);
  assert.equal(poller.reports(POOL).size, 0);
  await clock.advance(1);
  assert.equal(poller.reports(POOL).get('campus-0')?.error, '10.0.0.0 does not answer within 2 s');
  assert.deepEqual(await results(), { timeout: 1 });
  await stop();
});

test('an answer of another host is reported as that, and an identity that becomes known is looked for', async () => {
  const { clock, poller, says, stop } = rig();
  says.set('campus-0', () => statusReply({ host: 'campus-0', poolId: 'one' }));
  poller.watch(POOL, [target(0)]);
  await clock.advance(1_000);
  assert.equal(poller.reports(POOL).get('campus-0')?.answer?.poolId, 'one');
  poller.watch(POOL, [target(0)], 'two');
  await clock.advance(0);
  await clock.advance(0);
  assert.equal(
    poller.reports(POOL).get('campus-0')?.error,
    'another host answers at 10.0.0.0: its pool has the identity one, not two',
  );
  await stop();
});

test('a pool that was forgotten, a host that is gone and a Pod that was replaced leave nothing, whatever is under way', async () => {
  const { clock, poller, says, changes, stop } = rig();
  const answers: (() => void)[] = [];
  for (const name of ['campus-0', 'campus-1', 'campus-2'])
    says.set(name, () => new Promise((resolve) => answers.push(() => resolve(statusReply({ host: name })))));
  poller.watch(POOL, [target(0), target(1), target(2)]);
  await clock.advance(0);
  poller.watch(POOL, [target(0), target(1, { podUid: 'another' })]);
  for (const answer of answers.splice(0)) answer();
  await turn();
  assert.deepEqual([...poller.reports(POOL).keys()], ['campus-0']);
  changes.length = 0;
  await clock.advance(0);
  poller.forget(POOL);
  for (const answer of answers.splice(0)) answer();
  await clock.advance(60_000);
  assert.deepEqual([poller.reports(POOL).size, changes], [0, []]);
  await stop();
  assert.deepEqual(clock.pending(), []);
});

test('no more than 32 are asked at once, and all are', async () => {
  const waiting: (() => void)[] = [];
  let asked = 0;
  const { clock, poller, stop } = rig({
    ask: ({ name }) => {
      asked += 1;
      return new Promise((resolve) => waiting.push(() => resolve(statusReply({ host: name }))));
    },
  });
  poller.watch(
    POOL,
    Array.from({ length: 100 }, (_, ordinal) => target(ordinal)),
  );
  await clock.advance(0);
  const seen: number[] = [];
  while (waiting.length > 0) {
    seen.push(waiting.length);
    for (const answer of waiting.splice(0)) answer();
    await turn();
  }
  assert.deepEqual([seen, asked, poller.reports(POOL).size], [[32, 32, 32, 4], 100, 100]);
  await stop();
});

test('nobody is asked before the run and after it; a second run goes on', async () => {
  const { clock, poller, asked, stop } = rig();
  await stop();
  poller.watch(POOL, [target(0)]);
  await clock.advance(60_000);
  assert.deepEqual([asked(), clock.pending()], [[], []]);
  const second = new AbortController();
  const running = poller.run(second.signal);
  await clock.advance(0);
  assert.deepEqual(asked(), [60]);
  second.abort();
  await running;
  assert.deepEqual(clock.pending(), []);
});

test('a handler that fails does not keep others from hearing', async () => {
  const { clock, poller, stop } = rig();
  const heard: string[] = [];
  poller.onChange(() => assert.fail('broken'));
  const remove = poller.onChange((key) => heard.push(key));
  poller.watch(POOL, [target(0)]);
  await clock.advance(1_000);
  assert.deepEqual(heard, [POOL]);
  remove();
  poller.forget(POOL);
  poller.watch(POOL, [target(0)]);
  await clock.advance(1_000);
  assert.deepEqual(heard, [POOL]);
  await stop();
});
