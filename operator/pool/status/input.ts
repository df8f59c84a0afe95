// SPDX-License-Identifier: Apache-2.0

// What the parts of a status are made from, and what the hosts that could be asked have said. Pure.
import { type ConditionType, type KmsHostPoolStatus, REASONS, type Reason } from '@kmspool/crds';
import type { Condition, Judgement } from '../../runtime/index.ts';
import { findCondition, isBeingDeleted } from '../../runtime/index.ts';
import type { Pod } from '../kinds.ts';
import type { Conclusions, HostView } from '../state.ts';
import type { HostAnswer, HostObjects, World } from '../world.ts';

/** Everything that a status follows from. */
export interface StatusInput {
  readonly world: World;
  readonly conclusions: Conclusions;
  /** Milliseconds since 1970. */
  readonly nowMs: number;
  /** When counts were last written by this process; undefined: not yet. */
  readonly countsWrittenAtMs?: number | undefined;
}

export type PoolCounts = NonNullable<KmsHostPoolStatus['counts']>;
export type DnsEntry = NonNullable<KmsHostPoolStatus['dns']>[number];
export type HostEntry = NonNullable<KmsHostPoolStatus['hosts']>[number];

/** A judgement in the words of the contract. */
export interface PoolJudgement extends Judgement {
  readonly type: ConditionType;
  readonly reason: Reason;
}

/** The status that there is. */
export function oldStatus({ world }: Pick<StatusInput, 'world'>): KmsHostPoolStatus {
  return world.object.status ?? {};
}

/** A condition that there is, as a judgement; undefined when its reason is not of this version. */
export function oldJudgement(input: Pick<StatusInput, 'world'>, type: ConditionType): PoolJudgement | undefined {
  const old: Condition | undefined = findCondition(oldStatus(input).conditions, type);
  if (old === undefined || !Object.hasOwn(REASONS, old.reason)) return undefined;
  return { type, status: old.status, reason: old.reason as Reason, message: old.message };
}

export function isDeleting({ world, conclusions }: StatusInput): boolean {
  return isBeingDeleted(world.object) || conclusions.rollout.kind === 'Deleting';
}

/** What is known from asking a host. */
export interface Testimony {
  readonly host: HostView;
  /** The Pod that was asked, or is to be asked. */
  readonly pod: Pod | undefined;
  /**
   * answered: one of its Pods has said something; silent: it was asked in vain; pending: it has an address and nobody has asked it yet, as after a start
   * of the operator; absent: there is nobody to ask.
   */
  readonly kind: 'answered' | 'silent' | 'pending' | 'absent';
  readonly answer?: HostAnswer | undefined;
  readonly error?: string | undefined;
}

/** What the wanted hosts have said, by ordinal. A report of a Pod that is no longer there says nothing. */
export function testimonies({ world, conclusions }: StatusInput): readonly Testimony[] {
  const objects = new Map(world.hosts.map((host) => [host.ordinal, host]));
  return conclusions.hosts
    .filter(({ wanted }) => wanted)
    .map((host) => ({ host, ...testimonyOf(objects.get(host.ordinal)) }));
}

function testimonyOf(objects: HostObjects | undefined): Omit<Testimony, 'host'> {
  const { report, pods = [] } = objects ?? {};
  const asked = report === undefined ? undefined : pods.find(({ metadata }) => metadata.uid === report.podUid);
  if (asked !== undefined && report?.answer !== undefined)
    return { kind: 'answered', pod: asked, answer: report.answer };
  if (asked !== undefined) return { kind: 'silent', pod: asked, error: report?.error };
  const pod = pods.find(({ status, metadata }) => status?.podIP !== undefined && !metadata.deletionTimestamp);
  return { kind: pod === undefined ? 'absent' : 'pending', pod: pod ?? pods[0] };
}
