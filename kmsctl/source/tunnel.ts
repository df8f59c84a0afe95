// SPDX-License-Identifier: Apache-2.0
//
// A port of a Pod as a stream, through the API server (`pods/portforward`, a WebSocket), and an agent that runs HTTP over it. What is asked is not its business.

import { Agent, type ClientRequestArgs } from 'node:http';
import { Duplex, PassThrough, Writable } from 'node:stream';
import { UserError } from '@kmspool/crds';
import type { PortForward } from '@kubernetes/client-node';
import { causeOf } from './http-call.ts';
import { forbidden } from './kube-api.ts';
import type { ClusterAccess } from './kubeconfig.ts';

export interface PodPort {
  readonly namespace: string;
  readonly pod: string;
  readonly port: number;
}

/** A connection to the port. @throws UserError when the API server refuses it. */
export async function openTunnel(access: ClusterAccess, target: PodPort): Promise<Duplex> {
  const { PortForward } = await import('@kubernetes/client-node');
  const { namespace, pod, port } = target;
  const tunnel = new Tunnel();
  try {
    const forward = new PortForward(access.config);
    const { received, failed, sent } = tunnel;
    const socket = await forward.portForward(namespace, pod, [port], received, failed, sent);
    // A function only where it is told to connect again by itself.
    if (typeof socket !== 'function') tunnel.follow(socket);
    return tunnel;
  } catch (error) {
    throw refused(error, target);
  }
}

/** An agent for one Pod: one connection, used again for the next request. */
export class TunnelAgent extends Agent {
  readonly #open: () => Promise<Duplex>;

  constructor(open: () => Promise<Duplex>) {
    super({ keepAlive: true, maxSockets: 1 });
    this.#open = open;
  }

  override createConnection(
    _options: ClientRequestArgs,
    callback: (error: Error | null, stream: Duplex) => void,
  ): undefined {
    this.#open().then(
      (stream) => callback(null, stream),
      // node's type has no place for a failure, its code has.
      (error: Error) => (callback as (error: Error) => void)(error),
    );
  }
}

type ForwardSocket = Exclude<Awaited<ReturnType<PortForward['portForward']>>, () => unknown>;

class Tunnel extends Duplex {
  /** What the library fills and empties: bytes from the Pod, words about a failure, bytes for the Pod. */
  readonly received: Writable;
  readonly failed: Writable;
  readonly sent = new PassThrough();
  #socket: ForwardSocket | undefined;

  constructor() {
    super();
    this.received = sink((chunk) => this.push(chunk));
    this.failed = sink((chunk) => {
      if (chunk.length > 0) this.destroy(new Error(causeOf(chunk.toString('utf8'))));
    });
  }

  /** Ends with the socket. */
  follow(socket: ForwardSocket): void {
    this.#socket = socket;
    socket.onclose = () => this.push(null);
    socket.onerror = ({ message }: { readonly message: string }) => this.destroy(new Error(message));
  }

  override _read(): void {
    // The socket pushes as it receives; a page of a listing is what may pile up.
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.sent.write(chunk, done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    // Not close(): it would wait for the other side's farewell.
    this.#socket?.terminate();
    done(error);
  }

  // What an HTTP agent asks of a socket that it keeps.
  setKeepAlive(): this {
    return this;
  }
  setNoDelay(): this {
    return this;
  }
  setTimeout(): this {
    return this;
  }
  ref(): this {
    return this;
  }
  unref(): this {
    return this;
  }
}

function sink(take: (chunk: Buffer) => void): Writable {
  return new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      take(chunk);
      done();
    },
  });
}

function refused(error: unknown, { namespace, pod }: PodPort): UserError {
  // An ErrorEvent of the WebSocket; its message tells the HTTP status.
  const said =
    typeof error === 'object' && error !== null && 'message' in error ? String(error.message) : causeOf(error);
  if (said.includes('403')) {
    // Opening one is a GET to older API servers and a create to newer ones.
    const what = { base: '/api/v1', plural: 'pods/portforward', namespace, name: pod };
    return new UserError(forbidden({ verb: 'create,get', what: { ...what }, said }));
  }
  return new UserError(`the API server does not forward to Pod ${namespace}/${pod}: ${said}`);
}
