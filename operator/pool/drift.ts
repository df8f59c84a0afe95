// SPDX-License-Identifier: Apache-2.0

// Is a live object as it should be? Pure, and cheap enough to be asked of every object at every pass.
//
// Only what is desired is looked at: fields that others set, the API server's defaults among them, are nobody's business here. What we set once and want
// no more cannot be seen that way, for it looks like a field of others; the hash of what was applied shows it.
import { ANNOTATIONS } from '@kmspool/crds';
import type { KubernetesObject } from '../runtime/index.ts';
import type { Deployment } from './kinds.ts';
import { sameQuantity } from './quantity.ts';

/**
 * The lists that server-side apply merges by key, by the name of their field, with the members that are the key. Every other list is one value.
 * An entry of `ports` has the one number or the other, in a container or in a Service.
 */
const LIST_KEYS: ReadonlyMap<string, readonly string[]> = new Map([
  ['containers', ['name']],
  ['env', ['name']],
  ['hostAliases', ['ip']],
  ['imagePullSecrets', ['name']],
  ['initContainers', ['name']],
  ['ownerReferences', ['uid']],
  ['ports', ['containerPort', 'port', 'protocol']],
  ['topologySpreadConstraints', ['topologyKey', 'whenUnsatisfiable']],
  ['volumeMounts', ['mountPath']],
  ['volumes', ['name']],
]);

/** The rules of a NetworkPolicy: with one member more it is another rule (`endPort` opens ports), so here foreign members count. */
const EXACT_FIELD = 'ingress';
const QUANTITY_FIELDS: ReadonlySet<string> = new Set(['limits', 'requests']);
/** A hash says that something differs, and a field says what: the hashes are asked last. */
const HASHES: ReadonlySet<string> = new Set([ANNOTATIONS.appliedHash, ANNOTATIONS.templateHash]);
/** Not compared: whoever compares knows the kind, and the items of a list do not say it. */
const TYPE_FIELDS: ReadonlySet<string> = new Set(['apiVersion', 'kind']);

/** How values are compared: foreign members ignored, or not, or as quantities of a resource. */
type Mode = 'subset' | 'exact' | 'quantity';
type Members = Readonly<Record<string, unknown>>;

/**
 * The first place where the live object lacks what is desired or has something else, such as
 * `spec.template.spec.containers[host].image: a, wanted b`; undefined when everything desired is there. Lists are compared as server-side apply has
 * them, quantities by value, and an empty map or list is the same as an absent one.
 */
export function difference(desired: KubernetesObject, live: KubernetesObject): string | undefined {
  return fieldDifference(desired, live) ?? hashDifference(desired, live);
}

/** Why the desired object is to be applied: a place as {@link difference} names it, or `hash`: live may hold a field that was ours and is wanted no more. */
export function driftReason(desired: KubernetesObject, live: KubernetesObject): string | undefined {
  return fieldDifference(desired, live) ?? (hashDifference(desired, live) === undefined ? undefined : 'hash');
}

/** {@link difference} for the Pod template of a Deployment alone: a difference in it replaces Pods. */
export function templateDifference(desired: Deployment, live: Deployment): string | undefined {
  return difference(templateOf(desired), templateOf(live));
}

function templateOf({ metadata: { name }, spec }: Deployment): Deployment {
  return { metadata: { name }, spec: spec?.template === undefined ? {} : { template: spec.template } };
}

function fieldDifference(desired: KubernetesObject, live: KubernetesObject): string | undefined {
  const [wanted, found] = [desired, live] as unknown as readonly [Members, Members];
  for (const name of Object.keys(wanted)) {
    if (TYPE_FIELDS.has(name)) continue;
    const different = differ(wanted[name], member(found, name), name, 'subset');
    if (different !== undefined) return name + different;
  }
  return undefined;
}

function hashDifference(desired: Deployment, live: Deployment): string | undefined {
  const applied = differ(hashOf(desired.metadata, 'appliedHash'), hashOf(live.metadata, 'appliedHash'), '', 'subset');
  if (applied !== undefined) return `metadata.annotations[${ANNOTATIONS.appliedHash}]${applied}`;
  const [wanted, found] = [desired.spec?.template?.metadata, live.spec?.template?.metadata];
  const template = differ(hashOf(wanted, 'templateHash'), hashOf(found, 'templateHash'), '', 'subset');
  return template === undefined
    ? undefined
    : `spec.template.metadata.annotations[${ANNOTATIONS.templateHash}]${template}`;
}

