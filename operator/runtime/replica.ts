// SPDX-License-Identifier: Apache-2.0

// Keeps a cache equal to what the API server tells, and says what changed: the rules by which a list is compared with
// what is known and a watch event is taken in. Pure but for the cache; the reflector brings lists and events.
import type { Cache } from './cache.ts';
import { type KubernetesObject, keyOf, refOf, refOfObject } from './resource.ts';

/** What became of an object. Level, not edge: handlers look at the object, not at the type. */
export interface Change<T> {
  readonly type: 'added' | 'modified' | 'deleted';
  /** As it is now; of a deleted object, as it was last seen. */
  readonly object: T;
  /** As it was before, of a modified object. */
  readonly previous: T | undefined;
  /** Whether it comes from the first list: not news, only not known yet. */
  readonly initial: boolean;
}

/**
 * Takes in an object. No change when that version is known. A new uid is another object of the same name: the old one
 * was deleted unseen.
 */
export function takeIn<T extends KubernetesObject>(cache: Cache<T>, object: T, initial: boolean): Change<T>[] {
  const known = cache.get(refOfObject(object));
  if (known === undefined) {
    cache.set(object);
    return [{ type: 'added', object, previous: undefined, initial }];
  }
  if (known.metadata.uid !== object.metadata.uid) {
    cache.set(object);
    return [
      { type: 'deleted', object: known, previous: undefined, initial },
      { type: 'added', object, previous: undefined, initial },
    ];
  }
  if (known.metadata.resourceVersion === object.metadata.resourceVersion) return [];
  cache.set(object);
  return [{ type: 'modified', object, previous: known, initial }];
}

/** Takes out an object, given its last state. No change when it was not known. */
export function takeOut<T extends KubernetesObject>(cache: Cache<T>, object: T): Change<T>[] {
  const known = cache.delete(keyOf(refOfObject(object)));
  return known === undefined ? [] : [{ type: 'deleted', object, previous: undefined, initial: false }];
}

/** Takes out what a complete list did not show. `namespace` bounds what the list could have shown. */
export function takeOutUnlisted<T extends KubernetesObject>(
  cache: Cache<T>,
  listed: ReadonlySet<string>,
  namespace: string | undefined,
): Change<T>[] {
  const inScope = (key: string): boolean => namespace === undefined || refOf(key).namespace === namespace;
  const gone = [...cache.keys()].filter((key) => inScope(key) && !listed.has(key));
  return gone.flatMap((key) => {
    const object = cache.delete(key);
    return object === undefined ? [] : [{ type: 'deleted', object, previous: undefined, initial: false } as const];
  });
}
