// SPDX-License-Identifier: Apache-2.0
/**
 * request, response and fault PDUs around a stub (docs/protocol.md §1.6): bytes <-> values. Fragment rules and the choice of a
 * fault are the association's.
 */
import { readU16, readU32, writeU16, writeU32 } from './bytes.ts';
import { decodeHeader, HEADER_BYTES, type PduHeader, PFC, PTYPE, WHOLE, writeHeader } from './header.ts';

/** Where a request's stub begins, without and with an object UUID; a response's begins at 24 as well. */
export const REQUEST_HEAD_BYTES = 24;
export const REQUEST_HEAD_WITH_OBJECT_BYTES = 40;
const FAULT_BYTES = 32;

/** Fault statuses (docs/protocol.md §1.6). */
export const FAULT = {
  opRange: 0x1c010002,
  unknownInterface: 0x1c010003,
  protoError: 0x1c01000b,
  serverTooBusy: 0x1c010014,
  badStubData: 0x000006f7,
  accessDenied: 0x00000005,
  noCallActive: 0x000006bd,
} as const;

export interface RequestHead {
  readonly contextId: number;
  readonly opnum: number;
  /** Offset of the stub, after the object UUID if there is one. */
  readonly stubStart: number;
}

/** The least length of a request PDU with these flags. */
export function minRequestBytes(flags: number): number {
  return (flags & PFC.objectUuid) === 0 ? REQUEST_HEAD_BYTES : REQUEST_HEAD_WITH_OBJECT_BYTES;
}

/** Reads what follows the header; the caller has checked {@link minRequestBytes}. alloc_hint is not looked at: it is a hint. */
export function decodeRequestHead(bytes: Buffer, start: number, header: PduHeader): RequestHead {
  return {
    contextId: readU16(bytes, start + 20, header.littleEndian),
    opnum: readU16(bytes, start + 22, header.littleEndian),
    stubStart: start + minRequestBytes(header.flags),
  };
}

export interface RequestFields {
  readonly callId: number;
  readonly contextId: number;
  readonly stub: Buffer;
  readonly opnum?: number;
  readonly flags?: number;
  readonly objectUuid?: Buffer;
  readonly allocHint?: number;
  readonly littleEndian?: boolean;
}

/** What a client sends: one request PDU, or one fragment when `flags` says so. */
export function encodeRequest(fields: RequestFields): Buffer {
  const le = fields.littleEndian ?? true;
  const object = fields.objectUuid ?? Buffer.alloc(0);
  const bytes = Buffer.alloc(REQUEST_HEAD_BYTES + object.length + fields.stub.length);
  writeHeader(bytes, {
    ptype: PTYPE.request,
    flags: (fields.flags ?? WHOLE) | (object.length > 0 ? PFC.objectUuid : 0),
    fragLength: bytes.length,
    callId: fields.callId,
    littleEndian: le,
  });
  writeU32(bytes, fields.allocHint ?? fields.stub.length, 16, le);
  writeU16(bytes, fields.contextId, 20, le);
  writeU16(bytes, fields.opnum ?? 0, 22, le);
  object.copy(bytes, REQUEST_HEAD_BYTES);
  fields.stub.copy(bytes, REQUEST_HEAD_BYTES + object.length);
  return bytes;
}

/**
 * An empty response PDU for a stub of `stubBytes` bytes, header filled in; the caller writes the stub from
 * {@link REQUEST_HEAD_BYTES} on. So the answer is built in one buffer without a copy.
 */
export function newResponse(callId: number, contextId: number, stubBytes: number): Buffer {
  const bytes = Buffer.allocUnsafe(REQUEST_HEAD_BYTES + stubBytes);
  writeHeader(bytes, { ptype: PTYPE.response, flags: WHOLE, fragLength: bytes.length, callId });
  bytes.writeUInt32LE(stubBytes, 16);
  bytes.writeUInt16LE(contextId, 20);
  bytes.writeUInt16LE(0, 22);
  return bytes;
}

export interface FaultFields {
  readonly callId: number;
  readonly contextId: number;
  readonly status: number;
  /** True when the call was certainly not executed (pfc_flags 20). */
  readonly didNotExecute: boolean;
}

/** fault, 32 bytes, no stub; alloc_hint 32 says that there is no extended error (docs/protocol.md §1.6). */
export function encodeFault(fields: FaultFields): Buffer {
  const bytes = Buffer.alloc(FAULT_BYTES);
  const flags = WHOLE | (fields.didNotExecute ? PFC.didNotExecute : 0);
  writeHeader(bytes, { ptype: PTYPE.fault, flags, fragLength: FAULT_BYTES, callId: fields.callId });
  bytes.writeUInt32LE(FAULT_BYTES, 16);
  bytes.writeUInt16LE(fields.contextId, 20);
  bytes.writeUInt32LE(fields.status, 24);
  return bytes;
}

/** An answer as a client reads it; `ptype` is -1 where there is not even a header. */
export type Reply =
  | { kind: 'response'; callId: number; contextId: number; stub: Buffer; littleEndian: boolean }
  | { kind: 'fault'; callId: number; contextId: number; status: number; didNotExecute: boolean }
  | { kind: 'other'; ptype: number };

/** Reads one whole response or fault PDU; anything else, or one that is too short, is `other`. */
export function decodeReply(bytes: Buffer): Reply {
  if (bytes.length < HEADER_BYTES) return { kind: 'other', ptype: -1 };
  const header = decodeHeader(bytes, 0);
  const { callId, littleEndian: le } = header;
  if (header.ptype === PTYPE.response && bytes.length >= REQUEST_HEAD_BYTES) {
    const stub = bytes.subarray(REQUEST_HEAD_BYTES);
    return { kind: 'response', callId, contextId: readU16(bytes, 20, le), stub, littleEndian: le };
  }
  if (header.ptype === PTYPE.fault && bytes.length >= 28) {
    const didNotExecute = (header.flags & PFC.didNotExecute) !== 0;
    const status = readU32(bytes, 24, le);
    return { kind: 'fault', callId, contextId: readU16(bytes, 20, le), status, didNotExecute };
  }
  return { kind: 'other', ptype: header.ptype };
}
