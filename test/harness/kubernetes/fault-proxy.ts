// SPDX-License-Identifier: Apache-2.0
/**
 * An HTTP proxy in front of an API server that answers some requests by itself, or lets their connection die: plain HTTP towards the client, TLS with a
 * client's certificate towards the API server. Unlike the TCP proxy it knows where a request begins, so that faults can fall on writes alone.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { type Agent, createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream';
import type { ControlPlane, PlaneUser } from './control-plane.ts';

/** What befalls a request. */
export type Fault =
  /** An answer in the API server's form, which never saw the request. */
  | {
      readonly kind: 'refuse';
      readonly statusCode: number;
      readonly reason: string;
      readonly retryAfterSeconds?: number;
    }
  /** The connection is reset, and the API server never saw the request. */
  | { readonly kind: 'cutBefore' }
  /** It is carried out, and the connection is reset instead of the answer. */
  | { readonly kind: 'cutAfter' };

/** A request as a fault is chosen for it. */
export interface ProxiedRequest {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly isWrite: boolean;
}

export interface FaultProxy {
  /** Path of a kubeconfig that leads through it. */
  readonly kubeconfig: string;
  /** How often each fault has struck: `409 Conflict`, `cutBefore`, … */
  readonly struck: ReadonlyMap<string, number>;
  /** Chooses from now on; undefined: the request passes. */
  choose(fault: (request: ProxiedRequest) => Fault | undefined): void;
  stop(): Promise<void>;
}

/** Starts a proxy for one user, through which nothing is amiss yet. */
export async function startFaultProxy(plane: ControlPlane, user: PlaneUser): Promise<FaultProxy> {
  const { agent } = await plane.connection({ user }).authorize();
  const struck = new Map<string, number>();
  let fault: (request: ProxiedRequest) => Fault | undefined = () => undefined;
  const server = createServer((asked, answer) => {
    const { method = 'GET', url = '/' } = asked;
    const path = url.split('?')[0] ?? url;
    const chosen = fault({ method, path, isWrite: method !== 'GET' });
    if (chosen !== undefined) count(struck, chosen);
    handle({ asked, answer, chosen, target: { agent, url: new URL(url, plane.url) } });
  });
  // A watch may be silent for long.
  server.requestTimeout = 0;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    kubeconfig: kubeconfigThrough(user, `http://127.0.0.1:${(server.address() as AddressInfo).port}`),
    struck,
    choose: (next) => {
      fault = next;
    },
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Writes a kubeconfig of this user that leads to another base URL: a proxy in front of the API server. Answers its path. */
export function kubeconfigThrough(user: PlaneUser, server: string): string {
  const config = JSON.parse(readFileSync(user.kubeconfig, 'utf8')) as { clusters: { cluster: object }[] };
  const clusters = config.clusters.map((one) => ({ ...one, cluster: { ...one.cluster, server } }));
  const path = `${user.kubeconfig}.${new URL(server).port}`;
  writeFileSync(path, JSON.stringify({ ...config, clusters }), { mode: 0o600 });
  return path;
}

interface Exchange {
  readonly asked: IncomingMessage;
  readonly answer: ServerResponse;
  readonly chosen: Fault | undefined;
  readonly target: { readonly agent: Agent; readonly url: URL };
}

function handle(exchange: Exchange): void {
  const { asked, answer, chosen } = exchange;
  if (chosen?.kind === 'refuse') refuse(asked, answer, chosen);
  else if (chosen?.kind === 'cutBefore') asked.socket.resetAndDestroy();
  else forward(exchange);
}

function refuse(asked: IncomingMessage, answer: ServerResponse, fault: Extract<Fault, { kind: 'refuse' }>): void {
  const { statusCode: code, reason, retryAfterSeconds } = fault;
  const headers = retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) };
  asked.resume();
  asked.once('end', () => {
    answer.writeHead(code, { 'content-type': 'application/json', ...headers });
    answer.end(
      JSON.stringify({ kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason, message: 'by the test' }),
    );
  });
}

function forward({ asked, answer, chosen, target: { agent, url } }: Exchange): void {
  const upstream = httpsRequest(url, { method: asked.method, headers: { ...asked.headers, host: url.host }, agent });
  upstream.once('response', (response) => {
    if (chosen?.kind === 'cutAfter') {
      response.resume();
      response.once('end', () => asked.socket.resetAndDestroy());
      return;
    }
    answer.writeHead(response.statusCode ?? 502, response.headers);
    answer.flushHeaders();
    // One side that ends early ends the other.
    pipeline(response, answer, () => undefined);
  });
  // The API server is away: to the client it looks the same.
  upstream.once('error', () => asked.socket.destroy());
  answer.once('close', () => upstream.destroy());
  pipeline(asked, upstream, () => undefined);
}

function count(struck: Map<string, number>, fault: Fault): void {
  const name = fault.kind === 'refuse' ? `${fault.statusCode} ${fault.reason}` : fault.kind;
  struck.set(name, (struck.get(name) ?? 0) + 1);
}
