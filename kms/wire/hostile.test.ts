// SPDX-License-Identifier: Apache-2.0
//
// Decoders on bytes that nobody meant well: arbitrary ones and good messages with changes, in both byte orders. They answer with a value or a reason,
// never throw, and never take memory because a length on the wire says so.

import assert from 'node:assert/strict';
import { describe, mock, test } from 'node:test';
import fc from 'fast-check';
import { FOREIGN_KEYS, KEYS, requestBase } from './fixtures.ts';
import {
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
  encodeFault,
  encodeRequest,
  encodeRequestStub,
  HEADER_BYTES,
  HostEnvelope,
  KMS_INTERFACE,
  MAX_PDU_BYTES,
  minRequestBytes,
  NDR32,
  NDR64,
  negotiateAlter,
  negotiateBind,
  newResponse,
  openResponse,
  PTYPE,
  REQUEST_BASE_BYTES,
  responseStubBytes,
  sealRequest,
  type TransferSyntax,
  workstationName,
  writeResponseStub,
} from './index.ts';

const HOST = new HostEnvelope(KEYS, (target, at, length) => target.fill(0x33, at, at + length));
const BASE = requestBase({ protocol: 6 });
const SENT = sealRequest(KEYS, BASE);
const FORMS = (['NDR32', 'NDR64'] as const).flatMap((syntax) =>
  [true, false].map((littleEndian) => ({ syntax, littleEndian })),
);

/** All that a host does with bytes before it decides anything. */
function hostReads(bytes: Buffer): void {
  if (bytes.length >= HEADER_BYTES) {
    const header = decodeHeader(bytes, 0);
    for (const littleEndian of [true, false]) {
      const decoded = decodeBind(bytes, 0, bytes.length, { ...header, littleEndian });
      if (!decoded.ok) continue;
      assert.ok(decoded.end <= bytes.length && decoded.bind.elements.length <= bytes.length / 24);
      negotiateBind(decoded.bind.elements);
      negotiateAlter(decoded.bind.elements, new Map([[0, 'NDR32' as TransferSyntax]]));
    }
    if (bytes.length >= minRequestBytes(header.flags)) {
      const { stubStart } = decodeRequestHead(bytes, 0, header);
      assert.ok(stubStart <= bytes.length);
    }
  }
  for (const form of FORMS) {
    const decoded = decodeRequestStub(bytes, 0, bytes.length, form);
    if (decoded.ok) assert.ok(decoded.bodyStart + decoded.bodyBytes <= bytes.length);
  }
  HOST.open(bytes, 0, bytes.length);
  if (bytes.length >= REQUEST_BASE_BYTES) workstationName(decodeRequestBase(bytes));
}

/** All that a client does with bytes. */
function clientReads(bytes: Buffer): void {
  const reply = decodeReply(bytes);
  for (const form of FORMS) {
    decodeResponseStub(bytes, form);
    if (reply.kind === 'response') {
      const stub = decodeResponseStub(reply.stub, form);
      if (stub.ok) assert.ok(stub.body.length <= reply.stub.length);
    }
  }
  decodeBindAck(bytes);
  decodeBindNak(bytes);
  decodeResponseBase(bytes);
  for (const protocol of [4, 5, 6] as const) {
    const base = requestBase({ protocol });
    openResponse(KEYS, sealRequest(KEYS, base), base, bytes);
  }
}

function goodMessages(): Buffer[] {
  const sizes = { maxXmitFrag: MAX_PDU_BYTES, maxRecvFrag: MAX_PDU_BYTES, assocGroupId: 0 };
  const elements = [NDR32, NDR64].map((syntax, contextId) => ({
    contextId,
    abstractSyntax: KMS_INTERFACE,
    transferSyntaxes: [syntax],
  }));
  const results = [{ result: 0, reason: 0, syntax: NDR32 }];
  const ack = { flags: 3, callId: 1, maxFrag: 5840, assocGroupId: 1, secondaryAddress: '1688', results };
  const opened = HOST.open(SENT, 0, SENT.length);
  assert.ok(opened);
  const answer = HOST.seal(opened, { count: 1, activationIntervalMinutes: 120, renewalIntervalMinutes: 10_080 });
  const response = newResponse(1, 0, responseStubBytes(answer.length, 'NDR32'));
  answer.copy(response, writeResponseStub(response, 24, answer.length, 'NDR32'));
  return [
    ...[true, false].map((littleEndian) => encodeBind({ ...sizes, callId: 1, elements, littleEndian })),
    ...FORMS.map((form) => {
      const { littleEndian } = form;
      return encodeRequest({ callId: 1, contextId: 0, stub: encodeRequestStub(SENT, form), littleEndian });
    }),
    encodeRequestStub(SENT, { syntax: 'NDR32', littleEndian: true }),
    SENT,
    sealRequest(FOREIGN_KEYS, BASE),
    BASE,
    encodeBindAck({ ptype: PTYPE.bindAck, ...ack }),
    encodeFault({ callId: 1, contextId: 0, status: 5, didNotExecute: false }),
    response,
    answer,
  ];
}

