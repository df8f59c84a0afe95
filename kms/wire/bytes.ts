// SPDX-License-Identifier: Apache-2.0
/**
 * Reading and writing integers in the sender's byte order ("receiver makes right", docs/protocol.md §1.1).
 * Not a cursor and not bounds-checked beyond Buffer's own checks: every caller has compared lengths before it reads.
 */

/** Unsigned 16-bit integer at `offset`, in little-endian order if `le`, else big-endian. */
export function readU16(bytes: Buffer, offset: number, le: boolean): number {
  return le ? bytes.readUInt16LE(offset) : bytes.readUInt16BE(offset);
}

/** Unsigned 32-bit integer at `offset`, in little-endian order if `le`, else big-endian. */
export function readU32(bytes: Buffer, offset: number, le: boolean): number {
  return le ? bytes.readUInt32LE(offset) : bytes.readUInt32BE(offset);
}

/** Writes a 16-bit integer. The server only ever writes little-endian; a simulated client may choose. */
export function writeU16(bytes: Buffer, value: number, offset: number, le: boolean): void {
  if (le) bytes.writeUInt16LE(value, offset);
  else bytes.writeUInt16BE(value, offset);
}

/** Writes a 32-bit integer, as {@link writeU16}. */
export function writeU32(bytes: Buffer, value: number, offset: number, le: boolean): void {
  if (le) bytes.writeUInt32LE(value, offset);
  else bytes.writeUInt32BE(value, offset);
}
