// SPDX-License-Identifier: Apache-2.0
/**
 * The stubs of the one operation, in NDR32 and NDR64 (docs/protocol.md §2). The KMS body inside is opaque here.
 *
 *   request   reqLen, max_count, body                        NDR64: gap of 4 after reqLen, max_count of 8
 *   response  rspLen, referent id, max_count, body, pad to 4, return value
 *   refusal   0, null pointer, HRESULT
 */
import { readU32, writeU32 } from './bytes.ts';
import type { TransferSyntax } from './syntax.ts';

const REFERENT_ID = 0x00020000;

export type StubDecoded = { ok: true; bodyStart: number; bodyBytes: number } | { ok: false };

/**
 * Finds the body in the request stub `bytes[start, end)`. Not ok when the stub is shorter than its fixed part, when the two lengths differ
 * (Windows checks size_is) or when they claim more than is there: rpc_x_bad_stub_data (§2.4). Bytes after the array are ignored.
 */
export function decodeRequestStub(bytes: Buffer, start: number, end: number, form: StubForm): StubDecoded {
  const le = form.littleEndian;
  const head = form.syntax === 'NDR64' ? 16 : 8;
  if (end - start < head) return { ok: false };
  const length = readU32(bytes, start, le);
  const countAt = start + (form.syntax === 'NDR64' ? 8 : 4);
  const count = readU32(bytes, form.syntax === 'NDR64' && !le ? countAt + 4 : countAt, le);
  const highHalf = form.syntax === 'NDR64' ? readU32(bytes, le ? countAt + 4 : countAt, le) : 0;
  if (length !== count || highHalf !== 0 || count > end - start - head) return { ok: false };
  return { ok: true, bodyStart: start + head, bodyBytes: count };
}

export interface StubForm {
  readonly syntax: TransferSyntax;
  readonly littleEndian: boolean;
}

/** What a client sends. */
export function encodeRequestStub(body: Buffer, form: StubForm): Buffer {
  const le = form.littleEndian;
  const wide = form.syntax === 'NDR64';
  const head = wide ? 16 : 8;
  const bytes = Buffer.alloc(head + body.length);
  writeU32(bytes, body.length, 0, le);
  writeU32(bytes, body.length, wide ? (le ? 8 : 12) : 4, le);
  body.copy(bytes, head);
  return bytes;
}

/** Length of a success stub around a body of `bodyBytes`. */
export function responseStubBytes(bodyBytes: number, syntax: TransferSyntax): number {
  return (syntax === 'NDR64' ? 28 : 16) + bodyBytes + (-bodyBytes & 3);
}

/** Writes a success stub (return value 0) at `at` and answers where the body goes; the caller copies it there. */
export function writeResponseStub(bytes: Buffer, at: number, bodyBytes: number, syntax: TransferSyntax): number {
  const bodyStart = at + (syntax === 'NDR64' ? 24 : 12);
  bytes.writeUInt32LE(bodyBytes, at);
  if (syntax === 'NDR64') {
    bytes.writeUInt32LE(0, at + 4);
    bytes.writeUInt32LE(REFERENT_ID, at + 8);
    bytes.writeUInt32LE(0, at + 12);
    bytes.writeUInt32LE(bodyBytes, at + 16);
    bytes.writeUInt32LE(0, at + 20);
  } else {
    bytes.writeUInt32LE(REFERENT_ID, at + 4);
    bytes.writeUInt32LE(bodyBytes, at + 8);
  }
  // The pad and the return value, at most 7 zero bytes; the second write overlaps the first by what the pad lacks.
  const end = bodyStart + bodyBytes;
  bytes.writeUInt32LE(0, end);
  bytes.writeUInt32LE(0, end + (-bodyBytes & 3));
  return bodyStart;
}

/** Length of a refusal stub: a null pointer and the HRESULT (§2.3). */
export function refusalStubBytes(syntax: TransferSyntax): number {
  return syntax === 'NDR64' ? 20 : 12;
}

/** Writes a refusal stub at `at`. */
export function writeRefusalStub(bytes: Buffer, at: number, hresult: number, syntax: TransferSyntax): void {
  const size = refusalStubBytes(syntax);
  bytes.fill(0, at, at + size - 4);
  bytes.writeUInt32LE(hresult, at + size - 4);
}

export type ResponseStub = { ok: true; hresult: number; body: Buffer } | { ok: false };

/** What a client reads: the body (empty after a refusal) and the HRESULT. Not ok when the stub does not parse. */
export function decodeResponseStub(stub: Buffer, form: StubForm): ResponseStub {
  const wide = form.syntax === 'NDR64';
  const le = form.littleEndian;
  const refusal = refusalStubBytes(form.syntax);
  if (stub.length < refusal) return { ok: false };
  const pointerAt = wide ? 8 : 4;
  const isNull = readU32(stub, pointerAt, le) === 0 && (!wide || readU32(stub, pointerAt + 4, le) === 0);
  if (isNull) return { ok: true, hresult: readU32(stub, refusal - 4, le), body: Buffer.alloc(0) };
  const bodyStart = wide ? 24 : 12;
  if (stub.length < bodyStart) return { ok: false };
  const bodyBytes = readU32(stub, 0, le);
  const count = readU32(stub, wide ? (le ? 16 : 20) : 8, le);
  const resultAt = bodyStart + bodyBytes + (-bodyBytes & 3);
  if (count !== bodyBytes || resultAt + 4 > stub.length) return { ok: false };
  return { ok: true, hresult: readU32(stub, resultAt, le), body: stub.subarray(bodyStart, bodyStart + bodyBytes) };
}
