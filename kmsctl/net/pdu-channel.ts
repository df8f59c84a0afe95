// SPDX-License-Identifier: Apache-2.0
//
// A TCP connection that is read one DCE/RPC PDU at a time, with a deadline for each. It knows where a PDU ends and nothing else of RPC.

import { connect, type Socket } from 'node:net';
import { decodeHeader, HEADER_BYTES, MAX_PDU_BYTES } from '@kmspool/kms/wire';

/** Where a conversation with a host can end. */
export type Stage = 'connect' | 'bind' | 'request' | 'answer';

/** The conversation is over; `stage` and `message` say where and why, in words for a user. */
export class ConversationError extends Error {
  override readonly name = 'ConversationError';
  readonly stage: Stage;
  /** The RPC fault status, if that is what ended it. */
  readonly faultStatus: number | undefined;

  constructor(stage: Stage, message: string, faultStatus?: number) {
    super(message);
    this.stage = stage;
    this.faultStatus = faultStatus;
  }
}

export interface ConnectOptions {
  /** An address, or a name that the system's resolver knows. */
  readonly address: string;
  readonly port: number;
  /** For connecting, and for each PDU afterwards. */
  readonly timeoutMs: number;
  /** Source address, for many clients on one machine. */
  readonly localAddress?: string | undefined;
}

interface Waiter {
  readonly resolve: (pdu: Buffer) => void;
  readonly reject: (error: ConversationError) => void;
  readonly stage: Stage;
}

export class PduChannel {
  readonly #socket: Socket;
  readonly #timeoutMs: number;
  #received: Buffer = Buffer.alloc(0);
  #waiter: Waiter | undefined;
  /** Why nothing more will come. */
  #ended: string | undefined;
  #sentBytes = 0;

  constructor(socket: Socket, timeoutMs: number) {
    this.#socket = socket;
    this.#timeoutMs = timeoutMs;
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    socket.on('error', (error) => this.#end(reasonOf(error)));
    socket.on('end', () => this.#end('the host closed the connection'));
    socket.on('close', () => this.#end('the connection was closed'));
  }

  get remoteAddress(): string {
    return this.#socket.remoteAddress ?? '';
  }

  get sentBytes(): number {
    return this.#sentBytes;
  }

  send(pdu: Buffer): void {
    this.#sentBytes += pdu.length;
    this.#socket.write(pdu);
  }

  /** The next whole PDU. Rejects with a ConversationError at the deadline, when the connection ends, or at what is no PDU. */
  read(stage: Stage): Promise<Buffer> {
    const ready = this.#next(stage);
    if (ready !== undefined) return ready;
    return new Promise<Buffer>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiter = undefined;
        reject(new ConversationError(stage, `no answer within ${this.#timeoutMs} ms`));
        this.close();
      }, this.#timeoutMs);
      const settle = <T>(settled: (value: T) => void) => {
        return (value: T): void => {
          clearTimeout(timer);
          settled(value);
        };
      };
      this.#waiter = { resolve: settle(resolve), reject: settle(reject), stage };
    });
  }

  /** Ends the connection for both sides, as a client does that has what it wanted. */
  close(): void {
    this.#socket.end();
    this.#socket.destroySoon();
  }

  #take(chunk: Buffer): void {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    this.#serveWaiter();
    // Nobody waits for so much: it is no conversation any more.
    if (this.#received.length > 4 * MAX_PDU_BYTES) this.#socket.destroy();
  }

  #end(reason: string): void {
    this.#ended ??= reason;
    this.#serveWaiter();
  }

  #serveWaiter(): void {
    const waiter = this.#waiter;
    if (waiter === undefined) return;
    const next = this.#next(waiter.stage);
    if (next === undefined) return;
    this.#waiter = undefined;
    next.then(waiter.resolve, waiter.reject);
  }

  /** A PDU or the reason why there is none; undefined while it may still come. */
  #next(stage: Stage): Promise<Buffer> | undefined {
    if (this.#received.length >= HEADER_BYTES) {
      const { fragLength, drepKnown, version } = decodeHeader(this.#received, 0);
      if (!drepKnown || version !== 5 || fragLength < HEADER_BYTES || fragLength > MAX_PDU_BYTES) {
        this.#socket.destroy();
        return Promise.reject(new ConversationError(stage, 'what came back is not DCE/RPC'));
      }
      if (this.#received.length >= fragLength) {
        const pdu = this.#received.subarray(0, fragLength);
        this.#received = this.#received.subarray(fragLength);
        return Promise.resolve(pdu);
      }
    }
    if (this.#ended === undefined) return undefined;
    return Promise.reject(new ConversationError(stage, this.#ended));
  }
}

/** Connects. Rejects with a ConversationError of stage `connect`. */
export function openChannel(options: ConnectOptions): Promise<PduChannel> {
  const { address, port, timeoutMs, localAddress } = options;
  return new Promise((resolve, reject) => {
    const socket = connect({
      host: address,
      port,
      noDelay: true,
      allowHalfOpen: false,
      ...(localAddress !== undefined && { localAddress }),
    });
    const fail = (reason: string): void => {
      clearTimeout(timer);
      socket.destroy();
      reject(new ConversationError('connect', reason));
    };
    const timer = setTimeout(() => fail(`no connection within ${timeoutMs} ms`), timeoutMs);
    socket.once('error', (error) => fail(reasonOf(error)));
    socket.once('connect', () => {
      clearTimeout(timer);
      socket.removeAllListeners('error');
      resolve(new PduChannel(socket, timeoutMs));
    });
  });
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused: nothing listens there',
  ECONNRESET: 'the host reset the connection',
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'no route to the network',
  ETIMEDOUT: 'the connection timed out',
  ENOTFOUND: 'there is no such name',
  EAI_AGAIN: 'no name server answered',
  EPIPE: 'the host closed the connection',
  EADDRNOTAVAIL: 'this machine has no such address, or no free port is left',
};

function reasonOf(error: Error): string {
  const code = 'code' in error ? String(error.code) : '';
  return REASONS[code] ?? (code === '' ? error.message : `${error.message} (${code})`);
}
