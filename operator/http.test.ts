// SPDX-License-Identifier: Apache-2.0

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, test } from 'node:test';
import { UserError } from '@kmspool/crds';
import { Gauge, Registry } from 'prom-client';
import { buildHttpServer, type CacheHealth, type HttpView, silenceCheck, startHttp, syncedCheck } from './http.ts';

const LOOPBACK = { address: '127.0.0.1', port: 0 };

function view(changes: Partial<HttpView> = {}): HttpView {
  return { registry: new Registry(), live: [], ready: [], ...changes };
}

function cache(plural: string, silentForMs: number | undefined, synced = true): CacheHealth {
  return { resource: { plural }, hasSynced: () => synced, silentForMs: () => silentForMs };
}

const get = async (of: HttpView, url: string): Promise<[number, unknown]> => {
  const reply = await buildHttpServer(of).inject({ url });
  return [reply.statusCode, reply.json()];
};

describe('health', () => {
  test('without a check there is nothing wrong', async () => {
    for (const url of ['/livez', '/readyz']) assert.deepEqual(await get(view(), url), [200, { checks: [] }]);
  });

  test('one check that is not ok makes 503, and all are shown', async () => {
    const checks = [
      { name: 'caches', problem: () => undefined },
      { name: 'workers', problem: () => 'a reconcile of kms/campus has run for 11 minutes' },
    ];
    const report = {
      checks: [
        { name: 'caches', ok: true, message: 'ok' },
        { name: 'workers', ok: false, message: 'a reconcile of kms/campus has run for 11 minutes' },
      ],
    };
    assert.deepEqual(await get(view({ live: checks }), '/livez'), [503, report]);
    assert.deepEqual(await get(view({ live: checks }), '/readyz'), [200, { checks: [] }]);
    assert.deepEqual(await get(view({ ready: checks }), '/readyz'), [503, report]);
  });

  test('a check that throws is not ok', async () => {
    const broken = { name: 'x', problem: () => assert.fail('no such thing') };
    const [code, body] = await get(view({ live: [broken] }), '/livez');
    assert.deepEqual(
      [code, body],
      [503, { checks: [{ name: 'x', ok: false, message: 'the check failed: no such thing' }] }],
    );
  });

  test('ready means that every cache was listed', () => {
    const { problem } = syncedCheck([
      cache('pods', 0),
      cache('secrets', undefined, false),
      cache('services', 0, false),
    ]);
    assert.equal(problem(), 'not listed yet: secrets, services');
    assert.equal(syncedCheck([cache('pods', 0)]).problem(), undefined);
  });

  test('alive means that no cache is silent for too long; one that never heard anything is not', () => {
    const check = (...caches: CacheHealth[]): string | undefined => silenceCheck(caches, 600_000).problem();
    assert.equal(check(cache('pods', 600_000), cache('secrets', undefined)), undefined);
    assert.equal(check(cache('pods', 600_001), cache('secrets', 5)), 'nothing heard for more than 600 s: pods');
  });
});

test('metrics come as Prometheus reads them', async () => {
  const registry = new Registry();
  new Gauge({ name: 'kmspool_x', help: 'X.', registers: [registry] }).set(3);
  const reply = await buildHttpServer(view({ registry })).inject({ url: '/metrics' });
  assert.match(String(reply.headers['content-type']), /^text\/plain; version=0\.0\.4/);
  assert.ok(reply.body.split('\n').includes('kmspool_x 3'));
});

test('another path is told what there is, and nothing can be changed', async () => {
  assert.deepEqual(await get(view(), '/status'), [404, { error: 'not found; there are /metrics, /livez, /readyz' }]);
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE'] as const)
    assert.equal((await buildHttpServer(view()).inject({ method, url: '/livez' })).statusCode, 404);
});

test('a port in use is one line that names the flag', async () => {
  const first = await startHttp(view(), LOOPBACK);
  try {
    await assert.rejects(startHttp(view(), { address: '127.0.0.1', port: first.port }), (error: Error) => {
      assert.ok(error instanceof UserError);
      assert.equal(
        error.message,
        `--http: 127.0.0.1:${first.port} is in use by another process; stop that one or choose another port`,
      );
      return true;
    });
  } finally {
    await first.close();
  }
});

test('closing answers what was asked, does not wait for who asks nothing, and frees the port', async () => {
  const asked = Promise.withResolvers<void>();
  const finish = Promise.withResolvers<void>();
  const registry = new Registry();
  new Gauge({
    name: 'kmspool_slow',
    help: 'Slow.',
    registers: [registry],
    async collect() {
      asked.resolve();
      await finish.promise;
      this.set(1);
    },
  });
  const listener = await startHttp(view({ registry }), LOOPBACK);
  const url = `http://127.0.0.1:${listener.port}`;
  const mute = connect(listener.port, '127.0.0.1');
  await once(mute, 'connect');
  const gone = once(mute.resume(), 'close');
  const scrape = fetch(`${url}/metrics`);
  await asked.promise;
  const closed = listener.close();
  finish.resolve();
  assert.match(await (await scrape).text(), /kmspool_slow 1/);
  await Promise.all([closed, gone]);
  await assert.rejects(fetch(`${url}/livez`));
});
