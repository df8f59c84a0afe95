// SPDX-License-Identifier: Apache-2.0
//
// Seeded numbers, and CMIDs from the same seed. Deterministic on every machine; not for anything secret.

/** Numbers in [0, 1), the same for the same seed: sfc32 (Chris Doty-Humphrey, PractRand), 32 bits a number. */
export function seededNumbers(seed: number): () => number {
  let a = mixed(seed);
  let b = mixed(seed + 1);
  let c = mixed(seed + 2);
  let counter = 1;
  const next = (): number => {
    const sum = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    return (sum >>> 0) / 2 ** 32;
  };
  for (let warm = 0; warm < 12; warm++) next();
  return next;
}

/** The CMID of machine n of a fleet: 32 hex digits, a random (version 4) UUID in form. Different for each n up to 2³². */
export function seededCmid(seed: number, machine: number): string {
  const bytes = Buffer.allocUnsafe(16);
  bytes.writeInt32BE(mixed(machine), 0);
  bytes.writeInt32BE(mixed(machine ^ mixed(seed)), 4);
  bytes.writeInt32BE(mixed(seed + 3 * machine + 1), 8);
  bytes.writeInt32BE(mixed(seed - machine), 12);
  // As wire bytes: the version stands in the eighth byte, the variant in the ninth.
  bytes.writeUInt8((bytes.readUInt8(7) & 0x0f) | 0x40, 7);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  // One piece: a million texts put together from parts would keep the parts.
  return bytes.toString('hex');
}

/** A bijection of 32-bit numbers that scatters neighbours (the finalizer of MurmurHash3, Austin Appleby, public domain). */
function mixed(value: number): number {
  let word = value | 0;
  word = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
  word = Math.imul(word ^ (word >>> 13), 0xc2b2ae35);
  return word ^ (word >>> 16);
}
