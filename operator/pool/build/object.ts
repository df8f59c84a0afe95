// SPDX-License-Identifier: Apache-2.0

// What all objects of a pool have in common: name, labels, owner, and the hash by which a later pass sees what was applied. It knows no kind.
import { createHash } from 'node:crypto';
import { ANNOTATIONS, canonicalJson, hostLabels, hostName, type KmsHostPool, poolLabels } from '@kmspool/crds';
import {
  apiVersionOf,
  controllerReference,
  type KubernetesObject,
  type ObjectMeta,
  type Resource,
} from '../../runtime/index.ts';
import { POOLS, type PoolObject } from '../kinds.ts';

/** What every builder is given: the pool by its schema, and the same as the API server holds it, for namespace and uid. */
export interface PoolSource {
  readonly pool: KmsHostPool;
  readonly owner: PoolObject;
}

/** The same for what belongs to one host. */
export interface HostSource extends PoolSource {
  /** 0 … 99. */
  readonly ordinal: number;
}

/** A map of texts, such as annotations. */
export type Texts = Readonly<Record<string, string>>;

/** Metadata of an object of the whole pool: its labels, and the pool as its controller. `name` is the pool's unless given. */
export function poolMetadata(source: PoolSource, name: string = source.pool.metadata.name): ObjectMeta {
  return {
    name,
    namespace: namespaceOf(source.owner),
    labels: poolLabels(source.pool.metadata.name),
    ownerReferences: [controllerReference(POOLS, source.owner)],
  };
}

/** Metadata of an object of one host, which is named `<pool>-<ordinal>`. */
export function hostMetadata({ ordinal, ...source }: HostSource): ObjectMeta {
  const { name } = source.pool.metadata;
  return { ...poolMetadata(source, hostName(name, ordinal)), labels: hostLabels(name, ordinal) };
}

/** Namespace of a pool. @throws TypeError for one that was not read from the API server. */
export function namespaceOf({ metadata: { name, namespace } }: PoolObject): string {
  if (namespace === undefined)
    throw new TypeError(`KmsHostPool ${name} has no namespace: it was not read from the API server`);
  return namespace;
}

/** The whole intent of a server-side apply: the object with apiVersion, kind, and the hash of all that in its annotations. */
export function intentOf<T extends KubernetesObject>(resource: Resource<T>, body: T): T {
  const object = { apiVersion: apiVersionOf(resource), kind: resource.kind, ...body };
  return { ...object, metadata: annotated(object.metadata, { [ANNOTATIONS.appliedHash]: shortHash(object) }) };
}

/** Metadata with annotations added; these win. */
export function annotated(metadata: ObjectMeta, annotations: Texts): ObjectMeta {
  return { ...metadata, annotations: { ...metadata.annotations, ...annotations } };
}

/** The first 16 hex digits of the SHA-256 of a value's canonical JSON: it tells states of one object apart and guards nothing. */
export function shortHash(value: unknown): string {
  return createHash('sha256').update(canonicalJson(value)).digest('hex').slice(0, 16);
}

/**
 * The members that say something. Undefined, null, empty maps and empty lists are left out: to the API server they are the same as absent, and an
 * intent that named them would never equal what is read back.
 */
export function present(members: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => !isEmpty(value)));
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}
