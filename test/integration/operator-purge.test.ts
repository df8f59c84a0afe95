// SPDX-License-Identifier: Apache-2.0
/** Purging a pool on real servers: one Redis, a Sentinel group, a cluster, with rights and over TLS. What is there was written by hosts. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { Redis } from 'ioredis';
import type { RedisTarget } from '../../kms-node/store/redis-client.ts';
import { poolKeyNames } from '../../kms-node/store/redis-keys.ts';
import { PurgeError, type PurgeOptions, purgePool, slotOf } from '../../operator/pool/purge.ts';
import { ask, range } from '../harness/contacts.ts';
import {
  freePort,
  missingBinary,
  type RedisServer,
  startRedis,
  startRedisCluster,
  startSentinelGroup,
} from '../harness/redis.ts';
import { redisPool } from '../harness/redis-pool.ts';

const skip = missingBinary('redis-server');
const never = new AbortController().signal;

const purge = (
  redis: PurgeOptions['redis'],
  poolId: string,
  more: Partial<PurgeOptions> = {},
): Promise<{ deleted: number }> => purgePool({ redis, poolId, signal: never, ...more });

/** A pool whose host has counted some clients, and that has ended. */
async function usedPool(target: RedisTarget): Promise<string> {
  const pool = redisPool(target);
  const host = await pool.host();
  for (const client of range(1, 5)) await ask(host, { client });
  await pool.close();
  return pool.poolId;
}

async function keysOf(clients: readonly Redis[], pattern = '*'): Promise<string[]> {
  return (await Promise.all(clients.map((client) => client.keys(pattern)))).flat().sort();
}

/** Runs a purge of one of two pools and looks at what is there before and after. */
async function purgeOneOfTwo(
  redis: PurgeOptions['redis'],
  target: RedisTarget,
  clients: readonly Redis[],
): Promise<void> {
  const [gone, stays] = [await usedPool(target), await usedPool(target)];
  const of = (poolId: string): Promise<string[]> => keysOf(clients, `kmspool:{${poolId}}:*`);
  const before = { gone: await of(gone), stays: await of(stays) };
  assert.ok(before.gone.length >= 5 && before.stays.length === before.gone.length);
  const { deleted } = await purge(redis, gone);
  assert.deepEqual([deleted, await of(gone)], [before.gone.length, []]);
  assert.deepEqual(await of(stays), before.stays);
  assert.deepEqual(await purge(redis, gone), { deleted: 0 }, 'again does no harm');
}

