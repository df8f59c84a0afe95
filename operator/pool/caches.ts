// SPDX-License-Identifier: Apache-2.0

// The caches that pools are reconciled from, one of each kind, and whom a change in them concerns. No decisions here; gather.ts reads them.
import { defaultKeySecretName, FIELD_MANAGER, type KmsHostPool, LABELS, poolSchema } from '@kmspool/crds';
import {
  type Change,
  type Client,
  type Clock,
  Informer,
  type InformerOptions,
  type KubernetesObject,
  keyOf,
  type Logger,
  labelIndex,
  type ObjectRef,
  type Resource,
  type RuntimeMetrics,
  refOfObject,
} from '../runtime/index.ts';
import { Findings } from './findings.ts';
import {
  CONFIG_MAPS,
  DEPLOYMENTS,
  type Deployment,
  DISRUPTION_BUDGETS,
  DNS_ENDPOINTS,
  LEAN_SECRETS,
  NETWORK_POLICIES,
  PODS,
  POOLS,
  type PoolObject,
  SERVICE_ACCOUNTS,
  SERVICES,
} from './kinds.ts';
import { leanDeployment, leanPod, leanSecret } from './lean.ts';

/** What the caches are made of. */
export interface CacheOptions {
  readonly client: Client;
  readonly metrics: RuntimeMetrics;
  /** Namespaces to look at; all of them when empty. */
  readonly namespaces: readonly string[];
  /** Silence after which a watch counts as dead. */
  readonly silenceMs: number;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Index of objects by the pool whose label they carry. */
export const BY_POOL = 'pool';
/** Index of pools by the name of a domain that they publish in. */
export const BY_DOMAIN = 'domain';
/** Index of pools by the Secret that holds their key. */
export const BY_SECRET = 'secret';

/** Index of pools by the identity in their status. */
export const BY_IDENTITY = 'identity';

/** Types of Secret that never hold a pool's key and are many. */
const OTHER_SECRETS = [
  'helm.sh/release.v1',
  'kubernetes.io/service-account-token',
  'kubernetes.io/tls',
  'kubernetes.io/dockerconfigjson',
  'bootstrap.kubernetes.io/token',
];

/** All caches. */
export type Caches = ReturnType<typeof createCaches>;

/** Makes the caches; `follow` fills them. */
export function createCaches(base: CacheOptions) {
  const owned = <T extends KubernetesObject>(
    resource: Resource<T>,
    more: Partial<InformerOptions<T>> = {},
  ): Informer<T> =>
    new Informer<T>({
      ...base,
      resource,
      labelSelector: `${LABELS.managedBy}=${FIELD_MANAGER}`,
      indexes: { [BY_POOL]: labelIndex(LABELS.pool) },
      ...more,
    });
  return {
    pools: new Informer({
      ...base,
      resource: POOLS,
      indexes: { [BY_DOMAIN]: domainsOf, [BY_SECRET]: keySecretOf, [BY_IDENTITY]: identityOf },
    }),
    deployments: owned(DEPLOYMENTS, { trim: leanDeployment }),
    services: owned(SERVICES),
    configMaps: owned(CONFIG_MAPS),
    disruptionBudgets: owned(DISRUPTION_BUDGETS),
    networkPolicies: owned(NETWORK_POLICIES),
    serviceAccounts: owned(SERVICE_ACCOUNTS),
    dnsEndpoints: owned(DNS_ENDPOINTS, { optional: true }),
    pods: owned(PODS, { trim: leanPod }),
    secrets: new Informer({
      ...base,
      resource: LEAN_SECRETS,
      fieldSelector: OTHER_SECRETS.map((type) => `type!=${type}`).join(','),
      trim: leanSecret,
    }),
    /** external-dns as its chart and its manifests label it; where the operator may not look there it stays empty. */
    externalDns: new Informer<Deployment>({
      ...base,
      namespaces: [],
      resource: DEPLOYMENTS,
      labelSelector: 'app.kubernetes.io/name=external-dns',
      // With roles in a few namespaces only.
      mayBeForbidden: true,
      trim: leanDeployment,
    }),
  };
}

/** Follows the API server with all caches until the signal is aborted. */
export async function followAll(caches: Caches, signal: AbortSignal): Promise<void> {
  await Promise.all(Object.values(caches).map((informer) => informer.run(signal)));
}

/** A pool by the schema with what was found out about it, or one line for each error. */
export type ParsedPool =
  | { readonly ok: true; readonly pool: KmsHostPool; readonly findings: Findings }
  | { readonly ok: false; readonly errors: readonly string[] };

/** Reads pools by the schema, each generation once. Of the metadata only what never changes is right in what it answers: name, namespace, uid. */
export class PoolReader {
  readonly #known = new Map<string, { readonly version: string; readonly read: ParsedPool }>();

  read(object: PoolObject): ParsedPool {
    const key = keyOf(refOfObject(object));
    const version = `${object.metadata.uid}/${object.metadata.generation}`;
    const known = this.#known.get(key);
    if (known?.version === version) return known.read;
    const read = parsePool(object);
    this.#known.set(key, { version, read });
    return read;
  }

  /** Forgets a pool that is gone. */
  forget(ref: ObjectRef): void {
    this.#known.delete(keyOf(ref));
  }
}

function parsePool(object: PoolObject): ParsedPool {
  // The status is the operator's own and may be of another version.
  const { status: _, ...rest } = object;
  const result = poolSchema.safeParse(rest);
  if (result.success) return { ok: true, pool: result.data, findings: new Findings() };
  return { ok: false, errors: result.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`) };
}

// Read without the schema: an index function has only the object.
function domainsOf({ spec }: PoolObject): string[] {
  const { dns } = (spec ?? {}) as { dns?: { publisher?: string; domains?: readonly { name: string }[] } };
  return dns?.publisher === 'None' ? [] : (dns?.domains ?? []).map(({ name }) => name);
}

function identityOf({ status }: PoolObject): string[] {
  return status?.poolId === undefined ? [] : [status.poolId];
}

function keySecretOf(object: PoolObject): string[] {
  const { name, namespace } = object.metadata;
  const spec = object.spec as { keySecretRef?: { name?: string } } | undefined;
  return [`${namespace}/${spec?.keySecretRef?.name ?? defaultKeySecretName(name)}`, `${namespace}/${name}-admin`];
}

/** The pool whose label an object carries. */
export function poolOfLabel({ metadata }: KubernetesObject): readonly ObjectRef[] {
  const name = metadata.labels?.[LABELS.pool];
  return name === undefined ? [] : [{ namespace: metadata.namespace, name }];
}

/** Whether a pool changed in something else than its status, which is the operator's own. */
export function isNews({ object, previous }: Change<PoolObject>): boolean {
  if (previous === undefined) return true;
  const { metadata: now } = object;
  const { metadata: before } = previous;
  return (
    now.generation !== before.generation ||
    now.deletionTimestamp !== before.deletionTimestamp ||
    now.uid !== before.uid ||
    JSON.stringify(now.finalizers) !== JSON.stringify(before.finalizers)
  );
}
