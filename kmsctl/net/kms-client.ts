// SPDX-License-Identifier: Apache-2.0
//
// A simulated KMS client on a real socket: connect, bind as Windows does, send activation requests, verify the answers
// (docs/protocol.md §1.3–1.6, §3). When to ask, whom, and what follows from an answer is not here.
// It speaks with a pool's own keys only, so it cannot ask a genuine KMS host.

import { hresultOfRpcFault } from '@kmspool/kms/catalog';
import {
  type BindAck,
  btfnSyntax,
  type ContextElement,
  decodeBindAck,
  decodeBindNak,
  decodeHeader,
  decodeReply,
  decodeResponseStub,
  encodeBind,
  encodeRequest,
  encodeRequestBase,
  encodeRequestStub,
  KMS_INTERFACE,
  type KmsRequestFields,
  type KmsResponse,
  MAX_PDU_BYTES,
  NDR32,
  NDR64,
  openResponse,
  PFC,
  type PoolKeys,
  PTYPE,
  sealRequest,
  type TransferSyntax,
  transferSyntaxOf,
  WHOLE,
} from '@kmspool/kms/wire';
import { type ConnectOptions, ConversationError, openChannel, type PduChannel, type Stage } from './pdu-channel.ts';

/**
 * How to encode: `windows` binds with NDR32 and NDR64, adds NDR32 by alter_context if the host prefers NDR64, sends the first request in
 * NDR32 and later ones in NDR64 (docs/protocol.md §1.3); the others insist on one syntax.
 */
export type NdrChoice = 'windows' | TransferSyntax;

/** What bind and alter_context settled. */
export interface Association {
  /** The address connected to. */
  readonly address: string;
  /** As the bind_ack says: the port that the host hands to its clients (S1-21). */
  readonly secondaryAddress: string;
  readonly maxFragBytes: number;
  /** One line a context element, in order: what was asked and what came of it. */
  readonly elements: readonly { readonly offered: string; readonly outcome: string }[];
  readonly contexts: ReadonlyMap<number, TransferSyntax>;
}

/** Why there is no answer. `hresult` is what a Windows client would report. */
export interface Failure {
  readonly stage: Stage;
  readonly reason: string;
  readonly hresult: number;
}

export interface Exchanged {
  readonly syntax: TransferSyntax;
  readonly latencyMs: number;
  /** Whole PDUs. */
  readonly requestBytes: number;
  readonly responseBytes: number;
}

/** `counted`: a verified answer (the count may still be too low). `refused`: an HRESULT instead. `failed`: neither. */
export type Answer =
  | { readonly kind: 'counted'; readonly response: KmsResponse; readonly hardwareId?: Buffer; readonly wire: Exchanged }
  | { readonly kind: 'refused'; readonly hresult: number; readonly wire: Exchanged }
  | { readonly kind: 'failed'; readonly failure: Failure };

export type Connected = { ok: true; connection: KmsConnection } | { ok: false; failure: Failure };

const CONNECT_FAILED = 0x800706ba;
const NO_USABLE_ANSWER = 0xc004f039;
const UNKNOWN_INTERFACE = 0x800706b5;
/** Windows numbers its calls from 2. */
const FIRST_CALL_ID = 2;
const FEATURES = 3;
const FLAGS = WHOLE | PFC.concMpx;

/** Connects and binds. */
export async function connectKms(options: ConnectOptions, ndr: NdrChoice = 'windows'): Promise<Connected> {
  let channel: PduChannel | undefined;
  try {
    channel = await openChannel(options);
    return { ok: true, connection: new KmsConnection(channel, ndr, await associate(channel, ndr)) };
  } catch (error) {
    channel?.close();
    return { ok: false, failure: failureOf(error) };
  }
}

/** A bound connection; it may be asked again and again, one request at a time. */
export class KmsConnection {
  readonly association: Association;
  readonly #channel: PduChannel;
  readonly #ndr: NdrChoice;
  #nextCallId = FIRST_CALL_ID + 2;
  #asked = 0;

  constructor(channel: PduChannel, ndr: NdrChoice, association: Association) {
    this.#channel = channel;
    this.#ndr = ndr;
    this.association = association;
  }

