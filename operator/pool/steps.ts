// SPDX-License-Identifier: Apache-2.0

// From what is and what should be to a step, or none. Pure. The one rule that every object obeys: what has our name and is not ours is never touched.
import { controllerOf, isControlledBy, type KubernetesObject, type Resource, refOfObject } from '../runtime/index.ts';
import { driftReason } from './drift.ts';
import type { Clash, Step } from './state.ts';
import type { World } from './world.ts';

/** An object as it is and as it should be. */
export interface Pair {
  readonly resource: Resource;
  readonly live: KubernetesObject | undefined;
  readonly desired: () => KubernetesObject;
  /** What `desired` depends on besides the pool's spec, to be asked and noted in the world's findings; absent: there is more to it. */
  readonly what?: string;
}

/** Somebody else's object with our name. */
export function isClash(world: World, live: KubernetesObject | undefined): boolean {
  return live !== undefined && !isControlledBy(live, world.object);
}

/**
 * An object of an earlier pool of this name, which the garbage collector has not taken yet: it goes away by itself.
 */
export function isLeftover(world: World, live: KubernetesObject): boolean {
  const owner = controllerOf(live);
  const { name, uid } = world.object.metadata;
  return owner?.kind === 'KmsHostPool' && owner.name === name && owner.uid !== uid;
}

/** The clash that an object is, if it is one that will not go away by itself. */
export function clashOf(world: World, { resource, live }: Pick<Pair, 'resource' | 'live'>): Clash[] {
  if (live === undefined || !isClash(world, live) || isLeftover(world, live)) return [];
  return [{ resource, ref: refOfObject(live) }];
}

/** Apply, unless the object is as it should be, or not ours. */
export function applyStep(world: World, { resource, live, desired, what }: Pair): Step[] {
  if (what !== undefined && world.findings?.isAsWanted(what, live)) return [];
  if (isClash(world, live)) return [];
  if (live?.metadata.deletionTimestamp !== undefined) return [];
  const object = desired();
  const why = live === undefined ? 'missing' : driftReason(object, live);
  if (why !== undefined) return [{ kind: 'apply', resource, object, uid: live?.metadata.uid, why }];
  if (what !== undefined && live !== undefined) world.findings?.noteAsWanted(what, live);
  return [];
}

/** Delete, if there is one of ours. */
export function deleteStep(
  world: World,
  {
    resource,
    live,
    why,
  }: { readonly resource: Resource; readonly live: KubernetesObject | undefined; readonly why: string },
): Step[] {
  if (live === undefined || isClash(world, live) || live.metadata.deletionTimestamp !== undefined) return [];
  return [{ kind: 'delete', resource, ref: refOfObject(live), uid: live.metadata.uid, why }];
}
