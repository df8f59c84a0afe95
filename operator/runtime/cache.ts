// SPDX-License-Identifier: Apache-2.0

// The objects of one kind in memory, found by name or by index. It knows nothing of where they come from; the reflector
// fills it. Objects in it are shared: whoever reads must not change them.
import { type KubernetesObject, keyOf, type ObjectRef, refOfObject } from './resource.ts';

/** The values under which an object is found in an index. Must depend on the object alone: it is asked again at removal. */
export type IndexFunction<T> = (object: T) => readonly string[];

/** Index by the uid of every owner. */
export function ownerIndex(object: KubernetesObject): readonly string[] {
  return (object.metadata.ownerReferences ?? []).map(({ uid }) => uid);
}

/** Index by the value of one label, within a namespace: look up with {@link labelIndexValue}. */
export function labelIndex(label: string): IndexFunction<KubernetesObject> {
  return ({ metadata }) => {
    const value = metadata.labels?.[label];
    return value === undefined ? [] : [labelIndexValue(metadata.namespace, value)];
  };
}

/** What {@link labelIndex} files an object under: namespace (empty for a cluster-scoped kind) and the label's value. */
export function labelIndexValue(namespace: string | undefined, value: string): string {
  return `${namespace ?? ''}/${value}`;
}

/** Index by namespace. */
export function namespaceIndex({ metadata }: KubernetesObject): readonly string[] {
  return [metadata.namespace ?? ''];
}

/**
 * Drops what controllers never read and what makes up half of an object: `managedFields`, and the copy of the manifest
 * that `kubectl apply` leaves in an annotation. Changes the object it is given.
 */
export function trimManagedFields<T extends KubernetesObject>(object: T): T {
  delete object.metadata.managedFields;
  delete object.metadata.annotations?.['kubectl.kubernetes.io/last-applied-configuration'];
  return object;
}

/** Reading side of a {@link Cache}. */
export interface CacheReader<T extends KubernetesObject> {
  readonly size: number;
  get(ref: ObjectRef): T | undefined;
  /** All objects, or those of one namespace, in no order. */
  list(namespace?: string): T[];
  /** The objects filed under a value. @throws TypeError when there is no such index. */
  byIndex(index: string, value: string): T[];
}

/** An indexed map of objects by {@link keyOf}. */
export class Cache<T extends KubernetesObject> implements CacheReader<T> {
  readonly #objects = new Map<string, T>();
  readonly #indexes: ReadonlyMap<string, { valuesOf: IndexFunction<T>; keys: Map<string, Set<string>> }>;

  constructor(indexes: Readonly<Record<string, IndexFunction<T>>> = {}) {
    this.#indexes = new Map(
      Object.entries(indexes).map(([name, valuesOf]) => [name, { valuesOf, keys: new Map<string, Set<string>>() }]),
    );
  }

  get size(): number {
    return this.#objects.size;
  }

  get(ref: ObjectRef): T | undefined {
    return this.#objects.get(keyOf(ref));
  }

  list(namespace?: string): T[] {
    const all = [...this.#objects.values()];
    return namespace === undefined ? all : all.filter(({ metadata }) => metadata.namespace === namespace);
  }

  byIndex(index: string, value: string): T[] {
    const found = this.#indexes.get(index);
    if (found === undefined) throw new TypeError(`the cache has no index "${index}"`);
    return [...(found.keys.get(value) ?? [])].flatMap((key) => this.#objects.get(key) ?? []);
  }

  /** Keys of all objects. */
  keys(): IterableIterator<string> {
    return this.#objects.keys();
  }

  /** Puts an object in the place of its predecessor, which is returned. */
  set(object: T): T | undefined {
    const key = keyOf(refOfObject(object));
    const previous = this.#objects.get(key);
    if (previous !== undefined) this.#unfile(key, previous);
    this.#objects.set(key, object);
    this.#file(key, object);
    return previous;
  }

  /** Removes an object and returns it. */
  delete(key: string): T | undefined {
    const previous = this.#objects.get(key);
    if (previous === undefined) return undefined;
    this.#objects.delete(key);
    this.#unfile(key, previous);
    return previous;
  }

  #file(key: string, object: T): void {
    for (const { valuesOf, keys } of this.#indexes.values())
      for (const value of valuesOf(object)) {
        const filed = keys.get(value);
        if (filed === undefined) keys.set(value, new Set([key]));
        else filed.add(key);
      }
  }

  #unfile(key: string, object: T): void {
    for (const { valuesOf, keys } of this.#indexes.values())
      for (const value of valuesOf(object)) {
        const filed = keys.get(value);
        filed?.delete(key);
        if (filed?.size === 0) keys.delete(value);
      }
  }
}
