// SPDX-License-Identifier: Apache-2.0

// Reads everything that a plan is made from: the caches, what was written and is not in them yet, what the name servers and the hosts said last. It asks
// nobody and decides nothing.
import { hostName, type KmsHostPool, LABELS, poolLabels } from '@kmspool/crds';
import { findExternalDns } from '../dns/external-dns.ts';
import type { DnsObserver } from '../dns/observer.ts';
import { type KubernetesObject, labelIndexValue, type ObjectRef, type Resource } from '../runtime/index.ts';
import { adminSecretName, keySecretName } from './build/secret.ts';
import { BY_POOL, type Caches } from './caches.ts';
import type { HostPoller } from './host-poller.ts';
import {
  CONFIG_MAPS,
  DEPLOYMENTS,
  DISRUPTION_BUDGETS,
  DNS_ENDPOINTS,
  LEAN_SECRETS,
  NETWORK_POLICIES,
  type Pod,
  type PoolObject,
  SERVICE_ACCOUNTS,
  SERVICES,
} from './kinds.ts';
import { claimOf, twinsOf } from './neighbours.ts';
import type { HostObjects, PlanSettings, World } from './world.ts';
import type { Written } from './written.ts';

/** Where the world is read from. */
export interface Sources {
  readonly caches: Caches;
  readonly written: Written;
  readonly observer: Pick<DnsObserver, 'observation'>;
  readonly poller: Pick<HostPoller, 'reports'>;
  readonly settings: PlanSettings;
}

/** The world of one pool, now. */
export function gather(
  sources: Sources,
  { object, read, nowMs }: { object: PoolObject; read: Pick<World, 'pool' | 'findings'>; nowMs: number },
): World {
  const { caches, written, observer, settings } = sources;
  const { pool, findings } = read;
  const { namespace = 'default', name } = pool.metadata;
  const key = `${namespace}/${name}`;
  const find = <T extends KubernetesObject>(
    resource: Resource<T>,
    cache: { get(ref: ObjectRef): T | undefined },
    objectName: string,
  ): T | undefined =>
    written.latest(resource, { namespace, name: objectName }, cache.get({ namespace, name: objectName }));
  const seen = observer.observation(key);
  return {
    nowMs,
    settings,
    ...(findings && { findings }),
    object,
    pool,
    keySecret: find(LEAN_SECRETS, caches.secrets.cache, keySecretName(pool)),
    adminSecret: find(LEAN_SECRETS, caches.secrets.cache, adminSecretName(pool)),
    missingSecret: missingSecret(caches, pool),
    serviceAccount: find(SERVICE_ACCOUNTS, caches.serviceAccounts.cache, name),
    disruptionBudget: find(DISRUPTION_BUDGETS, caches.disruptionBudgets.cache, name),
    networkPolicy: find(NETWORK_POLICIES, caches.networkPolicies.cache, name),
    dnsEndpointServed: caches.dnsEndpoints.available(),
    dnsEndpoint: find(DNS_ENDPOINTS, caches.dnsEndpoints.cache, name),
    twins: twinsOf(sources, object),
    hosts: hostObjects(sources, pool),
    domains: pool.spec.dns.domains.map(({ name: domain }) => claimOf(sources, object, domain)),
    observed: seen.domains,
    observedHosts: seen.hosts,
    ...externalDnsOf(caches, pool),
  };
}

function externalDnsOf({ externalDns }: Caches, { metadata, spec }: KmsHostPool) {
  const { findings, notes } = findExternalDns(externalDns.cache.list(), {
    namespace: metadata.namespace ?? 'default',
    labels: poolLabels(metadata.name),
    domains: spec.dns.domains.map(({ name }) => name),
  });
  return {
    externalDns: findings,
    externalDnsNotes: notes.map(({ where, message }) => `external-dns ${where}: ${message}`),
  };
}

function missingSecret({ secrets }: Caches, { metadata, spec }: KmsHostPool): string | undefined {
  const name = spec.store?.redis.credentialsSecretRef?.name;
  if (name === undefined) return undefined;
  return secrets.cache.get({ namespace: metadata.namespace, name }) === undefined ? name : undefined;
}

function hostObjects({ caches, written, poller }: Sources, pool: KmsHostPool): HostObjects[] {
  const { namespace = 'default', name: poolName } = pool.metadata;
  const filed = labelIndexValue(namespace, poolName);
  const reports = poller.reports(`${namespace}/${poolName}`);
  const pods = Map.groupBy(caches.pods.cache.byIndex(BY_POOL, filed), ({ metadata }) =>
    Number(metadata.labels?.[LABELS.ordinal]),
  );
  const existing = [caches.deployments, caches.services, caches.configMaps].flatMap(({ cache }) =>
    cache.byIndex(BY_POOL, filed).map(({ metadata }) => Number(metadata.labels?.[LABELS.ordinal])),
  );
  const wanted = Array.from({ length: pool.spec.replicas }, (_, ordinal) => ordinal);
  const ordinals = [...new Set([...wanted, ...existing])].filter(Number.isInteger).sort((a, b) => a - b);
  return ordinals.map((ordinal) => {
    const name = hostName(poolName, ordinal);
    const ref = { namespace, name };
    return {
      ordinal,
      name,
      deployment: written.latest(DEPLOYMENTS, ref, caches.deployments.cache.get(ref)),
      service: written.latest(SERVICES, ref, caches.services.cache.get(ref)),
      configMap: written.latest(CONFIG_MAPS, ref, caches.configMaps.cache.get(ref)),
      pods: newestFirst(pods.get(ordinal) ?? []),
      report: reports.get(name),
    };
  });
}

function newestFirst(pods: readonly Pod[]): Pod[] {
  const time = ({ metadata }: Pod): string => `${metadata.creationTimestamp ?? ''}/${metadata.name}`;
  return [...pods].sort((a, b) => (time(a) < time(b) ? 1 : -1));
}
