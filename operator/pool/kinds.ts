// SPDX-License-Identifier: Apache-2.0

// The kinds that the operator reads and writes, with as much of their types as it uses. Objects are plain JSON: a field that is not named here is kept.
import { GROUP, type KmsHostPoolStatus, POOL_KIND, VERSION } from '@kmspool/crds';
import { defineResource, type KubernetesObject, type Resource } from '../runtime/index.ts';

/** A KmsHostPool as the API server hands it out; `spec` is read by the schema before anything is made of it. */
export interface PoolObject extends KubernetesObject {
  readonly spec?: unknown;
  readonly status?: KmsHostPoolStatus;
}

/** A condition of a Pod or a Deployment. */
export interface ObjectCondition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
  readonly lastTransitionTime?: string;
}

export interface Deployment extends KubernetesObject {
  readonly spec?: { readonly replicas?: number; readonly template?: PodTemplate; readonly [field: string]: unknown };
  readonly status?: {
    readonly observedGeneration?: number;
    readonly replicas?: number;
    readonly updatedReplicas?: number;
    readonly readyReplicas?: number;
    readonly availableReplicas?: number;
    readonly conditions?: readonly ObjectCondition[];
  };
}

export interface PodTemplate {
  readonly metadata?: { readonly labels?: Record<string, string>; readonly annotations?: Record<string, string> };
  readonly spec?: Readonly<Record<string, unknown>>;
}

/** A Pod as the cache keeps it: see {@link leanPod}. */
export interface Pod extends KubernetesObject {
  /** In the cache only: the port on which its host listens for clients. */
  readonly kmsPort?: number;
  readonly status?: {
    readonly phase?: string;
    readonly podIP?: string;
    readonly podIPs?: readonly { readonly ip: string }[];
    readonly hostIP?: string;
    readonly hostIPs?: readonly { readonly ip: string }[];
    readonly conditions?: readonly ObjectCondition[];
    readonly containerStatuses?: readonly {
      readonly name: string;
      readonly state?: { readonly waiting?: { readonly reason?: string; readonly message?: string } };
      readonly lastState?: {
        readonly terminated?: { readonly reason?: string; readonly exitCode?: number; readonly message?: string };
      };
    }[];
  };
}

export interface Service extends KubernetesObject {
  readonly spec?: {
    readonly type?: string;
    readonly clusterIP?: string;
    readonly clusterIPs?: readonly string[];
    readonly ports?: readonly { readonly name?: string; readonly port: number; readonly nodePort?: number }[];
    readonly [field: string]: unknown;
  };
  readonly status?: {
    readonly loadBalancer?: { readonly ingress?: readonly { readonly ip?: string; readonly hostname?: string }[] };
  };
}

export interface ConfigMap extends KubernetesObject {
  readonly data?: Readonly<Record<string, string>>;
}

/** A Secret as it is written. The cache never holds one whole: see {@link LeanSecret}. */
export interface Secret extends KubernetesObject {
  readonly type?: string;
  readonly immutable?: boolean;
  /** Base64. */
  readonly data?: Readonly<Record<string, string>>;
}

/** What the cache keeps of a Secret: no byte of what it holds, only what follows from it. */
export interface LeanSecret extends KubernetesObject {
  /** Identity that `data.key` gives, UUID text; absent when there is no usable key. */
  readonly poolId?: string;
  /** Bytes of `data.key`; absent when there is none. */
  readonly keyBytes?: number;
  /** Whether `data.token` is there and long enough for a host to accept. */
  readonly hasToken?: boolean;
}

export interface PodDisruptionBudget extends KubernetesObject {
  readonly spec?: Readonly<Record<string, unknown>>;
}
export interface NetworkPolicy extends KubernetesObject {
  readonly spec?: Readonly<Record<string, unknown>>;
}
export interface ServiceAccount extends KubernetesObject {
  readonly automountServiceAccountToken?: boolean;
}

/** One record set of a DNSEndpoint (external-dns, `endpoint.Endpoint`). */
export interface DnsRecordSet {
  readonly dnsName: string;
  readonly recordType: 'SRV' | 'A' | 'AAAA';
  readonly recordTTL: number;
  readonly targets: readonly string[];
}

export interface DnsEndpoint extends KubernetesObject {
  readonly spec?: { readonly endpoints?: readonly DnsRecordSet[] };
  readonly status?: { readonly observedGeneration?: number };
}

const named = <T extends KubernetesObject>(group: string, plural: string, kind: string): Resource<T> =>
  defineResource<T>({ group, version: 'v1', plural, kind, namespaced: true });

export const POOLS: Resource<PoolObject> = defineResource<PoolObject>({
  group: GROUP,
  version: VERSION,
  plural: 'kmshostpools',
  kind: POOL_KIND,
  namespaced: true,
});
export const DEPLOYMENTS = named<Deployment>('apps', 'deployments', 'Deployment');
export const PODS = named<Pod>('', 'pods', 'Pod');
export const SERVICES = named<Service>('', 'services', 'Service');
export const CONFIG_MAPS = named<ConfigMap>('', 'configmaps', 'ConfigMap');
export const SECRETS = named<Secret>('', 'secrets', 'Secret');
export const LEAN_SECRETS = named<LeanSecret>('', 'secrets', 'Secret');
export const DISRUPTION_BUDGETS = named<PodDisruptionBudget>('policy', 'poddisruptionbudgets', 'PodDisruptionBudget');
export const NETWORK_POLICIES = named<NetworkPolicy>('networking.k8s.io', 'networkpolicies', 'NetworkPolicy');
export const SERVICE_ACCOUNTS = named<ServiceAccount>('', 'serviceaccounts', 'ServiceAccount');
export const DNS_ENDPOINTS: Resource<DnsEndpoint> = defineResource<DnsEndpoint>({
  group: 'externaldns.k8s.io',
  version: 'v1alpha1',
  plural: 'dnsendpoints',
  kind: 'DNSEndpoint',
  namespaced: true,
});
