// SPDX-License-Identifier: Apache-2.0
//
// Everything that a machine can meet: the pools, their hosts by name, and DNS. It keeps SRV answers until something about
// them changes, for a million machines ask the same question.

import type { HostReply } from '../client/index.ts';
import type { SrvRecord } from '../dns/index.ts';
import type { Change } from './plan.ts';
import type { VirtualHost, VirtualPool, VirtualRequest } from './pool.ts';

const NOTHING: readonly SrvRecord[] = [];
const UNREACHED: HostReply = { kind: 'silent', how: 'ConnectFailed' };

export class World {
  readonly pools: readonly VirtualPool[];
  readonly hosts: readonly VirtualHost[];
  readonly #hostsByName = new Map<string, VirtualHost>();
  readonly #answers = new Map<string, readonly SrvRecord[]>();
  #dnsUp = true;

  constructor(pools: readonly VirtualPool[]) {
    this.pools = pools;
    this.hosts = pools.flatMap(({ hosts }) => hosts);
    for (const host of this.hosts) {
      this.#hostsByName.set(host.name, host);
      this.#hostsByName.set(host.fqdn, host);
    }
  }

  hostNamed(name: string): VirtualHost | undefined {
    return this.#hostsByName.get(name);
  }

  /** SRV of the first of these domains that has any (S3-20). */
  records(domains: readonly string[], nowMs: number): readonly SrvRecord[] {
    if (!this.#dnsUp) return NOTHING;
    for (const domain of domains) {
      const records = this.#recordsOf(domain, nowMs);
      if (records.length > 0) return records;
    }
    return NOTHING;
  }

  #recordsOf(domain: string, nowMs: number): readonly SrvRecord[] {
    const known = this.#answers.get(domain);
    if (known !== undefined) return known;
    const records = this.pools.flatMap((pool) => pool.records(domain, nowMs));
    this.#answers.set(domain, records);
    return records;
  }

  /** Asks a host by name or fully qualified name. An unknown name has no address, so nothing is reached. */
  ask(name: string, request: VirtualRequest, nowMs: number): HostReply {
    const host = this.#hostsByName.get(name);
    return host === undefined ? UNREACHED : host.pool.ask(host, request, nowMs);
  }

  /**
   * Takes over a change of the pools' side; one of machines is not for it. Answers when DNS changes by itself as a
   * consequence, for then {@link forgetAnswers} is due; undefined if it does not.
   */
  apply(change: Change, nowMs: number): number | undefined {
    this.forgetAnswers();
    if (change.kind === 'dns') this.#dnsUp = change.up;
    if (change.kind === 'host') return this.#setHost(change.host, change.up, nowMs);
    if (!('pool' in change)) return undefined;
    const pool = this.pools.find(({ plan }) => plan.name === change.pool);
    if (change.kind === 'store') pool?.setStore(change.up, change.policy, nowMs);
    if (change.kind === 'intervals') pool?.setIntervals(change.intervals);
    if (change.kind === 'domain') pool?.setRanking(change.domain, change.ranking);
    if (change.kind === 'hostKey') pool?.setHostKey(change.product, change.state);
    return undefined;
  }

  #setHost(name: string, up: boolean, nowMs: number): number | undefined {
    const host = this.#hostsByName.get(name);
    host?.pool.setHost(host, up, nowMs);
    const afterMs = host?.pool.plan.withdrawAfterMs;
    return up || afterMs === undefined ? undefined : nowMs + afterMs;
  }

  forgetAnswers(): void {
    this.#answers.clear();
  }
}
