// SPDX-License-Identifier: Apache-2.0
/** A pool on some Redis as the store contract wants it. */
import type { RedisTarget } from '../../kms-node/store/redis-client.ts';
import { redisPool } from '../harness/redis-pool.ts';
import { DEFAULT_SETTINGS, type PoolUnderTest } from './store-contract.ts';

export function redisPoolUnderTest(target: RedisTarget): PoolUnderTest {
  const pool = redisPool(target);
  return {
    host: (settings) => pool.host(settings ? { settings: { ...DEFAULT_SETTINGS, ...settings } } : {}),
    async recordAgo(fields, agoMs) {
      await pool.merge([{ fields, atMs: Date.now() - agoMs }]);
    },
    close: () => pool.close(),
  };
}
