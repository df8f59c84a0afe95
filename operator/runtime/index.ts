// SPDX-License-Identifier: Apache-2.0

// Kubernetes for a controller, without any particular kind: what the rest of the operator imports. See README.md.
export { type BackoffPolicy, backoffMs, CONNECTION_BACKOFF, jittered, RECONCILE_BACKOFF } from './backoff.ts';
export {
  Cache,
  type CacheReader,
  type IndexFunction,
  labelIndex,
  labelIndexValue,
  namespaceIndex,
  ownerIndex,
  trimManagedFields,
} from './cache.ts';
export {
  type ApplyOptions,
  type CallOptions,
  Client,
  type ClientOptions,
  type DeleteOptions,
  type Intent,
  type ListOptions,
  type Page,
  type Selection,
  type WatchOptions,
} from './client.ts';
export { type Cancel, type Clock, linkAbort, type Random, sleep, systemClock } from './clock.ts';
export {
  type Condition,
  type ConditionedObject,
  findCondition,
  isConditionTrue,
  type Judgement,
  type Kstatus,
  kstatusOf,
  mergeConditions,
  sameConditions,
} from './conditions.ts';
export { type Authorization, type Connection, plainConnection } from './connection.ts';
export {
  Controller,
  type ControllerOptions,
  type Mapper,
  type Reconcile,
  type ReconcileContext,
  type ReconcileResult,
  toOwner,
  toSelf,
} from './controller.ts';
export {
  ApiError,
  isAlreadyExists,
  isConflict,
  isForbidden,
  isGone,
  isInvalid,
  isNotFound,
  NotLeaderError,
  type Outcome,
  outcomeOf,
  type StatusCause,
  TerminalError,
  TransportError,
} from './errors.ts';
export type { EventNote } from './event-series.ts';
export { ensureFinalizer, type FinalizerTarget, hasFinalizer, isBeingDeleted, removeFinalizer } from './finalizer.ts';
export { type ChangeHandler, Informer, type InformerOptions } from './informer.ts';
export { connectionFromKubeconfig, KubeconfigError, type KubeconfigOptions } from './kubeconfig.ts';
export { LeaderElector, type LeaderOptions, type TermEnd } from './leader.ts';
export { LEASES, type Lease } from './lease.ts';
export { Lifecycle, type LifecycleOptions, type SignalSource } from './lifecycle.ts';
export { type Logger, silentLogger } from './log.ts';
export { createMetrics, type RuntimeMetrics } from './metrics.ts';
export { controllerOf, controllerReference, isControlledBy } from './ownership.ts';
export { type AddOptions, LOW_PRIORITY, type QueueOptions, WorkQueue } from './queue.ts';
export { type CoreEvent, EVENTS, EventRecorder, type RecorderOptions } from './recorder.ts';
export type { Change } from './replica.ts';
export type { ApiRequest, Query } from './request.ts';
export {
  apiVersionOf,
  collectionPath,
  defineResource,
  type KubernetesObject,
  keyOf,
  type ObjectMeta,
  type ObjectRef,
  type OwnerReference,
  objectPath,
  type Resource,
  refOf,
  refOfObject,
  resourceName,
} from './resource.ts';
export { Throttle, type ThrottlePolicy } from './throttle.ts';
export { parseWatchEvent, type WatchEvent } from './watch-event.ts';
