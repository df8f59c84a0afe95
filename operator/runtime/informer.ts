// SPDX-License-Identifier: Apache-2.0

// A kind as a controller sees it: one cache, filled by one reflector for the whole cluster or by one for each namespace,
// and handlers that hear of changes. It holds no queue; see controller.ts.
import { Cache, type CacheReader, type IndexFunction, trimManagedFields } from './cache.ts';
import type { Client } from './client.ts';
import { type Clock, type Random, systemClock } from './clock.ts';
import { type Logger, silentLogger } from './log.ts';
import type { RuntimeMetrics } from './metrics.ts';
import { Reflector } from './reflector.ts';
import type { Change } from './replica.ts';
import { type KubernetesObject, type Resource, resourceName } from './resource.ts';

/** What to mirror. */
export interface InformerOptions<T extends KubernetesObject> {
  readonly client: Client;
  readonly resource: Resource<T>;
  readonly metrics: RuntimeMetrics;
  /** Namespaces to look at; the whole cluster if absent or empty. */
  readonly namespaces?: readonly string[] | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  /** Ways to find objects, by name; see {@link Cache.byIndex}. */
  readonly indexes?: Readonly<Record<string, IndexFunction<T>>>;
  /** Makes objects lean before they are kept; default {@link trimManagedFields}. */
  readonly trim?: (object: T) => T;
  /** The kind may be missing on the server; then the cache is empty and {@link Informer.available} false. */
  readonly optional?: boolean;
  /** Reading it may be forbidden; then likewise. */
  readonly mayBeForbidden?: boolean;
  /** Default 500 objects. Small pages save no memory, and cost the API server: a fifth of that doubles its work. */
  readonly pageSize?: number;
  /** Default 150 s: two bookmarks and a half. */
  readonly silenceMs?: number;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly log?: Logger;
}

/** Called for every change, in order; must be quick and must not change the object. */
export type ChangeHandler<T> = (change: Change<T>) => void;

/** A cache that follows the API server. */
export class Informer<T extends KubernetesObject> {
  readonly #cache: Cache<T>;
  readonly #reflectors: readonly Reflector<T>[];
  readonly #handlers = new Set<ChangeHandler<T>>();
  readonly #waiting = new Set<() => void>();
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly resource: Resource<T>;

  constructor(options: InformerOptions<T>) {
    this.resource = options.resource;
    this.#clock = options.clock ?? systemClock;
    this.#log = options.log ?? silentLogger;
    this.#cache = new Cache(options.indexes);
    const { namespaces = [] } = options;
    const scopes = namespaces.length === 0 || !options.resource.namespaced ? [undefined] : [...new Set(namespaces)];
    this.#reflectors = scopes.map((namespace) => this.#reflector(options, namespace));
  }

  #reflector(options: InformerOptions<T>, namespace: string | undefined): Reflector<T> {
    const { client, resource, metrics, labelSelector, fieldSelector } = options;
    return new Reflector<T>({
      client,
      resource,
      selection: { namespace, labelSelector, fieldSelector },
      cache: this.#cache,
      onChange: (change) => this.#publish(change),
      trim: options.trim ?? trimManagedFields,
      pageSize: options.pageSize ?? 500,
      silenceMs: options.silenceMs ?? 150_000,
      optional: options.optional ?? false,
      mayBeForbidden: options.mayBeForbidden ?? false,
      metrics: metrics.reflector,
      clock: this.#clock,
      random: options.random ?? Math.random,
      log: this.#log,
    });
  }

  /** The objects; empty before {@link hasSynced}. */
  get cache(): CacheReader<T> {
    return this.#cache;
  }

  /** Whether every namespace was listed whole (or the kind, being optional, is known to be absent). */
  hasSynced(): boolean {
    return this.#reflectors.every(({ state }) => state !== 'pending');
  }

  /** Whether the API server serves the kind. */
  available(): boolean {
    return this.#reflectors.some(({ state }) => state === 'synced');
  }

  /** Milliseconds since the API server last said anything, of the reflector that waits longest; undefined before that. */
  silentForMs(): number | undefined {
    const contacts = this.#reflectors.map(({ contactMs }) => contactMs);
    return contacts.includes(undefined) ? undefined : this.#clock.monotonic() - Math.min(...(contacts as number[]));
  }

  /** Adds a handler; one that comes late is told of what is there, as initial. Answers a function that removes it. */
  onChange(handler: ChangeHandler<T>): () => void {
    this.#handlers.add(handler);
    for (const object of this.#cache.list()) handler({ type: 'added', object, previous: undefined, initial: true });
    return () => this.#handlers.delete(handler);
  }

  /** Resolves once {@link hasSynced}; also, without that, when the signal is aborted. */
  synced(signal: AbortSignal): Promise<void> {
    if (this.hasSynced() || signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const finish = (): void => {
        this.#waiting.delete(finish);
        signal.removeEventListener('abort', finish);
        resolve();
      };
      this.#waiting.add(finish);
      signal.addEventListener('abort', finish, { once: true });
    });
  }

  /** Follows the API server until the signal is aborted. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all(this.#reflectors.map((reflector) => reflector.run(signal, () => this.#stateChanged())));
  }

  #stateChanged(): void {
    this.#log.info({ resource: resourceName(this.resource), available: this.available() }, 'cache state changed');
    if (this.hasSynced()) for (const finish of [...this.#waiting]) finish();
  }

  #publish(change: Change<T>): void {
    for (const handler of this.#handlers) {
      try {
        handler(change);
      } catch (error) {
        this.#log.error({ err: error, resource: resourceName(this.resource) }, 'a change handler failed');
      }
    }
  }
}
