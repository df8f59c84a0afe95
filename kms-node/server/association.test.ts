// SPDX-License-Identifier: Apache-2.0
//
// The association on any sequence of PDUs: always one step, never an exception, and whatever it sends parses. What each input gets is tested on a socket, by the
// rows of docs/protocol.md §5.3.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  decodeHeader,
  encodeBind,
  encodeRequest,
  encodeRequestStub,
  HEADER_BYTES,
  KMS_INTERFACE,
  NDR32,
  NDR64,
  PFC,
  PTYPE,
} from '@kmspool/kms/wire';
import fc from 'fast-check';
import { Association, type Step } from './association.ts';
import { BindMemory } from './bind-memory.ts';
import { AssociationGroups } from './groups.ts';
import { MAX_FRAGMENTS, MAX_STUB_BYTES, Reassembly } from './reassembly.ts';

const SIZES = { maxXmitFrag: 5840, maxRecvFrag: 5840, assocGroupId: 0 };
const element = (contextId: number, syntax: typeof NDR32): Parameters<typeof encodeBind>[0]['elements'][number] => ({
  contextId,
  abstractSyntax: KMS_INTERFACE,
  transferSyntaxes: [syntax],
});

/** Steps for one PDU as the connection takes them. */
function take(association: Association, pdu: Buffer): Step {
  const header = decodeHeader(pdu, 0);
  return association.inspect(header) ?? association.receive(pdu, 0, header);
}

const flags = fc.nat(0xff);
const ids = fc.nat(3);
const pdus = fc.oneof(
  {
    weight: 3,
    arbitrary: fc
      .tuple(flags, ids, fc.constantFrom(NDR32, NDR64), fc.constantFrom(PTYPE.bind, PTYPE.alterContext))
      .map(([flag, id, syntax, ptype]) =>
        encodeBind({ ptype, callId: 1, flags: flag, ...SIZES, elements: [element(id, syntax)] }),
      ),
  },
  {
    weight: 6,
    arbitrary: fc
      .record({
        flags: fc.oneof(flags, fc.constantFrom(0, 1, 2, 3)),
        callId: ids,
        contextId: ids,
        opnum: fc.nat(1),
        littleEndian: fc.boolean(),
        length: fc.nat(600),
      })
      .map(({ length, ...fields }) => {
        const { littleEndian } = fields;
        const stub = encodeRequestStub(Buffer.alloc(length), { syntax: 'NDR32', littleEndian });
        const objectUuid = (fields.flags & PFC.objectUuid) === 0 ? undefined : Buffer.alloc(16);
        return encodeRequest({ ...fields, stub, ...(objectUuid && { objectUuid }) });
      }),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(fc.nat(0xff), flags, fc.uint8Array({ maxLength: 60 })).map(([ptype, flag, tail]) => {
      const pdu = Buffer.concat([Buffer.from([5, 0, ptype, flag, 0x10, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0]), tail]);
      pdu.writeUInt16LE(pdu.length, 8);
      return pdu;
    }),
  },
);

const newAssociation = (binds = new BindMemory()): Association =>
  new Association({ groups: new AssociationGroups(7), binds, advertisedPort: '1688' });

