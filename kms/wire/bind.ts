// SPDX-License-Identifier: Apache-2.0
/**
 * bind, bind_ack, bind_nak and the alter_context pair (docs/protocol.md §1.3–1.5): bytes <-> values.
 * What to accept is decided in `negotiate.ts`.
 */
import { readU16, readU32, writeU16, writeU32 } from './bytes.ts';
import { decodeHeader, HEADER_BYTES, type PduHeader, PFC, PTYPE, WHOLE, writeHeader } from './header.ts';
import { readSyntax, SYNTAX_BYTES, type Syntax, writeSyntax } from './syntax.ts';

/** Header, fragment sizes, association group and the head of the context list. */
export const MIN_BIND_BYTES = 28;
const ELEMENT_HEAD_BYTES = 4 + SYNTAX_BYTES;
const RESULT_BYTES = 4 + SYNTAX_BYTES;

export interface ContextElement {
  readonly contextId: number;
  readonly abstractSyntax: Syntax;
  readonly transferSyntaxes: readonly Syntax[];
}

export interface Bind {
  readonly maxXmitFrag: number;
  readonly maxRecvFrag: number;
  readonly assocGroupId: number;
  readonly elements: readonly ContextElement[];
}

/** Result and reason of one context element (docs/protocol.md §1.3). */
export interface ContextResult {
  readonly result: number;
  readonly reason: number;
  readonly syntax: Syntax;
}

export type BindDecoded = { ok: true; bind: Bind; end: number } | { ok: false; reason: 'size' };

/**
 * Reads the body of a bind or alter_context out of `bytes[start, end)`, which is exactly one PDU without its auth trailer.
 * The table's own counts are never trusted: an element that does not fit is `size`. `end` in the answer is where the table ends.
 */
export function decodeBind(bytes: Buffer, start: number, end: number, header: PduHeader): BindDecoded {
  const le = header.littleEndian;
  if (end - start < MIN_BIND_BYTES) return { ok: false, reason: 'size' };
  const elements: ContextElement[] = [];
  let at = start + MIN_BIND_BYTES;
  for (let left = bytes.readUInt8(start + 24); left > 0; left--) {
    if (at + ELEMENT_HEAD_BYTES > end) return { ok: false, reason: 'size' };
    const count = bytes.readUInt8(at + 2);
    const next = at + ELEMENT_HEAD_BYTES + count * SYNTAX_BYTES;
    if (next > end) return { ok: false, reason: 'size' };
    const transferSyntaxes: Syntax[] = [];
    for (let offset = at + ELEMENT_HEAD_BYTES; offset < next; offset += SYNTAX_BYTES) {
      transferSyntaxes.push(readSyntax(bytes, offset, le));
    }
    elements.push({
      contextId: readU16(bytes, at, le),
      abstractSyntax: readSyntax(bytes, at + 4, le),
      transferSyntaxes,
    });
    at = next;
  }
  const bind = {
    maxXmitFrag: readU16(bytes, start + 16, le),
    maxRecvFrag: readU16(bytes, start + 18, le),
    assocGroupId: bindGroupId(bytes, start, header),
    elements,
  };
  return { ok: true, bind, end: at };
}

/** assoc_group_id of a bind whose {@link MIN_BIND_BYTES} are there; 0 = a new group. */
export function bindGroupId(bytes: Buffer, start: number, header: PduHeader): number {
  return readU32(bytes, start + 20, header.littleEndian);
}

export interface BindFields extends Bind {
  readonly ptype?: typeof PTYPE.bind | typeof PTYPE.alterContext;
  readonly flags?: number;
  readonly callId: number;
  readonly littleEndian?: boolean;
}

/** What a client sends: a bind, or an alter_context when `ptype` says so. */
export function encodeBind(fields: BindFields): Buffer {
  const le = fields.littleEndian ?? true;
  const size = fields.elements.reduce(
    (sum, element) => sum + ELEMENT_HEAD_BYTES + element.transferSyntaxes.length * SYNTAX_BYTES,
    MIN_BIND_BYTES,
  );
  const bytes = Buffer.alloc(size);
  writeHeader(bytes, {
    ptype: fields.ptype ?? PTYPE.bind,
    flags: fields.flags ?? WHOLE,
    fragLength: size,
    callId: fields.callId,
    littleEndian: le,
  });
  writeU16(bytes, fields.maxXmitFrag, 16, le);
  writeU16(bytes, fields.maxRecvFrag, 18, le);
  writeU32(bytes, fields.assocGroupId, 20, le);
  bytes.writeUInt8(fields.elements.length, 24);
  let at = MIN_BIND_BYTES;
  for (const element of fields.elements) {
    writeU16(bytes, element.contextId, at, le);
    bytes.writeUInt8(element.transferSyntaxes.length, at + 2);
    writeSyntax(bytes, element.abstractSyntax, at + 4, le);
    at += ELEMENT_HEAD_BYTES;
    for (const syntax of element.transferSyntaxes) {
      writeSyntax(bytes, syntax, at, le);
      at += SYNTAX_BYTES;
    }
  }
  return bytes;
}

