// SPDX-License-Identifier: Apache-2.0

import assert from 'node:assert/strict';
import { test } from 'node:test';
import pino from 'pino';
import { type FakeApiServer, startFakeApiServer } from './api-server.fake.ts';
import { FakeClock, turn, until } from './clock.fake.ts';
import { Controller, type ControllerOptions, type Reconcile } from './controller.ts';
import { ApiError, NotLeaderError, TerminalError } from './errors.ts';
import type { Logger } from './log.ts';
import { keyOf } from './resource.ts';

interface Rig {
  readonly clock: FakeClock;
  readonly controller: Controller;
  readonly stop: () => Promise<void>;
  readonly ended: () => boolean;
  readonly metrics: () => Promise<string>;
}

function startRig(server: FakeApiServer, reconcile: Reconcile, more: Partial<ControllerOptions> = {}): Rig {
  const clock = new FakeClock();
  const { metrics } = server;
  const controller = new Controller({ name: 'widget', reconcile, metrics, clock, random: () => 0, ...more });
  const stopping = new AbortController();
  let ended = false;
  const running = controller.run(stopping.signal).then(() => {
    ended = true;
  });
  return {
    clock,
    controller,
    ended: () => ended,
    metrics: () => server.registry.metrics(),
    stop: async () => {
      stopping.abort(new Error('stop'));
      await running;
    },
  };
}

test('a success is not repeated, requeueAfter is, at its time', async () => {
  await using server = await startFakeApiServer();
  const seen: string[] = [];
  const rig = startRig(server, async (request) => {
    seen.push(keyOf(request));
    return request.name === 'again' ? { requeueAfterMs: 60_000 } : undefined;
  });
  rig.controller.enqueue({ namespace: 'ns', name: 'once' });
  rig.controller.enqueue({ name: 'again' });
  await until(() => seen.length === 2, 'two reconciles');
  await turn();
  await rig.clock.advance(59_999);
  assert.equal(seen.length, 2);
  await rig.clock.advance(1);
  assert.deepEqual(seen, ['ns/once', 'again', 'again']);
  const text = await rig.metrics();
  assert.match(text, /controller_runtime_reconcile_total\{controller="widget",result="success"\} 1/);
  assert.match(text, /controller_runtime_reconcile_total\{controller="widget",result="requeue_after"\} 2/);
  assert.match(text, /controller_runtime_max_concurrent_reconciles\{controller="widget"\} 1/);
  assert.match(text, /controller_runtime_reconcile_time_seconds_count\{controller="widget"\} 3/);
  await rig.stop();
});

test('an error is tried again with growing patience until it succeeds; then patience is short again', async () => {
  await using server = await startFakeApiServer();
  const at: number[] = [];
  let failing = true;
  const rig = startRig(server, async () => {
    at.push(rig.clock.monotonic());
    if (failing) throw new Error('no');
    return undefined;
  });
  rig.controller.enqueue({ name: 'a' });
  await turn();
  for (const ms of [100, 200, 400]) await rig.clock.advance(ms);
  assert.deepEqual(at, [0, 100, 300, 700]);
  failing = false;
  await rig.clock.advance(800);
  failing = true;
  rig.controller.enqueue({ name: 'a' });
  await turn();
  await rig.clock.advance(100);
  assert.deepEqual(at.slice(4), [1_500, 1_500, 1_600]);
  assert.match(await rig.metrics(), /controller_runtime_reconcile_errors_total\{controller="widget"\} 6/);
  await rig.stop();
});

test('a TerminalError is not tried again, and is counted as such', async () => {
  await using server = await startFakeApiServer();
  let calls = 0;
  const rig = startRig(server, async () => {
    calls++;
    throw new TerminalError('the spec is wrong');
  });
  rig.controller.enqueue({ name: 'a' });
  await turn();
  await rig.clock.advance(3_600_000);
  assert.equal(calls, 1);
  const text = await rig.metrics();
  assert.match(text, /controller_runtime_terminal_reconcile_errors_total\{controller="widget"\} 1/);
  assert.match(text, /controller_runtime_reconcile_total\{controller="widget",result="error"\} 1/);
  await rig.stop();
});

