// SPDX-License-Identifier: Apache-2.0

// The operator's own metrics: pools, their conditions, hosts and records, and what it does to them. The runtime's (requests, caches, queue, reconciles)
// are in runtime/metrics.ts, those of DNS in dns/metrics.ts. A CMID or a machine name is never a label.
import type { ConditionType, KmsHostPoolStatus } from '@kmspool/crds';
import { Counter, Gauge, type Registry } from 'prom-client';
import type { Step } from './pool/state.ts';
import { VERSION } from './version.ts';

/** One pool, by name. */
export interface PoolRef {
  readonly namespace: string;
  readonly name: string;
}

/** What is shown of a pool. */
export interface PoolObservation {
  /** `spec.replicas`. */
  readonly wantedHosts: number;
  readonly status: KmsHostPoolStatus;
  /** By domain: SRV records that name a host which is neither ours nor known. A domain that is absent has none. */
  readonly foreignRecords?: ReadonlyMap<string, number>;
}

const POLL_RESULTS = ['answered', 'timeout', 'unreachable', 'invalid', 'foreign'] as const;
/** How a host answered when it was asked for its status. */
export type PollResult = (typeof POLL_RESULTS)[number];

const STEP_KINDS = [
  'addFinalizer',
  'removeFinalizer',
  'makeSecret',
  'apply',
  'delete',
  'purge',
] as const satisfies readonly Step['kind'][];

/** What {@link createOperatorMetrics} makes. */
export interface OperatorMetrics {
  readonly hostPolls: Counter<'result'>;
  readonly events: Counter<'reason' | 'type'>;
  readonly planSteps: Counter<'kind'>;
  /** A change of the records that a pool wants published was written. */
  countDnsChange(pool: PoolRef): void;
  /** Shows a pool as it is now; series that it has no longer, such as those of a domain that left the spec, go. */
  observePool(pool: PoolRef, seen: PoolObservation): void;
  /** Removes every series of a pool that was deleted. */
  forgetPool(pool: PoolRef): void;
}

type ConditionStatus = 'True' | 'False' | 'Unknown';
type PoolLabels = 'namespace' | 'pool';
type Labels<L extends string> = { readonly [name in L]: string };

const CONDITION_STATUSES: readonly ConditionStatus[] = ['True', 'False', 'Unknown'];
const HOST_STATES = ['wanted', 'ready'] as const;

/** Registers every metric of the operator itself. @throws Error when the registry has one of these names already. */
export function createOperatorMetrics(registry: Registry): OperatorMetrics {
  const registers = [registry];
  registerProcess(registers);
  const pools = new PoolSeries(registers);
  return {
    ...createCounters(registers),
    countDnsChange: (pool) => pools.countDnsChange(pool),
    observePool: (pool, seen) => pools.observe(pool, seen),
    forgetPool: (pool) => pools.forget(pool),
  };
}

function createCounters(registers: Registry[]): Pick<OperatorMetrics, 'hostPolls' | 'events' | 'planSteps'> {
  const hostPolls = new Counter({
    name: 'kmspool_host_polls_total',
    help: 'Hosts asked for their status: answered, timeout, unreachable, invalid (an answer that is no status), foreign (another host answered).',
    labelNames: ['result'],
    registers,
  });
  const planSteps = new Counter({
    name: 'kmspool_pool_plan_steps_total',
    help: 'Steps carried out: apply, delete, makeSecret, addFinalizer, removeFinalizer, purge. None while nothing changes.',
    labelNames: ['kind'],
    registers,
  });
  const events = new Counter({
    name: 'kmspool_events_total',
    help: 'Kubernetes events of pools; each reason is explained in docs/status-conditions.md.',
    labelNames: ['reason', 'type'],
    registers,
  });
  // From the start, so that the first one is an increase.
  for (const result of POLL_RESULTS) hostPolls.inc({ result }, 0);
  for (const kind of STEP_KINDS) planSteps.inc({ kind }, 0);
  return { hostPolls, planSteps, events };
}

/** The series of pools, and which of them each pool has. */
class PoolSeries {
  readonly #known = new Map<string, { ready: ConditionStatus; conditions: Set<string>; domains: Set<string> }>();
  readonly #pools: Gauge<'ready'>;
  readonly #conditions: Gauge<PoolLabels | 'type' | 'status'>;
  readonly #hosts: Gauge<PoolLabels | 'state'>;
  readonly #records: Gauge<PoolLabels | 'domain' | 'state'>;
  readonly #dnsChanges: Counter<PoolLabels>;

