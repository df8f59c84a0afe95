// SPDX-License-Identifier: Apache-2.0
//
// What the API server knows around a pool. A right that is missing leaves a gap with its reason, and the other steps go on.

import { FIELD_MANAGER, type KmsHostPool, LABELS, poolSelector, UserError } from '@kmspool/crds';
import { KINDS } from '../source/cluster.ts';
import type { KubeApi, KubeObject, Readable } from '../source/kube-api.ts';
import type { ClusterFacts, ExternalDnsSeen, Seen, ServiceSeen } from './facts.ts';

export async function gatherCluster(api: KubeApi, object: KmsHostPool): Promise<ClusterFacts> {
  const { name, namespace = api.access.namespace } = object.metadata;
  const labels = { [LABELS.pool]: name };
  const [deployments, services, policies] = await Promise.all([
    listed<Deployment>(api, KINDS.deployments),
    listed<Service>(api, { ...KINDS.services, namespace, labels }),
    listed<NetworkPolicy>(api, { ...KINDS.networkPolicies, namespace }),
  ]);
  return {
    object,
    externalDns: mapped(deployments, (items) => items.flatMap(externalDnsOf)),
    services: mapped(services, (items) => items.map(serviceOf)),
    networkPolicies: mapped(policies, (items) =>
      items.filter((item) => selects(item, poolSelector(name))).map((item) => policyOf(item, object.spec.port)),
    ),
  };
}

async function listed<T>(api: KubeApi, what: Readable): Promise<Seen<readonly T[]>> {
  try {
    return { ok: true, value: await api.list<T>(what) };
  } catch (error) {
    if (error instanceof UserError) return { ok: false, reason: error.message };
    throw error;
  }
}

function mapped<T, R>(seen: Seen<T>, change: (value: T) => R): Seen<R> {
  return seen.ok ? { ok: true, value: change(seen.value) } : seen;
}

interface Deployment extends KubeObject {
  readonly spec?: {
    readonly replicas?: number;
    readonly template?: { readonly spec?: { readonly containers?: readonly Container[] } };
  };
}

interface Container {
  readonly name?: string;
  readonly image?: string;
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly env?: readonly { readonly name?: string; readonly value?: string }[];
}

const EXTERNAL_DNS = 'external-dns';
const ENV_PREFIX = 'EXTERNAL_DNS_';

function externalDnsOf({ metadata, spec }: Deployment): ExternalDnsSeen[] {
  if (spec?.replicas === 0) return [];
  const container = spec?.template?.spec?.containers?.find(
    ({ name, image = '' }) => name === EXTERNAL_DNS || /(^|\/)external-dns(:|@|$)/.test(image),
  );
  if (container === undefined) return [];
  const { image = '', command = [], args = [], env = [] } = container;
  // EXTERNAL_DNS_MANAGED_RECORD_TYPES is --managed-record-types; several values stand on lines of their own.
  const fromEnv = env.flatMap(({ name = '', value = '' }) =>
    name.startsWith(ENV_PREFIX)
      ? value.split('\n').map((each) => `--${name.slice(ENV_PREFIX.length).toLowerCase().replaceAll('_', '-')}=${each}`)
      : [],
  );
  return [{ where: `${metadata.namespace}/${metadata.name}`, image, args: [...command, ...args, ...fromEnv] }];
}

interface Service extends KubeObject {
  readonly spec?: { readonly type?: string; readonly clusterIPs?: readonly string[]; readonly clusterIP?: string };
  readonly status?: {
    readonly loadBalancer?: { readonly ingress?: readonly { readonly ip?: string; readonly hostname?: string }[] };
  };
}

function serviceOf({ metadata, spec, status }: Service): ServiceSeen {
  const type = spec?.type ?? 'ClusterIP';
  const balanced = (status?.loadBalancer?.ingress ?? []).flatMap(({ ip, hostname }) => ip ?? hostname ?? []);
  const inside = (spec?.clusterIPs ?? [spec?.clusterIP ?? '']).filter(
    (address) => address !== '' && address !== 'None',
  );
  return { name: metadata.name, type, addresses: type === 'LoadBalancer' ? balanced : inside };
}

interface NetworkPolicy extends KubeObject {
  readonly spec?: {
    readonly podSelector?: {
      readonly matchLabels?: Readonly<Record<string, string>>;
      readonly matchExpressions?: unknown;
    };
    readonly policyTypes?: readonly string[];
    readonly ingress?: readonly { readonly ports?: readonly { readonly port?: number | string }[] }[];
  };
}

/** Whether it speaks of ingress to Pods with these labels; one with expressions is taken to. */
function selects({ spec }: NetworkPolicy, labels: Readonly<Record<string, string>>): boolean {
  if (spec?.policyTypes?.includes('Ingress') === false) return false;
  // Labels that differ from host to host are not known here.
  return Object.entries(spec?.podSelector?.matchLabels ?? {}).every(
    ([label, value]) => labels[label] === undefined || labels[label] === value,
  );
}

/** The hosts' container port; policies may name it so. */
const KMS_PORT_NAME = 'kms';

function policyOf(
  { metadata, spec }: NetworkPolicy,
  kmsPort: number,
): { name: string; ours: boolean; ports: readonly number[] } {
  const rules = spec?.ingress ?? [];
  const ports = rules.flatMap(({ ports: each = [] }) =>
    each.map(({ port }) => (port === KMS_PORT_NAME ? kmsPort : Number(port))),
  );
  const everyPort = rules.some(({ ports: each }) => each === undefined || each.length === 0);
  const ours = metadata.labels?.[LABELS.managedBy] === FIELD_MANAGER;
  // No rule at all lets nothing in; a port that no host has stands for that.
  return { name: metadata.name, ours, ports: everyPort ? [] : ports.length > 0 ? ports : [0] };
}
