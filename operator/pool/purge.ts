// SPDX-License-Identifier: Apache-2.0

// Removes what a deleted pool leaves in Redis (`spec.store.onDelete: Purge`): every key with its prefix, and nothing else. Whether and when is decided elsewhere;
// its hosts must have ended, for they would write anew.
import { setTimeout as delay } from 'node:timers/promises';
import { APPLICATIONS } from '@kmspool/kms/catalog';
import { Cluster, type Redis } from 'ioredis';
import { type RedisClient, type RedisWay, whereIs, withRedis } from './redis-client.ts';

export { credentialsOf, type RedisCredentials, type RedisTls, type TlsSources, tlsOf } from './redis-client.ts';

/** What to remove, and where. */
export interface PurgeOptions extends RedisWay {
  /** Identity of the pool, UUID text. */
  readonly poolId: string;
  readonly signal: AbortSignal;
  /** For the whole purge; default 60 s. */
  readonly timeoutMs?: number;
}

/** Redis could not be cleaned, or not all of it; the message is one line with the remedy. Trying again does no harm. */
export class PurgeError extends Error {
  override readonly name = 'PurgeError';
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** Keys that a host is known to write (docs/redis.md). They go by name, which finds them also while a cluster moves their slot. */
const KNOWN_KEYS = [
  'meta',
  'inc',
  'inv',
  'invz',
  'dup',
  'dupz',
  'ev',
  ...APPLICATIONS.map(({ index }) => `t:${index}`),
];
/** How many keys the server looks at in one step of a scan, and so the most that go at once. */
const SCAN_COUNT = 1_000;
/** It is done when a whole pass finds nothing. */
const MAX_PASSES = 3;
/** Between passes: a host that still runs writes twice a second. */
const PAUSE_MS = 600;

/**
 * Deletes every key of the pool.
 *
 * @returns how many there were.
 * @throws PurgeError, or the signal's reason when it was aborted.
 */
export async function purgePool(options: PurgeOptions): Promise<{ deleted: number }> {
  const { poolId, signal, timeoutMs = 60_000, redis } = options;
  // The prefix becomes a pattern: nothing in it may be one.
  if (!UUID.test(poolId))
    throw new PurgeError(`the pool has no identity that names keys in Redis: ${JSON.stringify(poolId)}`);
  const limit = AbortSignal.timeout(timeoutMs);
  const either = AbortSignal.any([signal, limit]);
  try {
    either.throwIfAborted();
    return await withRedis(options, either, (client) => purge(client, poolId, either));
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    const why = limit.aborted
      ? `not done within ${timeoutMs / 1000} s; it goes on with the next attempt`
      : reasonOf(error);
    throw new PurgeError(`the keys of pool ${poolId} at ${whereIs(redis)}: ${why}`, { cause: error });
  }
}

async function purge(client: RedisClient, poolId: string, signal: AbortSignal): Promise<{ deleted: number }> {
  const prefix = `kmspool:{${poolId}}:`;
  let deleted = 0;
  for (let pass = 1; pass <= MAX_PASSES; pass += 1) {
    const known = await Promise.all(KNOWN_KEYS.map((name) => client.unlink(`${prefix}${name}`)));
    const swept = await sweep(client, { prefix, slot: slotOf(poolId), signal });
    const found = known.reduce((sum, one) => sum + one, swept);
    if (found === 0) return { deleted };
    deleted += found;
    await delay(PAUSE_MS, undefined, { signal });
  }
  throw new Error('keys come back while they are removed: a host of the pool still runs somewhere; stop it');
}

/** Removes what a scan of the server that holds the pool's keys shows; answers how many went. */
async function sweep(
  client: RedisClient,
  what: { prefix: string; slot: number; signal: AbortSignal },
): Promise<number> {
  const server = client instanceof Cluster ? ownerOf(client, what.slot) : client;
  let [cursor, deleted] = ['0', 0];
  do {
    what.signal.throwIfAborted();
    const [next, keys] = await server.scan(cursor, 'MATCH', `${what.prefix}*`, 'COUNT', SCAN_COUNT);
    // By the pattern they are ours; a server that takes patterns otherwise must not cost anybody a key.
    const ours = keys.filter((key) => key.startsWith(what.prefix));
    if (ours.length > 0) deleted += await client.unlink(ours);
    cursor = next;
  } while (cursor !== '0');
  return deleted;
}

/** The master of a slot. The commands before have followed its moves, so the client knows it. */
function ownerOf(cluster: Cluster, slot: number): Redis {
  const key = cluster.slots[slot]?.[0];
  const owner = cluster.nodes('master').find(({ options }) => `${options.host}:${options.port}` === key);
  if (owner === undefined)
    throw new Error(`no master of the cluster has slot ${slot} now; wait until the cluster is whole`);
  return owner;
}

/** Slot of a pool's keys in a Redis Cluster: CRC-16/XMODEM of the hash tag, modulo 16384 (Redis Cluster specification). */
export function slotOf(hashTag: string): number {
  let crc = 0;
  for (const byte of Buffer.from(hashTag, 'utf8')) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc & 0x8000) === 0 ? crc << 1 : (crc << 1) ^ 0x1021;
    crc &= 0xffff;
  }
  return crc % 16_384;
}

/** One line, with the remedy where there is a usual one. */
function reasonOf(error: unknown): string {
  const message = innermost(error).replaceAll(/\s+/g, ' ').trim();
  const [code = ''] = message.split(' ', 1);
  if (code === 'WRONGPASS' || message.startsWith('ERR invalid password'))
    return 'Redis refuses the password; correct username and password in the Secret of credentialsSecretRef';
  if (code === 'NOAUTH') return 'Redis asks for a password; name a Secret with it in credentialsSecretRef';
  if (code === 'NOPERM') return `Redis denies it (${message}); grant the user +scan +unlink on ~kmspool:* for a purge`;
  if (code === 'READONLY') return "the server is a replica; give the master's address, or its Sentinels";
  // What ioredis says of Sentinels and nodes of a cluster that it did not get through to.
  if (message.endsWith('Connection is closed.'))
    return 'no server there can be connected to; check addresses and network';
  return message;
}

/** ioredis wraps the cause of a cluster's failure. */
function innermost(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if ('lastNodeError' in error && error.lastNodeError instanceof Error) return error.lastNodeError.message;
  return error.message || error.name;
}