describe('an association', () => {
  test('answers any sequence of PDUs step by step, with PDUs that say their own length', () => {
    fc.assert(
      fc.property(fc.array(pdus, { maxLength: 30, size: 'max' }), (sequence) => {
        const association = newAssociation();
        for (const pdu of sequence) {
          const step = take(association, pdu);
          if (step.kind === 'close') return;
          if (step.kind === 'call') {
            const { bytes, bodyStart, bodyBytes } = step.call;
            assert.ok(association.bound && bodyStart + bodyBytes <= bytes.length);
          }
          if (step.kind !== 'send') continue;
          assert.ok(step.pdu.length >= HEADER_BYTES && step.pdu.length <= 5840);
          assert.equal(decodeHeader(step.pdu, 0).fragLength, step.pdu.length);
          if (step.close) return;
        }
      }),
      { numRuns: 400 },
    );
  });

  test('a bind that was seen before gets the answer that it would get anew, with its own call ID', () => {
    const shared = new BindMemory();
    fc.assert(
      fc.property(fc.array(pdus, { maxLength: 20 }), (sequence) => {
        for (const pdu of sequence) {
          const anew = take(newAssociation(), pdu);
          const remembered = [take(newAssociation(shared), pdu), take(newAssociation(shared), pdu)];
          for (const step of remembered) assert.deepEqual(step, anew);
        }
      }),
      { numRuns: 200 },
    );
  });

  test('an alter_context of one connection changes no other connection with the same bind', () => {
    const binds = new BindMemory();
    const [one, other] = [newAssociation(binds), newAssociation(binds)];
    const element = { contextId: 1, abstractSyntax: KMS_INTERFACE, transferSyntaxes: [NDR64] };
    const sizes = { callId: 2, maxXmitFrag: 5840, maxRecvFrag: 5840, assocGroupId: 0 };
    for (const association of [one, other]) take(association, encodeBind({ ...sizes, elements: [element] }));
    const more = { ...element, contextId: 0, transferSyntaxes: [NDR32] };
    take(one, encodeBind({ ...sizes, ptype: PTYPE.alterContext, elements: [more] }));
    const stub = encodeRequestStub(Buffer.alloc(252), { syntax: 'NDR32', littleEndian: true });
    const request = encodeRequest({ callId: 3, contextId: 0, stub });
    assert.equal(take(one, request).kind, 'call');
    assert.equal(take(other, request).kind, 'send');
  });

  test('a call never comes before a bind was accepted', () => {
    const association = newAssociation();
    const stub = encodeRequestStub(Buffer.alloc(252), { syntax: 'NDR32', littleEndian: true });
    const request = encodeRequest({ callId: 1, contextId: 0, stub });
    assert.deepEqual((({ kind }) => kind)(take(association, request)), 'send');
    assert.equal(association.bound, false);
    take(association, encodeBind({ callId: 1, ...SIZES, elements: [element(0, NDR32)] }));
    assert.equal(take(association, request).kind, 'call');
  });
});

describe('reassembly', () => {
  const header = (pfc: number, callId = 1): ReturnType<typeof decodeHeader> => ({
    ...decodeHeader(Buffer.alloc(HEADER_BYTES), 0),
    flags: pfc,
    callId,
    littleEndian: true,
  });
  const head = { contextId: 0, opnum: 0, stubStart: 24 };

  test('joins the parts of any cut in order', () => {
    const parts = fc.array(
      fc.uint8Array({ maxLength: 250 }).map((part) => Buffer.from(part)),
      { minLength: 1, maxLength: MAX_FRAGMENTS },
    );
    fc.assert(
      fc.property(parts, (list) => {
        const reassembly = new Reassembly();
        list.forEach((part, index) => {
          const pfc = (index === 0 ? PFC.firstFrag : 0) | (index === list.length - 1 ? PFC.lastFrag : 0);
          const joined = reassembly.add(part, header(pfc), head);
          if (index < list.length - 1) assert.equal(joined.kind, 'pending');
          else assert.deepEqual(joined, { kind: 'whole', stub: Buffer.concat(list) });
        });
        assert.equal(reassembly.pending, undefined);
      }),
    );
  });

  test('keeps copies, not the network\u2019s buffer', () => {
    const reassembly = new Reassembly();
    const part = Buffer.from('first');
    reassembly.add(part, header(PFC.firstFrag), head);
    part.fill(0);
    const joined = reassembly.add(Buffer.from(' last'), header(PFC.lastFrag), head);
    assert.ok(joined.kind === 'whole');
    assert.equal(joined.stub.toString(), 'first last');
  });

  test('acts on too much as it arrives, not at the last fragment', () => {
    const reassembly = new Reassembly();
    assert.equal(reassembly.add(Buffer.alloc(MAX_STUB_BYTES), header(PFC.firstFrag), head).kind, 'pending');
    assert.equal(reassembly.add(Buffer.alloc(1), header(0), head).kind, 'too-large');
  });
});
