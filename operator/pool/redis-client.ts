// SPDX-License-Identifier: Apache-2.0

// A connection to a pool's Redis, one server, Sentinel or Cluster, with what its Secrets hold at this moment. For one errand: it is never made anew by
// itself, and no command is sent twice. What is done with it is elsewhere.
import { isIP } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import { type RedisStore, SECRET_KEYS } from '@kmspool/crds';
import { Cluster, Redis, type RedisOptions } from 'ioredis';
import type { Secret } from './kinds.ts';

/** User and password, of Redis and of its Sentinels; what is absent is not sent. */
export interface RedisCredentials {
  readonly username?: string;
  readonly password?: string;
  readonly sentinelUsername?: string;
  readonly sentinelPassword?: string;
}

/** How TLS is spoken; certificates and key as PEM. */
export interface RedisTls {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly serverName?: string;
  readonly insecureSkipVerify?: boolean;
}

/** Where Redis is and how to be let in. */
export interface RedisWay {
  readonly redis: RedisStore;
  readonly credentials?: RedisCredentials | undefined;
  /** Undefined: no TLS, unless the URL says `rediss`. */
  readonly tls?: RedisTls | undefined;
}

export type RedisClient = Redis | Cluster;

const CONNECT_TIMEOUT_MS = 5_000;
const COMMAND_TIMEOUT_MS = 5_000;
const CONNECTION_NAME = 'kmspool-operator';

/** What the Secret of `credentialsSecretRef` holds, without a line break at the end. */
export function credentialsOf(secret: Secret): RedisCredentials {
  const { redisUsername, redisPassword, sentinelUsername, sentinelPassword } = SECRET_KEYS;
  return {
    ...entry('username', textOf(secret, redisUsername)),
    ...entry('password', textOf(secret, redisPassword)),
    ...entry('sentinelUsername', textOf(secret, sentinelUsername)),
    ...entry('sentinelPassword', textOf(secret, sentinelPassword)),
  };
}

/** The Secrets that `spec.store.redis.tls` names. */
export interface TlsSources {
  readonly redis: RedisStore;
  /** Of `caSecretRef`. */
  readonly authorities?: Secret | undefined;
  /** Of `clientCertificateSecretRef`. */
  readonly certificate?: Secret | undefined;
}

/** How TLS is to be spoken by `spec.store.redis.tls`; undefined when that is absent. */
export function tlsOf({ redis: { tls }, authorities, certificate }: TlsSources): RedisTls | undefined {
  if (tls === undefined) return undefined;
  const { certificateAuthorities, clientCertificate, clientKey } = SECRET_KEYS;
  return {
    ...entry('ca', textOf(authorities, certificateAuthorities)),
    ...entry('cert', textOf(certificate, clientCertificate)),
    ...entry('key', textOf(certificate, clientKey)),
    ...entry('serverName', tls.serverName),
    ...(tls.insecureSkipVerify && { insecureSkipVerify: true }),
  };
}

/** Where Redis is, for messages; it holds no secret. */
export function whereIs({ url, sentinel, cluster }: RedisStore): string {
  if (url !== undefined) return url;
  if (sentinel !== undefined) return `the master ${sentinel.name} of the Sentinels ${sentinel.addresses.join(', ')}`;
  return `the cluster of ${(cluster?.addresses ?? []).join(', ')}`;
}

/** Connects, calls `use` and lets go of the connection. Aborting the signal breaks off what is under way. */
export async function withRedis<T>(
  way: RedisWay,
  signal: AbortSignal,
  use: (client: RedisClient) => Promise<T>,
): Promise<T> {
  const client = createClient(way);
  let cause: Error | undefined;
  const note = (error: Error): void => {
    cause = error;
  };
  client.on('error', note);
  client.on('node error', note);
  const stop = (): void => client.disconnect();
  signal.addEventListener('abort', stop, { once: true });
  try {
    await connected(client);
    return await use(client);
  } catch (error) {
    // ioredis says "Connection is closed." of a connection that was never let in; the event before it says why.
    throw isBareClose(error) ? (cause ?? error) : error;
  } finally {
    signal.removeEventListener('abort', stop);
    client.disconnect();
  }
}

