// SPDX-License-Identifier: Apache-2.0

// The pools of the bench: what they are, and how many are made at once.
import { API_VERSION, POOL_KIND } from '@kmspool/crds';
import type { Client, ObjectRef } from '@kmspool/operator/runtime';
import { POOLS, type PoolObject } from '../../../operator/pool/kinds.ts';

/** Hosts of each pool. */
export const HOSTS = 3;
const POOLS_PER_NAMESPACE = 50;
const AT_ONCE = 32;

/** Where the pools are to be made. */
export interface PoolPlan {
  readonly count: number;
  /** One for each 50 pools. */
  readonly namespaces: readonly string[];
  /** As `spec.dns.verifyNameservers` takes it. */
  readonly nameserver: string;
}

/** How many namespaces so many pools are spread over. */
export function namespacesFor(count: number): number {
  return Math.ceil(count / POOLS_PER_NAMESPACE);
}

/** The n-th pool: three hosts with a store, a domain of its own, everything else by default. */
export function poolOf({ namespaces, nameserver }: PoolPlan, n: number): PoolObject {
  const namespace = namespaces[Math.floor(n / POOLS_PER_NAMESPACE)] ?? '';
  return {
    apiVersion: API_VERSION,
    kind: POOL_KIND,
    metadata: { namespace, name: `pool-${n}` },
    spec: {
      replicas: HOSTS,
      hostKeys: [{ product: 'WindowsServer2025' }, { product: 'Office2021' }],
      // Nobody connects to it: the hosts are stubs.
      store: { redis: { url: 'redis://redis:6379' } },
      dns: { domains: [{ name: `pool-${n}.bench.test` }], verifyNameservers: [nameserver] },
    },
  };
}

/** Makes all pools, many at once. Answers their names in order. */
export async function makePools(client: Client, plan: PoolPlan): Promise<ObjectRef[]> {
  const refs: ObjectRef[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    for (let n = next++; n < plan.count; n = next++) {
      const pool = poolOf(plan, n);
      await client.create(POOLS, pool);
      refs[n] = { namespace: pool.metadata.namespace, name: pool.metadata.name };
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return refs;
}
