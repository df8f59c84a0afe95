// SPDX-License-Identifier: Apache-2.0
/**
 * An ioredis client for each way to reach Redis: one server, Sentinel, Cluster. Every client is made anew for every attempt to connect, with credentials
 * and certificates as they are on disk then; so ioredis neither reconnects nor repeats a command by itself. What is sent again, and when, only the
 * journal knows.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ConnectionOptions } from 'node:tls';
import { Cluster, type ClusterOptions, Redis, type RedisOptions } from 'ioredis';

/** Exactly one way, as `spec.store.redis` has it. Addresses are host:port, IPv6 in brackets. */
export type RedisTarget =
  | { readonly url: string }
  | { readonly sentinel: { readonly name: string; readonly addresses: readonly string[] } }
  | { readonly cluster: { readonly addresses: readonly string[] } };

export interface RedisTls {
  readonly caFile?: string;
  readonly certFile?: string;
  readonly keyFile?: string;
  readonly serverName?: string;
  readonly insecureSkipVerify?: boolean;
}

export interface RedisClientOptions {
  readonly target: RedisTarget;
  readonly tls?: RedisTls;
  /** Directory with the files password, and where needed username, sentinelUsername, sentinelPassword: a mounted Secret. */
  readonly credentialsDirectory?: string;
  readonly connectionName: string;
  readonly commandTimeoutMs: number;
  readonly connectTimeoutMs: number;
}

export type RedisClient = Redis | Cluster;

interface Credentials {
  readonly username?: string;
  readonly password?: string;
  readonly sentinelUsername?: string;
  readonly sentinelPassword?: string;
}

/** Reads credentials and certificates and makes a client that is not yet connected. Rejects when a named file cannot be read. */
export async function createRedisClient(options: RedisClientOptions): Promise<RedisClient> {
  const credentials = await readCredentials(options.credentialsDirectory);
  const tls = await readTls(options);
  const { target } = options;
  if ('cluster' in target) return clusterClient(target.cluster.addresses, commonOptions(options, { credentials, tls }));
  const common = commonOptions(options, { credentials, tls });
  if ('sentinel' in target) return new Redis({ ...common, ...sentinelOptions(target.sentinel, { credentials, tls }) });
  return new Redis(target.url, common);
}

interface Secrets {
  readonly credentials: Credentials;
  readonly tls: ConnectionOptions | undefined;
}

function commonOptions(options: RedisClientOptions, secrets: Secrets): RedisOptions {
  const { username, password } = secrets.credentials;
  return {
    lazyConnect: true,
    protocol: 2,
    enableReadyCheck: false,
    disableClientInfo: true,
    connectionName: options.connectionName,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: null,
    retryStrategy: null,
    reconnectOnError: (error) => error.message.startsWith('READONLY'),
    commandTimeout: options.commandTimeoutMs,
    connectTimeout: options.connectTimeoutMs,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(secrets.tls === undefined ? {} : { tls: secrets.tls }),
  };
}

function sentinelOptions(
  sentinel: { readonly name: string; readonly addresses: readonly string[] },
  secrets: Secrets,
): RedisOptions {
  const { sentinelUsername, sentinelPassword } = secrets.credentials;
  return {
    name: sentinel.name,
    sentinels: sentinel.addresses.map(hostAndPort),
    failoverDetector: true,
    sentinelRetryStrategy: () => null,
    sentinelCommandTimeout: 1000,
    ...(sentinelUsername === undefined ? {} : { sentinelUsername }),
    ...(sentinelPassword === undefined ? {} : { sentinelPassword }),
    ...(secrets.tls === undefined ? {} : { enableTLSForSentinelMode: true, sentinelTLS: secrets.tls }),
  };
}

/** Redirections within a cluster are ioredis's; the command time-out ends them. */
function clusterClient(addresses: readonly string[], common: RedisOptions): Cluster {
  const { lazyConnect, enableOfflineQueue, retryStrategy, ...redisOptions } = common;
  const options: ClusterOptions = {
    lazyConnect: true,
    enableOfflineQueue: false,
    enableReadyCheck: false,
    clusterRetryStrategy: null,
    maxRedirections: 4,
    retryDelayOnFailover: 50,
    retryDelayOnClusterDown: 50,
    slotsRefreshInterval: 2000,
    redisOptions,
  };
  return new Cluster(addresses.map(hostAndPort), options);
}

/** `host:port` or `[v6]:port`; the port may be missing. */
function hostAndPort(address: string): { host: string; port: number } {
  const url = new URL(`tcp://${address}`);
  return { host: url.hostname.replaceAll(/[[\]]/g, ''), port: url.port === '' ? 6379 : Number(url.port) };
}

async function readCredentials(directory: string | undefined): Promise<Credentials> {
  if (directory === undefined) return {};
  const [username, password, sentinelUsername, sentinelPassword] = await Promise.all(
    ['username', 'password', 'sentinelUsername', 'sentinelPassword'].map((name) => readIfThere(join(directory, name))),
  );
  return {
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(sentinelUsername === undefined ? {} : { sentinelUsername }),
    ...(sentinelPassword === undefined ? {} : { sentinelPassword }),
  };
}

/** A file's text without a final line break; undefined if there is no such file. */
async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return (await readFile(path, 'utf8')).replace(/\r?\n$/, '');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

async function readTls({ tls, target }: RedisClientOptions): Promise<ConnectionOptions | undefined> {
  if (tls === undefined) return undefined;
  const read = async (path: string | undefined): Promise<string | undefined> =>
    path === undefined ? undefined : await readFile(path, 'utf8');
  const [ca, cert, key] = await Promise.all([read(tls.caFile), read(tls.certFile), read(tls.keyFile)]);
  const servername = tls.serverName ?? ('url' in target ? serverNameOf(target.url) : undefined);
  return {
    rejectUnauthorized: tls.insecureSkipVerify !== true,
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(servername === undefined ? {} : { servername }),
  };
}

/** SNI carries names only, never addresses (RFC 6066 §3). */
function serverNameOf(url: string): string | undefined {
  const { hostname } = new URL(url);
  return /^[\d.]+$|^\[/.test(hostname) ? undefined : hostname;
}
