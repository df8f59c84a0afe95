// SPDX-License-Identifier: Apache-2.0
/** Pools on a Redis under test: hosts that are closed with the test, and contacts that were made long ago. */
import { randomBytes, randomUUID } from 'node:crypto';
import { MAX_RECORD_BYTES, packContact } from '../../kms-node/store/contact-record.ts';
import { Journal } from '../../kms-node/store/journal.ts';
import { createRedisStore, type RedisStoreOptions } from '../../kms-node/store/redis.ts';
import type { RedisTarget } from '../../kms-node/store/redis-client.ts';
import { poolKeyNames, scriptKeys } from '../../kms-node/store/redis-keys.ts';
import { RedisLink } from '../../kms-node/store/redis-link.ts';
import { CALL_FLAG, decodeReply, encodeHeader, INCARNATION_BYTES } from '../../kms-node/store/script-call.ts';
import type { CmidStore, StoreSettings } from '../../kms-node/store/store.ts';
import { type ContactFields, contactOf } from './contacts.ts';

export const POOL_SETTINGS: StoreSettings = { maxRequiredCount: 25, retention: { clients: 100_000, events: 100_000 } };

export type HostOptions = Partial<RedisStoreOptions>;

export interface RedisPool {
  readonly poolId: string;
  /** A host that need not be ready. */
  connect(options?: HostOptions): CmidStore;
  /** A host that can count. */
  host(options?: HostOptions): Promise<CmidStore>;
  /** Merges contacts with times of their own, as a host does after a loss; answers their counts. */
  merge(contacts: readonly { readonly fields: ContactFields; readonly atMs: number }[]): Promise<number[]>;
  close(): Promise<void>;
}

/** A pool of its own in the Redis at `target`. */
export function redisPool(target: RedisTarget, defaults: HostOptions = {}): RedisPool {
  const poolId = defaults.poolId ?? randomUUID();
  const stores: CmidStore[] = [];
  const settings = { value: defaults.settings ?? POOL_SETTINGS };
  let merger: Merger | undefined;
  const connect = (options: HostOptions = {}): CmidStore => {
    settings.value = options.settings ?? settings.value;
    const store = createRedisStore({
      poolId,
      target,
      onLoss: 'LastKnown',
      maxStaleSeconds: 60,
      ...defaults,
      ...options,
      settings: settings.value,
    });
    stores.push(store);
    return store;
  };
  return {
    poolId,
    connect,
    async host(options) {
      const store = connect(options);
      await store.ready();
      return store;
    },
    async merge(contacts) {
      merger ??= createMerger(target, poolId);
      return merger.merge(contacts, settings.value);
    },
    async close() {
      merger?.close();
      await Promise.all(stores.map((store) => store.close(1000)));
    },
  };
}

interface Merger {
  merge(
    contacts: readonly { readonly fields: ContactFields; readonly atMs: number }[],
    settings: StoreSettings,
  ): Promise<number[]>;
  close(): void;
}

function createMerger(target: RedisTarget, poolId: string): Merger {
  const incarnation = randomBytes(INCARNATION_BYTES);
  const journal = new Journal(1 << 20, MAX_RECORD_BYTES);
  const link = new RedisLink({
    target,
    keys: scriptKeys(poolKeyNames(poolId)),
    connectionName: 'kmspool-test',
    commandTimeoutMs: 2000,
    connectTimeoutMs: 2000,
    onLost: () => undefined,
  });
  return {
    async merge(contacts, settings) {
      await link.open();
      const previous = journal.last;
      for (const { fields, atMs } of contacts) {
        journal.append((bytes, offset, sequence) => packContact(bytes, offset, contactOf(fields), { sequence, atMs }));
      }
      const counts: number[] = [];
      for (let sent = previous; sent < journal.last; ) {
        const slice = journal.slice(sent + 1, contacts.length);
        if (slice === undefined) throw new Error('the test journal is too small');
        const header = encodeHeader({
          incarnation,
          flags: CALL_FLAG.replay,
          previous: sent,
          settings,
          copyVersion: -1,
        });
        const contactsSent = slice.last - sent;
        const reply = decodeReply(await link.call(header, slice.bytes), { contacts: contactsSent, sync: false });
        if (reply === undefined || reply.gap) throw new Error('the store did not take the contacts');
        for (let index = 0; index < contactsSent; index += 1) counts.push(reply.countOf(index));
        journal.acknowledge(slice.last);
        sent = slice.last;
      }
      return counts;
    },
    close: () => link.drop(),
  };
}
