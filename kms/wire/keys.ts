// SPDX-License-Identifier: Apache-2.0
/**
 * The pool's key material, all of it by HKDF-SHA-256 from the pool's own Secret (docs/protocol.md §3.4). These are the only keys that the code
 * knows: no constant of Microsoft's is here, and there is no way to put one in.
 */
import { createHash, hkdfSync } from 'node:crypto';

/** The least length of the pool's Secret. */
export const MIN_SECRET_BYTES = 32;

export interface PoolKeys {
  /** 16 bytes: the pool's identity, salt of every other key. */
  readonly poolId: Buffer;
  readonly v4Mac: Buffer;
  readonly v5Enc: Buffer;
  readonly v6Enc: Buffer;
  readonly requestIv: Buffer;
  readonly blockB: Buffer;
  readonly v6Mac: Buffer;
  readonly hardwareId: Buffer;
}

const derive = (secret: Buffer, salt: Buffer, label: string, bytes: number): Buffer =>
  Buffer.from(hkdfSync('sha256', secret, salt, `kms-emu/1/${label}`, bytes));

/** Derives every key of a pool. Throws a RangeError when the Secret is shorter than 32 bytes; callers check that first. */
export function derivePoolKeys(secret: Buffer): PoolKeys {
  if (secret.length < MIN_SECRET_BYTES) {
    throw new RangeError(`the pool key has ${secret.length} bytes; it needs at least ${MIN_SECRET_BYTES} random bytes`);
  }
  const poolId = derive(secret, Buffer.alloc(0), 'pool-id', 16);
  return {
    poolId,
    v4Mac: derive(secret, poolId, 'v4-mac', 32),
    v5Enc: derive(secret, poolId, 'v5-enc', 16),
    v6Enc: derive(secret, poolId, 'v6-enc', 16),
    requestIv: derive(secret, poolId, 'req-iv', 32),
    blockB: derive(secret, poolId, 'block-b', 32),
    v6Mac: derive(secret, poolId, 'v6-mac', 32),
    hardwareId: derive(secret, poolId, 'hwid', 8),
  };
}

/** The pool ID as UUID text, bytes as written (not the GUID order of KMS fields). */
export function poolIdText(poolId: Buffer): string {
  const hex = poolId.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** 48 characters, the same on every host of the pool, and unmistakably not a genuine host PID (docs/protocol.md §3.2). */
export function emulatedHostPid(poolId: Buffer): string {
  const mark = createHash('sha256').update(poolId).digest('hex').slice(0, 8);
  return `EMULATED-KMS-NOT-GENUINE-POOL-${mark}-000000000`;
}
