// SPDX-License-Identifier: Apache-2.0
//
// docs/protocol.md §5.3, rows 41 to 65, on a real socket: requests, fragments, flags, and the NDR layer. Context and operation of a fragmented call are judged
// when its last fragment is there.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { encodeRequestStub, NDR32, PFC, PTYPE, sealRequest, type TransferSyntax } from '@kmspool/kms/wire';
import {
  askGood,
  expectAck,
  expectAnswer,
  expectFault,
  expectFaultAndEnd,
  withBound,
  withClient,
} from '../harness/expect.ts';
import { startTestHost } from '../harness/host.ts';
import {
  bindPdu,
  element,
  headerPdu,
  patched,
  requestBase,
  requestBody,
  requestPdu,
  stubPdu,
  withTrailer,
} from '../harness/messages.ts';

const host = await startTestHost();
after(() => host.stop());

const { keys } = host;
const SYNTAXES = ['NDR32', 'NDR64'] as const;
const { firstFrag: FIRST, lastFrag: LAST } = PFC;

function question(changes: Parameters<typeof requestBase>[0] = {}): { keys: typeof keys; base: Buffer; body: Buffer } {
  const base = requestBase(changes);
  return { keys, base, body: sealRequest(keys, base) };
}

const stubOf = (body: Buffer, syntax: TransferSyntax = 'NDR32'): Buffer =>
  encodeRequestStub(body, { syntax, littleEndian: true });

/** The request PDUs of a stub cut into pieces of `size` bytes. */
function fragments(stub: Buffer, size: number, changes: Parameters<typeof stubPdu>[1] = {}): Buffer[] {
  const pdus: Buffer[] = [];
  for (let at = 0; at < stub.length; at += size) {
    const flags = (at === 0 ? FIRST : 0) | (at + size >= stub.length ? LAST : 0);
    pdus.push(stubPdu(stub.subarray(at, at + size), { flags, allocHint: stub.length - at, ...changes }));
  }
  return pdus;
}

test('row 41: unaccepted context ID → unk_if, not executed, context 0, and the connection stays', () =>
  withBound(host, 'NDR32', async (client) => {
    expectFault(await client.ask(requestPdu(requestBody(keys), { contextId: 9 })), 'unknownInterface', { dne: true });
    await askGood(client, host);
  }));

test('row 42: opnum 1 and 0xFFFF → op_rng_error, not executed, and the connection stays', () =>
  withBound(host, 'NDR32', async (client) => {
    for (const opnum of [1, 0xffff]) {
      expectFault(await client.ask(requestPdu(requestBody(keys), { opnum })), 'opRange', { dne: true });
    }
    await askGood(client, host);
  }));

test('row 43: object UUID → skipped', () =>
  withBound(host, 'NDR32', async (client) => {
    const asked = question();
    const pdu = requestPdu(asked.body, { objectUuid: Buffer.alloc(16, 0xab) });
    expectAnswer(await client.ask(pdu), asked);
  }));

test('row 44: request with frag_length < 24, or with the object flag and < 40 → proto_error, not executed, closed', async () => {
  const headers = [16, 20, 23].map((fragLength) => headerPdu(PTYPE.request, { fragLength }));
  const withObject = [24, 39].map((fragLength) => headerPdu(PTYPE.request, { flags: 0x83, fragLength }));
  for (const header of [...headers, ...withObject]) {
    await withBound(host, 'NDR32', async (client) => {
      client.send(header, Buffer.alloc(24));
      await expectFaultAndEnd(client, 'protoError', { dne: true });
    });
  }
});

test('row 45: request with an auth trailer → access denied, closed; without room for it → proto_error', async () => {
  await withBound(host, 'NDR32', async (client) => {
    client.send(withTrailer(requestPdu(requestBody(keys)), { value: Buffer.alloc(16) }));
    await expectFaultAndEnd(client, 'accessDenied');
  });
  await withBound(host, 'NDR32', async (client) => {
    client.send(patched(requestPdu(requestBody(keys)), [10, 0xff, 0xff]));
    await expectFaultAndEnd(client, 'protoError', { dne: true });
  });
});

test('row 46: alloc_hint 0 and FFFFFFFF → answered', () =>
  withBound(host, 'NDR32', async (client) => {
    for (const allocHint of [0, 0xffff_ffff]) {
      const asked = question();
      expectAnswer(await client.ask(requestPdu(asked.body, { allocHint })), asked);
    }
  }));

test('row 47: no FIRST and nothing pending, or another call ID → proto_error without DID_NOT_EXECUTE, context 0, closed', async () => {
  const stub = stubOf(requestBody(keys));
  await withBound(host, 'NDR32', async (client) => {
    client.send(stubPdu(stub, { flags: LAST, contextId: 0 }));
    await expectFaultAndEnd(client, 'protoError');
  });
  await withBound(host, 'NDR32', async (client) => {
    client.send(
      stubPdu(stub.subarray(0, 100), { flags: FIRST }),
      stubPdu(stub.subarray(100), { flags: LAST, callId: 4 }),
    );
    await expectFaultAndEnd(client, 'protoError', { callId: 4 });
  });
});

