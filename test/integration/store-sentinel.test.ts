// SPDX-License-Identifier: Apache-2.0
/** The store contract on a real Sentinel group, and what happens to the count when its master is killed. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { CmidStore } from '../../kms-node/store/store.ts';
import { ask, clientsOf, contactOf, range } from '../harness/contacts.ts';
import { missingBinary, type SentinelGroup, startSentinelGroup } from '../harness/redis.ts';
import { type HostOptions, redisPool } from '../harness/redis-pool.ts';
import { runLoad } from '../harness/store-load.ts';
import { waitFor } from '../harness/wait.ts';
import { redisPoolUnderTest } from './redis-pool-under-test.ts';
import { storeContract } from './store-contract.ts';

const skip = missingBinary('redis-server') || missingBinary('redis-sentinel');

function targetOf(group: SentinelGroup): { sentinel: { name: string; addresses: readonly string[] } } {
  return { sentinel: { name: group.name, addresses: group.addresses } };
}

storeContract({
  name: 'a Sentinel group',
  skip,
  persistent: true,
  async start() {
    const group = await startSentinelGroup();
    return { newPool: () => redisPoolUnderTest(targetOf(group)), stop: () => group.stop() };
  },
});

describe('a Sentinel group loses its master', { skip, concurrency: true }, () => {
  async function withGroup(
    use: (group: SentinelGroup, stores: readonly CmidStore[]) => Promise<void>,
    options: HostOptions = {},
  ): Promise<void> {
    const group = await startSentinelGroup();
    const pool = redisPool(targetOf(group));
    try {
      const stores = await Promise.all(range(1, 3).map(() => pool.host(options)));
      await use(group, stores);
    } finally {
      await pool.close();
      await group.stop();
    }
  }

  async function exactly(stores: readonly CmidStore[], want: { total: number; clients: number }): Promise<void> {
    await waitFor('all hosts to be back', () => stores.every(back), 20_000);
    const totals = (): number[] => stores.map((store) => store.snapshot().totals.total);
    await waitFor('exact totals', () => totals().every((total) => total === want.total), 5000).catch((error: Error) => {
      throw new Error(`${error.message} ${want.total}, but ${totals()}`);
    });
    for (const store of stores) assert.deepEqual(clientsOf(store), range(1, want.clients));
  }

  const back = (store: CmidStore): boolean =>
    store.health().condition === 'Available' && store.health().journal.pendingContacts === 0;

  test('LastKnown: every client is answered between the count at the loss and the true one, and totals and table are exact after it', async () => {
    await withGroup(async (group, stores) => {
      await runLoad(stores, { requests: 1000, clients: 40, parallel: 30 });
      const killed = new AbortController();
      const { counts, refused } = await runLoad(stores, {
        requests: 6000,
        clients: 45,
        parallel: 60,
        before: async (request) => {
          if (request === 1500) {
            await group.master.kill();
            killed.abort();
          }
          if (killed.signal.aborted) await delay(20);
        },
      });
      assert.equal(refused, 0);
      assert.ok(
        counts.every((count) => count >= 40 && count <= 45),
        `${Math.min(...counts)}…${Math.max(...counts)}`,
      );
      assert.ok(stores.every((store) => store.stats().answeredFromCopy > 0));
      await exactly(stores, { total: 7000, clients: 45 });
    });
  });

  test('writes that the master acknowledged and the replica never got are restored', async () => {
    await withGroup(async (group, stores) => {
      await runLoad(stores, { requests: 300, clients: 20, parallel: 10 });
      await group.stopReplication();
      await runLoad(stores, { requests: 900, clients: 40, parallel: 10 });
      for (const store of stores) assert.equal(store.health().journal.pendingContacts, 0);
      await group.master.kill();
      await exactly(stores, { total: 1200, clients: 40 });
      assert.ok(stores.some((store) => store.stats().gaps > 0));
    });
  });

  test('Refuse: clients are turned away until a new master answers, and nothing is counted twice', async () => {
    await withGroup(
      async (group, stores) => {
        let killed = false;
        const { counts, refused } = await runLoad(stores, {
          requests: 3000,
          clients: 40,
          parallel: 30,
          before: async (request) => {
            if (request === 900) {
              await group.master.kill();
              killed = true;
            }
            if (killed) await delay(20);
          },
        });
        assert.ok(refused > 0);
        await waitFor('all hosts to be back', () => stores.every(back), 20_000);
        const [store] = stores;
        assert.ok(store);
        assert.ok(await ask(store, { client: 1 }));
        const stats = stores.map((each) => each.stats());
        assert.equal(
          stats.reduce((sum, each) => sum + each.answeredFromCopy, 0),
          0,
        );
        await waitFor('the totals', () => store.snapshot().totals.total > counts.length);
        // A refused contact that was executed before the answer was lost may stay counted, once.
        const { total } = store.snapshot().totals;
        assert.ok(total <= counts.length + 1 + refused, `${total}`);
        store.note(contactOf({ client: 1, hresult: 0xc004f042 }));
        await waitFor('the totals', () => store.snapshot().totals.failed === 1);
      },
      { onLoss: 'Refuse' },
    );
  });
});
