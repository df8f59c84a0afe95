// SPDX-License-Identifier: Apache-2.0
/** What hosts do while Redis is away, by policy: LastKnown and its bound, Refuse, a full journal, a start without Redis; and that they come back by themselves. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type CmidStore, StoreUnavailableError } from '../../kms-node/store/store.ts';
import { ask, clientsOf, contactOf, range } from '../harness/contacts.ts';
import { type BadProxy, startProxy } from '../harness/proxy.ts';
import { freePort, missingBinary, type RedisServer, startRedis } from '../harness/redis.ts';
import { type HostOptions, type RedisPool, redisPool } from '../harness/redis-pool.ts';
import { runLoad } from '../harness/store-load.ts';
import { waitFor } from '../harness/wait.ts';

interface Scene {
  readonly pool: RedisPool;
  readonly proxy: BadProxy;
  readonly store: CmidStore;
  /** Conditions as they were reported. */
  readonly conditions: readonly string[];
  lose(): Promise<void>;
  bringBack(): Promise<void>;
}

describe('a host without its Redis', { skip: missingBinary('redis-server') }, () => {
  let server: RedisServer;
  before(async () => {
    server = await startRedis();
  });
  after(() => server?.stop());

  /** A host that is ready, behind a proxy. */
  async function withHost(options: HostOptions, use: (scene: Scene) => Promise<void>): Promise<void> {
    const pool = redisPool({ url: server.url });
    const proxy = await startProxy(server.port);
    try {
      const store = pool.connect({ target: { url: proxy.url }, ...options });
      const conditions: string[] = [];
      store.onConditionChange((health) => conditions.push(health.condition));
      await store.ready();
      const lose = async (): Promise<void> => {
        proxy.refusing = true;
        proxy.cut();
        await waitFor('the loss', () => store.health().condition !== 'Available');
      };
      const bringBack = async (): Promise<void> => {
        proxy.refusing = false;
        await waitFor('Redis to be back', () => store.health().condition === 'Available');
      };
      await use({ pool, proxy, store, conditions, lose, bringBack });
    } finally {
      await pool.close();
      await proxy.stop();
    }
  }

  test('LastKnown answers at once from the copy and its own contacts, says so, and catches up', async () => {
    await withHost({}, async ({ store, conditions, lose, bringBack }) => {
      for (const client of range(1, 5)) await ask(store, { client });
      await lose();
      assert.equal(store.health().condition, 'LastKnown');
      assert.match(store.health().reason ?? '', /^answering from the last known table: /);
      assert.equal(await ask(store, { client: 3 }), 5);
      assert.equal(await ask(store, { client: 6 }), 6);
      assert.equal(await ask(store, { client: 1, application: 1, required: 5 }), 1);
      store.note(contactOf({ client: 9, hresult: 0xc004f042 }));
      assert.equal(store.health().journal.pendingContacts, 4);
      assert.equal(store.snapshot().totals.total, 9);
      assert.equal(store.snapshot().totals.failed, 1);
      assert.ok(store.health().staleSeconds > 0);
      await bringBack();
      assert.equal(await ask(store, { client: 7 }), 7);
      assert.equal(store.snapshot().totals.total, 10);
      assert.deepEqual(conditions, ['Available', 'LastKnown', 'Available']);
    });
  });

  test('other hosts learn what a host counted on its own copy', async () => {
    await withHost({}, async ({ pool, store, lose, bringBack }) => {
      const other = await pool.host();
      await ask(store, { client: 1 });
      await lose();
      assert.equal(await ask(store, { client: 2 }), 2);
      assert.equal(await ask(other, { client: 3 }), 2);
      await bringBack();
      assert.equal(await ask(store, { client: 1 }), 3);
      await waitFor('the other host to know', () => clientsOf(other).length === 3);
    });
  });

  test('S3-13 the copy keeps to the cap, and so does the merge', async () => {
    await withHost({}, async ({ store, lose, bringBack }) => {
      for (const client of range(1, 8)) await ask(store, { client, required: 5 });
      await lose();
      for (const client of range(9, 15)) {
        assert.equal(await ask(store, { client, required: 5 }), Math.min(client, 10));
      }
      await bringBack();
      await waitFor('the merge', () => clientsOf(store).join() === range(6, 15).join());
    });
  });

  test('Refuse turns clients away, counts none of them later, and comes back by itself', async () => {
    await withHost({ onLoss: 'Refuse' }, async ({ store, conditions, lose, bringBack }) => {
      await ask(store, { client: 1 });
      await lose();
      assert.equal(store.health().condition, 'Refusing');
      assert.match(store.health().reason ?? '', /onLoss: Refuse/);
      assert.equal(await ask(store, { client: 2 }), undefined);
      await bringBack();
      assert.equal(await ask(store, { client: 3 }), 2);
      assert.equal(store.snapshot().totals.total, 2);
      assert.deepEqual(conditions, ['Available', 'Refusing', 'Available']);
    });
  });

  test('Refuse: a client that waited in vain is not counted when its contact was not executed', async () => {
    await withHost({ onLoss: 'Refuse', commandTimeoutMs: 100 }, async ({ store, bringBack, proxy }) => {
      await ask(store, { client: 1 });
      server.freeze();
      try {
        // The first may be executed once the server goes on; the others were never sent.
        const answers = await Promise.all(range(2, 6).map((client) => ask(store, { client })));
        assert.deepEqual(
          answers,
          range(2, 6).map(() => undefined),
        );
        proxy.cut();
      } finally {
        server.thaw();
      }
      await bringBack();
      const count = await ask(store, { client: 1 });
      assert.ok(count === 1 || count === 6, `count ${count}`);
      const { total } = store.snapshot().totals;
      assert.ok(total === 2 || total === 7, `total ${total}`);
    });
  });

  test('Refuse: clients that waited for a call that never arrived are not counted when Redis is back', async () => {
    await withHost({ onLoss: 'Refuse', commandTimeoutMs: 100 }, async ({ store, proxy }) => {
      await ask(store, { client: 1 });
      proxy.swallowingRequests = true;
      const answers = await Promise.all(range(2, 6).map((client) => ask(store, { client })));
      assert.deepEqual(
        answers,
        range(2, 6).map(() => undefined),
      );
      proxy.swallowingRequests = false;
      await waitFor('Redis to be back', () => store.health().condition === 'Available');
      assert.equal(await ask(store, { client: 1 }), 1);
      assert.equal(store.snapshot().totals.total, 2);
      assert.deepEqual(clientsOf(store), [1]);
    });
  });

  test('after maxStaleSeconds LastKnown refuses, and comes back by itself', async () => {
    await withHost({ maxStaleSeconds: 1 }, async ({ store, conditions, lose, bringBack }) => {
      await ask(store, { client: 1 });
      await lose();
      assert.equal(await ask(store, { client: 2 }), 2);
      await waitFor('the bound', () => store.health().condition === 'Refusing', 3000);
      assert.ok(store.health().staleSeconds >= 1);
      assert.match(store.health().reason ?? '', /more than 1 s \(maxStaleSeconds\)/);
      assert.equal(await ask(store, { client: 3 }), undefined);
      await bringBack();
      assert.equal(await ask(store, { client: 2 }), 2);
      assert.equal(store.snapshot().totals.total, 3);
      // Between refusing and available again: the store answers, and is given what it lacks.
      assert.deepEqual(conditions, ['Available', 'LastKnown', 'Refusing', 'LastKnown', 'Available']);
    });
  });

  test('a full journal refuses, and what it holds is counted exactly', async () => {
    await withHost({ journalBytes: 4096 }, async ({ store, lose, bringBack }) => {
      await lose();
      const answers = await Promise.all(range(1, 60).map((client) => ask(store, { client })));
      const answered = answers.filter((count) => count !== undefined).length;
      assert.ok(answered > 10 && answered < 60);
      assert.match(store.health().reason ?? '', /journal is full/);
      await bringBack();
      assert.equal(store.snapshot().totals.total, answered);
      assert.deepEqual(clientsOf(store), range(1, answered));
    });
  });

  test('a host that starts without Redis is not ready and refuses, until Redis is there', async () => {
    const port = await freePort();
    const pool = redisPool({ url: `redis://127.0.0.1:${port}` });
    const store = pool.connect();
    const ready = store.ready();
    let late: RedisServer | undefined;
    try {
      await waitFor('the reason', () => /ECONNREFUSED/.test(store.health().reason ?? ''));
      assert.equal(store.health().condition, 'Starting');
      assert.equal(await ask(store, { client: 1 }), undefined);
      await assert.rejects(store.listClients({ limit: 1 }), StoreUnavailableError);
      late = await startRedis({ port });
      await ready;
      assert.equal(await ask(store, { client: 1 }), 1);
      assert.equal(store.snapshot().totals.total, 1);
    } finally {
      await pool.close();
      await late?.stop();
    }
  });

  test('Redis without memory for writes is a loss like any other', async () => {
    const small = await startRedis();
    const pool = redisPool({ url: small.url });
    try {
      const store = await pool.host();
      await ask(store, { client: 1 });
      await small.client.config('SET', 'maxmemory', '1mb');
      const { refused } = await runLoad([store], { requests: 200, clients: 40, parallel: 10 });
      assert.equal(refused, 0);
      assert.match(store.health().reason ?? '', /OOM/);
      await small.client.config('SET', 'maxmemory', '0');
      await waitFor('Redis to be back', () => store.health().condition === 'Available');
      assert.equal(store.snapshot().totals.total, 201);
    } finally {
      await pool.close();
      await small.stop();
    }
  });

  test('close sends what is pending', async () => {
    await withHost({}, async ({ pool, store }) => {
      for (const client of range(1, 30)) store.note(contactOf({ client, hresult: 0xc004f042 }));
      await store.close(2000);
      assert.equal(await ask(store, { client: 1 }), undefined);
      const next = await pool.host();
      assert.equal(next.snapshot().totals.total, 30);
    });
  });

  test('a restarted Redis without data gets the table back from its hosts', async () => {
    const mortal = await startRedis();
    const pool = redisPool({ url: mortal.url });
    let reborn: RedisServer | undefined;
    try {
      const stores = [await pool.host(), await pool.host()];
      await runLoad(stores, { requests: 400, clients: 30, parallel: 8 });
      await mortal.stop();
      reborn = await startRedis({ port: mortal.port });
      const back = (store: CmidStore): boolean =>
        store.health().condition === 'Available' && store.snapshot().totals.total === 400;
      await waitFor('both hosts', () => stores.every(back));
      for (const store of stores) assert.deepEqual(clientsOf(store), range(1, 30));
    } finally {
      await pool.close();
      await reborn?.stop();
    }
  });
});
