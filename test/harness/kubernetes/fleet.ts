// SPDX-License-Identifier: Apache-2.0
/**
 * Pools as tests of the operator need them by the dozen, operators that may do no more than their role says, and what must hold of a fleet at the end of
 * every fault: all of it is there, once.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { type KmsHostPoolInput, type KmsHostPoolStatus, LABELS } from '@kmspool/crds';
import { type Client, defineResource, type KubernetesObject, type Resource } from '@kmspool/operator/runtime';
import {
  CONFIG_MAPS,
  DEPLOYMENTS,
  DISRUPTION_BUDGETS,
  NETWORK_POLICIES,
  POOLS,
  type PoolObject,
  SECRETS,
  SERVICE_ACCOUNTS,
  SERVICES,
} from '../../../operator/pool/kinds.ts';
import { leaseRules, POOL_RULES, type PolicyRule } from '../../../operator/rbac.ts';
import { waitFor } from '../wait.ts';
import type { ControlPlane, PlaneUser } from './control-plane.ts';
import { type OperatorProcess, startOperator } from './operator-process.ts';

/** Namespace of the Leases. */
export const LEASE_NAMESPACE = 'default';

type Spec = Partial<KmsHostPoolInput['spec']>;

/** A pool of two hosts with a Redis that stubs believe in, and no domain. */
export function poolOf(namespace: string, name: string, spec: Spec = {}): PoolObject {
  const defaults = {
    replicas: 2,
    hostKeys: [{ product: 'WindowsServer2025' }],
    store: { redis: { url: 'redis://redis:6379' } },
  };
  return { metadata: { namespace, name }, spec: { ...defaults, ...spec } };
}

/** Makes pools `<prefix>-0` and so on, all at once; answers their names. */
export async function makePools(
  client: Client,
  { namespace, count, prefix = 'pool', spec }: { namespace: string; count: number; prefix?: string; spec?: Spec },
): Promise<string[]> {
  const names = Array.from({ length: count }, (_, n) => `${prefix}-${n}`);
  await Promise.all(names.map((name) => client.create(POOLS, poolOf(namespace, name, spec))));
  return names;
}

/** A condition of a pool, as `True/AllReady`; empty when it has none. */
export function conditionText({ status }: PoolObject, type: string): string {
  const found = status?.conditions?.find((condition) => condition.type === type);
  return found === undefined ? '' : `${found.status}/${found.reason}`;
}

/** Ready, and for the spec as it is. */
export function isReady({ metadata, status }: PoolObject): boolean {
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  return ready?.status === 'True' && ready.observedGeneration === metadata.generation;
}

/** Resolves with all pools of a namespace once there are `count` of them and each is as wanted; default: ready. */
export async function poolsWhen(
  client: Client,
  namespace: string,
  {
    count,
    like = isReady,
    timeoutMs = 60_000,
  }: { count: number; like?: (pool: PoolObject) => boolean; timeoutMs?: number },
): Promise<PoolObject[]> {
  let pools: PoolObject[] = [];
  const asWanted = async (): Promise<boolean> => {
    // The API server has work to do.
    if (pools.length > 0) await delay(100);
    pools = (await client.list(POOLS, { namespace })).items;
    return pools.length === count && pools.every(like);
  };
  try {
    await waitFor(`${count} pools of ${namespace}`, asWanted, timeoutMs);
  } catch (error) {
    const unlike = pools
      .filter((pool) => !like(pool))
      .map(({ metadata, status }) => ({ ...metadata, managedFields: undefined, status }));
    throw new Error(`${(error as Error).message}; not as wanted: ${JSON.stringify(unlike.slice(0, 3), null, 1)}`, {
      cause: error,
    });
  }
  return pools;
}

/** Everything of ours in a namespace, as `Kind name`, sorted. Pods are the controllers' matter, events come and go. */
export async function objectsIn(client: Client, namespace: string): Promise<string[]> {
  const lists = await Promise.all(
    OWNED.map(async (resource) => {
      const labelSelector = LABELS.pool;
      const { items } = await client.list(resource, { namespace, labelSelector });
      return items.map(({ metadata }) => `${resource.kind} ${metadata.name}`);
    }),
  );
  return lists.flat().sort();
}

/** What {@link objectsIn} must answer for these pools, all with as many hosts. */
export function objectsOf(names: readonly string[], replicas: number): string[] {
  return names
    .flatMap((name) => [
      ...[`ServiceAccount ${name}`, `PodDisruptionBudget ${name}`, `NetworkPolicy ${name}`],
      ...[`Secret ${name}-key`, `Secret ${name}-admin`],
      ...Array.from({ length: replicas }, (_, n) => `${name}-${n}`).flatMap((host) => [
        ...[`Deployment ${host}`, `Service ${host}`, `ConfigMap ${host}`],
      ]),
    ])
    .sort();
}

