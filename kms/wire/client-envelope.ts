// SPDX-License-Identifier: Apache-2.0
/**
 * A simulated client's side of the envelopes (docs/protocol.md §3.3–3.4): plaintext base -> request body, response body -> verified answer.
 * Stateless; it makes a cipher per message, for a client sends one and then sleeps for a week.
 */
import { createCipheriv, createDecipheriv, createHmac, createSecretKey, timingSafeEqual } from 'node:crypto';
import type { PoolKeys } from './keys.ts';
import { decodeResponseBase, type KmsResponse, responseBaseBytes } from './message.ts';

const BLOCK = 16;

const hmac = (key: Buffer, ...parts: Buffer[]): Buffer => {
  const digest = createHmac('sha256', key);
  for (const part of parts) digest.update(part);
  return digest.digest();
};

const protocolOf = (base: Buffer): number => base.readUInt16LE(2);

/** Wraps a 236-byte request base for the version that it names: 252 bytes (V4) or 260 (V5, V6). */
export function sealRequest(keys: PoolKeys, base: Buffer): Buffer {
  if (protocolOf(base) === 4) return Buffer.concat([base, hmac(keys.v4Mac, base).subarray(0, BLOCK)]);
  const iv = hmac(keys.requestIv, base).subarray(0, BLOCK);
  const key = createSecretKey(protocolOf(base) === 5 ? keys.v5Enc : keys.v6Enc);
  const cipher = createCipheriv('aes-128-cbc', key, iv);
  return Buffer.concat([base.subarray(0, 4), iv, cipher.update(base), cipher.final()]);
}

export type OpenedResponse = { ok: true; response: KmsResponse; hardwareId?: Buffer } | { ok: false; reason: string };

const no = (reason: string): OpenedResponse => ({ ok: false, reason });

/**
 * Verifies and reads the answer to the request whose body was `requestBody`: MAC (V4, V6), block B (V5, V6), the echo of the IV (V6), and that CMID
 * and version are the request's own. The reason says in a few words what did not fit.
 */
export function openResponse(keys: PoolKeys, requestBody: Buffer, base: Buffer, body: Buffer): OpenedResponse {
  if (body.length < 4 || body.readUInt32LE(0) !== base.readUInt32LE(0))
    return no('another protocol version than asked');
  const opened = protocolOf(base) === 4 ? openV4(keys, body) : openEncrypted(keys, requestBody, body);
  if (!opened.ok) return opened;
  const wanted = Buffer.concat([base.subarray(64, 80), base.subarray(84, 92)]);
  return opened.echo.equals(wanted) ? opened : no('the answer belongs to another request');
}

type Opened = { ok: true; response: KmsResponse; echo: Buffer; hardwareId?: Buffer } | { ok: false; reason: string };

const failed = (reason: string): Opened => ({ ok: false, reason });

function openV4(keys: PoolKeys, body: Buffer): Opened {
  const response = decodeResponseBase(body);
  if (!response) return failed('malformed answer');
  const size = responseBaseBytes(body.readUInt32LE(4));
  if (body.length !== size + BLOCK) return failed('answer of a wrong length');
  const mac = hmac(keys.v4Mac, body.subarray(0, size)).subarray(0, BLOCK);
  if (!timingSafeEqual(mac, body.subarray(size))) return failed('MAC does not fit: another pool key?');
  return { ok: true, response, echo: echoOf(body, size) };
}

function openEncrypted(keys: PoolKeys, requestBody: Buffer, body: Buffer): Opened {
  const version = body.readUInt16LE(2);
  const plain = decrypt(version === 5 ? keys.v5Enc : keys.v6Enc, body);
  const response =
    plain && plain.length >= 4 && plain.readUInt16LE(2) === version ? decodeResponseBase(plain) : undefined;
  if (!plain || !response) return failed('answer cannot be decrypted: another pool key?');
  const size = responseBaseBytes(plain.readUInt32LE(4));
  if (plain.length !== size + 48 + (version === 6 ? 40 : 0)) return failed('answer of a wrong length');
  const requestIv = requestBody.subarray(4, 4 + BLOCK);
  const blockB = hmac(keys.blockB, plain.subarray(0, size + 16), requestIv);
  if (!timingSafeEqual(blockB, plain.subarray(size + 16, size + 48)))
    return failed('digest does not fit: another pool key?');
  if (version === 5) return { ok: true, response, echo: echoOf(plain, size) };
  const macAt = size + 48 + 24;
  const mac = hmac(keys.v6Mac, plain.subarray(0, macAt)).subarray(0, BLOCK);
  if (!timingSafeEqual(mac, plain.subarray(macAt))) return failed('MAC does not fit: another pool key?');
  if (!plain.subarray(size + 56, macAt).equals(requestIv)) return failed('the answer belongs to another request');
  return { ok: true, response, echo: echoOf(plain, size), hardwareId: plain.subarray(size + 48, size + 56) };
}

/** CMID and client time as they stand in a response base of `size` bytes. */
function echoOf(base: Buffer, size: number): Buffer {
  return base.subarray(size - 36, size - 12);
}

function decrypt(key: Buffer, body: Buffer): Buffer | undefined {
  if (body.length < 4 + 2 * BLOCK || (body.length - 4) % BLOCK !== 0) return undefined;
  const decipher = createDecipheriv('aes-128-cbc', createSecretKey(key), body.subarray(4, 4 + BLOCK));
  try {
    return Buffer.concat([decipher.update(body.subarray(4 + BLOCK)), decipher.final()]);
  } catch {
    return undefined; // bad padding
  }
}