  /** One activation request. After a `failed` answer the connection is closed. */
  async request(keys: PoolKeys, fields: KmsRequestFields): Promise<Answer> {
    try {
      return await this.#exchange(keys, encodeRequestBase(fields));
    } catch (error) {
      this.close();
      return { kind: 'failed', failure: failureOf(error) };
    }
  }

  close(): void {
    this.#channel.close();
  }

  async #exchange(keys: PoolKeys, base: Buffer): Promise<Answer> {
    const { contextId, syntax } = this.#context();
    const callId = this.#nextCallId++;
    const body = sealRequest(keys, base);
    const stub = encodeRequestStub(body, { syntax, littleEndian: true });
    const request = encodeRequest({ callId, contextId, stub });
    const startMs = performance.now();
    this.#channel.send(request);
    const pdu = await this.#channel.read('answer');
    const latencyMs = performance.now() - startMs;
    const wire = { syntax, latencyMs, requestBytes: request.length, responseBytes: pdu.length };
    return readAnswer({ pdu, callId, syntax, wire, open: (answer) => openResponse(keys, body, base, answer) });
  }

  #context(): { contextId: number; syntax: TransferSyntax } {
    const contexts = [...this.association.contexts].map(([contextId, syntax]) => ({ contextId, syntax }));
    const wanted = this.#ndr === 'windows' && this.#asked++ === 0 ? 'NDR32' : 'NDR64';
    const chosen = contexts.find(({ syntax }) => syntax === wanted) ?? contexts[0];
    if (chosen === undefined) throw new ConversationError('request', 'no context was accepted');
    return chosen;
  }
}

/** Connect, bind, one request, close. */
export async function askHost(
  options: ConnectOptions & { readonly ndr?: NdrChoice | undefined },
  keys: PoolKeys,
  fields: KmsRequestFields,
): Promise<{ readonly association?: Association; readonly answer: Answer }> {
  const connected = await connectKms(options, options.ndr);
  if (!connected.ok) return { answer: { kind: 'failed', failure: connected.failure } };
  const { connection } = connected;
  const answer = await connection.request(keys, fields);
  connection.close();
  return { association: connection.association, answer };
}

interface AnswerPdu {
  readonly pdu: Buffer;
  readonly callId: number;
  readonly syntax: TransferSyntax;
  readonly wire: Exchanged;
  readonly open: (body: Buffer) => ReturnType<typeof openResponse>;
}

function readAnswer({ pdu, callId, syntax, wire, open }: AnswerPdu): Answer {
  const reply = decodeReply(pdu);
  if (reply.kind === 'fault') throw new ConversationError('answer', faultText(reply.status), reply.status);
  if (reply.kind === 'other') throw new ConversationError('answer', `PDU type ${reply.ptype} instead of a response`);
  if (reply.callId !== callId) throw new ConversationError('answer', 'the response belongs to another call');
  const stub = decodeResponseStub(reply.stub, { syntax, littleEndian: reply.littleEndian });
  if (!stub.ok) throw new ConversationError('answer', 'the response cannot be decoded');
  if (stub.hresult !== 0) return { kind: 'refused', hresult: stub.hresult, wire };
  const opened = open(stub.body);
  if (!opened.ok) throw new ConversationError('answer', opened.reason);
  const { response, hardwareId } = opened;
  return { kind: 'counted', response, ...(hardwareId && { hardwareId }), wire };
}

function faultText(status: number): string {
  return `RPC fault 0x${status.toString(16).padStart(8, '0')}`;
}

const element = (contextId: number, syntax: typeof NDR32): ContextElement => ({
  contextId,
  abstractSyntax: KMS_INTERFACE,
  transferSyntaxes: [syntax],
});

function bindElements(ndr: NdrChoice): ContextElement[] {
  if (ndr === 'NDR32') return [element(0, NDR32), element(1, btfnSyntax(FEATURES))];
  return [element(0, NDR32), element(1, NDR64), element(2, btfnSyntax(FEATURES))];
}

