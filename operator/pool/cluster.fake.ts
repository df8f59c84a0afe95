// SPDX-License-Identifier: Apache-2.0

// For tests: the operator's real caches and client on an API server in memory, over real HTTP, and a Reconciler on them with an observer and a poller that only
// note what they are told. It stores what is written and tells every watch; it checks nothing. Time stands still unless the test turns it.
import { Registry } from 'prom-client';
import type { DnsObserver } from '../dns/observer.ts';
import { createOperatorMetrics, type OperatorMetrics } from '../metrics.ts';
import {
  type FakeApiServer,
  type Handler,
  listOf,
  type Reply,
  type Seen,
  startFakeApiServer,
  type WatchStream,
} from '../runtime/api-server.fake.ts';
import { FakeClock, until } from '../runtime/clock.fake.ts';
import {
  collectionPath,
  type EventRecorder,
  type KubernetesObject,
  type Resource,
  silentLogger,
} from '../runtime/index.ts';
import { type Caches, createCaches, followAll, PoolReader } from './caches.ts';
import type { HostPoller } from './host-poller.ts';
import type { Reconciler } from './reconcile.ts';
import { SETTINGS } from './world.fake.ts';
import { Written } from './written.ts';

const NAMESPACE = 'kms';
/** Collection, name, subresource. */
const PATH = /^(.*?\/v1[^/]*(?:\/namespaces\/[^/]+)?\/[a-z]+)(?:\/([^/]+))?(?:\/([a-z]+))?$/;

/** A cluster with one namespace, `kms`. */
export class FakeCluster {
  readonly server: FakeApiServer;
  readonly caches: Caches;
  readonly clock = new FakeClock();
  readonly registry = new Registry();
  readonly metrics: OperatorMetrics = createOperatorMetrics(this.registry);
  readonly reconciler: Reconciler;
  /** Events that were recorded, as `Reason: message`. */
  readonly events: string[] = [];
  /** What observer and poller were told, as `observer.watch kms/campus`. */
  readonly told: string[] = [];
  /** Handlers that observer and poller were given. */
  readonly handlers: ((key: string) => void)[] = [];
  /** Answers a write by itself, or undefined. */
  refuse: (seen: Seen) => Handler | undefined = () => undefined;
  /** Whether watches say nothing: the caches stay behind. */
  silent = false;
  readonly #objects = new Map<string, KubernetesObject>();
  readonly #watches: { readonly collection: string; readonly selector: string; readonly stream: WatchStream }[] = [];
  readonly #stop = new AbortController();
  #following: Promise<void> = Promise.resolve();
  #version = 0;

