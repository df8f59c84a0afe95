// SPDX-License-Identifier: Apache-2.0

// The plan of one pool: what to do, in which order, and what to conclude. Pure: the same world gives the same plan, and once its steps are done the next
// plan has none. The walk: whose pool is it -> what all hosts share -> the hosts -> what DNS shows of them.
import { FINALIZER } from '@kmspool/crds';
import { hasFinalizer, isBeingDeleted } from '../runtime/index.ts';
import { buildDisruptionBudget } from './build/disruption-budget.ts';
import { buildDnsEndpoint } from './build/dns-endpoint.ts';
import { buildNetworkPolicy } from './build/network-policy.ts';
import { keySecretName } from './build/secret.ts';
import { buildServiceAccount } from './build/service-account.ts';
import { planDeletion } from './deletion.ts';
import { type JudgedHost, judgeHosts, pollTargets } from './hosts.ts';
import { adminSecretSteps, judgeIdentity } from './identity.ts';
import {
  CONFIG_MAPS,
  DEPLOYMENTS,
  DISRUPTION_BUDGETS,
  DNS_ENDPOINTS,
  NETWORK_POLICIES,
  SECRETS,
  SERVICE_ACCOUNTS,
  SERVICES,
} from './kinds.ts';
import { type PublicationPlan, planPublication } from './publication.ts';
import { planRollout } from './rollout.ts';
import type { Clash, EventWish, Identity, Plan, Rollout, Step } from './state.ts';
import { applyStep, clashOf, deleteStep } from './steps.ts';
import { planWithdrawal } from './withdrawal.ts';
import type { World } from './world.ts';

/** While something is waited for that no watch tells of. */
const LOOK_AGAIN_MS = 5_000;

/** What is to be done in this world. */
export function planPool(world: World): Plan {
  const identity = judgeIdentity(world);
  const poolId = world.object.status?.poolId ?? (identity.kind === 'known' ? identity.poolId : undefined);
  if (isBeingDeleted(world.object)) return deletionPlan(world, identity, poolId);
  const finalizer: Step[] = hasFinalizer(world.object, FINALIZER) ? [] : [{ kind: 'addFinalizer' }];
  if (identity.kind === 'toMake') {
    const steps: Step[] = [...finalizer, { kind: 'makeSecret', secret: 'key', name: keySecretName(world.pool) }];
    const bare = withoutHosts({
      identity,
      steps,
      rollout: { kind: 'Starting', message: 'the key of the pool is being made' },
    });
    return { ...bare, events: [keyCreated(world)] };
  }
  // Without a key that can be trusted nothing is touched: the hosts that run go on with what they have.
  if (identity.kind === 'refused' || poolId === undefined)
    return withoutHosts({
      identity,
      steps: finalizer,
      rollout: { kind: 'Waiting', message: 'waits for the Secret' },
      world,
      poolId,
    });
  return livePlan(world, { identity, poolId, finalizer });
}

function livePlan(
  world: World,
  { identity, poolId, finalizer }: { identity: Identity; poolId: string; finalizer: readonly Step[] },
): Plan {
  const hosts = judgeHosts(world, poolId);
  const publication = planPublication(world, hosts, poolId);
  const rollout = planRollout(world, hosts, publication);
  const withdrawal = planWithdrawal(world, hosts, publication);
  const steps = [
    ...finalizer,
    ...adminSecretSteps(world),
    ...sharedSteps(world),
    ...rollout.steps,
    ...recordSteps(world, publication),
    ...withdrawal.steps,
  ];
  const clashes = clashesOf(world);
  const leaving: Rollout = { kind: 'ScalingDown', message: withdrawal.waiting.join('; ') };
  const state = withdrawal.waiting.length > 0 && rollout.rollout.kind === 'Settled' ? leaving : rollout.rollout;
  return {
    steps,
    events: withdrawal.events,
    requeueAfterMs: untilNext(world, [
      publication.dueMs,
      publication.leavingMs,
      publication.publisherDueMs,
      withdrawal.dueMs,
      publication.hostNames?.untilMs,
      patience(world, state, clashes),
    ]),
    conclusions: { identity, hosts, publication, rollout: state, clashes, refusals: [] },
    observe: publication.observe,
    polls: pollTargets(hosts, world.pool.metadata.namespace ?? 'default'),
  };
}

function keyCreated({ pool }: World): EventWish {
  const message = `Secret ${keySecretName(pool)} was made, and with it the identity of the pool; keep a copy: the same Secret is the same pool`;
  return { type: 'Normal', reason: 'KeyCreated', message };
}

/** What all hosts of a pool share. */
function sharedSteps(world: World): Step[] {
  const source = { pool: world.pool, owner: world.object };
  return [
    applyStep(world, {
      resource: SERVICE_ACCOUNTS,
      live: world.serviceAccount,
      desired: () => buildServiceAccount(source),
      what: 'ServiceAccount',
    }),
    applyStep(world, {
      resource: DISRUPTION_BUDGETS,
      live: world.disruptionBudget,
      desired: () => buildDisruptionBudget(source),
      what: 'PodDisruptionBudget',
    }),
    applyStep(world, {
      resource: NETWORK_POLICIES,
      live: world.networkPolicy,
      desired: () => buildNetworkPolicy(source),
      what: 'NetworkPolicy',
    }),
  ].flat();
}

