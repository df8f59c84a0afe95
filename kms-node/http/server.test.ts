// SPDX-License-Identifier: Apache-2.0
//
// HTTP on a view of a host that is not there: errors of the store, texts as Prometheus wants them. The interface of a running host is tested in
// test/integration.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { TableState } from '@kmspool/kms/counting';
import { Registry } from 'prom-client';
import { type CmidStore, type PageRequest, StoreUnavailableError } from '../store/store.ts';
import { counter, gauge, histogram } from './exposition.ts';
import type { HostView } from './host-view.ts';
import { buildHttpServer } from './server.ts';

const TOKEN = 'a token of some length';
const EMPTY: TableState = { highWater: 0, entries: new Map() };

/** A view that can do no more than the paths asked for here need. */
function server(store: Partial<CmidStore>): ReturnType<typeof buildHttpServer> {
  const view = {
    config: () => ({ pool: { name: 'p', namespace: 'n' }, host: { name: 'h', ordinal: 0 } }),
    listener: { counters: {} },
    store,
  };
  return buildHttpServer(view as unknown as HostView, TOKEN);
}

const get = (of: ReturnType<typeof buildHttpServer>, url: string, token = TOKEN) =>
  of.inject({ url, headers: { authorization: `Bearer ${token}` } });

describe('the pages behind the admin token', () => {
  test('a store that cannot be asked gives 503 with its reason, any other failure 500', async () => {
    const away = server({
      listClients: () => Promise.reject(new StoreUnavailableError('Redis does not answer')),
      listEvents: () => Promise.reject(new Error('a defect')),
    });
    const reply = await get(away, '/clients');
    assert.deepEqual([reply.statusCode, reply.json()], [503, { error: 'Redis does not answer' }]);
    assert.equal((await get(away, '/events')).statusCode, 500);
  });

  test('limit is 100 unless asked for, and after is handed on', async () => {
    const asked: PageRequest[] = [];
    const listening = server({
      listClients: async (page) => {
        asked.push(page);
        return { items: [] };
      },
    });
    for (const url of ['/clients', '/clients?limit=1000', '/clients?limit=2&after=17']) {
      assert.deepEqual((await get(listening, url)).json(), { items: [] });
    }
    assert.deepEqual(asked, [{ limit: 100 }, { limit: 1000 }, { limit: 2, after: '17' }]);
  });

  test('the store is not asked without the token', async () => {
    const silent = server({ listClients: () => assert.fail('asked') });
    for (const token of ['', `${TOKEN} `.repeat(2), TOKEN.slice(1)]) {
      assert.equal((await get(silent, '/clients', token)).statusCode, 401);
    }
  });

  test('nothing but a table can be changed over HTTP', async () => {
    const any = server({});
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE'] as const) {
      for (const url of ['/status', '/clients', '/metrics']) {
        assert.equal(
          (await any.inject({ method, url, headers: { authorization: `Bearer ${TOKEN}` } })).statusCode,
          404,
        );
      }
    }
  });
});

const POOL_ID = '6f1c0000-0000-0000-0000-000000000000';

