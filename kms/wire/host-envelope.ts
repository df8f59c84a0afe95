// SPDX-License-Identifier: Apache-2.0
/**
 * A host's side of the V4, V5 and V6 envelopes (docs/protocol.md §3.3–3.4): request body -> plaintext base, answer -> response body.
 * It holds scratch space and two long-lived cipher objects, so one instance serves one event loop; its results are fresh.
 *
 * AES-128-CBC without a new cipher per message: deciphering, the IV is fed as the first block and the first block of output thrown away; the
 * rest decrypts as under that IV. Enciphering, a random block is fed first and what comes out for it is the IV.
 */
import {
  type Cipheriv,
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  type Decipheriv,
  timingSafeEqual,
} from 'node:crypto';
import { HmacSha256 } from './hmac.ts';
import { emulatedHostPid, type PoolKeys } from './keys.ts';
import {
  decodeRequestBase,
  type KmsRequest,
  type ProtocolVersion,
  REQUEST_BASE_BYTES,
  REQUEST_OFFSET,
  responseBaseBytes,
} from './message.ts';

/** Exact request body lengths: V4 base and MAC; V5/V6 version, IV and 240 encrypted bytes. */
export const V4_REQUEST_BYTES = 252;
export const V5_REQUEST_BYTES = 260;

/** Lengths of the response bodies by protocol version, with our PID of 98 bytes (docs/protocol.md §3.3). */
export const RESPONSE_BODY_BYTES = { 4: 158, 5: 212, 6: 260 } as const;

const BLOCK = 16;
const PID_BYTES = 98;
const BASE_BYTES = responseBaseBytes(PID_BYTES);
const CMID_AT = 8 + PID_BYTES;
const R_AT = BASE_BYTES;
const BLOCK_B_AT = R_AT + 16;
const AFTER_B = BLOCK_B_AT + 32;
const V6_MAC_AT = AFTER_B + 8 + 16;
const V5_PLAIN_BYTES = 192;
const V6_PLAIN_BYTES = 240;

/** Fills `length` bytes of `target` at `offset` with random bytes. */
export type RandomFill = (target: Buffer, offset: number, length: number) => void;

/** A request body that proved to come from a holder of the pool's key. */
export interface OpenedRequest {
  readonly protocol: ProtocolVersion;
  readonly request: KmsRequest;
  /** V5/V6: the 16 clear bytes, echoed in a V6 answer. Empty for V4. */
  readonly requestIv: Buffer;
}

export interface Answer {
  readonly count: number;
  readonly activationIntervalMinutes: number;
  readonly renewalIntervalMinutes: number;
}

export class HostEnvelope {
  readonly hostPid: string;
  readonly #fillRandom: RandomFill;
  readonly #v4RequestMac: HmacSha256;
  readonly #v4ResponseMac: HmacSha256;
  readonly #requestIv: HmacSha256;
  readonly #blockB: HmacSha256;
  readonly #v6Mac: HmacSha256;
  readonly #open: { readonly 5: Decipheriv; readonly 6: Decipheriv };
  readonly #seal: { readonly 5: Cipheriv; readonly 6: Cipheriv };
  readonly #v4Base: Buffer;
  /** Input of the ciphers: one random block, then the padded plaintext. */
  readonly #v5Input: Buffer;
  readonly #v6Input: Buffer;
  readonly #mac = Buffer.alloc(BLOCK);

