// SPDX-License-Identifier: Apache-2.0
/** A Redis that must not be used is refused at the start with one line that names the remedy; a user with no more than the documented rights is enough. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { type CmidStore, StoreUnusableError } from '../../kms-node/store/store.ts';
import { ask, contactOf } from '../harness/contacts.ts';
import { startFakeRedis } from '../harness/fake-redis.ts';
import { missingBinary, type RedisServer, type ServerOptions, startRedis } from '../harness/redis.ts';
import { type HostOptions, redisPool } from '../harness/redis-pool.ts';
import { waitFor } from '../harness/wait.ts';

/** Expects that a host on `url` refuses to start, with one line that matches. */
async function refuses(url: string, reason: RegExp, options: HostOptions = {}): Promise<void> {
  const pool = redisPool({ url }, options);
  try {
    const silence = delay(5000, undefined, { ref: false }).then(() => new Error('neither ready nor refused'));
    await assert.rejects(
      Promise.race([pool.connect().ready(), silence]).then((late) => Promise.reject(late)),
      (error) => {
        assert.ok(error instanceof StoreUnusableError, String(error));
        assert.match(error.message, reason);
        assert.doesNotMatch(error.message, /\n/);
        return true;
      },
    );
  } finally {
    await pool.close();
  }
}

async function withServer(options: ServerOptions, use: (server: RedisServer) => Promise<void>): Promise<void> {
  const server = await startRedis(options);
  try {
    await use(server);
  } finally {
    await server.stop();
  }
}

async function withPool(url: string, options: HostOptions, use: (store: CmidStore) => Promise<void>): Promise<void> {
  const pool = redisPool({ url }, options);
  try {
    await use(await pool.host());
  } finally {
    await pool.close();
  }
}

