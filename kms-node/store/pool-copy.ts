// SPDX-License-Identifier: Apache-2.0
/**
 * The host's copy of what the store holds: tables and totals as of the last sync, and on top of them this host's own contacts that the sync did not yet
 * contain, read from the journal when somebody asks. Answers while Redis is away and `snapshot()` come from here. Pure.
 */
import { APPLICATIONS } from '@kmspool/kms/catalog';
import { CmidTable, LICENSE_STATUS_COUNT, NO_TOTALS, type TableState } from '@kmspool/kms/counting';
import { RECORD_KIND, RECORD_OFFSET } from './contact-record.ts';
import type { Journal } from './journal.ts';
import type { SyncPart } from './script-call.ts';
import type { PoolSnapshot } from './store.ts';

/** A version that no store has: the next sync brings the tables. */
export const NO_VERSION = -1;

export class PoolCopy {
  readonly #journal: Journal;
  readonly #tables = APPLICATIONS.map(() => new CmidTable());
  #total = 0;
  #failed = 0;
  #byLicenseStatus = [...NO_TOTALS.byLicenseStatus];
  #clients = 0;
  #duplicates = 0;
  #expired = 0;
  #applied = 0;
  /** Membership version of the tables in the store that this is a copy of. */
  version = NO_VERSION;
  /** False until the first sync: then there is nothing to answer from. */
  complete = false;

  constructor(journal: Journal) {
    this.#journal = journal;
  }

  /** Takes a sync's answer, which contains this host's contacts up to `highest`. */
  take(sync: SyncPart, at: { readonly highest: number; readonly version: number; readonly nowMs: number }): void {
    this.#total = sync.totals.total;
    this.#failed = sync.totals.failed;
    this.#byLicenseStatus = [...sync.totals.byLicenseStatus];
    this.#clients = sync.clients;
    this.#duplicates = sync.duplicates;
    this.#applied = at.highest;
    if (sync.tables === undefined) return;
    this.#expire(at.nowMs);
    for (const [index, table] of this.#tables.entries()) {
      table.replace(sync.tables[index] ?? { highWater: 0, entries: new Map() });
    }
    this.version = at.version;
    this.complete = true;
  }

  /** Counts own contacts up to `sequence` and answers the count that the application of that contact then has. */
  countThrough(sequence: number, maxRequiredCount: number): number {
    for (let next = Math.max(this.#applied + 1, this.#journal.first); next <= sequence; next += 1) {
      this.#apply(next, maxRequiredCount);
    }
    this.#applied = Math.max(this.#applied, sequence);
    const place = this.#journal.place(sequence);
    if (place === undefined) return 0;
    return this.#tables[place.bytes.readUInt8(place.offset + RECORD_OFFSET.application)]?.size ?? 0;
  }

  snapshot(nowMs: number, maxRequiredCount: number): PoolSnapshot {
    this.countThrough(this.#journal.last, maxRequiredCount);
    this.#expire(nowMs);
    return {
      tables: this.#tables.map((table): TableState => table.state()),
      totals: { total: this.#total, failed: this.#failed, byLicenseStatus: [...this.#byLicenseStatus] },
      clients: this.#clients,
      duplicates: this.#duplicates,
      expired: this.#expired,
    };
  }

  #apply(sequence: number, maxRequiredCount: number): void {
    const place = this.#journal.place(sequence);
    if (place === undefined) return;
    const { bytes, offset } = place;
    const kind = bytes.readUInt8(offset + RECORD_OFFSET.kind);
    if (kind === RECORD_KIND.void) return;
    this.#total += 1;
    if (kind === RECORD_KIND.refused) this.#failed += 1;
    const status = Math.min(bytes.readUInt8(offset + RECORD_OFFSET.licenseStatus), LICENSE_STATUS_COUNT - 1);
    this.#byLicenseStatus[status] = (this.#byLicenseStatus[status] ?? 0) + 1;
    if (kind === RECORD_KIND.refused) return;
    const cmid = bytes.toString('hex', offset + RECORD_OFFSET.cmid, offset + RECORD_OFFSET.cmid + 16);
    const atMs = bytes.readDoubleLE(offset + RECORD_OFFSET.at);
    const required = bytes.readUInt32LE(offset + RECORD_OFFSET.required);
    const table = this.#tables[bytes.readUInt8(offset + RECORD_OFFSET.application)];
    table?.record(cmid, atMs, required, maxRequiredCount);
  }

  #expire(nowMs: number): void {
    for (const table of this.#tables) this.#expired += table.expire(nowMs);
  }
}
