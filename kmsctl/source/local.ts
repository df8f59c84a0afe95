// SPDX-License-Identifier: Apache-2.0
//
// A pool that `kmsctl up` runs on this machine, by its endpoints.json; and a single host by its URL.

import { readFileSync } from 'node:fs';
import { UserError } from '@kmspool/crds';
import type { Endpoints } from '../pool/endpoints.ts';
import { codeOf } from '../pool/pool-file.ts';
import { httpCall } from './http-call.ts';
import { type HostChannel, httpSource } from './http-source.ts';
import type { PoolSource } from './source.ts';

export interface LocalOptions {
  readonly timeoutMs: number;
  /** With the admin token of a host that is named by its URL. */
  readonly tokenFile?: string | undefined;
}

/** The pool of an endpoints.json that lies in `dir`. */
export function localSource(endpoints: Endpoints, dir: string, { timeoutMs }: LocalOptions): PoolSource {
  const { pool, hosts, dns, domains, adminTokenFile } = endpoints;
  return httpSource({
    kind: 'local',
    pool,
    where: `kmsctl up on this machine, ${dir}`,
    channels: hosts.map(({ name, address, port, http }) => ({ ...urlChannel(http, timeoutMs), name, address, port })),
    noHosts: 'the pool has no hosts',
    domains,
    nameServer: dns,
    token: async () => readToken(adminTokenFile),
  });
}

/** One host by the base URL of its HTTP interface; what needs the token needs `tokenFile`. */
export function urlSource(url: string, { timeoutMs, tokenFile }: LocalOptions): PoolSource {
  return httpSource({
    kind: 'url',
    pool: url,
    where: url,
    channels: [{ ...urlChannel(url, timeoutMs), name: url }],
    noHosts: 'no host answers',
    domains: undefined,
    token: async () => {
      if (tokenFile !== undefined) return readToken(tokenFile);
      throw new UserError('a host that is named by its URL needs --token-file for this; or name the pool instead');
    },
  });
}

function urlChannel(base: string, timeoutMs: number): Pick<HostChannel, 'shown' | 'call'> {
  return {
    shown: base,
    call: ({ path, method, token, body }) =>
      httpCall({
        url: new URL(`${base}${path}`),
        timeoutMs,
        ...(method && { method }),
        ...(body !== undefined && { body }),
        headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
      }),
  };
}

function readToken(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw new UserError(
      `the admin token ${file} cannot be read (${codeOf(error)}); give another one with --token-file`,
    );
  }
}
