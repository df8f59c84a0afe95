// SPDX-License-Identifier: Apache-2.0

// What happens to the hosts, and in which order. Pure.
//
//   a host that is missing                  is made at once
//   a host that has to be replaced          when it is its turn: one at a time, the next only when all are ready and DNS is true;
//                                           one that serves nobody anyway has its turn at once, else a mended spec could never arrive
//   a host that is no longer wanted         leaves DNS first (withdrawal.ts)
//   what needs no restart                   reaches every host at once
import { ANNOTATIONS } from '@kmspool/crds';
import { buildConfigMap, hostConfigOf, keepRestartFields } from './build/config-map.ts';
import { buildService } from './build/service.ts';
import { difference } from './drift.ts';
import { type JudgedHost, ownOf } from './hosts.ts';
import { CONFIG_MAPS, DEPLOYMENTS, SERVICES, type Service } from './kinds.ts';
import type { PublicationPlan } from './publication.ts';
import type { Rollout, Step } from './state.ts';
import { applyStep, deleteStep } from './steps.ts';
import type { World } from './world.ts';

/** DNS that does not become true holds a rollout back for so long, and no longer: a dead name server must not freeze the pool. */
const DNS_PATIENCE_MS = 600_000;

/** What to do with the hosts that are wanted. */
export interface RolloutPlan {
  readonly steps: readonly Step[];
  readonly rollout: Rollout;
}

/** Plans the hosts that are wanted. */
export function planRollout(world: World, hosts: readonly JudgedHost[], publication: PublicationPlan): RolloutPlan {
  const wanted = hosts.filter((host) => host.wanted);
  const outdated = wanted.filter((host) => needsTurn(world, host));
  const turn = chooseTurn(world, { wanted, outdated, publication });
  const steps = wanted.flatMap((host) => hostSteps(world, host, turn.hosts.includes(host) || !outdated.includes(host)));
  return { steps, rollout: rolloutState({ wanted, outdated, hold: turn.hold }) };
}

/** A change that clients could feel: another Pod, or another kind of Service. */
function needsTurn(world: World, host: JudgedHost): boolean {
  if (host.template === 'Outdated') return true;
  const service = ownOf(world, host.objects.service);
  if (service === undefined || world.findings?.isAsWanted(serviceFinding(host), service)) return false;
  const desired = buildService({ pool: world.pool, owner: world.object, ordinal: host.ordinal });
  return desired === undefined || difference({ metadata: service.metadata, ...specOf(desired) }, service) !== undefined;
}

function serviceFinding({ ordinal }: JudgedHost): string {
  return `Service/${ordinal}`;
}

function specOf(object: object): object {
  return 'spec' in object ? { spec: object.spec } : {};
}

type Choice = {
  readonly wanted: readonly JudgedHost[];
  readonly outdated: readonly JudgedHost[];
  readonly publication: PublicationPlan;
};

/** Whose turn it is, or what is waited for. */
function chooseTurn(
  world: World,
  { wanted, outdated, publication }: Choice,
): { hosts: readonly JudgedHost[]; hold?: string } {
  const idle = outdated.filter(({ ready }) => !ready);
  if (idle.length > 0 || outdated.length === 0) return { hosts: idle };
  const midway = outdated.filter((host) => (host.objects.deployment?.status?.replicas ?? 1) !== 1);
  if (midway.length > 0) return { hosts: midway.slice(0, 1) };
  const busy = wanted.find(({ ready, template }) => !ready || template === 'Updating' || template === 'Missing');
  if (busy !== undefined) return { hosts: [], hold: busy.trouble ?? `${busy.name} is not settled` };
  if (!publication.settled && dnsMayStillComeTrue(world))
    return { hosts: [], hold: 'the name servers do not all show the records yet' };
  // The standby first: by ordinal the last hosts have the lowest rank.
  return { hosts: outdated.slice(-1) };
}

function dnsMayStillComeTrue(world: World): boolean {
  const changedAtMs = Date.parse(world.dnsEndpoint?.metadata.annotations?.[ANNOTATIONS.changedAt] ?? '');
  return Number.isNaN(changedAtMs) || world.nowMs < changedAtMs + DNS_PATIENCE_MS;
}

