// SPDX-License-Identifier: Apache-2.0
/**
 * One call of the script `record.lua` as bytes: its two arguments and its answer. Pure; what the script does is written in the script.
 *
 * Header (first argument), little-endian:        Answer:
 *   0   16  incarnation                            0   1   0 done, 1 gap: contacts before these are missing, nothing was counted
 *   16  1   flags                                  1   8   the store's time, ms since 1970 (double, as all below)
 *   17  8   sequence before the first (double)     9   8   highest sequence known of this incarnation
 *   25  4   maxRequiredCount                       17  8   membership version of the tables
 *   29  4   clients to retain                      25  2·n count of each contact, 0 where none was asked (none after a gap)
 *   33  4   events to retain                       then, for a sync: total, failed, 8 × by license status, clients, duplicates;
 *   37  8   membership version of the copy         1 byte: tables follow; per application 4 high-water mark, 2 entries, each 16 CMID, 8 time
 */
import { LICENSE_STATUS_COUNT, type TableState, type Totals } from '@kmspool/kms/counting';
import type { StoreSettings } from './store.ts';

export const INCARNATION_BYTES = 16;
const HEADER_BYTES = 45;
const COUNTS_OFFSET = 25;
const ENTRY_BYTES = 24;

/** Replay: contacts carry their own time. Force: what is missing before them is lost for good. Sync: answer totals; tables: and the tables in any case. */
export const CALL_FLAG = { replay: 1, force: 2, sync: 4, tables: 8 } as const;

export interface CallHeader {
  readonly incarnation: Buffer;
  /** Of {@link CALL_FLAG}. */
  readonly flags: number;
  /** The sequence number before the first contact of the call, or the highest that the store acknowledged. */
  readonly previous: number;
  readonly settings: StoreSettings;
  readonly copyVersion: number;
}

export function encodeHeader(header: CallHeader): Buffer {
  const bytes = Buffer.allocUnsafe(HEADER_BYTES);
  header.incarnation.copy(bytes, 0);
  bytes.writeUInt8(header.flags, 16);
  bytes.writeDoubleLE(header.previous, 17);
  bytes.writeUInt32LE(header.settings.maxRequiredCount, 25);
  bytes.writeUInt32LE(header.settings.retention.clients, 29);
  bytes.writeUInt32LE(header.settings.retention.events, 33);
  bytes.writeDoubleLE(header.copyVersion, 37);
  return bytes;
}

/** What a sync tells beside the reply's head. */
export interface SyncPart {
  readonly totals: Totals;
  readonly clients: number;
  readonly duplicates: number;
  /** By application index; absent when the copy's membership version is the store's. */
  readonly tables?: readonly TableState[];
}

export interface ScriptReply {
  readonly gap: boolean;
  readonly nowMs: number;
  readonly highest: number;
  readonly version: number;
  /** Count of the contact at `index` of the call. */
  countOf(index: number): number;
  readonly sync?: SyncPart;
}

/** Reads an answer to a call with `contacts` contacts; undefined if it is none (a foreign script or proxy). */
export function decodeReply(
  bytes: Buffer,
  call: { readonly contacts: number; readonly sync: boolean },
): ScriptReply | undefined {
  if (bytes.length < COUNTS_OFFSET) return undefined;
  const gap = bytes.readUInt8(0) === 1;
  const countBytes = gap ? 0 : 2 * call.contacts;
  if (bytes.length < COUNTS_OFFSET + countBytes) return undefined;
  const sync = call.sync ? decodeSync(bytes, COUNTS_OFFSET + countBytes) : undefined;
  if (call.sync && sync === undefined) return undefined;
  return {
    gap,
    nowMs: bytes.readDoubleLE(1),
    highest: bytes.readDoubleLE(9),
    version: bytes.readDoubleLE(17),
    countOf: (index) => bytes.readUInt16LE(COUNTS_OFFSET + 2 * index),
    ...(sync ? { sync } : {}),
  };
}

function decodeSync(bytes: Buffer, offset: number): SyncPart | undefined {
  const numbers = 4 + LICENSE_STATUS_COUNT;
  if (bytes.length < offset + 8 * numbers + 1) return undefined;
  const number = (index: number): number => bytes.readDoubleLE(offset + 8 * index);
  const byLicenseStatus = Array.from({ length: LICENSE_STATUS_COUNT }, (_, status) => number(2 + status));
  const totals = { total: number(0), failed: number(1), byLicenseStatus };
  const counts = { totals, clients: number(numbers - 2), duplicates: number(numbers - 1) };
  const tablesAt = offset + 8 * numbers + 1;
  if (bytes.readUInt8(tablesAt - 1) === 0) return counts;
  const tables = decodeTables(bytes, tablesAt);
  return tables && { ...counts, tables };
}

function decodeTables(bytes: Buffer, offset: number): TableState[] | undefined {
  const tables: TableState[] = [];
  while (offset < bytes.length) {
    if (bytes.length < offset + 6) return undefined;
    const highWater = bytes.readUInt32LE(offset);
    const end = offset + 6 + bytes.readUInt16LE(offset + 4) * ENTRY_BYTES;
    if (bytes.length < end) return undefined;
    const entries = new Map<string, number>();
    for (let at = offset + 6; at < end; at += ENTRY_BYTES) {
      entries.set(bytes.toString('hex', at, at + 16), bytes.readDoubleLE(at + 16));
    }
    tables.push({ highWater, entries });
    offset = end;
  }
  return tables;
}
