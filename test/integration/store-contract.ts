// SPDX-License-Identifier: Apache-2.0
/**
 * What every store must do, as tests that run on each: the counting rules, the totals, the inventory, duplicates and events (docs/protocol.md §4,
 * docs/requirements.md). Not here: what only a store over a network can get wrong (`store-exactness.test.ts`, `store-loss.test.ts`).
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { CMID_RETENTION_MS } from '@kmspool/kms/counting';
import { hexToGuid } from '@kmspool/kms/wire';
import type { CmidStore, ContactRecord, Page, PageRequest, StoreSettings } from '../../kms-node/store/store.ts';
import { ask, type ContactFields, clientsOf, cmidHex, contactOf, range } from '../harness/contacts.ts';
import { waitFor } from '../harness/wait.ts';

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

type Use = (pool: PoolUnderTest) => Promise<void>;

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
  });
}

type Check = (title: string, use: Use) => void;

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

async function allPages<T>(list: (page: PageRequest) => Promise<Page<T>>, limit: number): Promise<T[]> {
  const items: T[] = [];
  let page = await list({ limit });
  for (;;) {
    items.push(...page.items);
    assert.ok(page.items.length <= limit);
    if (page.next === undefined) return items;
    page = await list({ limit, after: page.next });
  }
}

function inventoryTests(check: Check): void {
  const numbers = (records: readonly ContactRecord[]): number[] =>
    records.map((record) => Number(`0x${record.cmid.slice(-4)}`));

  check('the inventory holds the latest contact of every client, newest first', async (pool) => {
    const store = await pool.host();
    await pool.recordAgo({ client: 1, licenseStatus: 2, address: '10.1.1.1' }, 30_000_000);
    await pool.recordAgo({ client: 2 }, 20_000_000);
    await ask(store, { client: 1, licenseStatus: 1, address: '10.1.1.2', required: 25, virtual: true, protocol: 5 });
    const { items, next } = await store.listClients({ limit: 10 });
    assert.deepEqual(numbers(items), [1, 2]);
    assert.equal(next, undefined);
    const [latest] = items;
    assert.ok(latest && Math.abs(latest.atMs - store.nowMs()) < 5000);
    assert.deepEqual(
      { ...latest, atMs: 0 },
      {
        atMs: 0,
        application: 0,
        protocol: 5,
        hresult: 0,
        cmid: hexToGuid(cmidHex(1)),
        activationId: '11111111-0000-0000-0000-000000000000',
        countedId: '22222222-0000-0000-0000-000000000000',
        requiredClientCount: 25,
        licenseStatus: 1,
        minutesToExpiry: 0,
        isClientVm: 1,
        clientTimeMs: 1_700_000_000_000,
        workstationName: 'pc-1',
        address: '10.1.1.2',
      },
    );
  });

  check('the inventory is read in pages, without repeats or gaps', async (pool) => {
    const store = await pool.host();
    for (const client of range(1, 7)) await pool.recordAgo({ client }, 100_000_000 - 1_000_000 * client);
    for (const client of range(8, 25)) await pool.recordAgo({ client }, 50_000_000);
    const clients = numbers(await allPages((page) => store.listClients(page), 4));
    assert.deepEqual(
      clients.toSorted((a, b) => a - b),
      range(1, 25),
    );
    assert.deepEqual(clients.slice(-7), [7, 6, 5, 4, 3, 2, 1]);
  });

  check('the inventory keeps the clients seen last, as many as retention says, whatever the count', async (pool) => {
    const store = await pool.host({ retention: { clients: 60, events: 100 } });
    for (const client of range(1, 70)) await pool.recordAgo({ client }, 100_000_000 - 1_000_000 * client);
    const clients = numbers(await allPages((page) => store.listClients(page), 100));
    assert.deepEqual(clients, range(11, 70).reverse());
    await waitFor('the snapshot', () => store.snapshot().clients === 60);
  });

  check('a page token from elsewhere starts from the newest', async (pool) => {
    const store = await pool.host();
    await ask(store, { client: 1 });
    for (const after of ['nonsense', '-1:zz', '1:']) {
      assert.equal((await store.listEvents({ limit: 5, after: 'nonsense' })).items.length, 1);
      assert.equal((await store.listClients({ limit: 5, after })).items.length, 1);
    }
  });
}

function eventTests(check: Check): void {
  check('S1-27 every contact leaves an event, counted or refused, newest first and in pages', async (pool) => {
    const store = await pool.host();
    for (const client of range(1, 6)) await ask(store, { client: 1 + (client % 2), name: `step-${client}` });
    store.note(contactOf({ client: 9, name: 'step-7', hresult: 0xc004f06c }));
    await waitFor(
      'the last event',
      async () => (await store.listEvents({ limit: 1 })).items[0]?.workstationName === 'step-7',
    );
    const events = await allPages((page) => store.listEvents(page), 3);
    assert.deepEqual(
      events.map((event) => event.workstationName),
      range(1, 7)
        .reverse()
        .map((step) => `step-${step}`),
    );
    assert.deepEqual(
      events.map((event) => event.hresult),
      [0xc004f06c, 0, 0, 0, 0, 0, 0],
    );
  });

  check('events are bounded, the oldest leave first', async (pool) => {
    const store = await pool.host({ retention: { clients: 100, events: 300 } });
    await Promise.all(range(1, 2000).map((client) => ask(store, { client: client % 20, name: `step-${client}` })));
    const events = await allPages((page) => store.listEvents(page), 200);
    assert.equal(events[0]?.workstationName, 'step-2000');
    assert.ok(events.length >= 300 && events.length <= 500, `${events.length} events`);
  });
}

function duplicateTests(check: Check): void {
  check('S1-17 machines that share a CMID are found by their names', async (pool) => {
    const store = await pool.host();
    await ask(store, { client: 1, name: 'honest' });
    await ask(store, { client: 1, name: 'honest' });
    for (const name of ['clone-a', 'clone-b', 'clone-a', 'clone-c']) {
      assert.equal(await ask(store, { client: 7, name, address: `10.0.0.${name.charCodeAt(6)}` }), 2);
    }
    const { items } = await store.listDuplicates({ limit: 10 });
    assert.equal(items.length, 1);
    assert.equal(items[0]?.cmid, hexToGuid(cmidHex(7)));
    assert.equal(items[0]?.application, 0);
    assert.deepEqual(
      items[0]?.names.map((seen) => seen.workstationName),
      ['clone-c', 'clone-a', 'clone-b'],
    );
    assert.deepEqual(
      items[0]?.names.map((seen) => seen.address),
      ['10.0.0.99', '10.0.0.97', '10.0.0.98'],
    );
    await waitFor('the snapshot', () => store.snapshot().duplicates === 1);
  });

  check('S1-17 one CMID in two applications is no duplicate', async (pool) => {
    const store = await pool.host();
    await ask(store, { client: 1, application: 0, name: 'desktop' });
    await ask(store, { client: 1, application: 1, required: 5, name: 'other' });
    assert.deepEqual((await store.listDuplicates({ limit: 10 })).items, []);
  });

  check('S1-17 a name that was not seen for 30 days is forgotten', async (pool) => {
    const store = await pool.host();
    await pool.recordAgo({ client: 1, name: 'before' }, CMID_RETENTION_MS - 600);
    await ask(store, { client: 1, name: 'after' });
    assert.equal((await store.listDuplicates({ limit: 10 })).items.length, 1);
    await waitFor(
      'the name to be forgotten',
      async () => (await store.listDuplicates({ limit: 10 })).items.length === 0,
      3000,
    );
    await waitFor('the snapshot', () => store.snapshot().duplicates === 0);
  });

  check('at most 16 names of a CMID are kept, and duplicates are read in pages', async (pool) => {
    const store = await pool.host();
    for (const client of range(1, 5)) {
      for (const step of range(1, 20))
        await pool.recordAgo({ client, name: `n-${step}` }, 10_000_000 - 1000 * client - step);
    }
    const groups = await allPages((page) => store.listDuplicates(page), 2);
    assert.deepEqual(
      groups.map((group) => Number(`0x${group.cmid.slice(-4)}`)),
      [5, 4, 3, 2, 1],
    );
    assert.deepEqual(
      groups[0]?.names.map((seen) => seen.workstationName),
      range(5, 20)
        .reverse()
        .map((step) => `n-${step}`),
    );
  });
}
