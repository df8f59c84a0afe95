// SPDX-License-Identifier: Apache-2.0
/**
 * One client's TCP connection: cuts the byte stream into PDUs, lets the association judge them, serves calls one after the other in the order of
 * arrival, and knows its own deadlines. It has no timer; the listener's sweep asks it (docs/protocol.md §5.1–5.2).
 */
import type { Socket } from 'node:net';
import { decodeHeader, HEADER_BYTES } from '@kmspool/kms/wire';
import { Association, type AssociationTerms, type Call, type Step } from './association.ts';
import type { ConnectionCounters } from './counters.ts';
import { LIMITS } from './limits.ts';

/** Serves one call. `reply` is called exactly once, perhaps before this returns, with the PDU to send. */
export type ServeCall = (call: Call, address: string, reply: (answer: CallAnswer) => void) => void;

export interface CallAnswer {
  readonly pdu: Buffer;
  readonly close: boolean;
  /** Its status when the answer is a fault, for the metrics. */
  readonly fault?: number;
}

export interface ConnectionTerms {
  readonly serve: ServeCall;
  readonly association: AssociationTerms;
  readonly counters: ConnectionCounters;
  /** Monotonic milliseconds. */
  readonly nowMs: () => number;
}

const NEVER = Number.POSITIVE_INFINITY;

/** A peer that resets is no event: the socket closes by itself. */
function ignore(): void {}

export class Connection {
  readonly address: string;
  readonly #socket: Socket;
  readonly #terms: ConnectionTerms;
  readonly #association: Association;
  /** Received and not yet taken; undefined when empty. */
  #input: Buffer | undefined;
  #served = 0;
  #busy = false;
  #peerEnded = false;
  #lastCall = false;
  #noDelay = false;
  #halfClosed = false;
  #lingered = 0;
  #bindBy: number;
  #pduBy = NEVER;
  #callBy = NEVER;
  #idleBy: number;
  #unreadBy = NEVER;
  #closeBy = NEVER;

