// SPDX-License-Identifier: Apache-2.0

// Name servers are given time for what has changed, and are not blamed before they could know.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KmsHostPoolStatus } from '@kmspool/crds';
import { planPool } from './plan.ts';
import { settle, settlePods, settleServices } from './surroundings.fake.ts';
import { FakeWorld, specOf } from './world.fake.ts';

const kindOf = (fake: FakeWorld): string | undefined =>
  planPool(fake.world()).conclusions.publication.domains[0]?.judgement.kind;

function settled(replicas: number): FakeWorld {
  const fake = new FakeWorld(specOf(replicas));
  settle(fake);
  return fake;
}

test('a name server that was asked before the first records were written is not blamed for not having them', () => {
  const fake = new FakeWorld(specOf(1));
  fake.reconcile();
  settleServices(fake);
  fake.shown.set('lab.example', []);
  settlePods(fake);
  const plan = planPool(fake.world());
  assert.ok(plan.steps.some((step) => step.kind === 'apply' && step.resource.kind === 'DNSEndpoint'));
  assert.equal(plan.conclusions.publication.domains[0]?.judgement.kind, 'Propagating');
});

test('records that change long after the last change are on their way from the same plan on', () => {
  const fake = settled(2);
  fake.nowMs += 3_600_000;
  fake.change({ dns: { domains: [{ name: 'lab.example', weight: 7 }] } });
  assert.equal(kindOf(fake), 'Propagating');
  fake.reconcile();
  assert.equal(kindOf(fake), 'Propagating');
  fake.nowMs += 130_000;
  assert.equal(kindOf(fake), 'Differs');
});

test('when all records are taken away, the name servers have as much time to forget them', () => {
  const fake = settled(1);
  fake.nowMs += 3_600_000;
  fake.change({ replicas: 0 });
  assert.equal(kindOf(fake), 'Propagating');
  fake.reconcile();
  // Of hosts whose targets are names of load balancers nothing would be left in it.
  fake.objects.delete('DNSEndpoint/campus');
  const conditions = [{ type: 'DnsPublished', status: 'Unknown', reason: 'Propagating', message: 'm' }].map((one) => ({
    ...one,
    lastTransitionTime: new Date(fake.nowMs).toISOString(),
  }));
  fake.object = { ...fake.object, status: { ...fake.object.status, conditions } as KmsHostPoolStatus };
  fake.nowMs += 100_000;
  assert.equal(kindOf(fake), 'Propagating');
  fake.nowMs += 30_000;
  assert.equal(kindOf(fake), 'Differs');
});
