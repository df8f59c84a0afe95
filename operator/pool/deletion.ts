// SPDX-License-Identifier: Apache-2.0

import { FIELD_MANAGER, FINALIZER, LABELS } from '@kmspool/crds';
// How a pool goes: its records leave DNS, the hosts are stopped, its keys leave Redis if that is wished, the finalizer falls; the garbage collector takes
// the rest. Pure. It never hangs: each wait has a bound, and what was left behind is said.
import { hasFinalizer } from '../runtime/index.ts';
import type { JudgedHost } from './hosts.ts';
import { DEPLOYMENTS, DNS_ENDPOINTS, SECRETS } from './kinds.ts';
import type { PublicationPlan } from './publication.ts';
import type { EventWish, Step } from './state.ts';
import { deleteStep } from './steps.ts';
import { absenceOf, staleRecord } from './withdrawal.ts';
import type { World } from './world.ts';

/** When no host runs any more nobody is served by waiting; the records are only watched so long to say whether they went. */
const UNSERVED_BOUND_SECONDS = 60;
const SOON_MS = 1_000;

export interface DeletionPlan {
  readonly steps: readonly Step[];
  readonly events: readonly EventWish[];
  readonly dueMs: number | undefined;
  /** What is waited for, in words. */
  readonly message: string;
}

/** The next steps of a pool that is being deleted. `poolId` is absent when the pool never had an identity. */
export function planDeletion(
  world: World,
  {
    hosts,
    publication,
    poolId,
  }: { hosts: readonly JudgedHost[]; publication: PublicationPlan; poolId: string | undefined },
): DeletionPlan {
  if (!hasFinalizer(world.object, FINALIZER)) return { steps: [], events: [], dueMs: undefined, message: '' };
  const withdraw = deleteStep(world, {
    resource: DNS_ENDPOINTS,
    live: world.dnsEndpoint,
    why: 'the pool is being deleted',
  });
  const absences = absencesOf(world, hosts, publication);
  const waiting = absences.flatMap((absence) => (absence.kind === 'waiting' ? [absence] : []));
  if (waiting.length > 0) {
    const dueMs = Math.min(...waiting.flatMap(({ untilMs }) => untilMs ?? []), Number.MAX_SAFE_INTEGER);
    return { steps: withdraw, events: [], dueMs, message: `its records leave DNS: ${waiting[0]?.what ?? ''}` };
  }
  const left = [...new Set(absences.flatMap((absence) => (absence.kind === 'givenUp' ? absence.left : [])))];
  const stale = absences.some(({ kind }) => kind === 'givenUp')
    ? [staleRecord(`pool ${world.pool.metadata.name}`, left)]
    : [];
  const rest =
    world.pool.spec.store?.onDelete === 'Purge' && poolId !== undefined ? purge(world, hosts, poolId) : release([]);
  // The stale record is told with the step that ends the wait, once.
  return { ...rest, steps: [...withdraw, ...rest.steps], events: [...(endsWait(rest) ? stale : []), ...rest.events] };
}

function endsWait({ steps }: DeletionPlan): boolean {
  return steps.some(({ kind }) => kind === 'removeFinalizer' || kind === 'delete');
}

function absencesOf(world: World, hosts: readonly JudgedHost[], publication: PublicationPlan) {
  const startedMs = Date.parse(world.object.metadata.deletionTimestamp ?? '') || world.nowMs;
  const running = hosts.some(({ objects }) => objects.pods.length > 0);
  const boundSeconds = running
    ? world.settings.withdrawBoundSeconds
    : Math.min(UNSERVED_BOUND_SECONDS, world.settings.withdrawBoundSeconds);
  const everPublished = (world.object.status?.dns ?? []).some(
    ({ observed, published }) => observed > 0 || (published ?? []).length > 0,
  );
  if (world.dnsEndpoint === undefined && !everPublished) return [];
  return hosts.map(({ target }) => absenceOf({ world, publication, target, startedMs, boundSeconds }));
}

/** A host that still runs would write its keys anew, so the hosts end first. */
function purge(world: World, hosts: readonly JudgedHost[], poolId: string): DeletionPlan {
  const stop = hosts.flatMap(({ objects }) =>
    deleteStep(world, { resource: DEPLOYMENTS, live: objects.deployment, why: 'its keys are to leave Redis' }),
  );
  if (stop.length > 0)
    return { steps: stop, events: [], dueMs: world.nowMs + SOON_MS, message: 'the hosts are being stopped' };
  const startedMs = Date.parse(world.object.metadata.deletionTimestamp ?? '') || world.nowMs;
  const overdue = world.nowMs - startedMs > 2 * world.settings.withdrawBoundSeconds * 1000;
  if (world.twins.length > 0)
    return release([
      kept(
        `pool ${world.twins.join(', ')} has the same key and counts in the same table; its keys were not removed from Redis`,
      ),
    ]);
  if (overdue)
    return release([
      kept(`the keys could not be removed from Redis in time; remove what begins with kmspool:{${poolId}}: by hand`),
    ]);
  const running = hosts.flatMap(({ objects }) => objects.pods);
  if (running.length > 0)
    return { steps: [], events: [], dueMs: world.nowMs + SOON_MS, message: 'the last hosts are ending' };
  return {
    steps: [{ kind: 'purge', poolId }, ...keySteps(world), { kind: 'removeFinalizer' }],
    events: [],
    dueMs: undefined,
    message: 'its keys leave Redis',
  };
}

/** With the table goes the key, if the operator made it: nothing is left that it would open. */
function keySteps(world: World): Step[] {
  const { keySecret } = world;
  const { labels } = keySecret?.metadata ?? {};
  const made = labels?.[LABELS.managedBy] === FIELD_MANAGER && labels[LABELS.pool] === world.pool.metadata.name;
  if (keySecret === undefined || !made) return [];
  const { namespace, name, uid } = keySecret.metadata;
  return [{ kind: 'delete', resource: SECRETS, ref: { namespace, name }, uid, why: 'the pool is purged' }];
}

function release(events: readonly EventWish[]): DeletionPlan {
  return { steps: [{ kind: 'removeFinalizer' }], events, dueMs: undefined, message: 'done' };
}

function kept(message: string): EventWish {
  return { type: 'Warning', reason: 'PurgeIncomplete', message };
}
