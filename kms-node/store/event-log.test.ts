// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EventLog } from './event-log.ts';

function write(log: EventLog, count: number, retention: number): void {
  for (let i = 0; i < count; i += 1) {
    const { bytes, offset } = log.place();
    const length = 102 + (i % 200);
    bytes.writeUInt16LE(length, offset);
    log.commit(length, retention);
  }
}

const ALL = { limit: Number.POSITIVE_INFINITY, before: Number.POSITIVE_INFINITY };

test('the newest records come first, and no more than retention says', () => {
  const log = new EventLog();
  write(log, 5000, 1200);
  const positions = log.newest({ ...ALL, retention: 1200 }).map((place) => place.position);
  assert.equal(positions.length, 1200);
  assert.equal(positions[0], 4999);
  assert.equal(positions.at(-1), 3800);
});

test('a page ends at its limit and the next one goes on before it', () => {
  const log = new EventLog();
  write(log, 1000, 5000);
  const page = log.newest({ limit: 3, before: 500, retention: 5000 });
  assert.deepEqual(
    page.map((place) => place.position),
    [499, 498, 497],
  );
  assert.equal(page[0]?.bytes.readUInt16LE(page[0].offset), 102 + (499 % 200));
});

test('a retention of 0 keeps nothing to read', () => {
  const log = new EventLog();
  write(log, 3000, 0);
  assert.deepEqual(log.newest({ ...ALL, retention: 0 }), []);
});
