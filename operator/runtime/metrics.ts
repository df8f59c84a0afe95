// SPDX-License-Identifier: Apache-2.0

// The metrics of the runtime, under the names that dashboards for client-go and controller-runtime know. Made once for a
// registry and handed to whoever measures; nothing is registered globally.
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** What {@link createMetrics} makes. One property for each metric; its name is beside it there. */
export interface RuntimeMetrics {
  readonly rest: {
    readonly requests: Counter<'code' | 'method' | 'host' | 'resource'>;
    readonly duration: Histogram<'verb' | 'host'>;
    readonly throttled: Histogram<'verb' | 'host'>;
  };
  readonly reflector: {
    readonly lists: Counter<'resource'>;
    readonly listFailures: Counter<'resource'>;
    readonly listDuration: Histogram<'resource'>;
    readonly watches: Counter<'resource'>;
    readonly watchFailures: Counter<'resource' | 'reason'>;
    readonly events: Counter<'resource' | 'type'>;
    readonly missedEvents: Counter<'resource'>;
    readonly lastResourceVersion: Gauge<'resource' | 'namespace'>;
    readonly lastContact: Gauge<'resource' | 'namespace'>;
    readonly objects: Gauge<'resource'>;
  };
  readonly queue: {
    readonly depth: Gauge<QueueLabels>;
    readonly adds: Counter<QueueLabels>;
    readonly queueDuration: Histogram<QueueLabels>;
    readonly workDuration: Histogram<QueueLabels>;
    readonly retries: Counter<QueueLabels>;
    readonly unfinished: Gauge<QueueLabels>;
    readonly longestRunning: Gauge<QueueLabels>;
  };
  readonly controller: {
    readonly reconciles: Counter<'controller' | 'result'>;
    readonly errors: Counter<'controller'>;
    readonly terminalErrors: Counter<'controller'>;
    readonly duration: Histogram<'controller'>;
    readonly activeWorkers: Gauge<'controller'>;
    readonly maxConcurrent: Gauge<'controller'>;
  };
  readonly leader: { readonly master: Gauge<'name'> };
  readonly events: { readonly written: Counter<'type'>; readonly discarded: Counter<'why'> };
  /** Called at each scrape, before the values are read. */
  readonly onScrape: Set<() => void>;
}

type QueueLabels = 'name' | 'controller';

/** client-go's buckets for requests, in seconds. */
const REQUEST_BUCKETS = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60];
/** client-go's buckets for work queues: powers of ten from 10 ns. */
const QUEUE_BUCKETS = [1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1, 10, 100, 1000];
/** A reconcile, in seconds: finer than controller-runtime's, coarser than its forty. */
const RECONCILE_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** Registers every metric of the runtime. @throws Error when the registry has one of these names already. */
export function createMetrics(registry: Registry): RuntimeMetrics {
  const registers = [registry];
  const onScrape = new Set<() => void>();
  return {
    rest: restMetrics(registers),
    reflector: reflectorMetrics(registers),
    queue: queueMetrics(registers, onScrape),
    controller: controllerMetrics(registers),
    leader: {
      master: new Gauge({
        name: 'leader_election_master_status',
        help: 'Whether this process leads (1) or is a backup (0); name is the lease.',
        labelNames: ['name'],
        registers,
      }),
    },
    events: {
      written: new Counter({
        name: 'event_recorder_writes_total',
        help: 'Kubernetes events created or counted up.',
        labelNames: ['type'],
        registers,
      }),
      discarded: new Counter({
        name: 'event_recorder_discarded_total',
        help: 'Kubernetes events given up: the queue was full, or the API server refused them.',
        labelNames: ['why'],
        registers,
      }),
    },
    onScrape,
  };
}

function restMetrics(registers: Registry[]): RuntimeMetrics['rest'] {
  return {
    requests: new Counter({
      name: 'rest_client_requests_total',
      help: 'HTTP requests to the API server by status code, method, host and resource; code is <error> where no answer came.',
      labelNames: ['code', 'method', 'host', 'resource'],
      registers,
    }),
    duration: new Histogram({
      name: 'rest_client_request_duration_seconds',
      help: 'Time to the end of the answer; of a watch, to its headers.',
      labelNames: ['verb', 'host'],
      buckets: REQUEST_BUCKETS,
      registers,
    }),
    throttled: new Histogram({
      name: 'rest_client_rate_limiter_duration_seconds',
      help: 'Time a request waited for the client-side throttle.',
      labelNames: ['verb', 'host'],
      buckets: REQUEST_BUCKETS,
      registers,
    }),
  };
}

