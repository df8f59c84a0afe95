// SPDX-License-Identifier: Apache-2.0
//
// The events of a pool as they come: asked for again and again, from the place where the last answer ended, so that none is missed or told twice.

import { setTimeout as delay } from 'node:timers/promises';
import { UserError } from '@kmspool/crds';
import type { ContactRecord } from '@kmspool/kms-node';
import type { PoolSource } from './source.ts';

export interface FollowOptions {
  /** How many of those that are there come first. */
  readonly first: number;
  readonly intervalMs: number;
  readonly signal: AbortSignal;
  /** Told once for each time that no host answers; it goes on. */
  readonly warn: (text: string) => void;
}

const PAGE = 1000;

/** Oldest first. Ends when `signal` says so. @throws UserError when the first question fails. */
export async function* follow(source: PoolSource, options: FollowOptions): AsyncGenerator<ContactRecord> {
  const { first, intervalMs, signal, warn } = options;
  const head = await source.page<ContactRecord>('events', { limit: Math.min(PAGE, Math.max(1, first)) });
  yield* head.items.slice(0, first).reverse();
  let since = head.newest;
  let away = false;
  while (!signal.aborted) {
    await delay(intervalMs, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return;
    try {
      const later = await laterThan(source, since);
      yield* later.records;
      since = later.newest ?? since;
      away = false;
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      if (!away) warn(error.message);
      away = true;
    }
  }
}

/** All that came after `since`, oldest first. Without a place to start from, all there is: the log was empty. */
async function laterThan(
  source: PoolSource,
  since: string | undefined,
): Promise<{ readonly records: readonly ContactRecord[]; readonly newest: string | undefined }> {
  const records: ContactRecord[] = [];
  let newest: string | undefined;
  let after: string | undefined;
  do {
    const page = await source.page<ContactRecord>('events', { limit: PAGE, after, since });
    newest ??= page.newest;
    records.push(...page.items);
    after = page.next;
  } while (after !== undefined);
  return { records: records.reverse(), newest };
}
