// SPDX-License-Identifier: Apache-2.0

// A corner of a cluster in which pools are published for real: a namespace, a domain, and an external-dns that looks only there. It knows what the records of
// a pool have to be, and asks the name server for them.
import { type ExternalDns, type ExternalDnsOptions, type PowerDns, startExternalDns } from './dns-peers.ts';
import type { OperatorProcess } from './operator-process.ts';
import type { TestPool } from './pools.ts';

/** Seconds; every test waits for it. */
export const TTL_SECONDS = 1;

/** An SRV record of a host. */
export type Line = readonly [priority: number, weight: number, ordinal: number];

/** What a place is made of. */
export interface PlaceParts {
  readonly namespace: string;
  /** In a zone of the server's. */
  readonly domain: string;
  readonly powerDns: PowerDns;
  /** Path, for external-dns. */
  readonly kubeconfig: string;
}

/** Where a test has its pools. */
export class DnsPlace {
  readonly namespace: string;
  readonly domain: string;
  readonly powerDns: PowerDns;
  readonly #kubeconfig: string;
  readonly #publishers: ExternalDns[] = [];

  constructor({ namespace, domain, powerDns, kubeconfig }: PlaceParts) {
    this.namespace = namespace;
    this.domain = domain;
    this.powerDns = powerDns;
    this.#kubeconfig = kubeconfig;
  }

  /** Starts an external-dns for the DNSEndpoints of the namespace. */
  async startPublisher(more: Partial<ExternalDnsOptions> = {}): Promise<ExternalDns> {
    const { namespace, powerDns } = this;
    const own = { kubeconfig: this.#kubeconfig, powerDns, namespace, owner: namespace };
    const publisher = await startExternalDns({ ...own, ...more });
    this.#publishers.push(publisher);
    return publisher;
  }

  /** Ends every external-dns of the place. */
  async stop(): Promise<void> {
    await Promise.all(this.#publishers.map((publisher) => publisher.stop()));
  }

  /** `_vlmcs._tcp.DOMAIN`. */
  get record(): string {
    return `_vlmcs._tcp.${this.domain}`;
  }

  /** The DNS name of a host. */
  host(pool: TestPool, ordinal: number): string {
    return `${pool.name}-${ordinal}.${this.namespace}.${this.domain}`;
  }

  /** SRV records as a zone file has them. */
  lines(pool: TestPool, lines: readonly Line[]): string[] {
    return lines.map(([priority, weight, ordinal]) => `${priority} ${weight} 1688 ${this.host(pool, ordinal)}.`);
  }

  /** Waits until the name server shows these SRV records in the domain, and no others. */
  shows(pool: TestPool, lines: readonly Line[]): Promise<void> {
    return this.powerDns.shows(this.record, 'SRV', this.lines(pool, lines), 30_000);
  }

  /** The SRV targets in the pool's DNSEndpoint. */
  async written(pool: TestPool): Promise<readonly string[]> {
    const endpoints = (await pool.dnsEndpoint())?.spec?.endpoints ?? [];
    return endpoints.filter(({ recordType }) => recordType === 'SRV').flatMap(({ targets }) => targets);
  }

  /** `spec.dns` of a pool that publishes here; `domain` adds priority and weight, or tiers. */
  dns(domain: object = {}): object {
    const { address, port } = this.powerDns;
    return {
      domains: [{ name: this.domain, ttlSeconds: TTL_SECONDS, ...domain }],
      verifyNameservers: [`${address}:${port}`],
      withdrawAfterSeconds: 2,
      minChangeSeconds: 0,
    };
  }

  /** The spec of a pool that publishes here; its store is one that only stubs believe in. */
  spec(replicas: number, more: object = {}): object {
    return {
      replicas,
      hostKeys: [{ product: 'WindowsServer2025' }],
      store: { redis: { url: 'redis://127.0.0.1:6379' } },
      dns: this.dns(),
      ...more,
    };
  }

  /** Adds to an error what the operator and external-dns logged of this place. */
  async telling(operator: OperatorProcess, use: () => Promise<void>): Promise<void> {
    try {
      await use();
    } catch (error) {
      const words = error instanceof Error ? (error.stack ?? error.message) : String(error);
      const lines = operator
        .output()
        .split('\n')
        .filter((line) => line.includes(this.namespace));
      const published = this.#publishers.map((publisher) => publisher.log(1_500));
      const logs = ['--- operator', ...lines.slice(-20), '--- external-dns', ...published];
      throw new Error([words, ...logs].join('\n'), { cause: error });
    }
  }
}
