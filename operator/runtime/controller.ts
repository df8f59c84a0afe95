// SPDX-License-Identifier: Apache-2.0

// Workers that reconcile: changes of objects become requests in a queue, each request one call of `reconcile`, for the
// same object never two at once. The rules are controller-runtime's: a request is a name and nothing else, an error is
// tried again with growing patience, a TerminalError is not.
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { BackoffPolicy } from './backoff.ts';
import { type Cancel, type Clock, linkAbort, type Random, systemClock } from './clock.ts';
import { ApiError, isConflict, NotLeaderError, TerminalError } from './errors.ts';
import type { Informer } from './informer.ts';
import { type Logger, silentLogger } from './log.ts';
import type { RuntimeMetrics } from './metrics.ts';
import { type AddOptions, LOW_PRIORITY, WorkQueue } from './queue.ts';
import type { Change } from './replica.ts';
import { type KubernetesObject, keyOf, type ObjectRef, refOf } from './resource.ts';

/** When to come back although nothing has changed; undefined or without a time: not. */
export type ReconcileResult = { readonly requeueAfterMs?: number | undefined } | undefined;

/** What a reconcile is given beside the name. */
export interface ReconcileContext {
  /** Aborted when the process stops, after {@link ControllerOptions.drainMs}. */
  readonly signal: AbortSignal;
  /** Carries the controller, the object and an ID of this reconcile. */
  readonly log: Logger;
  /** The same ID. */
  readonly reconcileId: string;
}

/** Brings the world in line with one object. It throws to be called again later. */
export type Reconcile = (request: ObjectRef, context: ReconcileContext) => Promise<ReconcileResult>;

/** What a controller is made of. */
export interface ControllerOptions {
  readonly name: string;
  readonly reconcile: Reconcile;
  readonly metrics: RuntimeMetrics;
  /** Reconciles at once, of different objects; default 1. */
  readonly workers?: number;
  /** How long a reconcile that runs at the stop may go on before its signal is aborted; default 5 s. */
  readonly drainMs?: number;
  readonly backoff?: BackoffPolicy;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly log?: Logger;
}

/** Which objects a change concerns. */
export type Mapper<T> = (object: T, change: Change<T>) => readonly ObjectRef[];

/** The object itself. */
export function toSelf<T extends KubernetesObject>({ metadata }: T): readonly ObjectRef[] {
  return [{ namespace: metadata.namespace, name: metadata.name }];
}

/** The controller that owns the object, if it is of this kind. */
export function toOwner<T extends KubernetesObject>(owner: {
  group: string;
  kind: string;
  namespaced: boolean;
}): Mapper<T> {
  return ({ metadata }) =>
    (metadata.ownerReferences ?? [])
      .filter(
        ({ controller, kind, apiVersion }) => controller && kind === owner.kind && groupOf(apiVersion) === owner.group,
      )
      .map(({ name }) => (owner.namespaced ? { namespace: metadata.namespace, name } : { name }));
}

function groupOf(apiVersion: string): string {
  return apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '';
}

/** Values of the label `result`. */
const RESULTS = ['success', 'requeue_after', 'error'] as const;

/** One reconcile function, its queue and its workers. */
export class Controller {
  readonly #options: ControllerOptions;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #queue: WorkQueue;
  readonly #synced: ((signal: AbortSignal) => Promise<void>)[] = [];
  readonly #unsubscribe: (() => void)[] = [];
  readonly #runId = Math.trunc(Math.random() * 0xffff_ffff).toString(36);
  #reconciles = 0;