/** Also with a server that accepts the connection and then says nothing. */
async function connected(client: RedisClient): Promise<void> {
  const expired = Promise.withResolvers<never>();
  const timer = setTimeout(() => expired.reject(new Error('connecting timed out')), 2 * CONNECT_TIMEOUT_MS);
  try {
    await Promise.race([client.connect(), expired.promise]);
  } finally {
    clearTimeout(timer);
  }
}

function isBareClose(error: unknown): boolean {
  return error instanceof Error && /^(?:Connection is closed|None of startup nodes is available)/.test(error.message);
}

function createClient(way: RedisWay): RedisClient {
  const { url, sentinel, cluster } = way.redis;
  const common = commonOptions(way);
  if (url !== undefined) return new Redis(url, common);
  if (sentinel !== undefined) return new Redis({ ...common, ...sentinelOptions(sentinel, way) });
  const { enableOfflineQueue, retryStrategy, ...redisOptions } = common;
  return new Cluster((cluster?.addresses ?? []).map(hostAndPort), {
    lazyConnect: true,
    enableOfflineQueue: false,
    enableReadyCheck: false,
    clusterRetryStrategy: null,
    maxRedirections: 8,
    redisOptions,
  });
}

/** Reconnecting, queueing and resending are ioredis's defaults; an errand that fails is begun anew as a whole. */
function commonOptions({ redis, credentials = {}, tls }: RedisWay): RedisOptions {
  const options = tlsOptions(redis, tls);
  return {
    lazyConnect: true,
    protocol: 2,
    enableReadyCheck: false,
    disableClientInfo: true,
    connectionName: CONNECTION_NAME,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: null,
    retryStrategy: null,
    commandTimeout: COMMAND_TIMEOUT_MS,
    connectTimeout: CONNECT_TIMEOUT_MS,
    ...entry('username', credentials.username),
    ...entry('password', credentials.password),
    ...(options && { tls: options }),
  };
}

function sentinelOptions(
  sentinel: NonNullable<RedisStore['sentinel']>,
  { redis, credentials, tls }: RedisWay,
): RedisOptions {
  const options = tlsOptions(redis, tls);
  return {
    name: sentinel.name,
    sentinels: sentinel.addresses.map(hostAndPort),
    sentinelRetryStrategy: () => null,
    sentinelCommandTimeout: COMMAND_TIMEOUT_MS,
    ...entry('sentinelUsername', credentials?.sentinelUsername),
    ...entry('sentinelPassword', credentials?.sentinelPassword),
    ...(options && { enableTLSForSentinelMode: true, sentinelTLS: options }),
  };
}

function tlsOptions({ url }: RedisStore, tls: RedisTls | undefined): ConnectionOptions | undefined {
  if (tls === undefined && url?.startsWith('rediss://') !== true) return undefined;
  const { ca, cert, key, serverName, insecureSkipVerify } = tls ?? {};
  return {
    rejectUnauthorized: insecureSkipVerify !== true,
    ...entry('ca', ca),
    ...entry('cert', cert),
    ...entry('key', key),
    ...entry('servername', serverName ?? nameIn(url)),
  };
}

/** SNI carries names only, never addresses (RFC 6066 §3). */
function nameIn(url: string | undefined): string | undefined {
  if (url === undefined) return undefined;
  const host = new URL(url).hostname.replaceAll(/[[\]]/g, '');
  return isIP(host) === 0 ? host : undefined;
}

/** `host:port` or `[v6]:port`. */
function hostAndPort(address: string): { host: string; port: number } {
  const { hostname, port } = new URL(`tcp://${address}`);
  return { host: hostname.replaceAll(/[[\]]/g, ''), port: port === '' ? 6379 : Number(port) };
}

function textOf(secret: Secret | undefined, key: string): string | undefined {
  const base64 = secret?.data?.[key];
  return base64 === undefined
    ? undefined
    : Buffer.from(base64, 'base64')
        .toString('utf8')
        .replace(/\r?\n$/, '');
}

function entry<K extends string, V>(key: K, value: V | undefined): { [name in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { [name in K]: V });
}
