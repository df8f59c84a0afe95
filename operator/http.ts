// SPDX-License-Identifier: Apache-2.0

// The operator's HTTP interface: health for the kubelet, metrics for Prometheus. Read-only, and it shows nothing of what a Secret holds.
import type { AddressInfo } from 'node:net';
import { UserError } from '@kmspool/crds';
import Fastify, { type FastifyInstance, type FastifyReply } from 'fastify';
import type { Registry } from 'prom-client';

/** One thing that must be so. */
export interface HealthCheck {
  readonly name: string;
  /** Undefined when all is well; else what is wrong, in one line. Must be quick; what it throws is wrong too. */
  readonly problem: () => string | undefined;
}

/** What `/livez` and `/readyz` answer: 200 when every check is ok, else 503. */
export interface HealthReport {
  readonly checks: readonly { readonly name: string; readonly ok: boolean; readonly message: string }[];
}

/** What the interface shows. */
export interface HttpView {
  /** prom-client's registry, or what fills it first. */
  readonly registry: Pick<Registry, 'contentType' | 'metrics'>;
  /** Reasons to start the process anew. Nothing that a restart does not mend belongs here. */
  readonly live: readonly HealthCheck[];
  /** Reasons not to rely on it yet. Not leading is none: a standby that could take over is ready. */
  readonly ready: readonly HealthCheck[];
}

/** The part of an informer that health is read from. */
export interface CacheHealth {
  readonly resource: { readonly plural: string };
  hasSynced(): boolean;
  /** Undefined before the first list. */
  silentForMs(): number | undefined;
}

/** A server that listens. */
export interface HttpListener {
  readonly address: string;
  readonly port: number;
  /** Takes no new connection, closes what is idle, answers what was asked; after a second it closes the rest. */
  close(): Promise<void>;
}

/** For `/readyz`: every cache was listed whole. */
export function syncedCheck(caches: readonly CacheHealth[]): HealthCheck {
  return {
    name: 'caches',
    problem: () => {
      const missing = caches.filter((cache) => !cache.hasSynced()).map(({ resource }) => resource.plural);
      return missing.length === 0 ? undefined : `not listed yet: ${missing.join(', ')}`;
    },
  };
}

/**
 * For `/livez`: no cache has heard nothing for longer than `maxSilentMs`, far more than a reflector needs to begin a new watch. Before the first list
 * there is no silence: an API server that is away leads to one restart at most, for a restart does not mend it.
 */
export function silenceCheck(caches: readonly CacheHealth[], maxSilentMs: number): HealthCheck {
  return {
    name: 'watches',
    problem: () => {
      const silent = caches.filter((cache) => (cache.silentForMs() ?? 0) > maxSilentMs);
      if (silent.length === 0) return undefined;
      const names = silent.map(({ resource }) => resource.plural).join(', ');
      return `nothing heard for more than ${Math.round(maxSilentMs / 1000)} s: ${names}`;
    },
  };
}

/** For a connection that never asks anything: nobody may hold up the end of the process. */
const CLOSE_GRACE_MS = 1_000;

/** The routes, not yet listening. */
export function buildHttpServer(view: HttpView): FastifyInstance {
  const server = Fastify({ logger: false, forceCloseConnections: 'idle', requestTimeout: 10_000, bodyLimit: 1024 });
  const { registry } = view;
  server.get('/livez', (_request, reply) => answer(reply, view.live));
  server.get('/readyz', (_request, reply) => answer(reply, view.ready));
  server.get('/metrics', async (_request, reply) => reply.type(registry.contentType).send(await registry.metrics()));
  server.setNotFoundHandler((_request, reply) =>
    reply.code(404).send({ error: 'not found; there are /metrics, /livez, /readyz' }),
  );
  server.setErrorHandler((error: Error & { statusCode?: number }, _request, reply) =>
    reply.code(error.statusCode ?? 500).send({ error: error.message }),
  );
  return server;
}

/** Listens; port 0 takes a free one. @throws UserError when the address cannot be listened on: the line says what to change. */
export async function startHttp(
  view: HttpView,
  listen: { readonly address: string; readonly port: number },
): Promise<HttpListener> {
  const server = buildHttpServer(view);
  try {
    await server.listen({ host: listen.address, port: listen.port });
  } catch (error) {
    await server.close();
    throw listenError(error, listen);
  }
  const { address, port } = server.server.address() as AddressInfo;
  return { address, port, close: () => close(server) };
}

async function close(server: FastifyInstance): Promise<void> {
  const timer = setTimeout(() => server.server.closeAllConnections(), CLOSE_GRACE_MS);
  await server.close();
  clearTimeout(timer);
}

function answer(reply: FastifyReply, checks: readonly HealthCheck[]): FastifyReply {
  const report: HealthReport = { checks: checks.map(result) };
  return reply.code(report.checks.every(({ ok }) => ok) ? 200 : 503).send(report);
}

function result({ name, problem }: HealthCheck): HealthReport['checks'][number] {
  const message = problemOf(problem);
  return { name, ok: message === undefined, message: message ?? 'ok' };
}

function problemOf(problem: () => string | undefined): string | undefined {
  try {
    return problem();
  } catch (error) {
    return `the check failed: ${error instanceof Error ? error.message : String(error)}`;
  }
}

const REMEDIES: Readonly<Record<string, string>> = {
  EADDRINUSE: 'is in use by another process; stop that one or choose another port',
  EACCES: 'may not be used by this user; choose a port from 1024 on',
  EADDRNOTAVAIL: 'is not an address of this machine; choose one that is',
  EAFNOSUPPORT: 'is of an address family that this machine does not have; choose 0.0.0.0 or [::]',
};

function listenError(error: unknown, { address, port }: { address: string; port: number }): unknown {
  const remedy = REMEDIES[(error as NodeJS.ErrnoException).code ?? ''];
  const where = address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
  return remedy === undefined ? error : new UserError(`--http: ${where} ${remedy}`);
}
