// SPDX-License-Identifier: Apache-2.0
/**
 * The store of a pool whose hosts all live in one process (`kmsctl up` without Redis): nothing to wait for, nothing to lose but the process. The same rules
 * as the Redis script, held to it by the store contract. Hosts of several processes must not use it: each would count on its own.
 */
import { APPLICATIONS } from '@kmspool/kms/catalog';
import { CmidTable, LICENSE_STATUS_COUNT, licenseStatusIndex, type TableState } from '@kmspool/kms/counting';
import { hexToGuid, idHex, REQUEST_OFFSET } from '@kmspool/kms/wire';
import { ClientInventory, type StoredRecord } from './client-inventory.ts';
import { packContact, RECORD_OFFSET, unpackContact } from './contact-record.ts';
import { DuplicateNames, type NameSighting, withSighting } from './duplicate-names.ts';
import { EventLog } from './event-log.ts';
import { emptyStats } from './stats.ts';
import type {
  CmidStore,
  Contact,
  ContactRecord,
  CountReply,
  DuplicateCmid,
  EventPage,
  EventPageRequest,
  Page,
  PageRequest,
  PoolSnapshot,
  StoreHealth,
  StoreSettings,
  StoreStats,
} from './store.ts';

export interface MemoryStoreOptions {
  readonly settings: StoreSettings;
  /** Milliseconds since 1970; the machine's clock if absent. */
  readonly nowMs?: () => number;
}

/** One store for all hosts of this process. */
export function createMemoryStore(options: MemoryStoreOptions): CmidStore {
  return new MemoryStore(options);
}

const HEALTH: StoreHealth = {
  kind: 'memory',
  condition: 'Available',
  staleSeconds: 0,
  journal: { pendingContacts: 0, bytes: 0, capacityBytes: 0 },
};

class MemoryStore implements CmidStore {
  readonly nowMs: () => number;
  readonly #tables = APPLICATIONS.map(() => new CmidTable());
  readonly #byLicenseStatus: number[] = new Array(LICENSE_STATUS_COUNT).fill(0);
  readonly #events = new EventLog();
  readonly #clients = new ClientInventory();
  readonly #duplicates = new DuplicateNames();
  #settings: StoreSettings;
  #total = 0;
  #failed = 0;
  #expired = 0;

  constructor(options: MemoryStoreOptions) {
    this.#settings = options.settings;
    this.nowMs = options.nowMs ?? Date.now;
  }

  record(contact: Contact, reply: CountReply): void {
    const table = this.#tables[contact.application];
    if (contact.hresult !== 0 || table === undefined) {
      this.note(contact);
      reply(undefined);
      return;
    }
    const now = this.nowMs();
    const cmid = idHex(contact.request, REQUEST_OFFSET.cmid);
    const required = contact.request.requiredClientCount;
    this.#expired += table.expire(now);
    const count = table.record(cmid, now, required, this.#settings.maxRequiredCount);
    this.#noteContact(contact, { now, cmid });
    reply(count);
  }

  note(contact: Contact): void {
    if (contact.hresult !== 0) this.#failed += 1;
    this.#noteContact(contact, { now: this.nowMs() });
  }

