// SPDX-License-Identifier: Apache-2.0

// A finalizer keeps an object that is being deleted until its controller has tidied up. It is set before anything is
// made that must be tidied up, and removed last. Written by merge patch bound to the resource version that was read, for
// the list is replaced whole: whoever else has a finalizer there must not lose it.
import type { CallOptions, Client } from './client.ts';
import { isNotFound } from './errors.ts';
import { type KubernetesObject, type Resource, refOfObject } from './resource.ts';

/** Whether somebody wants the object gone. */
export function isBeingDeleted(object: KubernetesObject): boolean {
  return object.metadata.deletionTimestamp !== undefined;
}

/** Whether the object waits for this finalizer. */
export function hasFinalizer(object: KubernetesObject, finalizer: string): boolean {
  return object.metadata.finalizers?.includes(finalizer) === true;
}

/** A client, and the object as it was read. */
export interface FinalizerTarget<T extends KubernetesObject> {
  readonly client: Client;
  readonly resource: Resource<T>;
  readonly object: T;
}

/**
 * Sets the finalizer if it is missing and the object is not being deleted (the API server forbids new ones then). Answers
 * the object as it is now.
 *
 * @throws ApiError 409 when the object changed meanwhile.
 */
export async function ensureFinalizer<T extends KubernetesObject>(
  target: FinalizerTarget<T>,
  finalizer: string,
  options: CallOptions = {},
): Promise<T> {
  const { object } = target;
  if (hasFinalizer(object, finalizer) || isBeingDeleted(object)) return object;
  return setFinalizers(target, [...(object.metadata.finalizers ?? []), finalizer], options);
}

/**
 * Removes the finalizer if it is there; the object may then be gone.
 *
 * @throws ApiError 409 when the object changed meanwhile.
 */
export async function removeFinalizer<T extends KubernetesObject>(
  target: FinalizerTarget<T>,
  finalizer: string,
  options: CallOptions = {},
): Promise<void> {
  const { object } = target;
  if (!hasFinalizer(object, finalizer)) return;
  const rest = (object.metadata.finalizers ?? []).filter((name) => name !== finalizer);
  try {
    await setFinalizers(target, rest, options);
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}

function setFinalizers<T extends KubernetesObject>(
  { client, resource, object }: FinalizerTarget<T>,
  finalizers: readonly string[],
  options: CallOptions,
): Promise<T> {
  const { resourceVersion, uid } = object.metadata;
  return client.patch(resource, refOfObject(object), {
    patch: { metadata: { uid, resourceVersion, finalizers } },
    ...options,
  });
}