async function associate(channel: PduChannel, ndr: NdrChoice): Promise<Association> {
  const bound = await negotiate(channel, PTYPE.bind, bindElements(ndr));
  const contexts = new Map(bound.accepted);
  const syntaxes = [...contexts.values()];
  if (syntaxes.length === 0) throw new ConversationError('bind', 'the host does not offer the KMS interface');
  if (ndr === 'NDR64' && !syntaxes.includes('NDR64')) {
    throw new ConversationError('bind', 'the host does not offer NDR64');
  }
  let elements = bound.elements;
  if (ndr === 'windows' && !syntaxes.includes('NDR32')) {
    const altered = await negotiate(channel, PTYPE.alterContext, [element(0, NDR32)]);
    for (const [contextId, syntax] of altered.accepted) contexts.set(contextId, syntax);
    elements = [
      ...elements,
      ...altered.elements.map(({ offered, outcome }) => ({ offered: `alter_context ${offered}`, outcome })),
    ];
  }
  const { secondaryAddress, maxRecvFrag } = bound.ack;
  return { address: channel.remoteAddress, secondaryAddress, maxFragBytes: maxRecvFrag, elements, contexts };
}

interface Negotiation {
  readonly ack: BindAck;
  readonly elements: Association['elements'];
  readonly accepted: readonly (readonly [number, TransferSyntax])[];
}

type BindType = typeof PTYPE.bind | typeof PTYPE.alterContext;

async function negotiate(channel: PduChannel, ptype: BindType, elements: ContextElement[]): Promise<Negotiation> {
  const callId = ptype === PTYPE.bind ? FIRST_CALL_ID : FIRST_CALL_ID + 1;
  const sizes = { maxXmitFrag: MAX_PDU_BYTES, maxRecvFrag: MAX_PDU_BYTES, assocGroupId: 0 };
  channel.send(encodeBind({ ptype, flags: FLAGS, callId, ...sizes, elements }));
  const ack = readAck(await channel.read('bind'), ptype === PTYPE.bind ? PTYPE.bindAck : PTYPE.alterContextResp);
  if (ack.results.length !== elements.length)
    throw new ConversationError('bind', 'bind_ack with a wrong number of results');
  const accepted = elements.flatMap(({ contextId }, index) => {
    const result = ack.results[index];
    const syntax = result?.result === 0 ? transferSyntaxOf(result.syntax) : undefined;
    return syntax === undefined ? [] : [[contextId, syntax] as const];
  });
  return { ack, accepted, elements: elements.map((asked, index) => describe(asked, ack.results[index])) };
}

function readAck(pdu: Buffer, wanted: number): BindAck {
  const { ptype } = decodeHeader(pdu, 0);
  if (ptype === PTYPE.bindNak)
    throw new ConversationError('bind', `bind_nak, reason ${decodeBindNak(pdu) ?? 'unknown'}`);
  if (ptype === PTYPE.fault) {
    const reply = decodeReply(pdu);
    if (reply.kind === 'fault') throw new ConversationError('bind', faultText(reply.status), reply.status);
  }
  const decoded = ptype === wanted ? decodeBindAck(pdu) : undefined;
  if (decoded?.ok !== true) throw new ConversationError('bind', `PDU type ${ptype} instead of a bind_ack`);
  return decoded.ack;
}

type Result = BindAck['results'][number];

function describe(
  { transferSyntaxes }: ContextElement,
  result: Result | undefined,
): { offered: string; outcome: string } {
  const offered = transferSyntaxes.map((syntax) => transferSyntaxOf(syntax) ?? 'features').join('+');
  if (result === undefined) return { offered, outcome: 'no result' };
  if (result.result === 0) return { offered, outcome: 'accepted' };
  if (result.result === 3) return { offered, outcome: `acknowledged, mask ${result.reason}` };
  return { offered, outcome: `refused ${result.result}/${result.reason}` };
}

/** What Windows would report (docs/protocol.md §4, "who decides"). */
function failureOf(error: unknown): Failure {
  if (!(error instanceof ConversationError)) throw error;
  const { stage, message: reason, faultStatus } = error;
  if (stage === 'connect') return { stage, reason, hresult: CONNECT_FAILED };
  const ofFault = faultStatus === undefined ? undefined : hresultOfRpcFault(faultStatus);
  if (ofFault !== undefined) return { stage, reason, hresult: ofFault };
  return {
    stage,
    reason,
    hresult: stage === 'bind' && reason.includes('interface') ? UNKNOWN_INTERFACE : NO_USABLE_ANSWER,
  };
}
