// SPDX-License-Identifier: Apache-2.0
//
// Which host a client tries first, and when it asks DNS.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { answer, DAY, fresh, licensed, low, product, srv, T0 } from './fixtures.ts';
import {
  afterAnswer,
  afterRefusal,
  afterSilence,
  attemptPlan,
  clientProfile,
  forgetHost,
  needsDiscovery,
} from './index.ts';

describe('attemptPlan', () => {
  const records = [srv('a.lab.example.'), srv('b.lab.example.'), srv('c.lab.example.')];

  test('S1-39 S3-22 the cached host is tried first and DNS is not needed', () => {
    const client = licensed();
    assert.equal(needsDiscovery(client), false);
    assert.deepEqual(attemptPlan(client, [], low), [{ host: 'campus-0.lab.example', port: 1688, source: 'cached' }]);
  });

  test('S1-39 S3-22 once the cached host is silent it is dropped and DNS is asked', () => {
    const client = licensed();
    const [cached] = attemptPlan(client, [], low);
    const after = afterSilence(client, cached ?? assert.fail(), 'ConnectFailed', T0 + 7 * DAY).client;
    assert.equal(needsDiscovery(after), true);
    assert.equal(after.nextAttemptAtMs, client.nextAttemptAtMs);
    assert.deepEqual(
      attemptPlan(after, records, low)
        .map((t) => t.host)
        .toSorted(),
      ['a.lab.example', 'b.lab.example', 'c.lab.example'],
    );
  });

  test('S3-22 the silence of another host does not drop the cached one', () => {
    const after = afterSilence(licensed(), { host: 'b.lab.example', port: 1688 }, 'NoAnswer', T0).client;
    assert.equal(after.cachedHost, 'campus-0.lab.example');
  });

  test('a cached host that is also in DNS is tried once', () => {
    const plan = attemptPlan(licensed(), [srv('campus-0.lab.example.'), srv('a.lab.example')], low);
    assert.deepEqual(
      plan.map((t) => [t.host, t.source]),
      [
        ['campus-0.lab.example', 'cached'],
        ['a.lab.example', 'dns'],
      ],
    );
  });

  test('S1-39 with caching off every try asks DNS', () => {
    const off = clientProfile(product('windows-7'), { hostCaching: false });
    assert.equal(needsDiscovery(licensed(off)), true);
  });

  test('S3-76 a configured host turns discovery off', () => {
    const profile = clientProfile(product('windows-7'), { configuredHost: '127.0.16.1', port: 1690 });
    assert.equal(needsDiscovery(fresh(profile)), false);
    assert.deepEqual(attemptPlan(fresh(profile), records, low), [
      { host: '127.0.16.1', port: 1690, source: 'configured' },
    ]);
  });

  test('S3-21 C1 a Windows 7 client keeps to priority and a Vista client does not', () => {
    const tiers = [srv('far', { priority: 10, weight: 60 }), srv('near')];
    assert.equal(attemptPlan(fresh(), tiers, low)[0]?.host, 'near');
    const vista = fresh(clientProfile(product('windows-vista')));
    assert.equal(attemptPlan(vista, tiers, low)[0]?.host, 'far');
  });

  test('S2-30 S3-77 S2-37 slmgr /ckms forgets the cached host and the port', () => {
    const client = afterAnswer(fresh(), answer({ port: 1700 }), T0).client;
    assert.equal(client.port, 1700);
    const forgot = forgetHost(client);
    assert.deepEqual([forgot.cachedHost, forgot.port, needsDiscovery(forgot)], ['', 1688, true]);
  });

  test('S3-22 a refusal drops the cached host, so that the next try looks at all hosts', () => {
    assert.equal(needsDiscovery(afterRefusal(licensed(), 0xc004f041, T0).client), true);
  });
});
