// SPDX-License-Identifier: Apache-2.0
/**
 * The host's HTTP interface: health, status and metrics for everybody who reaches the port; clients, events and duplicates, which name machines, only with the
 * admin token (Authorization: Bearer). Read-only.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { PageRequest } from '../store/store.ts';
import { StoreUnavailableError } from '../store/store.ts';
import type { HostView } from './host-view.ts';
import { buildRegistry } from './metrics.ts';
import { hostStatus } from './status.ts';

const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 1000;

export function buildHttpServer(view: HostView, adminToken: string): FastifyInstance {
  const server = Fastify({ logger: false, forceCloseConnections: true, requestTimeout: 10_000, bodyLimit: 1024 });
  const registry = buildRegistry(view);

  server.get('/livez', async () => 'ok\n');
  server.get('/readyz', async (_request, reply) => {
    const reasons = await view.probe();
    return reasons.length === 0 ? 'ok\n' : reply.code(503).send(`${reasons.join('\n')}\n`);
  });
  server.get('/status', async () => hostStatus(view));
  server.get('/metrics', async (_request, reply) => reply.type(registry.contentType).send(await registry.metrics()));
  registerAdmin(server, view, adminToken);

  server.setNotFoundHandler((_request, reply) =>
    reply
      .code(404)
      .send({ error: 'not found; there are /metrics, /livez, /readyz, /status, /clients, /events, /duplicates' }),
  );
  server.setErrorHandler((error: Error & { statusCode?: number }, _request, reply) => {
    const status = error instanceof StoreUnavailableError ? 503 : (error.statusCode ?? 500);
    return reply.code(status).send({ error: error.message });
  });
  return server;
}

function registerAdmin(server: FastifyInstance, view: HostView, adminToken: string): void {
  const onRequest = requireToken(adminToken);
  const options = { onRequest };
  server.get('/clients', options, (request) => view.store.listClients(pageOf(request)));
  server.get('/events', options, (request) => view.store.listEvents(pageOf(request)));
  server.get('/duplicates', options, (request) => view.store.listDuplicates(pageOf(request)));
}

/** `?limit=1…1000&after=CURSOR`. Checked here: fastify's schema compiler would cost every host 25 ms at start for these two. */
function pageOf(request: FastifyRequest): PageRequest {
  const { limit = String(DEFAULT_LIMIT), after, ...others } = request.query as Record<string, string | string[]>;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) throw new BadQueryError(`there is no parameter ${unknown}; use limit and after`);
  const count = Number(limit);
  if (!Number.isInteger(count) || count < 1 || count > MAX_LIMIT)
    throw new BadQueryError(`limit must be a whole number from 1 to ${MAX_LIMIT}`);
  if (after === undefined) return { limit: count };
  if (typeof after !== 'string' || after.length > 256) throw new BadQueryError('after must be the "next" of a page');
  return { limit: count, after };
}

class BadQueryError extends Error {
  readonly statusCode = 400;
}

/** Both sides are hashed first, so neither the token's length nor its content shows in the time that the comparison takes. */
function requireToken(adminToken: string): (request: FastifyRequest, reply: FastifyReply) => Promise<void> {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  const wanted = digest(`Bearer ${adminToken}`);
  return async (request, reply) => {
    if (timingSafeEqual(digest(request.headers.authorization ?? ''), wanted)) return;
    await reply
      .code(401)
      .header('www-authenticate', 'Bearer realm="kmspool"')
      .send({ error: 'this path needs the pool\u2019s admin token: Authorization: Bearer <token>' });
  };
}
