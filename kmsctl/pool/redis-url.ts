// SPDX-License-Identifier: Apache-2.0
//
// The URL of `--redis`: what a host's configuration may say of it, and the credentials apart.

import { REDIS_URL, UserError } from '@kmspool/crds';

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

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new UserError('--redis: the credentials are not percent-encoded as in a URL; write % as %25');
  }
}
