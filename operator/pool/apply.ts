// SPDX-License-Identifier: Apache-2.0

// Does the steps of a plan. Every write is server-side apply by one field manager, through a client that refuses writes of who no longer leads. What the API
// server refuses for good is a value, for the user has to change something; everything else is thrown and tried again.
import { randomBytes } from 'node:crypto';
import { FIELD_MANAGER, FINALIZER } from '@kmspool/crds';
import {
  ApiError,
  type Client,
  ensureFinalizer,
  isAlreadyExists,
  isControlledBy,
  isForbidden,
  isInvalid,
  type KubernetesObject,
  type Logger,
  type Resource,
  refOfObject,
  removeFinalizer,
} from '../runtime/index.ts';
import { buildAdminSecret, buildKeySecret, SECRET_BYTES } from './build/secret.ts';
import { DEPLOYMENTS, LEAN_SECRETS, POOLS, SECRETS } from './kinds.ts';
import { leanDeployment, leanObject, leanSecret } from './lean.ts';
import type { Refusal, Step } from './state.ts';
import type { World } from './world.ts';
import type { Written } from './written.ts';

/** What steps are done with. */
export interface Hands {
  /** Guarded: it writes only while this process leads. */
  readonly client: Client;
  readonly written: Written;
  /** Deletes the pool's keys in Redis. */
  readonly purge: (world: World, poolId: string, signal: AbortSignal) => Promise<void>;
  readonly onStep: (step: Step) => void;
}

/** One reconcile's surroundings. */
export interface ApplyContext {
  readonly world: World;
  readonly signal: AbortSignal;
  readonly log: Logger;
}

/** What came of the steps. */
export interface Applied {
  readonly refusals: readonly Refusal[];
  /** Something was made that the next steps have to know: reconcile again at once. */
  readonly again: boolean;
  /** The key was made here and now; false also when another operator was quicker. */
  readonly keyMade: boolean;
}

/** What came of one step. `planAgain`: the world is another than the plan thought. */
type Came = 'done' | 'planAgain' | 'keyMade';

/** Does the steps in their order. @throws whatever the API server or Redis says that another attempt may change. */
export async function applySteps(hands: Hands, steps: readonly Step[], context: ApplyContext): Promise<Applied> {
  const refusals: Refusal[] = [];
  const came = new Set<Came>();
  for (const step of steps) {
    context.log.info(fieldsOf(step), 'step');
    hands.onStep(step);
    try {
      came.add(await doStep(hands, step, context));
    } catch (error) {
      const refusal = refusalOf(step, error);
      if (refusal === undefined) throw error;
      context.log.warn({ ...fieldsOf(step), refusal: refusal.message }, 'step refused');
      refusals.push(refusal);
    }
  }
  const keyMade = came.has('keyMade');
  return { refusals, again: keyMade || came.has('planAgain'), keyMade };
}

function fieldsOf(step: Step): object {
  const { kind } = step;
  if (step.kind === 'apply')
    return { kind, object: `${step.resource.kind}/${step.object.metadata.name}`, why: step.why };
  if (step.kind === 'delete' || step.kind === 'annotate')
    return { kind, object: `${step.resource.kind}/${step.ref.name}`, why: step.why };
  return step.kind === 'makeSecret' ? { kind, object: `Secret/${step.name}` } : { kind };
}

/** Does one step. */
async function doStep(hands: Hands, step: Step, { world, signal }: ApplyContext): Promise<Came> {
  const { client, written } = hands;
  const target = { client, resource: POOLS, object: world.object };
  const note = (resource: Resource, object: KubernetesObject): void =>
    written.note(resource, leanFor(resource)(object));
  switch (step.kind) {
    case 'addFinalizer':
      note(POOLS, await ensureFinalizer(target, FINALIZER, { signal }));
      return 'done';
    case 'removeFinalizer':
      await removeFinalizer(target, FINALIZER, { signal });
      return 'done';
    case 'makeSecret':
      return makeSecret(hands, step, { world, signal });
    case 'apply':
      return applyObject(hands, step, { world, signal });
    case 'annotate':
      note(step.resource, await annotate(client, step, signal));
      return 'done';
    case 'delete':
      await client.delete(step.resource, step.ref, { uid: step.uid, propagation: 'Background', signal });
      written.noteDeleted(step.resource, step.ref, step.uid);
      return 'done';
    case 'purge':
      await hands.purge(world, step.poolId, signal);
      return 'done';
  }
}

function annotate(
  client: Client,
  { resource, ref, annotations }: Extract<Step, { kind: 'annotate' }>,
  signal: AbortSignal,
) {
  return client.patch(resource, ref, {
    patch: { metadata: { annotations } },
    query: { fieldManager: FIELD_MANAGER },
    signal,
  });
}

/**
 * Server-side apply, of what is ours or is not there. The caches hold only what carries our labels, so before something is made the API server is asked for
 * its name; what is changed is bound to the uid that was judged.
 */
