// SPDX-License-Identifier: Apache-2.0
//
// What answers, refusals and failures do to a client, and what they write. Nothing here waits.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { eventById, hresult } from '../catalog/index.ts';
import { answer, DAY, fresh, licensed, low, MINUTE, product, SERVER, T0 } from './fixtures.ts';
import {
  advance,
  afterAnswer,
  afterFailure,
  afterRefusal,
  afterSilence,
  attemptPlan,
  clientProfile,
  FAILURE_HRESULTS,
  newClient,
} from './index.ts';

describe('afterAnswer', () => {
  test('S3-08 S3-10 S4-23 a count below N leaves the client in grace with 0xC004F038 and retries in 2 hours', () => {
    const step = afterAnswer(fresh(), answer({ count: 24 }), T0 + DAY);
    assert.equal(step.hresult, 0xc004f038);
    assert.equal(step.client.licenseStatus, 2);
    assert.equal(step.client.graceEndsAtMs, T0 + 30 * DAY);
    assert.equal(step.client.nextAttemptAtMs, T0 + DAY + 120 * MINUTE);
  });

  test('S1-06 S3-16 a count of N licenses for 180 days and renews after 7', () => {
    const { client, hresult: code } = afterAnswer(fresh(), answer({ count: 25 }), T0 + DAY);
    assert.equal(code, 0);
    assert.equal(client.licenseStatus, 1);
    assert.equal(client.validUntilMs, T0 + 181 * DAY);
    assert.equal(client.graceEndsAtMs, 0);
    assert.equal(client.nextAttemptAtMs, T0 + 8 * DAY);
  });

  test('S3-09 the same count of 5 suffices for a server and not for a client', () => {
    assert.equal(afterAnswer(fresh(SERVER), answer({ count: 5 }), T0).client.licenseStatus, 1);
    assert.equal(afterAnswer(fresh(), answer({ count: 5 }), T0).client.licenseStatus, 2);
    assert.equal(afterAnswer(fresh(SERVER), answer({ count: 4 }), T0).client.licenseStatus, 2);
  });

  test('S3-16 S3-86 a renewal starts the 180 days anew', () => {
    const renewed = afterAnswer(licensed(), answer(), T0 + 7 * DAY).client;
    assert.equal(renewed.validUntilMs, T0 + 187 * DAY);
    assert.equal(renewed.nextAttemptAtMs, T0 + 14 * DAY);
  });

  test('S3-16 a renewal with too low a count keeps the activation and retries every 2 hours', () => {
    const step = afterAnswer(licensed(), answer({ count: 3 }), T0 + 7 * DAY);
    assert.equal(step.client.licenseStatus, 1);
    assert.equal(step.client.validUntilMs, T0 + 180 * DAY);
    assert.equal(step.client.nextAttemptAtMs, T0 + 7 * DAY + 120 * MINUTE);
  });

  test('S3-54 S3-55 the intervals that the host hands over win', () => {
    const told = { activationIntervalMinutes: 15, renewalIntervalMinutes: 60 };
    const waiting = afterAnswer(fresh(), answer({ count: 1, ...told }), T0).client;
    assert.equal(waiting.nextAttemptAtMs, T0 + 15 * MINUTE);
    const active = afterAnswer(fresh(), answer(told), T0).client;
    assert.equal(active.nextAttemptAtMs, T0 + 60 * MINUTE);
    assert.equal(afterFailure(active, 'NoAnswer', T0).client.nextAttemptAtMs, T0 + 15 * MINUTE);
  });

  test('an interval of 0 from a broken host does not make the client try without end', () => {
    const zero = { activationIntervalMinutes: 0, renewalIntervalMinutes: 0 };
    assert.ok(afterAnswer(fresh(), answer(zero), T0).client.nextAttemptAtMs > T0);
    assert.ok(afterAnswer(fresh(), answer({ ...zero, count: 0 }), T0).client.nextAttemptAtMs > T0);
  });

  test('S1-21 C8 the port that the host hands over overwrites one set on the client', () => {
    const profile = clientProfile(product('windows-10'), { configuredHost: 'kms.lab.example', port: 1700 });
    const before = newClient(profile, T0);
    assert.equal(attemptPlan(before, [], low)[0]?.port, 1700);
    const after = afterAnswer(before, answer({ host: 'kms.lab.example', port: 1688, contactedPort: 1700 }), T0);
    assert.equal(after.client.port, 1688);
    assert.equal(attemptPlan(after.client, [], low)[0]?.port, 1688);
    assert.equal(after.events[0]?.id === 12288 && after.events[0].port, 1700);
  });

  test('S3-22 a host that answers is cached, whether or not the count sufficed', () => {
    assert.equal(afterAnswer(fresh(), answer({ count: 1 }), T0).client.cachedHost, 'campus-0.lab.example');
    const off = clientProfile(product('windows-7'), { hostCaching: false });
    assert.equal(afterAnswer(fresh(off), answer(), T0).client.cachedHost, '');
  });

  test('a client in notification becomes licensed by an answer', () => {
    const late = advance(fresh(), T0 + 31 * DAY);
    assert.equal(late.licenseStatus, 5);
    assert.equal(afterAnswer(late, answer(), T0 + 31 * DAY).client.licenseStatus, 1);
  });
});

