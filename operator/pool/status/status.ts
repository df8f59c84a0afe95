// SPDX-License-Identifier: Apache-2.0

// The status of a pool, from the world and what was concluded about it. Pure: the same world gives the same status, and a status that is already there is
// left as it is, to the letter, so that nothing is written while nothing happens.
import { CONDITION_TYPES, type KmsHostPoolStatus, type Reason } from '@kmspool/crds';
import { mergeConditions } from '../../runtime/index.ts';
import type { PoolObject } from '../kinds.ts';
import { countsFor } from './counts.ts';
import { domainViews, propagatingUntilMs } from './dns.ts';
import { hostPart, selectorText } from './hosts.ts';
import { oldStatus, type PoolJudgement, type StatusInput } from './input.ts';
import { judgePublication } from './publication.ts';
import { judgeReadiness } from './readiness.ts';
import { judgeStore, startingUntilMs } from './store.ts';
import { judgeCount, judgeHostKeys } from './sufficiency.ts';
import { defined, sentence } from './text.ts';

/** The status that should stand in the pool now. */
export function buildStatus(input: StatusInput): KmsHostPoolStatus {
  const { world, conclusions, nowMs } = input;
  const before = oldStatus(input);
  const { generation } = world.object.metadata;
  const domains = domainViews(input);
  const { counts } = countsFor(input);
  const store = judgeStore(input);
  const publication = judgePublication(input, domains);
  const judgements: PoolJudgement[] = [
    ...judgeReadiness(input, { store, publication, domains }),
    store,
    publication,
    judgeCount(input, counts),
    judgeHostKeys(input),
  ];
  return defined({
    observedGeneration: generation,
    // What a pool once was it stays, whatever its Secret says now.
    poolId: before.poolId ?? (conclusions.identity.kind === 'known' ? conclusions.identity.poolId : undefined),
    ...hostPart(input),
    counts,
    dns: domains.length === 0 ? undefined : domains.map(({ entry }) => entry),
    conditions: mergeConditions(before.conditions, judgements, { generation, nowMs }),
  });
}

/** When the status has to be looked at again although nothing has happened, in milliseconds; undefined: it need not be. */
export function statusRequeueAfterMs(input: StatusInput): number | undefined {
  const times = [startingUntilMs(input), propagatingUntilMs(input)].filter((ms) => ms !== undefined);
  const delays = times.map((ms) => Math.max(0, ms - input.nowMs));
  const { requeueAfterMs } = countsFor(input);
  if (requeueAfterMs !== undefined) delays.push(requeueAfterMs);
  return delays.length === 0 ? undefined : Math.min(...delays);
}

/** What {@link invalidSpecStatus} is made from. */
export interface InvalidSpec {
  readonly object: PoolObject;
  /** What is wrong, with the field and the remedy. */
  readonly message: string;
  readonly nowMs: number;
}

/**
 * The status of a pool whose spec is not even read, as one stored before a rule was added. What is known of its hosts stays, and conditions that nobody
 * can judge now keep the generation that they speak of.
 */
export function invalidSpecStatus({ object, message, nowMs }: InvalidSpec): KmsHostPoolStatus {
  const before = object.status ?? {};
  const { generation, name } = object.metadata;
  const reason: Reason = 'InvalidSpec';
  const told = new Set((before.conditions ?? []).map(({ type }) => type));
  const words = sentence(message);
  const judgements: PoolJudgement[] = [
    { type: 'Ready', status: 'False', reason, message: words },
    { type: 'Reconciling', status: 'False', reason, message: 'The operator cannot go on, see Stalled.' },
    { type: 'Stalled', status: 'True', reason, message: words },
    ...CONDITION_TYPES.slice(3)
      .filter((type) => !told.has(type))
      .map(
        (type): PoolJudgement => ({
          type,
          status: 'Unknown',
          reason,
          message: 'The spec cannot be read, see Stalled.',
        }),
      ),
  ];
  return defined({
    ...before,
    observedGeneration: generation,
    selector: before.selector ?? selectorText(name),
    conditions: mergeConditions(before.conditions, judgements, { generation, nowMs }),
  });
}
