// SPDX-License-Identifier: Apache-2.0

// What the operator says of itself at /metrics, as far as the bench counts it: pure.
import { type MetricFamily, parseExposition } from '../../harness/exposition.ts';

/** Requests to the API server by verb and resource, such as `PATCH deployments.apps`. */
export type Requests = ReadonlyMap<string, number>;

/** Counters of one operator process at one moment. */
export interface Counters {
  /** Everything that may change the world; the Lease is left out. */
  readonly writes: Requests;
  /** Reads of objects and lists; the API server's metrics do not tell a watch from them, so watches are taken off. */
  readonly reads: number;
  readonly watches: number;
  readonly leaseWrites: number;
  readonly reconciles: number;
  /** Seconds spent in reconciles, waiting included. */
  readonly reconcileSeconds: number;
  readonly reconcileErrors: number;
  readonly hostPolls: number;
  readonly dnsQuestions: number;
  readonly leads: boolean;
  /** Keys that wait in the queue and are due. */
  readonly queued: number;
}

const WRITES: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH', 'DELETE']);
const LEASES = 'leases.coordination.k8s.io';

/** Reads the answer of /metrics. */
export function readCounters(text: string): Counters {
  const families = new Map(parseExposition(text).map((family) => [family.name, family]));
  const sum = (name: string, sample = name): number =>
    (families.get(name)?.samples ?? [])
      .filter((one) => one.name === sample)
      .reduce((total, { value }) => total + value, 0);
  const requests = requestsOf(families.get('rest_client_requests_total'));
  const writes = new Map([...requests].filter(([name]) => WRITES.has(verbOf(name)) && !name.endsWith(` ${LEASES}`)));
  const leaseWrites = totalOf(
    new Map([...requests].filter(([name]) => WRITES.has(verbOf(name)) && name.endsWith(LEASES))),
  );
  const gets = totalOf(
    new Map([...requests].filter(([name]) => verbOf(name) === 'GET' && !name.endsWith(` ${LEASES}`))),
  );
  const watches = sum('reflector_watches_total');
  return {
    writes,
    reads: gets - watches,
    watches,
    leaseWrites,
    reconciles: sum('controller_runtime_reconcile_total'),
    reconcileSeconds: sum('controller_runtime_reconcile_time_seconds', 'controller_runtime_reconcile_time_seconds_sum'),
    reconcileErrors: sum('controller_runtime_reconcile_errors_total'),
    hostPolls: sum('kmspool_host_polls_total'),
    dnsQuestions: sum('kmspool_dns_questions_total'),
    leads: sum('leader_election_master_status') === 1,
    queued: sum('workqueue_depth'),
  };
}

function requestsOf(family: MetricFamily | undefined): Map<string, number> {
  const requests = new Map<string, number>();
  for (const { labels, value } of family?.samples ?? []) {
    const name = `${labels['method']} ${labels['resource']}`;
    requests.set(name, (requests.get(name) ?? 0) + value);
  }
  return requests;
}

function verbOf(request: string): string {
  return request.slice(0, request.indexOf(' '));
}

/** All requests together. */
export function totalOf(requests: Requests): number {
  return [...requests.values()].reduce((total, count) => total + count, 0);
}

/** What was added between two moments of one process. */
export function countedBetween(before: Counters, after: Counters): Counters {
  const writes = new Map(
    [...after.writes]
      .map(([name, count]) => [name, count - (before.writes.get(name) ?? 0)] as const)
      .filter(([, count]) => count !== 0),
  );
  const less = (name: NumberName): number => after[name] - before[name];
  return {
    writes,
    reads: less('reads'),
    watches: less('watches'),
    leaseWrites: less('leaseWrites'),
    reconciles: less('reconciles'),
    reconcileSeconds: less('reconcileSeconds'),
    reconcileErrors: less('reconcileErrors'),
    hostPolls: less('hostPolls'),
    dnsQuestions: less('dnsQuestions'),
    leads: after.leads,
    queued: after.queued,
  };
}

type NumberName = { [N in keyof Counters]: Counters[N] extends number ? N : never }[keyof Counters];
