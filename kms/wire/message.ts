// SPDX-License-Identifier: Apache-2.0
/**
 * The plaintext request and response bases, the same in V4, V5 and V6 (docs/protocol.md §3.1–3.2). Always little-endian: to RPC they
 * are octets. What wraps them is in `envelope.ts`; what a value means to a host is decided in `kms-node/emulate`.
 */
import { guidToHex, hexToGuid } from './guid.ts';

export const REQUEST_BASE_BYTES = 236;
const NAME_OFFSET = 108;
const NAME_BYTES = 128;
/** Milliseconds from 1601-01-01 to 1970-01-01. */
const FILETIME_EPOCH_MS = 11_644_473_600_000;

export type ProtocolVersion = 4 | 5 | 6;

/** Where the identifiers stand in the base, 16 bytes each. */
export const REQUEST_OFFSET = {
  applicationId: 16,
  activationId: 32,
  countedId: 48,
  cmid: 64,
  clientTime: 84,
  previousCmid: 92,
};

export interface KmsRequest {
  /** The 236 plaintext bytes; identifiers are read from here when somebody needs them. */
  readonly bytes: Buffer;
  readonly majorVersion: number;
  readonly minorVersion: number;
  /** 0 or not; informational. */
  readonly isClientVm: number;
  /** 0–6; anything else is a client's own invention. */
  readonly licenseStatus: number;
  /** Until the current status expires; 0 = no limit. */
  readonly minutesToExpiry: number;
  /** N: how many clients the client wants to be counted. */
  readonly requiredClientCount: number;
  /** Client's clock, UTC, milliseconds since 1970; any FILETIME gives a finite number. */
  readonly clientTimeMs: number;
}

/** Reads the base from 236 bytes at the start of `bytes`. Every bit pattern is a value; nothing is judged. */
export function decodeRequestBase(bytes: Buffer): KmsRequest {
  const version = bytes.readUInt32LE(0);
  return {
    bytes,
    majorVersion: version >>> 16,
    minorVersion: version & 0xffff,
    isClientVm: bytes.readUInt32LE(4),
    licenseStatus: bytes.readUInt32LE(8),
    minutesToExpiry: bytes.readUInt32LE(12),
    requiredClientCount: bytes.readUInt32LE(80),
    clientTimeMs: fileTimeToMs(bytes.readUInt32LE(84), bytes.readUInt32LE(88)),
  };
}

/** 16 wire bytes at `offset` as 32 lower-case hex digits: the form in which identifiers are compared and stored. */
export function idHex(request: KmsRequest, offset: number): string {
  return request.bytes.toString('hex', offset, offset + 16);
}

/** The workstation name up to its NUL, or all 64 units if there is none. May hold any UTF-16, lone surrogates included. */
export function workstationName(request: KmsRequest): string {
  const units = request.bytes.toString('utf16le', NAME_OFFSET, NAME_OFFSET + NAME_BYTES);
  const end = units.indexOf('\0');
  return end < 0 ? units : units.slice(0, end);
}

/** FILETIME halves to milliseconds since 1970. Doubles are good to 2 µs in our time and to 1 ms over the whole range, enough for a 4-hour check. */
function fileTimeToMs(low: number, high: number): number {
  return (high * 0x1_0000_0000 + low) / 10_000 - FILETIME_EPOCH_MS;
}

/** Milliseconds since 1970 as a FILETIME (100 ns since 1601), for a client that writes one. */
export function msToFileTime(ms: number): bigint {
  return BigInt(Math.round(ms) + FILETIME_EPOCH_MS) * 10_000n;
}

export interface KmsRequestFields {
  readonly protocol: ProtocolVersion;
  /** GUID texts. */
  readonly applicationId: string;
  readonly activationId: string;
  readonly countedId: string;
  readonly cmid: string;
  readonly previousCmid?: string;
  readonly requiredClientCount: number;
  /** Milliseconds since 1970, UTC. */
  readonly clientTimeMs: number;
  readonly workstationName: string;
  readonly isClientVm?: boolean;
  readonly licenseStatus?: number;
  readonly minutesToExpiry?: number;
}

/** What a client sends: 236 bytes. The name is cut to 63 units so that it ends with a NUL. */
export function encodeRequestBase(fields: KmsRequestFields): Buffer {
  const bytes = Buffer.alloc(REQUEST_BASE_BYTES);
  bytes.writeUInt32LE(fields.protocol << 16, 0);
  bytes.writeUInt32LE(fields.isClientVm ? 1 : 0, 4);
  bytes.writeUInt32LE(fields.licenseStatus ?? 2, 8);
  bytes.writeUInt32LE(fields.minutesToExpiry ?? 0, 12);
  bytes.write(guidToHex(fields.applicationId), REQUEST_OFFSET.applicationId, 'hex');
  bytes.write(guidToHex(fields.activationId), REQUEST_OFFSET.activationId, 'hex');
  bytes.write(guidToHex(fields.countedId), REQUEST_OFFSET.countedId, 'hex');
  bytes.write(guidToHex(fields.cmid), REQUEST_OFFSET.cmid, 'hex');
  bytes.writeUInt32LE(fields.requiredClientCount, 80);
  bytes.writeBigUInt64LE(BigInt.asUintN(64, msToFileTime(fields.clientTimeMs)), REQUEST_OFFSET.clientTime);
  if (fields.previousCmid) bytes.write(guidToHex(fields.previousCmid), REQUEST_OFFSET.previousCmid, 'hex');
  bytes.write(fields.workstationName.slice(0, NAME_BYTES / 2 - 1), NAME_OFFSET, 'utf16le');
  return bytes;
}

/** A host's answer, as a client reads it. */
export interface KmsResponse {
  readonly protocol: ProtocolVersion;
  readonly hostPid: string;
  /** GUID text. */
  readonly cmid: string;
  readonly clientTimeMs: number;
  readonly currentCount: number;
  readonly activationIntervalMinutes: number;
  readonly renewalIntervalMinutes: number;
}

/** Bytes of a response base around a PID of `pidBytes` bytes. */
export function responseBaseBytes(pidBytes: number): number {
  return 44 + pidBytes;
}

/**
 * Reads a response base: version, PID length, PID, CMID, client time, count and the two intervals. Undefined when the PID length is odd, outside
 * 2…128 or does not fit.
 */
export function decodeResponseBase(bytes: Buffer): KmsResponse | undefined {
  if (bytes.length < 46) return undefined;
  const version = bytes.readUInt32LE(0);
  const pidBytes = bytes.readUInt32LE(4);
  const major = version >>> 16;
  if ((version & 0xffff) !== 0 || (major !== 4 && major !== 5 && major !== 6)) return undefined;
  if (pidBytes < 2 || pidBytes > 128 || pidBytes % 2 !== 0 || bytes.length < responseBaseBytes(pidBytes))
    return undefined;
  const at = 8 + pidBytes;
  return {
    protocol: major,
    hostPid: bytes.toString('utf16le', 8, at - 2),
    cmid: hexToGuid(bytes.toString('hex', at, at + 16)),
    clientTimeMs: fileTimeToMs(bytes.readUInt32LE(at + 16), bytes.readUInt32LE(at + 20)),
    currentCount: bytes.readUInt32LE(at + 24),
    activationIntervalMinutes: bytes.readUInt32LE(at + 28),
    renewalIntervalMinutes: bytes.readUInt32LE(at + 32),
  };
}
