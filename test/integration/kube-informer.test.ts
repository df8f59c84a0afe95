// SPDX-License-Identifier: Apache-2.0
/**
 * Informers on a real API server: they follow it, and lose nothing when it is killed, when it has forgotten what they last saw, when the network swallows
 * their bytes, and when their kind comes and goes.
 */
import assert from 'node:assert/strict';
import { after, before, describe, type TestContext, test } from 'node:test';
import {
  type Change,
  type Clock,
  createMetrics,
  Informer,
  type InformerOptions,
  isGone,
  type KubernetesObject,
  keyOf,
  outcomeOf,
  refOfObject,
  systemClock,
  type WatchEvent,
} from '@kmspool/operator/runtime';
import { Registry } from 'prom-client';
import { CONFIG_MAPS, type ConfigMap, DNS_ENDPOINTS, SECRETS, type Secret } from '../../operator/pool/kinds.ts';
import { removeCrd } from '../harness/kubernetes/cluster-objects.ts';
import { type ControlPlane, startControlPlane } from '../harness/kubernetes/control-plane.ts';
import { missingControlPlane } from '../harness/kubernetes/tools.ts';
import { startProxy } from '../harness/proxy.ts';
import { waitFor } from '../harness/wait.ts';

/** An informer under test, and what it told. */
interface Followed<T extends KubernetesObject> {
  readonly informer: Informer<T>;
  /** `+a` added, `~a` modified, `-a` deleted; `i+a` of the first list. */
  readonly told: string[];
  /** Sum of a metric over all its labels, or over those given. */
  metric(name: string, labels?: Readonly<Record<string, string>>): Promise<number>;
  stop(): Promise<void>;
}

/** Ten times as fast when it waits for long, so that a test need not; what it measures is right. */
const HASTY: Clock = {
  ...systemClock,
  after: (delayMs, run) => systemClock.after(delayMs < 5_000 ? delayMs : delayMs / 20, run),
};

