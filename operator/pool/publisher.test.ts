// SPDX-License-Identifier: Apache-2.0

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { DnsEndpoint } from './kinds.ts';
import { planPool } from './plan.ts';
import { judgePublisher } from './publisher.ts';
import type { Publication } from './state.ts';
import { settle } from './surroundings.fake.ts';
import { FakeWorld, POOL_ID, specOf } from './world.fake.ts';

const MINUTE = 60_000;

/** A settled pool whose DNSEndpoint was made now and read by nobody. */
function unread(): FakeWorld {
  const fake = new FakeWorld(specOf(1));
  settle(fake);
  const { status: _, ...endpoint } = fake.get<DnsEndpoint>('DNSEndpoint') as DnsEndpoint;
  const creationTimestamp = new Date(fake.nowMs).toISOString();
  fake.put('DNSEndpoint', { ...endpoint, metadata: { ...endpoint.metadata, creationTimestamp } });
  return fake;
}

const modeOf = (fake: FakeWorld): Publication['mode'] => judgePublisher(fake.world()).mode;

describe('a DNSEndpoint that nobody reads (S3-69)', () => {
  test('has no publisher once external-dns should have looked twice, and the plan comes back by then', () => {
    const fake = unread();
    const { mode, waitsUntilMs, publishingSeconds } = judgePublisher(fake.world());
    assert.deepEqual([mode, waitsUntilMs, publishingSeconds], ['On', fake.nowMs + 2 * MINUTE, 120]);
    assert.equal(planPool(fake.world()).requeueAfterMs, 2 * MINUTE);
    fake.nowMs += 2 * MINUTE - 1;
    assert.equal(modeOf(fake), 'On');
    fake.nowMs += 1;
    assert.equal(modeOf(fake), 'NoPublisher');
    assert.equal(planPool(fake.world()).requeueAfterMs, undefined);
  });

  test('has none however often its records change meanwhile', () => {
    const fake = unread();
    fake.nowMs += 2 * MINUTE;
    fake.change({ dns: { domains: [{ name: 'lab.example', weight: 7 }] } });
    fake.reconcile();
    assert.equal(modeOf(fake), 'NoPublisher');
  });

  test('is not yet a failure of anybody', () => {
    const fake = unread();
    fake.shown.set('lab.example', []);
    fake.nowMs += 2 * MINUTE - 1;
    assert.equal(planPool(fake.world()).conclusions.publication.domains[0]?.judgement.kind, 'Propagating');
  });

  test('is waited for as long as external-dns takes by what the operator was told', () => {
    const fake = unread();
    fake.settings = { ...fake.settings, externalDnsIntervalSeconds: 600 };
    fake.nowMs += 19 * MINUTE;
    assert.equal(modeOf(fake), 'On');
    fake.nowMs += MINUTE;
    assert.equal(modeOf(fake), 'NoPublisher');
  });
});

test('who has come to read it late has as much time to publish as anybody, and the DNSEndpoint says since when', () => {
  const fake = unread();
  fake.shown.set('lab.example', []);
  fake.nowMs += 60 * MINUTE;
  const dns = [{ domain: 'lab.example', record: 'r', desired: 1, observed: 0, reason: 'NoPublisher' }];
  fake.object = { ...fake.object, status: { poolId: POOL_ID, dns } };
  const endpoint = fake.get<DnsEndpoint>('DNSEndpoint') as DnsEndpoint;
  fake.put('DNSEndpoint', { ...endpoint, status: { observedGeneration: 1 } } as DnsEndpoint);
  const kind = (): string | undefined => planPool(fake.world()).conclusions.publication.domains[0]?.judgement.kind;
  assert.deepEqual([modeOf(fake), kind()], ['On', 'Propagating']);
  fake.reconcile();
  fake.object = {
    ...fake.object,
    status: { poolId: POOL_ID, dns: dns.map((one) => ({ ...one, reason: 'Propagating' })) },
  };
  fake.nowMs += 2 * MINUTE - 1_000;
  assert.deepEqual([planPool(fake.world()).steps, kind()], [[], 'Propagating']);
  fake.nowMs += 1_000;
  assert.equal(kind(), 'Differs');
});

test('without domains, with publishing off and without the kind nobody is waited for', () => {
  const dns = { domains: [{ name: 'lab.example' }] };
  const fake = new FakeWorld(specOf(1, { dns: {} }));
  assert.equal(modeOf(fake), 'NoDomains');
  fake.change({ dns: { ...dns, publisher: 'None' } });
  assert.equal(modeOf(fake), 'Off');
  fake.change({ dns });
  fake.dnsEndpointServed = false;
  assert.equal(modeOf(fake), 'NoPublisher');
});
