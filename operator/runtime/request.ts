// SPDX-License-Identifier: Apache-2.0

// One request to the API server, with all that surrounds it: throttle, credentials, the leader's guard, time limit,
// metrics, and the few retries that are safe without knowing what the request means. client.ts puts the verbs on top.
import { type Clock, type Random, sleep } from './clock.ts';
import type { Connection } from './connection.ts';
import { type ApiError, apiErrorOf, TransportError } from './errors.ts';
import type { RuntimeMetrics } from './metrics.ts';
import type { Throttle } from './throttle.ts';
import { type Exchange, exchangeStream, exchangeText, type StreamAnswer, type TextAnswer } from './transport.ts';

/** Query parameters; what is undefined is left out. */
export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

/** A request in the API server's terms. */
export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Absolute path on the API server, escaped. */
  readonly path: string;
  readonly query?: Query | undefined;
  /** Sent as JSON, fields unchanged. */
  readonly body?: unknown;
  readonly contentType?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** For one attempt; default that of the client. */
  readonly timeoutMs?: number | undefined;
  /** `resource` label of the metric. */
  readonly resource?: string | undefined;
  /** Whether sending it twice does no harm, so that it may be sent again after a connection was lost. */
  readonly repeatable?: boolean | undefined;
}

/** What requests share; made by the client. */
export interface RequestContext {
  readonly connection: Connection;
  readonly clock: Clock;
  readonly random: Random;
  readonly throttle: Throttle;
  readonly metrics: RuntimeMetrics['rest'];
  readonly userAgent: string;
  readonly timeoutMs: number;
  /** Called before every write; throws to refuse it. */
  readonly guard: () => void;
  /** What is done to the text of an answer, or of a line of a watch, before it is parsed. */
  readonly lighten: (json: string) => string;
}

/** Attempts after the first: a server that asks for patience gets it a few times, then the caller's queue takes over. */
const MAX_RETRIES = 4;
/** A longer wait belongs into the caller's queue, not into a pending call. */
const LONGEST_WAIT_SECONDS = 10;

/**
 * Sends a request and reads its answer as text.
 *
 * @throws ApiError for status 400 and more, TransportError when no answer came, what the guard throws (nothing was sent
 * then), the signal's reason.
 */
export async function requestText(context: RequestContext, request: ApiRequest): Promise<TextAnswer> {
  return attempts(context, request, async (exchange): Promise<Attempted<TextAnswer>> => {
    const answer = await exchangeText(exchange);
    return answer.statusCode < 400 ? { answer } : { refusal: refusalOf(exchange, answer) };
  });
}

/** Sends a request whose answer is a stream. @throws as {@link requestText}. */
export async function requestStream(context: RequestContext, request: ApiRequest): Promise<StreamAnswer> {
  return attempts(context, request, async (exchange): Promise<Attempted<StreamAnswer>> => {
    const answer = await exchangeStream(exchange);
    if (answer.statusCode < 400) return { answer };
    const chunks: Uint8Array[] = [];
    for await (const chunk of answer.body) chunks.push(chunk);
    answer.close();
    const body = Buffer.concat(chunks).toString('utf8');
    return { refusal: refusalOf(exchange, { ...answer, body }) };
  });
}

type Answered = { readonly statusCode: number };
type Attempted<A> = { readonly answer: A } | { readonly refusal: ApiError };
type Attempt<A> = (exchange: Exchange) => Promise<Attempted<A>>;

async function attempts<A extends Answered>(
  context: RequestContext,
  request: ApiRequest,
  attempt: Attempt<A>,
): Promise<A> {
  for (let failures = 0; ; failures++) {
    await waitForThrottle(context, request);
    const retry = await once(context, request, attempt);
    if ('answer' in retry) return retry.answer;
    const waitMs = failures < MAX_RETRIES ? retryAfterMs(retry.error, { context, request, failures }) : undefined;
    if (waitMs === undefined) throw retry.error;
    await sleep(context.clock, waitMs, request.signal);
    request.signal?.throwIfAborted();
  }
}

