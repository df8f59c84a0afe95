// SPDX-License-Identifier: Apache-2.0

// How a host is asked for its status, from inside the cluster or through the API server, and what its answer means. Nothing here knows when.
import { request } from 'node:http';
import { isIPv6 } from 'node:net';
import { HOST_HTTP_PORT, HOST_STATUS_KIND, hostStatusSchema } from '@kmspool/crds';
import type { PollResult } from '../metrics.ts';
import { ApiError, type Client } from '../runtime/index.ts';
import type { PollTarget } from './host-schedule.ts';
import type { HostAnswer } from './world.ts';

/** A status is about 2 KiB; who sends more than this is no host of ours. */
export const MAX_STATUS_BYTES = 256 * 1024;

/** An HTTP answer. */
export interface HostReply {
  readonly status: number;
  readonly body: string;
}

/** Asks one host for `GET /status`. It throws when there is no answer, and ends when the signal is aborted. */
export type Ask = (target: PollTarget, signal: AbortSignal) => Promise<HostReply>;

/** What came of a question: an answer, or why there is none. */
export type Outcome =
  | { readonly result: 'answered'; readonly answer: HostAnswer }
  | { readonly result: Exclude<PollResult, 'answered'>; readonly error: string };

/**
 * Asks at the Pod's own address. A connection is made for each question: each host is asked a few times a minute at most, and one that stays open would keep
 * a host from ending.
 */
export function directAsk(port: number = HOST_HTTP_PORT): Ask {
  return ({ address }, signal) =>
    new Promise((resolve, reject) => {
      const url = `http://${isIPv6(address) ? `[${address}]` : address}:${port}/status`;
      const asked = request(url, { agent: false, signal, headers: { accept: 'application/json' } }, (response) => {
        const chunks: Buffer[] = [];
        let bytes = 0;
        response.on('data', (chunk: Buffer) => {
          chunks.push(chunk);
          bytes += chunk.length;
          if (bytes > MAX_STATUS_BYTES) response.destroy(new Error(TOO_LONG));
        });
        response.on('error', reject);
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') }),
        );
      });
      asked.on('error', reject);
      asked.end();
    });
}

/** Asks through the API server's proxy of Pods (RBAC: get on pods/proxy). Give it a client whose throttle the work does not share. */
export function proxyAsk(client: Client, port: number = HOST_HTTP_PORT): Ask {
  return async ({ namespace, podName }, signal) => {
    const pod = `${encodeURIComponent(podName)}:${port}`;
    const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${pod}/proxy/status`;
    try {
      const said: unknown = await client.request({ method: 'GET', path, signal, resource: 'pods/proxy' });
      const body = JSON.stringify(said) ?? '';
      if (body.length > MAX_STATUS_BYTES) throw new Error(TOO_LONG);
      return { status: 200, body };
    } catch (error) {
      if (error instanceof SyntaxError) return { status: 200, body: '' };
      if (error instanceof ApiError && error.reason === '') return { status: error.statusCode, body: '' };
      throw error;
    }
  };
}

const TOO_LONG = `it answers with more than ${MAX_STATUS_BYTES / 1024} KiB, which no host does`;

// A host may be older or newer than the operator: only what is used here has to be as known.
const knownPart = hostStatusSchema.pick({
  kind: true,
  version: true,
  pool: true,
  host: true,
  poolId: true,
  configHash: true,
  ready: true,
  reasons: true,
  store: true,
  counts: true,
});

/** Whose answer it has to be. */
export interface Expected {
  readonly target: PollTarget;
  /** Name of the pool; its namespace is the Pod's. */
  readonly pool: string;
  /** Undefined while the pool has none. */
  readonly poolId: string | undefined;
}

/** Reads what a host answered. */
export function readReply({ status, body }: HostReply, expected: Expected): Outcome {
  const { address } = expected.target;
  if (status !== 200) return { result: 'invalid', error: `${address} answers /status with HTTP ${status}` };
  const parsed = knownPart.safeParse(parseJson(body));
  if (!parsed.success) {
    const [field] = parsed.error.issues.map(({ path }) => path.join('.'));
    const what = field === undefined || field === '' ? `no ${HOST_STATUS_KIND}` : `${field} is missing or not as known`;
    return { result: 'invalid', error: `${address} answers /status with something else: ${what}` };
  }
  const foreign = foreignness(parsed.data, expected);
  if (foreign !== undefined) return { result: 'foreign', error: `another host answers at ${address}: ${foreign}` };
  const { configHash, poolId, version, ready, reasons, store, counts } = parsed.data;
  return {
    result: 'answered',
    answer: {
      configHash,
      poolId,
      version,
      ready,
      reasons,
      storeKind: store.kind,
      storeState: store.state,
      ...(store.lastError !== undefined && { storeError: store.lastError }),
      counts: counts.map(({ application, current, cap, thresholds }) => ({
        application,
        current,
        cap,
        thresholds: thresholds.map(({ name, required, met }) => ({ name, required, met })),
      })),
    },
  };
}

function foreignness(
  said: { pool: { name: string; namespace: string }; host: { name: string }; poolId: string },
  { target, pool, poolId }: Expected,
): string | undefined {
  const its = `${said.pool.namespace}/${said.pool.name}`;
  if (its !== `${target.namespace}/${pool}`) return `it is of pool ${its}`;
  if (said.host.name !== target.name) return `it is ${said.host.name}, not ${target.name}`;
  if (poolId !== undefined && said.poolId !== poolId) return `its pool has the identity ${said.poolId}, not ${poolId}`;
  return undefined;
}

/** What a question that got no answer is reported as: one line without what changes from time to time, for it reaches the status. */
export function readFailure(error: unknown, { address }: PollTarget): Outcome {
  const { code, message } = error as { readonly code?: unknown; readonly message?: unknown };
  const why = error instanceof ApiError ? `the API server says: ${message}` : String(code ?? message ?? error);
  // Go names the port that it happened to call from.
  const lasting = why.replaceAll(/\S+:\d+->/g, '').replaceAll(/\s+/g, ' ');
  return { result: 'unreachable', error: `${address} cannot be asked: ${lasting.slice(0, 300)}` };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
