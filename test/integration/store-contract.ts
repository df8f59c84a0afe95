// SPDX-License-Identifier: Apache-2.0
/**
 * What every store must do, as tests that run on each: the counting rules, the totals, the inventory, duplicates and events (docs/protocol.md §4,
 * docs/requirements.md). Not here: what only a store over a network can get wrong (`store-exactness.test.ts`, `store-loss.test.ts`).
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { CMID_RETENTION_MS } from '@kmspool/kms/counting';
import type { CmidStore, StoreSettings } from '../../kms-node/store/store.ts';
import { ask, type ContactFields, clientsOf, contactOf, range } from '../harness/contacts.ts';
import { waitFor } from '../harness/wait.ts';
import { duplicateTests, eventTests, inventoryTests } from './store-contract-lists.ts';
import { mergeTests } from './store-contract-merge.ts';

/** One pool on the store under test. */
export interface PoolUnderTest {
  /** A host of the pool, ready to count; the first one's settings hold. */
  host(settings?: Partial<StoreSettings>): Promise<CmidStore>;
  /** Counts a contact as if it had come `agoMs` ago. */
  recordAgo(fields: ContactFields, agoMs: number): Promise<void>;
  close(): Promise<void>;
}

export interface StoreUnderTest {
  readonly name: string;
  readonly skip: string | false;
  readonly start: () => Promise<{ newPool(): PoolUnderTest; stop(): Promise<void> }>;
  /** The pool outlives its hosts. */
  readonly persistent: boolean;
}

export const DEFAULT_SETTINGS: StoreSettings = {
  maxRequiredCount: 25,
  retention: { clients: 100_000, events: 100_000 },
};

export type Use = (pool: PoolUnderTest) => Promise<void>;

/** Declares the contract's tests for one store. */
export function storeContract(under: StoreUnderTest): void {
  describe(`store contract on ${under.name}`, { skip: under.skip }, () => {
    let server: { newPool(): PoolUnderTest; stop(): Promise<void> };
    before(async () => {
      server = await under.start();
    });
    after(async () => {
      await server?.stop();
    });
    const check = (title: string, use: Use): void => {
      test(title, async () => {
        const pool = server.newPool();
        try {
          await use(pool);
        } finally {
          await pool.close();
        }
      });
    };
    countingTests(check);
    expiryTests(check);
    totalsTests(check, under.persistent);
    inventoryTests(check);
    eventTests(check);
    duplicateTests(check);
    mergeTests(check);
  });
}

export type Check = (title: string, use: Use) => void;

