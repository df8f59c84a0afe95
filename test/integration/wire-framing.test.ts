// SPDX-License-Identifier: Apache-2.0
//
// docs/protocol.md §5.3, rows 3 to 20, on a real socket: bytes that are no PDU, headers that lie, byte orders, PDUs that do not belong here. The rows that wait
// for a time limit are in wire-timeouts.test.ts.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { NDR32, NDR64, PTYPE, sealRequest } from '@kmspool/kms/wire';
import {
  askGood,
  expectAck,
  expectAnswer,
  expectFault,
  expectFaultAndEnd,
  expectNakAndEnd,
  outcomes,
  withBound,
  withClient,
} from '../harness/expect.ts';
import { startTestHost } from '../harness/host.ts';
import { bindPdu, element, headerPdu, patched, requestBase, requestBody, requestPdu } from '../harness/messages.ts';

const host = await startTestHost();
after(() => host.stop());

const { keys } = host;

test('row 3: 15 bytes then FIN → closed, nothing sent', () =>
  withClient(host, async (client) => {
    client.send(bindPdu().subarray(0, 15));
    client.end();
    await client.expectEnd();
  }));

test('row 4: HTTP and TLS → closed, nothing sent', async () => {
  const tlsHello = Buffer.from('16030100c8010000c40303'.padEnd(64, '0'), 'hex');
  for (const bytes of [Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'), tlsHello]) {
    await withClient(host, async (client) => {
      client.send(bytes);
      assert.ok((await client.expectEnd()) < 2_000, 'at once, not by a time limit');
    });
  }
});

test('row 5: bind with rpc_vers 4 or minor 1 → bind_nak 4', async () => {
  for (const patch of [
    [0, 4],
    [1, 1],
  ] as const) {
    await withClient(host, async (client) => {
      client.send(patched(bindPdu(), [...patch]));
      await expectNakAndEnd(client, 4);
    });
  }
});

test('row 5, after the bind: another rpc_vers → proto_error', async () => {
  await withBound(host, 'NDR32', async (client) => {
    client.send(patched(requestPdu(requestBody(keys)), [0, 4]));
    await expectFaultAndEnd(client, 'protoError', { dne: true });
  });
});

test('row 6: frag_length 0 to 15 → closed, nothing sent', async () => {
  for (let fragLength = 0; fragLength < 16; fragLength++) {
    await withClient(host, async (client) => {
      client.send(headerPdu(PTYPE.bind, { fragLength }));
      await client.expectEnd();
    });
    await withBound(host, 'NDR32', async (client) => {
      client.send(headerPdu(PTYPE.request, { fragLength }));
      await client.expectEnd();
    });
  }
});

test('row 7: bind with frag_length 27 → closed, nothing sent', () =>
  withClient(host, async (client) => {
    client.send(patched(bindPdu(), [8, 27]));
    await client.expectEnd();
  }));

test('row 8: request with frag_length 5841 → proto_error without DID_NOT_EXECUTE, context 0', () =>
  withBound(host, 'NDR32', async (client) => {
    client.send(headerPdu(PTYPE.request, { fragLength: 5841 }));
    await expectFaultAndEnd(client, 'protoError');
  }));

test('row 9: bind with frag_length 65535 → closed at once, nothing sent, whatever follows', () =>
  withClient(host, async (client) => {
    client.send(headerPdu(PTYPE.bind, { fragLength: 0xffff }), Buffer.alloc(5_000));
    assert.ok((await client.expectEnd()) < 2_000);
  }));

test('row 11: bind and request in one segment → both answered in order', () =>
  withClient(host, async (client) => {
    const base = requestBase();
    const body = sealRequest(keys, base);
    client.send(bindPdu(), requestPdu(body));
    expectAck(await client.read());
    expectAnswer(await client.read(), { keys, base, body });
  }));

test('row 12: valid PDUs in 1-byte writes → answered', () =>
  withClient(host, async (client) => {
    const base = requestBase();
    const body = sealRequest(keys, base);
    for (const byte of Buffer.concat([bindPdu(), requestPdu(body)])) {
      client.send(Buffer.from([byte]));
      await new Promise((resolve) => setImmediate(resolve)); // a segment of its own, for Nagle is off
    }
    expectAck(await client.read());
    expectAnswer(await client.read(), { keys, base, body });
  }));

test('row 13: ptype 1, 4 to 10, 20, 255 after the bind → proto_error, not executed, closed', async () => {
  for (const ptype of [1, 4, 5, 6, 7, 8, 9, 10, 20, 255]) {
    await withBound(host, 'NDR32', async (client) => {
      client.send(headerPdu(ptype));
      await expectFaultAndEnd(client, 'protoError', { dne: true });
    });
  }
});

test('row 13, before the bind: unknown types → closed, nothing sent', async () => {
  for (const ptype of [1, 10, 20, 255, PTYPE.response, PTYPE.shutdown]) {
    await withClient(host, async (client) => {
      client.send(headerPdu(ptype));
      await client.expectEnd();
    });
  }
});

test('row 14: types that only servers send → proto_error, not executed, closed', async () => {
  for (const ptype of [2, 3, 12, 13, 15, 17]) {
    await withBound(host, 'NDR32', async (client) => {
      client.send(headerPdu(ptype));
      await expectFaultAndEnd(client, 'protoError', { dne: true });
    });
  }
});

test('row 15: auth3 after an anonymous bind → proto_error, not executed, closed', () =>
  withBound(host, 'NDR32', async (client) => {
    client.send(headerPdu(PTYPE.auth3, { fragLength: 28 }), Buffer.alloc(12));
    await expectFaultAndEnd(client, 'protoError', { dne: true });
  }));

for (const syntax of ['NDR32', 'NDR64'] as const) {
  test(`row 16: consistent big-endian PDUs with ${syntax} → answered in little-endian`, () =>
    withClient(host, async (client) => {
      const elements = [element(0, syntax === 'NDR64' ? NDR64 : NDR32)];
      const ack = expectAck(await client.ask(bindPdu({ elements, littleEndian: false, callId: 0x01020304 })));
      assert.equal(outcomes(ack), '0/0');
      const base = requestBase();
      const body = sealRequest(keys, base);
      const callId = 0x0a0b0c0d;
      const pdu = await client.ask(requestPdu(body, { syntax, littleEndian: false, callId }));
      expectAnswer(pdu, { keys, base, body, callId, syntax });
      expectFault(await client.ask(requestPdu(body, { opnum: 1, littleEndian: false, callId })), 'opRange', {
        callId,
        dne: true,
      });
    }));
}

test('row 17: drep BE but fields LE → closed by the size check, nothing sent', async () => {
  await withClient(host, async (client) => {
    client.send(patched(bindPdu(), [4, 0x00]));
    await client.expectEnd();
  });
});

test('row 17, after the bind: a request that is too long because of a mixed drep → row 8', () =>
  withBound(host, 'NDR32', async (client) => {
    client.send(patched(requestPdu(requestBody(keys), { callId: 0 }), [4, 0x00]));
    await expectFaultAndEnd(client, 'protoError', { callId: 0 });
  }));

test('row 18: drep byte 0 = 0x11 or bytes 1 to 3 set → answered', async () => {
  for (const drep of [
    [0x11, 0, 0, 0],
    [0x10, 1, 0, 0],
    [0x10, 0, 2, 3],
  ]) {
    await withClient(host, async (client) => {
      expectAck(await client.ask(patched(bindPdu(), [4, ...drep])));
      const base = requestBase();
      const body = sealRequest(keys, base);
      expectAnswer(await client.ask(patched(requestPdu(body), [4, ...drep])), { keys, base, body });
    });
  }
});

test('row 19: drep byte 0 = 0x20 → closed, nothing sent', async () => {
  await withClient(host, async (client) => {
    client.send(patched(bindPdu(), [4, 0x20]));
    await client.expectEnd();
  });
  await withBound(host, 'NDR32', async (client) => {
    client.send(patched(requestPdu(requestBody(keys)), [4, 0x20]));
    await client.expectEnd();
  });
});

test('row 20: request, alter_context, auth3, co_cancel or orphaned before the bind → bind_nak 4', async () => {
  for (const pdu of [
    requestPdu(requestBody(keys), { callId: 2 }),
    bindPdu({ ptype: PTYPE.alterContext }),
    headerPdu(PTYPE.auth3, { callId: 2 }),
    headerPdu(PTYPE.coCancel, { callId: 2 }),
    headerPdu(PTYPE.orphaned, { callId: 2 }),
  ]) {
    await withClient(host, async (client) => {
      client.send(pdu);
      await expectNakAndEnd(client, 4);
    });
  }
});

test('after all these the host serves on', () =>
  withBound(host, 'NDR64', async (client) => {
    await askGood(client, host, { call: { syntax: 'NDR64' } });
  }));
