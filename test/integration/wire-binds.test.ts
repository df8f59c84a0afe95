// SPDX-License-Identifier: Apache-2.0
//
// docs/protocol.md §5.3, rows 21 to 40, on a real socket: what is negotiated, what is refused, and that both contexts of a Windows client stay usable.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { btfnSyntax, KMS_INTERFACE, NDR32, NDR64, PTYPE, type Syntax, ZERO_SYNTAX } from '@kmspool/kms/wire';
import {
  askGood,
  expectAck,
  expectFault,
  expectFaultAndEnd,
  expectNakAndEnd,
  outcomes,
  withBound,
  withClient,
} from '../harness/expect.ts';
import { startTestHost } from '../harness/host.ts';
import { bindFor, bindPdu, element, patched, requestBody, requestPdu, withTrailer } from '../harness/messages.ts';

const host = await startTestHost();
after(() => host.stop());

const OTHER: Syntax = { uuid: 'e1af8308-5d1f-11c9-91a4-08002b14a0fa', version: 3 };
const version = (of: Syntax, number: number): Syntax => ({ ...of, version: number });

/** Binds with these elements; answers the results and hands them to `then`. */
async function results(
  elements: ReturnType<typeof element>[],
  then = async (_: string): Promise<void> => {},
): Promise<string> {
  return withClient(host, async (client) => {
    const outcome = outcomes(expectAck(await client.ask(bindPdu({ elements }))));
    await then(outcome);
    return outcome;
  });
}

const naks = (pdu: Buffer, reason: number): Promise<void> =>
  withClient(host, async (client) => {
    client.send(pdu);
    await expectNakAndEnd(client, reason);
  });

const closes = (pdu: Buffer): Promise<void> =>
  withClient(host, async (client) => {
    client.send(pdu);
    assert.ok((await client.expectEnd()) < 2_000);
  });

test('row 21: bind with 0 elements → bind_nak 0', () => naks(bindPdu({ elements: [] }), 0));

test('row 22: element with 0 syntaxes → bind_nak 0', () => naks(bindPdu({ elements: [element(0, [])] }), 0));

test('row 23: 255 elements claimed, 1 present → closed, nothing sent', () => closes(patched(bindPdu(), [24, 255])));

test('row 24: 255 syntaxes claimed, 1 present → closed, nothing sent', () => closes(patched(bindPdu(), [30, 255])));

test('rows 23 and 24, the other way: bytes left over after the table → closed, nothing sent', () => {
  const pdu = Buffer.concat([bindPdu(), Buffer.alloc(4)]);
  return closes(patched(pdu, [8, pdu.length]));
});

test('row 25: unknown interface UUID → 2/1, and a later request unk_if, not executed', () =>
  withClient(host, async (client) => {
    const ack = expectAck(await client.ask(bindPdu({ elements: [element(0, NDR32, OTHER)] })));
    assert.equal(outcomes(ack), '2/1');
    assert.deepEqual(ack.results[0]?.syntax, ZERO_SYNTAX);
    for (let n = 0; n < 2; n++) {
      expectFault(await client.ask(requestPdu(requestBody(host.keys))), 'unknownInterface', { dne: true });
    }
  }));

test('row 26: interface v2.0 and v1.1 → 2/1', async () => {
  assert.equal(await results([element(0, NDR32, version(KMS_INTERFACE, 2))]), '2/1');
  assert.equal(await results([element(0, NDR32, version(KMS_INTERFACE, 0x0001_0001))]), '2/1');
});

test('row 27: unknown syntax, NDR v1, NDR64 v2 → 2/2', async () => {
  for (const syntax of [OTHER, version(NDR32, 1), version(NDR64, 2)]) {
    assert.equal(await results([element(0, syntax)]), '2/2');
  }
});

test('row 28: NDR32 and NDR64 elements → exactly one 0/0, the other 2/2', async () => {
  assert.equal(await results([element(0, NDR32), element(1, NDR64)]), '2/2 0/0');
  assert.equal(await results([element(0, NDR64), element(1, NDR32)]), '0/0 2/2');
});

test('row 29: both syntaxes in one element → 0/0 with NDR64', async () => {
  for (const both of [
    [NDR32, NDR64],
    [NDR64, NDR32],
  ]) {
    await withClient(host, async (client) => {
      const ack = expectAck(await client.ask(bindPdu({ elements: [element(7, both)] })));
      assert.deepEqual(ack.results, [{ result: 0, reason: 0, syntax: NDR64 }]);
      await askGood(client, host, { call: { contextId: 7, syntax: 'NDR64' } });
    });
  }
});

