// SPDX-License-Identifier: Apache-2.0

// How a kind of object is addressed on the API server, and the little that all objects have in common. Pure: no I/O, and
// no knowledge of any particular kind; whoever uses a kind brings its type.

/** An entry of `metadata.ownerReferences`. */
export interface OwnerReference {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller?: boolean;
  blockOwnerDeletion?: boolean;
}

/** What every object has. Unknown fields of an answer are kept, so that what was read can be written back whole. */
export interface KubernetesObject {
  apiVersion?: string;
  kind?: string;
  metadata: ObjectMeta;
}

/** The fields of `metadata` that controllers work with; all but the name are set by the API server or optional. */
export interface ObjectMeta {
  name: string;
  namespace?: string;
  uid?: string;
  resourceVersion?: string;
  generation?: number;
  creationTimestamp?: string;
  deletionTimestamp?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  finalizers?: string[];
  ownerReferences?: OwnerReference[];
  managedFields?: unknown[];
}

/** The name of one object; `namespace` is absent for a cluster-scoped kind. */
export interface ObjectRef {
  readonly namespace?: string | undefined;
  readonly name: string;
}

/**
 * A kind as the API server serves it. `T` is the type of its objects: it exists only for the type checker, which carries
 * it from here into every call that is given the resource.
 */
export interface Resource<T extends KubernetesObject = KubernetesObject> {
  /** API group, empty for the core group. */
  readonly group: string;
  readonly version: string;
  /** Lower-case plural, as in the path and in RBAC rules. */
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
  readonly objectType?: T;
}

/** Names a kind. Example: `defineResource<Pod>({ group: '', version: 'v1', plural: 'pods', kind: 'Pod', namespaced: true })`. */
export function defineResource<T extends KubernetesObject>(resource: Omit<Resource, 'objectType'>): Resource<T> {
  return { ...resource };
}

/** `apiVersion` of the kind's objects: `v1` for the core group, else `group/version`. */
export function apiVersionOf(resource: Resource): string {
  return resource.group === '' ? resource.version : `${resource.group}/${resource.version}`;
}

/** What objects of a kind carry of it; the items of a list do not. */
export function typeOf(resource: Resource): { readonly apiVersion: string; readonly kind: string } {
  return { apiVersion: apiVersionOf(resource), kind: resource.kind };
}

/** `plural.group` as kubectl and RBAC name it (`deployments.apps`), for metrics and messages. */
export function resourceName(resource: Resource): string {
  return resource.group === '' ? resource.plural : `${resource.plural}.${resource.group}`;
}

/** Path of the kind in one namespace, or across all of them when no namespace is given. */
export function collectionPath(resource: Resource, namespace?: string): string {
  const root = resource.group === '' ? '/api' : `/apis/${resource.group}`;
  const scope = resource.namespaced && namespace !== undefined ? `/namespaces/${encodeURIComponent(namespace)}` : '';
  return `${root}/${resource.version}${scope}/${resource.plural}`;
}

/**
 * Path of one object, or of one of its subresources (`status`, `scale`).
 *
 * @throws TypeError when a namespaced kind is addressed without a namespace: the path would be another kind's.
 */
export function objectPath(resource: Resource, ref: ObjectRef, subresource?: string): string {
  if (resource.namespaced && ref.namespace === undefined)
    throw new TypeError(`${resource.kind} ${ref.name}: a namespace is needed to address it`);
  const path = `${collectionPath(resource, ref.namespace)}/${encodeURIComponent(ref.name)}`;
  return subresource === undefined ? path : `${path}/${subresource}`;
}

/** The key under which caches and queues know an object: `namespace/name`, or `name` for a cluster-scoped one. */
export function keyOf(ref: ObjectRef): string {
  return ref.namespace === undefined ? ref.name : `${ref.namespace}/${ref.name}`;
}

/** The inverse of {@link keyOf}. Names of objects hold no slash (RFC 1123), so the first one divides. */
export function refOf(key: string): ObjectRef {
  const slash = key.indexOf('/');
  return slash < 0 ? { name: key } : { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}

/** Name of an object that was read. */
export function refOfObject(object: KubernetesObject): ObjectRef {
  return { namespace: object.metadata.namespace, name: object.metadata.name };
}
