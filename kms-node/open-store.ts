// SPDX-License-Identifier: Apache-2.0
/** The store that a HostConfig asks for. Secrets are no part of it: credentials and certificates come from directories, as Kubernetes mounts them. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type HostConfig, type HostRedisConfig, UserError } from '@kmspool/crds';
import type { Logger } from 'pino';
import { createMemoryStore } from './store/memory.ts';
import { createRedisStore } from './store/redis.ts';
import type { RedisTarget, RedisTls } from './store/redis-client.ts';
import type { CmidStore } from './store/store.ts';

export interface OpenStoreOptions {
  readonly config: HostConfig;
  /** UUID text: every key in Redis carries it. */
  readonly poolId: string;
  /** 32 hex digits: contacts are numbered within it, and `/status` shows the same. */
  readonly incarnation: string;
  readonly logger: Logger;
  /** Files `username` and `password`. */
  readonly credentialsDir?: string;
  /** Files `ca.crt`, and `tls.crt` with `tls.key` for a client certificate. */
  readonly tlsDir?: string;
}

/** Opens the store; await its `ready()`. Throws a {@link UserError} when the configuration does not say where Redis is. */
export function openStore(options: OpenStoreOptions): CmidStore {
  const { store, limits, retention, host } = options.config;
  const settings = { maxRequiredCount: limits.maxRequiredCount, retention };
  if (store.kind === 'memory') return createMemoryStore({ settings });
  const tls = redisTls(store, options.tlsDir);
  return createRedisStore({
    poolId: options.poolId,
    incarnation: Buffer.from(options.incarnation, 'hex'),
    target: redisTarget(store),
    settings,
    onLoss: store.onLoss,
    maxStaleSeconds: store.maxStaleSeconds,
    connectionName: `kmspool-${host.name}`,
    log: options.logger,
    ...(tls && { tls }),
    ...(options.credentialsDir !== undefined && { credentialsDirectory: options.credentialsDir }),
  });
}

function redisTarget({ url, sentinel, cluster }: HostRedisConfig): RedisTarget {
  if (url !== undefined) return { url };
  if (sentinel !== undefined) return { sentinel };
  if (cluster !== undefined) return { cluster };
  throw new UserError('store: the configuration does not say where Redis is; give one of url, sentinel, cluster');
}

/** TLS when the configuration asks for it or the URL says `rediss`; files that are not in the directory are not used. */
function redisTls({ tls, url }: HostRedisConfig, directory: string | undefined): RedisTls | undefined {
  if (tls === undefined && url?.startsWith('rediss://') !== true) return undefined;
  const file = (name: string): string | undefined => {
    const path = directory === undefined ? undefined : join(directory, name);
    return path !== undefined && existsSync(path) ? path : undefined;
  };
  const [caFile, certFile, keyFile] = [file('ca.crt'), file('tls.crt'), file('tls.key')];
  return {
    ...(caFile !== undefined && { caFile }),
    ...(certFile !== undefined && { certFile }),
    ...(keyFile !== undefined && { keyFile }),
    ...(tls?.serverName !== undefined && { serverName: tls.serverName }),
    ...(tls?.insecureSkipVerify === true && { insecureSkipVerify: true }),
  };
}