function countingTests(check: Check): void {
  check(
    'S3-09 the worked example: Windows 7, another one, a virtual machine, Server 2008 R2 count 1, 2, 3, 4',
    async (pool) => {
      const store = await pool.host();
      assert.equal(await ask(store, { client: 1, required: 25 }), 1);
      assert.equal(await ask(store, { client: 2, required: 25 }), 2);
      assert.equal(await ask(store, { client: 3, required: 25, virtual: true }), 3);
      assert.equal(await ask(store, { client: 4, required: 5 }), 4);
    },
  );

  check('S3-11 a client that asks again is not counted again', async (pool) => {
    const store = await pool.host();
    assert.equal(await ask(store, { client: 1 }), 1);
    assert.equal(await ask(store, { client: 2 }), 2);
    assert.equal(await ask(store, { client: 1 }), 2);
  });

  check('S1-15 the count of Windows clients never exceeds 50', async (pool) => {
    const store = await pool.host();
    const counts = await Promise.all(range(1, 60).map((client) => ask(store, { client })));
    assert.deepEqual(
      counts,
      range(1, 60).map((client) => Math.min(client, 50)),
    );
  });

  check('S1-16 with servers only, the count never exceeds 10', async (pool) => {
    const store = await pool.host();
    const counts = await Promise.all(range(1, 14).map((client) => ask(store, { client, required: 5 })));
    assert.deepEqual(
      counts,
      range(1, 14).map((client) => Math.min(client, 10)),
    );
  });

  check('S3-13 a full table keeps those who were seen last', async (pool) => {
    const store = await pool.host();
    for (const client of range(1, 10)) await pool.recordAgo({ client, required: 5 }, 100_000 - client);
    assert.equal(await ask(store, { client: 1, required: 5 }), 10);
    assert.equal(await ask(store, { client: 11, required: 5 }), 10);
    await waitFor('the snapshot', () => clientsOf(store).length === 10);
    assert.deepEqual(clientsOf(store), [1, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  });

  check('S3-14 the table grows from 10 to 50 when a Windows client appears, and never shrinks', async (pool) => {
    const store = await pool.host();
    for (const client of range(1, 12)) await ask(store, { client, required: 5 });
    assert.equal(await ask(store, { client: 13, required: 25 }), 11);
    const counts = await Promise.all(range(14, 60).map((client) => ask(store, { client, required: 5 })));
    assert.equal(counts.at(-1), 50);
    await waitFor('the snapshot', () => store.snapshot().tables[0]?.highWater === 25);
  });

  check(
    'a required count above maxRequiredCount is answered, but grows the table to twice the bound only',
    async (pool) => {
      const store = await pool.host({ maxRequiredCount: 4 });
      const counts = await Promise.all(range(1, 10).map((client) => ask(store, { client, required: 1000 })));
      assert.deepEqual(counts, [1, 2, 3, 4, 5, 6, 7, 8, 8, 8]);
    },
  );

  check('a required count of 0 makes a table of one', async (pool) => {
    const store = await pool.host();
    const counts = await Promise.all(range(1, 3).map((client) => ask(store, { client, required: 0 })));
    assert.deepEqual(counts, [1, 1, 1]);
  });

  check('S1-13 each application has a count of its own', async (pool) => {
    const store = await pool.host();
    assert.equal(await ask(store, { client: 1, application: 0 }), 1);
    assert.equal(await ask(store, { client: 1, application: 1, required: 5 }), 1);
    assert.equal(await ask(store, { client: 2, application: 1, required: 5 }), 2);
    assert.equal(await ask(store, { client: 1, application: 2, required: 5 }), 1);
    await waitFor('the snapshot', () => store.snapshot().tables[2]?.entries.size === 1);
    assert.deepEqual(
      store.snapshot().tables.map((table) => table.entries.size),
      [1, 2, 1],
    );
  });

  check('all hosts of a pool share one count', async (pool) => {
    const [first, second] = [await pool.host(), await pool.host()];
    assert.equal(await ask(first, { client: 1 }), 1);
    assert.equal(await ask(second, { client: 2 }), 2);
    assert.equal(await ask(first, { client: 3 }), 3);
    await waitFor('both to know', () => clientsOf(first).length === 3 && clientsOf(second).length === 3);
  });

  check('a refused contact changes no count', async (pool) => {
    const store = await pool.host();
    assert.equal(await ask(store, { client: 1 }), 1);
    store.note(contactOf({ client: 2, hresult: 0xc004f042 }));
    store.note(contactOf({ client: 3, application: 255, hresult: 0xc004f042 }));
    assert.equal(await ask(store, { client: 1 }), 1);
    await waitFor('the totals', () => store.snapshot().totals.total === 4);
    assert.deepEqual(clientsOf(store), [1]);
  });
}

function expiryTests(check: Check): void {
  check('S3-12 a client that was not seen for 30 days leaves the count, also when nobody asks', async (pool) => {
    const store = await pool.host();
    await pool.recordAgo({ client: 1 }, CMID_RETENTION_MS - 700);
    await pool.recordAgo({ client: 2 }, 1000);
    await waitFor('the snapshot', () => clientsOf(store).includes(2));
    await waitFor('client 1 to expire', () => clientsOf(store).length === 1, 3000);
    assert.deepEqual(clientsOf(store), [2]);
    assert.equal(await ask(store, { client: 3 }), 2);
  });

  check('S3-11 a renewal restarts the 30 days', async (pool) => {
    const store = await pool.host();
    await pool.recordAgo({ client: 1 }, CMID_RETENTION_MS - 700);
    await pool.recordAgo({ client: 2 }, CMID_RETENTION_MS - 700);
    assert.equal(await ask(store, { client: 2 }), 2);
    await waitFor('the snapshot', () => clientsOf(store).join() === '1,2');
    await waitFor('client 1 to expire', () => clientsOf(store).join() === '2', 3000);
    assert.equal(await ask(store, { client: 3 }), 2);
  });

  check('S3-12 a contact of more than 30 days ago is not counted any more', async (pool) => {
    const store = await pool.host();
    await pool.recordAgo({ client: 1 }, CMID_RETENTION_MS + 1000);
    assert.equal(await ask(store, { client: 2 }), 1);
  });
}

function totalsTests(check: Check, persistent: boolean): void {
  const statuses = [0, 1, 2, 2, 3, 4, 5, 6, 7, 4_000_000_000];
  const expected = { total: 11, failed: 1, byLicenseStatus: [1, 1, 3, 1, 1, 1, 1, 2] };
  const fill = async (store: CmidStore): Promise<void> => {
    for (const [client, licenseStatus] of statuses.entries()) await ask(store, { client, licenseStatus });
    store.note(contactOf({ client: 1, licenseStatus: 2, hresult: 0x8007000d }));
    await waitFor('the totals', () => store.snapshot().totals.total === 11);
  };

  check('S1-24 the totals tell each license status apart, S1-23 and what failed', async (pool) => {
    const store = await pool.host();
    await fill(store);
    assert.deepEqual(store.snapshot().totals, expected);
  });

  if (!persistent) return;
  check('S1-26 the totals and the table survive all hosts of the pool', async (pool) => {
    const first = await pool.host();
    await fill(first);
    await first.close(1000);
    const second = await pool.host();
    assert.deepEqual(second.snapshot().totals, expected);
    assert.equal(clientsOf(second).length, 10);
  });
}
