// SPDX-License-Identifier: Apache-2.0

// Which change in the world leads to a reconcile of which pool. It decides nothing about pools; reconcile.ts is called with a name.
import {
  type Change,
  Controller,
  type Informer,
  type KubernetesObject,
  type Logger,
  type ObjectRef,
  type RuntimeMetrics,
  refOf,
  sleep,
  toSelf,
} from '../runtime/index.ts';
import { BY_DOMAIN, BY_IDENTITY, BY_SECRET, type Caches, isNews, poolOfLabel } from './caches.ts';
import type { PoolObject } from './kinds.ts';
import { type Reconciler, reconcilePool } from './reconcile.ts';

/** Changes of the objects of a pool come in bursts; one reconcile for all that come within this time. */
const BURST_MS = 250;
/** How often it is looked whether the API server has begun or ceased to serve DNSEndpoints. */
const SERVED_MS = 2_000;

export interface PoolControllerOptions {
  readonly workers: number;
  readonly metrics: RuntimeMetrics;
  readonly log: Logger;
}

/** The controller of pools, hearing of everything that concerns one. */
export function createPoolController(reconciler: Reconciler, options: PoolControllerOptions): Controller {
  const { caches, clock, observer, poller } = reconciler;
  const controller = new Controller({
    name: 'kmshostpool',
    reconcile: (ref, context) => reconcilePool(reconciler, ref, context),
    clock,
    ...options,
  });
  for (const informer of [...ownedBy(caches), caches.secrets])
    informer.onChange(({ type, object }) => {
      if (type === 'deleted') reconciler.written.noteGone(informer.resource, object);
    });
  controller.watch(caches.pools, toSelf, isNews);
  controller.watch(caches.pools, (pool) => neighbours(caches, pool), concernsNeighbours, BURST_MS);
  for (const informer of ownedBy(caches)) controller.watch(informer, poolOfLabel, says, BURST_MS);
  controller.watch(caches.secrets, (secret) => poolsOfSecret(caches, secret), says, BURST_MS);
  controller.watch(caches.externalDns, () => allPools(caches), says, BURST_MS);
  observer.onChange((key) => controller.enqueue(refOf(key), { delayMs: BURST_MS }));
  poller.onChange((key) => controller.enqueue(refOf(key), { delayMs: BURST_MS }));
  return controller;
}

/** Reconciles every pool when DNSEndpoints begin or cease to be served: no object tells of that. Runs until the signal is aborted. */
export async function enqueueWhenServed(
  { caches, clock }: Reconciler,
  controller: Controller,
  signal: AbortSignal,
): Promise<void> {
  let served = caches.dnsEndpoints.available();
  while (!signal.aborted) {
    await sleep(clock, SERVED_MS, signal);
    const now = caches.dnsEndpoints.available();
    if (now !== served) for (const ref of allPools(caches)) controller.enqueue(ref);
    served = now;
  }
}

function ownedBy(caches: Caches): Informer<KubernetesObject>[] {
  const { deployments, services, configMaps, disruptionBudgets, networkPolicies, serviceAccounts, dnsEndpoints, pods } =
    caches;
  const owned = [
    deployments,
    services,
    configMaps,
    disruptionBudgets,
    networkPolicies,
    serviceAccounts,
    dnsEndpoints,
    pods,
  ];
  return owned as unknown as Informer<KubernetesObject>[];
}

/** A relist brings objects that have not changed. */
function says<T extends KubernetesObject>({ type, object, previous }: Change<T>): boolean {
  return type !== 'modified' || object.metadata.resourceVersion !== previous?.metadata.resourceVersion;
}

/** Pools that share a domain or an identity with this one: what they may publish depends on it. */
function neighbours({ pools }: Caches, { spec, status, metadata }: PoolObject): readonly ObjectRef[] {
  const { dns } = (spec ?? {}) as { dns?: { domains?: readonly { name: string }[] } };
  const sharing = (dns?.domains ?? []).flatMap(({ name }) => pools.cache.byIndex(BY_DOMAIN, name));
  const twins = status?.poolId === undefined ? [] : pools.cache.byIndex(BY_IDENTITY, status.poolId);
  return [...sharing, ...twins].filter((other) => other.metadata.uid !== metadata.uid).flatMap(toSelf);
}

function concernsNeighbours(change: Change<PoolObject>): boolean {
  if (change.initial) return false;
  return isNews(change) || change.object.status?.poolId !== change.previous?.status?.poolId;
}

function poolsOfSecret({ pools }: Caches, { metadata }: KubernetesObject): readonly ObjectRef[] {
  return pools.cache.byIndex(BY_SECRET, `${metadata.namespace}/${metadata.name}`).flatMap(toSelf);
}

function allPools({ pools }: Caches): readonly ObjectRef[] {
  return pools.cache.list().flatMap(toSelf);
}
