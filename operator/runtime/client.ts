// SPDX-License-Identifier: Apache-2.0

// A small client of the Kubernetes API: the verbs that controllers use, on plain JSON, so that no field is lost that this program does not know. Not a
// generated client: kinds and their types come from whoever uses it.
import { type Clock, type Random, systemClock } from './clock.ts';
import { type Connection, dropIdleConnections } from './connection.ts';
import { isNotFound } from './errors.ts';
import { linesOf } from './lines.ts';
import { type ListRest, requestItems } from './list-items.ts';
import { withoutManagedFields } from './managed-fields.ts';
import type { RuntimeMetrics } from './metrics.ts';
import { type ApiRequest, type Query, type RequestContext, requestStream, requestText } from './request.ts';
import {
  collectionPath,
  type KubernetesObject,
  type ObjectRef,
  objectPath,
  type Resource,
  refOfObject,
  resourceName,
  typeOf,
} from './resource.ts';
import { Throttle, type ThrottlePolicy } from './throttle.ts';
import { parseWatchEvent, type WatchEvent } from './watch-event.ts';

/** What a client is made of. */
export interface ClientOptions {
  readonly connection: Connection;
  readonly metrics: RuntimeMetrics;
  /** `program/version`, as the API server's audit log shows it. */
  readonly userAgent: string;
  /** Default 100 requests a second after 200 at once. */
  readonly throttle?: ThrottlePolicy;
  /** For one attempt of a request; default 30 s. */
  readonly timeoutMs?: number;
  /** Leaves `metadata.managedFields` out of everything that is read: a third of the work for who has no use for them. Default false. */
  readonly omitManagedFields?: boolean;
  readonly clock?: Clock;
  readonly random?: Random;
}

/** Which objects of a kind. */
export interface Selection {
  /** One namespace; all of them if absent. */
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
}

/** One page of a list. */
export interface ListOptions extends Selection, CallOptions {
  /** Objects a page; all at once if absent. */
  readonly limit?: number | undefined;
  /** Token of the page before. */
  readonly continue?: string | undefined;
}

/** A page of objects; `continue` is there if more follow. */
export interface Page<T> {
  readonly items: T[];
  /** Where a watch goes on from this list. */
  readonly resourceVersion: string;
  readonly continue: string | undefined;
}

/** Where a watch starts and how long it lasts. */
export interface WatchOptions extends Selection, CallOptions {
  readonly resourceVersion: string;
  readonly timeoutSeconds: number;
  readonly allowWatchBookmarks?: boolean;
}

/** What any call takes. */
export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs?: number | undefined;
}

/** Server-side apply. */
export interface ApplyOptions extends CallOptions {
  readonly fieldManager: string;
  /** Take over fields that another manager set; default true, as controllers should. */
  readonly force?: boolean;
  /** `status` or another subresource. */
  readonly subresource?: string | undefined;
  readonly dryRun?: boolean;
}

/** Deletion, bound to what was read if wanted. */
export interface DeleteOptions extends CallOptions {
  readonly uid?: string | undefined;
  readonly resourceVersion?: string | undefined;
  readonly propagation?: 'Background' | 'Foreground' | 'Orphan';
  readonly gracePeriodSeconds?: number | undefined;
}

/** An object to be written: complete enough to be addressed; apiVersion and kind are put in. */
export type Intent<T extends KubernetesObject> = Partial<T> & Pick<T, 'metadata'>;

const DEFAULT_THROTTLE: ThrottlePolicy = { qps: 100, burst: 200 };
const DEFAULT_TIMEOUT_MS = 30_000;

/** The API server, as seen by one program. All calls throw what {@link requestText} throws. */
export class Client {
  readonly #context: RequestContext;

  private constructor(context: RequestContext) {
    this.#context = context;
  }

