// SPDX-License-Identifier: Apache-2.0
/**
 * The host's HTTP interface: health, status and metrics for everybody who reaches the port; clients, events, duplicates and the table, which name machines, only
 * with the admin token (Authorization: Bearer). All of it reads, but for POST /import, which joins a table with the pool's.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { EventPageRequest } from '../store/store.ts';
import { StoreUnavailableError } from '../store/store.ts';
import type { HostView } from './host-view.ts';
import { buildRegistry } from './metrics.ts';
import { hostStatus } from './status.ts';
import { decodeTables, importedSizes, MAX_IMPORT_BYTES, tableView } from './table-view.ts';

const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 1000;
const MAX_CURSOR_LENGTH = 256;

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
    reply.code(404).send({
      error:
        'not found; there are /metrics, /livez, /readyz, /status, /clients, /events, /duplicates, /table, POST /import',
    }),
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
  server.get('/events', options, (request) => view.store.listEvents(pageOf(request, ['since'])));
  server.get('/duplicates', options, (request) => view.store.listDuplicates(pageOf(request)));
  server.get('/table', options, () => tableView(view));
  server.post('/import', { ...options, bodyLimit: MAX_IMPORT_BYTES }, async ({ body }) => {
    const decoded = decodeTables(body, view.poolId);
    if (!decoded.ok) throw new BadRequestError(decoded.reason);
    return importedSizes(view, await view.store.merge(decoded.tables));
  });
}

/** `?limit=1…1000&after=CURSOR`, and of /events `&since=CURSOR`. Checked here: fastify's schema compiler would cost every host 25 ms at start. */
function pageOf(request: FastifyRequest, more: readonly string[] = []): EventPageRequest {
  const query = request.query as Record<string, string | string[]>;
  const known = ['limit', 'after', ...more];
  const unknown = Object.keys(query).find((name) => !known.includes(name));
  if (unknown !== undefined) throw new BadRequestError(`there is no parameter ${unknown}; use ${known.join(' and ')}`);
  const { limit = String(DEFAULT_LIMIT), after, since } = query;
  const count = Number(limit);
  if (!Number.isInteger(count) || count < 1 || count > MAX_LIMIT)
    throw new BadRequestError(`limit must be a whole number from 1 to ${MAX_LIMIT}`);
  return {
    limit: count,
    ...(after !== undefined && { after: cursor(after, 'after must be the "next" of a page') }),
    ...(since !== undefined && { since: cursor(since, 'since must be the "newest" of a page') }),
  };
}

function cursor(value: string | string[], problem: string): string {
  if (typeof value !== 'string' || value.length > MAX_CURSOR_LENGTH) throw new BadRequestError(problem);
  return value;
}

class BadRequestError extends Error {
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
