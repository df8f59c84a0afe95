// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CMID_RETENTION_MS } from '@kmspool/kms/counting';
import { DuplicateNames, MAX_DUPLICATE_CMIDS, type NameSighting, withSighting } from './duplicate-names.ts';

function seen(workstationName: string, lastSeenMs: number): NameSighting {
  return { workstationName, address: '10.0.0.1', lastSeenMs };
}

test('S1-17 a name that is seen again moves to the front', () => {
  const group = withSighting([seen('a', 3), seen('b', 2)], seen('b', 4), 4);
  assert.deepEqual(group, [seen('b', 4), seen('a', 3)]);
});

test('names older than 30 days leave, and with the second to last name the duplicate', () => {
  const duplicates = new DuplicateNames();
  duplicates.note('k', seen('a', 1000), seen('b', 2000));
  assert.equal(duplicates.groups(1000 + CMID_RETENTION_MS - 1).length, 1);
  assert.equal(duplicates.groups(1000 + CMID_RETENTION_MS).length, 0);
});

test('only so many CMIDs are kept, those whose duplicates are the latest', () => {
  const duplicates = new DuplicateNames();
  for (let i = 1; i <= MAX_DUPLICATE_CMIDS + 5; i += 1) duplicates.note(`k${i}`, seen('a', i), seen('b', i + 1));
  const groups = duplicates.groups(5000);
  assert.equal(groups.length, MAX_DUPLICATE_CMIDS);
  assert.equal(groups[0]?.[0], `k${MAX_DUPLICATE_CMIDS + 5}`);
  assert.equal(groups.at(-1)?.[0], 'k6');
});
