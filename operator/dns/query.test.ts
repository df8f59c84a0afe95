// SPDX-License-Identifier: Apache-2.0

// One question to one server, over real sockets on loopback: every way in which the answer comes or does not come.
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { after, before, beforeEach, describe, test } from 'node:test';
import { type DecodedPacket, encode } from 'dns-packet';
import { FakeClock } from '../runtime/clock.fake.ts';
import { systemClock } from '../runtime/clock.ts';
import type { DnsQuestion } from './message.ts';
import { type FakeNameServer, type FakeZones, response, startNameServer } from './name-server.fake.ts';
import { networkExchange } from './query.ts';
import { sendTcp } from './transport.ts';

const srv = (target: string, weight = 60) =>
  ({ type: 'SRV', data: { priority: 0, weight, port: 1688, target } }) as const;
const ZONES: FakeZones = {
  'lab.example': {
    '_vlmcs._tcp.lab.example': [srv('campus-0.kms.lab.example')],
    'campus-0.kms.lab.example': [{ type: 'A', data: '10.0.0.1' }],
    'many.lab.example': Array.from({ length: 60 }, (_, n) => srv(`campus-${n}.kms.lab.example`, n)),
  },
};
const question: DnsQuestion<'SRV'> = { name: '_vlmcs._tcp.lab.example', type: 'SRV', recursionDesired: false };
const found = [{ priority: 0, weight: 60, port: 1688, target: 'campus-0.kms.lab.example', ttlSeconds: 60 }];
const forever = new AbortController().signal;

/** Patient where an answer is expected, impatient where none is. */
const patient = networkExchange({ timeoutMs: 5000 });
const impatient = networkExchange({ timeoutMs: 60 });
/** Waits for a silence, and is not thrown off by a busy machine when it then wants an answer. */
const halfway = networkExchange({ timeoutMs: 500 });

describe('a question to one server', () => {
  let server: FakeNameServer;
  before(async () => {
    server = await startNameServer();
  });
  after(() => server.close());
  beforeEach(() => {
    server.serve(ZONES);
    server.behave('answer');
    server.seen.length = 0;
  });

  test('is asked by UDP with EDNS, without recursion, and answered with the records', async () => {
    assert.deepEqual(await patient.ask(server, question, forever), { ok: true, records: found });
    const { name } = question;
    assert.deepEqual(server.seen, [{ name, type: 'SRV', transport: 'udp', recursionDesired: false, edns: true }]);
  });

  test('asks for recursion where it is desired', async () => {
    await patient.ask(server, { ...question, recursionDesired: true }, forever);
    assert.equal(server.seen[0]?.recursionDesired, true);
  });

  test('about what is not there gives no records, and says whether the name is missing or the type', async () => {
    const zone = { apex: 'lab.example', ttlSeconds: 30 };
    assert.deepEqual(await patient.ask(server, { ...question, name: 'nobody.lab.example' }, forever), {
      ok: true,
      records: [],
      empty: 'NxDomain',
      zone,
    });
    for (const name of ['campus-0.kms.lab.example', 'kms.lab.example']) {
      const reply = await patient.ask(server, { ...question, name }, forever);
      assert.deepEqual(reply, { ok: true, records: [], empty: 'NoData', zone });
    }
  });

  for (const [behaviour, error] of [
    ['refuse', 'REFUSED'],
    ['servfail', 'SERVFAIL'],
    ['referUpwards', 'refers to other servers (lame delegation)'],
    ['garbage', 'malformed answer'],
  ] as const) {
    test(`has the error "${error}" when the server ${behaviour}s`, async () => {
      server.behave(behaviour);
      assert.deepEqual(await patient.ask(server, question, forever), { ok: false, error });
    });
  }

  test('is answered also by a server that is not authoritative', async () => {
    server.behave('notAuthoritative');
    assert.deepEqual(await patient.ask(server, question, forever), { ok: true, records: found });
  });

  test('is asked again by TCP when the answer is too long', async () => {
    server.behave('truncate');
    const reply = await patient.ask(server, { ...question, name: 'many.lab.example' }, forever);
    assert.equal(reply.ok && reply.records.length, 60);
    assert.deepEqual(
      server.seen.map(({ transport }) => transport),
      ['udp', 'tcp'],
    );
  });

  test('is asked twice by UDP and then by TCP when nothing comes back', async () => {
    server.behave('silentByUdp');
    assert.deepEqual(await halfway.ask(server, question, forever), { ok: true, records: found });
    assert.deepEqual(
      server.seen.map(({ transport }) => transport),
      ['udp', 'udp', 'tcp'],
    );
  });

  test('times out when nothing comes back at all', async () => {
    server.behave('silent');
    assert.deepEqual(await impatient.ask(server, question, forever), { ok: false, silent: true, error: 'timed out' });
  });

  test('is asked again when the first answer is lost or damaged', async () => {
    for (const first of [undefined, 'damaged']) {
      let asked = 0;
      server.behave((query) => {
        asked += 1;
        const whole = encode(response(query, { answers: [{ name: question.name, ...srv('a.example') }] }));
        if (asked > 1) return whole;
        return first === undefined ? undefined : whole.subarray(0, whole.length - 3);
      });
      const reply = await halfway.ask(server, question, forever);
      assert.equal(reply.ok && reply.records.length, 1);
    }
  });

  test('does not take an answer with another ID or to another question', async () => {
    for (const behaviour of ['wrongId', 'otherQuestion'] as const) {
      server.behave(behaviour);
      const reply = await impatient.ask(server, question, forever);
      assert.equal(reply.ok, false);
    }
  });

  test('is asked without EDNS when the server does not know that', async () => {
    server.behave('withoutEdns');
    assert.deepEqual(await patient.ask(server, question, forever), { ok: true, records: found });
    assert.deepEqual(
      server.seen.map(({ edns }) => edns),
      [true, false],
    );
  });

  test('ends when it is given up, also before it was begun', async () => {
    server.behave('silent');
    const abort = new AbortController();
    const timeless = networkExchange({ clock: new FakeClock() });
    const asking = timeless.ask(server, question, abort.signal);
    abort.abort();
    assert.deepEqual(await asking, { ok: false, error: 'given up' });
    assert.deepEqual(await timeless.ask(server, question, abort.signal), { ok: false, error: 'given up' });
  });

  test('is never sent with a name that is none', async () => {
    for (const name of ['', 'a..b', `${'x'.repeat(64)}.example`, 'exämple', 'a\\046b', `${'abc.'.repeat(64)}x`]) {
      const reply = await patient.ask(server, { ...question, name }, forever);
      assert.deepEqual(reply, { ok: false, error: 'not a DNS name' });
    }
    assert.equal(server.seen.length, 0);
  });

  test('does not repeat its ID', async () => {
    const ids = new Set<number>();
    server.behave((query: DecodedPacket) => {
      ids.add(query.id ?? 0);
      return encode(response(query, {}));
    });
    for (let n = 0; n < 20; n++) await patient.ask(server, question, forever);
    assert.ok(ids.size > 15);
  });
});

