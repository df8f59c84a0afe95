// SPDX-License-Identifier: Apache-2.0

// For tests: an API server that says what the test tells it to, over real HTTP on loopback. It knows nothing of
// Kubernetes but the shapes of its answers; what it was asked is kept for the test to look at.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { Registry } from 'prom-client';
import { Client, type ClientOptions } from './client.ts';
import { plainConnection } from './connection.ts';
import { createMetrics, type RuntimeMetrics } from './metrics.ts';
import { defineResource, type KubernetesObject } from './resource.ts';

/** A request as it came. */
export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  readonly body: Record<string, unknown> | undefined;
  /** Port of the connection it came on, to see connections reused. */
  readonly remotePort: number;
}

/** How to answer one request. */
export interface Reply {
  /** A whole answer. */
  json(body: unknown, statusCode?: number, headers?: Record<string, string>): void;
  /** A `Status` object. */
  status(statusCode: number, reason: string, headers?: Record<string, string>): void;
  /** Begins a watch; the test sends events by hand. */
  watch(): WatchStream;
  /** Closes the connection without an answer. */
  cut(): void;
  readonly response: ServerResponse;
}

/** A watch from the server's side. */
export interface WatchStream {
  event(type: string, object: object): void;
  /** Raw bytes. */
  write(bytes: string | Uint8Array): void;
  end(): void;
  cut(): void;
  /** Whether the client has gone away. */
  closed(): boolean;
}

/** Answers one request, or says nothing for ever. */
export type Handler = (seen: Seen, reply: Reply) => void;

/** A running fake. */
export interface FakeApiServer {
  readonly url: string;
  /** What was asked, oldest first. */
  readonly seen: Seen[];
  /** Answers every request from now on. */
  handle(handler: Handler): void;
  /** Answers the next requests one after another; the last one stays. */
  script(...handlers: Handler[]): void;
  /** Requests of a method, or all. */
  asked(method?: string): Seen[];
  client(options?: Partial<ClientOptions>): Client;
  readonly metrics: RuntimeMetrics;
  readonly registry: Registry;
  [Symbol.asyncDispose](): Promise<void>;
}

/** A kind to test with. */
export interface Widget extends KubernetesObject {
  spec?: { size?: number };
  status?: { phase?: string };
}

/** The kind's resource. */
export const WIDGETS = defineResource<Widget>({
  group: 'example.test',
  version: 'v1',
  plural: 'widgets',
  kind: 'Widget',
  namespaced: true,
});

/** A widget as the API server would give it. */
export function widget(name: string, resourceVersion: string | number, more: Partial<Widget['metadata']> = {}): Widget {
  return {
    apiVersion: 'example.test/v1',
    kind: 'Widget',
    metadata: { name, namespace: 'ns', uid: `uid-${name}`, resourceVersion: String(resourceVersion), ...more },
  };
}

/** A list answer. */
export function listOf(items: readonly object[], resourceVersion: string | number, next?: string): object {
  return { kind: 'List', metadata: { resourceVersion: String(resourceVersion), continue: next }, items };
}

/** Starts the fake on a free loopback port, with TLS if a certificate is given. Use with `await using`. */
export async function startFakeApiServer(tls?: { key: string; cert: string }): Promise<FakeApiServer> {
  const seen: Seen[] = [];
  let handlers: Handler[] = [(_, reply) => reply.status(404, 'NotFound')];
  const sockets = new Set<Socket>();
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    void readRequest(request).then((one) => {
      seen.push(one);
      const handler = handlers.length > 1 ? handlers.shift() : handlers[0];
      handler?.(one, replyOn(response));
    });
  };
  const server = tls === undefined ? createServer(answer) : createTlsServer(tls, answer);
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const registry = new Registry();
  const metrics = createMetrics(registry);
  const clients: Client[] = [];
  return {
    url,
    seen,
    registry,
    metrics,
    handle: (handler) => {
      handlers = [handler];
    },
    script: (...next) => {
      handlers = next;
    },
    asked: (method) => seen.filter((one) => method === undefined || one.method === method),
    client: (options = {}) => {
      const client = Client.create({ connection: plainConnection(url), metrics, userAgent: 'test/1', ...options });
      clients.push(client);
      return client;
    },
    [Symbol.asyncDispose]: async () => {
      for (const client of clients) client.close();
      await close(server, sockets);
    },
  };
}

async function close(server: Server, sockets: Set<Socket>): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  for (const socket of sockets) socket.destroy();
  await closed;
}

async function readRequest(request: IncomingMessage): Promise<Seen> {
  const url = new URL(request.url ?? '/', 'http://fake');
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString('utf8');
  return {
    method: request.method ?? '',
    path: url.pathname,
    query: url.searchParams,
    headers: request.headers,
    body: text === '' ? undefined : (JSON.parse(text) as Record<string, unknown>),
    remotePort: request.socket.remotePort ?? 0,
  };
}

function replyOn(response: ServerResponse): Reply {
  const json: Reply['json'] = (body, statusCode = 200, headers = {}) => {
    response.writeHead(statusCode, { 'content-type': 'application/json', ...headers });
    response.end(JSON.stringify(body));
  };
  return {
    json,
    status: (code, reason, headers) =>
      json({ kind: 'Status', status: 'Failure', code, reason, message: `${reason}!` }, code, headers),
    cut: () => response.socket?.destroy(),
    watch: () => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.flushHeaders();
      return {
        event: (type, object) => response.write(`${JSON.stringify({ type, object })}\n`),
        write: (bytes) => response.write(bytes),
        end: () => response.end(),
        cut: () => response.socket?.destroy(),
        closed: () => response.destroyed || response.closed,
      };
    },
    response,
  };
}
