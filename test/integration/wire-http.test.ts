// SPDX-License-Identifier: Apache-2.0
//
// The HTTP interface of a running host: status, metrics, health, and the pages behind the admin token.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, test } from 'node:test';
import { hostConfigHash, hostStatusSchema } from '@kmspool/crds';
import { NDR32, PTYPE } from '@kmspool/kms/wire';
import { type CmidStore, createMemoryStore } from '@kmspool/kms-node';
import { activate, askGood, expectAck, expectFault, expectRefusal, withBound, withClient } from '../harness/expect.ts';
import { type MetricFamily, parseExposition } from '../harness/exposition.ts';
import { ADMIN_TOKEN, hostConfig, startTestHost, type TestHost } from '../harness/host.ts';
import { bindPdu, element, headerPdu, productFields, requestBody, requestPdu } from '../harness/messages.ts';
import { waitFor } from '../harness/wait.ts';

const host = await startTestHost();
after(() => host.stop());
const { keys } = host;

interface Reply {
  readonly status: number;
  readonly text: string;
  readonly type: string;
  readonly headers: Headers;
}

async function get(path: string, options: { token?: string; from?: TestHost } = {}): Promise<Reply> {
  const { token, from = host } = options;
  const headers = token === undefined ? {} : { authorization: token };
  const reply = await fetch(`${from.httpUrl}${path}`, { headers });
  return {
    status: reply.status,
    text: await reply.text(),
    type: reply.headers.get('content-type') ?? '',
    headers: reply.headers,
  };
}

type Page = { items: Record<string, unknown>[]; next?: string };

async function page(path: string): Promise<Page> {
  const reply = await get(path, { token: `Bearer ${ADMIN_TOKEN}` });
  assert.equal(reply.status, 200, reply.text);
  return JSON.parse(reply.text) as Page;
}

/** All pages of a listing, one after the other. */
async function allPages(path: string, limit: number): Promise<Record<string, unknown>[]> {
  const items: Record<string, unknown>[] = [];
  let after = '';
  for (let n = 0; n < 100; n++) {
    const { items: more, next } = await page(`${path}?limit=${limit}${after}`);
    assert.ok(more.length <= limit);
    items.push(...more);
    if (next === undefined) return items;
    assert.equal(more.length, limit, 'a page that is not the last is full');
    after = `&after=${encodeURIComponent(next)}`;
  }
  throw new Error('the pages do not end');
}

test('S1-08 S1-13 /status is a HostStatus: identity, counts with thresholds, and totals by license status', async () => {
  const own = await startTestHost({ config: { activationIntervalMinutes: 15, advertisedPort: 1688 } });
  try {
    for (let n = 0; n < 6; n++) await activate(own, { licenseStatus: n < 4 ? 2 : 1 });
    await activate(own, productFields('office-2021'));
    await withBound(own, 'NDR32', async (client) => {
      expectRefusal(
        await client.ask(requestPdu(requestBody(keys, { countedId: randomUUID(), licenseStatus: 5 }))),
        0xc004f042,
      );
    });
    const reply = await get('/status', { from: own });
    assert.match(reply.type, /^application\/json/);
    const status = hostStatusSchema.parse(JSON.parse(reply.text));
    assert.equal(
      status.configHash,
      hostConfigHash(hostConfig({ activationIntervalMinutes: 15, advertisedPort: 1688 })),
    );
    assert.match(status.hostPid, /^EMULATED-KMS-NOT-GENUINE-POOL-[0-9a-f]{8}-0{9}$/);
    assert.deepEqual([status.port, status.advertisedPort, status.ready, status.reasons], [own.port, 1688, true, []]);
    assert.deepEqual(status.counts[0], {
      application: 'Windows',
      current: 6,
      cap: 50,
      highWaterRequired: 25,
      thresholds: [
        { name: 'Server', required: 5, met: true },
        { name: 'Client', required: 25, met: false },
      ],
    });
    assert.deepEqual(
      status.counts.map(({ current }) => current),
      [6, 0, 1],
    );
    assert.deepEqual([status.totals.total, status.totals.failed], [8, 1]);
    const { oob_grace, licensed, notification, unlicensed } = status.totals.byLicenseStatus;
    assert.deepEqual([oob_grace, licensed, notification, unlicensed], [5, 2, 1, 0]);
    assert.equal(status.clients, 7);
    assert.equal(status.store.state, 'Available');
  } finally {
    await own.stop();
  }
});

