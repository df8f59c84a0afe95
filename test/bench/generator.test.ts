// SPDX-License-Identifier: Apache-2.0
//
// Proves the load generator, the one in TypeScript and the fast engine, against the canned server: every request answered,
// connections opened anew where they must be, a wrong answer seen.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after, before } from 'node:test';
import { buildEngine, runEngine } from './engine.ts';
import { startGenerator } from './generator.ts';
import { answers, freePort } from './processes.ts';
import { BIND, makeRequestSet } from './requests.ts';

const requestSet = makeRequestSet({ poolSecret: randomBytes(32), protocol: 4, clients: 10 });
const engine = buildEngine();
const common = { address: '127.0.0.1', connections: 4, requestSet, verifyEvery: 0 } as const;
let port = 0;
let server: ReturnType<typeof spawn>;

before(async () => {
  port = await freePort();
  server = spawn(process.execPath, [join(import.meta.dirname, 'canned-server.ts'), String(port)], { stdio: 'ignore' });
  const deadline = performance.now() + 10_000;
  while (!(await answers(port, BIND))) assert.ok(performance.now() < deadline, 'the canned server did not start');
});

after(() => server.kill());

test('the requests have the sizes that the canned server tells apart', () => {
  assert.equal(requestSet.bind.length, 72);
  assert.deepEqual([...new Set(requestSet.requests.map((pdu) => pdu.length))], [284]);
  const v6 = makeRequestSet({ poolSecret: randomBytes(32), protocol: 6, clients: 2 });
  assert.deepEqual(
    v6.requests.map((pdu) => pdu.length),
    [292, 292],
  );
  assert.notDeepEqual(v6.requests[0], v6.requests[1]);
});

for (const mode of ['fresh', 'persistent'] as const) {
  test(`a ${mode} run of 2500 requests gets 2500 answers and no error`, async () => {
    const generator = startGenerator({ ...common, port, mode, maxRequests: 2500 });
    await generator.finished;
    assert.equal(generator.tally.latencies.total, 2500);
    assert.equal(generator.tally.errors.size, 0);
  });

  test(`the fast engine gets answers in ${mode} mode`, { skip: engine === undefined && 'no C compiler' }, async () => {
    const times = { warmupSeconds: 0.1, seconds: 0.3, serverPid: server.pid ?? 0, serverCore: 0 };
    const order = { ...common, ...times, port, mode, engine: engine ?? '', scratch: tmpdir() };
    const { tally, wallSeconds } = await runEngine(order);
    assert.ok(tally.latencies.total > 50, `only ${tally.latencies.total} answers`);
    assert.deepEqual(Object.fromEntries(tally.errors), {});
    assert.ok(wallSeconds >= 0.3);
  });
}

test('canned answers do not pass the full check', async () => {
  const generator = startGenerator({ ...common, port, mode: 'persistent', maxRequests: 20, verifyEvery: 10 });
  await generator.finished;
  assert.equal(generator.tally.verified, 2);
  assert.match([...generator.tally.errors.keys()].join(), /^wrong answer: /);
});

test('the canned server frames PDUs that come in single bytes and glued together', async () => {
  const socket = net.connect({ host: '127.0.0.1', port, noDelay: true });
  const [request = BIND] = requestSet.requests;
  for (const byte of BIND) socket.write(Buffer.from([byte]));
  socket.end(Buffer.concat([request, request, request]));
  let received = 0;
  for await (const chunk of socket) received += (chunk as Buffer).length;
  assert.equal(received, 60 + 3 * 200);
});

test('a port without a server ends the run with its reason', async () => {
  const generator = startGenerator({ ...common, port: await freePort(), mode: 'fresh' });
  await assert.rejects(generator.finished, /more than 1000 errors, the last one: ECONNREFUSED/);
});
