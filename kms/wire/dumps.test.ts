// SPDX-License-Identifier: Apache-2.0
//
// Bytes as docs/protocol.md prints them: its dumps (§8), the sizes of its tables (§3.3), the syntaxes (§1.1) and the field tables (§1, §2, §3).

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { bytesOf, KEYS, requestBase } from './fixtures.ts';
import {
  btfnMask,
  btfnSyntax,
  decodeBind,
  decodeHeader,
  decodeRequestHead,
  decodeRequestStub,
  encodeBind,
  encodeBindAck,
  encodeBindNak,
  encodeFault,
  encodeRequest,
  encodeRequestStub,
  FAULT,
  HEADER_BYTES,
  HostEnvelope,
  KMS_INTERFACE,
  MAX_PDU_BYTES,
  NAK,
  NDR32,
  NDR64,
  newResponse,
  type ProtocolVersion,
  PTYPE,
  REQUEST_HEAD_BYTES,
  readSyntax,
  refusalStubBytes,
  responseStubBytes,
  SYNTAX_BYTES,
  sealRequest,
  type TransferSyntax,
  WHOLE,
  writeRefusalStub,
  writeSyntax,
  ZERO_SYNTAX,
} from './index.ts';

const BIND = bytesOf(`
  05 00 0b 13 10 00 00 00 74 00 00 00 02 00 00 00 d0 16 d0 16 00 00 00 00 02 00 00 00 00 00 01 00
  75 21 c8 51 4e 84 50 47 b0 d8 ec 25 55 55 bc 06 01 00 00 00 04 5d 88 8a eb 1c c9 11 9f e8 08 00
  2b 10 48 60 02 00 00 00 01 00 01 00 75 21 c8 51 4e 84 50 47 b0 d8 ec 25 55 55 bc 06 01 00 00 00
  2c 1c b7 6c 12 98 40 45 03 00 00 00 00 00 00 00 01 00 00 00`);

const BIND_ACK = bytesOf(`
  05 00 0c 13 10 00 00 00 54 00 00 00 02 00 00 00 d0 16 d0 16 01 00 01 00 05 00 31 36 38 38 00 00
  02 00 00 00 00 00 00 00 04 5d 88 8a eb 1c c9 11 9f e8 08 00 2b 10 48 60 02 00 00 00 03 00 03 00
  00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00`);

const V4_STUB = Buffer.concat([
  bytesOf(`
  fc 00 00 00 fc 00 00 00 00 00 04 00 01 00 00 00 02 00 00 00 c0 a8 00 00 34 27 c9 55 82 d6 71 4d
  98 3e d6 ec 3f 16 05 9f 11 11 11 11 11 11 11 41 81 11 11 11 11 11 11 11 22 22 22 22 22 22 22 42
  82 22 22 22 22 22 22 22 67 45 23 01 ab 89 de 4c 8f 01 23 45 67 89 ab cd 19 00 00 00 00 c0 89 76
  45 3c da 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 6e 00 6f 00 64 00 65 00 2d 00 30 00
  30 00 31 00 2e 00 6c 00 61 00 62 00 2e 00 65 00 78 00 61 00 6d 00 70 00 6c 00 65 00 00 00 00 00`),
  Buffer.alloc(100),
]);

const FAULT_PDU = bytesOf(
  '05 00 03 23 10 00 00 00 20 00 00 00 03 00 00 00 20 00 00 00 00 00 00 00 02 00 01 1c 00 00 00 00',
);
const REFUSAL_PDU = bytesOf(
  '05 00 02 03 10 00 00 00 24 00 00 00 02 00 00 00 0c 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 42 f0 04 c0',
);

const element = (contextId: number, transfer: typeof NDR32): Parameters<typeof encodeBind>[0]['elements'][number] => ({
  contextId,
  abstractSyntax: KMS_INTERFACE,
  transferSyntaxes: [transfer],
});
const SIZES = { maxXmitFrag: MAX_PDU_BYTES, maxRecvFrag: MAX_PDU_BYTES, assocGroupId: 0 };

