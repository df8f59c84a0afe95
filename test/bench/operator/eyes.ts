// SPDX-License-Identifier: Apache-2.0

// What a user with a watch sees, and when: pools and DNSEndpoints, followed by the bench itself.
import {
  type Client,
  createMetrics,
  findCondition,
  Informer,
  keyOf,
  type ObjectRef,
  refOfObject,
} from '@kmspool/operator/runtime';
import { Registry } from 'prom-client';
import { DNS_ENDPOINTS, type DnsEndpoint, POOLS, type PoolObject } from '../../../operator/pool/kinds.ts';

/** When a watch showed something of one generation of a pool first; ms since 1970. */
export interface Sightings {
  /** `status.observedGeneration` is that generation. */
  readonly observedAtMs?: number;
  /** Reconciling is True, of that generation. */
  readonly reconcilingAtMs?: number;
  /** Ready is True and Reconciling False, both of that generation. */
  readonly settledAtMs?: number;
}

type Look = () => boolean;

/** Watches that remember when they saw what. */
export class Eyes {
  readonly #pools: Informer<PoolObject>;
  readonly #endpoints: Informer<DnsEndpoint>;
  readonly #end = new AbortController();
  readonly #running: Promise<void>[] = [];
  /** By `namespace/name@generation`. */
  readonly #sightings = new Map<string, { -readonly [F in keyof Sightings]: Sightings[F] }>();
  readonly #looks = new Set<Look>();
  /** When each pool was first Ready of its present generation, and when nothing was left to do either. */
  readonly readyAtMs = new Map<string, number>();
  readonly settledAtMs = new Map<string, number>();

  constructor(client: Client) {
    const common = { client, metrics: createMetrics(new Registry()) };
    this.#pools = new Informer({ ...common, resource: POOLS });
    this.#endpoints = new Informer({ ...common, resource: DNS_ENDPOINTS });
  }

  async open(): Promise<void> {
    const { signal } = this.#end;
    this.#pools.onChange(({ object }) => this.#see(object));
    this.#endpoints.onChange(() => this.#look());
    this.#running.push(this.#pools.run(signal), this.#endpoints.run(signal));
    await Promise.all([this.#pools.synced(signal), this.#endpoints.synced(signal)]);
  }

  async close(): Promise<void> {
    this.#end.abort();
    await Promise.all(this.#running);
  }

  /** What was seen of a generation. */
  seen(ref: ObjectRef, generation: number): Sightings {
    return this.#sightings.get(`${keyOf(ref)}@${generation}`) ?? {};
  }

  /** Pools that are settled now: Ready is True and Reconciling False, both of the present generation. */
  settled(): number {
    return this.#pools.cache.list().filter(isSettled).length;
  }

  /** Whether this pool is settled now. */
  isSettled(ref: ObjectRef): boolean {
    const pool = this.#pools.cache.get(ref);
    return pool !== undefined && isSettled(pool);
  }

  /** Whether an SRV record of the pool's DNSEndpoint names the host. */
  publishes(ref: ObjectRef, host: string): boolean {
    const sets = this.#endpoints.cache.get(ref)?.spec?.endpoints ?? [];
    return sets.some(
      ({ recordType, targets }) => recordType === 'SRV' && targets.some((line) => line.includes(` ${host}.`)),
    );
  }

  /** Resolves with the moment (ms since 1970) at which a watch event made `holds` true. @throws Error after the deadline. */
  until(what: string, holds: () => boolean, timeoutMs = 60_000): Promise<number> {
    return new Promise((resolve, reject) => {
      const look = (): boolean => {
        if (!holds()) return false;
        this.#looks.delete(look);
        clearTimeout(timer);
        resolve(Date.now());
        return true;
      };
      const timer = setTimeout(() => {
        this.#looks.delete(look);
        reject(new Error(`waited ${timeoutMs} ms in vain for: ${what}`));
      }, timeoutMs);
      if (!look()) this.#looks.add(look);
    });
  }

  #see(pool: PoolObject): void {
    const nowMs = Date.now();
    const { status } = pool;
    const key = keyOf(refOfObject(pool));
    const of = status?.observedGeneration;
    if (of !== undefined) {
      const known = this.#sightings.get(`${key}@${of}`) ?? {};
      this.#sightings.set(`${key}@${of}`, known);
      known.observedAtMs ??= nowMs;
      if (isCondition(pool, 'Reconciling', 'True', of)) known.reconcilingAtMs ??= nowMs;
      if (isSettled(pool)) known.settledAtMs ??= nowMs;
    }
    if (isReady(pool) && !this.readyAtMs.has(key)) this.readyAtMs.set(key, nowMs);
    if (isSettled(pool) && !this.settledAtMs.has(key)) this.settledAtMs.set(key, nowMs);
    this.#look();
  }

  #look(): void {
    for (const look of [...this.#looks]) look();
  }
}

function isReady(pool: PoolObject): boolean {
  return isCondition(pool, 'Ready', 'True', pool.metadata.generation);
}

function isSettled(pool: PoolObject): boolean {
  return isReady(pool) && isCondition(pool, 'Reconciling', 'False', pool.metadata.generation);
}

function isCondition({ status }: PoolObject, type: string, value: string, generation: number | undefined): boolean {
  const condition = findCondition(status?.conditions, type);
  return condition?.status === value && condition.observedGeneration === generation;
}
