// SPDX-License-Identifier: Apache-2.0
//
// The URL of `--redis`: what a host's configuration may say of it, the credentials apart, and whether anything is there.

import { connect } from 'node:net';
import { REDIS_URL, UserError } from '@kmspool/crds';
import { codeOf } from './pool-file.ts';

const REDIS_PORT = 6379;
const CONNECT_MS = 3_000;

export interface RedisTarget {
  /** Without credentials. */
  readonly url: string;
  readonly username?: string;
  readonly password?: string;
}

/** Takes `redis[s]://[[user]:password@]host[:port][/database]` apart. Throws a UserError that does not repeat the password. */
export function parseRedisUrl(text: string): RedisTarget {
  const found = /^(rediss?:\/\/)(?:([^@/]*)@)?([^@]+)$/.exec(text);
  const url = found === null ? '' : `${found[1] ?? ''}${found[3] ?? ''}`;
  if (!REDIS_URL.test(url)) {
    throw new UserError(
      '--redis: write redis://host:port/database, with redis://user:password@host if Redis asks for them, or rediss://… for TLS',
    );
  }
  const credentials = found?.[2];
  if (credentials === undefined) return { url };
  const [username = '', ...rest] = credentials.split(':');
  const password = rest.join(':');
  if (password === '') throw new UserError('--redis: a user without a password; write redis://user:password@host');
  return { url, password: decode(password), ...(username !== '' && { username: decode(username) }) };
}

/** Throws a UserError when nothing takes a connection there: better said at once than by every host for itself. */
export function checkReachable({ url }: RedisTarget): Promise<void> {
  const { hostname, port } = new URL(url);
  const host = hostname.replace(/^\[|\]$/g, '');
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port: port === '' ? REDIS_PORT : Number(port), timeout: CONNECT_MS });
    const refuse = (why: string): void => {
      socket.destroy();
      reject(
        new UserError(`--redis: ${url} does not take a connection (${why}); start Redis there, or correct the URL`),
      );
    };
    socket.once('connect', () => {
      socket.destroy();
      resolve();
    });
    socket.once('error', (error) => refuse(codeOf(error)));
    socket.once('timeout', () => refuse(`no answer within ${CONNECT_MS / 1000} s`));
  });
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new UserError('--redis: the credentials are not percent-encoded as in a URL; write % as %25');
  }
}
