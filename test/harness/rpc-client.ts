// SPDX-License-Identifier: Apache-2.0
/**
 * A raw TCP client for tests: it sends whatever bytes it is given and reads PDU by PDU. It knows where a PDU of the server's ends and nothing else, so that a
 * test says itself what is wrong with its input. Every wait has a deadline.
 */
import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';

const DEADLINE_MS = 5_000;

export interface RpcClientOptions {
  readonly port: number;
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Source address, e.g. another one of 127.0.0.0/8. */
  readonly localAddress?: string;
}

export class RpcClient {
  readonly socket: Socket;
  #received: Buffer = Buffer.alloc(0);
  #ended = false;
  #closed = false;
  #wake: (() => void)[] = [];

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#changed();
    });
    socket.on('end', () => {
      this.#ended = true;
      this.#changed();
    });
    socket.on('error', () => undefined); // 'close' follows
    socket.on('close', () => {
      this.#ended = true;
      this.#closed = true;
      this.#changed();
    });
  }

  /** Bytes that came and were not read yet. */
  get unread(): Buffer {
    return this.#received;
  }

  /** True once the server has ended or reset the connection. */
  get ended(): boolean {
    return this.#ended;
  }

  get closed(): boolean {
    return this.#closed;
  }

  #changed(): void {
    const waiting = this.#wake;
    this.#wake = [];
    for (const wake of waiting) wake();
  }

  /** Waits until `done`; false when `deadlineMs` passed first. */
  async until(done: () => boolean, deadlineMs = DEADLINE_MS): Promise<boolean> {
    const end = performance.now() + deadlineMs;
    while (!done()) {
      const left = end - performance.now();
      if (left <= 0) return false;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#wake.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
    return true;
  }

  send(...parts: Buffer[]): void {
    this.socket.write(Buffer.concat(parts));
  }

  /** Our FIN; the other direction stays open. */
  end(): void {
    this.socket.end();
  }

  /** The next PDU of the server's, which always writes little-endian. Fails when the connection ends before it, or at the deadline. */
  async read(deadlineMs = DEADLINE_MS): Promise<Buffer> {
    const whole = (): number => {
      const length = this.#received.length < 16 ? 16 : this.#received.readUInt16LE(8);
      return this.#received.length >= length ? length : 0;
    };
    await this.until(() => whole() > 0 || this.#ended, deadlineMs);
    const length = whole();
    assert.ok(
      length > 0,
      `no PDU came: ${this.#ended ? 'the connection was closed' : 'deadline passed'}; ${this.#received.length} bytes`,
    );
    const pdu = this.#received.subarray(0, length);
    this.#received = this.#received.subarray(length);
    return pdu;
  }

  /** Sends and reads one PDU. */
  ask(...parts: Buffer[]): Promise<Buffer> {
    this.send(...parts);
    return this.read();
  }

  /** The server ends the connection without another byte; answers after how many milliseconds. */
  async expectEnd(deadlineMs = DEADLINE_MS): Promise<number> {
    const start = performance.now();
    assert.ok(await this.until(() => this.#ended, deadlineMs), 'the connection is still open');
    assert.equal(this.#received.toString('hex'), '', 'nothing more is sent');
    return performance.now() - start;
  }

  destroy(): void {
    this.socket.destroy();
  }
}

/** Connects within the deadline, or rejects with the system's error. */
export function connectRpc(options: RpcClientOptions): Promise<RpcClient> {
  const { port, host = '127.0.0.1', localAddress } = options;
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host, noDelay: true, allowHalfOpen: true, ...(localAddress && { localAddress }) });
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      resolve(new RpcClient(socket));
    });
  });
}
