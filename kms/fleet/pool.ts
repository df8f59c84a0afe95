// SPDX-License-Identifier: Apache-2.0
//
// A pool of virtual hosts: who is up, which table answers, what a request gets. Deciding is kms/host, counting
// kms/counting; here is only which of them is asked.

import { APPLICATIONS, application, type HostKeySpec, type Product } from '../catalog/index.ts';
import type { HostReply } from '../client/index.ts';
import { CmidTable } from '../counting/index.ts';
import { type DomainRanking, hostFqdn, hostName, rankHosts, type SrvRecord } from '../dns/index.ts';
import {
  conditionOf,
  judge,
  type LossPolicy,
  type ServedProduct,
  type StoreCondition,
  servedProducts,
} from '../host/index.ts';
import type { Intervals, PoolPlan } from './plan.ts';

export interface VirtualHost {
  readonly name: string;
  readonly fqdn: string;
  readonly pool: VirtualPool;
  readonly ordinal: number;
  up: boolean;
  /** When it went down; for the time until its record is withdrawn. */
  downSinceMs: number;
  /** Its copy of the tables while the store is away; undefined when it has none. */
  copy: readonly CmidTable[] | undefined;
}

/** One request, as the host sees it. */
export interface VirtualRequest {
  readonly product: Product;
  readonly cmid: string;
  readonly clientTimeMs: number;
}

const newTables = (): readonly CmidTable[] => APPLICATIONS.map(() => new CmidTable());
const SILENT: HostReply = { kind: 'silent', how: 'NoAnswer' };
const UNREACHED: HostReply = { kind: 'silent', how: 'ConnectFailed' };
const APPLICATION_INDEX: ReadonlyMap<string, number> = new Map(
  APPLICATIONS.map(({ name }) => [name, application(name).index]),
);

export class VirtualPool {
  readonly plan: PoolPlan;
  readonly hosts: readonly VirtualHost[];
  readonly #tables = newTables();
  readonly #domains: Map<string, DomainRanking>;
  #hostKeys: readonly HostKeySpec[];
  #served: ReadonlyMap<string, ServedProduct>;
  #intervals: Intervals;
  #policy: LossPolicy;
  #lostSinceMs: number | undefined;

  constructor(plan: PoolPlan) {
    const { name, namespace, replicas, domains } = plan;
    this.plan = plan;
    this.#domains = new Map(domains.map((domain) => [domain.name, domain]));
    this.#hostKeys = plan.hostKeys;
    this.#served = servedProducts(plan.hostKeys);
    this.#intervals = plan;
    this.#policy = plan.store;
    this.hosts = Array.from({ length: replicas }, (_, ordinal) => ({
      name: hostName(name, ordinal),
      fqdn: hostFqdn(name, ordinal, namespace, domains[0]?.name ?? 'invalid'),
      pool: this,
      ordinal,
      up: true,
      downSinceMs: 0,
      copy: undefined,
    }));
  }

  /** SRV records of the pool in a domain, by ordinal; those of hosts that were down for too long are withdrawn. */
  records(domain: string, nowMs: number): readonly SrvRecord[] {
    const ranking = this.#domains.get(domain);
    if (ranking === undefined) return [];
    const ranks = rankHosts(ranking, this.hosts.length);
    return this.hosts.flatMap((host) => {
      const rank = ranks[host.ordinal];
      if (rank === undefined || this.#isWithdrawn(host, nowMs)) return [];
      return [{ ...rank, port: this.plan.port, target: host.fqdn }];
    });
  }

  #isWithdrawn({ up, downSinceMs }: VirtualHost, nowMs: number): boolean {
    const afterMs = this.plan.withdrawAfterMs;
    return !up && afterMs !== undefined && nowMs >= downSinceMs + afterMs;
  }

  setRanking(domain: string, ranking: DomainRanking | undefined): void {
    if (ranking === undefined) this.#domains.delete(domain);
    else this.#domains.set(domain, ranking);
  }

  setIntervals(intervals: Partial<Intervals>): void {
    this.#intervals = { ...this.#intervals, ...intervals };
  }

  setHostKey(product: string, state: HostKeySpec['state']): void {
    this.#hostKeys = this.#hostKeys.map((key) => (key.product === product ? { ...key, state } : key));
    this.#served = servedProducts(this.#hostKeys);
  }

  setHost(host: VirtualHost, up: boolean, nowMs: number): void {
    if (host.up === up) return;
    host.up = up;
    host.downSinceMs = nowMs;
    // Its memory is gone with it, and without the store there is nowhere to get a copy from.
    if (!up) host.copy = undefined;
  }

  /** The store is lost or is back. When it is back each host's contacts are merged into it, in order of the hosts. */
  setStore(up: boolean, policy: LossPolicy | undefined, nowMs: number): void {
    if (policy !== undefined) this.#policy = policy;
    if (up === (this.#lostSinceMs === undefined)) return;
    this.#lostSinceMs = up ? undefined : nowMs;
    for (const host of this.hosts) {
      if (up) this.#mergeFrom(host, nowMs);
      else if (host.up) host.copy = this.#copyOfTables();
    }
  }

  #copyOfTables(): readonly CmidTable[] {
    return this.#tables.map((table) => {
      const copy = new CmidTable();
      copy.replace(table.state());
      return copy;
    });
  }

  #mergeFrom(host: VirtualHost, nowMs: number): void {
    for (const [at, table] of (host.copy ?? []).entries()) this.#tables[at]?.merge(table.state(), nowMs);
    host.copy = undefined;
  }

  #condition(host: VirtualHost, nowMs: number): StoreCondition {
    const live = this.#lostSinceMs === undefined;
    const copied = live || host.copy !== undefined;
    const staleMs = nowMs - (this.#lostSinceMs ?? nowMs);
    return conditionOf(this.#policy, { live, copied, staleMs, journalFull: false, closed: false });
  }

  /** What the host says to a request (docs/protocol.md §5.1); it counts the request if it is in order. */
  ask(host: VirtualHost, request: VirtualRequest, nowMs: number): HostReply {
    if (!host.up) return UNREACHED;
    const { product, cmid, clientTimeMs } = request;
    const index = APPLICATION_INDEX.get(product.application) ?? -1;
    const facts = { requiredClientCount: product.threshold, cmidIsNil: false, clientTimeMs, application: index };
    const hresult = judge(facts, this.#served.get(product.countedIdHex), nowMs);
    if (hresult !== 0) return { kind: 'refused', hresult };
    const condition = this.#lostSinceMs === undefined ? 'Available' : this.#condition(host, nowMs);
    if (condition === 'Refusing' || condition === 'Starting') return SILENT;
    const table = (condition === 'Available' ? this.#tables : host.copy)?.[index];
    if (table === undefined) return SILENT;
    const count = table.record(cmid, nowMs, product.threshold, this.plan.maxRequiredCount);
    const { activationIntervalMinutes, renewalIntervalMinutes } = this.#intervals;
    return {
      kind: 'counted',
      answer: { count, activationIntervalMinutes, renewalIntervalMinutes, port: this.plan.port },
    };
  }

  /** The count of each application now, in the order of APPLICATIONS; while the store is away, of the host that knows most. */
  counts(nowMs: number): number[] {
    const views = [this.#tables, ...this.hosts.flatMap(({ copy }) => (copy === undefined ? [] : [copy]))];
    return APPLICATIONS.map((_application, index) =>
      Math.max(
        ...views.map((tables) => {
          tables[index]?.expire(nowMs);
          return tables[index]?.size ?? 0;
        }),
      ),
    );
  }
}
