// SPDX-License-Identifier: Apache-2.0
/**
 * One RPC association: what a client's PDU means in the state that the connection is in, and what it gets for it (docs/protocol.md §1, §5.1 steps 3–8).
 * State and bytes only: no socket, no clock, and no idea of what KMS is. `connection.ts` frames the bytes and carries the steps out.
 */
import {
  bindAckFlags,
  bindGroupId,
  decodeBind,
  decodeRequestHead,
  decodeRequestStub,
  encodeBindAck,
  encodeBindNak,
  encodeFault,
  FAULT,
  MAX_PDU_BYTES,
  MIN_BIND_BYTES,
  minRequestBytes,
  NAK,
  negotiateAlter,
  negotiateBind,
  negotiateFragment,
  type PduHeader,
  PFC,
  PTYPE,
  type RequestHead,
  RPC_VERSION,
  RPC_VERSION_MINOR,
  type TransferSyntax,
  WHOLE,
} from '@kmspool/kms/wire';
import { ackFor, BindMemory, type SettledBind } from './bind-memory.ts';
import type { AssociationGroups } from './groups.ts';
import { MAX_STUB_BYTES, Reassembly } from './reassembly.ts';

/** A request that reached the operation: where its KMS body is, and what the answer has to carry. */
export interface Call {
  readonly callId: number;
  readonly contextId: number;
  readonly syntax: TransferSyntax;
  readonly bytes: Buffer;
  readonly bodyStart: number;
  readonly bodyBytes: number;
}

/** What the connection does next. `refusal` is for the metrics: a bind_nak's reason or a fault's status. */
export type Step =
  | { readonly kind: 'wait' }
  | SendStep
  | { readonly kind: 'close' }
  | { readonly kind: 'call'; readonly call: Call };

export interface SendStep {
  readonly kind: 'send';
  readonly pdu: Buffer;
  readonly close: boolean;
  readonly refusal?: Refusal;
}

export type Refusal = { readonly nak: number } | { readonly fault: number };

const WAIT: Step = { kind: 'wait' };
const CLOSE: Step = { kind: 'close' };
const AUTH_TRAILER_HEAD_BYTES = 8;

interface FaultTerms {
  readonly callId: number;
  readonly contextId?: number;
  readonly didNotExecute?: boolean;
  readonly close?: boolean;
}

function fault(status: number, terms: FaultTerms): SendStep {
  const { callId, contextId = 0, didNotExecute = false, close = false } = terms;
  const pdu = encodeFault({ callId, contextId, status, didNotExecute });
  return { kind: 'send', pdu, close, refusal: { fault: status } };
}

function nak(callId: number, reason: number): Step {
  return { kind: 'send', pdu: encodeBindNak(callId, reason), close: true, refusal: { nak: reason } };
}

/** The answer to a call that cannot be served now, e.g. with the store away (docs/protocol.md §1.6). */
export function tooBusy(call: Call): SendStep {
  const { callId, contextId } = call;
  return fault(FAULT.serverTooBusy, { callId, contextId, didNotExecute: true, close: true });
}

function protoError(header: PduHeader, contextId = 0): Step {
  return fault(FAULT.protoError, { callId: header.callId, contextId, didNotExecute: true, close: true });
}

/** What all associations of a listener share. */
export interface AssociationTerms {
  readonly groups: AssociationGroups;
  readonly binds: BindMemory;
  /** What the secondary address of a bind_ack tells the client (S1-21). */
  readonly advertisedPort: string;
}

const NO_CONTEXTS: ReadonlyMap<number, TransferSyntax> = new Map();

export class Association {
  readonly #terms: AssociationTerms;
  #contexts: ReadonlyMap<number, TransferSyntax> = NO_CONTEXTS;
  /** Made when the first fragment comes; real clients never send one. */
  #reassembly: Reassembly | undefined;
  #bound: { readonly settled: SettledBind; readonly groupId: number } | undefined;

  constructor(terms: AssociationTerms) {
    this.#terms = terms;
  }

  get bound(): boolean {
    return this.#bound !== undefined;
  }

  /** True between the first and the last fragment of a call. */
  get callPending(): boolean {
    return this.#reassembly?.pending !== undefined;
  }