/** The message of the PurgeError that comes. */
async function refusal(options: PurgeOptions): Promise<string> {
  const error = await purgePool(options).then(
    () => assert.fail('it was purged'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof PurgeError, String(error));
  assert.doesNotMatch(error.message, /\n/);
  return error.message;
}

describe('purging a pool', { skip }, () => {
  async function withRedis(use: (server: RedisServer) => Promise<void>, config: readonly string[] = []): Promise<void> {
    const server = await startRedis({ config });
    try {
      await use(server);
    } finally {
      await server.stop();
    }
  }

  test('of two pools in one Redis one goes whole, the other and all else stay', async () => {
    await withRedis(async ({ url, client }) => {
      const others = ['kmspool:', 'kmspool', 'kmspool:{other}:meta', 'x:kmspool:{a}:meta', 'app'];
      for (const key of others) await client.set(key, 'kept');
      await purgeOneOfTwo({ url }, { url }, [client]);
      for (const key of others) assert.equal(await client.get(key), 'kept', key);
    });
  });

  test('what a later version may have written goes too, however much it is; another database stays', async () => {
    await withRedis(async ({ url, client }) => {
      const poolId = randomUUID();
      const prefix = `kmspool:{${poolId}}:`;
      await client.select(3);
      await client.set(`${prefix}meta`, 'of another database');
      await client.select(2);
      const names = range(1, 5000).map((number) => `${prefix}new:${number}`);
      await client.mset(Object.fromEntries([...names, `${prefix}t:9`].map((name) => [name, 'x'])));
      await client.mset(Object.fromEntries(range(1, 3000).map((number) => [`unrelated:${number}`, 'x'])));
      assert.deepEqual(await purge({ url: `${url}/2` }, poolId), { deleted: 5001 });
      assert.deepEqual(await keysOf([client], 'kmspool*'), []);
      assert.equal(await client.dbsize(), 3000);
      await client.select(3);
      assert.equal(await client.dbsize(), 1);
    });
  });

  test('the names that hosts write are known without a scan', async () => {
    await withRedis(
      async ({ url, client }) => {
        const poolId = randomUUID();
        const { tables, ...single } = poolKeyNames(poolId);
        for (const key of [...Object.values(single), ...tables]) await client.set(key, 'x');
        const credentials = { username: 'narrow', password: 'secret' };
        const message = await refusal({ redis: { url }, poolId, credentials, signal: never });
        assert.match(
          message,
          /: Redis denies it \(NOPERM .*\); grant the user \+scan \+unlink on ~kmspool:\* for a purge$/,
        );
        assert.equal(await client.dbsize(), 0);
      },
      ['user narrow on >secret ~kmspool:* -@all +unlink +client|setname'],
    );
  });

  test('a user with the rights of a host, +scan and +unlink is enough', async () => {
    await withRedis(
      async ({ url, client }) => {
        const poolId = await usedPool({ url });
        const credentials = { username: 'narrow', password: 'secret' };
        assert.ok((await purge({ url }, poolId, { credentials })).deleted >= 5);
        assert.equal(await client.dbsize(), 0);
        const wrong = { redis: { url }, poolId, credentials: { ...credentials, password: 'x' }, signal: never };
        assert.match(await refusal(wrong), /: Redis refuses the password; correct username and password in the Secret/);
      },
      ['user narrow on >secret ~kmspool:* -@all +scan +unlink +select +client|setname'],
    );
  });

  test('a server that asks for a password is told of, and so is a replica', async () => {
    await withRedis(async ({ url, port }) => {
      const poolId = randomUUID();
      const replica = await startRedis({ config: [`replicaof 127.0.0.1 ${port}`] });
      try {
        const at = { redis: { url: replica.url }, poolId, signal: never };
        assert.match(await refusal(at), /: the server is a replica; give the master's address, or its Sentinels$/);
      } finally {
        await replica.stop();
      }
      const locked = await startRedis({ config: ['requirepass secret'], password: 'secret' });
      try {
        const at = { redis: { url: locked.url }, poolId, signal: never };
        assert.match(await refusal(at), /: Redis asks for a password; name a Secret with it in credentialsSecretRef$/);
        assert.deepEqual(await purge({ url: locked.url }, poolId, { credentials: { password: 'secret' } }), {
          deleted: 0,
        });
      } finally {
        await locked.stop();
      }
      assert.deepEqual(await purge({ url }, poolId), { deleted: 0 });
    });
  });

  test('a host that still writes is found out', async () => {
    await withRedis(async ({ url, client }) => {
      const poolId = randomUUID();
      let writing = true;
      const write = (): Promise<unknown> => client.set(`kmspool:{${poolId}}:meta`, 'x');
      await write();
      const writer = (async () => {
        while (writing) await write();
      })();
      try {
        const message = await refusal({ redis: { url }, poolId, signal: never });
        assert.match(
          message,
          /: keys come back while they are removed: a host of the pool still runs somewhere; stop it$/,
        );
      } finally {
        writing = false;
        await writer;
      }
    });
  });

  test('nobody there, a server that is stopped and one that says nothing end in time, with a line that names it', async () => {
    const url = `redis://127.0.0.1:${await freePort()}`;
    const poolId = randomUUID();
    assert.equal(
      await refusal({ redis: { url }, poolId, signal: never }),
      `the keys of pool ${poolId} at ${url}: connect ECONNREFUSED ${url.slice(8)}`,
    );
    const { sentinel, cluster } = {
      sentinel: { name: 'kms', addresses: [url.slice(8)] },
      cluster: { addresses: [url.slice(8)] },
    };
    assert.match(
      await refusal({ redis: { sentinel }, poolId, signal: never }),
      /at the master kms of the Sentinels 127\.0\.0\.1:\d+: no server there can be connected to; check addresses and network$/,
    );
    assert.match(
      await refusal({ redis: { cluster }, poolId, signal: never }),
      /at the cluster of 127\.0\.0\.1:\d+: no server there can be connected to; check addresses and network$/,
    );
    await withRedis(async (server) => {
      server.freeze();
      try {
        const message = await refusal({ redis: { url: server.url }, poolId, signal: never, timeoutMs: 300 });
        assert.match(message, /: not done within 0\.3 s; it goes on with the next attempt$/);
      } finally {
        server.thaw();
      }
    });
  });

  test('the signal breaks it off', async () => {
    const mute = createServer(() => {});
    await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
    const { port } = mute.address() as { port: number };
    const stop = new AbortController();
    mute.once('connection', () => stop.abort(new Error('stopping')));
    mute.on('connection', (socket) => socket.on('error', () => {}));
    const purging = purge({ url: `redis://127.0.0.1:${port}` }, randomUUID(), { signal: stop.signal });
    await assert.rejects(purging, /^Error: stopping$/);
    await new Promise((resolve) => mute.close(resolve));
  });
});

test('behind Sentinel the master is purged', { skip: skip || missingBinary('redis-sentinel') }, async () => {
  const group = await startSentinelGroup();
  const sentinel = { name: group.name, addresses: [...group.addresses] };
  try {
    await purgeOneOfTwo({ sentinel }, { sentinel }, [group.master.client]);
    const unknown = { sentinel: { ...sentinel, name: 'other' } };
    assert.match(
      await refusal({ redis: unknown, poolId: randomUUID(), signal: never }),
      /at the master other of the Sentinels/,
    );
  } finally {
    await group.stop();
  }
});

test('in a cluster the node that has the slot is purged, also after the slot has moved', { skip }, async () => {
  const nodes = await startRedisCluster();
  const cluster = { addresses: [...nodes.addresses] };
  const clients = nodes.nodes.map(({ client }) => client);
  try {
    await purgeOneOfTwo({ cluster }, { cluster }, clients);
    // A name that hosts do not write: only a scan of the right node finds it.
    for (const poolId of range(1, 8).map(() => randomUUID())) {
      const slot = slotOf(poolId);
      const owner = clients[Math.min(2, Math.floor((slot * 3) / 16_384))];
      await owner?.set(`kmspool:{${poolId}}:new`, 'x');
      assert.deepEqual(await purge({ cluster }, poolId), { deleted: 1 });
    }
    const poolId = randomUUID();
    const slot = slotOf(poolId);
    assert.equal(slot, Number(await clients[0]?.cluster('KEYSLOT', `kmspool:{${poolId}}:meta`)));
    const target = clients[slot < 8192 ? 2 : 0];
    const id = String(await target?.cluster('MYID'));
    for (const client of clients) await client.cluster('SETSLOT', slot, 'NODE', id);
    await target?.set(`kmspool:{${poolId}}:new`, 'x');
    assert.deepEqual(await purge({ cluster }, poolId), { deleted: 1 });
  } finally {
    await nodes.stop();
  }
});

const noOpenssl = spawnSync('openssl', ['version']).status !== 0 && 'openssl is not installed';

test('over TLS with the certificates of the Secrets, and not without', { skip: skip || noOpenssl }, async () => {
  const directory = await mkdtemp(join(tmpdir(), 'kmspool-purge-tls-'));
  const port = await freePort();
  const subject = ['-subj', '/CN=redis.test.example', '-addext', 'subjectAltName=DNS:redis.test.example'];
  const key = [
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-keyout',
    'tls.key',
    '-out',
    'tls.crt',
  ];
  execFileSync('openssl', ['req', '-x509', '-days', '2', ...key, ...subject], { cwd: directory, stdio: 'pipe' });
  const file = (name: string): string => join(directory, name);
  const files = [
    `tls-cert-file ${file('tls.crt')}`,
    `tls-key-file ${file('tls.key')}`,
    `tls-ca-cert-file ${file('tls.crt')}`,
  ];
  const server = await startRedis({ port, config: ['port 0', `tls-port ${port}`, 'tls-auth-clients yes', ...files] });
  try {
    const [cert, privateKey] = [await readFile(file('tls.crt'), 'utf8'), await readFile(file('tls.key'), 'utf8')];
    const poolId = randomUUID();
    const tls = { ca: cert, cert, key: privateKey, serverName: 'redis.test.example' };
    for (const url of [server.url, server.url.replace('redis:', 'rediss:')])
      assert.deepEqual(await purge({ url }, poolId, { tls }), { deleted: 0 });
    const { ca, ...untrusting } = tls;
    assert.ok(ca);
    const at = { redis: { url: server.url }, poolId, signal: never };
    assert.match(await refusal({ ...at, tls: untrusting }), /certificate/);
    assert.match(await refusal({ ...at, tls: { ...tls, serverName: 'other.example' } }), /other\.example/);
    assert.deepEqual(await purge({ url: server.url }, poolId, { tls: { ...untrusting, insecureSkipVerify: true } }), {
      deleted: 0,
    });
  } finally {
    await server.stop();
    await rm(directory, { recursive: true, force: true });
  }
});
