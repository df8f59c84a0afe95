// SPDX-License-Identifier: Apache-2.0
/**
 * Reads the inventory, the events and the duplicates of a pool from Redis, newest first, page by page. Order: by time, then by member, both descending, as the
 * sorted sets have it; a page goes on behind the last member of the one before, wherever that has moved since.
 */
import { hexToGuid } from '@kmspool/kms/wire';
import { unpackContact } from './contact-record.ts';
import { type NameSighting, stillFresh, withSighting } from './duplicate-names.ts';
import type { RedisClient } from './redis-client.ts';
import type { PoolKeyNames } from './redis-keys.ts';
import type { ContactRecord, DuplicateCmid, EventPage, EventPageRequest, Page, PageRequest } from './store.ts';

/** Runs commands on the connection; rejects with StoreUnavailableError. */
export type ReadCommands = <T>(use: (client: RedisClient) => Promise<T>) => Promise<T>;

export interface ListingOptions {
  readonly keys: PoolKeyNames;
  readonly read: ReadCommands;
  readonly nowMs: () => number;
}

interface Ranked {
  readonly member: Buffer;
  readonly score: number;
}

export class RedisListing {
  readonly #options: ListingOptions;

  constructor(options: ListingOptions) {
    this.#options = options;
  }

  /** The order between clients is exact to ten minutes (see record.lua), within a page to the millisecond. */
  async clients(page: PageRequest): Promise<Page<ContactRecord>> {
    const { keys, read } = this.#options;
    const { items, next } = await this.#rankedPage(keys.clientTimes, page);
    const values = await read((client) => hashValues(client, keys.clients, items));
    const records = values.flatMap((value) => unpacked(value)).sort((a, b) => b.atMs - a.atMs);
    return { items: records, ...next };
  }

  async events(page: EventPageRequest): Promise<EventPage> {
    const { keys, read } = this.#options;
    const from = isStreamId(page.after) ? `(${page.after}` : '+';
    const until = isStreamId(page.since) ? `(${page.since}` : '-';
    const entries = await read((client) =>
      client.callBuffer('xrevrange', keys.events, from, until, 'COUNT', page.limit + 1),
    );
    const rows = asArray(entries).map((entry) => {
      const [id, fields] = asArray(entry);
      return { id: String(id), value: asArray(fields)[1] };
    });
    const shown = rows.slice(0, page.limit);
    const [first, last] = [shown[0], shown.at(-1)];
    return {
      items: shown.flatMap((row) => unpacked(row.value)),
      ...(rows.length > shown.length && last ? { next: last.id } : {}),
      ...(first ? { newest: first.id } : {}),
    };
  }

  async duplicates(page: PageRequest): Promise<Page<DuplicateCmid>> {
    const { keys, read, nowMs } = this.#options;
    const { items, next } = await this.#rankedPage(keys.nameTimes, page);
    const groups = await read((client) => hashValues(client, keys.names, items));
    const latest = await read((client) => hashValues(client, keys.clients, items));
    const duplicates = items.flatMap(({ member }, index) => {
      const seen = unpacked(latest[index])[0];
      const fresh = stillFresh(readNames(groups[index]), nowMs());
      const names = seen === undefined ? fresh : withSighting(fresh, sightingOf(seen), nowMs());
      if (names.length < 2 || member.length !== 17) return [];
      return [{ application: member.readUInt8(0), cmid: hexToGuid(member.toString('hex', 1)), names }];
    });
    return { items: duplicates, ...next };
  }

  async #rankedPage(key: string, page: PageRequest): Promise<{ items: Ranked[]; next: { next?: string } }> {
    const after = parseToken(page.after);
    const found: Ranked[] = [];
    let rank = after === undefined ? 0 : await this.#rankAbove(key, after.score);
    while (found.length <= page.limit) {
      const chunk = await this.#rankedFrom(key, rank, page.limit + 1);
      if (chunk.length === 0) break;
      found.push(...chunk.filter((entry) => after === undefined || isBehind(entry, after)));
      rank += chunk.length;
    }
    const items = found.slice(0, page.limit);
    const last = items.at(-1);
    const more = found.length > items.length && last !== undefined;
    return { items, next: more ? { next: `${last.score}:${last.member.toString('hex')}` } : {} };
  }

  async #rankAbove(key: string, score: number): Promise<number> {
    return this.#options.read((client) => client.zcount(key, `(${score}`, '+inf'));
  }

  async #rankedFrom(key: string, rank: number, count: number): Promise<Ranked[]> {
    const flat = asArray(
      await this.#options.read((client) => client.callBuffer('zrevrange', key, rank, rank + count - 1, 'WITHSCORES')),
    );
    const rows: Ranked[] = [];
    for (let i = 0; i + 1 < flat.length; i += 2) {
      const member = flat[i];
      if (Buffer.isBuffer(member)) rows.push({ member, score: Number(String(flat[i + 1])) });
    }
    return rows;
  }
}

function isBehind(entry: Ranked, after: Ranked): boolean {
  return entry.score < after.score || (entry.score === after.score && entry.member.compare(after.member) < 0);
}

/** `score:member in hex`; undefined for a token that is none, which starts from the newest. */
function parseToken(token: string | undefined): Ranked | undefined {
  const match = /^(\d+(?:\.\d+)?):([0-9a-f]+)$/.exec(token ?? '');
  return match === null ? undefined : { score: Number(match[1]), member: Buffer.from(match[2] ?? '', 'hex') };
}

function isStreamId(token: string | undefined): boolean {
  return /^\d+-\d+$/.test(token ?? '');
}

async function hashValues(client: RedisClient, key: string, rows: readonly Ranked[]): Promise<unknown[]> {
  if (rows.length === 0) return [];
  return asArray(await client.callBuffer('hmget', key, ...rows.map((row) => row.member)));
}

function asArray(reply: unknown): unknown[] {
  return Array.isArray(reply) ? reply : [];
}

function unpacked(value: unknown): ContactRecord[] {
  const record = Buffer.isBuffer(value) ? unpackContact(value) : undefined;
  return record === undefined ? [] : [record];
}

/** Names as record.lua packs them: 8 bytes time, then name and address, each with its length before it. */
function readNames(value: unknown): NameSighting[] {
  if (!Buffer.isBuffer(value)) return [];
  const names: NameSighting[] = [];
  let at = 0;
  while (at + 10 <= value.length) {
    const addressAt = at + 9 + value.readUInt8(at + 8);
    if (addressAt >= value.length) break;
    const end = addressAt + 1 + value.readUInt8(addressAt);
    names.push({
      workstationName: value.toString('utf8', at + 9, addressAt),
      address: value.toString('latin1', addressAt + 1, end),
      lastSeenMs: value.readDoubleLE(at),
    });
    at = end;
  }
  return names;
}

function sightingOf(record: ContactRecord): NameSighting {
  return { workstationName: record.workstationName, address: record.address, lastSeenMs: record.atMs };
}
