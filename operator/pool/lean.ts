// SPDX-License-Identifier: Apache-2.0

// What caches keep of the objects that they follow: the fields that plans are made from, and nothing else. Pure. Of a Secret not one byte of what it
// holds is kept, only what follows from it.
import { SECRET_KEYS } from '@kmspool/crds';
import { derivePoolKeys, MIN_SECRET_BYTES, poolIdText } from '@kmspool/kms/wire';
import { type KubernetesObject, type ObjectMeta, trimManagedFields } from '../runtime/index.ts';
import { KMS_PORT_NAME } from './build/pod-template.ts';
import type { Deployment, LeanSecret, ObjectCondition, Pod, Secret } from './kinds.ts';

/** Characters that a host asks of an admin token, without blanks around it. */
const MIN_TOKEN_CHARACTERS = 16;
/** Characters of a container's message that are kept: enough to say why it does not start. */
const MESSAGE_CHARACTERS = 512;
/** Conditions of a Pod that say why a host is not there. */
const POD_CONDITIONS: ReadonlySet<string> = new Set(['Ready', 'PodScheduled', 'DisruptionTarget']);
/** What begins the names of labels and annotations that the operator reads. */
const OURS = /^(?:kmspool\.io|app\.kubernetes\.io)\//;
/** The hash that the Deployment's controller gives a Pod's template. */
const TEMPLATE_HASH = 'pod-template-hash';

/** A Pod as {@link leanPod} leaves it. */
export interface LeanPod extends Pod {
  readonly spec?: { readonly nodeName?: string };
}

/** As much of a Pod's spec as {@link leanPod} reads. */
interface PodSpec {
  readonly containers?: readonly {
    readonly ports?: readonly { readonly name?: string; readonly containerPort?: number }[];
  }[];
}

/**
 * A Secret without what it holds. Of annotations only ours stay: tools such as `kubectl apply` and kapp keep a copy of the whole manifest, data
 * included, in one. It costs next to nothing for a Secret without `key` and `token`, for every Secret of the cluster may come by.
 */
export function leanSecret(secret: Secret): LeanSecret {
  const key = secret.data?.[SECRET_KEYS.poolKey];
  const token = secret.data?.[SECRET_KEYS.adminToken];
  return {
    ...typeOf(secret),
    metadata: leanMeta(secret.metadata),
    ...(typeof key === 'string' && keyFacts(key)),
    ...(typeof token === 'string' && { hasToken: isToken(token) }),
  };
}

function keyFacts(base64: string): Pick<LeanSecret, 'keyBytes' | 'poolId'> {
  const key = Buffer.from(base64, 'base64');
  try {
    return {
      keyBytes: key.length,
      ...(key.length >= MIN_SECRET_BYTES && { poolId: poolIdOf(key) }),
    };
  } finally {
    // Small buffers are cut from a slab that others go on using.
    key.fill(0);
  }
}

function poolIdOf(key: Buffer): string {
  const keys = derivePoolKeys(key);
  const poolId = poolIdText(keys.poolId);
  for (const derived of Object.values(keys)) (derived as Buffer).fill(0);
  return poolId;
}

function isToken(base64: string): boolean {
  const token = Buffer.from(base64, 'base64');
  const long = token.toString('utf8').trim().length >= MIN_TOKEN_CHARACTERS;
  token.fill(0);
  return long;
}

/** A Pod as plans look at it: where it runs, whether it is ready, and why not. */
export function leanPod(pod: LeanPod): LeanPod {
  const { spec, status } = pod;
  const { labels, ...meta } = leanMeta(pod.metadata);
  const kept = picked(labels, (name) => OURS.test(name) || name === TEMPLATE_HASH);
  const { containers = [] } = (spec ?? {}) as PodSpec;
  const ports = containers.flatMap((container) => container.ports ?? []);
  const kmsPort = ports.find(({ name }) => name === KMS_PORT_NAME)?.containerPort;
  return {
    ...typeOf(pod),
    metadata: { ...meta, ...(kept && { labels: kept }) },
    ...(spec?.nodeName !== undefined && { spec: { nodeName: spec.nodeName } }),
    ...(kmsPort !== undefined && { kmsPort }),
    ...(status !== undefined && { status: leanPodStatus(status) }),
  };
}