const OWNED: readonly Resource[] = [
  DEPLOYMENTS,
  SERVICES,
  CONFIG_MAPS,
  SECRETS,
  SERVICE_ACCOUNTS,
  DISRUPTION_BUDGETS,
  NETWORK_POLICIES,
];

/** Identity and uid of each key Secret, by the Secret's name: nothing may ever change them. */
export async function keysIn(client: Client, namespace: string): Promise<Record<string, string>> {
  const { items } = await client.list(SECRETS, { namespace, labelSelector: LABELS.pool });
  return Object.fromEntries(
    items.map(({ metadata, data }) => [metadata.name, `${metadata.uid} ${data?.['key'] ?? data?.['token']}`]),
  );
}

/** `status.poolId` by pool; undefined while it has none. */
export function poolIdsOf(pools: readonly PoolObject[]): Record<string, KmsHostPoolStatus['poolId']> {
  return Object.fromEntries(pools.map(({ metadata, status }) => [metadata.name, status?.poolId]));
}

interface Role extends KubernetesObject {
  readonly rules?: readonly PolicyRule[];
}
interface Binding extends KubernetesObject {
  readonly subjects?: readonly object[];
  readonly roleRef?: object;
}
const RBAC = 'rbac.authorization.k8s.io';
const rbac = <T extends KubernetesObject>(kind: string, namespaced: boolean): Resource<T> =>
  defineResource<T>({ group: RBAC, version: 'v1', kind, plural: `${kind.toLowerCase()}s`, namespaced });

/** Gives a user these rights: in one namespace, or everywhere. */
export async function grant(
  client: Client,
  { user, rules, namespace, name }: { user: string; rules: readonly PolicyRule[]; namespace?: string; name: string },
): Promise<void> {
  const scope = namespace === undefined ? 'ClusterRole' : 'Role';
  const metadata = { name, namespace };
  const subjects = [{ kind: 'User', name: user, apiGroup: RBAC }];
  await client.apply(rbac<Role>(scope, namespace !== undefined), { metadata, rules }, { fieldManager: 'test' });
  await client.apply(
    rbac<Binding>(`${scope}Binding`, namespace !== undefined),
    { metadata, subjects, roleRef: { apiGroup: RBAC, kind: scope, name } },
    { fieldManager: 'test' },
  );
}

/** A user that may do what the operator must, everywhere, and nothing else. */
export async function operatorUser(plane: ControlPlane, name: string, leaseName: string): Promise<PlaneUser> {
  const user = await plane.user(name);
  await grant(plane.client(), { user: name, rules: POOL_RULES, name });
  await grant(plane.client(), { user: name, rules: leaseRules(leaseName), namespace: LEASE_NAMESPACE, name });
  return user;
}

/** Flags of a lease that is lost within seconds. */
export const SHORT_LEASE: readonly string[] = [
  '--lease-duration-seconds=4',
  '--lease-renew-deadline-seconds=3',
  '--lease-retry-period-seconds=0.5',
];

/** An operator that logs in as this user, under whose name it stands in the Lease, and asks hosts at their loopback addresses. */
export function operatorAs(
  { name, kubeconfig }: Pick<PlaneUser, 'name' | 'kubeconfig'>,
  ...args: readonly string[]
): Promise<OperatorProcess> {
  const own = ['--host-access=Direct', `--instance=${name}`, `--lease-namespace=${LEASE_NAMESPACE}`];
  return startOperator({ kubeconfig, args: [...own, ...args] });
}

/** Resolves once it leads. */
export function untilLeading(operator: OperatorProcess, timeoutMs = 30_000): Promise<void> {
  const leads = async (): Promise<boolean> => (await isLeading(operator)) || delay(100, false);
  return waitFor('the operator to lead', leads, timeoutMs);
}

/** Whether it holds the Lease, by its own metrics. */
export async function isLeading(operator: OperatorProcess): Promise<boolean> {
  const { body } = await operator.http('/metrics');
  return /^leader_election_master_status\{[^}]*\} 1$/m.test(body);
}

/** Runs all steps, one after another, also when one fails; then throws what the first one threw. What is left running would keep the test's process alive. */
export async function endAll(...steps: readonly (() => unknown)[]): Promise<void> {
  const failures: unknown[] = [];
  for (const step of steps) {
    try {
      await step();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}
