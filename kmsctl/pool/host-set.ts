// SPDX-License-Identifier: Apache-2.0
//
// What `kmsctl up` needs of the hosts that it runs, whether they live in this process or in processes of their own.

import { type HostConfig, type HostStoreConfig, hostConfigFor, type KmsHostPool } from '@kmspool/crds';
import type { HostEndpoint } from './endpoints.ts';
import type { HostPlace } from './ports.ts';
import type { PoolState } from './state-dir.ts';

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface HostSet {
  readonly hosts: readonly HostEndpoint[];
  /** Drains all hosts. */
  stop(): Promise<void>;
  /** Ends all hosts at once. */
  kill(): void;
  /** The line that ended a host that cannot start, once there is one. */
  startFailure(): string | undefined;
}

export interface HostSetOptions {
  readonly pool: KmsHostPool;
  readonly poolId: string;
  readonly places: readonly HostPlace[];
  readonly state: PoolState;
  readonly logLevel: LogLevel;
  /** How long a stopping host may go on serving; the pool's own setting without it. */
  readonly drainSeconds?: number | undefined;
  /** Lines for the user, without a line end. */
  readonly report: (line: string) => void;
}

const LOOPBACK = ['127.0.0.0/8', '::1/128'] as const;

/** A host's configuration on this machine: the manifest's, with loopback let in and no limit per source, for all clients have one address. */
export function localHostConfig(options: HostSetOptions, place: HostPlace, store: HostStoreConfig): HostConfig {
  const { pool, poolId, drainSeconds } = options;
  const allowedSources = [...new Set([...pool.spec.access.allowedSources, ...LOOPBACK])];
  const limits = { connectionsPerSource: 0, ...(drainSeconds !== undefined && { drainSeconds }) };
  const overrides = { port: place.port, allowedSources, limits };
  return hostConfigFor({ pool, ordinal: place.ordinal, poolId, store, overrides });
}

/** Where a host answers. */
export function endpointOf(config: HostConfig, { address, port, httpPort }: HostPlace): HostEndpoint {
  return { name: config.host.name, address, port, http: `http://${address}:${httpPort}` };
}
