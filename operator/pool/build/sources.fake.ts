// SPDX-License-Identifier: Apache-2.0

// For tests: pools as a user writes them, read by the schema, with what builders are given beside.
import { hostConfigFor, type KmsHostPool, type KmsHostPoolInput, poolSchema } from '@kmspool/crds';
import type { PoolObject } from '../kinds.ts';
import type { PlanSettings } from '../world.ts';
import type { PodTemplateSource } from './pod-template.ts';

export const NAMESPACE = 'kms';
export const POOL_NAME = 'campus';
export const POOL_ID = '5f2d6c1e-0b7a-4c39-9f21-7d3a54e0c8b1';

export const SETTINGS: PlanSettings = {
  hostImage: 'kmspool/kms-node:0.1.0',
  imagePullPolicy: 'IfNotPresent',
  emulatedDnsZones: ['example'],
  withdrawBoundSeconds: 600,
  externalDnsIntervalSeconds: 60,
};

export const OWNER: PoolObject = {
  apiVersion: 'kmspool.io/v1alpha1',
  kind: 'KmsHostPool',
  metadata: { name: POOL_NAME, namespace: NAMESPACE, uid: '0c8a4c6e-8f4b-4d0b-a7a7-1e1a3f1a2b3c', generation: 1 },
};

export type SpecInput = Partial<KmsHostPoolInput['spec']>;

/** A pool with the defaults of the schema, and of one host unless the spec says otherwise. */
export function poolOf(spec: SpecInput = {}): KmsHostPool {
  return poolSchema.parse({
    apiVersion: 'kmspool.io/v1alpha1',
    kind: 'KmsHostPool',
    metadata: { name: POOL_NAME, namespace: NAMESPACE },
    spec: { replicas: 1, hostKeys: [{ product: 'WindowsServer2025' }], ...spec },
  });
}

/** What the builders of a host are given. */
export function sourceOf(spec: SpecInput = {}, ordinal = 0): PodTemplateSource {
  const pool = poolOf(spec);
  return {
    pool,
    owner: OWNER,
    settings: SETTINGS,
    ordinal,
    config: hostConfigFor({ pool, ordinal, poolId: POOL_ID }),
  };
}

/** A spec in which everything is said that an object depends on. */
export const EVERYTHING: SpecInput = {
  replicas: 3,
  port: 1700,
  keySecretRef: { name: 'the-key' },
  store: {
    redis: {
      url: 'rediss://redis:6379/0',
      credentialsSecretRef: { name: 'redis' },
      tls: { caSecretRef: { name: 'redis-ca' }, clientCertificateSecretRef: { name: 'redis-client' } },
    },
  },
  exposure: {
    type: 'LoadBalancer',
    annotations: { 'lb.example/scheme': 'internal' },
    loadBalancerClass: 'lb.example/inner',
    externalTrafficPolicy: 'Cluster',
    ipFamilyPolicy: 'SingleStack',
  },
  access: { allowedSources: ['10.0.0.0/8', 'fd00::/8'] },
  limits: { drainSeconds: 40 },
  pod: {
    resources: { requests: { cpu: 0.1, memory: '64Mi' }, limits: { memory: '1024Mi' } },
    nodeSelector: { 'node.example/kms': 'true', 'kubernetes.io/os': 'windows' },
    tolerations: [{ key: 'node.example/kms', operator: 'Equal', value: '', effect: 'NoSchedule' }],
    affinity: {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [{ matchExpressions: [{ key: 'node.example/rack', operator: 'In', values: ['a', 'b'] }] }],
        },
      },
    },
    topologySpreadConstraints: [
      { maxSkew: 2, topologyKey: 'node.example/rack', whenUnsatisfiable: 'DoNotSchedule', labelSelector: {} },
    ],
    annotations: { 'prometheus.io/scrape': 'false', team: 'desktop', 'kmspool.io/restart-hash': 'mine' },
    labels: { team: 'desktop', 'kmspool.io/pool': 'another' },
    priorityClassName: 'low',
    runtimeClassName: 'sandboxed',
    schedulerName: 'packing',
    imagePullSecrets: [{ name: 'pull' }],
  },
};
