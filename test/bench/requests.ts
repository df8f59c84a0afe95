// SPDX-License-Identifier: Apache-2.0
//
// The bytes that the load generator sends, made once before the run by the project's own client codec: one bind for all
// connections and one activation request for each simulated client. Also the full check of an answer, for a sample of them.
// Not here: sockets, timing, the cheap check that every answer gets (`generator.ts`).

import { createHash } from 'node:crypto';
import { application, productBySlug } from '@kmspool/kms/catalog';
import {
  decodeReply,
  decodeResponseStub,
  derivePoolKeys,
  encodeBind,
  encodeRequest,
  encodeRequestBase,
  encodeRequestStub,
  KMS_INTERFACE,
  NDR32,
  openResponse,
  type PoolKeys,
  sealRequest,
} from '@kmspool/kms/wire';
import { RESPONSE_BYTES } from './canned-bytes.ts';

/** The protocol versions that are measured. */
export type MeasuredProtocol = 4 | 6;

/** Everything the generator sends, and what it expects. */
export interface RequestSet {
  readonly bind: Buffer;
  /** One request PDU per client, NDR32 on context 0. */
  readonly requests: readonly Buffer[];
  /** The length of a successful response PDU. */
  readonly responseBytes: number;
  /** Checks one answer in full (MAC, digest, echoes, count); undefined when all is right, else what did not fit. */
  verify(requestIndex: number, response: Buffer): string | undefined;
}

/** Which requests to make: `clients` distinct CMIDs, the same ones for the same `firstClient`. */
export interface RequestSetOptions {
  readonly poolSecret: Buffer;
  readonly protocol: MeasuredProtocol;
  readonly clients: number;
  readonly firstClient?: number;
}

const FORM = { syntax: 'NDR32', littleEndian: true } as const;
const CALL_ID = 2;
const REQUEST_STUB_AT = 24;
const BODY_AT = REQUEST_STUB_AT + 8;
const REQUIRED_CLIENTS = 25;

/** The one bind of all connections: NDR32 on context 0, 72 bytes. */
export const BIND: Buffer = encodeBind({
  callId: CALL_ID,
  maxXmitFrag: 5840,
  maxRecvFrag: 5840,
  assocGroupId: 0,
  elements: [{ contextId: 0, abstractSyntax: KMS_INTERFACE, transferSyntaxes: [NDR32] }],
});

/** Makes `clients` requests. Takes about 20 µs a request. */
export function makeRequestSet(options: RequestSetOptions): RequestSet {
  const keys = derivePoolKeys(options.poolSecret);
  const clientTimeMs = Date.now();
  const base = (index: number): Buffer => requestBase(options, index, clientTimeMs);
  const requests = Array.from({ length: options.clients }, (_, index) => {
    const stub = encodeRequestStub(sealRequest(keys, base(index)), FORM);
    return encodeRequest({ callId: CALL_ID, contextId: 0, stub });
  });
  return {
    bind: BIND,
    requests,
    responseBytes: RESPONSE_BYTES[options.protocol],
    verify(requestIndex, response) {
      const request = requests[requestIndex];
      if (request === undefined) return 'no such request';
      return verifyResponse({ keys, request, base: base(requestIndex), response });
    },
  };
}

function requestBase(options: RequestSetOptions, index: number, clientTimeMs: number): Buffer {
  const number = index + (options.firstClient ?? 0);
  const slug = options.protocol === 4 ? 'windows-7' : 'windows-10';
  const product = productBySlug(slug);
  if (product === undefined) throw new Error(`the catalogue has no product ${slug}`);
  return encodeRequestBase({
    protocol: options.protocol,
    applicationId: application('Windows').id,
    activationId: product.editions[0]?.skuId ?? product.countedId,
    countedId: product.countedId,
    cmid: cmidOf(number),
    requiredClientCount: REQUIRED_CLIENTS,
    clientTimeMs,
    workstationName: `bench-${number}.lab.example`,
  });
}

/** A random-looking GUID of version 4 for a client number, always the same one. */
function cmidOf(number: number): string {
  const hex = createHash('sha256').update(`bench/${number}`).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

interface Answered {
  readonly keys: PoolKeys;
  readonly request: Buffer;
  readonly base: Buffer;
  readonly response: Buffer;
}

function verifyResponse({ keys, request, base, response }: Answered): string | undefined {
  const reply = decodeReply(response);
  if (reply.kind !== 'response') return `a PDU of kind ${reply.kind}`;
  if (reply.callId !== CALL_ID) return 'another call_id than asked';
  const stub = decodeResponseStub(reply.stub, FORM);
  if (!stub.ok) return 'malformed stub';
  if (stub.hresult !== 0) return `HRESULT 0x${stub.hresult.toString(16)}`;
  const opened = openResponse(keys, request.subarray(BODY_AT), base, stub.body);
  if (!opened.ok) return opened.reason;
  const count = opened.response.currentCount;
  return count >= 1 && count <= 2 * REQUIRED_CLIENTS ? undefined : `a count of ${count}`;
}
