// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RECORD_KIND, RECORD_OFFSET } from './contact-record.ts';
import { Journal } from './journal.ts';

const MAX_RECORD_BYTES = 340;

/** A record of `length` bytes that ends in its own sequence number. */
function writer(length: number): (target: Buffer, offset: number, sequence: number) => number {
  return (target, offset, sequence) => {
    target.fill(0xee, offset, offset + length);
    target.writeUInt16LE(length, offset);
    target.writeUInt8(RECORD_KIND.counted, offset + RECORD_OFFSET.kind);
    target.writeDoubleLE(sequence, offset + length - 8);
    return length;
  };
}

/** Sequence numbers of the records in a slice, in order. */
function sequencesIn(bytes: Buffer): number[] {
  const sequences: number[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = bytes.readUInt16LE(at);
    sequences.push(bytes.readDoubleLE(at + length - 8));
    at += length;
  }
  return sequences;
}

/** All sequence numbers from `from` on, read slice by slice. */
function readFrom(journal: Journal, from: number, maxContacts: number): number[] {
  const sequences: number[] = [];
  for (let next = from; next <= journal.last; ) {
    const slice = journal.slice(next, maxContacts);
    assert.ok(slice);
    assert.equal(slice.first, next);
    assert.ok(slice.last - slice.first < maxContacts);
    sequences.push(...sequencesIn(slice.bytes));
    next = slice.last + 1;
  }
  return sequences;
}

/** Appends until there is no more room; a journal of a kilobyte must be full before a thousand. */
function fill(journal: Journal): void {
  for (let i = 0; i < 1000; i += 1) {
    if (journal.append(writer(200)) === undefined) return;
  }
  assert.fail('the journal is never full');
}

function range(first: number, last: number): number[] {
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index);
}

test('numbers start at 1 and go on by one', () => {
  const journal = new Journal(4096, MAX_RECORD_BYTES);
  assert.equal(journal.last, 0);
  assert.equal(journal.bytes, 0);
  assert.equal(journal.append(writer(130)), 1);
  assert.equal(journal.append(writer(130)), 2);
  assert.equal(journal.pendingContacts, 2);
  assert.equal(journal.bytes, 260);
});

test('a journal full of unacknowledged contacts takes no more, and does again once they are acknowledged', () => {
  const journal = new Journal(1024, MAX_RECORD_BYTES);
  fill(journal);
  const { last } = journal;
  assert.deepEqual(readFrom(journal, 1, 100), range(1, last));
  journal.acknowledge(1);
  assert.equal(
    journal.append(writer(200)),
    undefined,
    'the rest of the ring and the first place are too short together',
  );
  journal.acknowledge(2);
  assert.equal(journal.append(writer(200)), last + 1);
  assert.deepEqual(readFrom(journal, journal.first, 100), range(journal.first, last + 1));
});

test('acknowledged contacts stay readable until their place is needed', () => {
  const journal = new Journal(4096, MAX_RECORD_BYTES);
  for (let i = 0; i < 100; i += 1) {
    const sequence = journal.append(writer(130));
    assert.ok(sequence);
    journal.acknowledge(sequence);
  }
  assert.equal(journal.last, 100);
  assert.ok(journal.first > 1 && journal.first < 90);
  assert.deepEqual(readFrom(journal, journal.first, 7), range(journal.first, 100));
  assert.equal(journal.slice(journal.first - 1, 10), undefined);
});

test('a store that knows less than it told makes contacts unacknowledged again', () => {
  const journal = new Journal(1200, MAX_RECORD_BYTES);
  for (let i = 0; i < 4; i += 1) journal.append(writer(200));
  journal.acknowledge(4);
  journal.acknowledge(1);
  assert.equal(journal.pendingContacts, 3);
  fill(journal);
  assert.ok(journal.first <= 2, 'nothing behind the acknowledged one was overwritten');
});

test('a void contact keeps its place and its number', () => {
  const journal = new Journal(4096, MAX_RECORD_BYTES);
  for (let i = 0; i < 3; i += 1) journal.append(writer(130));
  journal.void(2);
  journal.void(99);
  const kinds = range(1, 3).map((sequence) => {
    const place = journal.place(sequence);
    return place?.bytes.readUInt8(place.offset + RECORD_OFFSET.kind);
  });
  assert.deepEqual(kinds, [RECORD_KIND.counted, RECORD_KIND.void, RECORD_KIND.counted]);
  assert.deepEqual(readFrom(journal, 1, 10), [1, 2, 3]);
});

test('no order of writing and acknowledging overwrites or tears an unacknowledged contact', () => {
  const step = fc.oneof(
    { weight: 4, arbitrary: fc.record({ append: fc.integer({ min: 102, max: MAX_RECORD_BYTES }) }) },
    { weight: 1, arbitrary: fc.record({ acknowledge: fc.double({ min: 0, max: 1, noNaN: true }) }) },
  );
  const run = (capacity: number, steps: readonly ({ append: number } | { acknowledge: number })[]): void => {
    const journal = new Journal(capacity, MAX_RECORD_BYTES);
    let acknowledged = 0;
    for (const next of steps) {
      if ('append' in next) {
        const before = journal.last;
        const sequence = journal.append(writer(next.append));
        assert.ok(sequence === undefined || sequence === before + 1);
      } else {
        acknowledged += Math.round((journal.last - acknowledged) * next.acknowledge);
        journal.acknowledge(acknowledged);
      }
      assert.ok(journal.first <= acknowledged + 1);
      assert.ok(journal.bytes <= capacity);
      assert.deepEqual(readFrom(journal, journal.first, 5), range(journal.first, journal.last));
    }
  };
  fc.assert(fc.property(fc.integer({ min: 700, max: 3000 }), fc.array(step, { maxLength: 80 }), run), { numRuns: 300 });
});

test('a journal too small for two records is refused', () => {
  assert.throws(() => new Journal(600, MAX_RECORD_BYTES), RangeError);
});
