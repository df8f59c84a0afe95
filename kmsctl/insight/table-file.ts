// SPDX-License-Identifier: Apache-2.0
//
// A pool's table as a file, for `kmsctl export` and `import`: JSON Lines, one head and one line for each client, so that two files can be compared and one can be
// cut. Names of machines are not in it. Pure; the format is versioned.

import { UserError } from '@kmspool/crds';
import type { TableView } from '@kmspool/kms-node';
import { isEntry, isTableView } from './table-reading.ts';

export const TABLE_FILE_FORMAT = 'kmspool.io/table/v1';

interface Head {
  readonly format: typeof TABLE_FILE_FORMAT;
  readonly poolId: string;
  readonly takenAt: string;
  readonly tables: readonly {
    readonly application: string;
    readonly highWaterRequired: number;
    readonly cap: number;
  }[];
}

/** The lines of a file, without line ends. */
export function tableFileLines({ poolId, takenAt, tables }: TableView): string[] {
  const head: Head = {
    format: TABLE_FILE_FORMAT,
    poolId,
    takenAt,
    tables: tables.map(({ application, highWaterRequired, cap }) => ({ application, highWaterRequired, cap })),
  };
  const entries = tables.flatMap(({ application, entries: clients }) =>
    clients
      .map(({ cmid, lastSeen }) => ({ application, cmid, lastSeen }))
      .sort((a, b) => (`${a.lastSeen}${a.cmid}` < `${b.lastSeen}${b.cmid}` ? -1 : 1)),
  );
  return [head, ...entries].map((line) => JSON.stringify(line));
}

/** What a file says. @throws UserError that names the line. */
export function parseTableFile(text: string): TableView {
  const [first = '', ...rest] = text.split('\n').filter((line) => line.trim() !== '');
  const head = jsonOf(first);
  if (!isHead(head)) {
    throw new UserError(`line 1 is not the head of a file that kmsctl export writes (format ${TABLE_FILE_FORMAT})`);
  }
  const entries = new Map<string, { cmid: string; lastSeen: string }[]>(
    head.tables.map(({ application }) => [application, []]),
  );
  for (const [at, line] of rest.entries()) {
    const value = jsonOf(line);
    const table = isApplicationEntry(value) ? entries.get(value.application) : undefined;
    if (table === undefined || !isEntry(value))
      throw new UserError(`line ${at + 2} is not {"application", "cmid", "lastSeen"} of an application in the head`);
    table.push({ cmid: value.cmid, lastSeen: value.lastSeen });
  }
  const tables = head.tables.map((each) => ({ ...each, entries: entries.get(each.application) ?? [] }));
  return { poolId: head.poolId, takenAt: head.takenAt, tables };
}

function isHead(value: unknown): value is Head {
  if (typeof value !== 'object' || value === null || !('format' in value)) return false;
  if (value.format !== TABLE_FILE_FORMAT || !('tables' in value) || !Array.isArray(value.tables)) return false;
  const tables = value.tables.map((table: object) => ({ ...table, entries: [] }));
  return isTableView({ ...value, tables });
}

function isApplicationEntry(value: unknown): value is { application: string } {
  return typeof value === 'object' && value !== null && 'application' in value && typeof value.application === 'string';
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