/** A credentials directory with these files. */
async function withCredentials(
  files: Readonly<Record<string, string>>,
  use: (directory: string) => Promise<void>,
): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'kmspool-credentials-'));
  try {
    for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text);
    await use(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

describe('a Redis that claims to be something', () => {
  const cases: readonly { title: string; info: string; role: string; reason: RegExp }[] = [
    {
      title: 'Redis 6.0',
      info: 'redis_version:6.0.16\r\n',
      role: 'master',
      reason: /^redis 6\.0\.16 is too old: use Redis 6\.2/,
    },
    {
      title: 'Valkey 7.0',
      info: 'redis_version:7.2.4\r\nvalkey_version:7.0.1\r\n',
      role: 'master',
      reason: /^valkey 7\.0\.1 is too old/,
    },
    {
      title: 'a replica',
      info: 'redis_version:7.0.15\r\n',
      role: 'slave',
      reason: /is a replica.*give the master's address/,
    },
    {
      title: 'a Sentinel',
      info: 'redis_version:7.0.15\r\n',
      role: 'sentinel',
      reason: /is a sentinel, which cannot count/,
    },
  ];
  for (const { title, info, role, reason } of cases) {
    test(`${title} is refused`, async () => {
      const fake = await startFakeRedis({ info, role });
      try {
        await refuses(fake.url, reason);
      } finally {
        await fake.stop();
      }
    });
  }
});

describe('a Redis that must not be used', { skip: missingBinary('redis-server') }, () => {
  test('a real replica is refused under a plain URL', async () => {
    await withServer({}, async (master) => {
      await withServer({ config: [`replicaof 127.0.0.1 ${master.port}`] }, async (replica) => {
        await refuses(replica.url, /is a replica/);
      });
    });
  });

  test('maxmemory-policy allkeys-lru is refused, for it may evict CMIDs', async () => {
    await withServer({ config: ['maxmemory 100mb', 'maxmemory-policy allkeys-lru'] }, async (server) => {
      await refuses(server.url, /^maxmemory-policy allkeys-lru may evict client machine IDs: set it to noeviction/);
    });
  });

  test('maxmemory-policy volatile-lru is accepted, for no key of a pool ever expires', async () => {
    await withServer({ config: ['maxmemory 100mb', 'maxmemory-policy volatile-lru'] }, async (server) => {
      await withPool(server.url, {}, async (store) => {
        assert.equal(await ask(store, { client: 1 }), 1);
      });
    });
  });

  test('no password and a wrong password are refused; the right one works, and a changed one is read again', async () => {
    await withServer({ config: ['requirepass right'], password: 'right' }, async (server) => {
      await refuses(server.url, /asks for a password: give one in the credentials/);
      await withCredentials({ password: 'wrong\n' }, async (credentialsDirectory) => {
        await refuses(server.url, /refuses the password: check username and password/, { credentialsDirectory });
        await writeFile(join(credentialsDirectory, 'password'), 'right\n');
        await withPool(server.url, { credentialsDirectory }, async (store) => {
          assert.equal(await ask(store, { client: 1 }), 1);
          await server.client.config('SET', 'requirepass', 'newer');
          await server.client.call('CLIENT', 'KILL', 'SKIPME', 'yes');
          await waitFor('the password to be refused', () => /refuses the password/.test(store.health().reason ?? ''));
          assert.equal(store.health().condition, 'LastKnown');
          await writeFile(join(credentialsDirectory, 'password'), 'newer\n');
          await waitFor('the new password', () => store.health().condition === 'Available');
        });
      });
    });
  });

  test('keys of another schema are refused', async () => {
    await withServer({}, async (server) => {
      const { poolId } = redisPool({ url: server.url });
      await server.client.hset(`kmspool:{${poolId}}:meta`, 'schema', '2');
      await refuses(server.url, /written in schema 2, which this version cannot read/, { poolId });
    });
  });

  test("something else under the pool's key names is refused", async () => {
    await withServer({}, async (server) => {
      const { poolId } = redisPool({ url: server.url });
      await server.client.set(`kmspool:{${poolId}}:ev`, 'not a stream');
      await refuses(server.url, /hold something else: give the pool a Redis or database of its own/, { poolId });
    });
  });

  test('a policy that is changed later makes the store unavailable with that reason, until it is changed back', async () => {
    await withServer({}, async (server) => {
      await withPool(server.url, {}, async (store) => {
        await ask(store, { client: 1 });
        await server.client.config('SET', 'maxmemory-policy', 'allkeys-random');
        await server.client.call('CLIENT', 'KILL', 'SKIPME', 'yes');
        await waitFor('the refusal', () => /allkeys-random may evict/.test(store.health().reason ?? ''));
        assert.equal(await ask(store, { client: 2 }), 2);
        await server.client.config('SET', 'maxmemory-policy', 'noeviction');
        await waitFor('the store', () => store.health().condition === 'Available');
        assert.equal(store.snapshot().totals.total, 2);
      });
    });
  });

  test('the rule of docs/redis.md is enough for everything a host does, and a lesser one is refused', async () => {
    const guide = await readFile(new URL('../../docs/redis.md', import.meta.url), 'utf8');
    const rule = /^ACL SETUSER kmspool (.*)$/m.exec(guide)?.[1];
    assert.ok(rule, 'docs/redis.md shows the ACL rule');
    await withServer({}, async (server) => {
      const words = rule.replace('<password>', 'secret').split(' ');
      await server.client.call('ACL', 'SETUSER', 'kmspool', ...words);
      await server.client.call('ACL', 'SETUSER', 'lesser', ...words.filter((word) => word !== '+zadd'));
      await withCredentials({ username: 'kmspool', password: 'secret' }, async (credentialsDirectory) => {
        const settings = { maxRequiredCount: 25, retention: { clients: 3, events: 3 } };
        await withPool(server.url, { credentialsDirectory, settings }, async (store) => {
          for (const name of ['a', 'b', 'a']) assert.ok(await ask(store, { client: 1, name }));
          for (const client of [2, 3, 4, 5]) assert.ok(await ask(store, { client }));
          for (const client of Array(60).keys()) assert.ok(await ask(store, { client: 10 + client }));
          store.note(contactOf({ client: 1, hresult: 0xc004f042 }));
          assert.equal((await store.listClients({ limit: 10 })).items.length, 3);
          assert.ok((await store.listClients({ limit: 1, after: '1795000000000:00' })).items.length <= 1);
          assert.equal((await store.listDuplicates({ limit: 10 })).items.length, 1);
          assert.ok((await store.listEvents({ limit: 10 })).items.length > 0);
          assert.equal(store.stats().failures, 0);
        });
      });
      await withCredentials({ username: 'lesser', password: 'secret' }, async (credentialsDirectory) => {
        await withPool(server.url, { credentialsDirectory }, async (store) => {
          await ask(store, { client: 1 });
          await waitFor('the reason', () => /grant the rule of docs\/redis\.md/.test(store.health().reason ?? ''));
        });
      });
    });
  });
});