  constructor(keys: PoolKeys, fillRandom: RandomFill) {
    this.#fillRandom = fillRandom;
    this.hostPid = emulatedHostPid(keys.poolId);
    this.#v4RequestMac = new HmacSha256(keys.v4Mac, REQUEST_BASE_BYTES);
    this.#v4ResponseMac = new HmacSha256(keys.v4Mac, BASE_BYTES);
    this.#requestIv = new HmacSha256(keys.requestIv, REQUEST_BASE_BYTES);
    this.#blockB = new HmacSha256(keys.blockB, BLOCK_B_AT + BLOCK);
    this.#v6Mac = new HmacSha256(keys.v6Mac, V6_MAC_AT);
    this.#open = { 5: openWith(keys.v5Enc), 6: openWith(keys.v6Enc) };
    this.#seal = { 5: sealWith(keys.v5Enc), 6: sealWith(keys.v6Enc) };
    this.#v4Base = baseTemplate(4, this.hostPid, BASE_BYTES);
    this.#v5Input = Buffer.concat([Buffer.alloc(BLOCK), baseTemplate(5, this.hostPid, V5_PLAIN_BYTES)]);
    this.#v6Input = Buffer.concat([Buffer.alloc(BLOCK), baseTemplate(6, this.hostPid, V6_PLAIN_BYTES)]);
    this.#v5Input.fill(V5_PLAIN_BYTES - AFTER_B, BLOCK + AFTER_B);
    keys.hardwareId.copy(this.#v6Input, BLOCK + AFTER_B);
    this.#v6Input.fill(V6_PLAIN_BYTES - V6_MAC_AT - BLOCK, BLOCK + V6_MAC_AT + BLOCK);
  }

  /**
   * Opens the body `bytes[start, start + length)`: version known, length exact for it, then padding, MAC or synthetic IV, and inner version.
   * Undefined for whatever fails (0x8007000D), always after the same work, so that latency tells nothing about which check it was.
   */
  open(bytes: Buffer, start: number, length: number): OpenedRequest | undefined {
    if (length < 4) return undefined;
    const version = bytes.readUInt32LE(start);
    if (version === 4 << 16 && length === V4_REQUEST_BYTES) return this.#openV4(bytes.subarray(start, start + length));
    if (length !== V5_REQUEST_BYTES) return undefined;
    if (version === 5 << 16) return this.#openEncrypted(bytes, start + 4, 5);
    if (version === 6 << 16) return this.#openEncrypted(bytes, start + 4, 6);
    return undefined;
  }

  #openV4(body: Buffer): OpenedRequest | undefined {
    body.copy(this.#v4RequestMac.message, 0, 0, REQUEST_BASE_BYTES);
    this.#mac.write(this.#v4RequestMac.digest(), 0, BLOCK, 'latin1');
    if (!timingSafeEqual(this.#mac, body.subarray(REQUEST_BASE_BYTES))) return undefined;
    return { protocol: 4, request: decodeRequestBase(body), requestIv: NO_IV };
  }

  /** `at`: where the IV stands, with 240 encrypted bytes after it. */
  #openEncrypted(bytes: Buffer, at: number, protocol: 5 | 6): OpenedRequest | undefined {
    const iv = bytes.subarray(at, at + BLOCK);
    const plain = this.#open[protocol].update(bytes.subarray(at, at + V5_REQUEST_BYTES - 4)).subarray(BLOCK);
    plain.copy(this.#requestIv.message, 0, 0, REQUEST_BASE_BYTES);
    this.#mac.write(this.#requestIv.digest(), 0, BLOCK, 'latin1');
    const ivFits = timingSafeEqual(this.#mac, iv);
    const padded = plain.readUInt32LE(REQUEST_BASE_BYTES) === 0x04040404;
    if (!ivFits || !padded || plain.readUInt32LE(0) !== protocol << 16) return undefined;
    return { protocol, request: decodeRequestBase(plain), requestIv: iv };
  }

  /** The response body for an opened request: {@link RESPONSE_BODY_BYTES}. */
  seal(opened: OpenedRequest, answer: Answer): Buffer {
    const body = Buffer.allocUnsafe(RESPONSE_BODY_BYTES[opened.protocol]);
    this.sealInto(body, 0, opened, answer);
    return body;
  }

  /** The same, written into `target` at `at`, where its length must be free. */
  sealInto(target: Buffer, at: number, opened: OpenedRequest, answer: Answer): void {
    if (opened.protocol === 4) {
      this.#sealV4(target, at, opened.request, answer);
      return;
    }
    target.writeUInt32LE(opened.protocol << 16, at);
    const ciphertext = opened.protocol === 5 ? this.#encryptV5(opened, answer) : this.#encryptV6(opened, answer);
    ciphertext.copy(target, at + 4);
  }

  #sealV4(target: Buffer, at: number, request: KmsRequest, answer: Answer): void {
    writeAnswer(this.#v4Base, 0, request, answer);
    this.#v4Base.copy(this.#v4ResponseMac.message);
    this.#v4Base.copy(target, at);
    target.write(this.#v4ResponseMac.digest(), at + BASE_BYTES, BLOCK, 'latin1');
  }

  #encryptV5(opened: OpenedRequest, answer: Answer): Buffer {
    this.#writeBaseAndBlocks(this.#v5Input, opened, answer);
    return this.#seal[5].update(this.#v5Input);
  }

  #encryptV6(opened: OpenedRequest, answer: Answer): Buffer {
    const input = this.#v6Input;
    this.#writeBaseAndBlocks(input, opened, answer);
    opened.requestIv.copy(input, BLOCK + AFTER_B + 8);
    input.copy(this.#v6Mac.message, 0, BLOCK, BLOCK + V6_MAC_AT);
    input.write(this.#v6Mac.digest(), BLOCK + V6_MAC_AT, BLOCK, 'latin1');
    return this.#seal[6].update(input);
  }

  /** Random first block, base, R and block B = HMAC(base ‖ R ‖ request IV). */
  #writeBaseAndBlocks(input: Buffer, opened: OpenedRequest, answer: Answer): void {
    this.#fillRandom(input, 0, BLOCK);
    writeAnswer(input, BLOCK, opened.request, answer);
    this.#fillRandom(input, BLOCK + R_AT, 16);
    input.copy(this.#blockB.message, 0, BLOCK, BLOCK + BLOCK_B_AT);
    opened.requestIv.copy(this.#blockB.message, BLOCK_B_AT);
    input.write(this.#blockB.digest(), BLOCK + BLOCK_B_AT, 32, 'latin1');
  }
}

const NO_IV = Buffer.alloc(0);

function openWith(key: Buffer): Decipheriv {
  return createDecipheriv('aes-128-cbc', createSecretKey(key), Buffer.alloc(BLOCK)).setAutoPadding(false);
}

function sealWith(key: Buffer): Cipheriv {
  return createCipheriv('aes-128-cbc', createSecretKey(key), Buffer.alloc(BLOCK)).setAutoPadding(false);
}

function baseTemplate(protocol: ProtocolVersion, hostPid: string, size: number): Buffer {
  const base = Buffer.alloc(size);
  base.writeUInt32LE(protocol << 16, 0);
  base.writeUInt32LE(PID_BYTES, 4);
  base.write(hostPid, 8, 'utf16le');
  return base;
}

/** CMID and client time are echoed as they came, byte for byte. */
function writeAnswer(target: Buffer, at: number, request: KmsRequest, answer: Answer): void {
  const cmidAt = at + CMID_AT;
  request.bytes.copy(target, cmidAt, REQUEST_OFFSET.cmid, REQUEST_OFFSET.cmid + 16);
  request.bytes.copy(target, cmidAt + 16, REQUEST_OFFSET.clientTime, REQUEST_OFFSET.clientTime + 8);
  target.writeUInt32LE(answer.count, cmidAt + 24);
  target.writeUInt32LE(answer.activationIntervalMinutes, cmidAt + 28);
  target.writeUInt32LE(answer.renewalIntervalMinutes, cmidAt + 32);
}