describe('a server that is not there', () => {
  test('is told at once by the system', async () => {
    const server = await startNameServer();
    await server.close();
    assert.deepEqual(await patient.ask(server, question, forever), { ok: false, error: 'connection refused' });
  });

  test('that listens on UDP alone and stays silent is named with both failures', async () => {
    const socket = createSocket('udp4');
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    const reply = await impatient.ask({ address: '127.0.0.1', port: socket.address().port }, question, forever);
    socket.close();
    assert.deepEqual(reply, { ok: false, silent: true, error: 'timed out over UDP, connection refused over TCP' });
  });

  test('has an address that the system does not take', async () => {
    const reply = await patient.ask({ address: '127.0.0.1', port: 70_000 }, question, forever);
    assert.equal(reply.ok, false);
  });

  test('answers from another address than it was asked at, and is not heard', async () => {
    const asked = createSocket('udp4');
    const other = createSocket('udp4');
    asked.bind(0, '127.0.0.1');
    other.bind(0, '127.0.0.1');
    await Promise.all([once(asked, 'listening'), once(other, 'listening')]);
    asked.on('message', (bytes, peer) => other.send(bytes, peer.port, peer.address));
    const reply = await impatient.ask({ address: '127.0.0.1', port: asked.address().port }, question, forever);
    asked.close();
    other.close();
    assert.equal(reply.ok, false);
  });
});

describe('a TCP connection', () => {
  const attempt = { message: Buffer.alloc(4), timeoutMs: 5000, clock: systemClock, signal: forever };

  test('gives the message whole, however small the pieces are', async () => {
    const server = createServer((socket) => {
      for (const byte of [0, 3, 1, 2, 3, 99]) socket.write(Buffer.from([byte]));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const sent = await sendTcp({ ...attempt, server: { address: '127.0.0.1', port }, read: (bytes) => [...bytes] });
    server.close();
    assert.deepEqual(sent, { kind: 'answer', answer: [1, 2, 3] });
  });

  test('that is closed too early is an error', async () => {
    const server = createServer((socket) => socket.end(Buffer.from([0, 9, 1])));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const sent = await sendTcp({ ...attempt, server: { address: '127.0.0.1', port }, read: (bytes) => bytes });
    server.close();
    assert.deepEqual(sent, { kind: 'error', error: 'connection closed without an answer' });
  });
});

test('a question over IPv6 is answered', async (context) => {
  let server: FakeNameServer;
  try {
    server = await startNameServer({ zones: ZONES, address: '::1' });
  } catch {
    return context.skip('this machine has no IPv6');
  }
  const reply = await patient.ask(server, question, forever);
  await server.close();
  assert.deepEqual(reply, { ok: true, records: found });
});
