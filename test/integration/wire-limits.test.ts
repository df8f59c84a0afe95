// SPDX-License-Identifier: Apache-2.0
//
// docs/protocol.md §5.2 on a real socket: how many requests and connections, from where, on which address family; and how a connection ends without losing its
// last answer. Clients have addresses of their own here, for the host always lets its own address in (the readiness probe).
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { networkInterfaces } from 'node:os';
import { test } from 'node:test';
import { encodeRequest, sealRequest } from '@kmspool/kms/wire';
import {
  activate,
  askGood,
  expectAck,
  expectAnswer,
  expectFault,
  expectRefusal,
  withBound,
  withClient,
} from '../harness/expect.ts';
import { ADMIN_TOKEN, type ConfigChanges, startTestHost, type TestHost } from '../harness/host.ts';
import { bindPdu, headerPdu, requestBase, requestBody, requestPdu, stubPdu } from '../harness/messages.ts';
import { connectRpc, type RpcClient } from '../harness/rpc-client.ts';
import { waitFor } from '../harness/wait.ts';

async function withHost(
  options: { config?: ConfigChanges; listenAddress?: string },
  work: (host: TestHost) => Promise<void>,
): Promise<void> {
  const host = await startTestHost(options);
  try {
    await work(host);
  } finally {
    await host.stop();
  }
}

const open = (host: TestHost): number => host.host.status().connections.open;

async function metric(host: TestHost, name: string, labels = ''): Promise<number> {
  const text = await (await fetch(`${host.httpUrl}/metrics`)).text();
  const line = text.split('\n').find((one) => one.startsWith(`${name}{`) && one.includes(labels));
  assert.ok(line, `${name} ${labels}`);
  return Number(line.split(' ').at(-1));
}

test('1000 requests on one connection are answered, then it is closed; faults and refusals count as requests', () =>
  withHost({}, async (host) => {
    await withBound(host, 'NDR32', async (client) => {
      const cmid = randomUUID();
      const pdus = Array.from({ length: 1100 }, (_, callId) => {
        if (callId % 10 === 1) return stubPdu(Buffer.alloc(0), { callId });
        return requestPdu(requestBody(host.keys, { cmid, ...(callId % 10 === 2 && { countedId: cmid }) }), { callId });
      });
      client.send(...pdus);
      for (let callId = 0; callId < 1000; callId++) {
        const pdu = await client.read();
        if (callId % 10 === 1) expectFault(pdu, 'badStubData', { callId });
        else if (callId % 10 === 2) expectRefusal(pdu, 0xc004f042, { callId });
        else assert.deepEqual([pdu.length, pdu.readUInt32LE(12)], [300, callId]);
      }
      await client.expectEnd();
    });
    assert.equal(host.host.status().counts[0]?.current, 1);
    assert.equal(host.host.status().totals.total, 900);
  }));

test('limits.connections: one more is closed at accept and counted; a place that is free again is given away', () =>
  withHost({ config: { limits: { connections: 3, connectionsPerSource: 0, drainSeconds: 0 } } }, async (host) => {
    const connect = (n: number): Promise<RpcClient> => connectRpc({ port: host.port, localAddress: `127.0.0.${n}` });
    const clients = [await connect(2), await connect(3), await connect(4)];
    for (const client of clients) expectAck(await client.ask(bindPdu()));
    const refused = await connect(5);
    await refused.expectEnd();
    assert.equal(await metric(host, 'kmspool_connections_refused_total', 'reason="too_many"'), 1);
    clients[0]?.destroy();
    await waitFor('a place is free', () => open(host) === 2);
    const next = await connect(5);
    expectAck(await next.ask(bindPdu()));
    for (const client of [...clients, refused, next]) client.destroy();
  }));

test('limits.connectionsPerSource: one more from that address is closed, others are served; 0 is no limit', () =>
  withHost({ config: { limits: { connectionsPerSource: 2, drainSeconds: 0 } } }, async (host) => {
    const from = (n: number): Promise<RpcClient> => connectRpc({ port: host.port, localAddress: `127.0.0.${n}` });
    const clients = [await from(2), await from(2)];
    for (const client of clients) expectAck(await client.ask(bindPdu()));
    const refused = await from(2);
    await refused.expectEnd();
    await activate(host, {}, { localAddress: '127.0.0.3' });
    assert.equal(await metric(host, 'kmspool_connections_refused_total', 'reason="too_many_from_source"'), 1);
    assert.equal(host.host.status().connections.refused, 1);
    for (const client of [...clients, refused]) client.destroy();
    await waitFor('all are gone', () => open(host) === 0);
    await activate(host, {}, { localAddress: '127.0.0.2' });
  }));

test('the host\u2019s own address gets in beyond every limit, so that the readiness probe says the truth, and is not counted as refused', () =>
  withHost(
    {
      config: {
        allowedSources: ['127.0.0.2/32'],
        limits: { connections: 1, connectionsPerSource: 1, drainSeconds: 0 },
      },
    },
    async (host) => {
      await waitFor('the probe of the start is gone', () => open(host) === 0);
      const client = await connectRpc({ port: host.port, localAddress: '127.0.0.2' });
      expectAck(await client.ask(bindPdu()));
      assert.deepEqual(await host.host.probe(), []);
      assert.equal(host.host.status().connections.refused, 0);
      client.destroy();
    },
  ));

