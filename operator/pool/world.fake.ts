// SPDX-License-Identifier: Apache-2.0

// For tests: a small world that takes the steps of a plan as the API server would. What stands around it (Pods, name servers, hosts) is played by
// surroundings.fake.ts, only when told to.
import { type KmsHostPool, type KmsHostPoolInput, LABELS, poolSchema } from '@kmspool/crds';
import type { DomainObservation, HostNameObservation, ObservedSrv } from '../dns/observation.ts';
import type { KubernetesObject } from '../runtime/index.ts';
import { adminSecretName, keySecretName } from './build/secret.ts';
import type {
  ConfigMap,
  Deployment,
  DnsEndpoint,
  LeanSecret,
  NetworkPolicy,
  Pod,
  PodDisruptionBudget,
  PoolObject,
  Service,
  ServiceAccount,
} from './kinds.ts';
import { planPool } from './plan.ts';
import type { Plan, Step } from './state.ts';
import type { HostReport, PlanSettings, World } from './world.ts';

export const SETTINGS: PlanSettings = {
  hostImage: 'registry.test/kms-node:1',
  imagePullPolicy: 'IfNotPresent',
  emulatedDnsZones: ['test', 'example'],
  withdrawBoundSeconds: 600,
  externalDnsIntervalSeconds: 60,
};

export const POOL_ID = '6f1c0000-0000-4000-8000-000000000001';

type Spec = KmsHostPoolInput['spec'];

/** A pool of `replicas` hosts in lab.example, with a Redis. */
export function specOf(replicas: number, more: Partial<Spec> = {}): Spec {
  return {
    replicas,
    hostKeys: [{ product: 'WindowsServer2025' }],
    store: { redis: { url: 'redis://redis:6379' } },
    dns: { domains: [{ name: 'lab.example' }] },
    ...more,
  };
}

/** One pool and everything around it. Properties may be changed by a test at will. */
export class FakeWorld {
  nowMs = Date.parse('2026-11-21T12:00:00Z');
  settings = SETTINGS;
  object: PoolObject;
  readonly objects = new Map<string, KubernetesObject>();
  pods: Pod[] = [];
  dnsEndpointServed = true;
  /** What the one name server shows, by domain. */
  shown = new Map<string, ObservedSrv[]>();
  addresses = new Map<string, string[]>();
  absentSince = new Map<string, Map<string, number>>();
  reports = new Map<string, HostReport>();
  extra: Partial<World> = {};
  purged: string[] = [];
  #versions = 0;

  constructor(spec: Spec) {
    this.object = {
      apiVersion: 'kmspool.io/v1alpha1',
      kind: 'KmsHostPool',
      metadata: {
        name: 'campus',
        namespace: 'kms',
        uid: 'pool-uid',
        generation: 1,
        creationTimestamp: '2026-11-21T11:00:00Z',
      },
      spec,
    };
  }

  get pool(): KmsHostPool {
    const { status: _, ...rest } = this.object;
    return poolSchema.parse(rest);
  }

  change(spec: Partial<Spec>): void {
    const { metadata } = this.object;
    this.object = {
      ...this.object,
      metadata: { ...metadata, generation: (metadata.generation ?? 0) + 1 },
      spec: { ...(this.object.spec as Spec), ...spec },
    };
  }

  delete(): void {
    const deletionTimestamp = new Date(this.nowMs).toISOString();
    this.object = { ...this.object, metadata: { ...this.object.metadata, deletionTimestamp } };
  }

  get<T extends KubernetesObject>(kind: string, name = 'campus'): T | undefined {
    return this.objects.get(`${kind}/${name}`) as T | undefined;
  }

  put(kind: string, object: KubernetesObject): void {
    this.objects.set(`${kind}/${object.metadata.name}`, object);
  }

