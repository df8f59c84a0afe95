// SPDX-License-Identifier: Apache-2.0

// What this process has written and its caches do not show yet. A reconcile that follows a write at once would else see the world before it, write again,
// or take a host for settled that it has just changed. It holds nothing longer than the cache needs to catch up.
import {
  type Clock,
  type KubernetesObject,
  keyOf,
  type ObjectRef,
  type Resource,
  refOfObject,
  resourceName,
} from '../runtime/index.ts';

/** Somebody else's object is looked at again after this time. */
const FOREIGN_MS = 30_000;
/** A cache that has not shown a deletion for so long will not: something else keeps the object. */
const DELETED_MS = 30_000;
/** An object that a cache has not shown for so long may be gone again: whoever needs it asks the API server. */
const UNSEEN_MS = 60_000;

type Entry =
  | { readonly kind: 'object'; readonly object: KubernetesObject; readonly untilMs: number }
  /** Not in the caches, for it does not carry our labels. */
  | { readonly kind: 'foreign'; readonly object: KubernetesObject; readonly untilMs: number }
  | { readonly kind: 'deleted'; readonly uid: string | undefined; readonly untilMs: number };

/** Answers of writes, until the caches have them. */
export class Written {
  readonly #entries = new Map<string, Entry>();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Notes the answer to a write. */
  note(resource: Resource, object: KubernetesObject): void {
    const untilMs = this.#clock.monotonic() + UNSEEN_MS;
    this.#entries.set(keyFor(resource, refOfObject(object)), { kind: 'object', object, untilMs });
  }

  /** Notes that a cache has shown an object's end, or its end for the cache: it may have lost the label. What was written before that is history. */
  noteGone(resource: Resource, object: KubernetesObject): void {
    const key = keyFor(resource, refOfObject(object));
    const entry = this.#entries.get(key);
    if (entry?.kind === 'object' && !isNewer(entry.object, object)) this.#entries.delete(key);
  }

  /** Notes an object of somebody else's that has a name of ours. */
  noteForeign(resource: Resource, object: KubernetesObject): void {
    const untilMs = this.#clock.monotonic() + FOREIGN_MS;
    this.#entries.set(keyFor(resource, refOfObject(object)), { kind: 'foreign', object, untilMs });
  }

  /** Notes that an object was deleted. */
  noteDeleted(resource: Resource, ref: ObjectRef, uid: string | undefined): void {
    const untilMs = this.#clock.monotonic() + DELETED_MS;
    this.#entries.set(keyFor(resource, ref), { kind: 'deleted', uid, untilMs });
  }

  /** The object as it is by the cache or by what was written last, whichever is newer. */
  latest<T extends KubernetesObject>(resource: Resource<T>, ref: ObjectRef, cached: T | undefined): T | undefined {
    const key = keyFor(resource, ref);
    const entry = this.#entries.get(key);
    if (entry === undefined) return cached;
    if (entry.kind === 'foreign') {
      if (cached === undefined && this.#clock.monotonic() < entry.untilMs) return entry.object as T;
    } else if (entry.kind === 'deleted') {
      const same = cached !== undefined && (entry.uid === undefined || cached.metadata.uid === entry.uid);
      if (same && this.#clock.monotonic() < entry.untilMs) return undefined;
    } else if (cached === undefined ? this.#clock.monotonic() < entry.untilMs : isNewer(entry.object, cached))
      return entry.object as T;
    this.#entries.delete(key);
    return cached;
  }

  /** Forgets an object: the cache has told that it is gone. */
  forget(resource: Resource, ref: ObjectRef): void {
    this.#entries.delete(keyFor(resource, ref));
  }

  /** Entries that wait for a cache; for tests. */
  get size(): number {
    return this.#entries.size;
  }
}

function keyFor(resource: Resource, ref: ObjectRef): string {
  return `${resourceName(resource)}|${keyOf(ref)}`;
}

/** Resource versions of one kind are numbers that grow (Kubernetes 1.35 says so; before, every API server on etcd did it), also from one object of a name to the next. */
function isNewer(a: KubernetesObject, b: KubernetesObject): boolean {
  return numberOf(a) > numberOf(b);
}

function numberOf({ metadata }: KubernetesObject): bigint {
  const text = metadata.resourceVersion ?? '';
  return /^\d+$/.test(text) ? BigInt(text) : 0n;
}
