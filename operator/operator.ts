// SPDX-License-Identifier: Apache-2.0

// The operator put together: connection, caches, leader election, the controller of pools, the HTTP server; and taken apart again in order. What it does with a
// pool is pool/reconcile.ts.
import { randomUUID } from 'node:crypto';
import { Registry } from 'prom-client';
import type { CliOptions, LeaseOptions } from './cli.ts';
import { createDnsMetrics, type DnsMetrics } from './dns/metrics.ts';
import { DnsObserver } from './dns/observer.ts';
import { type HttpListener, silenceCheck, startHttp, syncedCheck } from './http.ts';
import { createOperatorMetrics, type OperatorMetrics } from './metrics.ts';
import { type Caches, createCaches, followAll, PoolReader } from './pool/caches.ts';
import { createPoolController, enqueueWhenServed } from './pool/controller.ts';
import { releasePoolsIfLast } from './pool/farewell.ts';
import { directAsk, proxyAsk } from './pool/host-ask.ts';
import { HostPoller } from './pool/host-poller.ts';
import type { Reconciler } from './pool/reconcile.ts';
import { Written } from './pool/written.ts';
import {
  Client,
  connectionFromKubeconfig,
  createMetrics,
  EventRecorder,
  LeaderElector,
  Lifecycle,
  type Logger,
  type RuntimeMetrics,
  systemClock,
} from './runtime/index.ts';
import { VERSION } from './version.ts';

/** Name under which events and requests appear. */
const COMPONENT = 'kmspool-operator';
/** A watch that says nothing for so long, with bookmarks every minute and new watches in between, is not alive. */
const MAX_SILENT_MS = 900_000;
/** The Lease is renewed with this allowance, whatever else waits. */
const LEASE_THROTTLE = { qps: 10, burst: 10 };
/** Hosts that are asked through the API server do not take the allowance of the work. */
const PROXY_THROTTLE = { qps: 100, burst: 200 };

interface Parts {
  readonly options: CliOptions;
  readonly log: Logger;
  readonly client: Client;
  readonly caches: Caches;
  readonly metrics: { readonly runtime: RuntimeMetrics; readonly dns: DnsMetrics; readonly operator: OperatorMetrics };
}

/**
 * Runs the operator until it is told to stop. Answers the exit code: 0, or 1 when it failed or lost the lease.
 *
 * @throws KubeconfigError, UserError before it begins, with one line for the user.
 */
export async function runOperator(options: CliOptions, log: Logger): Promise<number> {
  const registry = new Registry();
  const metrics = {
    runtime: createMetrics(registry),
    dns: createDnsMetrics(registry),
    operator: createOperatorMetrics(registry),
  };
  const client = Client.create({
    connection: await connectionFromKubeconfig({ path: options.kubeconfig, context: options.context }),
    metrics: metrics.runtime,
    userAgent: `${COMPONENT}/${VERSION}`,
    throttle: { qps: options.apiQps, burst: options.apiBurst },
    omitManagedFields: true,
  });
  const { watchNamespaces: namespaces, watchSilenceMs: silenceMs } = options;
  const caches = createCaches({ client, metrics: metrics.runtime, namespaces, silenceMs, clock: systemClock, log });
  const lifecycle = new Lifecycle({ log });
  lifecycle.onStop('connections', () => client.close());
  const http = await serveHttp({ options, caches, registry, metrics: metrics.runtime, log });
  lifecycle.onStop('http', () => http?.close());
  return lifecycle.run((stop) => follow({ options, log, client, caches, metrics }, stop));
}

type HttpParts = Pick<Parts, 'options' | 'caches' | 'log'> & {
  readonly registry: Registry;
  readonly metrics: RuntimeMetrics;
};

async function serveHttp({ options, caches, registry, metrics, log }: HttpParts): Promise<HttpListener | undefined> {
  if (options.http === undefined) return undefined;
  // external-dns is looked for, and not needed; a cache that may not be read is no reason to be started anew.
  const needed = Object.values(caches).filter((cache) => cache !== caches.externalDns);
  const scrape = { contentType: registry.contentType, metrics: () => scraped(registry, metrics) };
  const http = await startHttp(
    { registry: scrape, live: [silenceCheck(needed, MAX_SILENT_MS)], ready: [syncedCheck(needed)] },
    options.http,
  );
  log.info({ address: http.address, port: http.port }, 'http listens');
  return http;
}