async function applyObject(
  { client, written }: Hands,
  step: Extract<Step, { kind: 'apply' }>,
  { world, signal }: Making,
): Promise<Came> {
  const { resource, object, uid } = step;
  if (uid === undefined) {
    const found = await client.find(resource, refOfObject(object), { signal });
    if (found !== undefined && !isControlledBy(found, world.object)) {
      written.noteForeign(resource, leanFor(resource)(found));
      return 'planAgain';
    }
  }
  const bound = uid === undefined ? object : { ...object, metadata: { ...object.metadata, uid } };
  const apply = () => client.apply(resource, bound, { fieldManager: FIELD_MANAGER, signal });
  const applied = await apply().catch(async (error: unknown) => {
    if (uid === undefined || !isInvalid(error)) throw error;
    await replaceLists(client, { resource, object: bound, signal }, error);
    return apply();
  });
  written.note(resource, leanFor(resource)(applied));
  return 'done';
}

type Replacing = { readonly resource: Resource; readonly object: KubernetesObject; readonly signal: AbortSignal };

/**
 * An entry that somebody put into a list of ours may contradict ours: a port with the name of ours and another number. Server-side apply adds ours to it and
 * cannot take theirs away; a merge patch puts the whole list in its place. @throws `refused`, the API server's first word, when that is not valid either.
 */
async function replaceLists(client: Client, { resource, object, signal }: Replacing, refused: unknown): Promise<void> {
  const { spec } = object as { spec?: unknown };
  const { uid } = object.metadata;
  const query = { fieldManager: FIELD_MANAGER, fieldValidation: 'Strict' };
  try {
    await client.patch(resource, refOfObject(object), { patch: { metadata: { uid }, spec }, query, signal });
  } catch (error) {
    throw isInvalid(error) || isBadRequest(error) ? refused : error;
  }
}

type Making = { readonly world: World; readonly signal: AbortSignal };

/** Created, never applied: one that appeared meanwhile is somebody's, and stays. */
async function makeSecret(
  { client, written }: Hands,
  step: Extract<Step, { kind: 'makeSecret' }>,
  { world, signal }: Making,
): Promise<Came> {
  const source = { pool: world.pool, owner: world.object, bytes: randomBytes(SECRET_BYTES) };
  const secret = step.secret === 'key' ? buildKeySecret(source) : buildAdminSecret(source);
  try {
    written.note(LEAN_SECRETS, leanSecret(await client.create(SECRETS, secret, { signal })));
    return step.secret === 'key' ? 'keyMade' : 'done';
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
    const found = await client.find(SECRETS, { namespace: secret.metadata.namespace, name: step.name }, { signal });
    if (found !== undefined) written.note(LEAN_SECRETS, leanSecret(found));
    return step.secret === 'key' ? 'planAgain' : 'done';
  }
}

/** What another attempt will not change: the spec has to, or the operator's role. */
function refusalOf(step: Step, error: unknown): Refusal | undefined {
  if (step.kind !== 'apply' && step.kind !== 'makeSecret') return undefined;
  const what = step.kind === 'apply' ? `${step.resource.kind} ${step.object.metadata.name}` : `Secret ${step.name}`;
  const refusal = (reason: Refusal['reason'], said: string): Refusal => ({
    reason,
    message: `${what}: ${oneLine(said)}`,
  });
  if (isForbidden(error)) return refusal('Forbidden', error.said);
  if (!(isInvalid(error) || isBadRequest(error))) return undefined;
  const words = error.said.replace(PREAMBLE, '');
  const place = step.kind === 'apply' && UNPLACED.test(error.said) ? placeOf(step) : '';
  return refusal('InvalidSpec', `${place}${words}`);
}

/** Of a value that cannot be read the API server does not say where it stands. */
function placeOf({ why, resource }: Extract<Step, { kind: 'apply' }>): string {
  if (why.includes(': ')) return `${why}: `;
  return resource === DEPLOYMENTS ? 'a value of spec.pod: ' : '';
}

/** What the API server says before it says what is wrong: the object, which is named already, and its own steps. */
const PREAMBLE =
  /^(?:\S+ "[^"]*" is invalid: |failed to convert new object \([^)]*\) to proper version: |unable to convert unstructured object to [^:]+: |failed to create typed patch object \([^)]*\): (?:errors:\s*)?)+/;
const UNPLACED = /unable to convert unstructured object/;

/** Server-side apply answers a field that it does not know, and a value that it cannot read, with 500 and no reason, only with these words. */
const UNREADABLE =
  /field not declared in schema|failed to create typed patch object|unable to convert unstructured object/;

function isBadRequest(error: unknown): error is ApiError {
  if (!(error instanceof ApiError)) return false;
  return error.statusCode === 400 || (error.statusCode === 500 && UNREADABLE.test(error.message));
}

/** The form in which the cache of this kind keeps an object. */
function leanFor(resource: Resource): (object: KubernetesObject) => KubernetesObject {
  return resource === DEPLOYMENTS ? (object) => leanDeployment(object) : leanObject;
}

function oneLine(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  return line.length > 400 ? `${line.slice(0, 399)}…` : line;
}
