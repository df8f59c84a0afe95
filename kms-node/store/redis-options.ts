// SPDX-License-Identifier: Apache-2.0
/** What a store on Redis is told when it is made. Types only. */
import type { LossPolicy } from '@kmspool/kms/host';
import type { RedisTarget, RedisTls } from './redis-client.ts';
import type { StoreSettings } from './store.ts';

export interface RedisStoreOptions extends LossPolicy {
  /** The pool's UUID: all keys carry it. */
  readonly poolId: string;
  readonly target: RedisTarget;
  readonly tls?: RedisTls;
  /** Directory with the files username, password, sentinelUsername, sentinelPassword, as far as needed. Read again at every connect. */
  readonly credentialsDirectory?: string;
  readonly settings: StoreSettings;
  /** 16 bytes that name this run of the process; random if absent. */
  readonly incarnation?: Buffer;
  /** Bytes for contacts on their way to Redis and the latest ones that arrived. */
  readonly journalBytes?: number;
  /** The longest that a client waits for Redis. */
  readonly commandTimeoutMs?: number;
  /** Shown by CLIENT LIST; without blanks. */
  readonly connectionName?: string;
  /** Told when contacts are lost to the store. */
  readonly log?: { warn(message: string): void };
  /** Grows evenly, in milliseconds; the process's own clock if absent. */
  readonly monotonicMs?: () => number;
}