function family(families: readonly MetricFamily[], name: string): MetricFamily {
  const found = families.find((one) => one.name === name);
  assert.ok(found, name);
  return found;
}

/** The sum of the samples whose labels have these values. */
function sum(families: readonly MetricFamily[], name: string, labels: Record<string, string> = {}): number {
  return family(families, name)
    .samples.filter((sample) => Object.entries(labels).every(([label, value]) => sample.labels[label] === value))
    .reduce((total, { value }) => total + value, 0);
}

test('/metrics is well-formed text format: help and type for each, the pool\u2019s labels on each, histograms that add up', async () => {
  await activate(host);
  const reply = await get('/metrics');
  assert.match(reply.type, /^text\/plain; version=0\.0\.4/);
  const families = parseExposition(reply.text);
  for (const { name, type, help, samples } of families) {
    assert.match(name, /^(kmspool|process|nodejs)_/);
    assert.ok(help.length > 10 && ['counter', 'gauge', 'histogram'].includes(type), name);
    for (const { labels } of samples) {
      assert.deepEqual([labels['namespace'], labels['pool'], labels['host']], ['test', 'campus', 'campus-0'], name);
    }
    if (type === 'counter') assert.match(name, /_total$/);
  }
  for (const histogram of families.filter(({ type }) => type === 'histogram')) {
    const buckets = histogram.samples.filter(({ name }) => name.endsWith('_bucket'));
    const bounds = buckets.map(({ labels }) => (labels['le'] === '+Inf' ? Infinity : Number(labels['le'])));
    assert.deepEqual(
      bounds,
      [...bounds].sort((a, b) => a - b),
    );
    assert.equal(bounds.at(-1), Infinity);
    const counts = buckets.map(({ value }) => value);
    assert.deepEqual(
      counts,
      [...counts].sort((a, b) => a - b),
      'cumulative',
    );
    const total = histogram.samples.find(({ name }) => name.endsWith('_count'))?.value;
    assert.equal(counts.at(-1), total);
    assert.ok(histogram.samples.some(({ name }) => name.endsWith('_sum')));
  }
  assert.ok(sum(families, 'kmspool_request_duration_seconds') > 0);
});

test('S1-23 S1-24 S1-30 metrics count requests by application, protocol, outcome, HRESULT, license state, and kind', async () => {
  const own = await startTestHost();
  try {
    await activate(own, { licenseStatus: 2 });
    await activate(own, { licenseStatus: 1 });
    await activate(own, { ...productFields('office-2013'), licenseStatus: 1 });
    await withBound(own, 'NDR32', async (client) => {
      expectRefusal(await client.ask(requestPdu(requestBody(keys, { clientTimeMs: 0 }))), 0xc004f06c);
      expectRefusal(await client.ask(requestPdu(Buffer.alloc(260))), 0x8007000d);
      expectFault(await client.ask(requestPdu(requestBody(keys), { opnum: 1 })), 'opRange', { dne: true });
      client.send(headerPdu(1));
      expectFault(await client.read(), 'protoError', { dne: true });
    });
    await withClient(own, async (client) => {
      await client.ask(bindPdu({ elements: [] }));
    });
    const families = parseExposition((await get('/metrics', { from: own })).text);
    const requests = (labels: Record<string, string>): number => sum(families, 'kmspool_requests_total', labels);
    assert.equal(requests({}), 5);
    assert.equal(requests({ application: 'Windows', protocol: 'v6', outcome: 'activated', hresult: '0x00000000' }), 2);
    assert.equal(
      requests({ application: 'Office2013', protocol: 'v5', kind: 'renewal', license_status: 'licensed' }),
      1,
    );
    assert.equal(requests({ kind: 'renewal' }), 2);
    assert.equal(requests({ license_status: 'oob_grace', outcome: 'activated', kind: 'first_activation' }), 1);
    assert.equal(requests({ outcome: 'refused', hresult: '0xC004F06C' }), 1);
    assert.equal(requests({ outcome: 'refused', hresult: '0x8007000D', application: 'none', protocol: 'none' }), 1);
    assert.equal(sum(families, 'kmspool_rpc_faults_total', { status: '0x1C010002' }), 1);
    assert.equal(sum(families, 'kmspool_rpc_faults_total', { status: '0x1C01000B' }), 1);
    assert.equal(sum(families, 'kmspool_binds_refused_total', { reason: '0' }), 1);
    assert.equal(sum(families, 'kmspool_pool_requests_total'), 4, 'what did not decrypt is no request of the pool');
    assert.equal(sum(families, 'kmspool_pool_requests_failed_total'), 1);
    assert.equal(sum(families, 'kmspool_host_ready'), 1);
  } finally {
    await own.stop();
  }
});

