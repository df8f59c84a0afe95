// SPDX-License-Identifier: Apache-2.0
//
// A pool in a cluster: the KmsHostPool, its Pods, a forwarded port to a host, and the admin token from its Secret, so that the rights on the Secret decide who
// may see machines' names.

import {
  adminSecretName,
  HOST_HTTP_PORT,
  hostName,
  type KmsHostPool,
  LABELS,
  poolSelector,
  SECRET_KEYS,
  UserError,
} from '@kmspool/crds';
import { httpCall } from './http-call.ts';
import { type HostChannel, httpSource } from './http-source.ts';
import type { KubeApi, KubeObject, Readable } from './kube-api.ts';
import type { PoolSource } from './source.ts';
import { openTunnel, TunnelAgent } from './tunnel.ts';

/** Kinds that are read. */
export const KINDS = {
  pools: { base: '/apis/kmspool.io/v1alpha1', plural: 'kmshostpools' },
  pods: { base: '/api/v1', plural: 'pods' },
  secrets: { base: '/api/v1', plural: 'secrets' },
  services: { base: '/api/v1', plural: 'services' },
  events: { base: '/api/v1', plural: 'events' },
  deployments: { base: '/apis/apps/v1', plural: 'deployments' },
  networkPolicies: { base: '/apis/networking.k8s.io/v1', plural: 'networkpolicies' },
} as const satisfies Record<string, Readable>;

export interface ClusterPool {
  readonly api: KubeApi;
  readonly object: KmsHostPool;
  readonly timeoutMs: number;
}

/** The pool of that name in the namespace. @throws UserError that lists what there is. */
export async function findPool(api: KubeApi, name: string): Promise<KmsHostPool> {
  const { namespace } = api.access;
  const found = await api.find<KmsHostPool>({ ...KINDS.pools, namespace, name });
  return found ?? fail(await missing(api, name));
}

/** The only pool of the namespace. @throws UserError when there are none or several. */
export async function onlyPool(api: KubeApi): Promise<KmsHostPool> {
  const pools = await api.list<KmsHostPool>({ ...KINDS.pools, namespace: api.access.namespace });
  const [only, another] = pools;
  if (only === undefined) return fail(await missing(api, undefined));
  if (another === undefined) return only;
  const names = pools.map(({ metadata }) => metadata.name).join(', ');
  return fail(`namespace ${api.access.namespace} has several pools; name one of ${names}`);
}

/** A source for the pool. @throws UserError when its Pods may not be listed. */
export async function clusterSource({ api, object, timeoutMs }: ClusterPool): Promise<PoolSource> {
  const { name, namespace = api.access.namespace } = object.metadata;
  const pods = await api.list<Pod>({ ...KINDS.pods, namespace, labels: poolSelector(name) });
  const agents: TunnelAgent[] = [];
  const channels = pods
    .filter(isRunning)
    .map((pod) => channelOf({ api, object, timeoutMs }, pod, agents))
    .sort((a, b) => Number(b.ready) - Number(a.ready) || (a.name < b.name ? -1 : 1));
  return httpSource({
    kind: 'cluster',
    pool: name,
    where: `namespace ${namespace} of context ${api.access.context}`,
    channels,
    noHosts: noHosts(object, pods, namespace),
    domains: object.spec.dns?.domains.map((domain) => domain.name) ?? [],
    object,
    cluster: api,
    token: () => adminToken(api, namespace, name),
    close: () => {
      for (const agent of agents) agent.destroy();
      api.close();
    },
  });
}

interface Pod extends KubeObject {
  readonly status?: {
    readonly phase?: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
}

function channelOf({ api, object, timeoutMs }: ClusterPool, pod: Pod, agents: TunnelAgent[]): HostChannel {
  const { namespace = api.access.namespace } = object.metadata;
  const host = hostName(object.metadata.name, Number(pod.metadata.labels?.[LABELS.ordinal] ?? 0));
  const target = { namespace, pod: pod.metadata.name, port: HOST_HTTP_PORT };
  const agent = new TunnelAgent(() => openTunnel(api.access, target));
  agents.push(agent);
  const seen = object.status?.hosts?.find(({ name }) => name === host);
  return {
    name: host,
    shown: `pod ${namespace}/${pod.metadata.name}`,
    ready: isReady(pod),
    ...(seen?.fqdn !== undefined && { fqdn: seen.fqdn }),
    ...(seen?.address !== undefined && { address: seen.address }),
    ...(seen?.port !== undefined && { port: seen.port }),
    call: ({ path, method, token, body }) =>
      httpCall({
        url: new URL(`http://localhost:${HOST_HTTP_PORT}${path}`),
        timeoutMs,
        agent,
        ...(method && { method }),
        ...(body !== undefined && { body }),
        headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
      }),
  };
}

function isRunning({ metadata, status }: Pod): boolean {
  return status?.phase === 'Running' && metadata['deletionTimestamp' as keyof typeof metadata] === undefined;
}

function isReady({ status }: Pod): boolean {
  return status?.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True') ?? false;
}

function noHosts({ metadata, spec }: KmsHostPool, pods: readonly Pod[], namespace: string): string {
  if (spec.replicas === 0) return `the pool ${namespace}/${metadata.name} has no hosts: spec.replicas is 0; raise it`;
  const some = pods.length === 0 ? 'it has no Pod yet' : `none of its ${pods.length} Pods runs`;
  return `no host of ${namespace}/${metadata.name} is ready: ${some}; see kubectl -n ${namespace} describe khp ${metadata.name}`;
}

async function adminToken(api: KubeApi, namespace: string, pool: string): Promise<string> {
  const name = adminSecretName(pool);
  const secret = await api.find<{ readonly data?: Readonly<Record<string, string>> }>({
    ...KINDS.secrets,
    namespace,
    name,
  });
  const encoded = secret?.data?.[SECRET_KEYS.adminToken];
  if (encoded !== undefined) return Buffer.from(encoded, 'base64').toString('utf8').trim();
  return fail(`the Secret ${namespace}/${name} with the admin token is not there; the operator makes it anew`);
}

/** What there is instead. */
async function missing(api: KubeApi, name: string | undefined): Promise<string> {
  const { namespace, context } = api.access;
  const asked = name === undefined ? 'no KmsHostPool' : `no KmsHostPool ${name}`;
  const kind = await api.ask<object>({ base: KINDS.pools.base, plural: '' });
  if (!kind.ok && kind.status === 404)
    return `the cluster of context ${context} does not know KmsHostPool: is the chart kmspool installed there?`;
  const all = await api.ask<{ readonly items?: readonly KubeObject[] }>(KINDS.pools);
  const items = all.ok ? (all.value.items ?? []) : [];
  const names = items.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`);
  const others = names.length === 0 ? '' : `; there are ${names.slice(0, 8).join(', ')}`;
  return `namespace ${namespace} of context ${context} has ${asked}${others}`;
}

function fail(problem: string): never {
  throw new UserError(problem);
}
