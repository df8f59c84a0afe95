// SPDX-License-Identifier: Apache-2.0
/**
 * What simulated clients say in tests: binds, requests and KMS bodies with good defaults and any field changed. Built with the project's own codecs, which are
 * pinned byte for byte by their unit tests; what a test wants broken it breaks itself.
 */
import { createCipheriv, createHmac, randomUUID } from 'node:crypto';
import { application, editionBySlug, productBySlug } from '@kmspool/kms/catalog';
import {
  type ContextElement,
  encodeBind,
  encodeRequest,
  encodeRequestBase,
  encodeRequestStub,
  KMS_INTERFACE,
  type KmsRequestFields,
  MAX_PDU_BYTES,
  NDR32,
  NDR64,
  type PoolKeys,
  type RequestFields,
  type Syntax,
  sealRequest,
  type TransferSyntax,
} from '@kmspool/kms/wire';

/** A context element for the KMS interface. */
export function element(
  contextId: number,
  transfer: Syntax | readonly Syntax[],
  abstract = KMS_INTERFACE,
): ContextElement {
  return { contextId, abstractSyntax: abstract, transferSyntaxes: 'uuid' in transfer ? [transfer] : transfer };
}

type BindChanges = Partial<Parameters<typeof encodeBind>[0]>;

/** A bind of one NDR32 element; call ID 2 and 5840 bytes a fragment, as Windows has. */
export function bindPdu(changes: BindChanges = {}): Buffer {
  const sizes = { maxXmitFrag: MAX_PDU_BYTES, maxRecvFrag: MAX_PDU_BYTES, assocGroupId: 0 };
  return encodeBind({ callId: 2, ...sizes, elements: [element(0, NDR32)], ...changes });
}

/** A bind that ends with one context of this syntax under this ID. */
export function bindFor(syntax: TransferSyntax, changes: BindChanges = {}): Buffer {
  return bindPdu({ elements: [element(0, syntax === 'NDR64' ? NDR64 : NDR32)], ...changes });
}

/** A product of the catalogue as a request names it. */
export function productFields(
  slug: string,
): Pick<KmsRequestFields, 'protocol' | 'applicationId' | 'activationId' | 'countedId' | 'requiredClientCount'> {
  const product = productBySlug(slug);
  const [edition] = product?.editions ?? [];
  if (!product || !edition || !editionBySlug(edition.slug)) throw new RangeError(`no product ${slug}`);
  return {
    protocol: product.protocolVersion,
    applicationId: application(product.application).id,
    activationId: edition.skuId,
    countedId: product.countedId,
    requiredClientCount: product.threshold,
  };
}

export type FieldChanges = Partial<KmsRequestFields>;

/** The 236 bytes of a Windows 10 client that nobody has seen before. */
export function requestBase(changes: FieldChanges = {}): Buffer {
  return encodeRequestBase({
    ...productFields('windows-10'),
    cmid: randomUUID(),
    clientTimeMs: Date.now(),
    workstationName: 'pc.lab.example',
    ...changes,
  });
}

/** Its body, sealed with the pool's keys. */
export function requestBody(keys: PoolKeys, changes: FieldChanges = {}): Buffer {
  return sealRequest(keys, requestBase(changes));
}

/** A V5 or V6 body of which every part is chosen; the IV fits the base unless one is given. */
export function encryptedBody(parts: { keys: PoolKeys; clear: 5 | 6; plain: Buffer; iv?: Buffer }): Buffer {
  const { keys, clear, plain } = parts;
  const fitting = createHmac('sha256', keys.requestIv).update(plain.subarray(0, 236)).digest().subarray(0, 16);
  const iv = parts.iv ?? fitting;
  const cipher = createCipheriv('aes-128-cbc', clear === 5 ? keys.v5Enc : keys.v6Enc, iv).setAutoPadding(false);
  return Buffer.concat([Buffer.from([0, 0, clear, 0]), iv, cipher.update(plain), cipher.final()]);
}

export interface CallChanges extends Partial<RequestFields> {
  readonly syntax?: TransferSyntax;
}

/** A request PDU around a KMS body: call 3 on context 0 in NDR32, unless changed. */
export function requestPdu(body: Buffer, changes: CallChanges = {}): Buffer {
  const { syntax = 'NDR32', littleEndian = true } = changes;
  return encodeRequest({
    callId: 3,
    contextId: 0,
    stub: encodeRequestStub(body, { syntax, littleEndian }),
    ...changes,
  });
}

/** A request PDU around any stub. */
export function stubPdu(stub: Buffer, changes: Partial<RequestFields> = {}): Buffer {
  return encodeRequest({ callId: 3, contextId: 0, stub, ...changes });
}

/** A copy with bytes written over it. */
export function patched(bytes: Buffer, ...patches: readonly [offset: number, ...values: number[]][]): Buffer {
  const copy = Buffer.from(bytes);
  for (const [offset, ...values] of patches) copy.set(values, offset);
  return copy;
}

/** A header alone: 16 bytes with this type, flags and length. */
export function headerPdu(
  ptype: number,
  changes: { flags?: number; fragLength?: number; callId?: number } = {},
): Buffer {
  const { flags = 3, fragLength = 16, callId = 3 } = changes;
  const bytes = Buffer.from([5, 0, ptype, flags, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  bytes.writeUInt16LE(fragLength, 8);
  bytes.writeUInt32LE(callId, 12);
  return bytes;
}

/** A PDU with an auth trailer at its end: 8 bytes of head and `value`. */
export function withTrailer(pdu: Buffer, trailer: { type?: number; level?: number; value: Buffer }): Buffer {
  const { type = 10, level = 2, value } = trailer;
  const bytes = Buffer.concat([pdu, Buffer.from([type, level, 0, 0, 0, 0, 0, 0]), value]);
  bytes.writeUInt16LE(bytes.length, 8);
  bytes.writeUInt16LE(value.length, 10);
  return bytes;
}
