// SPDX-License-Identifier: Apache-2.0

// One HTTP exchange with the API server, over node:http(s) with kept-alive connections: no retry, no meaning of status
// codes. A request is written only once its connection stands and the last check has passed, so that nothing waits in a
// socket's buffer while the world changes.
import { type ClientRequest, request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Socket } from 'node:net';
import { type Clock, linkAbort } from './clock.ts';
import { type Authorization, dropIdleConnections } from './connection.ts';
import { TransportError } from './errors.ts';

/** One request, complete. */
export interface Exchange {
  readonly method: string;
  readonly url: URL;
  readonly authorization: Authorization;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
  /** Called in the same turn in which the request is written; what it throws, the exchange throws, and nothing is sent. */
  readonly beforeSend: () => void;
  readonly signal: AbortSignal | undefined;
  /** Until the headers of the answer are there (and, for `exchangeText`, its body). */
  readonly timeoutMs: number;
  readonly clock: Clock;
}

/** Status and body of an answer. */
export interface TextAnswer {
  readonly statusCode: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** A streamed answer. `close` ends it early, for the reader with the reason given; it must be called when the reader leaves before the end. */
export interface StreamAnswer {
  readonly statusCode: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: AsyncIterable<Uint8Array>;
  close(reason?: Error): void;
}

/**
 * Sends and reads the whole answer.
 *
 * @throws TransportError when none came, or not in time; the signal's reason when it was aborted; what `beforeSend` throws.
 */
export async function exchangeText(exchange: Exchange): Promise<TextAnswer> {
  const link = linkAbort(exchange.signal);
  const cancel = limitTime(exchange, link.abort);
  try {
    const response = await send(exchange, link.signal);
    const body = await readAll(response);
    return { statusCode: response.statusCode ?? 0, headers: response.headers, body };
  } catch (error) {
    throw asTransportError(error, link.signal, exchange);
  } finally {
    cancel();
    link.release();
  }
}

/** Sends and leaves the body to be read; the time limit ends with the headers. @throws as {@link exchangeText}. */
export async function exchangeStream(exchange: Exchange): Promise<StreamAnswer> {
  const link = linkAbort(exchange.signal);
  const cancel = limitTime(exchange, link.abort);
  try {
    const response = await send(exchange, link.signal);
    return {
      statusCode: response.statusCode ?? 0,
      headers: response.headers,
      body: readStream({ response, signal: link.signal, exchange }),
      close: (reason) => {
        link.release();
        if (reason !== undefined) link.abort(reason);
        response.destroy();
      },
    };
  } catch (error) {
    link.release();
    throw asTransportError(error, link.signal, exchange);
  } finally {
    cancel();
  }
}

function limitTime(exchange: Exchange, abort: (reason: Error) => void): () => void {
  return exchange.clock.after(exchange.timeoutMs, () => {
    // The network may have swallowed the other connections too: start afresh.
    dropIdleConnections(exchange.authorization.agent);
    abort(new TransportError(`${describe(exchange)}: no answer within ${exchange.timeoutMs} ms`, 'TIMEOUT'));
  });
}

function send(exchange: Exchange, signal: AbortSignal): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const request = open(exchange);
    const stop = (): void => {
      request.destroy(signal.reason);
    };
    signal.addEventListener('abort', stop, { once: true });
    request.once('close', () => signal.removeEventListener('abort', stop));
    // For good, not once: an error after the answer has come would else end the process.
    request.on('error', reject);
    request.once('response', resolve);
    request.once('socket', (socket) => whenConnected(socket, () => finish(request, exchange)));
  });
}

function open({ method, url, authorization, headers, body }: Exchange): ClientRequest {
  const length: Record<string, number> = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) };
  const options: RequestOptions = {
    method,
    agent: authorization.agent,
    headers: { ...headers, ...authorization.headers, ...length },
  };
  return url.protocol === 'https:' ? httpsRequest(url, options) : httpRequest(url, options);
}

/** A TLS socket is of use only after its handshake; `connect` comes before that. Node's types leave the flag out. */
function whenConnected(socket: Socket & { secureConnecting?: boolean }, ready: () => void): void {
  if (socket.secureConnecting === true) socket.once('secureConnect', ready);
  else if (socket.connecting) socket.once('connect', ready);
  else ready();
}

function finish(request: ClientRequest, exchange: Exchange): void {
  if (request.destroyed) return;
  try {
    exchange.beforeSend();
  } catch (error) {
    request.destroy(error as Error);
    return;
  }
  request.end(exchange.body);
}

async function readAll(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

async function* readStream(stream: {
  response: IncomingMessage;
  signal: AbortSignal;
  exchange: Exchange;
}): AsyncGenerator<Uint8Array, void, void> {
  const { response, signal, exchange } = stream;
  const stop = (): void => {
    response.destroy(signal.reason);
  };
  signal.addEventListener('abort', stop, { once: true });
  try {
    if (signal.aborted) stop();
    for await (const chunk of response) yield chunk as Buffer;
  } catch (error) {
    throw asTransportError(error, signal, exchange);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

function asTransportError(error: unknown, signal: AbortSignal, exchange: Exchange): unknown {
  if (signal.aborted) return signal.reason;
  const { code } = error as NodeJS.ErrnoException;
  if (error instanceof Error && code !== undefined)
    return new TransportError(`${describe(exchange)}: ${error.message || code}`, code, error);
  return error;
}

function describe({ method, url }: Exchange): string {
  return `${method} ${url.origin}${url.pathname}`;
}