test('row 30: same context ID twice → the first 0/0, the second 2/2', async () => {
  assert.equal(await results([element(3, NDR32), element(3, NDR32)]), '0/0 2/2');
});

test('row 31: two feature elements → bind_nak 0', () =>
  naks(bindPdu({ elements: [element(0, NDR32), element(1, btfnSyntax(1)), element(2, btfnSyntax(2))] }), 0));

test('row 32: feature mask all ones → 3, reason 0003', async () => {
  assert.equal(await results([element(0, NDR32), element(1, btfnSyntax(0xffff))]), '0/0 3/3');
  const wide = { ...btfnSyntax(0), uuid: '6cb71c2c-9812-4540-ffff-ffffffffffff' };
  assert.equal(await results([element(0, NDR32), element(1, wide)]), '0/0 3/3');
});

test('row 33: features as the second syntax → no feature request', async () => {
  assert.equal(await results([element(0, [NDR32, btfnSyntax(3)])]), '0/0');
  assert.equal(await results([element(0, [NDR32, btfnSyntax(3)]), element(1, [btfnSyntax(3)])]), '0/0 3/3');
});

test('row 34: second bind → bind_nak 0', async () => {
  await withBound(host, 'NDR32', async (client) => {
    client.send(bindPdu());
    await expectNakAndEnd(client, 0);
  });
});

test('row 35: unknown association group → accepted, with another non-zero ID', async () => {
  await withClient(host, async (client) => {
    const ack = expectAck(await client.ask(bindPdu({ assocGroupId: 0xdead_beef })));
    assert.ok(ack.assocGroupId !== 0 && ack.assocGroupId !== 0xdead_beef);
    await askGood(client, host);
    // A group that this host gave out is joined.
    await withClient(host, async (second) => {
      const { assocGroupId } = ack;
      assert.equal(expectAck(await second.ask(bindPdu({ assocGroupId }))).assocGroupId, assocGroupId);
    });
  });
});

test('row 36: fragment sizes 0/0, FFFF/FFFF, 3199/FFFF → 2048, 5840, 3192 in both fields', async () => {
  for (const [maxXmitFrag, maxRecvFrag, wanted] of [
    [0, 0, 2048],
    [0xffff, 0xffff, 5840],
    [3199, 0xffff, 3192],
  ] as const) {
    await withClient(host, async (client) => {
      const ack = expectAck(await client.ask(bindPdu({ maxXmitFrag, maxRecvFrag })));
      assert.deepEqual([ack.maxXmitFrag, ack.maxRecvFrag], [wanted, wanted]);
    });
  }
});

test('row 37: auth_length 8 without room for a trailer → bind_nak 4', async () => {
  await naks(patched(bindPdu(), [10, 8]), 4);
  await naks(patched(bindPdu(), [10, 0xff, 0xff]), 4);
  await naks(patched(withTrailer(bindPdu(), { value: Buffer.alloc(8) }), [24, 2]), 4);
});

test('row 38: bind with an NTLM or SPNEGO trailer → bind_nak 8', async () => {
  const value = Buffer.from('4e544c4d53535000010000000782080000000000', 'hex');
  await naks(withTrailer(bindPdu(), { type: 10, value }), 8);
  await naks(withTrailer(bindPdu(), { type: 9, value }), 8);
});

test('row 39: alter_context with 0 elements or another syntax on a used ID → proto_error, not executed, closed', async () => {
  const alters = [
    bindPdu({ ptype: PTYPE.alterContext, callId: 3, elements: [] }),
    bindPdu({ ptype: PTYPE.alterContext, callId: 3, elements: [element(0, NDR64)] }),
    bindPdu({ ptype: PTYPE.alterContext, callId: 3, elements: [element(0, NDR32, OTHER)] }),
    bindPdu({ ptype: PTYPE.alterContext, callId: 3, elements: [element(1, [])] }),
    patched(bindPdu({ ptype: PTYPE.alterContext, callId: 3 }), [24, 2]),
    patched(bindPdu({ ptype: PTYPE.alterContext, callId: 3 }), [8, 27]),
    patched(bindPdu({ ptype: PTYPE.alterContext, callId: 3 }), [8, 0xd1, 0x16]),
  ];
  for (const pdu of alters) {
    await withBound(host, 'NDR32', async (client) => {
      client.send(pdu);
      await expectFaultAndEnd(client, 'protoError', { dne: true });
    });
  }
});