/** The DNSEndpoint. It carries the time of its last change, which moves only with the records. */
function recordSteps(world: World, { recordSets, changedAt: known }: PublicationPlan): Step[] {
  const live = world.dnsEndpoint;
  if (recordSets === undefined)
    return deleteStep(world, { resource: DNS_ENDPOINTS, live, why: 'nothing is to be published' });
  const source = { pool: world.pool, owner: world.object, recordSets };
  const unchanged =
    known === undefined
      ? []
      : applyStep(world, {
          resource: DNS_ENDPOINTS,
          live,
          desired: () => buildDnsEndpoint({ ...source, changedAt: known }),
        });
  if (known !== undefined && unchanged.length === 0) return [];
  const changedAt = new Date(world.nowMs).toISOString().replace(/\.\d+Z$/, 'Z');
  return applyStep(world, { resource: DNS_ENDPOINTS, live, desired: () => buildDnsEndpoint({ ...source, changedAt }) });
}

function deletionPlan(world: World, identity: Identity, poolId: string | undefined): Plan {
  const hosts = poolId === undefined ? [] : judgeHosts(world, poolId);
  const publication = poolId === undefined ? NOTHING : goingPublication(world, hosts, poolId);
  const { steps, events, dueMs, message } = planDeletion(world, { hosts, publication, poolId });
  return {
    steps,
    events,
    requeueAfterMs: untilNext(world, [dueMs]),
    conclusions: { identity, hosts, publication, rollout: { kind: 'Deleting', message }, clashes: [], refusals: [] },
    observe:
      publication.observe === undefined ? undefined : { ...publication.observe, revision: 'deleting', settled: false },
    polls: [],
  };
}

/** Of a pool that goes nothing is to be published, whatever the hosts are. */
function goingPublication(world: World, hosts: readonly JudgedHost[], poolId: string): PublicationPlan {
  const publication = planPublication(world, hosts, poolId);
  const mode = publication.mode === 'NoPublisher' && world.dnsEndpointServed ? 'On' : publication.mode;
  return { ...publication, mode, recordSets: undefined };
}

const NOTHING: PublicationPlan = {
  mode: 'NoDomains',
  recordSets: undefined,
  domains: [],
  dueMs: undefined,
  hostNames: undefined,
  settled: true,
  published: new Set(),
  leavingMs: undefined,
  publisherDueMs: undefined,
  changedAt: undefined,
  observe: undefined,
};

type Bare = {
  readonly identity: Identity;
  readonly steps: readonly Step[];
  readonly rollout: Rollout;
  readonly world?: World;
  readonly poolId?: string | undefined;
};

function withoutHosts({ identity, steps, rollout, world, poolId }: Bare): Plan {
  const hosts = world === undefined || poolId === undefined ? [] : judgeHosts(world, poolId);
  const publication = world === undefined || poolId === undefined ? NOTHING : planPublication(world, hosts, poolId);
  return {
    steps,
    events: [],
    requeueAfterMs: undefined,
    conclusions: { identity, hosts, publication, rollout, clashes: [], refusals: [] },
    observe: publication.observe,
    polls: world === undefined ? [] : pollTargets(hosts, world.pool.metadata.namespace ?? 'default'),
  };
}

/** Everything that has a name of ours and is not ours. */
function clashesOf(world: World): Clash[] {
  const { hosts, serviceAccount, disruptionBudget, networkPolicy, dnsEndpoint } = world;
  return [
    clashOf(world, { resource: SERVICE_ACCOUNTS, live: serviceAccount }),
    clashOf(world, { resource: DISRUPTION_BUDGETS, live: disruptionBudget }),
    clashOf(world, { resource: NETWORK_POLICIES, live: networkPolicy }),
    clashOf(world, { resource: DNS_ENDPOINTS, live: dnsEndpoint }),
    ...hosts.flatMap(({ deployment, service, configMap }) => [
      clashOf(world, { resource: DEPLOYMENTS, live: deployment }),
      clashOf(world, { resource: SERVICES, live: service }),
      clashOf(world, { resource: CONFIG_MAPS, live: configMap }),
    ]),
    // A Secret of the user's is welcome, but the admin token has to be in it.
    world.adminSecret !== undefined && world.adminSecret.hasToken !== true
      ? [
          {
            resource: SECRETS,
            ref: { namespace: world.pool.metadata.namespace, name: world.adminSecret.metadata.name },
          },
        ]
      : [],
  ].flat();
}

/** Waiting for a garbage collector, for a change whose announcement was missed, or for somebody else's object to go, of which nobody tells. */
function patience({ nowMs }: World, { kind }: Rollout, clashes: readonly Clash[]): number | undefined {
  return kind === 'Settled' && clashes.length === 0 ? undefined : nowMs + LOOK_AGAIN_MS;
}

function untilNext({ nowMs }: World, times: readonly (number | undefined)[]): number | undefined {
  const delays = times.flatMap((time) => (time === undefined ? [] : [Math.max(0, time - nowMs)]));
  return delays.length === 0 ? undefined : Math.min(...delays);
}