export interface BindAckFields {
  /** bind_ack, or alter_context_resp, whose secondary address is empty. */
  readonly ptype: typeof PTYPE.bindAck | typeof PTYPE.alterContextResp;
  readonly flags: number;
  readonly callId: number;
  /** The negotiated size, written into both fields. */
  readonly maxFrag: number;
  readonly assocGroupId: number;
  /** The port as decimal text (S1-21); empty in an alter_context_resp. */
  readonly secondaryAddress: string;
  readonly results: readonly ContextResult[];
}

/** Writes a bind_ack or alter_context_resp; the results start on a multiple of 4 from the start of the PDU. */
export function encodeBindAck(fields: BindAckFields): Buffer {
  const addressBytes = fields.secondaryAddress === '' ? 0 : fields.secondaryAddress.length + 1;
  const table = (26 + addressBytes + 3) & ~3;
  const bytes = Buffer.alloc(table + 4 + RESULT_BYTES * fields.results.length);
  writeHeader(bytes, { ptype: fields.ptype, flags: fields.flags, fragLength: bytes.length, callId: fields.callId });
  bytes.writeUInt16LE(fields.maxFrag, 16);
  bytes.writeUInt16LE(fields.maxFrag, 18);
  bytes.writeUInt32LE(fields.assocGroupId, 20);
  bytes.writeUInt16LE(addressBytes, 24);
  bytes.write(fields.secondaryAddress, 26, 'latin1');
  bytes.writeUInt8(fields.results.length, table);
  fields.results.forEach((result, index) => {
    const at = table + 4 + RESULT_BYTES * index;
    bytes.writeUInt16LE(result.result, at);
    bytes.writeUInt16LE(result.reason, at + 2);
    writeSyntax(bytes, result.syntax, at + 4, true);
  });
  return bytes;
}

export interface BindAck {
  readonly maxXmitFrag: number;
  readonly maxRecvFrag: number;
  readonly assocGroupId: number;
  readonly secondaryAddress: string;
  readonly results: readonly ContextResult[];
}

export type BindAckDecoded = { ok: true; ack: BindAck } | { ok: false; reason: 'size' };

/** What a client reads: the whole bind_ack or alter_context_resp PDU, in the server's byte order. */
export function decodeBindAck(bytes: Buffer): BindAckDecoded {
  if (bytes.length < MIN_BIND_BYTES) return { ok: false, reason: 'size' };
  const le = decodeHeader(bytes, 0).littleEndian;
  const addressBytes = readU16(bytes, 24, le);
  const table = (26 + addressBytes + 3) & ~3;
  if (table + 4 > bytes.length) return { ok: false, reason: 'size' };
  const count = bytes.readUInt8(table);
  if (table + 4 + RESULT_BYTES * count > bytes.length) return { ok: false, reason: 'size' };
  const results: ContextResult[] = [];
  for (let at = table + 4; results.length < count; at += RESULT_BYTES) {
    results.push({
      result: readU16(bytes, at, le),
      reason: readU16(bytes, at + 2, le),
      syntax: readSyntax(bytes, at + 4, le),
    });
  }
  const ack = {
    maxXmitFrag: readU16(bytes, 16, le),
    maxRecvFrag: readU16(bytes, 18, le),
    assocGroupId: readU32(bytes, 20, le),
    secondaryAddress: bytes.toString('latin1', 26, 26 + Math.max(0, addressBytes - 1)),
    results,
  };
  return { ok: true, ack };
}

/** Why a bind is refused whole (docs/protocol.md §1.4). */
export const NAK = { notSpecified: 0, localLimit: 2, versionNotSupported: 4, authTypeNotRecognised: 8 } as const;

/** bind_nak, 24 bytes: reason, one supported version 5.0, three pad bytes, no extended error. */
export function encodeBindNak(callId: number, reason: number): Buffer {
  const bytes = Buffer.alloc(24);
  writeHeader(bytes, { ptype: PTYPE.bindNak, flags: WHOLE, fragLength: 24, callId });
  bytes.writeUInt16LE(reason, HEADER_BYTES);
  bytes.writeUInt8(1, 18);
  bytes.writeUInt8(5, 19);
  return bytes;
}

/** The reason in a bind_nak, or undefined if the PDU is too short to have one. */
export function decodeBindNak(bytes: Buffer): number | undefined {
  return bytes.length < 18 ? undefined : readU16(bytes, 16, decodeHeader(bytes, 0).littleEndian);
}

/** The flags of a bind_ack: whole, CONC_MPX and header signing echoed if the client had them (docs/protocol.md §1.3). */
export function bindAckFlags(requestFlags: number): number {
  return WHOLE | (requestFlags & (PFC.concMpx | PFC.supportHeaderSign));
}
