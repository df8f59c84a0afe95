// SPDX-License-Identifier: Apache-2.0

// One message to one server and what comes back, by UDP or by TCP (RFC 1035 4.2, RFC 7766). It does not know what the messages mean, and tries once:
// query.ts decides what to do after a silence.
import { createSocket } from 'node:dgram';
import { connect, isIPv6 } from 'node:net';
import type { Clock } from '../runtime/index.ts';

/** Where a server listens; the address is a literal. */
export interface ServerAddress {
  readonly address: string;
  readonly port: number;
}

/** How one attempt ended. */
export type Sent<R> =
  | { readonly kind: 'answer'; readonly answer: R }
  | { readonly kind: 'timeout' }
  /** The system's word, such as "connection refused". */
  | { readonly kind: 'error'; readonly error: string }
  | { readonly kind: 'aborted' };

/** One attempt. */
export interface Attempt<R> {
  readonly server: ServerAddress;
  readonly message: Buffer;
  /** Undefined: not the answer, the wait goes on (UDP), or the connection is of no use (TCP). */
  readonly read: (bytes: Buffer) => R | undefined;
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

const ERRORS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  EPIPE: 'connection reset',
  EHOSTUNREACH: 'no route to host',
  ENETUNREACH: 'network unreachable',
  EADDRNOTAVAIL: 'network unreachable',
  EAFNOSUPPORT: 'network unreachable',
  EACCES: 'not permitted',
  EPERM: 'not permitted',
};

/**
 * By UDP, from a port of its own that the system draws, connected: the kernel lets nothing pass that is not from the server's address and port, and
 * tells when nobody listens there.
 */
export function sendUdp<R>(attempt: Attempt<R>): Promise<Sent<R>> {
  const { server, message, read } = attempt;
  return settle(attempt, (done) => {
    const socket = createSocket(isIPv6(server.address) ? 'udp6' : 'udp4');
    socket.on('error', (error) => done(failure(error)));
    socket.on('message', (bytes) => {
      const answer = read(bytes);
      if (answer !== undefined) done({ kind: 'answer', answer });
    });
    socket.on('connect', () => {
      socket.send(message, (error) => {
        if (error) done(failure(error));
      });
    });
    socket.connect(server.port, server.address);
    return () => socket.close();
  });
}

/** By TCP: one connection, one question, two bytes of length in front of each message. */
export function sendTcp<R>(attempt: Attempt<R>): Promise<Sent<R>> {
  const { server, message, read } = attempt;
  return settle(attempt, (done) => {
    const socket = connect({ host: server.address, port: server.port });
    const receive = collector();
    socket.on('error', (error) => done(failure(error)));
    socket.on('close', () => done({ kind: 'error', error: 'connection closed without an answer' }));
    socket.on('connect', () => {
      const length = Buffer.alloc(2);
      length.writeUInt16BE(message.length);
      socket.write(Buffer.concat([length, message]));
    });
    socket.on('data', (chunk: Buffer) => {
      const bytes = receive(chunk);
      if (bytes === undefined) return;
      const answer = read(bytes);
      done(answer === undefined ? { kind: 'error', error: 'malformed answer' } : { kind: 'answer', answer });
    });
    return () => socket.destroy();
  });
}

/** Takes what a stream delivers, and gives the first message once it is whole. Copies twice at most, however small the pieces are. */
function collector(): (chunk: Buffer) => Buffer | undefined {
  let chunks: Buffer[] = [];
  let received = 0;
  let wanted: number | undefined;
  return (chunk) => {
    chunks.push(chunk);
    received += chunk.length;
    if (received >= 2 && wanted === undefined) {
      chunks = [Buffer.concat(chunks)];
      wanted = 2 + (chunks[0]?.readUInt16BE(0) ?? 0);
    }
    return wanted === undefined || received < wanted ? undefined : Buffer.concat(chunks).subarray(2, wanted);
  };
}

function failure(error: NodeJS.ErrnoException): { kind: 'timeout' } | { kind: 'error'; error: string } {
  if (error.code === 'ETIMEDOUT') return { kind: 'timeout' };
  return { kind: 'error', error: ERRORS[error.code ?? ''] ?? error.code ?? error.message };
}

/** The first end counts: an answer, an error, the time limit or the signal; then everything is given back. */
function settle<R>(
  { timeoutMs, clock, signal }: Attempt<R>,
  start: (done: (sent: Sent<R>) => void) => () => void,
): Promise<Sent<R>> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve({ kind: 'aborted' });
    let over = false;
    let release = (): void => undefined;
    const done = (sent: Sent<R>): void => {
      if (over) return;
      over = true;
      cancel();
      signal.removeEventListener('abort', onAbort);
      release();
      resolve(sent);
    };
    const onAbort = (): void => done({ kind: 'aborted' });
    const cancel = clock.after(timeoutMs, () => done({ kind: 'timeout' }));
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      release = start(done);
    } catch (error) {
      done(failure(error as NodeJS.ErrnoException)); // a port or an address that the system does not even take
    }
  });
}
