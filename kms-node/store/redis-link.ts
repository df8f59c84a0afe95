// SPDX-License-Identifier: Apache-2.0
/**
 * The way to Redis: at most one client, connected and found fit, or none. Who uses it decides when to open it again. Not here: what is sent, what a failure means to counting.
 */

import { createHash } from 'node:crypto';
import { Cluster } from 'ioredis';
import { RECORD_SCRIPT } from './record-script.ts';
import { finalError, judgeServer, oneLine } from './redis-checks.ts';
import { createRedisClient, type RedisClient, type RedisClientOptions } from './redis-client.ts';
import { StoreUnavailableError, StoreUnusableError } from './store.ts';

/** Counts contacts; see there. */
const RECORD_SCRIPT_SHA = createHash('sha1').update(RECORD_SCRIPT).digest('hex');

export interface RedisLinkOptions extends RedisClientOptions {
  /** KEYS of the script. */
  readonly keys: readonly string[];
  /** The connection in use is gone. */
  readonly onLost: (reason: string) => void;
}

export class RedisLink {
  readonly #options: RedisLinkOptions;
  #client: RedisClient | undefined;
  /** Connections that were opened. */
  connections = 0;
  /** Name and version of the server, once known. */
  server: string | undefined;

  constructor(options: RedisLinkOptions) {
    this.#options = options;
  }

  /**
   * Connects unless connected, and checks the server. Rejects with StoreUnusableError when trying again is of no use, with StoreUnavailableError
   * otherwise; after either there is no connection.
   */
  async open(): Promise<void> {
    try {
      this.#client ??= await this.#connect();
      await this.#check(this.#client);
    } catch (error) {
      this.drop();
      throw asStoreError(error);
    }
  }

  /** One call of the script, with two byte arguments; rejects when there is no answer within the command time-out. */
  async call(header: Buffer, records: Buffer): Promise<Buffer> {
    const client = this.#connected();
    const { keys } = this.#options;
    try {
      return asBuffer(await client.callBuffer('evalsha', RECORD_SCRIPT_SHA, keys.length, ...keys, header, records));
    } catch (error) {
      if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
      return asBuffer(await client.callBuffer('eval', RECORD_SCRIPT, keys.length, ...keys, header, records));
    }
  }

  /** For reading commands; rejects when there is no connection. */
  async read<T>(use: (client: RedisClient) => Promise<T>): Promise<T> {
    try {
      return await use(this.#connected());
    } catch (error) {
      throw new StoreUnavailableError(`the store cannot be read: ${reasonOf(error)}`);
    }
  }

  /** Lets go of the connection at once; what is in flight fails. */
  drop(): void {
    const client = this.#client;
    this.#client = undefined;
    client?.disconnect();
  }

  #connected(): RedisClient {
    if (this.#client === undefined) throw new StoreUnavailableError('not connected to Redis');
    return this.#client;
  }

  async #connect(): Promise<RedisClient> {
    const client = await createRedisClient(this.#options);
    let lastError: Error | undefined;
    const note = (error: Error): void => {
      lastError = error;
    };
    client.on('error', note);
    client.on('node error', note);
    client.on('close', () => this.#onClose(client, lastError));
    try {
      await withTimeout(client.connect(), 2 * this.#options.connectTimeoutMs);
    } catch (error) {
      client.disconnect();
      throw lastError ?? error;
    }
    this.connections += 1;
    return client;
  }

  #onClose(client: RedisClient, cause: Error | undefined): void {
    if (this.#client !== client) return;
    this.#client = undefined;
    client.disconnect();
    this.#options.onLost(cause === undefined ? 'the connection to Redis was closed' : reasonOf(cause));
  }

  /** All masters of a cluster that can be asked; the one with the pool's keys proves itself by answering the script. */
  async #check(client: RedisClient): Promise<void> {
    if (!(client instanceof Cluster)) return this.#checkNode(client);
    const results = await Promise.allSettled(client.nodes('master').map((node) => this.#checkNode(node)));
    const failures = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
    const unusable = failures.find((reason) => reason instanceof StoreUnusableError || isFinal(reason));
    if (unusable !== undefined) throw unusable;
    if (failures.length === results.length) throw failures[0] ?? new StoreUnavailableError('no master in the cluster');
  }

  async #checkNode(client: Pick<RedisClient, 'info' | 'role'>): Promise<void> {
    const [info, role] = await Promise.all([client.info(), client.role()]);
    const verdict = judgeServer({ info, role: String(role[0]), replicaIsFinal: 'url' in this.#options.target });
    if (verdict.kind === 'unusable') throw new StoreUnusableError(verdict.reason);
    if (verdict.kind === 'notNow') throw new StoreUnavailableError(verdict.reason);
    this.server = verdict.server;
  }
}

/** The error as callers tell them apart: unusable, or unavailable for now. */
export function asStoreError(error: unknown): StoreUnusableError | StoreUnavailableError {
  if (error instanceof StoreUnusableError || error instanceof StoreUnavailableError) return error;
  const reason = reasonOf(error);
  const final = finalError(reason);
  return final === undefined ? new StoreUnavailableError(reason) : new StoreUnusableError(final);
}

/** One line of an error; ioredis wraps the cause of a cluster's failure. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return oneLine(String(error));
  if ('lastNodeError' in error && error.lastNodeError instanceof Error) return oneLine(error.lastNodeError.message);
  return oneLine(error.message) || error.name;
}

function isFinal(error: unknown): boolean {
  return finalError(reasonOf(error)) !== undefined;
}

function asBuffer(reply: unknown): Buffer {
  if (!Buffer.isBuffer(reply)) throw new StoreUnavailableError('the script answered something else than bytes');
  return reply;
}

async function withTimeout<T>(promise: Promise<T>, timeoutMs: number): Promise<T> {
  const { promise: expired, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new StoreUnavailableError('connecting to Redis timed out')), timeoutMs);
  try {
    return await Promise.race([promise, expired]);
  } finally {
    clearTimeout(timer);
  }
}