test('metrics and status name no machine and no CMID', async () => {
  const cmid = randomUUID();
  await activate(host, { cmid, workstationName: 'secret-machine' });
  for (const path of ['/metrics', '/status']) {
    const { text } = await get(path);
    assert.ok(
      !text.includes('secret-machine') && !text.includes(cmid) && !text.includes(cmid.replaceAll('-', '')),
      path,
    );
    assert.ok(!text.includes(ADMIN_TOKEN));
  }
});

test('/clients, /events and /duplicates need the admin token', async () => {
  for (const path of ['/clients', '/events', '/duplicates', '/clients?limit=x']) {
    for (const token of [undefined, '', 'Bearer', `Bearer ${ADMIN_TOKEN}x`, `Basic ${ADMIN_TOKEN}`, ADMIN_TOKEN]) {
      const reply = await get(path, token === undefined ? {} : { token });
      assert.equal(reply.status, 401, `${path} ${token}`);
      assert.match(reply.headers.get('www-authenticate') ?? '', /^Bearer/);
      assert.match(reply.text, /admin token/);
    }
    if (!path.includes('limit')) await page(path);
  }
});

test('S1-29 /clients lists each client once, latest first, page by page', async () => {
  const cmids = Array.from({ length: 7 }, () => randomUUID());
  for (const cmid of [...cmids, cmids[0] ?? ''])
    await activate(host, { cmid, workstationName: `pc-${cmid.slice(0, 4)}` });
  const wanted = [cmids[0], ...cmids.slice(1).toReversed()];
  for (const limit of [1, 2, 3, 1000]) {
    const items = await allPages('/clients', limit);
    assert.deepEqual(
      items.slice(0, 7).map(({ cmid }) => cmid),
      wanted,
    );
    assert.equal(new Set(items.map(({ cmid, application }) => `${application}${cmid}`)).size, items.length);
  }
  const [latest] = await allPages('/clients', 1000);
  assert.equal(latest?.['address'], '127.0.0.1');
  assert.equal(latest?.['workstationName'], `pc-${cmids[0]?.slice(0, 4)}`);
});

test('S1-27 /events lists every contact, refused ones too, latest first, page by page', async () => {
  const cmid = randomUUID();
  await activate(host, { cmid });
  await withBound(host, 'NDR32', async (client) => {
    expectRefusal(await client.ask(requestPdu(requestBody(keys, { cmid, clientTimeMs: 0 }))), 0xc004f06c);
  });
  await activate(host, { cmid });
  for (const limit of [2, 5, 1000]) {
    const items = await allPages('/events', limit);
    const ours = items.slice(0, 3);
    assert.deepEqual(
      ours.map((event) => [event['cmid'], event['hresult']]),
      [
        [cmid, 0],
        [cmid, 0xc004f06c],
        [cmid, 0],
      ],
    );
    assert.equal(items.length, host.host.status().totals.total);
  }
});

test('S1-17 /duplicates lists the CMIDs that came with several machine names, page by page', async () => {
  const clones = Array.from({ length: 3 }, () => randomUUID());
  for (const cmid of clones) {
    for (const name of ['gold-image', 'clone-1', 'clone-2']) await activate(host, { cmid, workstationName: name });
  }
  await activate(host, { workstationName: 'gold-image' });
  for (const limit of [1, 2, 1000]) {
    const items = await allPages('/duplicates', limit);
    assert.deepEqual(items.map(({ cmid }) => cmid).sort(), [...clones].sort());
    for (const { names } of items) {
      const found = (names as { workstationName: string }[]).map(({ workstationName }) => workstationName);
      assert.deepEqual(found, ['clone-2', 'clone-1', 'gold-image']);
    }
  }
  assert.equal(host.host.status().duplicates, 3);
});

test('bad queries get 400 with a line that names the parameter, unknown paths 404 with what there is', async () => {
  for (const query of ['limit=0', 'limit=1001', 'limit=x', `after=${'x'.repeat(257)}`]) {
    const reply = await get(`/clients?${query}`, { token: `Bearer ${ADMIN_TOKEN}` });
    assert.equal(reply.status, 400, query);
    assert.match(reply.text, query.startsWith('limit') ? /limit/ : /after/);
  }
  const missing = await get('/nothing');
  assert.equal(missing.status, 404);
  assert.match(missing.text, /\/metrics.*\/readyz.*\/clients/);
});

