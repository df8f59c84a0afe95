// SPDX-License-Identifier: Apache-2.0

// One DNS question as bytes, and the answer to it as a value (RFC 1035, 2308, 2782, 6891). Pure. What comes from the network is hostile until it is
// read: whatever the bytes are, reading them gives a value and never throws. The codec is dns-packet; what it lets pass is checked here.
import {
  type Answer,
  type DecodedPacket,
  decode,
  encode,
  type OptAnswer,
  RECURSION_DESIRED,
  type SoaAnswer,
} from 'dns-packet';
import { isWithin, plainAddress, plainName } from './names.ts';
import type { ObservedSrv } from './observation.ts';

/** Size of UDP answers that we ask for: what passes every path unfragmented (DNS flag day 2020). */
export const EDNS_UDP_BYTES = 1232;
/** RFC 2181 8: a TTL with the highest bit set counts as zero. */
const TTL_MAX = 0x7fff_ffff;
/** Longer chains of aliases are nobody's but an attacker's. */
const ALIASES_MAX = 16;
const RCODE = { noError: 0, formErr: 1, nxDomain: 3, notImp: 4 } as const;
/** IANA's names of the codes that a server says no with; clients are shown these, so they are not translated. */
const RCODE_TEXT: Readonly<Record<number, string>> = {
  1: 'FORMERR',
  2: 'SERVFAIL',
  4: 'NOTIMP',
  5: 'REFUSED',
  6: 'YXDOMAIN',
  7: 'YXRRSET',
  8: 'NXRRSET',
  9: 'NOTAUTH',
  10: 'NOTZONE',
  16: 'BADVERS',
};

/** What each type of record is read as. */
export interface RecordsByType {
  readonly SRV: ObservedSrv;
  /** RFC 5952 text. */
  readonly A: { readonly address: string; readonly ttlSeconds: number };
  readonly AAAA: { readonly address: string; readonly ttlSeconds: number };
  readonly NS: { readonly host: string; readonly ttlSeconds: number };
  readonly SOA: { readonly ttlSeconds: number };
}
export type AskedType = keyof RecordsByType;

/** One question of class IN. */
export interface DnsQuestion<T extends AskedType = AskedType> {
  /** Plain: lower case, without the root's dot. */
  readonly name: string;
  readonly type: T;
  /** Asked of a server that shall find out, not of one that knows. */
  readonly recursionDesired: boolean;
  /** Takes the records at the end of an alias chain that the answer itself holds; else an alias is no answer. */
  readonly followAliases?: boolean;
}

/** What a server said. */
export type DnsReply<T extends AskedType = AskedType> =
  | {
      readonly ok: true;
      readonly records: readonly RecordsByType[T][];
      /** Present when `records` is empty: there is no such name, or no such type at it. */
      readonly empty?: 'NxDomain' | 'NoData';
      /** The zone that holds the name, by the SOA record that came with an empty answer (RFC 2308 2). */
      readonly zone?: { readonly apex: string; readonly ttlSeconds: number };
    }
  /** `silent`: nothing came back at all. */
  | { readonly ok: false; readonly error: string; readonly silent?: boolean };

/** What the bytes that came back are. */
export type Reading<T extends AskedType> =
  | { readonly kind: 'reply'; readonly reply: DnsReply<T> }
  /** Not the answer to this question: whoever sent it, the wait goes on. */
  | { readonly kind: 'notOurs' }
  | { readonly kind: 'malformed' }
  | { readonly kind: 'truncated' }
  /** The server does not know EDNS (RFC 6891 7). */
  | { readonly kind: 'plainOnly'; readonly error: string };

/** @param edns whether to ask for large UDP answers. */
export function encodeQuestion({ name, type, recursionDesired }: DnsQuestion, id: number, edns: boolean): Buffer {
  const opt: OptAnswer = {
    name: '.',
    type: 'OPT',
    udpPayloadSize: EDNS_UDP_BYTES,
    extendedRcode: 0,
    ednsVersion: 0,
    flags: 0,
    flag_do: false,
    options: [],
  };
  return encode({
    type: 'query',
    id,
    flags: recursionDesired ? RECURSION_DESIRED : 0,
    questions: [{ name, type, class: 'IN' }],
    additionals: edns ? [opt] : [],
  });
}

/** Reads what came back for `question`, which was asked with this ID. */
export function readReply<T extends AskedType>(bytes: Buffer, question: DnsQuestion<T>, id: number): Reading<T> {
  // The ID first: of a flood of strangers' packets none is worth decoding.
  if (bytes.length < 12 || bytes.readUInt16BE(0) !== id || (bytes.readUInt8(2) & 0x80) === 0)
    return { kind: 'notOurs' };
  const packet = decoded(bytes);
  if (packet === undefined) return { kind: 'malformed' };
  if (!answers(packet, question)) return { kind: 'notOurs' };
  const rcode = rcodeOf(packet);
  if ((rcode === RCODE.formErr || rcode === RCODE.notImp) && optOf(packet) === undefined) {
    return { kind: 'plainOnly', error: rcodeText(rcode) };
  }
  if (packet.flag_tc) return { kind: 'truncated' };
  return readAnswer(packet, question, rcode);
}

