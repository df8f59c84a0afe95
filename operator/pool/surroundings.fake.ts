// SPDX-License-Identifier: Apache-2.0

// For tests: what stands around a pool's objects in a cluster. The Deployment controller and Pods that become ready, Services that get addresses, name servers
// that follow the DNSEndpoint, hosts that say what they run. All of it only when told to.
import { hostConfigHash, LABELS } from '@kmspool/crds';
import type { ObservedSrv } from '../dns/observation.ts';
import { hostConfigOf } from './build/config-map.ts';
import type { ConfigMap, Deployment, DnsEndpoint, Service } from './kinds.ts';
import type { Plan } from './state.ts';
import { type FakeWorld, POOL_ID } from './world.fake.ts';

/** The rest of the cluster: Pods of every Deployment run its newest template and are ready, but for those of `broken` hosts. */
export function settlePods(fake: FakeWorld, broken: ReadonlySet<string> = new Set()): void {
  const deployments = [...fake.objects].flatMap(([key, object]) =>
    key.startsWith('Deployment/') ? [object as Deployment] : [],
  );
  fake.pods = deployments.map((deployment) => {
    const { name, generation } = deployment.metadata;
    const ready = !broken.has(name);
    const known = fake.pods.find(({ metadata }) => metadata.name === `${name}-${generation}`);
    const status = ready ? 'True' : 'False';
    const was = known?.status?.conditions?.find(({ type }) => type === 'Ready');
    const lastTransitionTime =
      was?.status === status ? (was.lastTransitionTime ?? '') : new Date(fake.nowMs).toISOString();
    fake.put('Deployment', {
      ...deployment,
      status: {
        observedGeneration: generation,
        replicas: 1,
        updatedReplicas: 1,
        availableReplicas: ready ? 1 : 0,
        conditions: [{ type: 'Available', status, lastTransitionTime }],
      },
    } as Deployment);
    return {
      metadata: {
        name: `${name}-${generation}`,
        namespace: 'kms',
        uid: `uid-${name}-${generation}`,
        labels: deployment.metadata.labels ?? {},
        creationTimestamp: known?.metadata.creationTimestamp ?? new Date(fake.nowMs).toISOString(),
      },
      kmsPort: kmsPortOf(deployment),
      status: {
        podIP: `127.1.0.${deployment.metadata.labels?.[LABELS.ordinal]}`,
        hostIP: '192.0.2.10',
        conditions: [{ type: 'Ready', status, lastTransitionTime }],
      },
    };
  });
}

function kmsPortOf({ spec }: Deployment): number {
  const containers = (spec?.template?.spec?.['containers'] ?? []) as {
    ports: { name: string; containerPort: number }[];
  }[];
  return containers[0]?.ports.find(({ name }) => name === 'kms')?.containerPort ?? 0;
}

/** Services get addresses. */
export function settleServices(fake: FakeWorld): void {
  for (const [key, object] of fake.objects) {
    if (!key.startsWith('Service/')) continue;
    const service = object as Service;
    const ordinal = Number(service.metadata.labels?.[LABELS.ordinal]);
    const ip = `10.96.0.${ordinal + 1}`;
    const ports = (service.spec?.ports ?? []).map((port) => ({ ...port, nodePort: 30_000 + ordinal }));
    const given = { clusterIP: ip, clusterIPs: [ip], ...(service.spec?.type === 'NodePort' ? { ports } : {}) };
    fake.objects.set(key, { ...service, spec: { ...service.spec, ...given } } as Service);
  }
}

/** Every ready host says that it runs what is in its ConfigMap. */
export function settleHosts(fake: FakeWorld, state: 'Available' | 'LastKnown' | 'Refusing' = 'Available'): void {
  for (const pod of fake.pods) {
    const name = pod.metadata.name.replace(/-\d+$/, '');
    const config = hostConfigOf(fake.get<ConfigMap>('ConfigMap', name));
    if (config === undefined) continue;
    fake.reports.set(name, {
      podUid: pod.metadata.uid ?? '',
      atMs: fake.nowMs,
      answer: {
        configHash: hostConfigHash(config),
        poolId: POOL_ID,
        version: '0.1.0',
        ready: true,
        reasons: [],
        storeKind: 'redis',
        storeState: state,
        counts: [],
      },
    });
  }
}

function recordOf(line: string): ObservedSrv {
  const [priority, weight, port, target] = line.split(' ');
  return {
    priority: Number(priority),
    weight: Number(weight),
    port: Number(port),
    target: (target ?? '').replace(/\.$/, ''),
    ttlSeconds: 60,
  };
}

/** Since when no server shows a host. */
function noteAbsent(fake: FakeWorld, domain: string, records: readonly ObservedSrv[]): void {
  const absent = fake.absentSince.get(domain) ?? new Map<string, number>();
  for (let n = 0; n < 100; n++) {
    const target = `campus-${n}.kms.${fake.pool.spec.dns.domains[0]?.name}`;
    if (records.some((record) => record.target === target)) absent.delete(target);
    else if (!absent.has(target)) absent.set(target, fake.nowMs);
  }
  fake.absentSince.set(domain, absent);
}

/** The name server shows what the DNSEndpoint holds. */
export function settleDns(fake: FakeWorld): void {
  const endpoint = fake.get<DnsEndpoint>('DNSEndpoint');
  const sets = endpoint?.spec?.endpoints ?? [];
  if (endpoint !== undefined)
    fake.put('DNSEndpoint', {
      ...endpoint,
      status: { observedGeneration: endpoint.metadata.generation },
    } as DnsEndpoint);
  for (const { name: domain } of fake.pool.spec.dns.domains) {
    const srv = sets.filter(({ dnsName }) => dnsName === `_vlmcs._tcp.${domain}`).flatMap(({ targets }) => targets);
    const records = srv.map(recordOf);
    fake.shown.set(domain, records);
    noteAbsent(fake, domain, records);
  }
  fake.addresses = new Map();
  for (const { dnsName, recordType, targets } of sets)
    if (recordType !== 'SRV') fake.addresses.set(dnsName, [...(fake.addresses.get(dnsName) ?? []), ...targets]);
}

/** Reconciles and plays everything else until nothing changes any more. */
export function settle(fake: FakeWorld): Plan {
  let before = '';
  for (let round = 0; round < 60; round++) {
    fake.reconcile();
    settlePods(fake);
    settleServices(fake);
    settleHosts(fake);
    settleDns(fake);
    const now = JSON.stringify([...fake.objects, fake.pods]);
    if (now === before) return fake.reconcile();
    before = now;
    fake.nowMs += 11_000;
  }
  throw new Error('the world does not come to rest');
}
