// SPDX-License-Identifier: Apache-2.0

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Registry } from 'prom-client';
import { backoffMs } from './backoff.ts';
import { FakeClock, turn } from './clock.fake.ts';
import { Heap } from './heap.ts';
import { createMetrics } from './metrics.ts';
import { LOW_PRIORITY, WorkQueue } from './queue.ts';

interface Rig {
  readonly clock: FakeClock;
  readonly queue: WorkQueue;
  /** Keys that are handed out now, in order; each is given back at once. */
  readonly drain: () => Promise<string[]>;
  readonly metric: (name: string) => Promise<number>;
}

function rig(): Rig {
  const clock = new FakeClock();
  const registry = new Registry();
  const queue = new WorkQueue({ name: 'test', metrics: createMetrics(registry), clock, random: () => 0 });
  return {
    clock,
    queue,
    drain: async () => {
      const keys: string[] = [];
      for (let { ready } = queue.size; ready > 0; { ready } = queue.size) {
        const key = (await queue.take()) ?? assert.fail();
        keys.push(key);
        queue.done(key);
      }
      return keys;
    },
    metric: async (name) => {
      const line = (await registry.metrics()).split('\n').find((text) => text.startsWith(`${name}{`));
      return Number(line?.split(' ').at(-1));
    },
  };
}

test('a key that waits waits once', async () => {
  const { queue, drain, metric } = rig();
  for (const key of ['a', 'b', 'a', 'a']) queue.add(key);
  assert.deepEqual(await drain(), ['a', 'b']);
  assert.equal(await metric('workqueue_adds_total'), 2);
});

test('a key is never with two workers: what is added while it is in work comes when that is done, once', async () => {
  const { queue, drain } = rig();
  queue.add('a');
  assert.equal(await queue.take(), 'a');
  queue.add('a');
  queue.add('a');
  assert.deepEqual(queue.size, { ready: 0, delayed: 0, inWork: 1 });
  queue.done('a');
  assert.deepEqual(await drain(), ['a']);
});

test('of two wishes the earlier time wins, in either order', async () => {
  const { queue, clock, drain } = rig();
  queue.add('a', { delayMs: 5_000 });
  queue.add('a', { delayMs: 1_000 });
  queue.add('b', { delayMs: 1_000 });
  queue.add('b', { delayMs: 5_000 });
  await clock.advance(999);
  assert.deepEqual(await drain(), []);
  await clock.advance(1);
  assert.deepEqual(await drain(), ['a', 'b']);
  await clock.advance(10_000);
  assert.deepEqual(await drain(), []);
});

test('a later wish of higher priority raises the priority, and does not put off the time', async () => {
  const { queue, clock, drain } = rig();
  queue.add('a', { delayMs: 1_000, priority: LOW_PRIORITY });
  queue.add('b', { delayMs: 1_000, priority: LOW_PRIORITY });
  queue.add('b', { delayMs: 9_000 });
  await clock.advance(1_000);
  assert.deepEqual(await drain(), ['b', 'a']);
});

test('a wish for now is not put off by one for later', async () => {
  const { queue, drain } = rig();
  queue.add('a');
  queue.add('a', { delayMs: 60_000 });
  assert.deepEqual(await drain(), ['a']);
});

test('what is not news goes last, unless it becomes news', async () => {
  const { queue, drain } = rig();
  for (const key of ['old1', 'old2', 'old3']) queue.add(key, { priority: LOW_PRIORITY });
  queue.add('new');
  queue.add('old2');
  assert.deepEqual(await drain(), ['old2', 'new', 'old1', 'old3']);
});

test('a waiting worker is handed a key the moment it is ready', async () => {
  const { queue, clock } = rig();
  let got: string | undefined;
  void queue.take().then((key) => {
    got = key;
  });
  queue.add('a', { delayMs: 100 });
  await clock.advance(99);
  assert.equal(got, undefined);
  await clock.advance(1);
  assert.equal(got, 'a');
});

test('each failure doubles the wait of that key alone, up to five minutes, and forget ends it', async () => {
  const { queue, clock, drain, metric } = rig();
  const waits: number[] = [];
  for (let failure = 0; failure < 14; failure++) {
    queue.retry('a');
    waits.push(clock.pending()[0] ?? assert.fail());
    await clock.advance(waits.at(-1) ?? 0);
    assert.deepEqual(await drain(), ['a']);
  }
  assert.deepEqual(waits.slice(0, 4), [100, 200, 400, 800]);
  assert.equal(waits.at(-1), 300_000);
  queue.retry('b');
  assert.equal(clock.pending()[0], 100);
  assert.equal(queue.failures('a'), 14);
  queue.forget('a');
  queue.retry('a', { atLeastMs: 7_000 });
  assert.deepEqual(clock.pending(), [100], 'one timer, for the next key');
  await clock.advance(100);
  assert.deepEqual(clock.pending(), [6_900], 'a server that asks for seven seconds gets them');
  assert.equal(await metric('workqueue_retries_total'), 16);
});

test('a closed queue hands out nothing, wakes its workers and leaves no timer', async () => {
  const { queue, clock } = rig();
  queue.add('later', { delayMs: 1_000 });
  const waiting = queue.take();
  queue.close();
  assert.equal(await waiting, undefined);
  queue.add('a');
  assert.equal(await queue.take(), undefined);
  assert.deepEqual(clock.pending(), []);
});

