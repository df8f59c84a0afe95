// SPDX-License-Identifier: Apache-2.0

// Where the API server is and what a request must carry to be let in. This file knows the contract and the plainest
// case (an address, perhaps a token); kubeconfig.ts has the others and is only loaded by who needs it, for the library
// that reads kubeconfigs costs half a second and tens of megabytes.
import { Agent as HttpAgent } from 'node:http';
import { type AgentOptions, Agent as HttpsAgent } from 'node:https';

/** What goes with one request. */
export interface Authorization {
  readonly headers: Readonly<Record<string, string>>;
  readonly agent: HttpAgent;
}

/** The way to one API server. */
export interface Connection {
  /** Base URL; its path, if any, goes before every request's. */
  readonly server: URL;
  /** Namespace of the kubeconfig's context or of the service account, where there is one. */
  readonly namespace: string | undefined;
  /** Current credentials; cheap, for they are remembered for a while. */
  authorize(): Promise<Authorization>;
  /** Forget the remembered credentials: the API server refused them (401). */
  reload(): void;
  /** Closes the connections that are kept open. */
  close(): void;
}

/**
 * The API server closes a connection that was idle for 90 s. Ours go earlier, so that a request is not sent into one that
 * is being closed. 30 s between TCP keep-alives is client-go's choice: below every load balancer's idle time-out.
 */
const AGENT_OPTIONS = { keepAlive: true, keepAliveMsecs: 30_000, timeout: 60_000 };

/** A pool of kept-alive connections. */
export function createAgent(server: URL, tls: AgentOptions = {}): HttpAgent {
  return server.protocol === 'https:' ? new HttpsAgent({ ...AGENT_OPTIONS, ...tls }) : new HttpAgent(AGENT_OPTIONS);
}

/** Closes what lies unused in the pool: after a time-out nobody knows which of them are dead. */
export function dropIdleConnections(agent: HttpAgent): void {
  for (const sockets of Object.values(agent.freeSockets)) for (const socket of sockets ?? []) socket.destroy();
}

/** A connection without a kubeconfig: a `kubectl proxy`, a test's server. */
export function plainConnection(server: string | URL, token?: string): Connection {
  const url = new URL(server);
  const agent = createAgent(url);
  const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
  return {
    server: url,
    namespace: undefined,
    authorize: async () => ({ headers, agent }),
    reload: () => {},
    close: () => agent.destroy(),
  };
}