  #noteContact(contact: Contact, at: { readonly now: number; readonly cmid?: string }): void {
    this.#total += 1;
    const status = licenseStatusIndex(contact.request.licenseStatus);
    this.#byLicenseStatus[status] = (this.#byLicenseStatus[status] ?? 0) + 1;
    const place = this.#events.place();
    const length = packContact(place.bytes, place.offset, contact, { sequence: this.#total, atMs: at.now });
    this.#events.commit(length, this.#settings.retention.events);
    if (at.cmid === undefined || this.#settings.retention.clients === 0) return;
    const key = { application: contact.application, cmid: at.cmid };
    const previous = this.#clients.get(key);
    if (previous !== undefined && !sameName(previous, place)) {
      this.#duplicates.note(key.application + key.cmid, sighting(previous), sighting(place));
    }
    this.#clients.put(key, place, { length, capacity: this.#settings.retention.clients });
  }

  health(): StoreHealth {
    return HEALTH;
  }

  stats(): StoreStats {
    return emptyStats();
  }

  snapshot(): PoolSnapshot {
    const now = this.nowMs();
    for (const table of this.#tables) this.#expired += table.expire(now);
    return {
      tables: this.#tables.map((table) => table.state()),
      totals: { total: this.#total, failed: this.#failed, byLicenseStatus: [...this.#byLicenseStatus] },
      clients: this.#clients.size,
      duplicates: this.#duplicates.groups(now).length,
      expired: this.#expired,
    };
  }

  async listClients(page: PageRequest): Promise<Page<ContactRecord>> {
    const before = position(page);
    const found: StoredRecord[] = [];
    let more = false;
    for (const stored of this.#clients.records()) {
      if (sequenceOf(stored) >= before) continue;
      more = found.length >= page.limit;
      if (more) break;
      found.push(stored);
    }
    const last = found.at(-1);
    return { items: found.flatMap(unpack), ...(more && last ? { next: String(sequenceOf(last)) } : {}) };
  }

  async listEvents(page: EventPageRequest): Promise<EventPage> {
    const since = Number(page.since ?? Number.NaN);
    // A place that is not yet taken comes from another run of this process.
    const known = since < this.#events.size ? since : Number.NEGATIVE_INFINITY;
    const retention = Math.min(this.#settings.retention.events, this.#events.size - 1 - known);
    const places = this.#events.newest({ limit: page.limit + 1, before: position(page), retention });
    const shown = places.slice(0, page.limit);
    const [first, last] = [shown[0], shown.at(-1)];
    return {
      items: shown.flatMap(unpack),
      ...(places.length > shown.length && last ? { next: String(last.position) } : {}),
      ...(first ? { newest: String(first.position) } : {}),
    };
  }

  async listDuplicates(page: PageRequest): Promise<Page<DuplicateCmid>> {
    const groups = this.#duplicates.groups(this.nowMs());
    const start = page.after === undefined ? 0 : groups.findIndex(([key]) => key === page.after) + 1;
    const shown = groups.slice(start, start + page.limit);
    const items = shown.map(([key, group]) => {
      const latest = this.#clients.get({ application: Number(key[0]), cmid: key.slice(1) });
      const names = latest === undefined ? group : withSighting(group, sighting(latest), this.nowMs());
      return { application: Number(key[0]), cmid: hexToGuid(key.slice(1)), names };
    });
    const last = shown.at(-1);
    return { items, ...(start + page.limit < groups.length && last ? { next: last[0] } : {}) };
  }

  async merge(tables: readonly TableState[]): Promise<readonly number[]> {
    const now = this.nowMs();
    const bound = this.#settings.maxRequiredCount;
    return this.#tables.map((table, index) => {
      const other = tables[index];
      if (other) table.merge({ ...other, highWater: Math.min(other.highWater, bound) }, now);
      return table.size;
    });
  }

  async ready(): Promise<void> {}

  onConditionChange(): void {
    // Memory is always available.
  }

  configure(settings: StoreSettings): void {
    this.#settings = settings;
  }

  async close(): Promise<void> {}
}

/** The position before which a page starts; from the newest on if the page names none, or a foreign one. */
function position(page: PageRequest): number {
  const after = Number(page.after ?? Number.POSITIVE_INFINITY);
  return Number.isNaN(after) ? Number.POSITIVE_INFINITY : after;
}

function sequenceOf(stored: StoredRecord): number {
  return stored.bytes.readDoubleLE(stored.offset + RECORD_OFFSET.sequence);
}

function unpack(stored: StoredRecord): ContactRecord[] {
  const record = unpackContact(stored.bytes, stored.offset);
  return record === undefined ? [] : [record];
}

function sighting(stored: StoredRecord): NameSighting {
  const record = unpackContact(stored.bytes, stored.offset);
  return {
    workstationName: record?.workstationName ?? '',
    address: record?.address ?? '',
    lastSeenMs: record?.atMs ?? 0,
  };
}

/** Compares the names as bytes, their length first. */
function sameName(a: StoredRecord, b: StoredRecord): boolean {
  const aStart = a.offset + RECORD_OFFSET.name;
  const bStart = b.offset + RECORD_OFFSET.name;
  const length = 1 + a.bytes.readUInt8(aStart);
  return a.bytes.compare(b.bytes, bStart, bStart + length, aStart, aStart + length) === 0;
}