describe('the dumps of docs/protocol.md §8', () => {
  test('bind: 116 bytes', () => {
    const elements = [element(0, NDR32), element(1, btfnSyntax(3))];
    assert.deepEqual(encodeBind({ callId: 2, flags: 0x13, ...SIZES, elements }), BIND);
    const header = decodeHeader(BIND, 0);
    assert.deepEqual([header.ptype, header.flags, header.fragLength, header.callId], [PTYPE.bind, 0x13, 116, 2]);
    assert.deepEqual(decodeBind(BIND, 0, BIND.length, header), { ok: true, bind: { ...SIZES, elements }, end: 116 });
  });

  test('S1-21 bind_ack: 84 bytes, the port as text in the secondary address', () => {
    const built = encodeBindAck({
      ptype: PTYPE.bindAck,
      flags: 0x13,
      callId: 2,
      maxFrag: MAX_PDU_BYTES,
      assocGroupId: 0x0001_0001,
      secondaryAddress: '1688',
      results: [
        { result: 0, reason: 0, syntax: NDR32 },
        { result: 3, reason: 3, syntax: ZERO_SYNTAX },
      ],
    });
    assert.deepEqual(built, BIND_ACK);
  });

  test('V4 request stub: 260 bytes, the fields at their offsets', () => {
    const body = Buffer.concat([requestBase(), Buffer.alloc(16)]);
    assert.deepEqual(encodeRequestStub(body, { syntax: 'NDR32', littleEndian: true }), V4_STUB);
    const decoded = decodeRequestStub(V4_STUB, 0, V4_STUB.length, { syntax: 'NDR32', littleEndian: true });
    assert.deepEqual(decoded, { ok: true, bodyStart: 8, bodyBytes: 252 });
  });

  test('fault: 32 bytes, nca_s_op_rng_error with DID_NOT_EXECUTE', () => {
    const built = encodeFault({ callId: 3, contextId: 0, status: FAULT.opRange, didNotExecute: true });
    assert.deepEqual(built, FAULT_PDU);
  });

  test('S4-26 refusal: 36 bytes, a null pointer and 0xC004F042', () => {
    const pdu = newResponse(2, 0, refusalStubBytes('NDR32'));
    writeRefusalStub(pdu, REQUEST_HEAD_BYTES, 0xc004f042, 'NDR32');
    assert.deepEqual(pdu, REFUSAL_PDU);
  });
});

const bindBytes = (count: number): number =>
  encodeBind({ callId: 2, ...SIZES, elements: Array.from({ length: count }, (_, id) => element(id, NDR32)) }).length;

function ackBytes(ptype: typeof PTYPE.bindAck | typeof PTYPE.alterContextResp, port: string, count: number): number {
  const results = new Array(count).fill({ result: 0, reason: 0, syntax: NDR32 });
  const fields = { ptype, flags: WHOLE, callId: 1, maxFrag: 5840, assocGroupId: 1, secondaryAddress: port, results };
  return encodeBindAck(fields).length;
}

describe('the sizes of docs/protocol.md §3.3', () => {
  const envelope = new HostEnvelope(KEYS, (target, at, length) => target.fill(0x5a, at, at + length));
  const rows: [ProtocolVersion, request: number[], response: number[]][] = [
    [4, [252, 284, 292], [158, 200, 212]],
    [5, [260, 292, 300], [212, 252, 264]],
    [6, [260, 292, 300], [260, 300, 312]],
  ];
  for (const [protocol, requestBytes, responseBytes] of rows) {
    test(`S3-24 V${protocol}: bodies and PDUs of request and response in NDR32 and NDR64`, () => {
      const body = sealRequest(KEYS, requestBase({ protocol }));
      const stubs = (['NDR32', 'NDR64'] as const).map((syntax) =>
        encodeRequestStub(body, { syntax, littleEndian: true }),
      );
      const pdus = stubs.map((stub) => encodeRequest({ callId: 1, contextId: 0, stub }).length);
      assert.deepEqual([body.length, ...pdus], requestBytes);

      const opened = envelope.open(body, 0, body.length);
      assert.ok(opened);
      const answer = envelope.seal(opened, {
        count: 1,
        activationIntervalMinutes: 120,
        renewalIntervalMinutes: 10_080,
      });
      const answers = (['NDR32', 'NDR64'] as const).map(
        (syntax) => newResponse(1, 0, responseStubBytes(answer.length, syntax)).length,
      );
      assert.deepEqual([answer.length, ...answers], responseBytes);
    });
  }

  test('refusals of 36 and 44 bytes; bind, bind_ack, alter_context_resp, nak and fault', () => {
    const refusal = (syntax: TransferSyntax): number => newResponse(1, 0, refusalStubBytes(syntax)).length;
    assert.deepEqual([refusal('NDR32'), refusal('NDR64')], [36, 44]);
    assert.deepEqual([1, 2, 3].map(bindBytes), [72, 116, 160]);
    for (const port of ['1688', '16880']) {
      assert.deepEqual(
        [1, 2, 3].map((count) => ackBytes(PTYPE.bindAck, port, count)),
        [60, 84, 108],
      );
    }
    assert.equal(ackBytes(PTYPE.alterContextResp, '', 1), 56);
    assert.equal(encodeBindNak(1, NAK.notSpecified).length, 24);
  });
});

