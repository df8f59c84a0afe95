// SPDX-License-Identifier: Apache-2.0
/**
 * One call of the script `merge.lua`: views of the tables as bytes, sizes back. It is not part of counting: an administrator's import comes this way.
 */
import { APPLICATIONS } from '@kmspool/kms/catalog';
import type { TableState } from '@kmspool/kms/counting';
import { MERGE_SCRIPT } from './record-script.ts';
import type { PoolKeyNames } from './redis-keys.ts';
import type { ReadCommands } from './redis-listing.ts';

const HEAD_BYTES = 6;
const ENTRY_BYTES = 24;

/** Joins `tables` (by application index) with the pool's; N counts no further than `maxRequiredCount`. */
export async function mergeTables(
  run: ReadCommands,
  keys: PoolKeyNames,
  { tables, maxRequiredCount }: { readonly tables: readonly TableState[]; readonly maxRequiredCount: number },
): Promise<readonly number[]> {
  const bytes = Buffer.concat(APPLICATIONS.map(({ index }) => encodeTable(tables[index], maxRequiredCount)));
  const names = [keys.meta, ...keys.tables];
  const sizes = await run((client) => client.callBuffer('eval', MERGE_SCRIPT, names.length, ...names, bytes));
  return Array.isArray(sizes) ? sizes.map(Number) : [];
}

function encodeTable(table: TableState | undefined, maxRequiredCount: number): Buffer {
  const entries = [...(table?.entries ?? [])];
  const bytes = Buffer.alloc(HEAD_BYTES + ENTRY_BYTES * entries.length);
  bytes.writeUInt32LE(Math.min(table?.highWater ?? 0, maxRequiredCount), 0);
  bytes.writeUInt16LE(entries.length, 4);
  for (const [index, [cmid, atMs]] of entries.entries()) {
    const offset = HEAD_BYTES + ENTRY_BYTES * index;
    bytes.write(cmid, offset, 'hex');
    bytes.writeDoubleLE(atMs, offset + 16);
  }
  return bytes;
}
