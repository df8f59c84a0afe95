// SPDX-License-Identifier: Apache-2.0

// Worlds and conclusions for the tests of the status: a pool of two hosts at which all is well, and every part of it replaceable.
import { type KmsHostPool, type KmsHostPoolInput, type KmsHostPoolStatus, poolSchema } from '@kmspool/crds';
import type { Pod } from '../kinds.ts';
import type { Conclusions, DomainState, HostView, Publication } from '../state.ts';
import type { HostAnswer, HostObjects, HostReport, PlanSettings, World } from '../world.ts';
import type { StatusInput } from './input.ts';

export const NOW = Date.UTC(2026, 5, 1, 12);
export const POOL_ID = '6f1c0000-0000-4000-8000-000000000001';

type Spec = Partial<KmsHostPoolInput['spec']>;

/** A pool named campus in the namespace kms. */
export function poolOf(spec: Spec = {}): KmsHostPool {
  return poolSchema.parse({
    apiVersion: 'kmspool.io/v1alpha1',
    kind: 'KmsHostPool',
    metadata: { name: 'campus', namespace: 'kms', uid: 'u', generation: 3 },
    spec: {
      hostKeys: [{ product: 'WindowsServer2025' }],
      store: { redis: { url: 'redis://redis:6379' } },
      dns: { domains: [{ name: 'lab.example' }] },
      ...spec,
    },
  });
}

export const ANSWER: HostAnswer = {
  configHash: 'c',
  poolId: POOL_ID,
  version: '0.1.0',
  ready: true,
  reasons: [],
  storeKind: 'redis',
  storeState: 'Available',
  counts: [],
};

/** The report of a host; `error` instead of an answer when it is a text. */
export function reportOf(ordinal: number, said: Partial<HostAnswer> | string, atMs: number = NOW): HostReport {
  const podUid = `pod-${ordinal}`;
  return typeof said === 'string' ? { podUid, atMs, error: said } : { podUid, atMs, answer: { ...ANSWER, ...said } };
}

export function podOf(ordinal: number, more: Partial<Pod> & { ageMs?: number } = {}): Pod {
  const { ageMs = 3_600_000, ...rest } = more;
  return {
    metadata: {
      name: `campus-${ordinal}-x`,
      uid: `pod-${ordinal}`,
      creationTimestamp: new Date(NOW - ageMs).toISOString(),
    },
    status: { podIP: `10.0.0.${ordinal}` },
    ...rest,
  };
}

export function objectsOf(ordinal: number, more: Partial<HostObjects> = {}): HostObjects {
  return {
    ordinal,
    name: `campus-${ordinal}`,
    deployment: { metadata: { name: `campus-${ordinal}` } },
    service: undefined,
    configMap: undefined,
    pods: [podOf(ordinal)],
    report: reportOf(ordinal, {}),
    ...more,
  };
}

export function hostOf(ordinal: number, more: Partial<HostView> = {}): HostView {
  return {
    ordinal,
    name: `campus-${ordinal}`,
    fqdn: `campus-${ordinal}.kms.lab.example`,
    wanted: true,
    ready: true,
    sinceMs: NOW - 60_000,
    configCurrent: true,
    template: 'Current',
    addresses: [`10.96.0.${ordinal}`],
    target: `campus-${ordinal}.kms.lab.example`,
    port: 1688,
    storeLost: false,
    withdrawnAtMs: undefined,
    trouble: undefined,
    version: '0.1.0',
    ...more,
  };
}

export const LINES = ['0 0 1688 campus-0.kms.lab.example.', '0 0 1688 campus-1.kms.lab.example.'];

type Judged = Partial<DomainState['judgement']>;

export function domainOf(judgement: Judged = {}, more: Partial<DomainState> = {}): DomainState {
  const domain = more.domain ?? 'lab.example';
  const desired = more.desired ?? LINES;
  const kind = judgement.kind ?? 'Agreed';
  return {
    domain,
    record: `_vlmcs._tcp.${domain}`,
    claim: 'Ours',
    claimMessage: '',
    desired,
    ...more,
    judgement: {
      kind,
      message: kind === 'Agreed' ? 'all 2 name servers show what is wanted' : `ns1.${domain} says ${kind}`,
      observed: kind === 'Agreed' ? desired.length : 0,
      missing: kind === 'Differs' || kind === 'Propagating' ? [...desired] : [],
      stale: [],
      foreign: [],
      mixedTtl: false,
      ...judgement,
    },
  };
}

export function publicationOf(domains: readonly DomainState[], more: Partial<Publication> = {}): Publication {
  const settled = domains.every(({ judgement }) => judgement.kind === 'Agreed');
  return { mode: 'On', recordSets: [], domains, dueMs: undefined, hostNames: undefined, settled, ...more };
}

type Parts = {
  readonly spec?: Spec;
  readonly status?: KmsHostPoolStatus | undefined;
  readonly world?: Partial<World>;
  readonly conclusions?: Partial<Conclusions>;
  readonly deleting?: boolean;
  readonly nowMs?: number;
  readonly countsWrittenAtMs?: number;
};

const SETTINGS: PlanSettings = {
  hostImage: 'h',
  imagePullPolicy: 'Always',
  emulatedDnsZones: ['example'],
  withdrawBoundSeconds: 600,
  externalDnsIntervalSeconds: 60,
};

/** All is well, but for the parts given. */
export function inputOf(parts: Parts = {}): StatusInput {
  const pool = poolOf(parts.spec);
  const ordinals = Array.from({ length: pool.spec.replicas }, (_, n) => n);
  const nowMs = parts.nowMs ?? NOW;
  const metadata = {
    name: 'campus',
    namespace: 'kms',
    uid: 'u',
    generation: 3,
    ...(parts.deleting === true && { deletionTimestamp: new Date(NOW).toISOString() }),
  };
  const world: World = {
    nowMs,
    settings: SETTINGS,
    object: { metadata, ...(parts.status !== undefined && { status: parts.status }) },
    pool,
    keySecret: undefined,
    adminSecret: undefined,
    missingSecret: undefined,
    serviceAccount: undefined,
    disruptionBudget: undefined,
    networkPolicy: undefined,
    dnsEndpointServed: true,
    dnsEndpoint: undefined,
    twins: [],
    hosts: ordinals.map((n) => objectsOf(n)),
    domains: [],
    observed: new Map(),
    observedHosts: new Map(),
    externalDns: [],
    externalDnsNotes: [],
    ...parts.world,
  };
  const conclusions: Conclusions = {
    identity: { kind: 'known', poolId: POOL_ID },
    hosts: ordinals.map((n) => hostOf(n)),
    publication: publicationOf([domainOf()]),
    rollout: { kind: 'Settled', message: '' },
    clashes: [],
    refusals: [],
    ...parts.conclusions,
  };
  return { world, conclusions, nowMs, countsWrittenAtMs: parts.countsWrittenAtMs };
}

/** The conditions as `Type Status Reason`, in their order. */
export function words(status: KmsHostPoolStatus): string[] {
  return (status.conditions ?? []).map(({ type, status: state, reason }) => `${type} ${state} ${reason}`);
}

/** `Status Reason` of one condition. */
export function word(status: KmsHostPoolStatus, type: string): string {
  const found = status.conditions?.find((condition) => condition.type === type);
  return `${found?.status} ${found?.reason}`;
}

export function messageOf(status: KmsHostPoolStatus, type: string): string {
  return status.conditions?.find((condition) => condition.type === type)?.message ?? '';
}