  /** Judges a header before its PDU is complete (steps 3–5). Undefined: read on until `fragLength` bytes are there. */
  inspect(header: PduHeader): Step | undefined {
    if (!header.drepKnown) return CLOSE;
    if (header.version !== RPC_VERSION || header.versionMinor !== RPC_VERSION_MINOR) {
      if (this.#bound) return protoError(header);
      return header.ptype === PTYPE.bind ? nak(header.callId, NAK.versionNotSupported) : CLOSE;
    }
    if (header.fragLength < 16) return CLOSE;
    return this.#bound ? this.#inspectBound(header) : inspectUnbound(header);
  }

  #inspectBound(header: PduHeader): Step | undefined {
    const long = header.fragLength > MAX_PDU_BYTES;
    switch (header.ptype) {
      case PTYPE.bind:
        return nak(header.callId, NAK.notSpecified);
      case PTYPE.alterContext:
        return long || header.fragLength < MIN_BIND_BYTES ? protoError(header) : undefined;
      case PTYPE.request:
        if (long) return fault(FAULT.protoError, { callId: header.callId, close: true });
        return header.fragLength < minRequestBytes(header.flags) ? protoError(header) : undefined;
      case PTYPE.coCancel:
      case PTYPE.orphaned:
        return long ? fault(FAULT.protoError, { callId: header.callId, close: true }) : undefined;
      default:
        return protoError(header);
    }
  }

  /** Takes the complete PDU `bytes[start, start + header.fragLength)`, which {@link inspect} let through (steps 7–8). */
  receive(bytes: Buffer, start: number, header: PduHeader): Step {
    switch (header.ptype) {
      case PTYPE.request:
        return this.#request(bytes, start, header);
      case PTYPE.bind:
        return this.#bind(bytes, start, header);
      case PTYPE.alterContext:
        return this.#alter(bytes, start, header);
      default:
        return WAIT; // co_cancel, orphaned: nothing to cancel, for calls are over in milliseconds
    }
  }

