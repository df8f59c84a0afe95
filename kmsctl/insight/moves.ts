// SPDX-License-Identifier: Apache-2.0
//
// Who still needs an old host (J05: a move to new hosts without breaking renewals). A client that was activated lives 180 days from its last contact, and asks
// its cached host again for as long as that one answers. Pure.

import { VALIDITY_DAYS } from '@kmspool/kms/client';
import type { ContactRecord } from '@kmspool/kms-node';

const DAY_MS = 86_400_000;

export interface StillThere {
  readonly record: ContactRecord;
  /** Unless it asks some host before, it is no longer activated from then on. */
  readonly validUntilMs: number;
  /** It has also asked the new pool, but this one later. */
  readonly alsoNew: boolean;
}

/**
 * Clients of the old pool that have not moved: `newSeenMs` says when the new pool saw a client last. Who moved comes later to the new pool than to the old one;
 * who was not seen for 180 days has no activation to lose.
 */
export async function* stillUsing(
  old: AsyncIterable<ContactRecord>,
  newSeenMs: (record: ContactRecord) => number | undefined,
  nowMs: number,
): AsyncGenerator<StillThere> {
  for await (const record of old) {
    const validUntilMs = record.atMs + VALIDITY_DAYS * DAY_MS;
    const seenMs = newSeenMs(record);
    if (validUntilMs <= nowMs || (seenMs !== undefined && seenMs > record.atMs)) continue;
    yield { record, validUntilMs, alsoNew: seenMs !== undefined };
  }
}