describe('POST /import', () => {
  const importing = (merged: (readonly TableState[])[]): ReturnType<typeof buildHttpServer> => {
    const view = {
      config: () => ({ pool: { name: 'p', namespace: 'n' }, host: { name: 'h', ordinal: 0 } }),
      poolId: POOL_ID,
      listener: { counters: {} },
      store: {
        merge: async (tables: readonly TableState[]) => {
          merged.push(tables);
          return [2, 0, 0];
        },
      },
    };
    return buildHttpServer(view as unknown as HostView, TOKEN);
  };
  const post = (of: ReturnType<typeof buildHttpServer>, payload: object, token = TOKEN) =>
    of.inject({ method: 'POST', url: '/import', payload, headers: { authorization: `Bearer ${token}` } });
  const entry = { cmid: '00112233-4455-6677-8899-aabbccddeeff', lastSeen: '2026-01-01T00:00:00.000Z' };
  const table = { application: 'Windows', highWaterRequired: 25, entries: [entry] };

  test('hands the tables to the store, CMIDs as their wire bytes, and answers the counts', async () => {
    const merged: (readonly TableState[])[] = [];
    const reply = await post(importing(merged), { poolId: POOL_ID, tables: [table] });
    assert.equal(reply.statusCode, 200, reply.body);
    assert.deepEqual(reply.json().tables[0], { application: 'Windows', current: 2 });
    const windows = { highWater: 25, entries: new Map([['33221100554477668899aabbccddeeff', Date.UTC(2026, 0, 1)]]) };
    assert.deepEqual(merged, [[windows, EMPTY, EMPTY]]);
  });

  test('needs the token, and refuses a table of another pool unless forced', async () => {
    const merged: (readonly TableState[])[] = [];
    const of = importing(merged);
    assert.equal((await post(of, { poolId: POOL_ID, tables: [table] }, 'x')).statusCode, 401);
    const foreign = { poolId: 'another', tables: [table] };
    assert.equal((await post(of, foreign)).statusCode, 400);
    assert.equal(merged.length, 0);
    assert.equal((await post(of, { ...foreign, force: true })).statusCode, 200);
  });

  test('refuses what is no table in one line, and too much of it', async () => {
    const merged: (readonly TableState[])[] = [];
    const of = importing(merged);
    const long = Array.from({ length: 2001 }, () => entry);
    const bad = [
      { ...table, application: 'Solaris' },
      { ...table, highWaterRequired: 1001 },
      { ...table, highWaterRequired: '25' },
      { ...table, entries: long },
      { ...table, entries: [{ ...entry, cmid: 'no' }] },
      { ...table, entries: [{ ...entry, lastSeen: 'yesterday' }] },
      { ...table, entries: [null] },
      null,
    ];
    for (const one of bad) {
      const reply = await post(of, { poolId: POOL_ID, tables: [one] });
      assert.deepEqual([reply.statusCode, reply.json().error.includes('\n')], [400, false]);
    }
    assert.equal((await post(of, { poolId: POOL_ID, tables: [table, table] })).statusCode, 400);
    assert.equal((await post(of, { poolId: POOL_ID, tables: 'x'.repeat(2_000_000) })).statusCode, 413);
    assert.equal(merged.length, 0);
  });
});

describe('exposition', () => {
  test('counters and gauges show what is read now, and a gauge forgets what is not given any more', async () => {
    const registry = new Registry();
    let samples = [{ labels: { state: 'a' }, value: 3 }];
    counter(registry, { name: 'kmspool_c_total', help: 'A counter.', labels: ['state'] }, () => samples);
    gauge(registry, { name: 'kmspool_g', help: 'A gauge.', labels: ['state'] }, () => samples);
    const lines = async (): Promise<string[]> =>
      (await registry.metrics()).split('\n').filter((line) => /^k/.test(line));
    assert.deepEqual(await lines(), ['kmspool_c_total{state="a"} 3', 'kmspool_g{state="a"} 3']);
    samples = [{ labels: { state: 'b' }, value: 5 }];
    assert.deepEqual(await lines(), ['kmspool_c_total{state="b"} 5', 'kmspool_g{state="b"} 5']);
    assert.deepEqual(
      await lines(),
      ['kmspool_c_total{state="b"} 5', 'kmspool_g{state="b"} 5'],
      'asking twice adds nothing',
    );
  });

  test('a histogram from counts that are not cumulative', async () => {
    const registry = new Registry();
    registry.setDefaultLabels({ pool: 'p' });
    const source = { bounds: [0.1, 1], counts: Float64Array.from([2, 0, 3]), sum: 4.5 };
    histogram(registry, { name: 'kmspool_h_seconds', help: 'A histogram.' }, () => source);
    const text = await registry.metrics();
    assert.match(text, /# TYPE kmspool_h_seconds histogram/);
    assert.deepEqual(
      text.split('\n').filter((line) => line.startsWith('kmspool_h')),
      [
        'kmspool_h_seconds_bucket{le="0.1",pool="p"} 2',
        'kmspool_h_seconds_bucket{le="1",pool="p"} 2',
        'kmspool_h_seconds_bucket{le="+Inf",pool="p"} 5',
        'kmspool_h_seconds_sum{pool="p"} 4.5',
        'kmspool_h_seconds_count{pool="p"} 5',
      ],
    );
  });
});
