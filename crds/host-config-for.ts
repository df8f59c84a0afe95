// SPDX-License-Identifier: Apache-2.0

// From a pool to the HostConfig of one of its hosts. Pure: the operator and `kmsctl up` call it, and write the result.
import { HOST_CONFIG_KIND, type HostConfig, type HostRedisConfig, type HostStoreConfig } from './host-config.ts';
import { API_VERSION, type KmsHostPool, type PoolStore, type RedisStore } from './pool.ts';
import { RETENTION_DEFAULT } from './pool-store.ts';

/** What differs from the pool's own settings, such as the port of a host on a single machine. */
export type HostConfigOverrides = Partial<
  Pick<HostConfig, 'port' | 'advertisedPort' | 'allowedSources' | 'retention'>
> & {
  limits?: Partial<HostConfig['limits']>;
};

export type HostConfigSource = {
  pool: KmsHostPool;
  /** 0 … 99. */
  ordinal: number;
  /** UUID text; the host then refuses a key that gives another identity. */
  poolId?: string;
  /** Instead of `spec.store`; without either the store is memory. */
  store?: HostStoreConfig;
  overrides?: HostConfigOverrides;
};

/** The name of the n-th host of a pool. */
export function hostName(poolName: string, ordinal: number): string {
  return `${poolName}-${ordinal}`;
}

/** The configuration of one host of a pool. */
export function hostConfigFor({ pool, ordinal, poolId, store, overrides = {} }: HostConfigSource): HostConfig {
  const { spec, metadata } = pool;
  const { limits, ...replaced } = overrides;
  return {
    apiVersion: API_VERSION,
    kind: HOST_CONFIG_KIND,
    pool: { name: metadata.name, namespace: metadata.namespace ?? 'default' },
    host: { name: hostName(metadata.name, ordinal), ordinal },
    ...(poolId === undefined ? {} : { poolId: poolId.toLowerCase() }),
    port: spec.port,
    hostKeys: spec.hostKeys,
    activationIntervalMinutes: spec.activationIntervalMinutes,
    renewalIntervalMinutes: spec.renewalIntervalMinutes,
    store: store ?? storeOf(spec.store),
    retention: spec.store?.retention ?? RETENTION_DEFAULT,
    domains: spec.dns.domains.map(({ name }) => name),
    allowedSources: spec.access.allowedSources,
    ...replaced,
    limits: { ...spec.limits, ...limits },
  };
}

function storeOf(store: PoolStore | undefined): HostStoreConfig {
  if (store === undefined) return { kind: 'memory' };
  const { redis, onLoss, maxStaleSeconds } = store;
  return { kind: 'redis', ...topologyOf(redis), ...tlsOf(redis), onLoss, maxStaleSeconds };
}

function topologyOf({ url, sentinel, cluster }: RedisStore): Pick<HostRedisConfig, 'url' | 'sentinel' | 'cluster'> {
  if (url !== undefined) return { url };
  return sentinel === undefined ? { cluster } : { sentinel };
}

// Secrets stay out: the operator mounts them, and the host finds them as files.
function tlsOf({ tls }: RedisStore): Pick<HostRedisConfig, 'tls'> {
  if (tls === undefined) return {};
  const { serverName, insecureSkipVerify } = tls;
  return { tls: serverName === undefined ? { insecureSkipVerify } : { serverName, insecureSkipVerify } };
}