  world(): World {
    const { pool } = this;
    return {
      nowMs: this.nowMs,
      settings: this.settings,
      object: this.object,
      pool,
      keySecret: this.get<LeanSecret>('Secret', keySecretName(pool)),
      adminSecret: this.get<LeanSecret>('Secret', adminSecretName(pool)),
      missingSecret: undefined,
      serviceAccount: this.get<ServiceAccount>('ServiceAccount'),
      disruptionBudget: this.get<PodDisruptionBudget>('PodDisruptionBudget'),
      networkPolicy: this.get<NetworkPolicy>('NetworkPolicy'),
      dnsEndpointServed: this.dnsEndpointServed,
      dnsEndpoint: this.get<DnsEndpoint>('DNSEndpoint'),
      twins: [],
      hosts: this.#hosts(pool),
      domains: pool.spec.dns.domains.map(({ name }) => ({ domain: name, elder: undefined, siblings: [] })),
      observed: new Map([...this.shown.keys()].map((domain) => [domain, this.#observation(domain)])),
      observedHosts: new Map([...this.addresses].map(([fqdn, list]) => [fqdn, this.#hostObservation(fqdn, list)])),
      externalDns: [],
      externalDnsNotes: [],
      ...this.extra,
    };
  }

  #hosts(pool: KmsHostPool): World['hosts'] {
    const ordinals = new Set(Array.from({ length: pool.spec.replicas }, (_, n) => n));
    for (const object of this.objects.values()) {
      const label = object.metadata.labels?.[LABELS.ordinal];
      if (label !== undefined) ordinals.add(Number(label));
    }
    return [...ordinals]
      .sort((a, b) => a - b)
      .map((ordinal) => {
        const name = `campus-${ordinal}`;
        return {
          ordinal,
          name,
          deployment: this.get<Deployment>('Deployment', name),
          service: this.get<Service>('Service', name),
          configMap: this.get<ConfigMap>('ConfigMap', name),
          pods: this.pods.filter(({ metadata }) => metadata.labels?.[LABELS.ordinal] === String(ordinal)),
          report: this.reports.get(name),
        };
      });
  }

  #observation(domain: string): DomainObservation {
    const records = this.shown.get(domain) ?? [];
    return {
      domain,
      askedAtMs: this.nowMs,
      servers: [{ server: 'ns1.test (127.0.0.53)', ok: true, records }],
      error: undefined,
      absentSinceMs: this.absentSince.get(domain) ?? new Map(),
    };
  }

  #hostObservation(fqdn: string, records: string[]): HostNameObservation {
    return { fqdn, askedAtMs: this.nowMs, servers: [{ server: 'ns1.test (127.0.0.53)', ok: true, records }] };
  }

  /** Plans and does the steps, until a plan has none; answers the last plan. */
  reconcile(): Plan {
    for (let round = 0; round < 8; round++) {
      const plan = planPool(this.world());
      if (plan.steps.length === 0) return plan;
      for (const step of plan.steps) this.apply(step);
    }
    throw new Error('the plan does not come to an end');
  }

  /** Does one step as the API server would. */
  apply(step: Step): void {
    if (step.kind === 'addFinalizer') this.#finalizers(['kmspool.io/withdraw-dns']);
    if (step.kind === 'removeFinalizer') this.#finalizers([]);
    if (step.kind === 'makeSecret') this.#makeSecret(step.secret, step.name);
    if (step.kind === 'apply') this.#store(step.resource.kind, step.object);
    if (step.kind === 'annotate') this.#annotate(`${step.resource.kind}/${step.ref.name}`, step.annotations);
    if (step.kind === 'delete') this.#delete(step.resource.kind, step.ref.name);
    if (step.kind === 'purge') this.purged.push(step.poolId);
  }

  #delete(kind: string, name: string): void {
    this.objects.delete(`${kind}/${name}`);
    if (kind === 'Deployment') this.pods = this.pods.filter(({ metadata }) => !metadata.name.startsWith(`${name}-`));
  }

  #finalizers(finalizers: string[]): void {
    this.object = { ...this.object, metadata: { ...this.object.metadata, finalizers } };
  }

  #makeSecret(which: 'key' | 'admin', name: string): void {
    const metadata = { name, namespace: 'kms', uid: `uid-${name}`, labels: { [LABELS.pool]: 'campus' } };
    this.put('Secret', {
      metadata,
      ...(which === 'key' ? { poolId: POOL_ID, keyBytes: 32 } : { hasToken: true }),
    } as LeanSecret);
  }

  #store(kind: string, intent: KubernetesObject): void {
    const before = this.get<KubernetesObject & { spec?: object; status?: object }>(kind, intent.metadata.name);
    const { spec } = intent as { spec?: object };
    const changed = JSON.stringify(spec) !== JSON.stringify(before?.spec);
    const generation = (before?.metadata.generation ?? 0) + (changed ? 1 : 0);
    const metadata = {
      ...before?.metadata,
      ...intent.metadata,
      annotations: { ...before?.metadata.annotations, ...intent.metadata.annotations },
      uid: before?.metadata.uid ?? `uid-${kind}-${++this.#versions}`,
      generation,
    };
    // The cluster's own fields of a Service, its addresses, are not taken back.
    const kept = kind === 'Service' ? { spec: { ...before?.spec, ...spec } } : {};
    this.put(kind, { ...before, ...intent, ...kept, metadata });
  }

  #annotate(key: string, annotations: Readonly<Record<string, string | null>>): void {
    const object = this.objects.get(key);
    if (object === undefined) return;
    const merged = Object.entries({ ...object.metadata.annotations, ...annotations }).filter(
      (entry): entry is [string, string] => entry[1] !== null,
    );
    this.objects.set(key, {
      ...object,
      metadata: { ...object.metadata, annotations: Object.fromEntries(merged) },
    });
  }
}