  constructor(socket: Socket, address: string, terms: ConnectionTerms) {
    this.#socket = socket;
    this.address = address;
    this.#terms = terms;
    this.#association = new Association(terms.association);
    const now = terms.nowMs();
    this.#bindBy = now + LIMITS.bindMs;
    this.#idleBy = now + LIMITS.idleMs;
    socket.on('data', (chunk: Buffer) => this.#onData(chunk));
    socket.on('end', () => this.#onEnd());
    socket.on('error', ignore);
  }

  /** The nearest deadline; the sweep destroys a connection that has passed it. */
  get deadlineMs(): number {
    // Below the high-water mark no 'drain' tells that the queue is empty again.
    const unreadBy = this.#socket.writableLength === 0 ? NEVER : this.#unreadBy;
    if (this.#halfClosed) return Math.min(unreadBy, this.#closeBy);
    const waiting = this.#busy ? NEVER : Math.min(this.#pduBy, this.#callBy, this.#idleBy);
    return Math.min(waiting, this.#bindBy, unreadBy);
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** While draining: a client that was answered and has asked nothing for a moment is let go. One that is still asking would lose a request by it. */
  letGoIdle(): void {
    const quietMs = this.#terms.nowMs() - (this.#idleBy - LIMITS.idleMs);
    if (this.#idle && this.#served > 0 && quietMs >= LIMITS.letGoMs) this.#halfClose();
  }

  /** At the end of a drain: the next answer to a call is the last. Who was answered and asks nothing now is let go at once; who has not asked yet may. */
  finish(): void {
    this.#lastCall = true;
    if (this.#idle && this.#served > 0) this.#halfClose();
  }

  get #idle(): boolean {
    return !this.#busy && this.#input === undefined && !this.#association.callPending;
  }

  #onData(chunk: Buffer): void {
    this.#terms.counters.bytesIn += chunk.length;
    if (this.#halfClosed) {
      this.#lingered += chunk.length;
      if (this.#lingered > LIMITS.lingerBytes) this.#socket.destroy();
      return;
    }
    this.#input = this.#input ? Buffer.concat([this.#input, chunk]) : chunk;
    if (this.#busy) this.#keepInput(this.#input);
    else this.#takeInput();
  }

  /** More input than is being served: take it later, and not without bound. */
  #keepInput(rest: Buffer): void {
    this.#input = rest;
    this.#answerAtOnce();
    if (rest.length > LIMITS.pendingInputBytes) this.#socket.pause();
  }

  /**
   * The peer pipelines: it sent more before it had its answer. Answers then follow one another without the peer speaking in between, and each would wait for its
   * delayed acknowledgement. Only such a connection pays for TCP_NODELAY.
   */
  #answerAtOnce(): void {
    if (this.#noDelay) return;
    this.#noDelay = true;
    this.#socket.setNoDelay(true);
  }

  /** Takes PDU after PDU until the input is used up, incomplete, or a call has to be waited for. */
  #takeInput(): void {
    let at = 0;
    const now = this.#terms.nowMs();
    const input = this.#input ?? Buffer.alloc(0);
    this.#input = undefined;
    while (at < input.length && !this.#busy && !this.#halfClosed) {
      const taken = this.#takePdu(input, at, now);
      if (taken === 0) break;
      at += taken;
      if (at < input.length) this.#answerAtOnce();
    }
    if (this.#halfClosed) return;
    if (at < input.length) this.#keepInput(at === 0 ? input : input.subarray(at));
    else this.#idleBy = now + LIMITS.idleMs;
    if (this.#peerEnded && !this.#busy) this.#halfClose();
  }

  /** Bytes used: 0 while the PDU is incomplete. */
  #takePdu(input: Buffer, at: number, now: number): number {
    const available = input.length - at;
    if (available < HEADER_BYTES) return this.#incomplete(now);
    const header = decodeHeader(input, at);
    const verdict = this.#association.inspect(header);
    if (verdict) {
      this.#carryOut(verdict);
      return available;
    }
    if (available < header.fragLength) return this.#incomplete(now);
    this.#pduBy = NEVER;
    this.#carryOut(this.#association.receive(input, at, header));
    this.#callBy = this.#association.callPending ? Math.min(this.#callBy, now + LIMITS.callMs) : NEVER;
    return header.fragLength;
  }

  #incomplete(now: number): number {
    if (this.#pduBy === NEVER) this.#pduBy = now + LIMITS.pduMs;
    this.#idleBy = NEVER; // it is not idle: the PDU has a limit of its own
    return 0;
  }

  #carryOut(step: Step): void {
    switch (step.kind) {
      case 'wait':
        return;
      case 'close':
        this.#halfClosed = true;
        this.#socket.destroy();
        return;
      case 'send':
        if (this.#association.bound) this.#bindBy = NEVER;
        if (step.refusal) this.#countRefusal(step.refusal);
        this.#send(step.pdu, step.close);
        return;
      case 'call':
        this.#serve(step.call);
    }
  }

  #countRefusal(refusal: { nak: number } | { fault: number }): void {
    if ('nak' in refusal) this.#terms.counters.nak(refusal.nak);
    else {
      this.#served++;
      this.#terms.counters.fault(refusal.fault);
    }
  }

  #serve(call: Call): void {
    this.#busy = true;
    if (this.#served++ === 0) this.#terms.counters.clients++;
    let sync = true;
    this.#terms.serve(call, this.address, (answer) => {
      this.#busy = false;
      if (answer.fault !== undefined) this.#terms.counters.fault(answer.fault);
      this.#send(answer.pdu, answer.close);
      if (!sync) this.#resume();
    });
    sync = false;
  }

  /** After an answer that came later than its call: the input that waited meanwhile. */
  #resume(): void {
    if (this.#halfClosed) return;
    this.#idleBy = this.#terms.nowMs() + LIMITS.idleMs;
    if (this.#socket.isPaused()) this.#socket.resume();
    if (this.#input !== undefined || this.#peerEnded) this.#takeInput();
  }

  #send(pdu: Buffer, close: boolean): void {
    this.#terms.counters.bytesOut += pdu.length;
    if (this.#socket.destroyed) return;
    if (this.#socket.writableLength === 0) this.#unreadBy = NEVER;
    this.#socket.write(pdu);
    const unread = this.#socket.writableLength;
    if (unread > LIMITS.unreadBytes) this.#socket.destroy();
    else if (unread > 0 && this.#unreadBy === NEVER) this.#unreadBy = this.#terms.nowMs() + LIMITS.unreadMs;
    const last = this.#lastCall && this.#served > 0; // not between a bind and its first request
    if (close || last || this.#served >= LIMITS.requestsPerConnection) this.#halfClose();
  }

  /** Closing with unread input would reset the connection and may swallow the last answer, so read on for a moment. */
  #halfClose(): void {
    if (this.#halfClosed) return;
    this.#halfClosed = true;
    this.#input = undefined;
    this.#bindBy = NEVER;
    this.#closeBy = this.#terms.nowMs() + LIMITS.lingerMs;
    if (this.#socket.isPaused()) this.#socket.resume();
    this.#socket.end();
  }

  #onEnd(): void {
    this.#peerEnded = true;
    if (!this.#busy) this.#halfClose();
  }
}
