// SPDX-License-Identifier: Apache-2.0
/** The store contract on a real Redis server, and the Redis script held to the memory store on random contacts. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import { createMemoryStore } from '../../kms-node/store/memory.ts';
import type { CmidStore } from '../../kms-node/store/store.ts';
import { ask, type ContactFields, cmidHex, range } from '../harness/contacts.ts';
import { missingBinary, type RedisServer, startRedis } from '../harness/redis.ts';
import { POOL_SETTINGS, redisPool } from '../harness/redis-pool.ts';
import { redisPoolUnderTest } from './redis-pool-under-test.ts';
import { storeContract } from './store-contract.ts';

const skip = missingBinary('redis-server');

storeContract({
  name: 'a Redis server',
  skip,
  persistent: true,
  async start() {
    const server = await startRedis();
    return { newPool: () => redisPoolUnderTest({ url: server.url }), stop: () => server.stop() };
  },
});

/** The host whose clock is the contacts' own. */
function modelStore(): {
  store: CmidStore;
  recordAt(fields: ContactFields, atMs: number): Promise<number | undefined>;
} {
  let nowMs = 0;
  const store = createMemoryStore({ settings: POOL_SETTINGS, nowMs: () => nowMs });
  return {
    store,
    recordAt: (fields, atMs) => {
      nowMs = atMs;
      if (fields.hresult === undefined) return ask(store, fields);
      return ask(store, fields).then(() => 0);
    },
  };
}

const contacts = fc.array(
  fc.record({
    fields: fc.record(
      {
        client: fc.oneof(fc.nat(3), fc.nat(30)),
        application: fc.constantFrom(0, 0, 0, 1, 2),
        required: fc.constantFrom(0, 1, 3, 5, 25, 1000),
        licenseStatus: fc.nat(9),
        name: fc.constantFrom('a', 'b', 'ä-ö', 'x'.repeat(63)),
        hresult: fc.constant(0xc004f042),
      },
      { requiredKeys: ['client', 'application', 'required', 'licenseStatus', 'name'] },
    ),
    stepMs: fc.constantFrom(0, 0, 1, 1000, 3_600_000),
  }),
  { minLength: 1, maxLength: 120 },
);

interface Identified {
  readonly application: number;
  readonly cmid: string;
}

function keyOf({ application, cmid }: Identified): string {
  return `${application} ${cmid}`;
}

/** What both stores must tell alike. */
async function view(store: CmidStore): Promise<unknown> {
  const { tables, totals, clients, duplicates } = store.snapshot();
  const byClient = (a: Identified, b: Identified): number => (keyOf(a) < keyOf(b) ? -1 : 1);
  const records = (await store.listClients({ limit: 1000 })).items.toSorted(byClient);
  const events = (await store.listEvents({ limit: 1000 })).items;
  const names = (await store.listDuplicates({ limit: 1000 })).items.toSorted(byClient);
  return {
    tables: tables.map(({ highWater, entries }) => ({ highWater, entries: [...entries].sort() })),
    totals,
    clients,
    duplicates,
    records,
    events,
    names,
  };
}

describe('record.lua against the memory store', { skip }, () => {
  let server: RedisServer;
  before(async () => {
    server = await startRedis();
  });
  after(() => server?.stop());

  test('S3-11 S3-13 S3-14 random contacts give the same counts, tables, totals, inventory, events and duplicates', async () => {
    const property = fc.asyncProperty(contacts, async (steps) => {
      const pool = redisPool({ url: server.url });
      try {
        let atMs = Date.now() - 20 * 24 * 3_600_000;
        const dated = steps.map(({ fields, stepMs }) => {
          atMs += stepMs;
          return { fields, atMs };
        });
        const model = modelStore();
        const expected: (number | undefined)[] = [];
        for (const step of dated) expected.push(await model.recordAt(step.fields, step.atMs));
        assert.deepEqual(await pool.merge(dated), expected);
        assert.deepEqual(await view(await pool.host()), await view(model.store));
      } finally {
        await pool.close();
      }
    });
    await fc.assert(property, { numRuns: 60 });
  });

  test('S3-11 the later time of a client wins, in whatever order its contacts arrive', async () => {
    const pool = redisPool({ url: server.url });
    try {
      const now = Date.now();
      const late = { fields: { client: 1, name: 'late' }, atMs: now - 1000 };
      const early = { fields: { client: 1, name: 'early' }, atMs: now - 90_000 };
      const future = { fields: { client: 2 }, atMs: now + 3_600_000 };
      assert.deepEqual(await pool.merge([late, early, future]), [1, 1, 2]);
      const store = await pool.host();
      const entries = [...(store.snapshot().tables[0]?.entries ?? [])];
      assert.deepEqual(entries[0], [cmidHex(1), now - 1000]);
      assert.ok((entries[1]?.[1] ?? 0) <= store.nowMs() + 1000, 'a time is no later than the time of Redis');
      const names = (await store.listClients({ limit: 10 })).items.map((record) => record.workstationName);
      assert.deepEqual(names.toSorted(), ['late', 'pc-2']);
    } finally {
      await pool.close();
    }
  });

  test('a contact takes the same commands however many clients are in the inventory', async () => {
    const pool = redisPool({ url: server.url });
    try {
      const store = await pool.host();
      const batch = (first: number, last: number): Promise<unknown> =>
        Promise.all(range(first, last).map((client) => ask(store, { client })));
      // Commands of the script by name, for 40 clients that all were there a moment ago. What they take in time is the benchmark's to say.
      const commandsOf = async (): Promise<string[]> => {
        await batch(1, 40);
        await server.client.config('RESETSTAT');
        await batch(1, 40);
        const stats = await server.client.info('commandstats');
        const counted = [...stats.matchAll(/cmdstat_(hset|hget|zadd|xadd|hdel|zremrangebyrank):calls=(\d+)/g)];
        return counted.map(([, name, calls]) => `${name} ${calls}`).toSorted();
      };
      const few = await commandsOf();
      for (let first = 41; first < 20_000; first += 400) await batch(first, first + 399);
      const many = await commandsOf();
      const perContact = (commands: string[]): string[] => commands.filter((each) => !/^(hset|hget) /.test(each));
      assert.deepEqual(perContact(many), perContact(few));
      assert.deepEqual(perContact(many), ['xadd 40', 'zadd 40'], 'one event and one place in the table for each');
    } finally {
      await pool.close();
    }
  });
});