async function waitForThrottle(
  { throttle, clock, metrics, connection }: RequestContext,
  request: ApiRequest,
): Promise<void> {
  const waitMs = throttle.reserve(clock.monotonic());
  metrics.throttled.observe({ verb: request.method, host: connection.server.host }, waitMs / 1000);
  if (waitMs > 0) await sleep(clock, waitMs, request.signal);
  if (!request.signal?.aborted) return;
  throttle.release();
  throw request.signal.reason;
}

async function once<A extends Answered>(
  context: RequestContext,
  request: ApiRequest,
  attempt: Attempt<A>,
): Promise<{ answer: A } | { error: unknown }> {
  const { connection, clock } = context;
  const beganMs = clock.monotonic();
  const count = (code: string): void => measure(context, request, { code, tookMs: clock.monotonic() - beganMs });
  let sent = false;
  try {
    const exchange = await exchangeOf(context, request, () => {
      sent = true;
    });
    const result = await attempt(exchange);
    if ('answer' in result) {
      count(String(result.answer.statusCode));
      return result;
    }
    count(String(result.refusal.statusCode));
    if (result.refusal.statusCode === 401) connection.reload();
    return { error: result.refusal };
  } catch (error) {
    // What was refused here was no request.
    if (sent || error instanceof TransportError) count('<error>');
    return { error };
  }
}

async function exchangeOf(context: RequestContext, request: ApiRequest, onSend: () => void): Promise<Exchange> {
  const { connection, clock, userAgent } = context;
  const body = request.body === undefined ? undefined : JSON.stringify(request.body);
  const type: Record<string, string> =
    body === undefined ? {} : { 'content-type': request.contentType ?? 'application/json' };
  return {
    method: request.method,
    url: urlOf(connection.server, request),
    authorization: await connection.authorize(),
    headers: { accept: 'application/json', 'user-agent': userAgent, ...type },
    body,
    beforeSend: () => {
      if (request.method !== 'GET') context.guard();
      onSend();
    },
    signal: request.signal,
    timeoutMs: request.timeoutMs ?? context.timeoutMs,
    clock,
  };
}

function urlOf(server: URL, { path, query }: ApiRequest): URL {
  const url = new URL(server);
  url.pathname = `${server.pathname.replace(/\/$/, '')}${path}`;
  for (const [name, value] of Object.entries(query ?? {}))
    if (value !== undefined) url.searchParams.set(name, String(value));
  return url;
}

function refusalOf(exchange: Exchange, answer: TextAnswer): ApiError {
  return apiErrorOf({
    statusCode: answer.statusCode,
    body: answer.body,
    retryAfter: answer.headers['retry-after'],
    request: `${exchange.method} ${exchange.url.pathname}`,
  });
}

function measure(context: RequestContext, request: ApiRequest, result: { code: string; tookMs: number }): void {
  const { metrics, connection } = context;
  const { host } = connection.server;
  metrics.requests.inc({ code: result.code, method: request.method, host, resource: request.resource ?? '' });
  metrics.duration.observe({ verb: request.method, host }, result.tookMs / 1000);
}

/**
 * How long to wait before the request is sent again; undefined if it must not be.
 *
 * The server's own words decide: 429 and 5xx with `Retry-After` were not carried out. A refused token is read again
 * once. A lost connection leaves open what happened, so only what may be done twice is done again.
 */
function retryAfterMs(
  error: unknown,
  { context, request, failures }: { context: RequestContext; request: ApiRequest; failures: number },
): number | undefined {
  if (error instanceof TransportError)
    return request.repeatable === true && failures === 0 && isLostConnection(error) ? 0 : undefined;
  const { statusCode, retryAfterSeconds } = error as Partial<ApiError>;
  if (statusCode === 401) return failures === 0 ? 0 : undefined;
  if (statusCode === undefined || (statusCode !== 429 && statusCode < 500)) return undefined;
  if (retryAfterSeconds === undefined || retryAfterSeconds > LONGEST_WAIT_SECONDS) return undefined;
  return retryAfterSeconds * 1000 * (1 + 0.2 * context.random());
}

/** The server closed a kept-alive connection just as it was used. */
function isLostConnection({ code }: TransportError): boolean {
  return code === 'ECONNRESET' || code === 'EPIPE';
}
