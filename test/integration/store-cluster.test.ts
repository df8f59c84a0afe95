// SPDX-License-Identifier: Apache-2.0
/** The store contract on a real three-node Redis Cluster, and a pool's slot that changes its master. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { CmidStore } from '../../kms-node/store/store.ts';
import { clientsOf, range } from '../harness/contacts.ts';
import { missingBinary, startRedisCluster } from '../harness/redis.ts';
import { redisPool } from '../harness/redis-pool.ts';
import { runLoad } from '../harness/store-load.ts';
import { waitFor } from '../harness/wait.ts';
import { redisPoolUnderTest } from './redis-pool-under-test.ts';
import { storeContract } from './store-contract.ts';

const skip = missingBinary('redis-server');

storeContract({
  name: 'a Redis Cluster of three nodes',
  skip,
  persistent: true,
  async start() {
    const cluster = await startRedisCluster();
    return {
      newPool: () => redisPoolUnderTest({ cluster: { addresses: cluster.addresses } }),
      stop: () => cluster.stop(),
    };
  },
});

describe('a Redis Cluster with replicas', { skip }, () => {
  test("the master of the pool's slot is killed under load: nobody is refused, totals and table are exact after it", async () => {
    const cluster = await startRedisCluster({ replicas: true });
    const pool = redisPool({ cluster: { addresses: cluster.addresses } });
    try {
      const stores = await Promise.all(range(1, 2).map(() => pool.host()));
      const slot = Number(await cluster.nodes[0]?.client.cluster('KEYSLOT', `{${pool.poolId}}`));
      const owner = cluster.nodes[Math.min(2, Math.floor((slot * 3) / 16384))];
      assert.ok(owner && (await owner.client.dbsize()) >= 0);
      let killed = false;
      const { counts, refused } = await runLoad(stores, {
        requests: 3000,
        clients: 40,
        parallel: 30,
        before: async (request) => {
          if (request === 1000) {
            await owner.kill();
            killed = true;
          }
          if (killed) await delay(25);
        },
      });
      assert.equal(refused, 0);
      assert.equal(Math.max(...counts), 40);
      const exact = (store: CmidStore): boolean =>
        store.health().condition === 'Available' && store.snapshot().totals.total === 3000;
      await waitFor('exact totals', () => stores.every(exact), 20_000).catch((error: Error) => {
        const seen = stores.map((store) => `${store.snapshot().totals.total} ${JSON.stringify(store.health())}`);
        throw new Error(`${error.message}: ${seen.join('; ')}`);
      });
      for (const store of stores) assert.deepEqual(clientsOf(store), range(1, 40));
      assert.ok(stores.every((store) => store.stats().reconnects > 0 || store.stats().failures > 0));
    } finally {
      await pool.close();
      await cluster.stop();
    }
  });
});