function reflectorMetrics(registers: Registry[]): RuntimeMetrics['reflector'] {
  const counter = (name: string, help: string): Counter<'resource'> =>
    new Counter({ name, help, labelNames: ['resource'], registers });
  const gauge = (name: string, help: string): Gauge<'resource' | 'namespace'> =>
    new Gauge({ name, help, labelNames: ['resource', 'namespace'], registers });
  return {
    lists: counter('reflector_lists_total', 'Lists begun.'),
    listFailures: counter('reflector_list_failures_total', 'Lists that failed.'),
    listDuration: new Histogram({
      name: 'reflector_list_duration_seconds',
      help: 'Time of a whole list, all pages.',
      labelNames: ['resource'],
      buckets: REQUEST_BUCKETS,
      registers,
    }),
    watches: counter('reflector_watches_total', 'Watches begun.'),
    watchFailures: new Counter({
      name: 'reflector_watch_failures_total',
      help: 'Watches that did not end in order: silence, gone, short, error.',
      labelNames: ['resource', 'reason'],
      registers,
    }),
    events: new Counter({
      name: 'reflector_events_total',
      help: 'Watch events received, bookmarks included.',
      labelNames: ['resource', 'type'],
      registers,
    }),
    missedEvents: counter('reflector_missed_events_total', 'Changes that only a later list showed, never a watch.'),
    lastResourceVersion: gauge('reflector_last_resource_version', 'Resource version that the cache has reached.'),
    lastContact: gauge('reflector_last_contact_timestamp_seconds', 'Wall time of the last list, event or bookmark.'),
    objects: new Gauge({
      name: 'reflector_objects',
      help: 'Objects in the cache.',
      labelNames: ['resource'],
      registers,
    }),
  };
}

function queueMetrics(registers: Registry[], onScrape: Set<() => void>): RuntimeMetrics['queue'] {
  const labelNames: QueueLabels[] = ['name', 'controller'];
  const gauge = (name: string, help: string): Gauge<QueueLabels> => new Gauge({ name, help, labelNames, registers });
  const counter = (name: string, help: string): Counter<QueueLabels> =>
    new Counter({ name, help, labelNames, registers });
  const histogram = (name: string, help: string): Histogram<QueueLabels> =>
    new Histogram({ name, help, labelNames, buckets: QUEUE_BUCKETS, registers });
  return {
    depth: gauge('workqueue_depth', 'Keys that are ready and wait for a worker.'),
    adds: counter('workqueue_adds_total', 'Keys added; repeats of a key that already waits do not count.'),
    queueDuration: histogram('workqueue_queue_duration_seconds', 'Time from ready to a worker.'),
    workDuration: histogram('workqueue_work_duration_seconds', 'Time a worker had a key.'),
    retries: counter('workqueue_retries_total', 'Keys put back after a failure.'),
    unfinished: new Gauge({
      name: 'workqueue_unfinished_work_seconds',
      help: 'Time that the keys now in work have taken, summed.',
      labelNames,
      registers,
      collect: () => {
        for (const collect of onScrape) collect();
      },
    }),
    longestRunning: gauge('workqueue_longest_running_processor_seconds', 'Time of the key that is longest in work.'),
  };
}

function controllerMetrics(registers: Registry[]): RuntimeMetrics['controller'] {
  const labelNames: ['controller'] = ['controller'];
  return {
    reconciles: new Counter({
      name: 'controller_runtime_reconcile_total',
      help: 'Reconciles by result: success, requeue_after, error.',
      labelNames: ['controller', 'result'],
      registers,
    }),
    errors: new Counter({
      name: 'controller_runtime_reconcile_errors_total',
      help: 'Reconciles that failed.',
      labelNames,
      registers,
    }),
    terminalErrors: new Counter({
      name: 'controller_runtime_terminal_reconcile_errors_total',
      help: 'Reconciles that failed and are not tried again.',
      labelNames,
      registers,
    }),
    duration: new Histogram({
      name: 'controller_runtime_reconcile_time_seconds',
      help: 'Time of a reconcile.',
      labelNames,
      buckets: RECONCILE_BUCKETS,
      registers,
    }),
    activeWorkers: new Gauge({
      name: 'controller_runtime_active_workers',
      help: 'Workers that reconcile now.',
      labelNames,
      registers,
    }),
    maxConcurrent: new Gauge({
      name: 'controller_runtime_max_concurrent_reconciles',
      help: 'Most workers that may reconcile at once.',
      labelNames,
      registers,
    }),
  };
}
