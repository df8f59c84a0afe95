// SPDX-License-Identifier: Apache-2.0
/**
 * CmidStore: the one count behind a pool's hosts, as a host sees it. `memory.ts` and `redis.ts` implement it and one contract test runs on both.
 *
 * `record` answers by callback and may do so before it returns: in memory there is nothing to wait for, and a promise per request
 * costs more than the counting itself.
 */

import type { TableState, Totals } from '@kmspool/kms/counting';
import type { StoreCondition } from '@kmspool/kms/host';
import type { KmsRequest, ProtocolVersion } from '@kmspool/kms/wire';

/** One request that decrypted, as the store is told of it. */
export interface Contact {
  /** Index in the catalogue's APPLICATIONS; 255 when the application is none of them (only refused contacts). */
  readonly application: number;
  readonly protocol: ProtocolVersion;
  /** Read during the call only: its bytes may be reused afterwards. */
  readonly request: KmsRequest;
  /** 0 = counted; else why it was refused, and then only totals and events take note of it. */
  readonly hresult: number;
  /** The peer's address as text, IPv4-mapped ones as IPv4. */
  readonly address: string;
}

/** `undefined` means that the store cannot answer and must not guess: the client is told server_too_busy. */
export type CountReply = (count: number | undefined) => void;

export interface StoreHealth {
  readonly kind: 'memory' | 'redis';
  readonly condition: StoreCondition;
  /** One line for status and log when not Available. */
  readonly reason?: string;
  /** Seconds since the store last answered; 0 while Available. */
  readonly staleSeconds: number;
  /** Contacts not yet acknowledged by the store, and how much of the journal all kept contacts take. */
  readonly journal: { readonly pendingContacts: number; readonly bytes: number; readonly capacityBytes: number };
  /** Server's name and version, e.g. `redis 7.0.15`, once known. */
  readonly server?: string;
}

/** One contact as read back: the latest of a client in the inventory, or one event 12290. Times are milliseconds since 1970. */
export interface ContactRecord {
  readonly atMs: number;
  readonly application: number;
  readonly protocol: number;
  readonly hresult: number;
  /** GUID texts. */
  readonly cmid: string;
  readonly activationId: string;
  readonly countedId: string;
  readonly requiredClientCount: number;
  readonly licenseStatus: number;
  readonly minutesToExpiry: number;
  readonly isClientVm: number;
  readonly clientTimeMs: number;
  readonly workstationName: string;
  readonly address: string;
}

/** Machine names that came with one CMID (S1-17): images that were not generalised. */
export interface DuplicateCmid {
  readonly application: number;
  readonly cmid: string;
  readonly names: readonly {
    readonly workstationName: string;
    readonly address: string;
    readonly lastSeenMs: number;
  }[];
}

export interface Page<T> {
  readonly items: readonly T[];
  /** Pass it to get the next page; absent on the last. */
  readonly next?: string;
}

/** `newest` is the place of the first item: pass it as `since` to hear of what came later. Absent without items. */
export interface EventPage extends Page<ContactRecord> {
  readonly newest?: string;
}

export interface PageRequest {
  readonly limit: number;
  readonly after?: string;
}

export interface EventPageRequest extends PageRequest {
  /** Only what came later than this `newest` of an earlier page. One that this store never gave is as none. */
  readonly since?: string;
}

/** What a host reports of the pool without asking the store anew. */
export interface PoolSnapshot {
  /** By application index. */
  readonly tables: readonly TableState[];
  readonly totals: Totals;
  readonly clients: number;
  readonly duplicates: number;
  /** CMIDs that this host saw expire since it started. */
  readonly expired: number;
}

/** Round trips to the store by how long they took; a count for each upper bound, and a last one for all that took longer. Not cumulative. */
export interface LatencyHistogram {
  readonly upperBoundsMs: readonly number[];
  readonly counts: readonly number[];
  readonly sumMs: number;
}

/** Counters since this process started, for metrics; all stay 0 in memory. */
export interface StoreStats {
  /** Script calls sent, syncs included. */
  readonly batches: number;
  /** Contacts in them, each time they were sent. */
  readonly contactsSent: number;
  /** Contacts sent more than once: after a time-out, a cut connection, or because the store knew less than it had acknowledged. */
  readonly contactsResent: number;
  /** Answers that said that contacts before those sent are missing. */
  readonly gaps: number;
  /** Missing contacts that the journal no longer held: they are lost to the store. */
  readonly contactsLost: number;
  readonly timeouts: number;
  /** Calls that failed otherwise: connection gone, error reply. */
  readonly failures: number;
  readonly reconnects: number;
  /** Contacts answered from this host's own copy. */
  readonly answeredFromCopy: number;
  /** Contacts that got no count: the client was told server_too_busy. */
  readonly refused: number;
  readonly roundTrip: LatencyHistogram;
}

export interface CmidStore {
  /** The store's clock: the host's own in memory, Redis's (estimated from its last answer) in Redis. Milliseconds since 1970. */
  nowMs(): number;
  /** Counts a contact whose `hresult` is 0. `reply` is called exactly once, perhaps before this returns. */
  record(contact: Contact, reply: CountReply): void;
  /** Notes a refused contact in totals and events; nobody waits for it. */
  note(contact: Contact): void;
  health(): StoreHealth;
  stats(): StoreStats;
  /** Decayed to now; needs no request and, with Redis, no more than the copy that the host keeps. */
  snapshot(): PoolSnapshot;
  /** Newest first. Rejects with a StoreUnavailableError when the store cannot be asked. */
  listClients(page: PageRequest): Promise<Page<ContactRecord>>;
  listEvents(page: EventPageRequest): Promise<EventPage>;
  listDuplicates(page: PageRequest): Promise<Page<DuplicateCmid>>;
  /**
   * Joins other views of the tables, by application index, with those of the pool, by the rule of CmidTable.merge: the larger N up to
   * maxRequiredCount, the later time of each CMID, no later than now. Resolves with the sizes. Totals, events and inventory stay as they are.
   * Rejects with a StoreUnavailableError when the store cannot be asked; doing it again does no harm.
   */
  merge(tables: readonly TableState[]): Promise<readonly number[]>;
  /** Resolves when the store can count, or is known to be unusable: then rejects with a StoreUnusableError of one line. */
  ready(): Promise<void>;
  /** Called on every change of {@link StoreHealth.condition}. */
  onConditionChange(listener: (health: StoreHealth) => void): void;
  /** Settings that a re-read HostConfig may change. */
  configure(settings: StoreSettings): void;
  /** Sends what is pending, within `timeoutMs`, and lets go of connections and timers. */
  close(timeoutMs: number): Promise<void>;
}

export interface StoreSettings {
  readonly maxRequiredCount: number;
  readonly retention: { readonly clients: number; readonly events: number };
}

/** The store cannot be asked now; the HTTP interface answers 503 with this message. */
export class StoreUnavailableError extends Error {
  override readonly name = 'StoreUnavailableError';
}

/** The store must not be used at all (may evict CMIDs, is a replica, is too old, another pool's key). One line with the remedy; exit code 2. */
export class StoreUnusableError extends Error {
  override readonly name = 'StoreUnusableError';
}
