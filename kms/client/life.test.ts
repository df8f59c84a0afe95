// SPDX-License-Identifier: Apache-2.0
//
// Birth, expiry, and the invariants of any life. Time is a number; nothing here waits.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { answer, DAY, fresh, licensed, MINUTE, product, SERVER, T0, WINDOWS_7 } from './fixtures.ts';
import {
  advance,
  afterAnswer,
  afterFailure,
  afterRefusal,
  afterSilence,
  clientProfile,
  minutesToExpiry,
  nextChangeAtMs,
} from './index.ts';

describe('a new client', () => {
  test('S1-05 S3-37 starts in a 30-day out-of-box grace, tries at once, then every 2 hours', () => {
    const client = fresh();
    assert.equal(client.licenseStatus, 2);
    assert.equal(client.graceEndsAtMs, T0 + 30 * DAY);
    assert.equal(client.nextAttemptAtMs, T0);
    const later = afterFailure(client, 'NoSrvRecord', T0).client;
    assert.equal(later.nextAttemptAtMs, T0 + 120 * MINUTE);
  });

  test('S3-05 S3-06 takes its N from the product', () => {
    assert.equal(WINDOWS_7.requiredCount, 25);
    assert.equal(SERVER.requiredCount, 5);
    assert.equal(clientProfile(product('office-2021')).requiredCount, 5);
  });
});

describe('advance', () => {
  test('S1-05 a grace that runs out becomes notification', () => {
    assert.equal(advance(fresh(), T0 + 30 * DAY - 1).licenseStatus, 2);
    const over = advance(fresh(), T0 + 30 * DAY);
    assert.deepEqual([over.licenseStatus, over.graceEndsAtMs], [5, 0]);
  });

  test('S3-16 an activation that runs out becomes out-of-tolerance grace of 30 days, then notification', () => {
    const active = licensed();
    assert.equal(advance(active, T0 + 180 * DAY - 1).licenseStatus, 1);
    const grace = advance(active, T0 + 185 * DAY);
    assert.deepEqual([grace.licenseStatus, grace.graceEndsAtMs, grace.validUntilMs], [3, T0 + 210 * DAY, 0]);
    assert.equal(advance(grace, T0 + 210 * DAY).licenseStatus, 5);
  });

  test('S3-16 a long sleep passes through grace in one step', () => {
    assert.equal(advance(licensed(), T0 + 400 * DAY).licenseStatus, 5);
  });

  test('S3-55 a client that lapses does not wait for a renewal beyond the lapse', () => {
    const lazy = afterAnswer(fresh(), answer({ renewalIntervalMinutes: 43200 * 7 }), T0).client;
    assert.equal(lazy.nextAttemptAtMs, T0 + 210 * DAY);
    assert.equal(advance(lazy, T0 + 180 * DAY).nextAttemptAtMs, T0 + 180 * DAY + 120 * MINUTE);
  });

  test('nothing to do returns the same object', () => {
    const client = licensed();
    assert.equal(advance(client, T0 + DAY), client);
  });

  test('S1-30 the minutes of a request count down to the end of the status and are 0 in notification', () => {
    assert.equal(minutesToExpiry(fresh(), T0), 43200);
    assert.equal(minutesToExpiry(fresh(), T0 + 90_000), 43199);
    assert.equal(minutesToExpiry(licensed(), T0), 259200);
    assert.equal(minutesToExpiry(advance(fresh(), T0 + 30 * DAY), T0 + 30 * DAY), 0);
  });

  test('nextChangeAtMs is the attempt or the end of the status, whichever is first', () => {
    assert.equal(nextChangeAtMs(fresh()), T0);
    assert.equal(nextChangeAtMs(licensed()), T0 + 7 * DAY);
    const far = afterAnswer(fresh(), answer({ renewalIntervalMinutes: 43200 * 7 }), T0).client;
    assert.equal(nextChangeAtMs(far), T0 + 180 * DAY);
    const late = advance(fresh(), T0 + 30 * DAY);
    assert.equal(nextChangeAtMs(late), late.nextAttemptAtMs);
  });
});

describe('any life', () => {
  const step = fc.oneof(
    fc.record({ do: fc.constant('answer' as const), count: fc.nat(50), waitMinutes: fc.nat(400_000) }),
    fc.record({ do: fc.constant('refuse' as const), count: fc.nat(50), waitMinutes: fc.nat(400_000) }),
    fc.record({ do: fc.constant('fail' as const), count: fc.nat(50), waitMinutes: fc.nat(400_000) }),
    fc.record({ do: fc.constant('silence' as const), count: fc.nat(50), waitMinutes: fc.nat(400_000) }),
  );

  test('S3-86 keeps its invariants and its shape', () => {
    const shape = Object.keys(fresh()).toString();
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
        let client = fresh();
        let now = T0;
        for (const s of steps) {
          now += s.waitMinutes * MINUTE;
          if (s.do === 'answer') client = afterAnswer(client, answer({ count: s.count }), now).client;
          else if (s.do === 'refuse') client = afterRefusal(client, 0xc004f042, now).client;
          else if (s.do === 'fail') client = afterFailure(client, 'AllHostsFailed', now).client;
          else client = afterSilence(client, { host: 'x', port: 1 }, 'NoAnswer', now).client;
          assert.equal(Object.keys(client).toString(), shape);
          assert.equal(client.validUntilMs !== 0, client.licenseStatus === 1);
          assert.equal(client.graceEndsAtMs !== 0, client.licenseStatus === 2 || client.licenseStatus === 3);
          assert.ok(minutesToExpiry(client, now) <= 180 * 1440);
          if (s.do !== 'silence') assert.ok(client.nextAttemptAtMs > now);
        }
      }),
    );
  });

  test('S3-86 a client with a living host stays licensed for years', () => {
    let client = licensed();
    for (let tries = 0; tries < 150; tries++) {
      const now = nextChangeAtMs(client);
      client = afterAnswer(advance(client, now), answer(), now).client;
      assert.equal(client.licenseStatus, 1);
    }
    assert.equal(client.nextAttemptAtMs, T0 + 151 * 7 * DAY);
  });
});