type Annotated = { readonly annotations?: Readonly<Record<string, string>> } | undefined;

function hashOf(metadata: Annotated, which: 'appliedHash' | 'templateHash'): string | undefined {
  return metadata?.annotations?.[ANNOTATIONS[which]];
}

/** The rest of the place and what is there, or undefined. No text is made while all is well. */
function differ(desired: unknown, live: unknown, field: string, mode: Mode): string | undefined {
  if (desired === live) return undefined;
  if (isAbsent(desired)) return mode === 'exact' && !isAbsent(live) ? told(live, desired) : undefined;
  if (Array.isArray(desired)) return differList(desired, live, field, mode);
  if (typeof desired === 'object') return differMap(desired as Members, live, field, mode);
  if (mode === 'quantity' && sameQuantity(desired, live)) return undefined;
  return told(live, desired);
}

function differMap(desired: Members, found: unknown, field: string, mode: Mode): string | undefined {
  if (!isMap(found) && !isAbsent(found)) return told(found, desired);
  // Absent is empty: the first member that says something is what is missing.
  const live = isMap(found) ? found : {};
  const inAnnotations = field === 'annotations';
  for (const name of Object.keys(desired)) {
    if (inAnnotations && HASHES.has(name)) continue;
    const different = differ(desired[name], member(live, name), name, modeBelow(name, mode));
    if (different !== undefined) return step(name) + different;
  }
  if (mode !== 'exact') return undefined;
  const foreign = Object.keys(live).find((name) => isAbsent(member(desired, name)) && !isAbsent(live[name]));
  return foreign === undefined ? undefined : step(foreign) + told(live[foreign], undefined);
}

function modeBelow(name: string, mode: Mode): Mode {
  if (mode !== 'subset') return mode;
  if (name === EXACT_FIELD) return 'exact';
  return QUANTITY_FIELDS.has(name) ? 'quantity' : mode;
}

function differList(desired: readonly unknown[], live: unknown, field: string, mode: Mode): string | undefined {
  if (!Array.isArray(live)) return told(live, desired);
  const keys = mode === 'exact' ? undefined : LIST_KEYS.get(field);
  if (keys === undefined && desired.length !== live.length) return told(live, desired);
  for (const [index, entry] of desired.entries()) {
    const id = keys === undefined ? undefined : identity(entry, keys);
    const twin: unknown = id === undefined ? live[index] : live.find((other) => identity(other, keys ?? []) === id);
    const different = twin === undefined ? told(twin, entry) : differ(entry, twin, '', mode);
    if (different !== undefined) return `[${id ?? index}]${different}`;
  }
  return undefined;
}

/** The key of a list's entry; members that it does not have are left out of it. */
function identity(entry: unknown, keys: readonly string[]): string {
  if (!isMap(entry)) return String(entry);
  return keys.flatMap((key) => (entry[key] === undefined ? [] : [String(entry[key])])).join('/');
}

/** A map's own member: a label may well be called `constructor`. */
function member(map: Members, name: string): unknown {
  return Object.hasOwn(map, name) ? map[name] : undefined;
}

function isMap(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isAbsent(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  if (typeof value !== 'object') return false;
  for (const _ in value) return false;
  return true;
}

/** `.image`, or `[kmspool.io/pool]` for a name that is no plain word. */
function step(name: string): string {
  return /^\w+$/.test(name) ? `.${name}` : `[${name}]`;
}

function told(live: unknown, desired: unknown): string {
  return `: ${shown(live)}, wanted ${shown(desired)}`;
}

const SHOWN_CHARACTERS = 80;

/** One line, for a log. */
function shown(value: unknown): string {
  if (isAbsent(value)) return 'absent';
  const text = typeof value === 'string' && value !== '' ? value.replaceAll(/\s+/g, ' ') : JSON.stringify(value);
  return text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS - 1)}…` : text;
}
