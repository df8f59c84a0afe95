// SPDX-License-Identifier: Apache-2.0
//
// Reads a pool that `kmsctl up` runs on this machine: HTTP with the admin token, and the pool's own name server.

import { readFileSync } from 'node:fs';
import { UserError } from '@kmspool/crds';
import { hostFqdn } from '@kmspool/kms/dns';
import { discoveryBy } from '../net/index.ts';
import type { Endpoints } from '../pool/endpoints.ts';
import { codeOf } from '../pool/pool-file.ts';
import type { PoolReader } from './gather.ts';
import type { DomainFacts } from './pool-facts.ts';

/** A reader of the pool of these endpoints. Throws a UserError if the admin token cannot be read. */
export function upReader(endpoints: Endpoints, timeoutMs: number): PoolReader {
  const token = readToken(endpoints.adminTokenFile);
  const urls = new Map(endpoints.hosts.map(({ name, http }) => [name, http]));
  const dns = discoveryBy(endpoints.dns, timeoutMs);
  return {
    pool: endpoints.pool,
    hosts: [...urls.keys()],
    get: (host, path) => get(`${urls.get(host) ?? ''}${path}`, token, timeoutMs),
    domains: (statuses) => {
      const namespace = statuses[0]?.pool.namespace ?? '';
      const [first = ''] = endpoints.domains;
      const desired = endpoints.hosts.map((_host, ordinal) => hostFqdn(endpoints.pool, ordinal, namespace, first));
      return Promise.all(
        endpoints.domains.map(async (domain): Promise<DomainFacts> => {
          const { records, reason } = await dns.srv(domain);
          const observed = records.map(({ target }) => target.toLowerCase().replace(/\.$/, ''));
          return { domain, desired: desired.map((name) => name.toLowerCase()), observed, reason };
        }),
      );
    },
  };
}

function readToken(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw new UserError(`--pool: the admin token ${file} cannot be read (${codeOf(error)})`);
  }
}

async function get(url: string, token: string, timeoutMs: number): Promise<string> {
  let answer: Response;
  try {
    const headers = { authorization: `Bearer ${token}`, connection: 'close' };
    answer = await fetch(url, { headers, signal: AbortSignal.timeout(timeoutMs) });
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    throw new UserError(`${url} does not answer (${cause instanceof Error ? cause.message : String(cause)})`);
  }
  if (!answer.ok) throw new UserError(`${url} answers ${answer.status}`);
  return answer.text();
}