describe('refusals and failures', () => {
  test('S4-26 S1-43 a refusal keeps the status, retries in 2 hours and writes both events with the code in 12289', () => {
    const target = { host: 'kms.lab.example', port: 1688 };
    const step = afterRefusal(fresh(), 0xc004f042 | 0, T0, target);
    assert.equal(step.hresult, 0xc004f042);
    assert.equal(step.client.lastHresult, 0xc004f042);
    assert.equal(step.client.licenseStatus, 2);
    assert.equal(step.client.nextAttemptAtMs, T0 + 120 * MINUTE);
    assert.deepEqual(
      step.events.map((e) => [e.id, e.hresult]),
      [
        [12288, 0],
        [12289, 0xc004f042],
      ],
    );
  });

  test('S4-05 S4-07 S4-03 S4-24 S4-32 each kind of failure has its code, and the catalogue knows it as the client’s', () => {
    assert.deepEqual(FAILURE_HRESULTS, {
      NoSrvRecord: 0x8007232b,
      NoDnsDomain: 0x8007007b,
      ConnectFailed: 0x800706ba,
      NoAnswer: 0xc004f039,
      AllHostsFailed: 0xc004f074,
    });
    for (const code of [...Object.values(FAILURE_HRESULTS), 0xc004f038]) {
      assert.equal(hresult(code)?.decidedBy, 'client');
    }
    assert.equal(afterFailure(fresh(), 'AllHostsFailed', T0).client.lastHresult, 0xc004f074);
  });

  test('S3-16 a licensed client whose renewal fails stays licensed and tries every 2 hours', () => {
    const { client } = afterFailure(licensed(), 'AllHostsFailed', T0 + 7 * DAY);
    assert.equal(client.licenseStatus, 1);
    assert.equal(client.validUntilMs, T0 + 180 * DAY);
    assert.equal(client.nextAttemptAtMs, T0 + 7 * DAY + 120 * MINUTE);
  });

  test('S2-03 S3-75 a client without SRV records writes a 12288 with the DNS code and no host', () => {
    const { events } = afterFailure(fresh(), 'NoSrvRecord', T0);
    assert.equal(events.length, 1);
    const [event] = events;
    assert.ok(event?.id === 12288);
    assert.deepEqual([event.hresult, event.host, event.port], [0x8007232b, '', 0]);
  });
});

describe('events', () => {
  test('S1-40 S1-42 S1-44 S1-45 an answer gives 12288 with host, port and state, then 12289 with flag and count', () => {
    const { events } = afterAnswer(fresh(), answer({ count: 4 }), T0 + DAY);
    assert.deepEqual(events, [
      {
        id: 12288,
        atMs: T0 + DAY,
        hresult: 0,
        flags: 0,
        host: 'campus-0.lab.example',
        port: 1688,
        licenseStatus: 2,
        minutesToExpiry: 29 * 1440,
        requiredCount: 25,
      },
      {
        id: 12289,
        atMs: T0 + DAY,
        hresult: 0xc004f038,
        flags: 0x04000000,
        activated: false,
        count: 4,
        activationIntervalMinutes: 120,
        renewalIntervalMinutes: 10080,
      },
    ]);
    const [, good] = afterAnswer(fresh(), answer(), T0).events;
    assert.ok(good?.id === 12289 && good.activated && good.flags === 0 && good.hresult === 0);
  });

  test('S1-41 a host that stays silent gives 12288 only, and all hosts failing adds none', () => {
    const target = { host: 'a.lab.example', port: 1688 };
    const silent = afterSilence(fresh(), target, 'ConnectFailed', T0);
    assert.deepEqual(
      silent.events.map((e) => [e.id, e.hresult]),
      [[12288, 0x800706ba]],
    );
    assert.deepEqual(afterFailure(silent.client, 'AllHostsFailed', T0).events, []);
    assert.equal(afterFailure(fresh(), 'ConnectFailed', T0, target).events.length, 1);
  });

  test('the events’ own fields bear the names of the catalogue’s', () => {
    for (const event of afterAnswer(fresh(), answer(), T0).events) {
      const names = new Set(eventById(event.id)?.fields.map((f) => f.name));
      const renamed: Record<string, string> = { host: 'server', port: 'server', requiredCount: 'minimumCount' };
      for (const key of Object.keys(event).filter((k) => k !== 'id' && k !== 'atMs')) {
        assert.ok(names.has(renamed[key] ?? key), `${event.id} ${key}`);
      }
    }
  });
});