describe('single fields', () => {
  test('the syntaxes of §1.1 in little-endian order', () => {
    const rows: [typeof NDR32, string][] = [
      [KMS_INTERFACE, '7521c851 4e84 5047 b0d8ec255555bc06 01000000'],
      [NDR32, '045d888a eb1c c911 9fe808002b104860 02000000'],
      [NDR64, '33057171 babe 3749 8319b5dbef9ccc36 01000000'],
      [btfnSyntax(0x0201), '2c1cb76c 1298 4045 0102000000000000 01000000'],
      [ZERO_SYNTAX, '00'.repeat(20)],
    ];
    for (const [syntax, hex] of rows) {
      const bytes = Buffer.alloc(SYNTAX_BYTES);
      writeSyntax(bytes, syntax, 0, true);
      assert.deepEqual(bytes, bytesOf(hex));
      assert.deepEqual(readSyntax(bytes, 0, true), syntax);
    }
  });

  test('in big-endian order UUIDs stand as they are written and the feature mask keeps its bytes', () => {
    const bytes = Buffer.alloc(SYNTAX_BYTES);
    writeSyntax(bytes, KMS_INTERFACE, 0, false);
    assert.deepEqual(bytes, bytesOf('51c82175 844e 4750 b0d8ec255555bc06 00000001'));
    const btfn = bytesOf('6cb71c2c 9812 4540 0300000000000000 00000001');
    assert.equal(btfnMask(readSyntax(btfn, 0, false)), 3);
    assert.equal(btfnMask(NDR64), undefined);
  });

  test('bind_nak: reason, one supported version 5.0, three pad bytes', () => {
    assert.deepEqual(
      encodeBindNak(7, NAK.authTypeNotRecognised),
      bytesOf('05 00 0d 03 10 00 00 00 18 00 00 00 07 00 00 00 08 00 01 05 00 00 00 00'),
    );
  });

  test('alter_context_resp has no secondary address and its results at offset 32', () => {
    const fields = { ptype: PTYPE.alterContextResp, flags: WHOLE, callId: 3, maxFrag: 5840, assocGroupId: 0x0001_0001 };
    const pdu = encodeBindAck({ ...fields, secondaryAddress: '', results: [{ result: 0, reason: 0, syntax: NDR32 }] });
    assert.deepEqual(pdu.subarray(16, 36), bytesOf('d0 16 d0 16 01 00 01 00 00 00 00 00 01 00 00 00 00 00 00 00'));
  });

  test('a request head with an object UUID begins its stub 16 bytes later', () => {
    const stub = Buffer.from('stub');
    const plain = encodeRequest({ callId: 1, contextId: 2, opnum: 3, stub });
    const withObject = encodeRequest({ callId: 1, contextId: 2, opnum: 3, stub, objectUuid: Buffer.alloc(16, 9) });
    for (const [pdu, stubStart] of [
      [plain, 24],
      [withObject, 40],
    ] as const) {
      const head = decodeRequestHead(pdu, 0, decodeHeader(pdu, 0));
      assert.deepEqual(head, { contextId: 2, opnum: 3, stubStart });
      assert.deepEqual(pdu.subarray(stubStart), stub);
    }
  });

  test('what a server writes is little-endian whatever the caller sends', () => {
    assert.equal(newResponse(1, 0, 0).readUInt32BE(4), 0x1000_0000);
    assert.equal(HEADER_BYTES, 16);
  });
});
