// SPDX-License-Identifier: Apache-2.0
//
// How a count goes on over the 30 days that it looks back (S3-11, S3-12): if nobody asks any more, and if those who still come go on coming. Pure.

import type { ApplicationCount } from '@kmspool/crds';
import { CMID_RETENTION_MS } from '@kmspool/kms/counting';
import type { CountTable } from './table-reading.ts';

const DAY_MS = 86_400_000;
/** A client that missed two renewals is taken as gone: it renews every 7 days unless the pool says otherwise. */
const MISSED_RENEWALS = 2;

export interface ForecastInput {
  readonly count: ApplicationCount;
  readonly table: CountTable;
  /** Clients of this application that were seen within {@link quietAfterMs}, counted up to the table's cap. */
  readonly active: number;
  readonly renewalIntervalMinutes: number;
  readonly nowMs: number;
}

export interface ThresholdForecast {
  readonly name: string;
  readonly required: number;
  readonly met: boolean;
  /** When it falls below, if nobody comes; undefined when it is below now. */
  readonly lostIfNobodyComesMs: number | undefined;
  /** The same if those who still come go on; undefined: not within 30 days. */
  readonly lostAsTheyComeMs: number | undefined;
}

export interface Forecast {
  readonly application: string;
  readonly current: number;
  /** Of the counted, those who missed two renewals. */
  readonly quiet: number;
  /** Counts at the end of day 0, 1 … 30. */
  readonly ifNobodyComes: readonly number[];
  readonly asTheyCome: readonly number[];
  readonly thresholds: readonly ThresholdForecast[];
}

/** From this age on a client is taken as gone, milliseconds; never more than the 30 days. */
export function quietAfterMs(renewalIntervalMinutes: number): number {
  return Math.min(CMID_RETENTION_MS, Math.max(DAY_MS, MISSED_RENEWALS * renewalIntervalMinutes * 60_000));
}

export function forecast({ count, table, active, renewalIntervalMinutes, nowMs }: ForecastInput): Forecast {
  const leaves = table.clients.map(({ leavesMs }) => leavesMs);
  const quietBefore = nowMs - quietAfterMs(renewalIntervalMinutes);
  const quiet = table.clients.filter(({ lastSeenMs }) => lastSeenMs < quietBefore).map(({ leavesMs }) => leavesMs);
  // Who comes and is not in the table now takes the place of one who leaves.
  const floor = Math.min(table.cap, Math.max(active, leaves.length - quiet.length));
  const nobody = (atMs: number): number => leaves.filter((ms) => ms > atMs).length;
  const asNow = (atMs: number): number => Math.max(floor, leaves.length - quiet.filter((ms) => ms <= atMs).length);
  const days = Array.from({ length: CMID_RETENTION_MS / DAY_MS + 1 }, (_, day) => nowMs + day * DAY_MS);
  return {
    application: count.application,
    current: leaves.length,
    quiet: quiet.length,
    ifNobodyComes: days.map(nobody),
    asTheyCome: days.map(asNow),
    thresholds: count.thresholds.map(({ name, required }) => ({
      name,
      required,
      met: leaves.length >= required,
      lostIfNobodyComesMs: lostAt(leaves, leaves.length, required),
      lostAsTheyComeMs: floor >= required ? undefined : lostAt(quiet, leaves.length, required),
    })),
  };
}

/** When `leaving` (oldest first) have brought `count` below `required`. */
function lostAt(leaving: readonly number[], count: number, required: number): number | undefined {
  return count < required ? undefined : leaving[count - required];
}
