// SPDX-License-Identifier: Apache-2.0
/**
 * The names of a pool's keys in Redis (docs/redis.md), and the forms that lists and scripts share. All carry one hash tag, so that they live on one node of a cluster.
 */
import { APPLICATIONS } from '@kmspool/kms/catalog';

/** Written into the pool's keys; another number means another layout. */
export const SCHEMA = '1';

export interface PoolKeyNames {
  /** Hash: schema, state (totals, high-water marks, membership version). */
  readonly meta: string;
  /** Hash: incarnation -> highest sequence number, last seen. */
  readonly incarnations: string;
  /** Hash: application and CMID -> latest contact; sorted set of the same members by time. */
  readonly clients: string;
  readonly clientTimes: string;
  /** Hash: application and CMID -> names; sorted set of the same members by time. */
  readonly names: string;
  readonly nameTimes: string;
  /** Stream of contacts. */
  readonly events: string;
  /** Sorted set CMID -> last seen, by application index. */
  readonly tables: readonly string[];
}

/** `poolId` is the pool's UUID text. */
export function poolKeyNames(poolId: string): PoolKeyNames {
  const prefix = `kmspool:{${poolId}}:`;
  return {
    meta: `${prefix}meta`,
    incarnations: `${prefix}inc`,
    clients: `${prefix}inv`,
    clientTimes: `${prefix}invz`,
    names: `${prefix}dup`,
    nameTimes: `${prefix}dupz`,
    events: `${prefix}ev`,
    tables: APPLICATIONS.map((application) => `${prefix}t:${application.index}`),
  };
}

/** In the order that `record.lua` expects. */
export function scriptKeys(names: PoolKeyNames): string[] {
  const { meta, incarnations, clients, clientTimes, events } = names;
  return [meta, incarnations, clients, clientTimes, names.names, names.nameTimes, events, ...names.tables];
}
