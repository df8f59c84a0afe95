// SPDX-License-Identifier: Apache-2.0
//
// One HTTP exchange with a host or an API server: over TCP, TLS or a tunnel, as the agent has it. JSON and tokens are the callers' business.

import { type Agent, request as httpRequest } from 'node:http';
import { request as httpsRequest, type RequestOptions } from 'node:https';
import { printable } from '../text/style.ts';

export interface HttpCall {
  readonly url: URL;
  readonly method?: 'GET' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** For the whole exchange. */
  readonly timeoutMs: number;
  readonly agent?: Agent | undefined;
  /** TLS facts, of an API server. */
  readonly tls?: RequestOptions;
}

export interface HttpAnswer {
  readonly status: number;
  readonly text: string;
  /** What the other side says the time is, to the second. */
  readonly dateMs?: number;
}

/** A page of a thousand clients is half a megabyte; what is longer than this is no answer to us. */
const MAX_ANSWER_BYTES = 64 * 1_048_576;

/** Resolves with whatever status came. @throws Error in few words when nothing came. */
export function httpCall(call: HttpCall): Promise<HttpAnswer> {
  const { url, method = 'GET', body, timeoutMs, agent, tls } = call;
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
  const headers = {
    ...call.headers,
    ...(body !== undefined && {
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(body)),
    }),
  };
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => request.destroy(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
    const fail = (error: Error): void => {
      clearTimeout(timer);
      reject(error);
    };
    const request = send(url, { ...tls, method, headers, agent: agent ?? false }, (response) => {
      const parts: Buffer[] = [];
      let bytes = 0;
      response.on('data', (part: Buffer) => {
        parts.push(part);
        bytes += part.length;
        if (bytes > MAX_ANSWER_BYTES) request.destroy(new Error('the answer does not end'));
      });
      response.once('end', () => {
        clearTimeout(timer);
        const dateMs = Date.parse(response.headers.date ?? '');
        const text = Buffer.concat(parts).toString('utf8');
        resolve({ status: response.statusCode ?? 0, text, ...(!Number.isNaN(dateMs) && { dateMs }) });
      });
      response.once('error', fail);
      response.once('aborted', () => fail(new Error('the connection was cut within the answer')));
    });
    request.once('error', fail);
    request.end(body);
  });
}

/** The first line of what went wrong; several addresses of one name fail as one. */
export function causeOf(error: unknown): string {
  const one = error instanceof AggregateError && error.errors[0] !== undefined ? error.errors[0] : error;
  const text = one instanceof Error ? one.message : String(one);
  return printable(text.trim().split('\n', 1)[0] ?? '');
}