  constructor(registers: Registry[]) {
    this.#pools = new Gauge({
      name: 'kmspool_pools',
      help: 'Pools, by the status of their condition Ready.',
      labelNames: ['ready'],
      registers,
    });
    for (const ready of CONDITION_STATUSES) this.#pools.set({ ready }, 0);
    this.#conditions = new Gauge({
      name: 'kmspool_pool_condition',
      help: 'Conditions of a pool: 1 for the status that each has (True, False, Unknown), 0 for the others.',
      labelNames: ['namespace', 'pool', 'type', 'status'],
      registers,
    });
    this.#hosts = new Gauge({
      name: 'kmspool_pool_hosts',
      help: 'Hosts of a pool: wanted (spec.replicas) and ready.',
      labelNames: ['namespace', 'pool', 'state'],
      registers,
    });
    this.#records = new Gauge({
      name: 'kmspool_pool_dns_records',
      help: 'SRV records of a domain: desired, observed (ours, at all name servers), foreign (hosts that are neither ours nor known).',
      labelNames: ['namespace', 'pool', 'domain', 'state'],
      registers,
    });
    this.#dnsChanges = new Counter({
      name: 'kmspool_pool_dns_changes_total',
      help: 'Times that the records wanted for a pool were written anew.',
      labelNames: ['namespace', 'pool'],
      registers,
    });
  }

  countDnsChange(ref: PoolRef): void {
    this.#dnsChanges.inc(labelsOf(ref));
  }

  observe(ref: PoolRef, { status, wantedHosts, foreignRecords = new Map() }: PoolObservation): void {
    const pool = labelsOf(ref);
    const known = this.#of(ref);
    const conditions = status.conditions ?? [];
    this.#setReady(known, conditions.find(({ type }) => type === ('Ready' satisfies ConditionType))?.status);
    replace(known.conditions, new Set(conditions.map(({ type }) => type)), (type) => this.#dropCondition(pool, type));
    for (const { type, status: current } of conditions)
      for (const one of CONDITION_STATUSES)
        this.#conditions.set({ ...pool, type, status: one }, current === one ? 1 : 0);
    this.#hosts.set({ ...pool, state: 'wanted' }, wantedHosts);
    this.#hosts.set({ ...pool, state: 'ready' }, status.readyReplicas ?? 0);
    const dns = status.dns ?? [];
    replace(known.domains, new Set(dns.map(({ domain }) => domain)), (domain) => this.#dropDomain(pool, domain));
    for (const { domain, desired, observed } of dns) {
      const counts = { desired, observed, foreign: foreignRecords.get(domain) ?? 0 };
      for (const [state, count] of Object.entries(counts)) this.#records.set({ ...pool, domain, state }, count);
    }
    // So that a rate can be taken of the first change, too.
    this.#dnsChanges.inc(pool, 0);
  }

  forget(ref: PoolRef): void {
    const pool = labelsOf(ref);
    this.#dnsChanges.remove(pool);
    const known = this.#known.get(keyOf(ref));
    if (known === undefined) return;
    this.#known.delete(keyOf(ref));
    this.#pools.dec({ ready: known.ready });
    for (const type of known.conditions) this.#dropCondition(pool, type);
    for (const domain of known.domains) this.#dropDomain(pool, domain);
    for (const state of HOST_STATES) this.#hosts.remove({ ...pool, state });
  }

  #of(ref: PoolRef): { ready: ConditionStatus; conditions: Set<string>; domains: Set<string> } {
    const known = this.#known.get(keyOf(ref));
    if (known !== undefined) return known;
    const fresh = { ready: 'Unknown' as const, conditions: new Set<string>(), domains: new Set<string>() };
    this.#known.set(keyOf(ref), fresh);
    this.#pools.inc({ ready: fresh.ready });
    return fresh;
  }

  #setReady(known: { ready: ConditionStatus }, ready: ConditionStatus = 'Unknown'): void {
    this.#pools.dec({ ready: known.ready });
    this.#pools.inc({ ready });
    known.ready = ready;
  }

  #dropCondition(pool: Labels<PoolLabels>, type: string): void {
    for (const status of CONDITION_STATUSES) this.#conditions.remove({ ...pool, type, status });
  }

  #dropDomain(pool: Labels<PoolLabels>, domain: string): void {
    for (const state of ['desired', 'observed', 'foreign']) this.#records.remove({ ...pool, domain, state });
  }
}

/** Makes `known` equal to `present`; `drop` hears of what went. */
function replace(known: Set<string>, present: ReadonlySet<string>, drop: (one: string) => void): void {
  for (const one of known.difference(present)) {
    known.delete(one);
    drop(one);
  }
  for (const one of present) known.add(one);
}

function labelsOf({ namespace, name }: PoolRef): Labels<PoolLabels> {
  return { namespace, pool: name };
}

function keyOf({ namespace, name }: PoolRef): string {
  return `${namespace}/${name}`;
}

function registerProcess(registers: Registry[]): void {
  const info = new Gauge({
    name: 'kmspool_build_info',
    help: 'Always 1; the version that runs.',
    labelNames: ['version'],
    registers,
  });
  info.set({ version: VERSION }, 1);
  const read = (name: string, help: string, value: () => number): Gauge =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(value());
      },
    });
  read('process_resident_memory_bytes', 'Resident memory.', () => process.memoryUsage.rss());
  read('nodejs_heap_size_used_bytes', 'JavaScript heap in use.', () => process.memoryUsage().heapUsed);
  const startedAt = Date.now() / 1000 - process.uptime();
  read('process_start_time_seconds', 'Start of the process, seconds since 1970.', () => startedAt);
  registerCpu(registers);
}

function registerCpu(registers: Registry[]): void {
  new Counter({
    name: 'process_cpu_seconds_total',
    help: 'CPU time, user and system.',
    registers,
    collect() {
      const { user, system } = process.cpuUsage();
      this.reset();
      this.inc((user + system) / 1e6);
    },
  });
}
