// SPDX-License-Identifier: Apache-2.0

import { setTimeout as delay } from 'node:timers/promises';
// A KmsHostPool in a test's hands: apply it, change it, wait for what its status, its events and its objects say. A wait that ends in vain tells what was
// there instead: conditions, domains, events.
import { LABELS } from '@kmspool/crds';
import { Registry } from 'prom-client';
import {
  DEPLOYMENTS,
  type Deployment,
  DNS_ENDPOINTS,
  type DnsEndpoint,
  PODS,
  POOLS,
  type Pod,
  type PoolObject,
} from '../../../operator/pool/kinds.ts';
import {
  type Client,
  createMetrics,
  Informer,
  type KubernetesObject,
  type Resource,
} from '../../../operator/runtime/index.ts';
import { EVENTS } from '../../../operator/runtime/recorder.ts';

/** A condition as a test compares it: `True AllHostsReady`. */
export type ConditionText = `${'True' | 'False' | 'Unknown'} ${string}`;

/** An event of a pool, oldest first. */
export interface PoolEvent {
  readonly type: string;
  readonly reason: string;
  readonly message: string;
  readonly count: number;
}

/** How often the API server is asked while something is waited for, milliseconds. */
const LOOK_MS = 50;

export class TestPool {
  readonly client: Client;
  readonly namespace: string;
  readonly name: string;

  constructor(client: Client, namespace: string, name: string) {
    this.client = client;
    this.namespace = namespace;
    this.name = name;
  }

  get ref(): { readonly namespace: string; readonly name: string } {
    return { namespace: this.namespace, name: this.name };
  }

  /** Creates it. */
  async create(spec: object): Promise<void> {
    await this.client.create(POOLS, { metadata: this.ref, spec });
  }

  /** A JSON merge patch of the spec. */
  async change(spec: object): Promise<void> {
    await this.client.patch(POOLS, this.ref, { patch: { spec } });
  }

  async delete(): Promise<void> {
    await this.client.delete(POOLS, this.ref);
  }

  /** As it is now; undefined when it is gone. */
  read(): Promise<PoolObject | undefined> {
    return this.client.find(POOLS, this.ref);
  }