/** Gauges of the queue are read from it at this moment. */
function scraped(registry: Registry, { onScrape }: RuntimeMetrics): Promise<string> {
  for (const collect of onScrape) collect();
  return registry.metrics();
}

/** Follows the API server, and leads while it may. The caches outlive the term: what is in work at its end still reads them. */
async function follow(parts: Parts, stop: AbortSignal): Promise<void> {
  const ended = new AbortController();
  const following = followAll(parts.caches, ended.signal);
  try {
    const { lease } = parts.options;
    if (lease === undefined) return await work(parts, () => {}, stop);
    const elector = electorOf(parts, lease);
    const end = await elector.run(stop, (term) => work(parts, elector.guard, term));
    if (end === 'lost') throw new Error('the lease was lost; another replica may lead now');
  } finally {
    ended.abort();
    await following;
  }
}

function electorOf({ client, options, metrics, log }: Parts, lease: LeaseOptions): LeaderElector {
  return new LeaderElector({
    client: client.withThrottle(LEASE_THROTTLE),
    namespace: lease.namespace,
    leaseName: lease.name,
    identity: `${options.instance}_${randomUUID()}`,
    leaseDurationSeconds: lease.durationSeconds,
    renewDeadlineMs: lease.renewDeadlineMs,
    retryPeriodMs: lease.retryPeriodMs,
    metrics: metrics.runtime,
    log,
  });
}

/** One term: everything that acts, from the first reconcile to the last event. `guard` throws when this process no longer leads. */
async function work(parts: Parts, guard: () => void, term: AbortSignal): Promise<void> {
  const { options, metrics, log } = parts;
  const writer = parts.client.withGuard(guard);
  const recorder = new EventRecorder({
    client: writer,
    component: COMPONENT,
    instance: options.instance,
    metrics: metrics.runtime,
    log,
  });
  const reconciler = reconcilerOf(parts, { writer, recorder, guard });
  const { observer, poller } = reconciler;
  const controller = createPoolController(reconciler, { workers: options.workers, metrics: metrics.runtime, log });
  log.info({ version: VERSION, hostImage: options.hostImage, hostAccess: options.hostAccess }, 'looking after pools');
  await Promise.all([
    controller.run(term),
    enqueueWhenServed(reconciler, controller, term),
    observer.run(term),
    poller.run(term),
  ]);
  await recorder.stop();
  const { lease, watchNamespaces: namespaces } = options;
  if (lease !== undefined) await releasePoolsIfLast({ client: writer, ownNamespace: lease.namespace, namespaces, log });
}

type Term = { readonly writer: Client; readonly recorder: EventRecorder; readonly guard: () => void };

function reconcilerOf(parts: Parts, { writer, recorder, guard }: Term): Reconciler {
  const { options, metrics, caches, client, log } = parts;
  const clock = systemClock;
  const ask = options.hostAccess === 'Direct' ? directAsk() : proxyAsk(client.withThrottle(PROXY_THROTTLE));
  return {
    client: writer,
    caches,
    pools: new PoolReader(),
    written: new Written(clock),
    observer: new DnsObserver({ clock, metrics: metrics.dns, log, ...resolversOf(options) }),
    poller: new HostPoller({ ask, polls: metrics.operator.hostPolls, log }),
    recorder,
    metrics: metrics.operator,
    clock,
    settings: {
      hostImage: options.hostImage,
      imagePullPolicy: options.hostImagePullPolicy,
      emulatedDnsZones: options.emulatedDnsZones,
      withdrawBoundSeconds: options.withdrawBoundSeconds,
      externalDnsIntervalSeconds: options.externalDnsIntervalSeconds,
    },
    purge: async (world, poolId, signal) => {
      // Few pools ask for it, and the Redis client costs every operator 7 MB.
      const { purgeKeys } = await import('./pool/purge-keys.ts');
      // Redis knows no lease: it is asked for here, at the last moment.
      guard();
      await purgeKeys(client, { world, poolId, signal });
    },
    onStep: ({ kind }) => metrics.operator.planSteps.inc({ kind }),
    resyncMs: options.resyncMs,
    countsWritten: new Map(),
  };
}

/** Those of the flags, else those of the system, which may change while this runs. */
function resolversOf({ resolvers }: CliOptions) {
  return resolvers.length === 0 ? {} : { resolvers: () => resolvers };
}
