// SPDX-License-Identifier: Apache-2.0

// Other pools that concern one: who named a domain first, who has the same identity. Read from the caches, without the schema: another pool's spec may be
// one that this version refuses. It decides nothing.
import { defaultKeySecretName } from '@kmspool/crds';
import { hostFqdn } from '@kmspool/kms/dns';
import type { KubernetesObject, ObjectRef, Resource } from '../runtime/index.ts';
import { BY_DOMAIN, BY_IDENTITY } from './caches.ts';
import { LEAN_SECRETS, type LeanSecret, type PoolObject } from './kinds.ts';
import type { DomainClaim } from './world.ts';

/** What is read of all pools. */
export interface NeighbourSources {
  readonly caches: {
    readonly pools: { readonly cache: { byIndex(index: string, value: string): readonly PoolObject[] } };
    readonly secrets: { readonly cache: { get(ref: ObjectRef): LeanSecret | undefined } };
  };
  readonly written: {
    latest<T extends KubernetesObject>(resource: Resource<T>, ref: ObjectRef, cached: T | undefined): T | undefined;
  };
}

/** Other pools with the same identity, as namespace/name; those that are going count in no table any more. */
export function twinsOf({ caches: { pools } }: NeighbourSources, object: PoolObject): string[] {
  const poolId = object.status?.poolId;
  if (poolId === undefined) return [];
  return pools.cache
    .byIndex(BY_IDENTITY, poolId)
    .filter(({ metadata }) => metadata.uid !== object.metadata.uid && metadata.deletionTimestamp === undefined)
    .map(({ metadata }) => `${metadata.namespace}/${metadata.name}`)
    .sort();
}

/** The pool's claim to a domain, and who else names it. */
export function claimOf(sources: NeighbourSources, object: PoolObject, domain: string): DomainClaim {
  const others = sources.caches.pools.cache
    .byIndex(BY_DOMAIN, domain)
    .filter(({ metadata }) => metadata.uid !== object.metadata.uid);
  const [elder] = others.filter((other) => ageOf(other) < ageOf(object)).sort((a, b) => (ageOf(a) < ageOf(b) ? -1 : 1));
  const poolId = identityOf(sources, object);
  const siblings = others.filter((other) => poolId !== undefined && identityOf(sources, other) === poolId);
  return {
    domain,
    elder:
      elder === undefined
        ? undefined
        : {
            namespace: elder.metadata.namespace ?? 'default',
            name: elder.metadata.name,
            poolId: identityOf(sources, elder),
            ttlSeconds: ttlOf(elder, domain),
          },
    siblings: siblings.flatMap(hostNamesOf),
  };
}

type LooseSpec = {
  replicas?: number;
  keySecretRef?: { name?: string };
  dns?: { domains?: readonly { name: string; ttlSeconds?: number }[] };
};

/** What its status says, else what its Secret gives: of two pools that are made together neither has a status yet. */
function identityOf({ caches, written }: NeighbourSources, { metadata, spec, status }: PoolObject): string | undefined {
  if (status?.poolId !== undefined) return status.poolId;
  const name = (spec as LooseSpec | undefined)?.keySecretRef?.name ?? defaultKeySecretName(metadata.name);
  const ref = { namespace: metadata.namespace, name };
  return written.latest(LEAN_SECRETS, ref, caches.secrets.cache.get(ref))?.poolId;
}

/** Sorts by age, then by name: two pools of one second still have an elder. */
function ageOf({ metadata }: PoolObject): string {
  return `${metadata.creationTimestamp ?? ''}/${metadata.namespace}/${metadata.name}`;
}

function ttlOf({ spec }: PoolObject, domain: string): number {
  return (spec as LooseSpec | undefined)?.dns?.domains?.find(({ name }) => name === domain)?.ttlSeconds ?? 60;
}

/** Names of another pool's hosts, those that are on their way out too. */
function hostNamesOf({ metadata, spec, status }: PoolObject): string[] {
  const { replicas = 0, dns } = (spec ?? {}) as LooseSpec;
  const first = dns?.domains?.[0]?.name;
  const named = (status?.hosts ?? []).flatMap(({ fqdn }) => fqdn ?? []);
  if (first === undefined) return named;
  const wanted = Array.from({ length: replicas }, (_, n) =>
    hostFqdn(metadata.name, n, metadata.namespace ?? 'default', first),
  );
  return [...new Set([...named, ...wanted])];
}