describe('informers on a real API server', { skip: missingControlPlane() }, () => {
  let plane: ControlPlane;

  // Watches of ConfigMaps are fed from etcd itself and not from a cache of the API server's, so that compaction reaches them.
  before(async () => {
    plane = await startControlPlane({ apiServerFlags: ['--watch-cache-sizes=configmaps#0'] });
  });
  after(() => plane?.stop());

  function follow<T extends KubernetesObject>(
    t: TestContext,
    options: Pick<InformerOptions<T>, 'resource'> & Partial<InformerOptions<T>>,
  ): Followed<T> {
    const registry = new Registry();
    const metrics = createMetrics(registry);
    const informer = new Informer<T>({ client: plane.client(), metrics, ...options });
    const told: string[] = [];
    const sign = { added: '+', modified: '~', deleted: '-' };
    informer.onChange(({ type, object, initial }: Change<T>) =>
      told.push(`${initial ? 'i' : ''}${sign[type]}${object.metadata.name}`),
    );
    const stopping = new AbortController();
    const running = informer.run(stopping.signal);
    const stop = (): Promise<void> => {
      stopping.abort(new Error('stop'));
      return running;
    };
    t.after(stop);
    const metric: Followed<T>['metric'] = async (name, labels = {}) => {
      const found = await registry.getSingleMetric(name)?.get();
      assert.ok(found, name);
      return found.values
        .filter((value) =>
          Object.entries(labels).every(([label, wanted]) => Reflect.get(value.labels, label) === wanted),
        )
        .reduce((sum, { value }) => sum + value, 0);
    };
    return { informer, told, metric, stop };
  }

  const put = (namespace: string, name: string, value = '0'): Promise<ConfigMap> =>
    plane.client().apply(CONFIG_MAPS, { metadata: { namespace, name }, data: { value } }, { fieldManager: 'test' });
  const remove = (namespace: string, name: string): Promise<boolean> =>
    plane.client().delete(CONFIG_MAPS, { namespace, name });
  const synced = ({ informer }: { readonly informer: { hasSynced(): boolean } }): Promise<void> =>
    waitFor('the first list', () => informer.hasSynced());
  const behindProxy = async (t: TestContext) => {
    const proxy = await startProxy(plane.port);
    t.after(() => proxy.stop());
    return { proxy, client: plane.client({ server: `https://127.0.0.1:${proxy.port}` }) };
  };

  /** Cache and API server hold the same objects in the same versions. */
  async function assertTrue(informer: Informer<ConfigMap>, namespace: string): Promise<void> {
    const versions = (objects: readonly ConfigMap[]): Record<string, string | undefined> =>
      Object.fromEntries(objects.map((object) => [keyOf(refOfObject(object)), object.metadata.resourceVersion]));
    const { items } = await plane.client().list(CONFIG_MAPS, { namespace });
    await waitFor('the cache to be as the API server', () => {
      const [seen, there] = [versions(informer.cache.list(namespace)), versions(items)];
      return JSON.stringify(Object.entries(seen).sort()) === JSON.stringify(Object.entries(there).sort());
    });
  }

  test('follow what is made, changed and removed, page by page at first, and only in their namespaces', async (t) => {
    const [here, elsewhere] = [await plane.namespace('follow'), await plane.namespace('elsewhere')];
    for (const name of ['a', 'b', 'c', 'd', 'e']) await put(here, name);
    await put(elsewhere, 'x');
    const followed = follow(t, { resource: CONFIG_MAPS, namespaces: [here], pageSize: 2 });
    await synced(followed);
    assert.deepEqual(followed.told.splice(0), ['i+a', 'i+b', 'i+c', 'i+d', 'i+e']);
    await put(here, 'f');
    await put(elsewhere, 'y');
    await put(here, 'a', '1');
    await remove(here, 'b');
    await waitFor('three changes', () => followed.told.length === 3);
    assert.deepEqual(followed.told, ['+f', '~a', '-b']);
    assert.equal(followed.informer.cache.get({ namespace: here, name: 'a' })?.data?.['value'], '1');
    await assertTrue(followed.informer, here);
  });

  test('select by label: an object that loses the label is gone', async (t) => {
    const namespace = await plane.namespace('label');
    const metadata = { namespace, name: 'a', labels: { team: 'blue' } };
    await plane.client().create(CONFIG_MAPS, { metadata });
    const followed = follow(t, { resource: CONFIG_MAPS, namespaces: [namespace], labelSelector: 'team=blue' });
    await synced(followed);
    await plane.client().patch(CONFIG_MAPS, metadata, { patch: { metadata: { labels: { team: null } } } });
    await waitFor('the change', () => followed.told.length === 2);
    assert.deepEqual(followed.told, ['i+a', '-a']);
  });

  test('bookmarks tell how far a watch has come of which nothing else is heard', async () => {
    const [quiet, busy] = [await plane.namespace('quiet'), await plane.namespace('busy')];
    const client = plane.client();
    const { resourceVersion } = await client.list(SECRETS, { namespace: quiet });
    const events: WatchEvent<Secret>[] = [];
    // The API server sends one every minute, and one two seconds before it ends a watch.
    const watching = (async () => {
      const options = { namespace: quiet, resourceVersion, timeoutSeconds: 4 };
      for await (const event of client.watch(SECRETS, options)) events.push(event);
    })();
    let round = 0;
    await waitFor('a bookmark', async () => {
      const data = { round: Buffer.from(String(round++)).toString('base64') };
      await client.apply(SECRETS, { metadata: { namespace: busy, name: 'x' }, data }, { fieldManager: 'test' });
      return events.length > 0;
    });
    await watching;
    assert.ok(
      events.every((event) => event.type === 'BOOKMARK' && Number(event.resourceVersion) > Number(resourceVersion)),
    );
  });

  test('a watch that was cut goes on where it was, without a list', async (t) => {
    const namespace = await plane.namespace('cut');
    const { proxy, client } = await behindProxy(t);
    await put(namespace, 'a');
    const followed = follow(t, { resource: CONFIG_MAPS, namespaces: [namespace], client });
    await synced(followed);
    await waitFor('the watch', async () => (await followed.metric('reflector_watches_total')) === 1);
    proxy.refusing = true;
    proxy.cut();
    await put(namespace, 'b');
    await put(namespace, 'c');
    await remove(namespace, 'b');
    proxy.refusing = false;
    await waitFor('all three changes', () => followed.told.length === 4);
    assert.deepEqual(followed.told, ['i+a', '+b', '+c', '-b']);
    assert.equal(await followed.metric('reflector_lists_total'), 1);
    assert.equal(await followed.metric('reflector_missed_events_total'), 0);
  });

  test('410 after compaction: lists again, and tells what was missed', async (t) => {
    const namespace = await plane.namespace('gone');
    const { proxy, client } = await behindProxy(t);
    await put(namespace, 'a');
    await put(namespace, 'b');
    const followed = follow(t, { resource: CONFIG_MAPS, namespaces: [namespace], client });
    await synced(followed);
    await waitFor('the watch', async () => (await followed.metric('reflector_watches_total')) === 1);
    proxy.refusing = true;
    proxy.cut();
    await put(namespace, 'a', '1');
    await remove(namespace, 'b');
    await put(namespace, 'c');
    await plane.compactEtcd();
    proxy.refusing = false;
    await waitFor('all three changes', () => followed.told.length === 5);
    assert.deepEqual(followed.told.slice(0, 2), ['i+a', 'i+b']);
    assert.deepEqual(followed.told.slice(2).sort(), ['+c', '-b', '~a']);
    assert.equal(await followed.metric('reflector_watch_failures_total', { reason: 'gone' }), 1);
    assert.equal(await followed.metric('reflector_missed_events_total'), 3);
    await put(namespace, 'd');
    await waitFor('the next change', () => followed.told.at(-1) === '+d');
  });

  test('a list whose continuation was compacted away says so, and the informer lists whole', async (t) => {
    const namespace = await plane.namespace('pages');
    for (const name of ['a', 'b', 'c']) await put(namespace, name);
    const client = plane.client();
    const first = await client.list(CONFIG_MAPS, { namespace, limit: 1 });
    await remove(namespace, 'c');
    await plane.compactEtcd();
    const outcome = await outcomeOf(client.list(CONFIG_MAPS, { namespace, limit: 1, continue: first.continue }));
    assert.ok(!outcome.ok && isGone(outcome.error));

    // The same between two pages of an informer.
    const slow = plane.client({ throttle: { qps: 1, burst: 1 } });
    const followed = follow(t, { resource: CONFIG_MAPS, namespaces: [namespace], client: slow, pageSize: 1 });
    await waitFor('the first page', () => followed.told.length === 1);
    await put(namespace, 'd');
    await plane.compactEtcd();
    await synced(followed);
    await assertTrue(followed.informer, namespace);
    assert.deepEqual(followed.told, ['i+a', 'i+b', 'i+d']);
  });

  test('a watch whose bytes the network swallows is given up after the silence, and nothing is lost', async (t) => {
    const namespace = await plane.namespace('silent');
    const { proxy, client } = await behindProxy(t);
    const followed = follow(t, { resource: CONFIG_MAPS, namespaces: [namespace], client, silenceMs: 1_000 });
    await synced(followed);
    await put(namespace, 'a');
    await waitFor('the first change', () => followed.told.length === 1);
    proxy.mute();
    await put(namespace, 'b');
    await waitFor('the second change', () => followed.told.length === 2);
    assert.deepEqual(followed.told, ['+a', '+b']);
    assert.ok((await followed.metric('reflector_watch_failures_total', { reason: 'silence' })) >= 1);
    assert.equal(await followed.metric('reflector_missed_events_total'), 0);
  });

  test('an API server that was killed and comes back: every change arrives, also those made while it came up', async (t) => {
    const namespace = await plane.namespace('killed');
    for (let index = 0; index < 20; index++) await put(namespace, `n${index}`);
    const followed = follow(t, { resource: CONFIG_MAPS, namespaces: [namespace] });
    const cached = follow(t, { resource: SECRETS, namespaces: [namespace] });
    await synced(followed);
    await synced(cached);
    const writing = new AbortController();
    let written = 0;
    const writer = (async () => {
      for (let round = 0; !writing.signal.aborted; round++) {
        const [namesake, fresh] = [`n${round % 20}`, `f${round}`];
        await put(namespace, namesake, String(round)).then(
          () => written++,
          () => undefined,
        );
        await put(namespace, fresh).then(
          () => written++,
          () => undefined,
        );
        if (round % 3 === 0) await remove(namespace, fresh).catch(() => undefined);
      }
    })();
    await waitFor('some writes', () => written > 20);
    await plane.killApiServer();
    const atDeath = written;
    await plane.startApiServer();
    await waitFor('writes after it', () => written > atDeath + 20);
    writing.abort();
    await writer;
    await plane.client().create(SECRETS, { metadata: { namespace, name: 'last' } });
    await waitFor('the Secret', () => cached.told.includes('+last'));
    await assertTrue(followed.informer, namespace);
    const known = new Set<string>();
    for (const change of followed.told) {
      const [, sign, name = ''] = /^i?([+~-])(.*)$/.exec(change) ?? [];
      assert.equal(known.has(name), sign !== '+', `${change}: what was told must fit what was told before`);
      if (sign === '+') known.add(name);
      if (sign === '-') known.delete(name);
    }
    assert.deepEqual(
      [...known].sort(),
      followed.informer.cache
        .list()
        .map(({ metadata }) => metadata.name)
        .sort(),
    );
  });

  test('an API server that stands still for a while: its caches go on when it does', async (t) => {
    const namespace = await plane.namespace('paused');
    const client = plane.client({ timeoutMs: 1_000 });
    const followed = follow(t, { resource: CONFIG_MAPS, namespaces: [namespace], client, silenceMs: 1_000 });
    await synced(followed);
    plane.pauseApiServer();
    t.after(() => plane.resumeApiServer());
    const failures = (): Promise<number> => followed.metric('reflector_watch_failures_total');
    const before = await failures();
    await waitFor('the watch to be given up', async () => (await failures()) > before + 1);
    assert.ok((followed.informer.silentForMs() ?? 0) > 1_000);
    plane.resumeApiServer();
    await put(namespace, 'a');
    await waitFor('the change', () => followed.told.length === 1, 30_000);
    assert.deepEqual(followed.told, ['+a']);
  });

  test('while etcd stands still the caches stay as they are', async (t) => {
    const namespace = await plane.namespace('etcd');
    await put(namespace, 'a');
    const followed = follow(t, { resource: CONFIG_MAPS, namespaces: [namespace], silenceMs: 1_000 });
    await synced(followed);
    plane.pauseEtcd();
    t.after(() => plane.resumeEtcd());
    await assert.rejects(plane.client().patch(CONFIG_MAPS, { namespace, name: 'a' }, { patch: {}, timeoutMs: 1_500 }));
    assert.equal(followed.informer.cache.size, 1);
    plane.resumeEtcd();
    await put(namespace, 'b');
    await waitFor('the change', () => followed.told.at(-1) === '+b', 30_000);
    assert.deepEqual(followed.told, ['i+a', '+b']);
  });

  test('an optional kind that is absent counts as synced; it is found once it is installed, and its end empties the cache', async (t) => {
    const followed = follow(t, { resource: DNS_ENDPOINTS, optional: true, clock: HASTY });
    await synced(followed);
    assert.deepEqual([followed.informer.available(), followed.informer.cache.size], [false, 0]);
    await plane.applyCrds('DNSEndpoint');
    const metadata = { namespace: await plane.namespace('optional'), name: 'campus' };
    await plane.client().create(DNS_ENDPOINTS, { metadata, spec: { endpoints: [] } });
    await waitFor('the kind', () => followed.informer.available());
    await waitFor('the object', () => followed.informer.cache.size === 1);
    await plane.client().patch(DNS_ENDPOINTS, metadata, { patch: { metadata: { labels: { a: 'b' } } } });
    await waitFor('the change', () => followed.told.includes('~campus'));
    await removeCrd(plane.client(), 'DNSEndpoint');
    await waitFor('the end of the kind', () => !followed.informer.available(), 30_000);
    assert.equal(followed.informer.cache.size, 0);
    assert.deepEqual(
      followed.told.map((change) => change.replace('i', '')),
      ['+campus', '~campus', '-campus'],
    );
  });
});
