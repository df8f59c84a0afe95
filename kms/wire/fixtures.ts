// SPDX-License-Identifier: Apache-2.0
/** What the tests of this folder ask with: the request of docs/protocol.md §8, two pools, and both bases filled in. Not for product code. */
import { createHash } from 'node:crypto';
import { derivePoolKeys, type PoolKeys } from './keys.ts';
import { encodeRequestBase, type KmsRequestFields } from './message.ts';

/** A pool's Secret of 32 bytes that anybody can compute. */
export function secretOf(name: string): Buffer {
  return createHash('sha256').update(`kmspool test pool ${name}`).digest();
}

export const KEYS: PoolKeys = derivePoolKeys(secretOf('one'));
export const FOREIGN_KEYS: PoolKeys = derivePoolKeys(secretOf('two'));

/** The request of the dump in §8; `protocol` is 4 there. */
export const DUMPED_REQUEST: KmsRequestFields = {
  protocol: 4,
  applicationId: '55c92734-d682-4d71-983e-d6ec3f16059f',
  activationId: '11111111-1111-4111-8111-111111111111',
  countedId: '22222222-2222-4222-8222-222222222222',
  cmid: '01234567-89ab-4cde-8f01-23456789abcd',
  requiredClientCount: 25,
  clientTimeMs: Date.UTC(2024, 0, 1),
  workstationName: 'node-001.lab.example',
  isClientVm: true,
  licenseStatus: 2,
  minutesToExpiry: 43_200,
};

/** Its 236 bytes, with other fields where `changes` says so. */
export function requestBase(changes: Partial<KmsRequestFields> = {}): Buffer {
  return encodeRequestBase({ ...DUMPED_REQUEST, ...changes });
}

/** Bytes of a dump as docs/protocol.md writes it, without offsets. */
export function bytesOf(hex: string): Buffer {
  return Buffer.from(hex.replaceAll(/\s+/g, ''), 'hex');
}

/** A copy with one bit changed. */
export function flipped(bytes: Buffer, bit: number): Buffer {
  const copy = Buffer.from(bytes);
  copy.writeUInt8(copy.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
  return copy;
}
