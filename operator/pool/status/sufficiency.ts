// SPDX-License-Identifier: Apache-2.0

// CountSufficient and HostKeyWithinLimits: what clients would be told, and how far a host key reaches. Neither stops a pool from being Ready. Pure.
import { HOSTS_PER_KEY } from '@kmspool/crds';
import { APPLICATIONS } from '@kmspool/kms/catalog';
import { type PoolCounts, type PoolJudgement, type StatusInput, testimonies } from './input.ts';

type Row = PoolCounts[number];
type Threshold = Row['thresholds'][number];

const COUNT = { type: 'CountSufficient' } as const;

/**
 * Judges the counts that the status shows. A kind of client that has never asked is not missed: the cap tells the largest count asked for so far (S1-15,
 * S1-16), so a pool that only servers use is not below the 25 of Windows clients.
 */
export function judgeCount(input: StatusInput, counts: PoolCounts | undefined): PoolJudgement {
  if (counts === undefined || counts.length === 0) return unknownCount('No host has told the count yet.');
  if (!testimonies(input).some(({ kind }) => kind === 'answered' || kind === 'pending'))
    return unknownCount(`No host can be asked for the count now. Last known: ${counts.map(rowText).join('; ')}.`);
  const most = input.world.pool.spec.limits.maxRequiredCount;
  const all = counts.flatMap((row) => row.thresholds.map((threshold) => ({ row, threshold })));
  const asked = all.filter(({ row, threshold }) => row.cap >= 2 * Math.min(threshold.required, most));
  const short = asked.filter(({ threshold }) => !threshold.met);
  if (asked.length === 0) return { ...COUNT, status: 'False', reason: 'BelowThreshold', message: nobody(counts) };
  if (short.length === 0) return { ...COUNT, status: 'True', reason: 'AllThresholdsMet', message: enough(asked) };
  const figures = short.map(
    ({ row, threshold }) => `${titleOf(row)} ${row.current} of ${threshold.required}${forWhom(threshold)}`,
  );
  return { ...COUNT, status: 'False', reason: 'BelowThreshold', message: `${figures.join('; ')}. ${advice(short)}` };
}

function unknownCount(message: string): PoolJudgement {
  return { ...COUNT, status: 'Unknown', reason: 'CountUnknown', message };
}

type Place = { readonly row: Row; readonly threshold: Threshold };

function advice(short: readonly Place[]): string {
  const capped = short.find(({ row, threshold }) => row.cap < threshold.required);
  if (capped !== undefined)
    return `The table keeps no more than ${capped.row.cap}: raise spec.limits.maxRequiredCount to ${capped.threshold.required}.`;
  return 'More distinct machines have to ask; machines cloned without sysprep /generalize count as one.';
}

/** S1-14: a count of 0 means that the pool is new, or that no valid client has reached it. */
function nobody(counts: readonly Row[]): string {
  const needs = counts.map(
    (row) =>
      `${titleOf(row)} ${row.thresholds.map((threshold) => `${threshold.required}${forWhom(threshold)}`).join(' and ')}`,
  );
  return `No valid client has asked yet. Needed: ${needs.join('; ')}.`;
}

function enough(asked: readonly Place[]): string {
  const kinds = asked.map(({ row, threshold }) => `${titleOf(row)}${forWhom(threshold)} (${threshold.required})`);
  return `Enough for every kind of client that has asked: ${kinds.join('; ')}.`;
}

function rowText(row: Row): string {
  return `${titleOf(row)} ${row.current}`;
}

function titleOf({ application }: Row): string {
  return APPLICATIONS.find(({ name }) => name === application)?.title ?? application;
}

/** Office has one kind of client only. */
function forWhom({ name }: Threshold): string {
  if (name === 'Server') return ' for servers';
  return name === 'Client' ? ' for clients' : '';
}

/** S3-33: a host key may be used on six hosts, and each replica stands for one. They serve all the same. */
export function judgeHostKeys({ world }: StatusInput): PoolJudgement {
  const { replicas } = world.pool.spec;
  const type = 'HostKeyWithinLimits';
  if (replicas <= HOSTS_PER_KEY) {
    const message = `A host key may be used on ${HOSTS_PER_KEY} hosts, and the pool has no more.`;
    return { type, status: 'True', reason: 'WithinLimits', message };
  }
  const message = `${replicas} hosts use the same host keys, and a key may be used on ${HOSTS_PER_KEY}. The hosts serve all the same; on licensed hosts it would take another key or an extension. Lower spec.replicas to ${HOSTS_PER_KEY} to stay within it.`;
  return { type, status: 'False', reason: 'HostKeyLimit', message };
}