function leanPodStatus(status: NonNullable<Pod['status']>): NonNullable<Pod['status']> {
  const { phase, podIP, podIPs, hostIP, hostIPs, conditions, containerStatuses } = status;
  return {
    ...(phase !== undefined && { phase }),
    ...(podIP !== undefined && { podIP }),
    ...(podIPs !== undefined && { podIPs: podIPs.map(({ ip }) => ({ ip })) }),
    ...(hostIP !== undefined && { hostIP }),
    ...(hostIPs !== undefined && { hostIPs: hostIPs.map(({ ip }) => ({ ip })) }),
    ...(conditions !== undefined && {
      conditions: conditions.filter(({ type }) => POD_CONDITIONS.has(type)).map(leanCondition),
    }),
    ...(containerStatuses !== undefined && { containerStatuses: containerStatuses.map(leanContainer) }),
  };
}

type ContainerStatus = NonNullable<NonNullable<Pod['status']>['containerStatuses']>[number];

function leanContainer({ name, state, lastState }: ContainerStatus): ContainerStatus {
  const { waiting } = state ?? {};
  const { terminated } = lastState ?? {};
  return {
    name,
    ...(waiting !== undefined && { state: { waiting: { ...reasonOf(waiting) } } }),
    ...(terminated !== undefined && {
      lastState: {
        terminated: {
          ...reasonOf(terminated),
          ...(terminated.exitCode !== undefined && { exitCode: terminated.exitCode }),
        },
      },
    }),
  };
}

function reasonOf({ reason, message }: { readonly reason?: string; readonly message?: string }): {
  reason?: string;
  message?: string;
} {
  return {
    ...(reason !== undefined && { reason }),
    ...(message !== undefined && { message: message.slice(0, MESSAGE_CHARACTERS) }),
  };
}

/** A Deployment with its spec whole, for drift is looked for in it, and of its status what tells how far a rollout is. */
export function leanDeployment(deployment: Deployment): Deployment {
  const { status, ...rest } = trimManagedFields(deployment);
  return { ...rest, ...(status !== undefined && { status: leanDeploymentStatus(status) }) };
}

function leanDeploymentStatus(status: NonNullable<Deployment['status']>): NonNullable<Deployment['status']> {
  const { observedGeneration, replicas, updatedReplicas, readyReplicas, availableReplicas, conditions } = status;
  return {
    ...(observedGeneration !== undefined && { observedGeneration }),
    ...(replicas !== undefined && { replicas }),
    ...(updatedReplicas !== undefined && { updatedReplicas }),
    ...(readyReplicas !== undefined && { readyReplicas }),
    ...(availableReplicas !== undefined && { availableReplicas }),
    ...(conditions !== undefined && { conditions: conditions.map(leanCondition) }),
  };
}

/** Any other object: whole, but for what nobody reads. */
export function leanObject<T extends KubernetesObject>(object: T): T {
  return trimManagedFields(object);
}

function leanCondition({ type, status, reason, message, lastTransitionTime }: ObjectCondition): ObjectCondition {
  return {
    type,
    status,
    ...reasonOf({ ...(reason !== undefined && { reason }), ...(message !== undefined && { message }) }),
    ...(lastTransitionTime !== undefined && { lastTransitionTime }),
  };
}

function typeOf({ apiVersion, kind }: KubernetesObject): Pick<KubernetesObject, 'apiVersion' | 'kind'> {
  return { ...(apiVersion !== undefined && { apiVersion }), ...(kind !== undefined && { kind }) };
}

/** Name, identity, age, owners, labels, and those annotations that are ours. */
function leanMeta(meta: ObjectMeta): ObjectMeta {
  const { name, namespace, uid, resourceVersion, labels, ownerReferences } = meta;
  const annotations = picked(meta.annotations, (key) => OURS.test(key));
  return {
    name,
    ...(namespace !== undefined && { namespace }),
    ...(uid !== undefined && { uid }),
    ...(resourceVersion !== undefined && { resourceVersion }),
    ...(meta.creationTimestamp !== undefined && { creationTimestamp: meta.creationTimestamp }),
    ...(meta.deletionTimestamp !== undefined && { deletionTimestamp: meta.deletionTimestamp }),
    ...(labels !== undefined && { labels }),
    ...(annotations && { annotations }),
    ...(ownerReferences !== undefined && { ownerReferences }),
  };
}

/** The entries whose names are wanted; undefined when there is none. */
function picked(
  from: Readonly<Record<string, string>> | undefined,
  wanted: (name: string) => boolean,
): Record<string, string> | undefined {
  const entries = Object.entries(from ?? {}).filter(([name]) => wanted(name));
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}