  constructor(server: FakeApiServer) {
    this.server = server;
    const { clock } = this;
    server.handle((seen, reply) => this.#answer(seen, reply));
    const client = server.client({ clock });
    this.caches = createCaches({
      client,
      metrics: server.metrics,
      namespaces: [],
      silenceMs: 1e9,
      clock,
      log: silentLogger,
    });
    const spy = (who: string) => ({
      watch: (key: string) => void this.told.push(`${who}.watch ${key}`),
      forget: (key: string) => void this.told.push(`${who}.forget ${key}`),
      onChange: (handler: (key: string) => void) => void this.handlers.push(handler),
      observation: () => ({ domains: new Map(), hosts: new Map() }),
      reports: () => new Map(),
    });
    this.reconciler = {
      client,
      caches: this.caches,
      pools: new PoolReader(),
      written: new Written(clock),
      observer: spy('observer') as unknown as DnsObserver,
      poller: spy('poller') as unknown as HostPoller,
      recorder: {
        event: ({ reason, message }: { reason: string; message: string }) =>
          void this.events.push(`${reason}: ${message}`),
      } as unknown as EventRecorder,
      metrics: this.metrics,
      clock,
      settings: SETTINGS,
      purge: async () => {},
      onStep: () => {},
      resyncMs: 600_000,
      countsWritten: new Map(),
    };
  }

  /** Resolves once all caches are synced and watch. */
  async start(): Promise<void> {
    this.#following = followAll(this.caches, this.#stop.signal);
    const informers = Object.values(this.caches);
    await until(() => informers.every((informer) => informer.hasSynced()), 'the caches to be synced');
    await until(() => this.#watches.length === informers.length, 'all watches');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new Error('the test is over'));
    await this.#following;
    await this.server[Symbol.asyncDispose]();
  }

  /** Puts an object there, as somebody else would; answers it as stored. */
  put<T extends KubernetesObject>(resource: Resource<T>, object: T): T {
    return this.#store(`${collectionPath(resource, NAMESPACE)}/${object.metadata.name}`, object) as T;
  }

  get<T extends KubernetesObject>(resource: Resource<T>, name: string): T | undefined {
    return this.#objects.get(`${collectionPath(resource, NAMESPACE)}/${name}`) as T | undefined;
  }

  remove(resource: Resource, name: string): void {
    this.#remove(`${collectionPath(resource, NAMESPACE)}/${name}`);
  }

  /** Requests that were to change something, as `PATCH services/campus-0`. */
  writes(): string[] {
    const changing = this.server.seen.filter(({ method }) => method !== 'GET');
    return changing.map(({ method, path }) => `${method} ${path.split(`/namespaces/${NAMESPACE}/`)[1]}`);
  }

  #answer(seen: Seen, reply: Reply): void {
    const refusal = seen.method === 'GET' ? undefined : this.refuse(seen);
    const [, collection = '', name, subresource] = PATH.exec(seen.path) ?? [];
    if (refusal !== undefined) refusal(seen, reply);
    else if (name === undefined) this.#answerCollection(seen, reply, collection);
    else this.#answerObject(seen, reply, { key: `${collection}/${name}`, subresource });
  }

  #answerCollection({ method, query, body }: Seen, reply: Reply, collection: string): void {
    const selector = query.get('labelSelector') ?? '';
    const object = body as unknown as KubernetesObject;
    if (method === 'POST') reply.json(this.#store(`${collection}/${object.metadata.name}`, object), 201);
    else if (query.get('watch') === 'true') this.#watches.push({ collection, selector, stream: reply.watch() });
    else reply.json(listOf(this.#listed(collection, selector), this.#version));
  }

  #answerObject({ method, body }: Seen, reply: Reply, at: { key: string; subresource: string | undefined }): void {
    const known = this.#objects.get(at.key);
    if (method === 'PATCH') reply.json(this.#store(at.key, merged(known, body ?? {}, at.subresource)));
    else if (known === undefined) reply.status(404, 'NotFound');
    else {
      if (method === 'DELETE') this.#remove(at.key);
      reply.json(known);
    }
  }

  /** Caches look at all namespaces; objects lie in one. */
  #listed(collection: string, selector: string): KubernetesObject[] {
    return [...this.#objects].flatMap(([key, object]) =>
      clusterWide(key) === collection && isSelected(object, selector) ? [object] : [],
    );
  }

  #store(key: string, object: KubernetesObject): KubernetesObject {
    const known = this.#objects.get(key);
    const resourceVersion = String(++this.#version);
    const uid = known?.metadata.uid ?? object.metadata.uid ?? `uid-${resourceVersion}`;
    const stored = { ...object, metadata: { ...object.metadata, namespace: NAMESPACE, uid, resourceVersion } };
    this.#objects.set(key, stored);
    this.#tell(key, known === undefined ? 'ADDED' : 'MODIFIED', stored);
    return stored;
  }

  #remove(key: string): void {
    const known = this.#objects.get(key);
    if (known === undefined) return;
    this.#objects.delete(key);
    const metadata = { ...known.metadata, resourceVersion: String(++this.#version) };
    this.#tell(key, 'DELETED', { ...known, metadata });
  }

  #tell(key: string, type: string, object: KubernetesObject): void {
    if (this.silent) return;
    for (const { collection, selector, stream } of this.#watches)
      if (clusterWide(key) === collection && isSelected(object, selector)) stream.event(type, object);
  }
}

/** Starts a cluster whose caches do not follow yet; use with `await using`. */
export async function startFakeCluster(): Promise<FakeCluster> {
  return new FakeCluster(await startFakeApiServer());
}

/** `name=value`, or nothing. */
function isSelected({ metadata }: KubernetesObject, selector: string): boolean {
  const [name = '', value] = selector.split('=');
  return selector === '' || metadata.labels?.[name] === value;
}

function clusterWide(key: string): string {
  return key.replace(`/namespaces/${NAMESPACE}`, '').replace(/\/[^/]+$/, '');
}

/** Members that are written replace those that are there; of a status request only the status, of the rest not the status. */
function merged(known: KubernetesObject | undefined, body: object, subresource: string | undefined): KubernetesObject {
  const written = body as KubernetesObject & { status?: unknown };
  if (subresource === 'status')
    return { ...known, status: written.status, metadata: known?.metadata ?? written.metadata } as KubernetesObject;
  return { ...known, ...written, metadata: { ...known?.metadata, ...written.metadata } };
}
