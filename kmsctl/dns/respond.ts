// SPDX-License-Identifier: Apache-2.0
//
// One DNS message in, one out (RFC 1035, 2181, 2308, 6891): what an authoritative server for a few zones answers. Pure.
// The codec is dns-packet; what it would throw on is answered FORMERR. No recursion, no transfers, no updates.

import { type Answer, decode, encode, type OptAnswer, type Packet, type Question } from 'dns-packet';
import { type Lookup, lookup, type Zone, type ZoneRecord } from './zone.ts';

const HEADER_BYTES = 12;
/** Type and class after a question's name. */
const QUESTION_TAIL_BYTES = 4;
/** What fits into a datagram on every path (RFC 1035 4.2.1), and what we are willing to send to who asks for more. */
const UDP_BYTES = 512;
const EDNS_UDP_BYTES = 1232;
const TCP_BYTES = 65_535;

const RCODE = { noError: 0, formErr: 1, nxDomain: 3, notImp: 4, refused: 5 } as const;
const BADVERS = 1;
const FLAG = { response: 0x8000, authoritative: 0x0400, truncated: 0x0200, recursionDesired: 0x0100 } as const;

export type Transport = 'udp' | 'tcp';

/** The answer to `message`, or undefined where none may be given: too short for a header, or itself an answer. Never throws. */
export function respond(message: Buffer, zones: readonly Zone[], transport: Transport): Buffer | undefined {
  if (message.length < HEADER_BYTES || (message.readUInt8(2) & 0x80) !== 0) return undefined;
  if ((message.readUInt8(2) & 0x78) !== 0) return headerOnly(message, RCODE.notImp);
  const query = read(message);
  if (query === undefined) return headerOnly(message, RCODE.formErr);
  const answer = query.edns !== undefined && query.edns.ednsVersion !== 0 ? badVersion() : answerOf(query, zones);
  return fit(response(message, query, answer), limitOf(query, transport));
}

interface Query {
  readonly question: Question;
  readonly edns: OptAnswer | undefined;
}

interface Sections {
  readonly rcode: number;
  readonly extendedRcode?: number;
  readonly authoritative: boolean;
  readonly answers: readonly ZoneRecord[];
  readonly authorities: readonly ZoneRecord[];
  readonly additionals: readonly ZoneRecord[];
}

function read(message: Buffer): Query | undefined {
  const packet = decoded(message);
  const question = packet?.questions?.[0];
  if (packet === undefined || question === undefined || packet.questions?.length !== 1) return undefined;
  // A name that would not be echoed byte for byte (a dot or a byte beyond ASCII in a label) is none of ours.
  const echoed = encode({ questions: [question] });
  const nameEnd = echoed.length - QUESTION_TAIL_BYTES;
  if (!echoed.subarray(HEADER_BYTES, nameEnd).equals(message.subarray(HEADER_BYTES, nameEnd))) return undefined;
  const edns = (packet.additionals ?? []).filter((record): record is OptAnswer => record.type === 'OPT');
  return edns.length > 1 ? undefined : { question, edns: edns[0] };
}

function decoded(message: Buffer): Packet | undefined {
  try {
    return decode(message);
  } catch {
    return undefined;
  }
}

const NO_RECORDS = { answers: [], authorities: [], additionals: [] } as const;

function badVersion(): Sections {
  return { rcode: RCODE.noError, extendedRcode: BADVERS, authoritative: false, ...NO_RECORDS };
}

function answerOf({ question }: Query, zones: readonly Zone[]): Sections {
  const internet = question.class === undefined || question.class === 'IN' || question.class === 'ANY';
  const transfer = question.type === 'AXFR' || question.type === 'IXFR';
  const found: Lookup = internet && !transfer ? lookup(zones, question.name, question.type) : { kind: 'refused' };
  if (found.kind === 'refused') return { rcode: RCODE.refused, authoritative: false, ...NO_RECORDS };
  if (found.kind === 'answer') {
    // The name as it was asked, so that a client that mixes case to tell answers apart recognises its own.
    const answers = found.records.map((record) => ({ ...record, name: question.name }));
    return {
      rcode: RCODE.noError,
      authoritative: true,
      answers,
      authorities: [],
      additionals: addressesOf(found.records, zones),
    };
  }
  const rcode = found.kind === 'nxdomain' ? RCODE.nxDomain : RCODE.noError;
  return { rcode, authoritative: true, ...NO_RECORDS, authorities: [found.zone.soa] };
}

/** A and AAAA of what SRV and NS records point to, each target once (RFC 2782). */
function addressesOf(records: readonly ZoneRecord[], zones: readonly Zone[]): ZoneRecord[] {
  const targets = records.flatMap((record) => {
    if (record.type === 'SRV') return [record.data.target];
    return record.type === 'NS' ? [record.data] : [];
  });
  return [...new Set(targets)].flatMap((target) =>
    (['A', 'AAAA'] as const).flatMap((type) => {
      const found = lookup(zones, target, type);
      return found.kind === 'answer' ? found.records : [];
    }),
  );
}

interface Draft {
  readonly packet: Packet & { additionals: Answer[] };
  readonly edns: readonly Answer[];
}

function response(message: Buffer, { question, edns }: Query, sections: Sections): Draft {
  const recursionDesired = message.readUInt16BE(2) & FLAG.recursionDesired;
  const opt = edns === undefined ? [] : [optRecord(sections.extendedRcode ?? 0)];
  const packet = {
    type: 'response' as const,
    id: message.readUInt16BE(0),
    flags: recursionDesired | (sections.authoritative ? FLAG.authoritative : 0) | sections.rcode,
    questions: [question],
    answers: [...sections.answers],
    authorities: [...sections.authorities],
    additionals: [...sections.additionals, ...opt],
  };
  return { packet, edns: opt };
}

function optRecord(extendedRcode: number): OptAnswer {
  return {
    name: '.',
    type: 'OPT',
    udpPayloadSize: EDNS_UDP_BYTES,
    extendedRcode,
    ednsVersion: 0,
    flags: 0,
    flag_do: false,
    options: [],
  };
}

/** Whole if it fits; else without the additional records, which is no truncation (RFC 2181 9); else without records, flagged TC. */
function fit({ packet, edns }: Draft, limit: number): Buffer {
  const whole = encode(packet);
  if (whole.length <= limit) return whole;
  const bare = encode({ ...packet, additionals: [...edns] });
  if (bare.length <= limit) return bare;
  const flags = (packet.flags ?? 0) | FLAG.truncated;
  return encode({ ...packet, flags, answers: [], authorities: [], additionals: [...edns] });
}

function limitOf({ edns }: Query, transport: Transport): number {
  if (transport === 'tcp') return TCP_BYTES;
  return edns === undefined ? UDP_BYTES : Math.min(Math.max(edns.udpPayloadSize, UDP_BYTES), EDNS_UDP_BYTES);
}

/** The twelve bytes of a header that say no, with the asker's ID, opcode and RD. */
function headerOnly(message: Buffer, rcode: number): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt16BE(message.readUInt16BE(0), 0);
  header.writeUInt16BE(FLAG.response | (message.readUInt16BE(2) & 0x7900) | rcode, 2);
  return header;
}
