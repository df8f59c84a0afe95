// SPDX-License-Identifier: Apache-2.0
/**
 * A contact as bytes. The same record goes into the host's journal, to Redis as the script's argument, into the inventory and the event stream,
 * and comes back in listings; so it is packed once and never rewritten.
 *
 *   off size field                                     off size field
 *   0   2    length of the whole record                38  1    VM flag (0, 1, 2 = other)
 *   2   1    kind: 0 void, 1 counted, 2 refused        39  1    protocol version
 *   3   1    application index, 255 = none             40  4    minutes to expiry
 *   4   8    sequence number (double)                  44  8    client time, ms since 1970 (double)
 *   12  8    time of the contact, ms since 1970 (dbl)  52  16   activation ID
 *   20  4    HRESULT                                   68  16   counted ID
 *   24  4    required client count N                   84  16   CMID
 *   28  1    license status index (7 = unknown)        100 1+n  name, UTF-8, n <= 255
 *   29  9    zero                                      ... 1+m  address, ASCII, m <= 45
 */
import { licenseStatusIndex } from '@kmspool/kms/counting';
import { hexToGuid, REQUEST_OFFSET, workstationName } from '@kmspool/kms/wire';
import type { Contact, ContactRecord } from './store.ts';

export const RECORD_KIND = { void: 0, counted: 1, refused: 2 } as const;

/** Longest record: 100 fixed bytes, a name of 64 UTF-16 units, an address. */
export const MAX_RECORD_BYTES = 100 + 1 + 192 + 1 + 46;

export const RECORD_OFFSET = {
  length: 0,
  kind: 2,
  application: 3,
  sequence: 4,
  at: 12,
  required: 24,
  licenseStatus: 28,
  cmid: 84,
  name: 100,
} as const;

/** Packs `contact` at `offset`, where {@link MAX_RECORD_BYTES} must be free; answers the record's length. */
export function packContact(
  target: Buffer,
  offset: number,
  contact: Contact,
  stamp: { sequence: number; atMs: number },
): number {
  const { request } = contact;
  target.writeUInt8(contact.hresult === 0 ? RECORD_KIND.counted : RECORD_KIND.refused, offset + 2);
  target.writeUInt8(contact.application, offset + 3);
  target.writeDoubleLE(stamp.sequence, offset + 4);
  target.writeDoubleLE(stamp.atMs, offset + 12);
  target.writeUInt32LE(contact.hresult, offset + 20);
  target.writeUInt32LE(request.requiredClientCount, offset + 24);
  target.writeUInt8(licenseStatusIndex(request.licenseStatus), offset + 28);
  target.writeDoubleLE(0, offset + 29);
  target.writeUInt8(0, offset + 37);
  target.writeUInt8(Math.min(request.isClientVm, 2), offset + 38);
  target.writeUInt8(contact.protocol, offset + 39);
  target.writeUInt32LE(request.minutesToExpiry, offset + 40);
  target.writeDoubleLE(request.clientTimeMs, offset + 44);
  // Activation, counted and client machine ID stand side by side in the request base, in this order.
  request.bytes.copy(target, offset + 52, REQUEST_OFFSET.activationId, REQUEST_OFFSET.cmid + 16);
  const nameAt = offset + RECORD_OFFSET.name;
  const nameBytes = target.write(workstationName(request), nameAt + 1, 'utf8');
  target.writeUInt8(nameBytes, nameAt);
  const addressAt = nameAt + 1 + nameBytes;
  const addressBytes = target.write(contact.address, addressAt + 1, 'latin1');
  target.writeUInt8(addressBytes, addressAt);
  const length = addressAt + 1 + addressBytes - offset;
  target.writeUInt16LE(length, offset);
  return length;
}

/** Reads a record that {@link packContact} wrote; undefined for anything else (a foreign value in the store). */
export function unpackContact(bytes: Buffer, offset = 0): ContactRecord | undefined {
  if (bytes.length - offset < RECORD_OFFSET.name + 2) return undefined;
  const length = bytes.readUInt16LE(offset);
  const nameAt = offset + RECORD_OFFSET.name;
  const addressAt = nameAt + 1 + bytes.readUInt8(nameAt);
  if (length > bytes.length - offset || addressAt >= offset + length) return undefined;
  const guid = (at: number): string => hexToGuid(bytes.toString('hex', offset + at, offset + at + 16));
  return {
    atMs: bytes.readDoubleLE(offset + 12),
    application: bytes.readUInt8(offset + 3),
    protocol: bytes.readUInt8(offset + 39),
    hresult: bytes.readUInt32LE(offset + 20),
    cmid: guid(84),
    activationId: guid(52),
    countedId: guid(68),
    requiredClientCount: bytes.readUInt32LE(offset + 24),
    licenseStatus: bytes.readUInt8(offset + 28),
    minutesToExpiry: bytes.readUInt32LE(offset + 40),
    isClientVm: bytes.readUInt8(offset + 38),
    clientTimeMs: bytes.readDoubleLE(offset + 44),
    workstationName: bytes.toString('utf8', nameAt + 1, addressAt),
    address: bytes.toString('latin1', addressAt + 1, offset + length),
  };
}