test('row 48: FIRST while a call is pending → proto_error for the first call, or for the second under CONC_MPX', async () => {
  const stub = stubOf(requestBody(keys));
  for (const concurrent of [false, true]) {
    await withClient(host, async (client) => {
      expectAck(await client.ask(bindPdu({ flags: concurrent ? 0x13 : 0x03 })));
      client.send(stubPdu(stub, { flags: FIRST, callId: 5 }), stubPdu(stub, { flags: FIRST, callId: 6 }));
      await expectFaultAndEnd(client, 'protoError', { callId: concurrent ? 6 : 5 });
    });
  }
});

test('row 49: continuation with another opnum, context or drep → proto_error, not executed, closed', async () => {
  const stub = stubOf(requestBody(keys));
  const changes = [{ opnum: 1 }, { contextId: 1 }, { littleEndian: false }];
  for (const change of changes) {
    await withBound(host, 'NDR32', async (client) => {
      client.send(
        stubPdu(stub.subarray(0, 100), { flags: FIRST }),
        stubPdu(stub.subarray(100), { flags: LAST, ...change }),
      );
      const contextId = 'contextId' in change ? 1 : 0;
      await expectFaultAndEnd(client, 'protoError', { dne: true, contextId });
    });
  }
});

test('row 50: more than 4096 bytes or 16 fragments, in one PDU or many → access denied, closed', async () => {
  const tooLong = [
    [stubPdu(Buffer.alloc(4097))],
    fragments(Buffer.alloc(4097), 1024),
    fragments(Buffer.alloc(5000), 2500).slice(0, 2),
    fragments(Buffer.alloc(17), 1),
  ];
  for (const pdus of tooLong) {
    await withBound(host, 'NDR32', async (client) => {
      client.send(...pdus);
      await expectFaultAndEnd(client, 'accessDenied');
    });
  }
  await withBound(host, 'NDR32', async (client) => {
    // 4096 bytes in 16 fragments are within both limits.
    const asked = question();
    client.send(...fragments(Buffer.concat([stubOf(asked.body), Buffer.alloc(4096 - 268)]), 256));
    expectAnswer(await client.read(), asked);
  });
});

for (const syntax of SYNTAXES) {
  for (const littleEndian of [true, false]) {
    test(`fragments of any size: ${syntax}, ${littleEndian ? 'little' : 'big'}-endian, joined and answered in one PDU`, () =>
      withBound(host, syntax, async (client) => {
        for (const size of [18, 100, 140, 275]) {
          const asked = question();
          const stub = encodeRequestStub(asked.body, { syntax, littleEndian });
          const objectUuid = Buffer.alloc(16, 1);
          client.send(...fragments(stub, size, { littleEndian, ...(size === 140 && { objectUuid }) }));
          expectAnswer(await client.read(), { ...asked, syntax });
        }
      }));
  }
}

test('a fragmented call on an unaccepted context or with another opnum is refused when its last fragment is there', () =>
  withBound(host, 'NDR32', async (client) => {
    const stub = stubOf(requestBody(keys));
    client.send(...fragments(stub, 100, { contextId: 9 }));
    expectFault(await client.read(), 'unknownInterface', { dne: true });
    client.send(...fragments(stub, 100, { opnum: 7 }));
    expectFault(await client.read(), 'opRange', { dne: true });
    await askGood(client, host);
  }));

test('while a call is pending: bind → bind_nak 0, alter_context → proto_error without DID_NOT_EXECUTE', async () => {
  const first = stubPdu(Buffer.alloc(8), { flags: FIRST });
  await withBound(host, 'NDR32', async (client) => {
    const nak = await client.ask(first, bindPdu());
    assert.deepEqual([nak.readUInt8(2), nak.readUInt16LE(16)], [PTYPE.bindNak, 0]);
  });
  await withBound(host, 'NDR32', async (client) => {
    client.send(first, bindPdu({ ptype: PTYPE.alterContext, callId: 4, elements: [element(1, NDR32)] }));
    await expectFaultAndEnd(client, 'protoError', { callId: 4 });
  });
});

test('row 52: FIRST together with PENDING_CANCEL → no call active, not executed, closed', async () => {
  for (const flags of [FIRST | LAST | 4, FIRST | 4]) {
    await withBound(host, 'NDR32', async (client) => {
      client.send(requestPdu(requestBody(keys), { flags }));
      await expectFaultAndEnd(client, 'noCallActive', { dne: true });
    });
  }
});

test('row 53: co_cancel and orphaned without a call → ignored', () =>
  withBound(host, 'NDR32', async (client) => {
    client.send(headerPdu(PTYPE.coCancel), headerPdu(PTYPE.orphaned));
    await askGood(client, host);
  }));