/** ConfigMap, Service, Deployment, in the order in which a Pod needs them. Out of turn only what no client feels. */
function hostSteps(world: World, host: JudgedHost, inTurn: boolean): Step[] {
  const { objects, desired } = host;
  const steps = [configStep(world, host, inTurn)];
  if (inTurn || objects.service === undefined) steps.push(serviceStep(world, host));
  if (inTurn || objects.deployment === undefined) {
    const what = `Deployment/${desired.what}`;
    steps.push(
      applyStep(world, { resource: DEPLOYMENTS, live: objects.deployment, desired: () => desired.deployment(), what }),
    );
  }
  if (host.withdrawnAtMs !== undefined) steps.push([returnStep(host)]);
  return steps.flat();
}

function sourceOf(world: World, { ordinal }: JudgedHost) {
  return { pool: world.pool, owner: world.object, ordinal };
}

function configStep(world: World, host: JudgedHost, inTurn: boolean): Step[] {
  const { objects, desired } = host;
  const source = sourceOf(world, host);
  const pair = { resource: CONFIG_MAPS, live: objects.configMap };
  const liveConfig = inTurn ? undefined : hostConfigOf(ownOf(world, objects.configMap));
  if (liveConfig === undefined) {
    const what = `ConfigMap/${desired.what}`;
    return applyStep(world, { ...pair, desired: () => buildConfigMap({ ...source, config: desired.config() }), what });
  }
  const config = keepRestartFields(liveConfig, desired.config());
  return applyStep(world, { ...pair, desired: () => buildConfigMap({ ...source, config }) });
}

function serviceStep(world: World, host: JudgedHost): Step[] {
  const live = host.objects.service;
  const what = serviceFinding(host);
  if (world.findings?.isAsWanted(what, live)) return [];
  const desired = buildService(sourceOf(world, host));
  return desired === undefined || mustBeMadeAnew(live, desired)
    ? deleteStep(world, { resource: SERVICES, live, why: 'it cannot be changed into what is wanted' })
    : applyStep(world, { resource: SERVICES, live, desired: () => desired, what });
}

/** The class of a load balancer is immutable while the Service is one. */
function mustBeMadeAnew(live: Service | undefined, desired: Service): boolean {
  const classOf = ({ spec }: Service): unknown => spec?.['loadBalancerClass'];
  const both = live?.spec?.type === 'LoadBalancer' && desired.spec?.type === 'LoadBalancer';
  return both && classOf(live) !== classOf(desired);
}

/** A host that was on its way out is wanted again. */
function returnStep({ objects, name }: JudgedHost): Step {
  return {
    kind: 'annotate',
    resource: DEPLOYMENTS,
    ref: { namespace: objects.deployment?.metadata.namespace, name },
    annotations: { [ANNOTATIONS.withdrawnAt]: null },
    why: 'wanted again',
  };
}

type Facts = {
  readonly wanted: readonly JudgedHost[];
  readonly outdated: readonly JudgedHost[];
  readonly hold: string | undefined;
};

function rolloutState({ wanted, outdated, hold }: Facts): Rollout {
  const troubles = wanted.flatMap(({ trouble }) => trouble ?? []);
  const message = sentences(troubles);
  const updating = wanted.some(({ template }) => template === 'Updating');
  if (outdated.length > 0 || (updating && wanted.some(({ ready }) => ready))) {
    const left = outdated.length === 0 ? '' : `${outdated.length} of ${wanted.length} hosts are still to be replaced`;
    const waiting = hold === undefined ? message : `next when this is over: ${hold}`;
    return { kind: 'RollingOut', message: sentences([left, waiting].filter((text) => text !== '')) };
  }
  if (wanted.some(({ template }) => template === 'Missing' || template === 'Updating'))
    return { kind: 'Starting', message };
  if (wanted.some(({ ready }) => !ready)) return { kind: 'Waiting', message };
  if (wanted.some(({ configCurrent }) => !configCurrent)) return { kind: 'ConfigStale', message };
  return { kind: 'Settled', message };
}

/** At most three, for a status is read by people. */
function sentences(parts: readonly string[]): string {
  const shown = parts.slice(0, 3).join('; ');
  return parts.length > 3 ? `${shown}; and ${parts.length - 3} more` : shown;
}
