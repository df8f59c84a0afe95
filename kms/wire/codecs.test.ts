// SPDX-License-Identifier: Apache-2.0
//
// Every codec there and back, over all values and in both byte orders: what one side writes is what the other reads.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { KEYS } from './fixtures.ts';
import {
  btfnMask,
  btfnSyntax,
  type ContextElement,
  decodeBind,
  decodeBindAck,
  decodeBindNak,
  decodeHeader,
  decodeReply,
  decodeRequestBase,
  decodeRequestHead,
  decodeRequestStub,
  decodeResponseBase,
  decodeResponseStub,
  encodeBind,
  encodeBindAck,
  encodeBindNak,
  encodeFault,
  encodeRequest,
  encodeRequestBase,
  encodeRequestStub,
  guidToHex,
  HEADER_BYTES,
  hexToGuid,
  idHex,
  isGuid,
  type KmsRequestFields,
  msToFileTime,
  newResponse,
  PTYPE,
  REQUEST_HEAD_BYTES,
  REQUEST_OFFSET,
  refusalStubBytes,
  responseStubBytes,
  type Syntax,
  sealRequest,
  type TransferSyntax,
  workstationName,
  writeHeader,
  writeRefusalStub,
  writeResponseStub,
} from './index.ts';

/** Records with the prototype that our own have, for assert's deepEqual compares it. */
const plain = <T>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> =>
  fc.record(fields, { noNullPrototype: true }) as fc.Arbitrary<T>;
const u8 = fc.nat(0xff);
const u16 = fc.nat(0xffff);
const u32 = fc.nat(0xffff_ffff);
const hex = (bytes: number): fc.Arbitrary<string> =>
  fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((array) => Buffer.from(array).toString('hex'));
const guids = hex(16).map(hexToGuid);
const bodies = fc.uint8Array({ maxLength: 600 }).map((array) => Buffer.from(array));
const syntaxes: fc.Arbitrary<Syntax> = plain({ uuid: guids, version: u32 });
const transferSyntaxes = fc.constantFrom<TransferSyntax>('NDR32', 'NDR64');
const elements: fc.Arbitrary<ContextElement[]> = fc.array(
  plain({ contextId: u16, abstractSyntax: syntaxes, transferSyntaxes: fc.array(syntaxes, { maxLength: 4 }) }),
  { maxLength: 6 },
);

describe('headers', () => {
  test('any field in either order', () => {
    const fields = plain({
      ptype: u8,
      flags: u8,
      fragLength: u16,
      authLength: u16,
      callId: u32,
      littleEndian: fc.boolean(),
    });
    fc.assert(
      fc.property(fields, fc.nat(40), (wanted, offset) => {
        const header = Buffer.alloc(HEADER_BYTES);
        writeHeader(header, wanted);
        const { version, versionMinor, drepKnown, ...read } = decodeHeader(
          Buffer.concat([Buffer.alloc(offset), header]),
          offset,
        );
        assert.deepEqual(read, wanted);
        assert.deepEqual([version, versionMinor, drepKnown], [5, 0, true]);
      }),
    );
  });
});

describe('binds', () => {
  const fields = plain({ maxXmitFrag: u16, maxRecvFrag: u16, assocGroupId: u32, elements });

  test('bind and alter_context with any table, in either order, anywhere in a buffer', () => {
    const types = fc.constantFrom(PTYPE.bind, PTYPE.alterContext);
    fc.assert(
      fc.property(fields, types, u32, fc.boolean(), (bind, ptype, callId, littleEndian) => {
        const pdu = encodeBind({ ...bind, ptype, callId, littleEndian });
        const bytes = Buffer.concat([Buffer.alloc(5), pdu, Buffer.alloc(9)]);
        const header = decodeHeader(bytes, 5);
        assert.deepEqual([header.ptype, header.callId, header.fragLength], [ptype, callId, pdu.length]);
        assert.deepEqual(decodeBind(bytes, 5, 5 + pdu.length, header), { ok: true, bind, end: 5 + pdu.length });
      }),
    );
  });

  test('bind_ack and alter_context_resp with any port and results', () => {
    const ack = plain({
      maxFrag: u16,
      assocGroupId: u32,
      secondaryAddress: fc.oneof(fc.constant(''), fc.nat(65_535).map(String)),
      results: fc.array(plain({ result: u16, reason: u16, syntax: syntaxes }), { maxLength: 20 }),
    });
    fc.assert(
      fc.property(ack, u32, ({ maxFrag, ...rest }, callId) => {
        const pdu = encodeBindAck({ ptype: PTYPE.bindAck, flags: 3, callId, maxFrag, ...rest });
        assert.equal(decodeHeader(pdu, 0).fragLength, pdu.length);
        assert.deepEqual(decodeBindAck(pdu), {
          ok: true,
          ack: { maxXmitFrag: maxFrag, maxRecvFrag: maxFrag, ...rest },
        });
      }),
    );
  });

  test('bind_nak', () => {
    fc.assert(
      fc.property(u32, u16, (callId, reason) => assert.equal(decodeBindNak(encodeBindNak(callId, reason)), reason)),
    );
  });

  test('feature masks', () => {
    fc.assert(fc.property(u16, (mask) => assert.equal(btfnMask(btfnSyntax(mask)), mask)));
  });
});