test('alter_context with an auth trailer → access denied as on a request; without room for it → proto_error', async () => {
  const alter = bindPdu({ ptype: PTYPE.alterContext, callId: 3, elements: [element(1, NDR32)] });
  await withBound(host, 'NDR32', async (client) => {
    client.send(withTrailer(alter, { value: Buffer.alloc(16) }));
    await expectFaultAndEnd(client, 'accessDenied');
  });
  await withBound(host, 'NDR32', async (client) => {
    client.send(patched(alter, [10, 8]));
    await expectFaultAndEnd(client, 'protoError', { dne: true });
  });
});

test('row 40: the 17th context → 2/3, and the others stay usable', () =>
  withBound(host, 'NDR32', async (client) => {
    for (let id = 1; id <= 16; id++) {
      const alter = bindPdu({ ptype: PTYPE.alterContext, callId: 10 + id, elements: [element(id, NDR32)] });
      const ack = expectAck(await client.ask(alter), PTYPE.alterContextResp);
      assert.equal(outcomes(ack), id < 16 ? '0/0' : '2/3');
    }
    await askGood(client, host, { call: { contextId: 15 } });
    expectFault(await client.ask(requestPdu(requestBody(host.keys), { contextId: 16 })), 'unknownInterface', {
      dne: true,
    });
  }));

test('flags of the answer: CONC_MPX and header signing are echoed in bind_ack and not in alter_context_resp', () =>
  withClient(host, async (client) => {
    const ack = await client.ask(bindPdu({ flags: 0x17 }));
    expectAck(ack);
    assert.equal(ack.readUInt8(3), 0x17);
    const alter = await client.ask(bindPdu({ flags: 0x17, ptype: PTYPE.alterContext, elements: [element(1, NDR64)] }));
    assert.equal(outcomes(expectAck(alter, PTYPE.alterContextResp)), '0/0');
    assert.equal(alter.readUInt8(3), 0x03);
    await withClient(host, async (other) =>
      assert.equal((await other.ask(bindPdu({ flags: 0x03 }))).readUInt8(3), 0x03),
    );
  }));

test('a Windows client: three elements, alter_context for NDR32, the first request in NDR32 and later ones in NDR64', () =>
  withClient(host, async (client) => {
    const elements = [element(0, NDR32), element(1, NDR64), element(2, btfnSyntax(3))];
    const bound = expectAck(await client.ask(bindPdu({ flags: 0x17, elements })));
    assert.equal(outcomes(bound), '2/2 0/0 3/3');
    const alter = bindPdu({
      ptype: PTYPE.alterContext,
      callId: 2,
      elements: [element(0, NDR32)],
      maxXmitFrag: 100,
      assocGroupId: 77,
    });
    const altered = expectAck(await client.ask(alter), PTYPE.alterContextResp);
    assert.equal(outcomes(altered), '0/0');
    assert.equal(altered.secondaryAddress, '');
    assert.deepEqual([altered.maxXmitFrag, altered.assocGroupId], [bound.maxXmitFrag, bound.assocGroupId]);
    const cmid = 'c0ffee00-0000-4000-8000-000000000001';
    const first = await askGood(client, host, { cmid, call: { callId: 2, contextId: 0, syntax: 'NDR32' } });
    for (let callId = 3; callId < 6; callId++) {
      const later = await askGood(client, host, { cmid, call: { callId, contextId: 1, syntax: 'NDR64' } });
      assert.equal(later.currentCount, first.currentCount);
    }
    await askGood(client, host, { cmid, call: { callId: 6, contextId: 0, syntax: 'NDR32' } });
  }));

test('missing FIRST and LAST on a bind are tolerated', () =>
  withClient(host, async (client) => {
    expectAck(await client.ask(bindFor('NDR32', { flags: 0 })));
    await askGood(client, host);
  }));

test('S1-21 bind_ack hands the port to the client: the one listened on, or the advertised one', async () => {
  await withClient(host, async (client) => {
    assert.equal(expectAck(await client.ask(bindPdu())).secondaryAddress, String(host.port));
  });
  const other = await startTestHost({ config: { advertisedPort: 1688 } });
  try {
    await withClient(other, async (client) => {
      assert.equal(expectAck(await client.ask(bindPdu())).secondaryAddress, '1688');
    });
  } finally {
    await other.stop();
  }
});
