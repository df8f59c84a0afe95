// SPDX-License-Identifier: Apache-2.0

// Whose object is it? Pure. An object has any number of owners, and at most one controller: the one that may change it.
import { apiVersionOf, type KubernetesObject, type OwnerReference, type Resource } from './resource.ts';

/** The reference by which an owner controls an object. @throws TypeError for an owner that the API server has not seen. */
export function controllerReference(resource: Resource, owner: KubernetesObject): OwnerReference {
  const { name, uid } = owner.metadata;
  if (uid === undefined)
    throw new TypeError(`${resource.kind} ${name} has no uid: it was not read from the API server`);
  return {
    apiVersion: apiVersionOf(resource),
    kind: resource.kind,
    name,
    uid,
    controller: true,
    blockOwnerDeletion: true,
  };
}

/** The reference to an object's controller, if it has one. */
export function controllerOf(object: KubernetesObject): OwnerReference | undefined {
  return object.metadata.ownerReferences?.find(({ controller }) => controller === true);
}

/** Whether this very owner (by uid, not by name: it may have been deleted and made anew) controls the object. */
export function isControlledBy(object: KubernetesObject, owner: KubernetesObject): boolean {
  const uid = controllerOf(object)?.uid;
  return uid !== undefined && uid === owner.metadata.uid;
}
