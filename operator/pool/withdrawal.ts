// SPDX-License-Identifier: Apache-2.0

// How a host leaves, when it is no longer wanted or the whole pool goes (design: scale-down and deletion). Pure:
//
//   its SRV record is taken out of the DNSEndpoint -> no authoritative server shows it any more -> one TTL, for clients that still hold it
//   -> the host is stopped; after `withdrawBoundSeconds` in any case, and then the record that was left is named.
import { ANNOTATIONS } from '@kmspool/crds';
import type { JudgedHost } from './hosts.ts';
import { CONFIG_MAPS, DEPLOYMENTS, SERVICES } from './kinds.ts';
import type { PublicationPlan } from './publication.ts';
import type { DomainState, EventWish, Step } from './state.ts';
import { deleteStep, isClash } from './steps.ts';
import type { World } from './world.ts';

/** What keeps a host from being stopped. */
export type Absence =
  /** Nobody can find it any more. */
  | { readonly kind: 'gone' }
  /** Come back at this time, or when DNS has changed. */
  | { readonly kind: 'waiting'; readonly untilMs: number | undefined; readonly what: string }
  /** The bound is over; these records are still shown, or nobody knows. */
  | { readonly kind: 'givenUp'; readonly left: readonly string[] };

/** What is to be done with the hosts that are no longer wanted. */
export interface WithdrawalPlan {
  readonly steps: readonly Step[];
  readonly events: readonly EventWish[];
  readonly dueMs: number | undefined;
  /** In words, for each host that is still there; empty when none is. */
  readonly waiting: readonly string[];
}

/** Plans the hosts that are there and not wanted. */
export function planWithdrawal(
  world: World,
  hosts: readonly JudgedHost[],
  publication: PublicationPlan,
): WithdrawalPlan {
  const plans = hosts.filter((host) => !host.wanted).map((host) => withdraw(world, host, publication));
  const dues = plans.flatMap(({ dueMs }) => dueMs ?? []);
  return {
    steps: plans.flatMap(({ steps }) => steps),
    events: plans.flatMap(({ events }) => events),
    dueMs: dues.length === 0 ? undefined : Math.min(...dues),
    waiting: plans.flatMap(({ waiting }) => waiting),
  };
}

function withdraw(world: World, host: JudgedHost, publication: PublicationPlan): WithdrawalPlan {
  const { deployment } = host.objects;
  const none = { steps: [], events: [], dueMs: undefined, waiting: [] };
  if (deployment === undefined || isClash(world, deployment)) return { ...none, ...stop(world, host) };
  const startedMs = host.withdrawnAtMs ?? world.nowMs;
  const absence = absenceOf({
    world,
    publication,
    target: host.target,
    startedMs,
    boundSeconds: world.settings.withdrawBoundSeconds,
  });
  if (absence.kind === 'waiting') {
    const steps = host.withdrawnAtMs === undefined ? [markStep(world, host)] : [];
    return { ...none, steps, dueMs: absence.untilMs, waiting: [`${host.name}: ${absence.what}`] };
  }
  return {
    ...none,
    ...stop(world, host),
    events: absence.kind === 'givenUp' ? [staleRecord(host.name, absence.left)] : [],
  };
}

/** Until its objects are gone it is still there, and said to be. */
function stop(world: World, host: JudgedHost): Pick<WithdrawalPlan, 'steps' | 'waiting'> {
  const steps = stopSteps(world, host);
  return { steps, waiting: steps.length === 0 ? [] : [`${host.name}: is being stopped`] };
}

function markStep({ nowMs }: World, { name, objects }: JudgedHost): Step {
  return {
    kind: 'annotate',
    resource: DEPLOYMENTS,
    ref: { namespace: objects.deployment?.metadata.namespace, name },
    annotations: { [ANNOTATIONS.withdrawnAt]: new Date(nowMs).toISOString().replace(/\.\d+Z$/, 'Z') },
    why: 'no longer wanted; leaves DNS first',
  };
}

/** Deployment, Service and ConfigMap of a host. */
export function stopSteps(world: World, { objects }: JudgedHost): Step[] {
  const why = 'the host has left';
  return [
    ...deleteStep(world, { resource: DEPLOYMENTS, live: objects.deployment, why }),
    ...deleteStep(world, { resource: SERVICES, live: objects.service, why }),
    ...deleteStep(world, { resource: CONFIG_MAPS, live: objects.configMap, why }),
  ];
}

/** The event for records that outlived their host. */
export function staleRecord(whose: string, left: readonly string[]): EventWish {
  const records = left.length === 0 ? 'the name servers could not be asked what is left of it' : left.join('; ');
  return {
    type: 'Warning',
    reason: 'StaleRecord',
    message: `${whose} was stopped before its records left DNS; remove them by hand: ${records}`,
  };
}

export interface AbsenceQuestion {
  readonly world: World;
  readonly publication: PublicationPlan;
  readonly target: string | undefined;
  readonly startedMs: number;
  readonly boundSeconds: number;
}

/** Whether a host can no longer be found by its SRV records. */
export function absenceOf({ world, publication, target, startedMs, boundSeconds }: AbsenceQuestion): Absence {
  const domains = publication.domains.filter(({ claim }) => claim === 'Ours');
  if (publication.mode !== 'On' || target === undefined || domains.length === 0) return { kind: 'gone' };
  const desired = publication.recordSets?.some(({ targets }) => targets.some((line) => line.endsWith(` ${target}.`)));
  const boundMs = startedMs + boundSeconds * 1000;
  if (world.nowMs >= boundMs) return { kind: 'givenUp', left: recordsLeft(world, domains, target) };
  const waiting = (what: string, untilMs: number): Absence => ({
    kind: 'waiting',
    what,
    untilMs: Math.min(untilMs, boundMs),
  });
  if (desired === true) return waiting('its record is still to be taken out', publication.dueMs ?? boundMs);
  const shown = domains.filter(({ domain }) => world.observed.get(domain)?.absentSinceMs.has(target) !== true);
  if (shown.length > 0)
    return waiting(`waits until no name server shows it in ${shown.map(({ domain }) => domain).join(', ')}`, boundMs);
  // From the withdrawal on, even if no server had shown it before: a publisher that lags may still have been about to.
  const freeMs = Math.max(
    ...domains.map(
      ({ domain }) =>
        Math.max(startedMs, world.observed.get(domain)?.absentSinceMs.get(target) ?? 0) + ttlOf(world, domain) * 1000,
    ),
  );
  return world.nowMs >= freeMs
    ? { kind: 'gone' }
    : waiting('waits one TTL for clients that still hold its record', freeMs);
}

function ttlOf({ pool, domains }: World, domain: string): number {
  const own = pool.spec.dns.domains.find(({ name }) => name === domain)?.ttlSeconds ?? 60;
  return domains.find((claim) => claim.domain === domain)?.elder?.ttlSeconds ?? own;
}

/** `_vlmcs._tcp.lab.example SRV 0 60 1688 campus-2.kms.lab.example. (ns1 …)`. */
function recordsLeft(world: World, domains: readonly DomainState[], target: string): string[] {
  return domains.flatMap(({ domain, record }) =>
    (world.observed.get(domain)?.servers ?? []).flatMap((answer) =>
      answer.ok
        ? answer.records
            .filter((srv) => srv.target === target)
            .map(
              ({ priority, weight, port }) =>
                `${record} SRV ${priority} ${weight} ${port} ${target}. at ${answer.server}`,
            )
        : [],
    ),
  );
}