test('a server that asks for patience gets it', async () => {
  await using server = await startFakeApiServer();
  let calls = 0;
  const refusal = { statusCode: 429, reason: 'TooManyRequests', message: '', retryAfterSeconds: 30, request: '' };
  const rig = startRig(server, async () => {
    if (++calls === 1) throw new ApiError(refusal);
    return undefined;
  });
  rig.controller.enqueue({ name: 'a' });
  await turn();
  await rig.clock.advance(29_999);
  assert.equal(calls, 1);
  await rig.clock.advance(1);
  assert.equal(calls, 2);
  await rig.stop();
});

test('as many workers as wanted, but never two on one object', async () => {
  await using server = await startFakeApiServer();
  const running = new Map<string, number>();
  let most = 0;
  const finish: (() => void)[] = [];
  const rig = startRig(
    server,
    async (request) => {
      const key = keyOf(request);
      running.set(key, (running.get(key) ?? 0) + 1);
      assert.equal(running.get(key), 1, `${key} twice at once`);
      most = Math.max(
        most,
        [...running.values()].reduce((a, b) => a + b),
      );
      await new Promise<void>((resolve) => finish.push(resolve));
      running.set(key, 0);
      return undefined;
    },
    { workers: 3 },
  );
  for (const name of ['a', 'b', 'c', 'd', 'a', 'b']) rig.controller.enqueue({ name });
  await until(() => finish.length === 3, 'three at work');
  rig.controller.enqueue({ name: 'a' });
  assert.match(await rig.metrics(), /controller_runtime_active_workers\{controller="widget"\} 3/);
  let done = 0;
  while (done < 5) {
    await until(() => finish.length > 0, 'one at work');
    finish.shift()?.();
    done++;
  }
  assert.equal(most, 3);
  await until(() => rig.controller.pending.inWork === 0, 'all done');
  await rig.stop();
});

test('a stop lets the running reconcile finish, begins none, and after its patience aborts the signal', async () => {
  await using server = await startFakeApiServer();
  let finish: (() => void) | undefined;
  let began = 0;
  let abortedWith: unknown;
  const rig = startRig(
    server,
    (_, { signal }) => {
      began++;
      return new Promise((resolve, reject) => {
        finish = () => resolve(undefined);
        signal.addEventListener('abort', () => {
          abortedWith = signal.reason;
          reject(signal.reason as Error);
        });
      });
    },
    { drainMs: 4_000 },
  );
  rig.controller.enqueue({ name: 'a' });
  rig.controller.enqueue({ name: 'b' });
  await until(() => finish !== undefined, 'at work');
  const stopped = rig.stop();
  await rig.clock.advance(3_999);
  assert.equal(rig.ended(), false);
  assert.equal(abortedWith, undefined);
  await rig.clock.advance(1);
  await stopped;
  assert.match(String(abortedWith), /stop/);
  assert.equal(began, 1);
  assert.deepEqual(rig.clock.pending(), []);
});

test('the log of a reconcile carries controller, object and an ID of its own; losing a race is no error in it', async () => {
  await using server = await startFakeApiServer();
  const lines: { level: number; name?: string; controller?: string; reconcileId?: string; msg: string }[] = [];
  const log: Logger = pino({ level: 'debug' }, { write: (line: string) => lines.push(JSON.parse(line)) });
  const rig = startRig(
    server,
    async (request, { log: own }) => {
      own.info({}, 'hello');
      if (request.name === 'b') throw new NotLeaderError();
      return undefined;
    },
    { log },
  );
  rig.controller.enqueue({ namespace: 'ns', name: 'a' });
  rig.controller.enqueue({ namespace: 'ns', name: 'b' });
  await until(() => lines.length === 3, 'three lines');
  assert.deepEqual(
    lines.map(({ name, controller, msg }) => [controller, name, msg]),
    [
      ['widget', 'a', 'hello'],
      ['widget', 'b', 'hello'],
      ['widget', 'b', 'reconcile will be repeated'],
    ],
  );
  assert.notEqual(lines[0]?.reconcileId, lines[1]?.reconcileId);
  assert.ok(lines.every(({ level }) => level < 40));
  await rig.stop();
});

test('a queue full of reconciles that wait for nothing leaves every other event its turn', async () => {
  await using server = await startFakeApiServer();
  let done = 0;
  const rig = startRig(server, async () => {
    done++;
  });
  for (let n = 0; n < 100; n++) rig.controller.enqueue({ name: `w-${n}` });
  const seen = new Set<number>();
  while (done < 100) {
    seen.add(done);
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.ok(seen.size > 50, `others had ${seen.size} turns during 100 reconciles`);
  await rig.stop();
});