test('/livez and /readyz answer 200 while the host serves', async () => {
  for (const path of ['/livez', '/readyz'])
    assert.deepEqual((({ status, text }) => [status, text])(await get(path)), [200, 'ok\n']);
});

/** A memory store that says it is in this condition. */
function storeIn(state: { condition: 'Available' | 'Starting' | 'LastKnown' | 'Refusing' }): CmidStore {
  const { limits, retention } = hostConfig();
  const memory = createMemoryStore({ settings: { maxRequiredCount: limits.maxRequiredCount, retention } });
  return new Proxy(memory, {
    get(target, name) {
      if (name === 'health')
        return () => ({ ...target.health(), ...state, reason: 'Redis does not answer', staleSeconds: 7 });
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

test('/readyz turns 503 with the reason while the store refuses, stays 200 on LastKnown, and comes back; /livez does not care', async () => {
  const state: Parameters<typeof storeIn>[0] = { condition: 'Available' };
  const own = await startTestHost({ store: storeIn(state) });
  try {
    for (const condition of ['Refusing', 'Starting', 'LastKnown', 'Available'] as const) {
      state.condition = condition;
      const { status, text } = await get('/readyz', { from: own });
      const refusing = condition === 'Refusing' || condition === 'Starting';
      assert.equal(status, refusing ? 503 : 200, condition);
      if (refusing) assert.equal(text, `store ${condition}: Redis does not answer\n`);
      assert.equal((await get('/livez', { from: own })).status, 200);
      const families = parseExposition((await get('/metrics', { from: own })).text);
      assert.equal(sum(families, 'kmspool_store_state', { state: condition }), 1);
      assert.equal(sum(families, 'kmspool_host_ready'), refusing ? 0 : 1);
    }
  } finally {
    await own.stop();
  }
});

test('/readyz turns 503 while draining, and the host still answers clients that come; being asked whether it is ready does not keep it', async () => {
  const own = await startTestHost({ config: { limits: { drainSeconds: 10, connectionsPerSource: 0 } } });
  const stopped = own.stop();
  await activate(own);
  const start = performance.now();
  let over = false;
  const ended = stopped.then(() => {
    over = true;
  });
  while (!over) {
    const reply = await get('/readyz', { from: own }).catch(() => undefined);
    if (reply) assert.deepEqual([reply.status, reply.text.slice(0, 10)], [503, 'draining: ']);
    await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 200))]);
  }
  const tookMs = performance.now() - start;
  assert.ok(tookMs > 1_500 && tookMs < 5_000, `2 s after the last client, not at the bound: ${tookMs} ms`);
  await assert.rejects(activate(own), /ECONNREFUSED/);
});

test('a changed configuration is taken over without dropping a connection; what needs a restart changes nothing', async () => {
  const own = await startTestHost();
  try {
    await withBound(own, 'NDR32', async (client) => {
      assert.equal((await askGood(client, own)).renewalIntervalMinutes, 10_080);
      const changed = hostConfig({
        renewalIntervalMinutes: 20_000,
        allowedSources: ['10.0.0.0/8'],
        limits: { connections: 1, drainSeconds: 0 },
      });
      assert.deepEqual(own.host.reconfigure(changed), []);
      assert.equal((await askGood(client, own)).renewalIntervalMinutes, 20_000);
      const alter = bindPdu({ ptype: PTYPE.alterContext, elements: [element(1, NDR32)] });
      expectAck(await client.ask(alter), PTYPE.alterContextResp);
      await withClient(own, (foreign) => foreign.expectEnd().then(() => undefined), { localAddress: '127.0.0.9' });
      assert.equal(own.host.status().configHash, hostConfigHash(changed));

      const needsRestart = hostConfig({ renewalIntervalMinutes: 99, port: 1700 });
      assert.deepEqual(own.host.reconfigure(needsRestart), ['port']);
      assert.equal((await askGood(client, own)).renewalIntervalMinutes, 20_000);
      assert.equal(own.host.status().configHash, hostConfigHash(changed));
      await waitFor('the metric shows both', async () => {
        const families = parseExposition((await get('/metrics', { from: own })).text);
        const results = ['applied', 'refused'].map((result) =>
          sum(families, 'kmspool_config_reloads_total', { result }),
        );
        return results.join() === '1,1';
      });
    });
  } finally {
    await own.stop();
  }
});
