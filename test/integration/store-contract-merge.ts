// SPDX-License-Identifier: Apache-2.0
/** The part of the store contract that is about joining a table from elsewhere with the pool's: what an import does. */
import assert from 'node:assert/strict';
import { CMID_RETENTION_MS, CmidTable, type TableState } from '@kmspool/kms/counting';
import { ask, cmidHex, range } from '../harness/contacts.ts';
import { waitFor } from '../harness/wait.ts';
import type { Check } from './store-contract.ts';

const EMPTY: TableState = { highWater: 0, entries: new Map() };

/** A table of these clients, each seen one second after the one before, the last `agoMs` before `nowMs`. */
function tableOf(clients: readonly number[], highWater: number, lastMs: number): TableState {
  const entries = clients.map((client, at) => [cmidHex(client), lastMs - 1000 * (clients.length - 1 - at)] as const);
  return { highWater, entries: new Map(entries) };
}

export function mergeTests(check: Check): void {
  check('a merged table counts at once, beside who is there, and only in its application', async (pool) => {
    const store = await pool.host();
    for (const client of [1, 2, 3]) await ask(store, { client });
    const sizes = await store.merge([tableOf([3, 4, 5], 25, store.nowMs() - 60_000), tableOf([9], 5, store.nowMs())]);
    assert.deepEqual(sizes, [5, 1, 0]);
    assert.equal(await ask(store, { client: 6 }), 6);
    assert.equal(await ask(store, { client: 10, application: 1, required: 5 }), 2);
  });

  check('a merge makes no totals, no events and no clients', async (pool) => {
    const store = await pool.host();
    await ask(store, { client: 1 });
    await store.merge([tableOf(range(2, 9), 25, store.nowMs()), EMPTY, EMPTY]);
    await waitFor('the snapshot', () => store.snapshot().tables[0]?.entries.size === 9);
    const { totals, clients } = store.snapshot();
    assert.deepEqual([totals.total, clients], [1, 1]);
    assert.equal((await store.listEvents({ limit: 10 })).items.length, 1);
  });

  check(
    'a merge is the rule of CmidTable.merge, to the millisecond, and doing it twice changes nothing',
    async (pool) => {
      const store = await pool.host();
      for (const client of range(1, 8)) await pool.recordAgo({ client, required: 5 }, 100_000 + client);
      await waitFor('the snapshot', () => store.snapshot().tables[0]?.entries.size === 8);
      const mine = store.snapshot().tables[0] ?? EMPTY;
      const now = store.nowMs();
      // Of 5 to 8 the pool knows the later time, of the others this.
      const other = tableOf(range(5, 30), 9, now - 90_000);
      const expected = new CmidTable();
      expected.merge(mine, now);
      expected.merge(other, now);
      for (const _ of [1, 2]) assert.deepEqual(await store.merge([other]), [expected.size, 0, 0]);
      await waitFor('the snapshot', () => store.snapshot().tables[0]?.highWater === 9);
      const merged = store.snapshot().tables[0];
      assert.deepEqual([...(merged?.entries ?? [])].sort(), [...expected.state().entries].sort());
      assert.equal(merged?.entries.size, 18);
    },
  );

  check('S3-11 S1-15 what is merged expires, is never of the future, and N is bounded by the pool', async (pool) => {
    const store = await pool.host({ maxRequiredCount: 4 });
    const now = store.nowMs();
    const entries = new Map([
      [cmidHex(1), now - CMID_RETENTION_MS - 1000],
      [cmidHex(2), now + 3_600_000],
    ]);
    assert.deepEqual(await store.merge([{ highWater: 1000, entries }]), [1, 0, 0]);
    await waitFor('the snapshot', () => store.snapshot().tables[0]?.highWater === 4);
    const seen = store.snapshot().tables[0]?.entries.get(cmidHex(2)) ?? Number.POSITIVE_INFINITY;
    assert.ok(seen <= store.nowMs() + 1000, `${seen - now} ms ahead`);
  });

  check('all hosts of the pool know of a merge', async (pool) => {
    const [first, second] = [await pool.host(), await pool.host()];
    await first.merge([tableOf(range(1, 7), 25, first.nowMs())]);
    await waitFor('the other host', () => second.snapshot().tables[0]?.entries.size === 7);
    assert.equal(await ask(second, { client: 99 }), 8);
  });
}
