// SPDX-License-Identifier: Apache-2.0

// What is concluded of hosts from what exists of them.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ANNOTATIONS } from '@kmspool/crds';
import { templateHash } from './build/deployment.ts';
import { judgeHosts } from './hosts.ts';
import type { Deployment, DnsEndpoint } from './kinds.ts';
import { settle, settleDns, settleHosts, settlePods, settleServices } from './surroundings.fake.ts';
import { FakeWorld, POOL_ID, specOf } from './world.fake.ts';

/** The ports in the SRV records, by ordinal. */
const portsOf = (fake: FakeWorld): number[] =>
  (fake.get<DnsEndpoint>('DNSEndpoint')?.spec?.endpoints ?? [])
    .filter(({ recordType }) => recordType === 'SRV')
    .flatMap(({ targets }) => targets.map((line) => Number(line.split(' ')[2])));

/** What stands in the SRV records while the world goes on for so many rounds, each different state once. */
function portsSeen(fake: FakeWorld, rounds: number): Set<string> {
  const seen = new Set([portsOf(fake).join()]);
  for (let round = 0; round < rounds; round++) {
    fake.reconcile();
    settlePods(fake);
    settleServices(fake);
    settleHosts(fake);
    fake.reconcile();
    settleDns(fake);
    seen.add(portsOf(fake).join());
    fake.nowMs += 11_000;
  }
  return seen;
}

describe('while the port is being changed', () => {
  for (const type of ['PodIP', 'ClusterIP'] as const)
    test(`each record names the port at which its host can be reached now (${type})`, () => {
      const fake = new FakeWorld(specOf(3, { exposure: { type } }));
      settle(fake);
      fake.change({ port: 1700 });
      const seen = portsSeen(fake, 20);
      assert.deepEqual([...seen], ['1688,1688,1688', '1688,1688,1700', '1688,1700,1700', '1700,1700,1700']);
    });
});

describe('while the kind of exposure is being changed', () => {
  test('a host stays in DNS as it can be reached until it is its turn: there is always one', () => {
    const fake = new FakeWorld(specOf(2, { exposure: { type: 'ClusterIP' } }));
    settle(fake);
    fake.change({ exposure: { type: 'NodePort' } });
    const seen = portsSeen(fake, 40);
    assert.deepEqual([...seen].at(-1), '30000,30001');
    assert.ok(!seen.has(''), [...seen].join(' then '));
  });
});

describe('a generation of a Deployment that its controller has not seen yet', () => {
  /** A settled world in which somebody has annotated the Deployment, and the Pod is of this template. */
  const annotated = (template: string | undefined): FakeWorld => {
    const fake = new FakeWorld(specOf(1));
    settle(fake);
    const deployment = fake.get<Deployment>('Deployment', 'campus-0') ?? assert.fail();
    const { metadata } = deployment;
    fake.put('Deployment', { ...deployment, metadata: { ...metadata, generation: (metadata.generation ?? 0) + 1 } });
    const hash = template ?? templateHash(deployment) ?? assert.fail();
    fake.pods = fake.pods.map((pod) => ({
      ...pod,
      metadata: { ...pod.metadata, annotations: { [ANNOTATIONS.templateHash]: hash } },
    }));
    return fake;
  };
  const templateOf = (fake: FakeWorld) => judgeHosts(fake.world(), POOL_ID)[0]?.template;

  test('is nothing to wait for while the one Pod is ready and of the wanted template', () => {
    assert.equal(templateOf(annotated(undefined)), 'Current');
  });

  test('is waited for when the Pod is of another template, is not ready, or is not alone', () => {
    assert.equal(templateOf(annotated('another')), 'Updating');
    const unready = annotated(undefined);
    unready.pods = unready.pods.map((pod) => ({ ...pod, status: { ...pod.status, conditions: [] } }));
    assert.equal(templateOf(unready), 'Updating');
    const two = annotated(undefined);
    two.pods = two.pods.flatMap((pod) => [pod, { ...pod, metadata: { ...pod.metadata, name: 'other', uid: 'other' } }]);
    assert.equal(templateOf(two), 'Updating');
  });
});

describe('a host that is not ready leaves only when it is known not to be for its store', () => {
  const broken = new Set(['campus-0', 'campus-1']);
  const SPEC = specOf(2, { dns: { domains: [{ name: 'lab.example' }], withdrawAfterSeconds: 0, minChangeSeconds: 0 } });

  function unready(): FakeWorld {
    const fake = new FakeWorld(SPEC);
    settle(fake);
    fake.nowMs += 60_000;
    settlePods(fake, broken);
    return fake;
  }

  test('while its last words are older than that, it stays; it is asked, and when it says nothing of a store it leaves', () => {
    const fake = unready();
    const plan = fake.reconcile();
    assert.equal(portsOf(fake).length, 2);
    assert.equal(plan.requeueAfterMs, 5_000);
    fake.nowMs += 1_000;
    settleHosts(fake);
    fake.reconcile();
    assert.equal(portsOf(fake).length, 0);
  });

  test('and when it says that its store is lost, it stays', () => {
    const fake = unready();
    settleHosts(fake, 'Refusing');
    fake.nowMs += 3_600_000;
    fake.reconcile();
    assert.equal(portsOf(fake).length, 2);
  });

  test('when it says nothing new it leaves all the same, and at once when it cannot be asked', () => {
    const mute = unready();
    mute.nowMs += 15_000;
    mute.reconcile();
    assert.equal(portsOf(mute).length, 0);
    const gone = unready();
    for (const [name, { podUid }] of gone.reports) gone.reports.set(name, { podUid, atMs: gone.nowMs, error: 'gone' });
    gone.reconcile();
    assert.equal(portsOf(gone).length, 0);
  });

  test('an operator that has just started and asked nobody withdraws nothing', () => {
    const fake = unready();
    fake.reports.clear();
    fake.nowMs += 3_600_000;
    fake.reconcile();
    assert.equal(portsOf(fake).length, 2);
    settleHosts(fake, 'Refusing');
    fake.reconcile();
    assert.equal(portsOf(fake).length, 2);
  });
});