  /** Makes a client; it connects at its first call. */
  static create(options: ClientOptions): Client {
    return new Client({
      connection: options.connection,
      metrics: options.metrics.rest,
      userAgent: options.userAgent,
      throttle: new Throttle(options.throttle ?? DEFAULT_THROTTLE),
      timeoutMs: options.timeoutMs ?? DEFAULT_TIMEOUT_MS,
      clock: options.clock ?? systemClock,
      random: options.random ?? Math.random,
      guard: () => {},
      lighten: options.omitManagedFields === true ? withoutManagedFields : (json) => json,
    });
  }

  /**
   * A client on the same connections whose writes `guard` may refuse by throwing. It is asked in the turn in which the request is written, after all waits.
   */
  withGuard(guard: () => void): Client {
    return new Client({ ...this.#context, guard });
  }

  /** A client on the same connections with a throttle of its own, for what must not queue behind the rest. */
  withThrottle(throttle: ThrottlePolicy): Client {
    return new Client({ ...this.#context, throttle: new Throttle(throttle) });
  }

  /** Any request, for what the verbs below do not cover. Answers the parsed body, undefined if it is empty. */
  async request<T>(request: ApiRequest): Promise<T> {
    const { body } = await requestText(this.#context, request);
    return (body === '' ? undefined : JSON.parse(this.#context.lighten(body))) as T;
  }

  /** Reads an object. @throws ApiError 404 when there is none; see {@link find}. */
  get<T extends KubernetesObject>(resource: Resource<T>, ref: ObjectRef, options: CallOptions = {}): Promise<T> {
    return this.#call<T>(resource, { method: 'GET', path: objectPath(resource, ref), repeatable: true, ...options });
  }

  /** Reads an object, or undefined when there is none. */
  async find<T extends KubernetesObject>(
    resource: Resource<T>,
    ref: ObjectRef,
    options: CallOptions = {},
  ): Promise<T | undefined> {
    return orAbsent(this.get(resource, ref, options));
  }

  /** One page of a consistent list. */
  async list<T extends KubernetesObject>(resource: Resource<T>, options: ListOptions = {}): Promise<Page<T>> {
    const list = await this.request<ListRest<T>>(listRequest(resource, options));
    const items = (list.items ?? []).map((item) => Object.assign(item, typeOf(resource)));
    const next = list.metadata.continue;
    return { items, resourceVersion: list.metadata.resourceVersion, continue: next || undefined };
  }

  /**
   * All objects, each told as it comes, however large the pages are. Answers the list's resource version. When it throws, some may have been told; a continue
   * token that expires between pages is thrown as 410.
   */
  async listEach<T extends KubernetesObject>(
    resource: Resource<T>,
    options: ListOptions,
    onItem: (item: T) => void,
  ): Promise<string> {
    const request = listRequest(resource, options);
    const tell = (item: T): void => onItem(Object.assign(item, typeOf(resource)));
    let { continue: token } = options;
    for (;;) {
      const page = { ...request, query: { ...request.query, continue: token } };
      const { metadata } = await requestItems(this.#context, page, tell);
      token = metadata.continue || undefined;
      if (token === undefined) return metadata.resourceVersion;
    }
  }

  /** Creates an object. @throws ApiError 409 AlreadyExists. */
  create<T extends KubernetesObject>(resource: Resource<T>, object: Intent<T>, options: CallOptions = {}): Promise<T> {
    const path = collectionPath(resource, object.metadata.namespace);
    return this.#call<T>(resource, { method: 'POST', path, body: { ...typeOf(resource), ...object }, ...options });
  }

  /** Writes a whole object over the one that was read. @throws ApiError 409 Conflict when it changed meanwhile. */
  replace<T extends KubernetesObject>(resource: Resource<T>, object: T, options: CallOptions = {}): Promise<T> {
    const path = objectPath(resource, refOfObject(object));
    return this.#call<T>(resource, { method: 'PUT', path, body: { ...typeOf(resource), ...object }, ...options });
  }

  /** Server-side apply: the fields given are this manager's, all others are left alone. Creates the object if needed. */
  apply<T extends KubernetesObject>(resource: Resource<T>, object: Intent<T>, options: ApplyOptions): Promise<T> {
    const { fieldManager, force = true, subresource, dryRun, ...call } = options;
    return this.#call<T>(resource, {
      method: 'PATCH',
      path: objectPath(resource, refOfObject(object), subresource),
      query: { fieldManager, force, dryRun: dryRun === true ? 'All' : undefined },
      body: { ...typeOf(resource), ...object },
      contentType: 'application/apply-patch+yaml',
      repeatable: true,
      ...call,
    });
  }

  /** Server-side apply of the status alone. */
  applyStatus<T extends KubernetesObject>(resource: Resource<T>, object: Intent<T>, options: ApplyOptions): Promise<T> {
    return this.apply(resource, object, { ...options, subresource: 'status' });
  }

  /** JSON merge patch (RFC 7386): lists are replaced whole, null removes. */
  patch<T extends KubernetesObject>(
    resource: Resource<T>,
    ref: ObjectRef,
    change: { readonly patch: object; readonly query?: Query; readonly subresource?: string } & CallOptions,
  ): Promise<T> {
    const { patch, query, subresource, ...call } = change;
    const path = objectPath(resource, ref, subresource);
    const contentType = 'application/merge-patch+json';
    return this.#call<T>(resource, { method: 'PATCH', path, query, body: patch, contentType, ...call });
  }

  /** Deletes an object. False when there was none. @throws ApiError 409 when uid or resource version no longer match. */
  async delete<T extends KubernetesObject>(
    resource: Resource<T>,
    ref: ObjectRef,
    options: DeleteOptions = {},
  ): Promise<boolean> {
    const { uid, resourceVersion, propagation, gracePeriodSeconds, ...call } = options;
    const preconditions = uid === undefined && resourceVersion === undefined ? undefined : { uid, resourceVersion };
    const body = {
      kind: 'DeleteOptions',
      apiVersion: 'v1',
      preconditions,
      gracePeriodSeconds,
      propagationPolicy: propagation,
    };
    const request = { method: 'DELETE', path: objectPath(resource, ref), body, repeatable: true, ...call } as const;
    return (await orAbsent(this.#call<object>(resource, request).then(() => true))) ?? false;
  }

  /**
   * The changes after a resource version, as they come. Ends when the server ends the watch; the reader's pace holds the
   * server back. The caller watches for silence: a connection may be dead without saying so.
   *
   * @throws ApiError for an `ERROR` event too (410: list again); SyntaxError when a line is no JSON.
   */
  async *watch<T extends KubernetesObject>(
    resource: Resource<T>,
    options: WatchOptions,
  ): AsyncGenerator<WatchEvent<T>, void, void> {
    const { namespace, labelSelector, fieldSelector, signal, timeoutMs, allowWatchBookmarks = true } = options;
    const { resourceVersion, timeoutSeconds } = options;
    const path = collectionPath(resource, namespace);
    const query = { watch: true, labelSelector, fieldSelector, resourceVersion, timeoutSeconds, allowWatchBookmarks };
    const request: ApiRequest = { method: 'GET', path, query, signal, timeoutMs, resource: resourceName(resource) };
    const answer = await requestStream(this.#context, request);
    try {
      for await (const line of linesOf(answer.body)) yield parseWatchEvent<T>(this.#context.lighten(line), path);
    } finally {
      answer.close();
    }
  }

  /** Closes the connections that lie unused: where one has died without a word, the others may have too. */
  async dropIdle(): Promise<void> {
    dropIdleConnections((await this.#context.connection.authorize()).agent);
  }

  /** Closes the connections that are kept open. */
  close(): void {
    this.#context.connection.close();
  }

  #call<T>(resource: Resource, request: ApiRequest): Promise<T> {
    return this.request<T>({ ...request, resource: resourceName(resource) });
  }
}

function listRequest(resource: Resource, options: ListOptions): ApiRequest {
  const { namespace, signal, timeoutMs, labelSelector, fieldSelector, limit } = options;
  const query = { labelSelector, fieldSelector, limit, continue: options.continue };
  const path = collectionPath(resource, namespace);
  return { method: 'GET', path, query, signal, timeoutMs, repeatable: true, resource: resourceName(resource) };
}

async function orAbsent<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}