/** A good message with a few bytes changed, then cut or lengthened. */
const mutated: fc.Arbitrary<Buffer> = fc
  .record({
    message: fc.constantFrom(...goodMessages()),
    changes: fc.array(fc.tuple(fc.nat(1000), fc.oneof(fc.nat(255), fc.constantFrom(0, 1, 0x7f, 0x80, 0xff))), {
      maxLength: 8,
    }),
    cut: fc.option(fc.nat(400), { nil: undefined, freq: 2 }),
    more: fc.nat(40),
  })
  .map(({ message, changes, cut, more }) => {
    const bytes = Buffer.concat([message.subarray(0, cut), Buffer.alloc(more, 0xa5)]);
    for (const [at, value] of changes) if (bytes.length > 0) bytes.writeUInt8(value, at % bytes.length);
    return bytes;
  });

const arbitrary = fc.uint8Array({ maxLength: 400 }).map((array) => Buffer.from(array));

describe('untrusted bytes', () => {
  test('a host reads arbitrary bytes without throwing', () => {
    fc.assert(fc.property(arbitrary, hostReads), { numRuns: 1500 });
  });

  test('a host reads changed messages without throwing', () => {
    fc.assert(fc.property(mutated, hostReads), { numRuns: 3000 });
  });

  test('a client reads arbitrary bytes without throwing', () => {
    fc.assert(fc.property(arbitrary, clientReads), { numRuns: 500 });
  });

  test('a client reads changed messages without throwing', () => {
    fc.assert(fc.property(mutated, clientReads), { numRuns: 1500 });
  });

  test('every prefix of every good message is read without throwing', () => {
    for (const message of goodMessages()) {
      for (let length = 0; length <= message.length; length++) {
        hostReads(message.subarray(0, length));
        clientReads(message.subarray(0, length));
      }
    }
  });
});

/** The largest size that `work` asked Buffer for. */
function largestAllocation(work: () => void): number {
  let largest = 0;
  const note = (size: unknown): void => {
    if (typeof size === 'number') largest = Math.max(largest, size);
  };
  const mocks = (['alloc', 'allocUnsafe', 'allocUnsafeSlow'] as const).map((name) => {
    const original = Buffer[name] as (...args: unknown[]) => Buffer;
    return mock.method(Buffer, name, (...args: unknown[]) => {
      note(args[0]);
      return original(...args);
    });
  });
  try {
    work();
  } finally {
    for (const mocked of mocks) mocked.mock.restore();
  }
  return largest;
}

describe('lengths on the wire', () => {
  const huge = [0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 0x0100_0000];

  test('row 60, row 61: a request stub that claims more than is there is refused, and nothing is allocated for it', () => {
    for (const { syntax, littleEndian } of FORMS) {
      for (const claim of huge) {
        const stub = encodeRequestStub(SENT, { syntax, littleEndian });
        const count = syntax === 'NDR64' ? (littleEndian ? 8 : 12) : 4;
        for (const at of [0, count]) {
          if (littleEndian) stub.writeUInt32LE(claim, at);
          else stub.writeUInt32BE(claim, at);
        }
        let ok = true;
        const largest = largestAllocation(() => {
          ok = decodeRequestStub(stub, 0, stub.length, { syntax, littleEndian }).ok;
        });
        assert.deepEqual([ok, largest], [false, 0], `${syntax} ${claim}`);
      }
    }
  });

  test('rows 23 and 24: tables of 255 claimed elements or syntaxes are refused, and nothing is allocated for them', () => {
    const [bind] = goodMessages();
    assert.ok(bind);
    for (const at of [24, 30]) {
      const bytes = Buffer.from(bind);
      bytes.writeUInt8(255, at);
      let reason: string | undefined;
      const largest = largestAllocation(() => {
        const decoded = decodeBind(bytes, 0, bytes.length, decodeHeader(bytes, 0));
        reason = decoded.ok ? undefined : decoded.reason;
      });
      assert.deepEqual([reason, largest], ['size', 0]);
    }
  });

  test('no changed message makes a reader allocate more than the message itself', () => {
    fc.assert(
      fc.property(mutated, (bytes) => {
        const largest = largestAllocation(() => {
          decodeReply(bytes);
          decodeBindAck(bytes);
          decodeResponseBase(bytes);
          for (const form of FORMS) {
            decodeResponseStub(bytes, form);
            decodeRequestStub(bytes, 0, bytes.length, form);
          }
          HOST.open(bytes, 0, bytes.length);
          if (bytes.length >= HEADER_BYTES) decodeBind(bytes, 0, bytes.length, decodeHeader(bytes, 0));
        });
        assert.ok(largest <= bytes.length, `${largest} bytes for ${bytes.length}`);
      }),
    );
  });
});