test('the metrics tell depth, waiting time, work time and what is in work too long', async () => {
  const { queue, clock, metric } = rig();
  queue.add('a');
  queue.add('b');
  assert.equal(await metric('workqueue_depth'), 2);
  await clock.advance(2_000);
  await queue.take();
  await clock.advance(3_000);
  await queue.take();
  await clock.advance(1_000);
  assert.equal(await metric('workqueue_depth'), 0);
  assert.equal(await metric('workqueue_queue_duration_seconds_sum'), 2 + 5);
  assert.equal(await metric('workqueue_unfinished_work_seconds'), 4 + 1);
  assert.equal(await metric('workqueue_longest_running_processor_seconds'), 4);
  queue.done('a');
  queue.done('b');
  assert.equal(await metric('workqueue_work_duration_seconds_sum'), 5);
  assert.equal(await metric('workqueue_unfinished_work_seconds'), 0);
});

test('a key that is put off again and again does not fill the memory', async () => {
  const { queue } = rig();
  queue.add('first', { delayMs: 60_000 });
  for (let round = 0; round < 10_000; round++) {
    queue.add('a', { delayMs: 3_600_000 });
    queue.add('a');
    queue.done((await queue.take()) ?? assert.fail());
  }
  queue.add('a', { delayMs: 3_600_000 });
  assert.deepEqual(queue.size, { ready: 0, delayed: 2, inWork: 0 });
  assert.ok(queue.held < 100, `${queue.held} wishes in memory`);
});

type Step = { act: 'add'; key: string; delayMs: number; low: boolean } | { act: 'take' | 'done' | 'wait'; by: number };

test('whatever happens: no key is lost, none is in work twice, none comes before its time', async () => {
  const key = fc.constantFrom('a', 'b', 'c');
  const step: fc.Arbitrary<Step> = fc.oneof(
    fc.record({ act: fc.constant('add' as const), key, delayMs: fc.constantFrom(0, 0, 5, 50), low: fc.boolean() }),
    fc.record({ act: fc.constantFrom('take' as const, 'done' as const, 'wait' as const), by: fc.nat(60) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const { queue, clock } = rig();
      // The model: for each key the earliest time wished since it was last taken.
      const wished = new Map<string, number>();
      const inWork: string[] = [];
      const take = async (): Promise<void> => {
        const taken = (await queue.take()) ?? assert.fail();
        assert.ok(!inWork.includes(taken), `${taken} is in work twice`);
        const due = wished.get(taken);
        assert.ok(due !== undefined && due <= clock.monotonic(), `${taken} came too early or unasked`);
        wished.delete(taken);
        inWork.push(taken);
      };
      for (const one of steps) {
        if (one.act === 'add') {
          const at = clock.monotonic() + one.delayMs;
          wished.set(one.key, Math.min(wished.get(one.key) ?? at, at));
          queue.add(one.key, { delayMs: one.delayMs, priority: one.low ? LOW_PRIORITY : 0 });
        } else if (one.act === 'wait') await clock.advance(one.by);
        else if (one.act === 'take' && queue.size.ready > 0) await take();
        else if (one.act === 'done') {
          const done = inWork.shift();
          if (done !== undefined) queue.done(done);
        }
        const due = [...wished].filter(([k, at]) => at <= clock.monotonic() && !inWork.includes(k));
        if (one.act === 'wait') assert.equal(queue.size.ready, due.length, 'all that is due is ready');
      }
      for (const done of inWork.splice(0)) queue.done(done);
      await clock.advance(100);
      while (queue.size.ready > 0) await take();
      assert.equal(wished.size, 0, 'nothing was lost');
    }),
    { numRuns: 200 },
  );
});

test('a heap gives back what it was given, smallest first', () => {
  fc.assert(
    fc.property(fc.array(fc.integer()), fc.integer(), (numbers, bound) => {
      const heap = new Heap<number>((a, b) => a < b);
      for (const number of numbers) heap.push(number);
      heap.retain((number) => number >= bound);
      const out: number[] = [];
      while (heap.size > 0) out.push(heap.pop() ?? assert.fail());
      assert.deepEqual(
        out,
        numbers.filter((number) => number >= bound).sort((a, b) => a - b),
      );
    }),
  );
});

test('a backoff stays within its bounds and never shrinks but by jitter', () => {
  const policy = fc.record({
    baseMs: fc.integer({ min: 1, max: 1_000 }),
    maxMs: fc.integer({ min: 1_000, max: 1e6 }),
    jitter: fc.double({ min: 0, max: 1, noNaN: true }),
  });
  fc.assert(
    fc.property(
      policy,
      fc.integer({ min: 1, max: 5_000 }),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      (p, n, chance) => {
        const wait = backoffMs(n, p, () => chance);
        const full = backoffMs(n, p, () => 0);
        assert.ok(full <= p.maxMs && wait <= full && wait >= full * (1 - p.jitter) - 1e-6);
        assert.ok(backoffMs(n + 1, p, () => 0) >= full);
      },
    ),
  );
});

test('turn and clock are fair: timers of one moment fire in the order of their setting', async () => {
  const clock = new FakeClock();
  const fired: number[] = [];
  for (const at of [1, 2, 3]) clock.after(5, () => fired.push(at));
  await clock.advance(5);
  await turn();
  assert.deepEqual(fired, [1, 2, 3]);
});
