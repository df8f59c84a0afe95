// SPDX-License-Identifier: Apache-2.0

// What was written is believed until the caches know better, and no longer.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { FakeClock } from '../runtime/clock.fake.ts';
import { SERVICES } from './kinds.ts';
import { Written } from './written.ts';

const ref = { namespace: 'kms', name: 'campus-0' };
const version = (resourceVersion: string, uid = 'a') => ({ metadata: { ...ref, uid, resourceVersion } });

function newWritten() {
  const clock = new FakeClock();
  return { clock, written: new Written(clock) };
}

describe('an object that was written', () => {
  test('is there until the cache shows it or a newer one', () => {
    const { written } = newWritten();
    written.note(SERVICES, version('10'));
    assert.equal(written.latest(SERVICES, ref, undefined)?.metadata.resourceVersion, '10');
    assert.equal(written.latest(SERVICES, ref, version('9'))?.metadata.resourceVersion, '10');
    assert.equal(written.latest(SERVICES, ref, version('11'))?.metadata.resourceVersion, '11');
    assert.equal(written.size, 0);
  });

  test('is gone when the cache has told of its end, although the cache never showed that version', () => {
    const { written } = newWritten();
    written.note(SERVICES, version('10'));
    written.noteGone(SERVICES, version('12'));
    assert.equal(written.latest(SERVICES, ref, undefined), undefined);
  });

  test('outlives the end of the one before it', () => {
    const { written } = newWritten();
    written.note(SERVICES, version('10', 'b'));
    written.noteGone(SERVICES, version('8', 'a'));
    assert.equal(written.latest(SERVICES, ref, undefined)?.metadata.uid, 'b');
    assert.equal(written.latest(SERVICES, ref, version('8', 'a'))?.metadata.uid, 'b');
  });

  test('is no longer taken for granted when no cache has shown it for a minute', () => {
    const { written, clock } = newWritten();
    written.note(SERVICES, version('10'));
    clock.stop(59_000);
    assert.equal(written.latest(SERVICES, ref, undefined)?.metadata.resourceVersion, '10');
    clock.stop(2_000);
    assert.equal(written.latest(SERVICES, ref, undefined), undefined);
  });
});
