// SPDX-License-Identifier: Apache-2.0

// Conditions of an object's status (meta/v1 Condition), and what the world concludes from them: the rules of kstatus, by
// which Flux, Argo CD's newer health checks and `kubectl wait` tell whether an object is as wished. Pure.
import type { KubernetesObject } from './resource.ts';

/** meta/v1 Condition. */
export interface Condition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  /** UpperCamelCase, never empty. */
  readonly reason: string;
  readonly message: string;
  readonly lastTransitionTime: string;
  /** Generation of the spec that the condition speaks of. */
  readonly observedGeneration?: number | undefined;
}

/** A condition as it is judged, before it is compared with the one there is. */
export type Judgement = Omit<Condition, 'lastTransitionTime' | 'observedGeneration'>;

/** An object whose status has conditions. */
export interface ConditionedObject extends KubernetesObject {
  readonly status?: {
    readonly observedGeneration?: number | undefined;
    readonly conditions?: readonly Condition[] | undefined;
  };
}

/** The condition of a type. */
export function findCondition(conditions: readonly Condition[] | undefined, type: string): Condition | undefined {
  return conditions?.find((condition) => condition.type === type);
}

/** Whether a condition is True for the object's present generation; what speaks of an older one is no answer. */
export function isConditionTrue(object: ConditionedObject, type: string): boolean {
  const condition = findCondition(object.status?.conditions, type);
  const current = object.metadata.generation;
  return condition?.status === 'True' && (current === undefined || condition.observedGeneration === current);
}

/**
 * The conditions with these judgements in them, sorted by type, so that equal judgements make an equal status. The
 * transition time moves only when the status does. Conditions of other types stay as they are.
 */
export function mergeConditions(
  conditions: readonly Condition[] | undefined,
  judgements: readonly Judgement[],
  { generation, nowMs }: { generation: number | undefined; nowMs: number },
): Condition[] {
  const judged = new Set(judgements.map(({ type }) => type));
  const others = (conditions ?? []).filter(({ type }) => !judged.has(type));
  const merged = judgements.map((judgement): Condition => {
    const before = findCondition(conditions, judgement.type);
    const same = before !== undefined && before.status === judgement.status;
    const lastTransitionTime = same ? before.lastTransitionTime : new Date(nowMs).toISOString().replace(/\.\d+Z$/, 'Z');
    return {
      ...judgement,
      lastTransitionTime,
      ...(generation === undefined ? {} : { observedGeneration: generation }),
    };
  });
  return [...others, ...merged].sort((a, b) => (a.type < b.type ? -1 : Number(a.type > b.type)));
}

/** Whether two lists say the same, whatever their order; to leave out a write that would change nothing. */
export function sameConditions(a: readonly Condition[] | undefined, b: readonly Condition[] | undefined): boolean {
  const text = (conditions: readonly Condition[] | undefined): string =>
    JSON.stringify(
      (conditions ?? [])
        .map((c) => [c.type, c.status, c.reason, c.message, c.lastTransitionTime, c.observedGeneration ?? null])
        .sort(),
    );
  return text(a) === text(b);
}

/** What kstatus calls the state of an object. */
export type Kstatus = 'Current' | 'InProgress' | 'Failed' | 'Terminating';

/**
 * The state of an object of a kind that kstatus has no rules of its own for: deletion, then an unseen generation, then
 * Reconciling and Stalled, then Ready. An object without any of these is Current.
 */
export function kstatusOf({ metadata, status }: ConditionedObject): Kstatus {
  if (metadata.deletionTimestamp !== undefined) return 'Terminating';
  const { observedGeneration, conditions } = status ?? {};
  if (observedGeneration !== undefined && observedGeneration !== metadata.generation) return 'InProgress';
  if (findCondition(conditions, 'Reconciling')?.status === 'True') return 'InProgress';
  if (findCondition(conditions, 'Stalled')?.status === 'True') return 'Failed';
  const ready = findCondition(conditions, 'Ready');
  return ready === undefined || ready.status === 'True' ? 'Current' : 'InProgress';
}
