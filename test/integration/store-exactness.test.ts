// SPDX-License-Identifier: Apache-2.0
/**
 * Every contact is counted once, whatever happens on the way to Redis: connections cut at random moments, answers that come too late or never, a server
 * that forgets. Hosts stand behind proxies that misbehave; totals and table must be exact in the end.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { CmidStore } from '../../kms-node/store/store.ts';
import { ask, clientsOf, contactOf, range } from '../harness/contacts.ts';
import { type BadProxy, startProxy } from '../harness/proxy.ts';
import { missingBinary, type RedisServer, startRedis } from '../harness/redis.ts';
import { type HostOptions, type RedisPool, redisPool } from '../harness/redis-pool.ts';
import { runLoad } from '../harness/store-load.ts';
import { waitFor } from '../harness/wait.ts';

interface Fleet {
  readonly server: RedisServer;
  readonly pool: RedisPool;
  readonly proxies: readonly BadProxy[];
  readonly stores: readonly CmidStore[];
}

describe('a Redis store is exact', { skip: missingBinary('redis-server') }, () => {
  let server: RedisServer;
  before(async () => {
    server = await startRedis();
  });
  after(() => server?.stop());

  /** Three hosts, each behind a proxy of its own. */
  async function withFleet(use: (fleet: Fleet) => Promise<void>, options: HostOptions = {}): Promise<void> {
    const pool = redisPool({ url: server.url });
    const proxies = await Promise.all(range(1, 3).map(() => startProxy(server.port)));
    try {
      const stores = await Promise.all(proxies.map((proxy) => pool.host({ target: { url: proxy.url }, ...options })));
      await use({ server, pool, proxies, stores });
    } finally {
      await pool.close();
      await Promise.all(proxies.map((proxy) => proxy.stop()));
    }
  }

  /** All sent and acknowledged, and every host sees the same. */
  async function settled(stores: readonly CmidStore[], total: number): Promise<void> {
    const done = (store: CmidStore): boolean =>
      store.health().condition === 'Available' &&
      store.health().journal.pendingContacts === 0 &&
      store.snapshot().totals.total === total;
    await waitFor(`totals of ${total}`, () => stores.every(done), 15_000).catch((error: Error) => {
      const seen = stores.map((store) => `${store.snapshot().totals.total} ${JSON.stringify(store.stats())}`);
      throw new Error(`${error.message}: ${seen.join('; ')}`);
    });
  }

  test('three hosts, 200 callers, 40 clients, 20,000 requests: count 40 on every host, totals 20,000', async () => {
    await withFleet(async ({ stores }) => {
      const { counts, refused } = await runLoad(stores, { requests: 20_000, clients: 40, parallel: 200 });
      assert.equal(refused, 0);
      assert.equal(Math.max(...counts), 40);
      assert.equal(counts.length, 20_000);
      await settled(stores, 20_000);
      for (const store of stores) {
        assert.deepEqual(clientsOf(store), range(1, 40));
        assert.equal(store.stats().contactsResent, 0);
        assert.equal(store.stats().answeredFromCopy, 0);
      }
    });
  });

  test('connections cut at random moments lose no contact and count none twice', async () => {
    await withFleet(async ({ stores, proxies }) => {
      let cuts = 0;
      const { counts, refused } = await runLoad(stores, {
        requests: 20_000,
        clients: 40,
        parallel: 200,
        before: async (request) => {
          if (Math.random() > 0.002) return;
          cuts += 1;
          proxies[request % 3]?.cut();
          await delay(Math.random() * 60);
        },
      });
      assert.ok(cuts > 5);
      assert.equal(refused, 0);
      assert.ok(counts.every((count) => count >= 1 && count <= 40));
      await settled(stores, 20_000);
      for (const store of stores) assert.deepEqual(clientsOf(store), range(1, 40));
      assert.ok(stores.some((store) => store.stats().contactsResent > 0));
      assert.equal(
        stores.reduce((sum, store) => sum + store.stats().contactsLost, 0),
        0,
      );
    });
  });

  test('answers that come after the time-out, for calls that were executed, do not count twice', async () => {
    await withFleet(
      async ({ stores, proxies }) => {
        const { refused } = await runLoad(stores, {
          requests: 6000,
          clients: 40,
          parallel: 60,
          before: async (request) => {
            const proxy = proxies[request % 3];
            if (proxy === undefined || request % 1000 > 2) return;
            proxy.replyDelayMs = 90;
            setTimeout(() => {
              proxy.replyDelayMs = 0;
            }, 150);
            await delay(20);
          },
        });
        assert.equal(refused, 0);
        await settled(stores, 6000);
        assert.ok(stores.some((store) => store.stats().timeouts > 0));
        for (const store of stores) assert.deepEqual(clientsOf(store), range(1, 40));
      },
      { commandTimeoutMs: 60 },
    );
  });

  test('answers that never come: the contacts are counted once, clients are answered within the time-out', async () => {
    await withFleet(
      async ({ stores: [store], proxies: [proxy] }) => {
        assert.ok(store && proxy);
        assert.equal(await ask(store, { client: 1 }), 1);
        proxy.replyDelayMs = Number.POSITIVE_INFINITY;
        const asked = performance.now();
        assert.deepEqual(await Promise.all([ask(store, { client: 2 }), ask(store, { client: 3 })]), [2, 3]);
        assert.ok(performance.now() - asked < 500);
        assert.equal(store.health().condition, 'LastKnown');
        proxy.replyDelayMs = 0;
        await settled([store], 3);
        assert.deepEqual(clientsOf(store), [1, 2, 3]);
      },
      { commandTimeoutMs: 100 },
    );
  });

  test('a call that arrives after it was given up and sent again counts nothing', async () => {
    await withFleet(
      async ({ stores: [store], proxies: [proxy], pool }) => {
        assert.ok(store && proxy);
        await ask(store, { client: 1 });
        proxy.requestDelayMs = 400;
        const late = Promise.all(range(1, 10).map((client) => ask(store, { client })));
        await waitFor('the call to be on its way', () => store.stats().contactsSent === 11);
        proxy.requestDelayMs = 0;
        assert.deepEqual((await late).at(-1), 10);
        await settled([store], 11);
        await waitFor('the late connection to end', () => proxy.connections === 1);
        const witness = await pool.host();
        assert.equal(witness.snapshot().totals.total, 11);
        assert.ok(store.stats().contactsResent >= 10);
      },
      { commandTimeoutMs: 60 },
    );
  });

  test('a connection that stays open and mute is given up for a new one', async () => {
    await withFleet(async ({ stores: [store], proxies: [proxy] }) => {
      assert.ok(store && proxy);
      proxy.mute();
      assert.equal(await ask(store, { client: 1 }), 1);
      assert.equal(store.health().condition, 'LastKnown');
      await settled([store], 1);
      assert.equal(store.stats().reconnects, 1);
    });
  });

  test('a server that forgot everything gets back what the journal holds', async () => {
    await withFleet(async ({ stores, server }) => {
      await runLoad(stores, { requests: 3000, clients: 40, parallel: 30 });
      await settled(stores, 3000);
      await server.client.flushall();
      await waitFor('the hosts to notice', () => stores.every((store) => store.stats().gaps > 0));
      await settled(stores, 3000);
      for (const store of stores) {
        assert.deepEqual(clientsOf(store), range(1, 40));
      }
    });
  });

  test('a server that forgets under load gets back what the journal holds', async () => {
    await withFleet(async ({ stores, server }) => {
      const { refused } = await runLoad(stores, {
        requests: 9000,
        clients: 40,
        parallel: 60,
        before: async (request) => {
          if (request === 4000) await server.client.flushall();
        },
      });
      assert.equal(refused, 0);
      await settled(stores, 9000);
      for (const store of stores) assert.deepEqual(clientsOf(store), range(1, 40));
    });
  });

  test('S3-11 contacts made while Redis is away keep their own time', async () => {
    await withFleet(async ({ stores: [store], proxies: [proxy], pool }) => {
      assert.ok(store && proxy);
      await ask(store, { client: 1 });
      proxy.refusing = true;
      proxy.cut();
      await waitFor('the loss', () => store.health().condition === 'LastKnown');
      assert.equal(await ask(store, { client: 2 }), 2);
      const madeAt = store.nowMs();
      await delay(300);
      proxy.refusing = false;
      await waitFor('Redis', () => store.health().condition === 'Available');
      const other = await pool.host();
      const seenAt = other.snapshot().tables[0]?.entries.get('2'.padStart(32, '0')) ?? 0;
      assert.ok(Math.abs(seenAt - madeAt) < 150, `${seenAt - madeAt} ms`);
    });
  });

  test('what the journal no longer holds is reported, and the rest is counted', async () => {
    const warnings: string[] = [];
    const options = { journalBytes: 4096, log: { warn: (message: string) => void warnings.push(message) } };
    await withFleet(async ({ stores: [store], server }) => {
      assert.ok(store);
      for (const client of range(1, 200)) await ask(store, { client: 1 + (client % 40) });
      await settled([store], 200);
      await server.client.flushall();
      await waitFor('the loss to be seen', () => store.stats().contactsLost > 0);
      assert.match(warnings.join(), /the store lost \d+ contacts/);
      await settled([store], 200 - store.stats().contactsLost);
      assert.ok(await ask(store, { client: 1 }));
    }, options);
  });

  test('refused contacts that were sent late are in the totals once', async () => {
    await withFleet(async ({ stores: [store], proxies: [proxy] }) => {
      assert.ok(store && proxy);
      proxy.cut();
      for (const client of range(1, 100)) store.note(contactOf({ client, hresult: 0xc004f042 }));
      await settled([store], 100);
      assert.equal(store.snapshot().totals.failed, 100);
    });
  });
});
