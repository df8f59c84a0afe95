// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CMID_RETENTION_MS, NO_TOTALS } from '@kmspool/kms/counting';
import { decodeRequestBase } from '@kmspool/kms/wire';
import { MAX_RECORD_BYTES, packContact } from './contact-record.ts';
import { Journal } from './journal.ts';
import { PoolCopy } from './pool-copy.ts';
import type { SyncPart } from './script-call.ts';

const NOW = 1_700_000_000_000;
const NO_TABLE = { highWater: 0, entries: new Map<string, number>() };

function hex(client: number): string {
  return client.toString(16).padStart(32, '0');
}

/** Writes a contact of `client` with N = 25. */
function write(journal: Journal, client: number, hresult = 0): number {
  const bytes = Buffer.alloc(236);
  bytes.write(hex(client), 64, 'hex');
  bytes.writeUInt32LE(25, 80);
  bytes.writeUInt32LE(2, 8);
  const request = decodeRequestBase(bytes);
  const contact = { application: hresult === 0 ? 0 : 255, protocol: 6, request, hresult, address: '' } as const;
  const sequence = journal.append((target, offset, number) =>
    packContact(target, offset, contact, { sequence: number, atMs: NOW }),
  );
  assert.ok(sequence);
  return sequence;
}

function sync(clients: readonly number[], atMs = NOW): SyncPart {
  const entries = new Map(clients.map((client) => [hex(client), atMs]));
  return {
    totals: { ...NO_TOTALS, total: 100 },
    clients: 12,
    duplicates: 1,
    tables: [{ highWater: 25, entries }, NO_TABLE, NO_TABLE],
  };
}

test('the copy is incomplete until a sync brought tables', () => {
  const copy = new PoolCopy(new Journal(1 << 16, MAX_RECORD_BYTES));
  assert.equal(copy.complete, false);
  copy.take(sync([1, 2]), { highest: 0, version: 7, nowMs: NOW });
  assert.equal(copy.complete, true);
  assert.equal(copy.version, 7);
  const { tables, totals, clients, duplicates } = copy.snapshot(NOW, 25);
  assert.equal(tables[0]?.entries.size, 2);
  assert.deepEqual([totals.total, clients, duplicates], [100, 12, 1]);
});

test('own contacts that the sync did not contain are added once, those it contained are not', () => {
  const journal = new Journal(1 << 16, MAX_RECORD_BYTES);
  const copy = new PoolCopy(journal);
  write(journal, 1);
  const second = write(journal, 2);
  const third = write(journal, 3);
  copy.take(sync([1]), { highest: 1, version: 1, nowMs: NOW });
  assert.equal(copy.countThrough(second, 25), 2);
  assert.equal(copy.countThrough(third, 25), 3);
  assert.equal(copy.countThrough(second, 25), 3, 'what was added stays added');
  assert.equal(copy.snapshot(NOW, 25).totals.total, 102);
  assert.equal(copy.snapshot(NOW, 25).totals.byLicenseStatus[2], 2);
  copy.take(sync([1, 2]), { highest: 2, version: 2, nowMs: NOW });
  assert.equal(copy.snapshot(NOW, 25).tables[0]?.entries.size, 3);
  assert.equal(copy.snapshot(NOW, 25).totals.total, 101);
});

test('refused contacts enter the totals only, void ones nothing', () => {
  const journal = new Journal(1 << 16, MAX_RECORD_BYTES);
  const copy = new PoolCopy(journal);
  copy.take(sync([]), { highest: 0, version: 1, nowMs: NOW });
  write(journal, 1, 0xc004f042);
  journal.void(write(journal, 2));
  const { tables, totals } = copy.snapshot(NOW, 25);
  assert.equal(tables[0]?.entries.size, 0);
  assert.deepEqual([totals.total, totals.failed], [101, 1]);
});

test('S3-12 the copy decays with the clock, and tells how many expired', () => {
  const copy = new PoolCopy(new Journal(1 << 16, MAX_RECORD_BYTES));
  copy.take(sync([1, 2, 3]), { highest: 0, version: 1, nowMs: NOW });
  assert.equal(copy.snapshot(NOW + CMID_RETENTION_MS - 1, 25).tables[0]?.entries.size, 3);
  const { tables, expired } = copy.snapshot(NOW + CMID_RETENTION_MS, 25);
  assert.equal(tables[0]?.entries.size, 0);
  assert.equal(expired, 3);
});

test('S3-12 what the store let expire before the copy did is counted as expired too', () => {
  const copy = new PoolCopy(new Journal(1 << 16, MAX_RECORD_BYTES));
  copy.take(sync([1, 2, 3]), { highest: 0, version: 1, nowMs: NOW });
  copy.take(sync([], NOW), { highest: 0, version: 2, nowMs: NOW + CMID_RETENTION_MS });
  assert.equal(copy.snapshot(NOW + CMID_RETENTION_MS, 25).expired, 3);
});
