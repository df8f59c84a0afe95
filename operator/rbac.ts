// SPDX-License-Identifier: Apache-2.0

// What the operator may do, as data: the least with which everything works. The chart makes its roles from this; a test runs the operator with exactly these
// rules, and finds none that was not used.
import { GROUP } from '@kmspool/crds';

/** A rule of rbac.authorization.k8s.io/v1. */
export interface PolicyRule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
  readonly resourceNames?: readonly string[];
}

const FOLLOWED = ['list', 'watch'] as const;
/** `get`, for a name is asked for before it is taken. Server-side apply of a new object needs `create` as well as `patch`. */
const APPLIED = ['get', ...FOLLOWED, 'create', 'patch'] as const;

/**
 * Where pools are looked after: in a ClusterRole, or in a Role in each namespace of `--watch-namespace`. Deletion of a pool's other objects is the garbage
 * collector's. With Roles alone nobody may look for external-dns in the whole cluster: what it is stays unknown, and everything else works.
 */
export const POOL_RULES: readonly PolicyRule[] = [
  { apiGroups: [GROUP], resources: ['kmshostpools'], verbs: [...FOLLOWED, 'patch'] },
  { apiGroups: [GROUP], resources: ['kmshostpools/status'], verbs: ['patch'] },
  // Asked for by the admission plugin OwnerReferencesPermissionEnforcement, which OpenShift runs.
  { apiGroups: [GROUP], resources: ['kmshostpools/finalizers'], verbs: ['update'] },
  { apiGroups: ['apps'], resources: ['deployments'], verbs: [...APPLIED, 'delete'] },
  { apiGroups: [''], resources: ['services', 'configmaps'], verbs: [...APPLIED, 'delete'] },
  { apiGroups: [''], resources: ['serviceaccounts'], verbs: APPLIED },
  { apiGroups: ['policy'], resources: ['poddisruptionbudgets'], verbs: APPLIED },
  { apiGroups: ['networking.k8s.io'], resources: ['networkpolicies'], verbs: APPLIED },
  { apiGroups: ['externaldns.k8s.io'], resources: ['dnsendpoints'], verbs: [...APPLIED, 'delete'] },
  // Never changed: made once, and the key deleted with a pool that is purged.
  { apiGroups: [''], resources: ['secrets'], verbs: ['get', ...FOLLOWED, 'create', 'delete'] },
  { apiGroups: [''], resources: ['pods'], verbs: FOLLOWED },
  { apiGroups: [''], resources: ['events'], verbs: ['create', 'patch'] },
];

/** Beside {@link POOL_RULES} with `--host-access=Proxy`. */
export const HOST_PROXY_RULES: readonly PolicyRule[] = [{ apiGroups: [''], resources: ['pods/proxy'], verbs: ['get'] }];

/** In a Role in the namespace of the Lease. Creation cannot be bound to a name. */
export function leaseRules(leaseName: string): readonly PolicyRule[] {
  const lease = { apiGroups: ['coordination.k8s.io'], resources: ['leases'] };
  return [
    { ...lease, verbs: ['create'] },
    { ...lease, resourceNames: [leaseName], verbs: ['get', 'update'] },
    // Its own namespace, for that is where a Role holds: whether it is being deleted, and the operator with it.
    { apiGroups: [''], resources: ['namespaces'], verbs: ['get'] },
  ];
}