describe('calls', () => {
  test('requests with and without an object UUID, in either order', () => {
    const fields = plain({
      callId: u32,
      contextId: u16,
      opnum: u16,
      stub: bodies,
      allocHint: u32,
      littleEndian: fc.boolean(),
    });
    const objects = fc.option(
      hex(16).map((text) => Buffer.from(text, 'hex')),
      { nil: undefined },
    );
    fc.assert(
      fc.property(fields, objects, (wanted, objectUuid) => {
        const pdu = encodeRequest({ ...wanted, ...(objectUuid && { objectUuid }) });
        const header = decodeHeader(pdu, 0);
        const { contextId, opnum, stubStart } = decodeRequestHead(pdu, 0, header);
        assert.deepEqual([header.callId, contextId, opnum], [wanted.callId, wanted.contextId, wanted.opnum]);
        assert.deepEqual(pdu.subarray(stubStart, header.fragLength), wanted.stub);
      }),
    );
  });

  test('request stubs of both syntaxes in either order, with bytes after the array', () => {
    fc.assert(
      fc.property(bodies, transferSyntaxes, fc.boolean(), fc.nat(64), (body, syntax, littleEndian, more) => {
        const stub = Buffer.concat([encodeRequestStub(body, { syntax, littleEndian }), Buffer.alloc(more, 0xee)]);
        const decoded = decodeRequestStub(stub, 0, stub.length, { syntax, littleEndian });
        assert.ok(decoded.ok);
        assert.deepEqual(stub.subarray(decoded.bodyStart, decoded.bodyStart + decoded.bodyBytes), body);
      }),
    );
  });

  test('responses: a success stub gives its body and 0, aligned so that the return value stands on a multiple of 4', () => {
    fc.assert(
      fc.property(bodies, transferSyntaxes, u32, u16, (body, syntax, callId, contextId) => {
        const pdu = newResponse(callId, contextId, responseStubBytes(body.length, syntax));
        body.copy(pdu, writeResponseStub(pdu, REQUEST_HEAD_BYTES, body.length, syntax));
        const reply = decodeReply(pdu);
        assert.ok(reply.kind === 'response');
        assert.deepEqual([reply.callId, reply.contextId, reply.stub.length % 4], [callId, contextId, 0]);
        assert.equal(pdu.readUInt32LE(16), reply.stub.length);
        assert.deepEqual(decodeResponseStub(reply.stub, { syntax, littleEndian: true }), {
          ok: true,
          hresult: 0,
          body,
        });
      }),
    );
  });

  test('refusals give an empty body and their HRESULT', () => {
    fc.assert(
      fc.property(u32, transferSyntaxes, (hresult, syntax) => {
        const stub = Buffer.alloc(refusalStubBytes(syntax), 0xaa);
        writeRefusalStub(stub, 0, hresult, syntax);
        const decoded = decodeResponseStub(stub, { syntax, littleEndian: true });
        assert.deepEqual(decoded, { ok: true, hresult, body: Buffer.alloc(0) });
      }),
    );
  });

  test('faults', () => {
    const faults = plain({ callId: u32, contextId: u16, status: u32, didNotExecute: fc.boolean() });
    fc.assert(
      fc.property(faults, (fault) => assert.deepEqual(decodeReply(encodeFault(fault)), { kind: 'fault', ...fault })),
    );
  });
});

const requests: fc.Arbitrary<KmsRequestFields> = plain({
  protocol: fc.constantFrom(4, 5, 6),
  applicationId: guids,
  activationId: guids,
  countedId: guids,
  cmid: guids,
  previousCmid: guids,
  requiredClientCount: u32,
  clientTimeMs: fc.integer({ min: -11_644_473_600_000, max: 1_800_000_000_000_000 }),
  workstationName: fc.string({
    maxLength: 63,
    unit: fc.integer({ min: 1, max: 0xffff }).map((unit) => String.fromCharCode(unit)),
  }),
  isClientVm: fc.boolean(),
  licenseStatus: u32,
  minutesToExpiry: u32,
});

