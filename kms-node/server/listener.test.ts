// SPDX-License-Identifier: Apache-2.0
//
// The listener's deadlines and its drain with a clock that the test moves (docs/adr/0005). What clients are told is tested on whole hosts, in test/integration.

import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { test } from 'node:test';
import { encodeBind, encodeRequest, encodeRequestStub, KMS_INTERFACE, NDR32 } from '@kmspool/kms/wire';
import type { ServeCall } from './connection.ts';
import { LIMITS } from './limits.ts';
import { KmsListener } from './listener.ts';

const BIND = encodeBind({
  callId: 1,
  maxXmitFrag: 5840,
  maxRecvFrag: 5840,
  assocGroupId: 0,
  elements: [{ contextId: 0, abstractSyntax: KMS_INTERFACE, transferSyntaxes: [NDR32] }],
});
const REQUEST = encodeRequest({
  callId: 2,
  contextId: 0,
  stub: encodeRequestStub(Buffer.alloc(252), { syntax: 'NDR32', littleEndian: true }),
});
const ANSWER = Buffer.from('0500020310000000180000000200000000000000', 'hex');

/** Waits for a state for at most 5 s. */
async function reaches(state: () => boolean, what: string): Promise<void> {
  const end = performance.now() + 5_000;
  while (!state()) {
    assert.ok(performance.now() < end, `never came to pass: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

interface Scene {
  readonly listener: KmsListener;
  /** Moves the clock. */
  pass(ms: number): void;
  /** Two sweeps of the real timer at the present time of the clock. */
  swept(): Promise<void>;
  connect(): Promise<Peer>;
}

interface Peer {
  readonly socket: Socket;
  received(): number;
  ended(): boolean;
}

const answerAtOnce: ServeCall = (_call, _address, reply) => reply({ pdu: ANSWER, close: false });

async function withListener(serve: ServeCall, play: (scene: Scene) => Promise<void>): Promise<void> {
  let now = 1_000;
  const listener = new KmsListener({
    serve,
    settings: { allowedSources: ['127.0.0.0/8'], connections: 0, connectionsPerSource: 0, advertisedPort: 0 },
    nowMs: () => now,
    groupSeed: 1,
  });
  await listener.listen('127.0.0.1', 0);
  const sockets: Socket[] = [];
  const open = async (): Promise<Peer> => {
    const socket = connect({ port: listener.port, host: '127.0.0.1', allowHalfOpen: true });
    sockets.push(socket);
    let received = 0;
    let ended = false;
    socket.on('data', (bytes: Buffer) => {
      received += bytes.length;
    });
    socket.on('error', () => undefined);
    for (const event of ['end', 'close']) {
      socket.on(event, () => {
        ended = true;
      });
    }
    const before = listener.open;
    await reaches(() => listener.open > before, 'accepted');
    return { socket, received: () => received, ended: () => ended };
  };
  const swept = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 2 * LIMITS.sweepMs + 50));
  try {
    await play({ listener, pass: (ms) => (now += ms), swept, connect: open });
  } finally {
    for (const socket of sockets) socket.destroy();
    await listener.drain(0, 0);
  }
}

async function bound(scene: Scene): Promise<Peer> {
  const peer = await scene.connect();
  peer.socket.write(BIND);
  await reaches(() => peer.received() === 60, 'bind_ack');
  return peer;
}

async function ask(peer: Peer): Promise<void> {
  const before = peer.received();
  peer.socket.write(REQUEST);
  await reaches(() => peer.received() === before + ANSWER.length, 'an answer');
}

test('a connection may be idle for 30 s between PDUs, and no longer', () =>
  withListener(answerAtOnce, async (scene) => {
    const peer = await bound(scene);
    await ask(peer);
    scene.pass(LIMITS.idleMs - 1);
    await scene.swept();
    assert.equal(peer.ended(), false);
    await ask(peer);
    scene.pass(LIMITS.idleMs - 1);
    await scene.swept();
    assert.equal(peer.ended(), false, 'a request starts the 30 s anew');
    scene.pass(1);
    await reaches(peer.ended, 'closed');
    assert.equal(scene.listener.counters.timedOut, 1);
  }));

test('a PDU that begins in the last second of an idle time has its own 5 s', () =>
  withListener(answerAtOnce, async (scene) => {
    const peer = await bound(scene);
    scene.pass(LIMITS.idleMs - 1_000);
    peer.socket.write(REQUEST.subarray(0, 20));
    await reaches(() => scene.listener.counters.bytesIn === BIND.length + 20, 'received');
    scene.pass(LIMITS.pduMs - 1);
    await scene.swept();
    assert.equal(peer.ended(), false);
    peer.socket.write(REQUEST.subarray(20));
    await reaches(() => peer.received() === 60 + ANSWER.length, 'an answer');
    scene.pass(LIMITS.idleMs - 1);
    await scene.swept();
    assert.equal(peer.ended(), false, 'idle from the answer on');
  }));

test('while a call is being served no time limit runs, and input that arrives meanwhile is answered after it', async () => {
  const waiting: (() => void)[] = [];
  const later: ServeCall = (_call, _address, reply) => {
    waiting.push(() => reply({ pdu: ANSWER, close: false }));
  };
  await withListener(later, async (scene) => {
    const peer = await bound(scene);
    peer.socket.write(Buffer.concat([REQUEST, REQUEST, REQUEST.subarray(0, 50)]));
    await reaches(() => waiting.length === 1, 'the first call');
    scene.pass(10 * LIMITS.idleMs);
    await scene.swept();
    assert.deepEqual([peer.ended(), waiting.length], [false, 1], 'one call at a time');
    waiting.shift()?.();
    await reaches(() => waiting.length === 1 && peer.received() === 60 + ANSWER.length, 'the second call');
    waiting.shift()?.();
    peer.socket.write(REQUEST.subarray(50));
    await reaches(() => waiting.length === 1, 'the third call');
    peer.socket.end();
    waiting.shift()?.();
    await reaches(() => peer.received() === 60 + 3 * ANSWER.length && peer.ended(), 'the last answer, then the end');
  });
});

test('a peer that sends on and on while its call is served is not read beyond 64 KiB', async () => {
  const waiting: (() => void)[] = [];
  const later: ServeCall = (_call, _address, reply) => {
    waiting.push(() => reply({ pdu: ANSWER, close: true }));
  };
  await withListener(later, async (scene) => {
    const peer = await bound(scene);
    peer.socket.write(REQUEST);
    await reaches(() => waiting.length === 1, 'the call');
    const flood = Buffer.alloc(64 * 1024);
    for (let n = 0; n < 256; n++) peer.socket.write(flood);
    let taken = -1;
    // Until nothing is taken any more between two looks.
    while (taken !== scene.listener.counters.bytesIn) {
      taken = scene.listener.counters.bytesIn;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    assert.ok(taken < 512 * 1024, `${taken} bytes were taken`);
    waiting.shift()?.();
    await reaches(peer.ended, 'closed');
  });
});

test('drain: who falls silent after an answer is let go, who has not asked yet is answered, and nobody new is let in', () =>
  withListener(answerAtOnce, async (scene) => {
    const served = await bound(scene);
    await ask(served);
    const fresh = await bound(scene);
    const silent = await scene.connect();
    const drained = scene.listener.drain(0, 60_000);
    await reaches(() => scene.listener.port === 0, 'not listening any more');
    await ask(served);
    scene.pass(LIMITS.letGoMs);
    await reaches(served.ended, 'the served one is let go');
    assert.deepEqual([fresh.ended(), silent.ended()], [false, false]);
    silent.socket.write(Buffer.concat([BIND, REQUEST]));
    fresh.socket.write(Buffer.concat([REQUEST, REQUEST]));
    await reaches(() => silent.received() === 60 + ANSWER.length, 'answered');
    await reaches(() => fresh.received() === 60 + 2 * ANSWER.length, 'answered twice');
    scene.pass(LIMITS.letGoMs);
    await reaches(() => silent.ended() && fresh.ended(), 'let go');
    for (const peer of [served, fresh, silent]) peer.socket.end();
    await drained;
    assert.equal(scene.listener.open, 0);
  }));

test('drain: towards its bound the next answer is the last', () =>
  withListener(answerAtOnce, async (scene) => {
    const fresh = await bound(scene);
    const late = await scene.connect();
    const drained = scene.listener.drain(0, 60_000);
    await reaches(() => scene.listener.port === 0, 'not listening any more');
    scene.pass(60_000 - LIMITS.lastAnswersMs);
    await new Promise((resolve) => setTimeout(resolve, 60)); // it looks every 20 ms
    fresh.socket.write(Buffer.concat([REQUEST, REQUEST]));
    await reaches(() => fresh.received() === 60 + ANSWER.length && fresh.ended(), 'answered once, then closed');
    late.socket.write(BIND);
    await reaches(() => late.received() === 60, 'bind_ack');
    late.socket.write(REQUEST);
    await reaches(() => late.received() === 60 + ANSWER.length && late.ended(), 'a bind_ack is no answer to a call');
    for (const peer of [fresh, late]) peer.socket.end();
    await drained;
  }));

test('drain: binds alone, as health checks make, do not put off the end; clients do, up to the bound', () =>
  withListener(answerAtOnce, async (scene) => {
    let over = false;
    const drained = scene.listener.drain(2_000, 10_000).then(() => {
      over = true;
    });
    scene.pass(1_999);
    const client = await bound(scene);
    await ask(client);
    await new Promise((resolve) => setTimeout(resolve, 60));
    scene.pass(1_999);
    const probe = await bound(scene);
    assert.equal(over, false);
    probe.socket.destroy();
    scene.pass(1);
    client.socket.end();
    await drained;
  }));

test('drain ends what is left at its bound', () =>
  withListener(answerAtOnce, async (scene) => {
    const silent = await scene.connect();
    const drained = scene.listener.drain(0, 5_000);
    await new Promise((resolve) => setTimeout(resolve, 60));
    assert.equal(silent.ended(), false);
    scene.pass(5_000);
    await drained;
    await reaches(silent.ended, 'closed');
  }));

test('what a queue held once does not count against a peer that has read it since', () =>
  withListener(answerAtOnce, async (scene) => {
    const peer = await bound(scene);
    peer.socket.pause();
    // 2,400 bytes an answer, for as long as the kernel takes them: an alter_context of 100 held elements.
    const element = { contextId: 0, abstractSyntax: KMS_INTERFACE, transferSyntaxes: [NDR32] };
    const elements = Array.from({ length: 100 }, () => element);
    const alter = encodeBind({ ptype: 14, callId: 3, maxXmitFrag: 0, maxRecvFrag: 0, assocGroupId: 0, elements });
    const alters = Buffer.concat(new Array(10).fill(alter));
    const handles = (process as unknown as { _getActiveHandles(): Socket[] })._getActiveHandles();
    const server = handles.find((handle) => handle.remotePort === peer.socket.localPort);
    assert.ok(server);
    for (let full = false; !full; ) {
      const before = server.bytesWritten;
      peer.socket.write(alters);
      await reaches(() => server.bytesWritten >= before + 24_320, 'answers');
      if (server.writableLength > 0) await new Promise((resolve) => setTimeout(resolve, 100));
      full = server.writableLength > 0;
    }
    peer.socket.resume();
    await reaches(() => server.writableLength === 0, 'all is read');
    scene.pass(LIMITS.unreadMs + 1_000);
    await scene.swept();
    assert.equal(peer.ended(), false);
    await ask(peer);
  }));
