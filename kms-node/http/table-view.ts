// SPDX-License-Identifier: Apache-2.0
/**
 * The CMID tables of a pool as JSON: `GET /table`, and the body of `POST /import`. Who is counted and since when, no names. Pure over values; what is read is
 * untrusted and bounded.
 */
import { APPLICATIONS } from '@kmspool/kms/catalog';
import { MAX_REQUIRED_CLIENT_COUNT, type TableState, tableCap } from '@kmspool/kms/counting';
import { guidToHex, hexToGuid, isGuid } from '@kmspool/kms/wire';
import type { HostView } from './host-view.ts';

/** One table; `lastSeen` is RFC 3339. */
export interface TableOfApplication {
  readonly application: string;
  /** The largest N asked for so far; the table holds twice as many. */
  readonly highWaterRequired: number;
  readonly cap: number;
  /** Oldest first. */
  readonly entries: readonly { readonly cmid: string; readonly lastSeen: string }[];
}

export interface TableView {
  readonly poolId: string;
  /** The store's clock, RFC 3339. */
  readonly takenAt: string;
  readonly tables: readonly TableOfApplication[];
}

/** Full tables of every application, with room for white space. */
export const MAX_IMPORT_BYTES = 1_048_576;
const MAX_ENTRIES = tableCap(MAX_REQUIRED_CLIENT_COUNT);

export function tableView({ poolId, store }: HostView): TableView {
  const { tables } = store.snapshot();
  return {
    poolId,
    takenAt: new Date(store.nowMs()).toISOString(),
    tables: APPLICATIONS.map(({ index, name }) => {
      const { highWater, entries } = tables[index] ?? { highWater: 0, entries: new Map<string, number>() };
      return {
        application: name,
        highWaterRequired: highWater,
        cap: tableCap(highWater),
        entries: [...entries].map(([cmid, atMs]) => ({
          cmid: hexToGuid(cmid),
          lastSeen: new Date(atMs).toISOString(),
        })),
      };
    }),
  };
}

/** What an import came to. */
export function importedSizes(
  { poolId }: HostView,
  sizes: readonly number[],
): { readonly poolId: string; readonly tables: readonly { readonly application: string; readonly current: number }[] } {
  return {
    poolId,
    tables: APPLICATIONS.map(({ index, name }) => ({ application: name, current: sizes[index] ?? 0 })),
  };
}

export type DecodedTables =
  | { readonly ok: true; readonly tables: readonly TableState[] }
  | { readonly ok: false; readonly reason: string };

/**
 * The body of an import: `{poolId, force?, tables}`. The poolId says which pool the table was taken from; only with `force: true` may it be another than
 * `ownPoolId`, for its CMIDs were counted under another key.
 */
export function decodeTables(body: unknown, ownPoolId: string): DecodedTables {
  if (!isRecord(body) || !Array.isArray(body['tables'])) return refused('the body must be {poolId, tables}');
  if (body['poolId'] !== ownPoolId && body['force'] !== true)
    return refused(`the table is of another pool than ${ownPoolId}; send force: true to take it nevertheless`);
  const states: TableState[] = APPLICATIONS.map(() => ({ highWater: 0, entries: new Map() }));
  for (const table of body['tables']) {
    const found = isRecord(table) ? APPLICATIONS.find(({ name }) => name === table['application']) : undefined;
    if (found === undefined)
      return refused(`tables[].application must be one of ${APPLICATIONS.map(({ name }) => name).join(', ')}`);
    if (states[found.index]?.highWater !== 0) return refused(`tables[]: ${found.name} stands there twice`);
    const state = decodeTable(table);
    if (typeof state === 'string') return refused(`tables[] of ${found.name}: ${state}`);
    states[found.index] = state;
  }
  return { ok: true, tables: states };
}

function decodeTable({ highWaterRequired, entries }: Record<string, unknown>): TableState | string {
  const highest = MAX_REQUIRED_CLIENT_COUNT;
  if (!Number.isInteger(highWaterRequired) || Number(highWaterRequired) < 0 || Number(highWaterRequired) > highest)
    return `highWaterRequired must be a whole number from 0 to ${highest}`;
  if (!Array.isArray(entries) || entries.length > MAX_ENTRIES) return `entries must be at most ${MAX_ENTRIES}`;
  const times = new Map<string, number>();
  for (const entry of entries) {
    const { cmid, lastSeen } = isRecord(entry) ? entry : {};
    const atMs = typeof lastSeen === 'string' ? Date.parse(lastSeen) : Number.NaN;
    if (typeof cmid !== 'string' || !isGuid(cmid)) return 'a cmid is no GUID';
    if (!(atMs >= 0)) return 'a lastSeen is no time';
    const hex = guidToHex(cmid);
    times.set(hex, Math.max(atMs, times.get(hex) ?? 0));
  }
  return { highWater: Number(highWaterRequired), entries: times };
}

function refused(reason: string): DecodedTables {
  return { ok: false, reason };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
