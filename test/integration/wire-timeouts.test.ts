// SPDX-License-Identifier: Apache-2.0
//
// docs/protocol.md §5.3, the rows that wait: 1, 2, 10, 51, 86, in real time and side by side, so that all of them take as long as the longest. A limit may be
// late by a sweep and a busy machine, never early.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Socket } from 'node:net';
import { after, describe, test } from 'node:test';
import { NDR32, PFC, PTYPE } from '@kmspool/kms/wire';
import { askGood, expectAck, withBound, withClient } from '../harness/expect.ts';
import { startTestHost } from '../harness/host.ts';
import { bindPdu, element, requestBody, requestPdu, stubPdu } from '../harness/messages.ts';
import type { RpcClient } from '../harness/rpc-client.ts';

const host = await startTestHost();
after(() => host.stop());

const LATE_MS = 2_000;

/** Waits for the server to close and holds that it took `limitMs`, counted from `start`, and nothing was sent. */
async function closesAfter(client: RpcClient, start: number, limitMs: number): Promise<void> {
  await client.expectEnd(limitMs + 10_000);
  const tookMs = performance.now() - start;
  assert.ok(tookMs >= limitMs - 500 && tookMs <= limitMs + LATE_MS, `closed after ${Math.round(tookMs)} ms`);
}

/** The server's end of a connection: host and test are one process. */
function serverSocketOf(client: RpcClient): Socket {
  const handles = (process as unknown as { _getActiveHandles(): unknown[] })._getActiveHandles();
  const found = handles.find((handle) => handle instanceof Socket && handle.remotePort === client.socket.localPort);
  assert.ok(found instanceof Socket);
  return found;
}

/** Until the server has written so many bytes, to the kernel or to its queue. */
async function answered(server: Socket, bytes: number): Promise<void> {
  const end = performance.now() + 5_000;
  while (server.bytesWritten < bytes) {
    assert.ok(performance.now() < end && !server.destroyed, 'the server answers');
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const ANSWER_BYTES = 32 + 24 * 100;

/** Asks for an answer of about 2.4 kB that counts as no request: an alter_context of 100 elements for a held context. */
function alterPdu(): Buffer {
  const elements = Array.from({ length: 100 }, () => element(0, NDR32));
  return bindPdu({ ptype: PTYPE.alterContext, callId: 9, elements });
}

describe('time limits', { concurrency: true }, () => {
  test('row 1: connect, send nothing → closed at 10 s', () =>
    withClient(host, (client) => closesAfter(client, performance.now(), 10_000)));

  test('row 2: one header byte per 2 s → closed at 5 s', () =>
    withClient(host, async (client) => {
      const start = performance.now();
      const pdu = bindPdu();
      for (let at = 0; !client.ended; at++) {
        client.send(pdu.subarray(at, at + 1));
        await client.until(() => client.ended, 2_000);
        assert.ok(at < 6, 'still open');
      }
      await closesAfter(client, start, 5_000);
    }));

  test('row 10: frag_length larger than what is sent → closed at 5 s, before and after the bind', async () => {
    await Promise.all([
      withClient(host, (client) => {
        client.send(bindPdu().subarray(0, 60));
        return closesAfter(client, performance.now(), 5_000);
      }),
      withBound(host, 'NDR32', (client) => {
        client.send(requestPdu(requestBody(host.keys)).subarray(0, 100));
        return closesAfter(client, performance.now(), 5_000);
      }),
    ]);
  });

  test('row 51: FIRST, then silence → closed at 10 s, and further fragments do not put it off', async () => {
    const fragment = (flags: number): Buffer => stubPdu(Buffer.alloc(8), { flags });
    await Promise.all([
      withBound(host, 'NDR32', (client) => {
        client.send(fragment(PFC.firstFrag));
        return closesAfter(client, performance.now(), 10_000);
      }),
      withBound(host, 'NDR64', async (client) => {
        const start = performance.now();
        client.send(fragment(PFC.firstFrag));
        while (!(await client.until(() => client.ended, 1_500))) client.send(fragment(0));
        await closesAfter(client, start, 10_000);
      }),
    ]);
  });

  test('row 86: client never reads → closed when 64 KiB are queued', () =>
    withBound(host, 'NDR32', async (client) => {
      client.socket.pause();
      let lost = false;
      client.socket.on('close', () => {
        lost = true;
      });
      const alters = Buffer.concat(new Array(20).fill(alterPdu()));
      const end = performance.now() + 9_000;
      while (!lost && performance.now() < end) {
        client.send(alters);
        // Once the server has stopped reading this waits, too; otherwise one turn of the event loop.
        do await new Promise((resolve) => setTimeout(resolve, 1));
        while (!lost && client.socket.writableLength > 0 && performance.now() < end);
      }
      assert.ok(lost, 'the server went on answering');
    }));

  test('row 86: client never reads a smaller queue → closed at 10 s', () =>
    withBound(host, 'NDR32', async (client) => {
      client.socket.pause();
      const server = serverSocketOf(client);
      const alters = Buffer.concat(new Array(10).fill(alterPdu()));
      // Until the kernel's buffers are full, and less than 64 KiB stay in the server.
      let start = performance.now();
      for (let sent = server.bytesWritten, full = false; !full; ) {
        start = performance.now();
        client.send(alters);
        sent += 10 * ANSWER_BYTES;
        await answered(server, sent);
        if (server.writableLength > 0) await new Promise((resolve) => setTimeout(resolve, 100)); // the kernel may yet take it
        full = server.writableLength > 0;
      }
      assert.ok(server.writableLength < 64 * 1024 && !server.destroyed);
      await once(server, 'close', { signal: AbortSignal.timeout(15_000) });
      const tookMs = performance.now() - start;
      assert.ok(tookMs >= 9_500 && tookMs <= 12_000, `closed after ${Math.round(tookMs)} ms`);
    }));

  test('a bound connection outlives the limits for binds, PDUs and calls', () =>
    withClient(host, async (client) => {
      expectAck(await client.ask(bindPdu()));
      await askGood(client, host);
      assert.equal(await client.until(() => client.ended, 11_000), false, 'idle for 11 s, of 30');
      await askGood(client, host);
    }));
});