function decoded(bytes: Buffer): DecodedPacket | undefined {
  try {
    const packet = decode(bytes);
    // dns-packet reads on past the end of a record that is cut short.
    return decode.bytes <= bytes.length ? packet : undefined;
  } catch {
    return undefined;
  }
}

/** The question comes back with the answer; only a refusal may leave it out. */
function answers(packet: DecodedPacket, { name, type }: DnsQuestion): boolean {
  const [asked, ...more] = packet.questions ?? [];
  if (asked === undefined) return rcodeOf(packet) !== RCODE.noError && rcodeOf(packet) !== RCODE.nxDomain;
  return more.length === 0 && asked.type === type && asked.class === 'IN' && plainName(asked.name) === name;
}

function optOf(packet: DecodedPacket): OptAnswer | undefined {
  return packet.additionals?.find((record): record is OptAnswer => record.type === 'OPT');
}

function rcodeOf(packet: DecodedPacket): number {
  return ((optOf(packet)?.extendedRcode ?? 0) << 4) | ((packet.flags ?? 0) & 0x0f);
}

function readAnswer<T extends AskedType>(packet: DecodedPacket, question: DnsQuestion<T>, rcode: number): Reading<T> {
  if (rcode !== RCODE.noError && rcode !== RCODE.nxDomain) return failed(rcodeText(rcode));
  const owners = ownersOf(packet, question);
  const records: RecordsByType[T][] = [];
  for (const answer of packet.answers ?? []) {
    if (answer.type !== question.type || !owners.has(plainName(answer.name))) continue;
    const record = readRecord<T>(answer);
    if (record === undefined) return { kind: 'malformed' };
    records.push(record);
  }
  if (records.length > 0) return { kind: 'reply', reply: { ok: true, records } };
  return readEmpty(packet, question, rcode);
}

function rcodeText(rcode: number): string {
  return RCODE_TEXT[rcode] ?? `response code ${rcode}`;
}

function failed<T extends AskedType>(error: string): Reading<T> {
  return { kind: 'reply', reply: { ok: false, error } };
}

/** The name asked for and, where aliases are followed, every name that the answer's chain leads to (RFC 1034 3.6.2). */
function ownersOf(packet: DecodedPacket, { name, followAliases }: DnsQuestion): ReadonlySet<string> {
  const owners = new Set([name]);
  if (followAliases !== true) return owners;
  // A chain that leads back into itself ends there, for the set grows no further.
  for (let links = 0, before = 0; links < ALIASES_MAX && before !== owners.size; links++) {
    before = owners.size;
    for (const record of packet.answers ?? []) {
      if (record.type === 'CNAME' && owners.has(plainName(record.name))) owners.add(plainName(record.data));
    }
  }
  return owners;
}

function readEmpty<T extends AskedType>(packet: DecodedPacket, { name }: DnsQuestion, rcode: number): Reading<T> {
  const aliased = packet.answers?.some((record) => record.type === 'CNAME' && plainName(record.name) === name);
  const soa = packet.authorities?.find((record): record is SoaAnswer => record.type === 'SOA');
  const refers = packet.authorities?.some(({ type }) => type === 'NS') === true;
  // A lame server (RFC 1912 2.8), or the parent of a zone: it knows nothing of the name, and that is not the same as "there is none".
  if (rcode === RCODE.noError && aliased !== true && !packet.flag_aa && soa === undefined && refers) {
    return failed('refers to other servers (lame delegation)');
  }
  const empty = rcode === RCODE.nxDomain ? 'NxDomain' : 'NoData';
  // With an alias, the SOA record is that of the zone at its end.
  const zone = aliased === true || soa === undefined ? undefined : zoneOf(soa, name);
  return { kind: 'reply', reply: { ok: true, records: [], empty, ...(zone === undefined ? {} : { zone }) } };
}

function zoneOf(soa: SoaAnswer, name: string): { apex: string; ttlSeconds: number } | undefined {
  const apex = plainName(soa.name);
  if (!isWithin(name, apex)) return undefined;
  return { apex, ttlSeconds: Math.min(ttlOf(soa.ttl), soa.data.minimum ?? 0) };
}

function ttlOf(ttl: number | undefined): number {
  return ttl === undefined || ttl > TTL_MAX ? 0 : ttl;
}

/** Undefined for what is no record of class IN with sound data. */
function readRecord<T extends AskedType>(answer: Answer): RecordsByType[T] | undefined {
  const record = readData(answer);
  return record as RecordsByType[T] | undefined;
}

function readData(answer: Answer): RecordsByType[AskedType] | undefined {
  if (answer.type === 'OPT' || answer.class !== 'IN') return undefined;
  const ttlSeconds = ttlOf(answer.ttl);
  switch (answer.type) {
    case 'SRV': {
      const { priority = 0, weight = 0, port, target } = answer.data;
      return { priority, weight, port, target: plainName(target), ttlSeconds };
    }
    case 'A':
    case 'AAAA': {
      const address = plainAddress(answer.data);
      return address === undefined ? undefined : { address, ttlSeconds };
    }
    case 'NS':
      return { host: plainName(answer.data), ttlSeconds };
    case 'SOA':
      return { ttlSeconds };
    default:
      return undefined;
  }
}