  constructor(options: ControllerOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#log = (options.log ?? silentLogger).child({ controller: options.name });
    const { name, metrics, backoff, random } = options;
    this.#queue = new WorkQueue({
      name,
      metrics,
      clock: this.#clock,
      ...(backoff === undefined ? {} : { backoff }),
      ...(random === undefined ? {} : { random }),
    });
    // From 0, as controller-runtime does: a rate would miss the first of a series that begins with it.
    metrics.controller.errors.inc({ controller: name }, 0);
    metrics.controller.terminalErrors.inc({ controller: name }, 0);
    for (const result of RESULTS) metrics.controller.reconciles.inc({ controller: name, result }, 0);
  }

  /**
   * Lets changes of a kind lead to reconciles, and makes {@link run} wait for that cache. `when` leaves out changes that do
   * not matter. Of a modified object both states are mapped: it may have had another owner. `delayMs` lets several changes of a moment lead to one
   * reconcile.
   */
  watch<T extends KubernetesObject>(
    informer: Informer<T>,
    mapper: Mapper<T>,
    when: (change: Change<T>) => boolean = () => true,
    delayMs = 0,
  ): void {
    this.#synced.push((signal) => informer.synced(signal));
    const unsubscribe = informer.onChange((change) => {
      if (!when(change)) return;
      const priority = change.initial ? LOW_PRIORITY : 0;
      const before = change.previous === undefined ? [] : mapper(change.previous, change);
      // Each once: a worker that waits takes the first at once, and the same again would count as news to come back for.
      for (const key of new Set([...before, ...mapper(change.object, change)].map(keyOf)))
        this.#queue.add(key, { priority, delayMs });
    });
    this.#unsubscribe.push(unsubscribe);
  }

  /** Wishes for a reconcile from outside: a timer, a poll. */
  enqueue(request: ObjectRef, options: AddOptions = {}): void {
    this.#queue.add(keyOf(request), options);
  }

  /** Requests that wait and that are in work. */
  get pending(): WorkQueue['size'] {
    return this.#queue.size;
  }

  /**
   * Works until the signal is aborted and what was in work then is done. Begins when all watched caches are synced. Runs
   * once; a new term of leadership needs a new controller.
   */
  async run(signal: AbortSignal): Promise<void> {
    const { name, workers = 1, drainMs = 5_000, metrics } = this.#options;
    const close = (): void => this.#queue.close();
    signal.addEventListener('abort', close, { once: true });
    if (signal.aborted) close();
    metrics.controller.maxConcurrent.set({ controller: name }, workers);
    const inWork = linkAbort();
    let cancelDrain: Cancel = () => {};
    const drain = (): void => {
      cancelDrain = this.#clock.after(drainMs, () => inWork.abort(signal.reason as Error));
    };
    signal.addEventListener('abort', drain, { once: true });
    await Promise.all(this.#synced.map((synced) => synced(signal)));
    await Promise.all(Array.from({ length: workers }, () => this.#work(inWork.signal)));
    cancelDrain();
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    signal.removeEventListener('abort', close);
    signal.removeEventListener('abort', drain);
  }

  async #work(signal: AbortSignal): Promise<void> {
    for (let key = await this.#queue.take(); key !== undefined; key = await this.#queue.take()) {
      await this.#reconcile(key, signal);
      this.#queue.done(key);
      // A reconcile that waits for nothing gives nobody else a turn: a full queue would hold up watches, the Lease and the health checks.
      await nextTurn();
    }
  }

  async #reconcile(key: string, signal: AbortSignal): Promise<void> {
    const { name, reconcile, metrics } = this.#options;
    const labels = { controller: name };
    const reconcileId = `${this.#runId}-${++this.#reconciles}`;
    const request = refOf(key);
    const log = this.#log.child({ namespace: request.namespace, name: request.name, reconcileId });
    const beganMs = this.#clock.monotonic();
    metrics.controller.activeWorkers.inc(labels);
    try {
      this.#succeeded(key, await reconcile(request, { signal, log, reconcileId }));
    } catch (error) {
      this.#failed(key, error, log);
    } finally {
      metrics.controller.activeWorkers.dec(labels);
      metrics.controller.duration.observe(labels, (this.#clock.monotonic() - beganMs) / 1000);
    }
  }

  #succeeded(key: string, result: ReconcileResult): void {
    const { name, metrics } = this.#options;
    const delayMs = result?.requeueAfterMs;
    this.#queue.forget(key);
    if (delayMs !== undefined) this.#queue.add(key, { delayMs });
    metrics.controller.reconciles.inc({
      controller: name,
      result: delayMs === undefined ? 'success' : 'requeue_after',
    });
  }

  #failed(key: string, error: unknown, log: Logger): void {
    const { name, metrics } = this.#options;
    const labels = { controller: name };
    metrics.controller.reconciles.inc({ controller: name, result: 'error' });
    metrics.controller.errors.inc(labels);
    if (error instanceof TerminalError) {
      metrics.controller.terminalErrors.inc(labels);
      this.#queue.forget(key);
      log.error({ err: error }, 'reconcile failed for good');
      return;
    }
    const retryAfterSeconds = error instanceof ApiError ? error.retryAfterSeconds : undefined;
    this.#queue.retry(key, { atLeastMs: (retryAfterSeconds ?? 0) * 1000 });
    // Both are everyday: somebody else was quicker, or the term is over.
    if (isConflict(error) || error instanceof NotLeaderError) log.debug({ err: error }, 'reconcile will be repeated');
    else log.error({ err: error, failures: this.#queue.failures(key) }, 'reconcile failed');
  }
}
