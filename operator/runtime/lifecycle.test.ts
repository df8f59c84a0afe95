// SPDX-License-Identifier: Apache-2.0

import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { test } from 'node:test';
import { FakeClock, turn } from './clock.fake.ts';
import { aborted } from './clock.ts';
import { Lifecycle } from './lifecycle.ts';

function rig(): { signals: EventEmitter; clock: FakeClock; exits: number[]; lifecycle: Lifecycle } {
  const signals = new EventEmitter();
  const clock = new FakeClock();
  const exits: number[] = [];
  const lifecycle = new Lifecycle({ signals, clock, exit: (code) => exits.push(code), deadlineMs: 20_000 });
  return { signals, clock, exits, lifecycle };
}

for (const name of ['SIGTERM', 'SIGINT'])
  test(`${name} stops in the opposite order of the start, one step after another, and answers 0`, async () => {
    const { signals, clock, exits, lifecycle } = rig();
    const order: string[] = [];
    for (const step of ['first', 'second', 'third'])
      lifecycle.onStop(step, async () => {
        order.push(`${step} begins`);
        await turn();
        order.push(`${step} ends`);
      });
    const running = lifecycle.run(async (signal) => {
      await aborted(signal);
      order.push('main');
    });
    signals.emit(name);
    assert.equal(await running, 0);
    const steps = ['third', 'second', 'first'].flatMap((step) => [`${step} begins`, `${step} ends`]);
    assert.deepEqual(order, ['main', ...steps]);
    assert.deepEqual([exits, clock.pending(), signals.listenerCount(name)], [[], [], 0]);
  });

test('a second signal exits at once', async () => {
  const { signals, exits, lifecycle } = rig();
  void lifecycle.run(() => new Promise(() => {}));
  signals.emit('SIGINT');
  assert.deepEqual(exits, []);
  signals.emit('SIGINT');
  assert.deepEqual(exits, [130]);
});

test('a stop that hangs exits at the deadline', async () => {
  const { signals, clock, exits, lifecycle } = rig();
  lifecycle.onStop('hangs', () => new Promise(() => {}));
  void lifecycle.run(aborted);
  signals.emit('SIGTERM');
  await clock.advance(19_999);
  assert.deepEqual(exits, []);
  await clock.advance(1);
  assert.deepEqual(exits, [1]);
});

test('a failure stops in order too, does not spare the other steps, and answers 1', async () => {
  const { lifecycle } = rig();
  const order: string[] = [];
  lifecycle.onStop('first', () => void order.push('first'));
  lifecycle.onStop('second', () => Promise.reject(new Error('no')));
  assert.equal(await lifecycle.run(() => Promise.reject(new Error('boom'))), 1);
  assert.deepEqual(order, ['first']);
  assert.equal(lifecycle.signal.aborted, true);
});

test('a program that ends by itself is stopped in order and answers 0', async () => {
  const { lifecycle } = rig();
  let stopped = false;
  lifecycle.onStop('step', () => {
    stopped = true;
  });
  assert.equal(await lifecycle.run(async () => {}), 0);
  assert.equal(stopped, true);
});
