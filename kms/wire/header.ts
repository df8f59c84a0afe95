// SPDX-License-Identifier: Apache-2.0
/**
 * The 16 bytes that every connection-oriented DCE/RPC PDU begins with (MS-RPCE 2.2.2, docs/protocol.md §1.1–1.2).
 * It reads and writes the fields; whether a value is acceptable at this point of a conversation is the association's decision.
 */
import { readU16, readU32, writeU16, writeU32 } from './bytes.ts';

export const HEADER_BYTES = 16;
/** The longest PDU that we take or send (docs/protocol.md §5.2). */
export const MAX_PDU_BYTES = 5840;

export const RPC_VERSION = 5;
export const RPC_VERSION_MINOR = 0;

/** PDU types of the connection-oriented protocol (docs/protocol.md §1.2). */
export const PTYPE = {
  request: 0,
  response: 2,
  fault: 3,
  bind: 11,
  bindAck: 12,
  bindNak: 13,
  alterContext: 14,
  alterContextResp: 15,
  auth3: 16,
  shutdown: 17,
  coCancel: 18,
  orphaned: 19,
} as const;

/** pfc_flags (docs/protocol.md §1.1). Bit 04 means header signing in binds and a pending cancel elsewhere. */
export const PFC = {
  firstFrag: 0x01,
  lastFrag: 0x02,
  supportHeaderSign: 0x04,
  pendingCancel: 0x04,
  concMpx: 0x10,
  didNotExecute: 0x20,
  maybe: 0x40,
  objectUuid: 0x80,
} as const;

/** First and last fragment at once: the whole message in one PDU. */
export const WHOLE = PFC.firstFrag | PFC.lastFrag;

export interface PduHeader {
  readonly version: number;
  readonly versionMinor: number;
  readonly ptype: number;
  readonly flags: number;
  /** True when the sender's integers are little-endian (drep byte 0, high nibble 1). */
  readonly littleEndian: boolean;
  /** False when drep byte 0 has a high nibble other than 0 or 1: nothing after it can be read. */
  readonly drepKnown: boolean;
  /** Header, body and auth trailer together. */
  readonly fragLength: number;
  /** Of the auth value only, without its 8-byte trailer head; 0 = none. */
  readonly authLength: number;
  readonly callId: number;
}

/** Reads the header at `offset`; the caller has made sure that 16 bytes are there. Never throws then. */
export function decodeHeader(bytes: Buffer, offset: number): PduHeader {
  const order = bytes.readUInt8(offset + 4) >> 4;
  const le = order === 1;
  return {
    version: bytes.readUInt8(offset),
    versionMinor: bytes.readUInt8(offset + 1),
    ptype: bytes.readUInt8(offset + 2),
    flags: bytes.readUInt8(offset + 3),
    littleEndian: le,
    drepKnown: order < 2,
    fragLength: readU16(bytes, offset + 8, le),
    authLength: readU16(bytes, offset + 10, le),
    callId: readU32(bytes, offset + 12, le),
  };
}

export interface HeaderFields {
  ptype: number;
  flags: number;
  fragLength: number;
  callId: number;
  authLength?: number;
  /** Default true. Servers always answer in little-endian with their own drep. */
  littleEndian?: boolean;
}

/** Writes a header with version 5.0 at the start of `bytes`. */
export function writeHeader(bytes: Buffer, fields: HeaderFields): void {
  const le = fields.littleEndian ?? true;
  bytes.writeUInt8(RPC_VERSION, 0);
  bytes.writeUInt8(RPC_VERSION_MINOR, 1);
  bytes.writeUInt8(fields.ptype, 2);
  bytes.writeUInt8(fields.flags, 3);
  bytes.writeUInt32LE(le ? 0x10 : 0, 4);
  writeU16(bytes, fields.fragLength, 8, le);
  writeU16(bytes, fields.authLength ?? 0, 10, le);
  writeU32(bytes, fields.callId, 12, le);
}
