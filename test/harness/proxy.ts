// SPDX-License-Identifier: Apache-2.0
/**
 * A TCP proxy that misbehaves on demand: cuts its connections, swallows or delays what the server answers, refuses new connections.
 */
import { connect, createServer, type Socket } from 'node:net';

export interface BadProxy {
  readonly port: number;
  readonly url: string;
  /** Open connections. */
  readonly connections: number;
  /** How long an answer is held back, in milliseconds; Infinity swallows it. Applies to bytes that arrive from now on. */
  replyDelayMs: number;
  /** How long a request is held back, in milliseconds; it arrives even if its client is gone by then. */
  requestDelayMs: number;
  /** What clients send is accepted and never reaches the server. */
  swallowingRequests: boolean;
  /** New connections are reset at once. */
  refusing: boolean;
  /** The connections that are open now stay open, and no answer comes through them any more. */
  mute(): void;
  /** Resets all connections; what the server was sent before may still be executed. */
  cut(): void;
  stop(): Promise<void>;
}

/** A proxy in front of 127.0.0.1:`targetPort`. */
export async function startProxy(targetPort: number): Promise<BadProxy> {
  const sockets = new Set<Socket>();
  let muted = new WeakSet<Socket>();
  const server = createServer((client) => {
    if (proxy.refusing) {
      client.resetAndDestroy();
      return;
    }
    const upstream = connect(targetPort, '127.0.0.1');
    let heldUntil = 0;
    const heldMs = (): number => Math.max(0, heldUntil - performance.now());
    for (const [socket, other] of [[client, upstream] as const, [upstream, client] as const]) {
      socket.setNoDelay(true);
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        sockets.delete(socket);
        if (socket === client && heldMs() > 0) setTimeout(() => other.destroy(), heldMs() + 50);
        else other.destroy();
      });
    }
    client.on('data', (chunk) => {
      if (proxy.swallowingRequests) return;
      heldUntil = Math.max(heldUntil, performance.now() + proxy.requestDelayMs);
      if (heldMs() < 1) upstream.write(chunk);
      else setTimeout(() => upstream.write(chunk), heldMs());
    });
    upstream.on('data', (chunk) => {
      const { replyDelayMs } = proxy;
      if (muted.has(upstream) || replyDelayMs === Number.POSITIVE_INFINITY) return;
      if (replyDelayMs === 0) client.write(chunk);
      else setTimeout(() => client.write(chunk), replyDelayMs);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const cut = (): void => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  const proxy: BadProxy = {
    port: address.port,
    url: `redis://127.0.0.1:${address.port}`,
    get connections() {
      return sockets.size / 2;
    },
    replyDelayMs: 0,
    requestDelayMs: 0,
    swallowingRequests: false,
    refusing: false,
    cut,
    mute: () => {
      muted = new WeakSet(sockets);
    },
    async stop() {
      cut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return proxy;
}
