// SPDX-License-Identifier: Apache-2.0
//
// Why a count is what it is and not more (S1-13…S1-19, S1-23): reasons in words, from what a host says. Pure.

import type { ApplicationCount, HostStatus } from '@kmspool/crds';
import type { DuplicateCmid } from '@kmspool/kms-node';
import { shortSpan } from '../text/span.ts';
import { applicationName } from './contact-view.ts';
import type { CountTable } from './table-reading.ts';

export interface CountFacts {
  readonly count: ApplicationCount;
  readonly table: CountTable;
  /** Of this application and others. */
  readonly duplicates: readonly DuplicateCmid[];
  readonly totals: HostStatus['totals'];
  readonly nowMs: number;
}

const WEEK_MS = 7 * 86_400_000;

/** One sentence each, the weightiest first; empty when there is nothing to say. */
export function countReasons({ count, table, duplicates, totals, nowMs }: CountFacts): string[] {
  const missing = count.thresholds.some(({ met }) => !met);
  return [
    ...zeroReasons(count, totals),
    ...capReasons(count, table),
    ...duplicateReasons(count, duplicates),
    ...leavingReasons(table, nowMs),
    ...(missing && totals.failed > 0
      ? [
          `${totals.failed} of ${totals.total} requests were refused and not counted; kmsctl events shows their codes, and whether a host key covers them`,
        ]
      : []),
    ...(missing && count.current > 0
      ? [
          `only distinct machines of the last 30 days count; if more have asked elsewhere, another host counts them: kmsctl doctor looks for one in DNS`,
        ]
      : []),
  ];
}

function zeroReasons({ current }: ApplicationCount, { total }: HostStatus['totals']): string[] {
  if (current > 0) return [];
  return [
    total === 0
      ? 'nobody has asked yet: the pool is new, or no client finds it (DNS, port 1688); kmsctl doctor looks'
      : 'no valid client of this application has asked within 30 days',
  ];
}

function capReasons({ current, cap }: ApplicationCount, { highWaterRequired }: CountTable): string[] {
  if (current < cap || current === 0) return [];
  return [
    `the count is as high as it goes: twice ${highWaterRequired}, the largest minimum that a client asked for; who asks next replaces who was seen longest ago, and nobody misses anything`,
  ];
}

function duplicateReasons({ application, current, cap }: ApplicationCount, all: readonly DuplicateCmid[]): string[] {
  const duplicates = all.filter((each) => applicationName(each.application) === application);
  if (duplicates.length === 0 || current >= cap) return [];
  const names = duplicates.reduce((sum, each) => sum + each.names.length, 0);
  return [
    `${names} machine names share ${duplicates.length} CMID${duplicates.length === 1 ? '' : 's'} and count as ${duplicates.length}: images that were not generalised (sysprep /generalize, or slmgr /rearm on each); kmsctl duplicates names them`,
  ];
}

function leavingReasons({ clients }: CountTable, nowMs: number): string[] {
  const leaving = clients.filter(({ leavesMs }) => leavesMs <= nowMs + WEEK_MS);
  const [first] = leaving;
  if (first === undefined) return [];
  const next = shortSpan(first.leavesMs - nowMs);
  return [
    `${leaving.length} of ${clients.length} will not be counted any more within 7 days unless they ask again, the first in ${next}`,
  ];
}