test('S3-46 allowedSources: others are closed at accept without a byte, and counted', () =>
  withHost({ config: { allowedSources: ['127.0.0.2/32', '127.0.1.0/24', '::1/128'] } }, async (host) => {
    await activate(host, {}, { localAddress: '127.0.0.2' });
    await activate(host, {}, { localAddress: '127.0.1.77' });
    for (const localAddress of ['127.0.0.3', '127.0.2.1']) {
      await withClient(host, (client) => client.expectEnd().then(() => undefined), { localAddress });
    }
    assert.equal(await metric(host, 'kmspool_connections_refused_total', 'reason="source_not_allowed"'), 2);
    assert.equal(host.host.status().totals.total, 2);
  }));

const hasIpv6 = Object.values(networkInterfaces()).some((list) => list?.some(({ address }) => address === '::1'));

test(
  'dual stack: one listener answers IPv4 and IPv6, and IPv4-mapped addresses are IPv4 to rules and records',
  {
    skip: hasIpv6 ? false : 'this machine has no ::1',
  },
  () =>
    withHost({ listenAddress: '::', config: { allowedSources: ['127.0.0.2/32', '::1/128'] } }, async (host) => {
      await activate(host, {}, { host: '127.0.0.1', localAddress: '127.0.0.2' });
      await activate(host, {}, { host: '::1' });
      await withClient(host, (client) => client.expectEnd().then(() => undefined), {
        host: '127.0.0.1',
        localAddress: '127.0.0.3',
      });
      const reply = await fetch(`${host.httpUrl}/clients`, { headers: { authorization: `Bearer ${ADMIN_TOKEN}` } });
      const { items } = (await reply.json()) as { items: { address: string }[] };
      assert.deepEqual(
        items.map(({ address }) => address),
        ['::1', '127.0.0.2'],
      );
    }),
);

test('a client that ends its direction gets all answers, then the end', () =>
  withHost({}, async (host) => {
    await withClient(host, async (client) => {
      const asked = Array.from({ length: 20 }, (_, n) => {
        const base = requestBase();
        return { keys: host.keys, base, body: sealRequest(host.keys, base), callId: n };
      });
      client.send(bindPdu(), ...asked.map(({ body, callId }) => requestPdu(body, { callId })));
      client.end();
      expectAck(await client.read());
      for (const one of asked) expectAnswer(await client.read(), one);
      await client.expectEnd();
    });
    await waitFor('the connection is gone', () => open(host) === 0);
  }));

test('after a fault that closes, up to 64 KiB of input are still read, so that no reset swallows the fault', () =>
  withHost({}, async (host) => {
    await withBound(host, 'NDR32', async (client) => {
      const received = await metric(host, 'kmspool_receive_bytes_total');
      client.send(headerPdu(1));
      expectFault(await client.read(), 'protoError', { dne: true });
      client.send(Buffer.alloc(60 * 1024));
      await waitFor(
        'it is read',
        async () => (await metric(host, 'kmspool_receive_bytes_total')) === received + 16 + 60 * 1024,
      );
      await client.expectEnd();
      assert.deepEqual([client.closed, open(host)], [false, 1], 'half-closed, not reset');
    });
    await withBound(host, 'NDR32', async (client) => {
      client.send(headerPdu(1), Buffer.alloc(60 * 1024));
      expectFault(await client.read(), 'protoError', { dne: true });
    });
  }));

test('a client that goes on sending more than 64 KiB after the end is cut off', () =>
  withHost({}, async (host) => {
    await withBound(host, 'NDR32', async (client) => {
      client.send(headerPdu(1));
      expectFault(await client.read(), 'protoError', { dne: true });
      client.send(Buffer.alloc(70 * 1024));
      await waitFor('the connection is gone', () => open(host) === 0);
    });
  }));

test('a client that neither sends nor closes after the end is gone after a second', () =>
  withHost({}, async (host) => {
    await withBound(host, 'NDR32', async (client) => {
      client.send(headerPdu(1));
      expectFault(await client.read(), 'protoError', { dne: true });
      const start = performance.now();
      await waitFor('the connection is gone', () => open(host) === 0);
      const tookMs = performance.now() - start;
      assert.ok(tookMs > 700 && tookMs < 3_000, `${tookMs} ms`);
    });
  }));

test('S3-23 connections are kept after an answer, and one client may hold several', () =>
  withHost({}, async (host) => {
    await withBound(host, 'NDR32', async (one) => {
      await withBound(host, 'NDR64', async (two) => {
        for (let n = 0; n < 5; n++) {
          await askGood(one, host);
          await askGood(two, host, { call: { syntax: 'NDR64' } });
        }
      });
    });
    assert.equal(host.host.status().counts[0]?.current, 10);
  }));

test('S3-24 bytes each way are counted: what clients sent and what they got', () =>
  withHost({}, async (host) => {
    const before = await metric(host, 'kmspool_receive_bytes_total');
    const sentBefore = await metric(host, 'kmspool_transmit_bytes_total');
    await activate(host, { protocol: 4 });
    assert.equal((await metric(host, 'kmspool_receive_bytes_total')) - before, 72 + 284);
    assert.equal((await metric(host, 'kmspool_transmit_bytes_total')) - sentBefore, 60 + 200);
    assert.equal(encodeRequest({ callId: 1, contextId: 0, stub: Buffer.alloc(260) }).length, 284);
  }));
