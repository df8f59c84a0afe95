// SPDX-License-Identifier: Apache-2.0
//
// The pool's CMID tables as a host serves them (`GET /table`), as numbers to reckon with. Pure.

import { UserError } from '@kmspool/crds';
import { CMID_RETENTION_MS } from '@kmspool/kms/counting';
import { isGuid } from '@kmspool/kms/wire';
import type { TableView } from '@kmspool/kms-node';
import type { PoolSource } from '../source/source.ts';

export interface CountedClient {
  readonly cmid: string;
  readonly lastSeenMs: number;
  /** When it is no longer counted unless it asks again (S3-12). */
  readonly leavesMs: number;
}

export interface CountTable {
  readonly application: string;
  readonly highWaterRequired: number;
  readonly cap: number;
  /** Oldest first. */
  readonly clients: readonly CountedClient[];
}

export interface PoolTables {
  readonly poolId: string;
  /** The store's clock. */
  readonly nowMs: number;
  readonly tables: readonly CountTable[];
}

/** Reads the tables of a pool. @throws UserError */
export async function readTables(source: PoolSource): Promise<PoolTables> {
  return tablesOf(await source.read('/table'));
}

/** The answer of a host, checked. @throws UserError when it is none. */
export function tablesOf(value: unknown): PoolTables {
  if (!isTableView(value)) throw new UserError('/table: what answers is no host of kmspool; check the address');
  const tables = value.tables.map(({ application, highWaterRequired, cap, entries }) => ({
    application,
    highWaterRequired,
    cap,
    clients: entries
      .map(({ cmid, lastSeen }) => {
        const lastSeenMs = Date.parse(lastSeen);
        return { cmid, lastSeenMs, leavesMs: lastSeenMs + CMID_RETENTION_MS };
      })
      .sort((a, b) => a.lastSeenMs - b.lastSeenMs || (a.cmid < b.cmid ? -1 : 1)),
  }));
  return { poolId: value.poolId, nowMs: Date.parse(value.takenAt), tables };
}

/** Whether this is what `GET /table` answers; also the check of a file to import. */
export function isTableView(value: unknown): value is TableView {
  if (!isRecord(value) || typeof value['poolId'] !== 'string' || !isTime(value['takenAt'])) return false;
  const { tables } = value;
  return Array.isArray(tables) && tables.every(isTable);
}

function isTable(table: unknown): boolean {
  if (!isRecord(table) || typeof table['application'] !== 'string') return false;
  const { entries, highWaterRequired, cap } = table;
  return (
    Number.isInteger(highWaterRequired) && Number.isInteger(cap) && Array.isArray(entries) && entries.every(isEntry)
  );
}

/** `{cmid, lastSeen}`. */
export function isEntry(entry: unknown): entry is { cmid: string; lastSeen: string } {
  return isRecord(entry) && typeof entry['cmid'] === 'string' && isGuid(entry['cmid']) && isTime(entry['lastSeen']);
}

function isTime(value: unknown): boolean {
  return typeof value === 'string' && !Number.isNaN(Date.parse(value));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
