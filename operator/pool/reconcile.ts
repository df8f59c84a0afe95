// SPDX-License-Identifier: Apache-2.0

// One reconcile of one pool: gather -> plan -> apply -> status. Everything that is decided is decided in plan.ts and status/; this is the walk.
import { canonicalJson, FIELD_MANAGER, type KmsHostPoolStatus } from '@kmspool/crds';
import type { DnsObserver } from '../dns/observer.ts';
import type { OperatorMetrics } from '../metrics.ts';
import {
  type Clock,
  type EventRecorder,
  isNotFound,
  keyOf,
  type ObjectRef,
  type ReconcileContext,
  type ReconcileResult,
} from '../runtime/index.ts';
import { applySteps, type Hands } from './apply.ts';
import type { PoolReader } from './caches.ts';
import { gather, type Sources } from './gather.ts';
import type { HostPoller } from './host-poller.ts';
import { DNS_ENDPOINTS, POOLS, type PoolObject } from './kinds.ts';
import { planPool } from './plan.ts';
import type { EventWish, Plan } from './state.ts';
import { buildStatus, eventsFor, invalidSpecStatus, sameCounts, statusRequeueAfterMs } from './status/index.ts';
import type { World } from './world.ts';

/** What a reconcile works with; one for each term of leadership. */
export interface Reconciler extends Sources, Hands {
  readonly pools: PoolReader;
  readonly observer: DnsObserver;
  readonly poller: HostPoller;
  readonly recorder: EventRecorder;
  readonly metrics: OperatorMetrics;
  readonly clock: Clock;
  readonly resyncMs: number;
  /** By pool: when this process last wrote its counts, for they are not written at every change. */
  readonly countsWritten: Map<string, number>;
}

/** Brings the world in line with one pool. */
export async function reconcilePool(
  r: Reconciler,
  ref: ObjectRef,
  context: ReconcileContext,
): Promise<ReconcileResult> {
  const cached = r.caches.pools.cache.get(ref);
  const object = cached && r.written.latest(POOLS, ref, cached);
  if (object === undefined) return forgetPool(r, ref);
  const log = context.log.child({ generation: object.metadata.generation });
  const read = r.pools.read(object);
  const nowMs = r.clock.now();
  if (!read.ok) {
    const message = `the spec is not valid: ${read.errors.join('; ')}`;
    await writeStatus(r, object, invalidSpecStatus({ object, message, nowMs }), context.signal);
    return undefined;
  }
  const world = gather(r, { object, read, nowMs });
  const plan = planPool(world);
  watch(r, keyOf(ref), plan);
  const { refusals, again, keyMade } = await applySteps(r, plan.steps, { world, signal: context.signal, log });
  // Of a key that another operator made, or that the API server refused, that one tells, or nobody.
  const happened = plan.events.filter(({ reason }) => keyMade || reason !== 'KeyCreated');
  recordAll(r, object, happened);
  if (again) return { requeueAfterMs: 0 };
  countChanges(r, world, plan);
  if (plan.steps.some(({ kind }) => kind === 'removeFinalizer')) return undefined;
  const input = {
    world,
    conclusions: { ...plan.conclusions, refusals },
    nowMs,
    countsWrittenAtMs: r.countsWritten.get(keyOf(ref)),
  };
  await tell(r, { world, status: buildStatus(input), signal: context.signal });
  const delays = [plan.requeueAfterMs, statusRequeueAfterMs(input)].filter((delay) => delay !== undefined);
  return { requeueAfterMs: Math.min(r.resyncMs, ...delays) };
}

/** Hands on what the name servers and the hosts are to be asked. */
function watch({ observer, poller }: Reconciler, key: string, { observe, polls, conclusions }: Plan): void {
  if (observe === undefined) observer.forget(key);
  else observer.watch(key, observe);
  const { identity } = conclusions;
  poller.watch(key, polls, identity.kind === 'known' ? identity.poolId : undefined);
}

type Telling = { readonly world: World; readonly status: KmsHostPoolStatus; readonly signal: AbortSignal };

/** Writes the status if it says something else, shows it as metrics, and tells the events that follow from the change. */
async function tell(r: Reconciler, { world, status, signal }: Telling): Promise<void> {
  const { object, pool } = world;
  const { namespace = 'default', name } = object.metadata;
  const foreignRecords = new Map((status.dns ?? []).map(({ domain, foreign }) => [domain, foreign?.length ?? 0]));
  r.metrics.observePool({ namespace, name }, { wantedHosts: pool.spec.replicas, status, foreignRecords });
  if (!(await writeStatus(r, object, status, signal))) return;
  if (!sameCounts(object.status?.counts, status.counts)) r.countsWritten.set(`${namespace}/${name}`, world.nowMs);
}

/** True when it was written. */
async function writeStatus(
  r: Reconciler,
  object: PoolObject,
  status: KmsHostPoolStatus,
  signal: AbortSignal,
): Promise<boolean> {
  if (canonicalJson(status) === canonicalJson(object.status ?? {})) return false;
  const { namespace, name } = object.metadata;
  try {
    const intent = { metadata: { namespace, name }, status } as PoolObject;
    r.written.note(POOLS, await r.client.applyStatus(POOLS, intent, { fieldManager: FIELD_MANAGER, signal }));
  } catch (error) {
    // Deleted meanwhile: nobody reads it any more.
    if (isNotFound(error)) return false;
    throw error;
  }
  recordAll(r, object, eventsFor(object.status, status));
  return true;
}

function recordAll({ recorder, metrics }: Reconciler, object: PoolObject, events: readonly EventWish[]): void {
  for (const { type, reason, message } of events) {
    metrics.events.inc({ type, reason });
    recorder.event({ object, type, reason, message });
  }
}

function countChanges({ metrics }: Reconciler, { object }: World, { steps }: Plan): void {
  const { namespace = 'default', name } = object.metadata;
  const changes = steps.some((step) => 'resource' in step && step.resource === DNS_ENDPOINTS);
  if (changes) metrics.countDnsChange({ namespace, name });
}

function forgetPool(reconciler: Reconciler, ref: ObjectRef): undefined {
  const { observer, poller, metrics, written, countsWritten, pools } = reconciler;
  const key = keyOf(ref);
  pools.forget(ref);
  observer.forget(key);
  poller.forget(key);
  metrics.forgetPool({ namespace: ref.namespace ?? 'default', name: ref.name });
  written.forget(POOLS, ref);
  countsWritten.delete(key);
  return undefined;
}