  /** Resolves with the pool once it is as wanted. @throws Error with what it was at the end. */
  async when(what: string, holds: (pool: PoolObject) => boolean, timeoutMs = 30_000): Promise<PoolObject> {
    let last: PoolObject | undefined;
    const found = await this.#until(async () => {
      last = await this.read();
      return last !== undefined && holds(last) ? last : undefined;
    }, timeoutMs);
    return found ?? this.#fail(`${what}, after ${timeoutMs} ms`);
  }

  /** Resolves once these conditions stand in the status, all of the present generation. */
  conditions(wanted: Readonly<Record<string, ConditionText>>, timeoutMs = 30_000): Promise<PoolObject> {
    const what = Object.entries(wanted).map(([type, text]) => `${type} ${text}`);
    return this.when(
      what.join(', '),
      (pool) => Object.entries(wanted).every(([type, text]) => conditionOf(pool, type) === text),
      timeoutMs,
    );
  }

  /** Ready and nothing left to do: what kstatus calls current. */
  settled(timeoutMs = 30_000): Promise<PoolObject> {
    return this.when(
      'Ready and settled',
      (pool) =>
        conditionOf(pool, 'Ready')?.startsWith('True ') === true &&
        conditionOf(pool, 'Reconciling') === 'False Settled',
      timeoutMs,
    );
  }

  /** Resolves once it is gone. */
  async gone(timeoutMs = 30_000): Promise<void> {
    const gone = await this.#until(async () => ((await this.read()) === undefined ? true : undefined), timeoutMs);
    if (gone !== true) await this.#fail(`the pool to be gone, after ${timeoutMs} ms`);
  }

  /** What was told of it, the oldest first. */
  async events(): Promise<readonly PoolEvent[]> {
    const fieldSelector = `involvedObject.kind=KmsHostPool,involvedObject.name=${this.name}`;
    const { items } = await this.client.list(EVENTS, { namespace: this.namespace, fieldSelector });
    const time = (event: (typeof items)[number]): string =>
      `${event.firstTimestamp} ${event.metadata.creationTimestamp}`;
    return items
      .sort((a, b) => (time(a) < time(b) ? -1 : 1))
      .map(({ type, reason, message, count }) => ({ type, reason, message, count }));
  }

  /** How often an event with this reason was told. */
  async told(reason: string): Promise<number> {
    const events = await this.events();
    return events.filter((event) => event.reason === reason).reduce((sum, { count }) => sum + count, 0);
  }

  /** Resolves with the newest event of this reason, once it was told so often. */
  async event(reason: string, times = 1, timeoutMs = 10_000): Promise<PoolEvent> {
    const found = await this.#until(async () => {
      const events = (await this.events()).filter((event) => event.reason === reason);
      return events.reduce((sum, { count }) => sum + count, 0) >= times ? events.at(-1) : undefined;
    }, timeoutMs);
    return found ?? this.#fail(`event ${reason} ${times} times, after ${timeoutMs} ms`);
  }

  deployment(ordinal: number): Promise<Deployment | undefined> {
    return this.client.find(DEPLOYMENTS, { namespace: this.namespace, name: `${this.name}-${ordinal}` });
  }

  dnsEndpoint(): Promise<DnsEndpoint | undefined> {
    return this.client.find(DNS_ENDPOINTS, this.ref);
  }

  async pods(): Promise<Pod[]> {
    const { items } = await this.client.list(PODS, {
      namespace: this.namespace,
      labelSelector: `${LABELS.pool}=${this.name}`,
    });
    return items;
  }

  async #until<T>(look: () => Promise<T | undefined>, timeoutMs: number): Promise<T | undefined> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const found = await look();
      if (found !== undefined || performance.now() > deadline) return found;
      await delay(LOOK_MS);
    }
  }

  async #fail(what: string): Promise<never> {
    throw new Error(`waited in vain for ${this.name}: ${what}\n${await this.describe()}`);
  }

  /** Conditions, domains and events, for the message of a failed test. */
  async describe(): Promise<string> {
    const pool = await this.read();
    if (pool === undefined) return 'the pool is gone';
    const { generation } = pool.metadata;
    const conditions = (pool.status?.conditions ?? []).map(
      ({ type, status, reason, message, observedGeneration }) =>
        `  ${type} ${status} ${reason} (${observedGeneration} of ${generation}): ${message}`,
    );
    const domains = (pool.status?.dns ?? []).map((entry) => `  ${JSON.stringify(entry)}`);
    const events = (await this.events()).map(({ reason, count, message }) => `  ${count}x ${reason}: ${message}`);
    return ['conditions', ...conditions, 'domains', ...domains, 'events', ...events].join('\n');
  }
}

/** A condition of the present generation; undefined when there is none, or when it speaks of an older one. */
export function conditionOf(pool: PoolObject, type: string): ConditionText | undefined {
  const found = pool.status?.conditions?.find((condition) => condition.type === type);
  if (found === undefined || found.observedGeneration !== pool.metadata.generation) return undefined;
  return `${found.status} ${found.reason}`;
}

/** Whether a Pod serves: Ready, and not asked to go. */
export function isReadyPod({ metadata, status }: Pod): boolean {
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  return metadata.deletionTimestamp === undefined && ready?.status === 'True';
}

/** Follows a kind in one namespace from now on, every version of every object. */
export interface Following<T extends KubernetesObject> {
  /** What is there now. */
  list(): T[];
  stop(): Promise<void>;
}

/** Calls `seen` with all objects after each change. Resolves once the first list is there. */
export async function follow<T extends KubernetesObject>(
  client: Client,
  {
    resource,
    namespace,
    labelSelector,
  }: { readonly resource: Resource<T>; readonly namespace: string; readonly labelSelector?: string },
  seen: (objects: T[]) => void,
): Promise<Following<T>> {
  const end = new AbortController();
  const informer = new Informer<T>({
    client,
    resource,
    namespaces: [namespace],
    labelSelector,
    metrics: createMetrics(new Registry()),
  });
  const running = informer.run(end.signal);
  await informer.synced(end.signal);
  informer.onChange(() => seen(informer.cache.list()));
  return {
    list: () => informer.cache.list(),
    stop: async () => {
      end.abort();
      await running;
    },
  };
}
