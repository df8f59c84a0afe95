// SPDX-License-Identifier: Apache-2.0
//
// Which contacts somebody wants to see. Pure.

import type { ContactRecord } from '@kmspool/kms-node';
import { productOf } from './contact-view.ts';

export interface ContactFilter {
  /** Part of the machine's name, any case; `*` and `?` as in file names, then for the whole name. */
  readonly name?: string | undefined;
  /** Slug of a product. */
  readonly product?: string | undefined;
  readonly hresult?: number | undefined;
  /** Last seen at least this long ago, milliseconds. */
  readonly olderThanMs?: number | undefined;
  /** Last seen within this time. */
  readonly newerThanMs?: number | undefined;
}

/** Whether a contact fits, at `nowMs`. */
export function contactFits(filter: ContactFilter, nowMs: number): (record: ContactRecord) => boolean {
  const { product, hresult, olderThanMs = Number.NEGATIVE_INFINITY, newerThanMs = Number.POSITIVE_INFINITY } = filter;
  const name = filter.name === undefined ? undefined : namePattern(filter.name);
  return (record) => {
    const ageMs = nowMs - record.atMs;
    return (
      ageMs >= olderThanMs &&
      ageMs <= newerThanMs &&
      (name?.test(record.workstationName) ?? true) &&
      (product === undefined || productOf(record) === product) &&
      (hresult === undefined || record.hresult === hresult)
    );
  };
}

function namePattern(text: string): RegExp {
  const isPattern = /[*?]/.test(text);
  const escaped = text
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(isPattern ? `^${escaped}$` : escaped, 'isu');
}

/** The inventory stands in the order of last seen to this much, milliseconds. */
const ORDER_MS = 600_000;

/** Contacts from `records` (newest first) that fit; stops where no newer one can come. */
export async function* fitting(
  records: AsyncIterable<ContactRecord>,
  filter: ContactFilter,
  nowMs: number,
): AsyncGenerator<ContactRecord> {
  const fits = contactFits(filter, nowMs);
  const oldest = nowMs - (filter.newerThanMs ?? Number.POSITIVE_INFINITY) - ORDER_MS;
  for await (const record of records) {
    if (record.atMs < oldest) return;
    if (fits(record)) yield record;
  }
}

/** The first `count` items. */
export async function* firstOf<T>(items: AsyncIterable<T>, count: number): AsyncGenerator<T> {
  if (count <= 0) return;
  let taken = 0;
  for await (const item of items) {
    yield item;
    taken += 1;
    if (taken >= count) return;
  }
}