  #bind(bytes: Buffer, start: number, header: PduHeader): Step {
    const end = start + header.fragLength;
    const key = BindMemory.key(bytes, start, end);
    const known = this.#terms.binds.find(key);
    if (known) return this.#bindTo(known, bytes, start, header);
    const decoded = decodeBind(bytes, start, end, header);
    if (header.authLength !== 0) {
      const room = decoded.ok && decoded.end + AUTH_TRAILER_HEAD_BYTES + header.authLength <= end;
      return nak(header.callId, room ? NAK.authTypeNotRecognised : NAK.versionNotSupported);
    }
    if (!decoded.ok || decoded.end !== end) return CLOSE;
    const { bind } = decoded;
    const negotiated = negotiateBind(bind.elements);
    if (!negotiated.ok) return nak(header.callId, NAK.notSpecified);
    const { accepted, results } = negotiated;
    const maxFrag = negotiateFragment(bind.maxXmitFrag, bind.maxRecvFrag);
    const ack = encodeBindAck({
      ptype: PTYPE.bindAck,
      flags: bindAckFlags(header.flags),
      callId: header.callId,
      maxFrag,
      assocGroupId: 0,
      secondaryAddress: this.#terms.advertisedPort,
      results,
    });
    const contexts = new Map(accepted && [[accepted.contextId, accepted.syntax]]);
    const settled = { ack, contexts, maxFrag, concurrent: (header.flags & PFC.concMpx) !== 0 };
    this.#terms.binds.keep(key, settled);
    return this.#bindTo(settled, bytes, start, header);
  }

  #bindTo(settled: SettledBind, bytes: Buffer, start: number, header: PduHeader): Step {
    const groupId = this.#terms.groups.join(bindGroupId(bytes, start, header));
    this.#contexts = settled.contexts;
    this.#bound = { settled, groupId };
    return { kind: 'send', pdu: ackFor(settled, header.callId, groupId), close: false };
  }

  #alter(bytes: Buffer, start: number, header: PduHeader): Step {
    if (this.callPending) return fault(FAULT.protoError, { callId: header.callId, close: true });
    const end = start + header.fragLength;
    const decoded = decodeBind(bytes, start, end, header);
    if (header.authLength !== 0) {
      const room = decoded.ok && decoded.end + AUTH_TRAILER_HEAD_BYTES + header.authLength <= end;
      return room ? fault(FAULT.accessDenied, { callId: header.callId, close: true }) : protoError(header);
    }
    if (!decoded.ok || decoded.end !== end) return protoError(header);
    const negotiated = negotiateAlter(decoded.bind.elements, this.#contexts);
    if (!negotiated.ok) return protoError(header);
    const { accepted } = negotiated;
    if (accepted) this.#contexts = new Map([...this.#contexts, [accepted.contextId, accepted.syntax]]);
    const pdu = encodeBindAck({
      ptype: PTYPE.alterContextResp,
      flags: WHOLE,
      callId: header.callId,
      maxFrag: this.#bound?.settled.maxFrag ?? MAX_PDU_BYTES,
      assocGroupId: this.#bound?.groupId ?? 0,
      secondaryAddress: '',
      results: negotiated.results,
    });
    return { kind: 'send', pdu, close: false };
  }

  #request(bytes: Buffer, start: number, header: PduHeader): Step {
    const end = start + header.fragLength;
    const head = decodeRequestHead(bytes, start, header);
    const { callId } = header;
    if (header.authLength !== 0) {
      const room = head.stubStart + AUTH_TRAILER_HEAD_BYTES + header.authLength <= end;
      return room
        ? fault(FAULT.accessDenied, { callId, contextId: head.contextId, close: true })
        : protoError(header, head.contextId);
    }
    if ((header.flags & PFC.firstFrag) !== 0 && (header.flags & PFC.pendingCancel) !== 0) {
      return fault(FAULT.noCallActive, { callId, contextId: head.contextId, didNotExecute: true, close: true });
    }
    const stub = bytes.subarray(head.stubStart, end);
    if (this.#reassembly === undefined && isWhole(header.flags) && stub.length <= MAX_STUB_BYTES)
      return this.#call(stub, header, head);
    this.#reassembly ??= new Reassembly();
    const joined = this.#reassembly.add(stub, header, head);
    switch (joined.kind) {
      case 'pending':
        return WAIT;
      case 'whole':
        return this.#call(joined.stub, header, head);
      case 'orphan':
        return fault(FAULT.protoError, { callId, close: true });
      case 'second-first': {
        const concurrent = this.#bound?.settled.concurrent === true;
        const blamed = concurrent ? { callId, contextId: head.contextId } : joined.pending;
        return fault(FAULT.protoError, { ...blamed, close: true });
      }
      case 'mismatch':
        return protoError(header, head.contextId);
      case 'too-large':
        return fault(FAULT.accessDenied, { callId, contextId: head.contextId, close: true });
    }
  }

  #call(stub: Buffer, header: PduHeader, head: RequestHead): Step {
    const { callId } = header;
    const { contextId, opnum } = head;
    const syntax = this.#contexts.get(contextId);
    if (syntax === undefined) return fault(FAULT.unknownInterface, { callId, didNotExecute: true });
    if (opnum !== 0) return fault(FAULT.opRange, { callId, contextId, didNotExecute: true });
    const decoded = decodeRequestStub(stub, 0, stub.length, { syntax, littleEndian: header.littleEndian });
    if (!decoded.ok) return fault(FAULT.badStubData, { callId, contextId });
    const { bodyStart, bodyBytes } = decoded;
    return { kind: 'call', call: { callId, contextId, syntax, bytes: stub, bodyStart, bodyBytes } };
  }
}

function isWhole(flags: number): boolean {
  return (flags & WHOLE) === WHOLE;
}

/** Before the bind: only a bind may come; the other types that a client knows are told so (docs/protocol.md §9). */
function inspectUnbound(header: PduHeader): Step | undefined {
  switch (header.ptype) {
    case PTYPE.bind:
      return header.fragLength > MAX_PDU_BYTES || header.fragLength < MIN_BIND_BYTES ? CLOSE : undefined;
    case PTYPE.request:
    case PTYPE.alterContext:
    case PTYPE.auth3:
    case PTYPE.coCancel:
    case PTYPE.orphaned:
      return nak(header.callId, NAK.versionNotSupported);
    default:
      return CLOSE;
  }
}
