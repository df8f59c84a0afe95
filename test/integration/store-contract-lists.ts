// SPDX-License-Identifier: Apache-2.0
/** The part of the store contract that is about lists: inventory, events, duplicates (S1-17, S1-27). */
import assert from 'node:assert/strict';
import { CMID_RETENTION_MS } from '@kmspool/kms/counting';
import { hexToGuid } from '@kmspool/kms/wire';
import type { ContactRecord, Page, PageRequest } from '../../kms-node/store/store.ts';
import { ask, cmidHex, contactOf, range } from '../harness/contacts.ts';
import { waitFor } from '../harness/wait.ts';
import type { Check } from './store-contract.ts';

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

/** Latest contact of every client. */
export function inventoryTests(check: Check): void {
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

/** Every contact, as event 12290 has it. */
export function eventTests(check: Check): void {
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

  check(
    'S3-74 events after a place are read alone, newest first and in pages, and a foreign place is as none',
    async (pool) => {
      const store = await pool.host();
      for (const client of range(1, 3)) await ask(store, { client, name: `step-${client}` });
      const { newest } = await store.listEvents({ limit: 2 });
      assert.ok(newest !== undefined);
      const since = newest;
      assert.deepEqual(await store.listEvents({ limit: 10, since }), { items: [] });
      for (const client of range(4, 8)) await ask(store, { client, name: `step-${client}` });
      const later = await allPages((page) => store.listEvents({ ...page, since }), 2);
      assert.deepEqual(
        later.map((event) => event.workstationName),
        range(4, 8)
          .reverse()
          .map((step) => `step-${step}`),
      );
      assert.notEqual((await store.listEvents({ limit: 2, since })).newest, since);
      for (const foreign of ['nonsense', '9999999']) {
        assert.equal((await store.listEvents({ limit: 20, since: foreign })).items.length, 8);
      }
    },
  );

  check('events are bounded, the oldest leave first', async (pool) => {
    const store = await pool.host({ retention: { clients: 100, events: 300 } });
    await Promise.all(range(1, 2000).map((client) => ask(store, { client: client % 20, name: `step-${client}` })));
    const events = await allPages((page) => store.listEvents(page), 200);
    assert.equal(events[0]?.workstationName, 'step-2000');
    assert.ok(events.length >= 300 && events.length <= 500, `${events.length} events`);
  });
}

/** Machines that share a CMID. */
export function duplicateTests(check: Check): void {
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