describe('KMS bodies', () => {
  test('a request base carries every field', () => {
    fc.assert(
      fc.property(requests, (wanted) => {
        const read = decodeRequestBase(encodeRequestBase(wanted));
        const guid = (offset: number): string => hexToGuid(idHex(read, offset));
        assert.deepEqual(
          {
            protocol: read.majorVersion,
            applicationId: guid(REQUEST_OFFSET.applicationId),
            activationId: guid(REQUEST_OFFSET.activationId),
            countedId: guid(REQUEST_OFFSET.countedId),
            cmid: guid(REQUEST_OFFSET.cmid),
            previousCmid: guid(REQUEST_OFFSET.previousCmid),
            requiredClientCount: read.requiredClientCount,
            workstationName: workstationName(read),
            isClientVm: read.isClientVm === 1,
            licenseStatus: read.licenseStatus,
            minutesToExpiry: read.minutesToExpiry,
          },
          (({ clientTimeMs: _, ...rest }) => rest)(wanted),
        );
        assert.equal(read.minorVersion, 0);
        assert.ok(Math.abs(read.clientTimeMs - wanted.clientTimeMs) <= 1);
      }),
    );
  });

  test('a name is read up to its NUL, or as all 64 units', () => {
    const base = encodeRequestBase({ ...SAMPLE, workstationName: 'n'.repeat(100) });
    assert.equal(workstationName(decodeRequestBase(base)), 'n'.repeat(63));
    base.write('n', 108 + 126, 'utf16le');
    assert.equal(workstationName(decodeRequestBase(base)), 'n'.repeat(64));
    base.writeUInt16LE(0, 108 + 4);
    assert.equal(workstationName(decodeRequestBase(base)), 'nn');
  });

  test('FILETIME: any 64 bits give a finite time, and known instants their own', () => {
    assert.equal(msToFileTime(0), 116_444_736_000_000_000n);
    assert.equal(msToFileTime(Date.UTC(2024, 0, 1)), 133_485_408_000_000_000n);
    const base = encodeRequestBase(SAMPLE);
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }), (fileTime) => {
        base.writeBigUInt64LE(fileTime, REQUEST_OFFSET.clientTime);
        const { clientTimeMs } = decodeRequestBase(base);
        assert.ok(Number.isFinite(clientTimeMs));
        const exact = Number((fileTime - 116_444_736_000_000_000n) / 10_000n);
        assert.ok(Math.abs(clientTimeMs - exact) <= 2);
      }),
    );
  });

  test('a response base with a PID of any even length up to 128 bytes', () => {
    const pids = fc.string({
      maxLength: 63,
      unit: fc.integer({ min: 1, max: 0xd7ff }).map((unit) => String.fromCharCode(unit)),
    });
    const counts = fc.tuple(u32, u32, u32);
    fc.assert(
      fc.property(fc.constantFrom(4, 5, 6), pids, guids, counts, (protocol, hostPid, cmid, numbers) => {
        const pid = Buffer.from(`${hostPid}\0`, 'utf16le');
        const tail = Buffer.alloc(36);
        tail.write(guidToHex(cmid), 0, 'hex');
        tail.writeBigUInt64LE(msToFileTime(1_700_000_000_000), 16);
        for (const [index, value] of numbers.entries()) tail.writeUInt32LE(value, 24 + 4 * index);
        const head = Buffer.alloc(8);
        head.writeUInt32LE(protocol << 16, 0);
        head.writeUInt32LE(pid.length, 4);
        const [currentCount, activationIntervalMinutes, renewalIntervalMinutes] = numbers;
        assert.deepEqual(decodeResponseBase(Buffer.concat([head, pid, tail])), {
          protocol,
          hostPid,
          cmid,
          clientTimeMs: 1_700_000_000_000,
          currentCount,
          activationIntervalMinutes,
          renewalIntervalMinutes,
        });
      }),
    );
  });

  test('sealed bodies name their version in the clear', () => {
    fc.assert(
      fc.property(requests, (fields) => {
        assert.equal(sealRequest(KEYS, encodeRequestBase(fields)).readUInt32LE(0), fields.protocol << 16);
      }),
    );
  });
});

const SAMPLE: KmsRequestFields = {
  protocol: 6,
  applicationId: '00000000-0000-0000-0000-000000000000',
  activationId: '00000000-0000-0000-0000-000000000000',
  countedId: '00000000-0000-0000-0000-000000000000',
  cmid: '00000000-0000-0000-0000-000000000000',
  requiredClientCount: 5,
  clientTimeMs: 0,
  workstationName: '',
};

describe('GUIDs', () => {
  test('text and wire bytes are each other\u2019s inverse; the first three fields stand little-endian', () => {
    fc.assert(
      fc.property(guids, (guid) => {
        assert.ok(isGuid(guid));
        assert.equal(hexToGuid(guidToHex(guid)), guid);
        assert.equal(guidToHex(guid.toUpperCase()), guidToHex(guid));
      }),
    );
    assert.equal(guidToHex('01234567-89ab-4cde-8f01-23456789abcd'), '67452301ab89de4c8f0123456789abcd');
  });

  test('anything else is refused by name', () => {
    for (const text of ['', '0', `{${SAMPLE.cmid}}`, `${SAMPLE.cmid}0`, SAMPLE.cmid.replaceAll('-', '')]) {
      assert.ok(!isGuid(text));
      assert.throws(() => guidToHex(text), /not a GUID/);
    }
    assert.throws(() => hexToGuid('0'.repeat(31)), /not the hex of a GUID/);
  });
});