test('row 54: FIRST, orphaned, co_cancel, LAST → answered', () =>
  withBound(host, 'NDR32', async (client) => {
    const asked = question();
    const [first, last] = fragments(stubOf(asked.body), 200);
    assert.ok(first && last);
    client.send(first, headerPdu(PTYPE.orphaned), headerPdu(PTYPE.coCancel), last);
    expectAnswer(await client.read(), asked);
  }));

test('row 55: call ID 0, FFFFFFFF and a repeated one → echoed', () =>
  withBound(host, 'NDR32', async (client) => {
    for (const callId of [0, 0xffff_ffff, 7, 7, 6]) await askGood(client, host, { call: { callId } });
  }));

test('row 56: 50 pipelined requests → 50 answers in order', () =>
  withBound(host, 'NDR32', async (client) => {
    const asked = Array.from({ length: 50 }, (_, n) => ({ ...question(), callId: 100 + n }));
    client.send(...asked.map(({ body, callId }) => requestPdu(body, { callId })));
    for (const one of asked) expectAnswer(await client.read(), one);
  }));

test('row 57: MAYBE or the reserved flag 08 → answered', () =>
  withBound(host, 'NDR32', async (client) => {
    for (const flag of [0x40, 0x08, 0x10, 0x20]) {
      const asked = question();
      expectAnswer(await client.ask(requestPdu(asked.body, { flags: FIRST | LAST | flag })), asked);
    }
  }));

test('row 58: empty stub, 1 to 7 bytes (NDR64: 1 to 15) → bad stub data, and the connection stays', async () => {
  for (const [syntax, least] of [
    ['NDR32', 8],
    ['NDR64', 16],
  ] as const) {
    await withBound(host, syntax, async (client) => {
      for (let length = 0; length < least; length++) {
        expectFault(await client.ask(stubPdu(Buffer.alloc(length))), 'badStubData');
      }
      await askGood(client, host, { call: { syntax } });
    });
  }
});

/** Each stub gets bad_stub_data on a context of this syntax, and then a good request its answer. */
async function badStubs(syntax: TransferSyntax, stubs: readonly Buffer[]): Promise<void> {
  await withBound(host, syntax, async (client) => {
    for (const stub of stubs) expectFault(await client.ask(stubPdu(stub)), 'badStubData');
    await askGood(client, host, { call: { syntax } });
  });
}

const le32 = (value: number): number[] => [value & 0xff, (value >>> 8) & 0xff, (value >>> 16) & 0xff, value >>> 24];

test('row 59: n ≠ max_count → bad stub data', async () => {
  for (const syntax of SYNTAXES) {
    const stub = stubOf(requestBody(keys), syntax);
    await badStubs(syntax, [
      patched(stub, [0, ...le32(259)]),
      patched(stub, [0, 0]),
      patched(stub, [syntax === 'NDR64' ? 8 : 4, 3]),
    ]);
  }
});

test('row 60: n = 7FFFFFFF, 80000000, FFFFFFFF → bad stub data, no allocation', async () => {
  const before = process.memoryUsage().rss;
  for (const syntax of SYNTAXES) {
    const stub = stubOf(requestBody(keys), syntax);
    const countAt = syntax === 'NDR64' ? 8 : 4;
    await badStubs(
      syntax,
      [0x7fff_ffff, 0x8000_0000, 0xffff_ffff].map((n) => patched(stub, [0, ...le32(n)], [countAt, ...le32(n)])),
    );
  }
  assert.ok(process.memoryUsage().rss - before < 256 * 1024 * 1024);
});

test('row 61: max_count > bytes left → bad stub data', async () => {
  for (const syntax of SYNTAXES) {
    const stub = stubOf(requestBody(keys), syntax);
    await badStubs(syntax, [stub.subarray(0, stub.length - 1), stub.subarray(0, 20), stub.subarray(0, 16)]);
  }
});

test('row 62: NDR64 gap full of CE → answered', () =>
  withBound(host, 'NDR64', async (client) => {
    const asked = question();
    const stub = patched(stubOf(asked.body, 'NDR64'), [4, 0xce, 0xce, 0xce, 0xce]);
    expectAnswer(await client.ask(stubPdu(stub)), { ...asked, syntax: 'NDR64' });
  }));

test('row 63: NDR64 max_count with its high half set → bad stub data', () =>
  badStubs(
    'NDR64',
    [1, 0x80].map((high) => patched(stubOf(requestBody(keys), 'NDR64'), [12, high])),
  ));

test('row 64: NDR32 stub on an NDR64 context → bad stub data', () =>
  badStubs('NDR64', [stubOf(requestBody(keys), 'NDR32')]));

test('row 65: 1 to 64 bytes after the array → answered', async () => {
  for (const syntax of SYNTAXES) {
    await withBound(host, syntax, async (client) => {
      for (const more of [1, 3, 4, 16, 64]) {
        const asked = question();
        const stub = Buffer.concat([stubOf(asked.body, syntax), Buffer.alloc(more, 0xff)]);
        expectAnswer(await client.ask(stubPdu(stub)), { ...asked, syntax });
      }
    });
  }
});
