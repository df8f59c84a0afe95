// SPDX-License-Identifier: Apache-2.0
//
// Starting and stopping a host in this process: what its user can mend comes back as one line, and nothing is left behind.

import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { type HostConfig, parseHostConfig, UserError } from '@kmspool/crds';
import { pino } from 'pino';
import { createMemoryStore, type HostOptions, startHost } from './index.ts';

function config(changes: Record<string, unknown> = {}): HostConfig {
  const parsed = parseHostConfig(
    JSON.stringify({
      apiVersion: 'kmspool.io/v1alpha1',
      kind: 'HostConfig',
      pool: { name: 'campus', namespace: 'kms' },
      host: { name: 'campus-0', ordinal: 0 },
      port: 0,
      hostKeys: [{ product: 'WindowsServer2025' }],
      store: { kind: 'memory' },
      allowedSources: ['127.0.0.0/8'],
      limits: { drainSeconds: 0 },
      ...changes,
    }),
  );
  assert.ok(parsed.ok);
  return parsed.config;
}

function options(changes: Partial<HostOptions> = {}): HostOptions {
  const own = changes.config ?? config();
  return {
    config: own,
    secret: Buffer.alloc(32, 5),
    adminToken: 'a token of some length',
    listenAddress: '127.0.0.1',
    http: { address: '127.0.0.1', port: 0 },
    store: createMemoryStore({ settings: { maxRequiredCount: own.limits.maxRequiredCount, retention: own.retention } }),
    logger: pino({ level: 'silent' }),
    ...changes,
  };
}

async function mistake(changes: Partial<HostOptions>): Promise<string> {
  const error: unknown = await startHost(options(changes)).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof UserError, String(error));
  assert.doesNotMatch(error.message, /\n/);
  return error.message;
}

test('a host starts ready, answers its own bind, and is gone after stop', async () => {
  const host = await startHost(options());
  assert.deepEqual(await host.probe(), []);
  assert.equal(host.status().ready, true);
  assert.equal((await fetch(`${host.httpUrl}/livez`)).status, 200);
  await host.stop();
  await assert.rejects(fetch(`${host.httpUrl}/livez`));
  assert.match((await host.probe()).join('\n'), /draining.*\n.*does not answer an RPC bind/);
});

test('the key: too short, or another pool\u2019s', async () => {
  assert.match(await mistake({ secret: Buffer.alloc(31, 5) }), /has 31 bytes; put at least 32/);
  const poolId = '6f1c0a2e-0000-4000-8000-0123456789ab';
  assert.match(await mistake({ config: config({ poolId }) }), new RegExp(poolId));
  const host = await startHost(options());
  const own = host.status().poolId;
  await host.stop();
  await (await startHost(options({ config: config({ poolId: own }) }))).stop();
});

test('a port in use is named by its field, and the other port is let go of', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => taken.once('listening', resolve));
  const { port } = taken.address() as { port: number };
  assert.match(
    await mistake({ config: config({ port }) }),
    new RegExp(`^spec\\.port: 127\\.0\\.0\\.1:${port} is in use`),
  );
  assert.match(
    await mistake({ http: { address: '127.0.0.1', port } }),
    new RegExp(`^--http: 127\\.0\\.0\\.1:${port} is in use`),
  );
  taken.close();
});

test('an address of another machine is named', async () => {
  assert.match(
    await mistake({ listenAddress: '203.0.113.1' }),
    /^spec\.port: 203\.0\.113\.1:0 is not an address of this machine/,
  );
});

test('two hosts share a store that is theirs together: it outlives the first', async () => {
  const store = options().store;
  let closed = 0;
  const counting = new Proxy(store, {
    get(target, name) {
      if (name === 'close')
        return async () => {
          closed++;
        };
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  const one = await startHost(options({ store: counting, storeIsShared: true }));
  const two = await startHost(options({ store: counting }));
  await one.stop();
  assert.equal(closed, 0);
  await two.stop();
  assert.equal(closed, 1);
});
