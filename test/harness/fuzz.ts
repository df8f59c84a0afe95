// SPDX-License-Identifier: Apache-2.0
/**
 * Bytes that a host should survive: good PDUs of every kind, changed at random, cut, doubled and mixed, from a numbered sequence so that a run can be
 * repeated. No sockets here.
 */
import { btfnSyntax, encodeRequestStub, NDR32, NDR64, PFC, type PoolKeys, PTYPE } from '@kmspool/kms/wire';
import { bindFor, bindPdu, element, headerPdu, requestBody, requestPdu, stubPdu, withTrailer } from './messages.ts';

/** The CMID of all requests here that are well made after all. */
export const FUZZ_CMID = 'f0220000-0000-4000-8000-000000000000';

/** Whole numbers from 0 up to (not including) `below`. */
export type Random = (below: number) => number;

/** mulberry32: small, and the same sequence for the same seed everywhere. */
export function randomOf(seed: number): Random {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b_79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000) * below);
  };
}

/** Binds to begin with, and PDUs to go on with. */
export interface Corpus {
  readonly binds: readonly Buffer[];
  readonly others: readonly Buffer[];
}

export function buildCorpus(keys: PoolKeys): Corpus {
  const body = (protocol: 4 | 5 | 6): Buffer => requestBody(keys, { protocol, cmid: FUZZ_CMID });
  const windows = [element(0, NDR32), element(1, NDR64), element(2, btfnSyntax(3))];
  const many = Array.from({ length: 60 }, (_, id) => element(id, id % 2 === 0 ? NDR32 : NDR64));
  const binds = [
    bindPdu(),
    bindFor('NDR64'),
    bindPdu({ flags: 0x17, elements: windows }),
    bindPdu({ littleEndian: false }),
    bindPdu({ elements: many }),
    bindPdu({ maxXmitFrag: 0, maxRecvFrag: 0xffff, assocGroupId: 0xffff_ffff }),
    withTrailer(bindPdu(), { value: Buffer.alloc(32, 0x4e) }),
  ];
  const requests = ([4, 5, 6] as const).flatMap((protocol) => [
    requestPdu(body(protocol)),
    requestPdu(body(protocol), { syntax: 'NDR64' }),
    requestPdu(body(protocol), { littleEndian: false }),
    requestPdu(body(protocol), { contextId: 1, syntax: 'NDR64', objectUuid: Buffer.alloc(16, 7) }),
  ]);
  const stub = encodeRequestStub(body(6), { syntax: 'NDR32', littleEndian: true });
  const fragments = [
    stubPdu(stub.subarray(0, 90), { flags: PFC.firstFrag }),
    stubPdu(stub.subarray(90, 180), { flags: 0 }),
    stubPdu(stub.subarray(180), { flags: PFC.lastFrag }),
    stubPdu(Buffer.alloc(2000), { flags: 0 }),
  ];
  const alters = [windows, many, [element(0, NDR32)]].map((elements) =>
    bindPdu({ ptype: PTYPE.alterContext, elements }),
  );
  const heads = [PTYPE.coCancel, PTYPE.orphaned, PTYPE.auth3, PTYPE.shutdown, 1, 255].map((ptype) => headerPdu(ptype));
  return { binds, others: [...binds, ...requests, ...fragments, ...alters, ...heads, stubPdu(Buffer.alloc(5000))] };
}

const pick = <T>(list: readonly T[], random: Random): T => list[random(list.length)] as T;

const INTERESTING = [0, 1, 2, 3, 0x0f, 0x10, 0x7f, 0x80, 0xff];

/** One change of the kind that breaks parsers. */
function changed(bytes: Buffer, random: Random): Buffer {
  if (bytes.length === 0) return bytes;
  const copy = Buffer.from(bytes);
  // Half of the time within the header and the head of the body, where all lengths and counts stand.
  const at = random(2) === 0 ? random(copy.length) : random(Math.min(copy.length, 40));
  switch (random(7)) {
    case 0:
      copy.writeUInt8(copy.readUInt8(at) ^ (1 << random(8)), at);
      return copy;
    case 1:
      copy.writeUInt8(pick(INTERESTING, random), at);
      return copy;
    case 2:
      copy.fill(random(256), at, Math.min(copy.length, at + 1 + random(8)));
      return copy;
    case 3:
      return copy.subarray(0, at);
    case 4:
      return Buffer.concat([copy.subarray(0, at), randomBytes(1 + random(64), random), copy.subarray(at)]);
    case 5:
      return Buffer.concat([copy, copy.subarray(at)]);
    default:
      if (copy.length >= 10) copy.writeUInt16LE(random(2) === 0 ? random(0x10000) : copy.length + random(5) - 2, 8);
      return copy;
  }
}

export function randomBytes(length: number, random: Random): Buffer {
  return Buffer.from(Array.from({ length }, () => random(256)));
}

/** What one connection sends: mostly a bind that is understood, then anything; as writes. */
export function hostileConversation(corpus: Corpus, random: Random): Buffer[] {
  if (random(10) === 0) return [randomBytes(1 + random(300), random)];
  const writes = [random(4) === 0 ? changed(pick(corpus.binds, random), random) : pick(corpus.binds, random)];
  for (let left = random(12); left > 0; left--) {
    let pdu = pick(corpus.others, random);
    for (let changes = random(4); changes > 0; changes--) pdu = changed(pdu, random);
    writes.push(pdu);
  }
  return random(3) === 0 ? [Buffer.concat(writes)] : writes;
}
