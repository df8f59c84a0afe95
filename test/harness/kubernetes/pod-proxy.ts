// SPDX-License-Identifier: Apache-2.0

// The API server as a client meets it that asks Pods through it (`pods/NAME:PORT/proxy`). A real one refuses to connect to loopback addresses, which the Pods
// of tests have, so this one step is played here: a question to a Pod goes to its address, and everything else to the real API server.
import { type Agent, createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream';
import { PODS } from '../../../operator/pool/kinds.ts';
import type { ControlPlane } from './control-plane.ts';
import { kubeconfigThrough } from './fault-proxy.ts';

export interface PodProxy {
  /** Path of a kubeconfig that leads through it, as administrator. */
  readonly kubeconfig: string;
  /** How many questions went to Pods. */
  readonly asked: () => number;
  stop(): Promise<void>;
}

const PROXIED = /^\/api\/v1\/namespaces\/([^/]+)\/pods\/([^/:]+):(\d+)\/proxy(\/.*)$/;

/** Starts one in front of an API server. */
export async function startPodProxy(plane: ControlPlane): Promise<PodProxy> {
  const { agent } = await plane.connection().authorize();
  let asked = 0;
  const server = createServer((request, answer) => {
    const [, namespace, name, port, path] = PROXIED.exec(request.url ?? '') ?? [];
    if (namespace === undefined || name === undefined) {
      pass({ request, answer }, { url: new URL(request.url ?? '/', plane.url), agent });
      return;
    }
    asked += 1;
    plane
      .client()
      .get(PODS, { namespace, name })
      .then(({ status }) => pass({ request, answer }, { url: new URL(`http://${status?.podIP}:${port}${path}`) }))
      .catch(() => answer.writeHead(502).end());
  });
  // A watch may be silent for long.
  server.requestTimeout = 0;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    kubeconfig: kubeconfigThrough(plane.admin, `http://127.0.0.1:${(server.address() as AddressInfo).port}`),
    asked: () => asked,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

type Exchange = { readonly request: IncomingMessage; readonly answer: ServerResponse };

function pass({ request, answer }: Exchange, target: { readonly url: URL; readonly agent?: Agent }): void {
  const { url, agent } = target;
  const call = url.protocol === 'https:' ? httpsRequest : httpRequest;
  const headers = { ...request.headers, host: url.host };
  const upstream = call(url, { method: request.method, headers, ...(agent && { agent }) });
  upstream.once('response', (response) => {
    answer.writeHead(response.statusCode ?? 502, response.headers);
    answer.flushHeaders();
    // One side that ends early ends the other.
    pipeline(response, answer, () => undefined);
  });
  upstream.once('error', () => request.socket.destroy());
  answer.once('close', () => upstream.destroy());
  pipeline(request, upstream, () => undefined);
}
