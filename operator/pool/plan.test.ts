// SPDX-License-Identifier: Apache-2.0

// World in, steps and conclusions out.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ANNOTATIONS, LABELS } from '@kmspool/crds';
import type { ConfigMap, Deployment, DnsEndpoint, LeanSecret } from './kinds.ts';
import { planPool } from './plan.ts';
import type { Step } from './state.ts';
import { settle, settleDns, settleHosts, settlePods, settleServices } from './surroundings.fake.ts';
import { FakeWorld, POOL_ID, specOf } from './world.fake.ts';

const names = (steps: readonly Step[]): string[] =>
  steps.map((step) => {
    if (step.kind === 'apply') return `apply ${step.resource.kind}/${step.object.metadata.name}`;
    if (step.kind === 'delete' || step.kind === 'annotate')
      return `${step.kind} ${step.resource.kind}/${step.ref.name}`;
    return step.kind === 'makeSecret' ? `make ${step.name}` : step.kind;
  });

const srv = (fake: FakeWorld): readonly string[] =>
  (fake.get<DnsEndpoint>('DNSEndpoint')?.spec?.endpoints ?? [])
    .filter(({ recordType }) => recordType === 'SRV')
    .flatMap(({ targets }) => targets);

const settled = (replicas: number, more = {}): FakeWorld => {
  const fake = new FakeWorld(specOf(replicas, more));
  settle(fake);
  return fake;
};

describe('a new pool', () => {
  test('gets its finalizer and its key before anything else', () => {
    const fake = new FakeWorld(specOf(2));
    assert.deepEqual(names(planPool(fake.world()).steps), ['addFinalizer', 'make campus-key']);
  });

  test('then everything that its hosts need, and no DNS record before a host is ready', () => {
    const fake = new FakeWorld(specOf(2));
    for (const step of planPool(fake.world()).steps) fake.apply(step);
    assert.deepEqual(names(planPool(fake.world()).steps), [
      'make campus-admin',
      'apply ServiceAccount/campus',
      'apply PodDisruptionBudget/campus',
      'apply NetworkPolicy/campus',
      'apply ConfigMap/campus-0',
      'apply Service/campus-0',
      'apply Deployment/campus-0',
      'apply ConfigMap/campus-1',
      'apply Service/campus-1',
      'apply Deployment/campus-1',
    ]);
  });

  test('is published as a whole, or without the hosts that are late; they follow', () => {
    const fake = new FakeWorld(specOf(2));
    fake.reconcile();
    settleServices(fake);
    settlePods(fake, new Set(['campus-1']));
    fake.reconcile();
    assert.deepEqual(srv(fake), [], 'the first records wait for hosts that are about to be ready');
    fake.nowMs += 10_000;
    fake.reconcile();
    assert.deepEqual(srv(fake), ['0 0 1688 campus-0.kms.lab.example.']);
    settlePods(fake);
    assert.deepEqual(names(planPool(fake.world()).steps), [], 'held for minChangeSeconds (S3-63)');
    fake.nowMs += 10_000;
    fake.reconcile();
    assert.deepEqual(srv(fake), ['0 0 1688 campus-0.kms.lab.example.', '0 0 1688 campus-1.kms.lab.example.']);
  });

  test('comes to rest', () => {
    const plan = settle(new FakeWorld(specOf(3)));
    assert.equal(plan.conclusions.rollout.kind, 'Settled');
    assert.equal(plan.conclusions.publication.settled, true);
    assert.equal(plan.requeueAfterMs, undefined);
  });
});

describe('identity', () => {
  test('a Secret that the user brought is taken as it is', () => {
    const fake = new FakeWorld(specOf(1));
    fake.put('Secret', {
      metadata: { name: 'campus-key', namespace: 'kms' },
      poolId: POOL_ID,
      keyBytes: 64,
    } as LeanSecret);
    assert.ok(!names(planPool(fake.world()).steps).includes('make campus-key'));
  });

  test('a key that is gone is never made anew once the pool had an identity, and the hosts are left alone', () => {
    const fake = settled(2);
    fake.object = { ...fake.object, status: { poolId: POOL_ID } };
    fake.objects.delete('Secret/campus-key');
    const { steps, conclusions } = planPool(fake.world());
    assert.deepEqual(steps, []);
    assert.equal(conclusions.identity.kind === 'refused' && conclusions.identity.reason, 'KeyChanged');
  });

  test('another key is refused', () => {
    const fake = settled(2);
    fake.object = { ...fake.object, status: { poolId: 'aaaaaaaa-0000-4000-8000-000000000000' } };
    assert.equal(planPool(fake.world()).conclusions.identity.kind, 'refused');
  });

  test('a key of 31 bytes is refused with its remedy', () => {
    const fake = new FakeWorld(specOf(1));
    fake.put('Secret', { metadata: { name: 'campus-key' }, keyBytes: 31 } as LeanSecret);
    const { identity } = planPool(fake.world()).conclusions;
    assert.match(
      identity.kind === 'refused' ? identity.message : '',
      /31 bytes in data\.key; put at least 32 random bytes/,
    );
  });
});

describe('names that are somebody else’s', () => {
  test('a foreign Service is never touched, and named as a clash', () => {
    const fake = new FakeWorld(specOf(1));
    fake.put('Service', { metadata: { name: 'campus-0', namespace: 'kms', uid: 'foreign' } });
    const plan = settle(fake);
    assert.deepEqual(
      plan.conclusions.clashes.map(({ resource, ref }) => `${resource.kind}/${ref.name}`),
      ['Service/campus-0'],
    );
    assert.equal(fake.get('Service', 'campus-0')?.metadata.uid, 'foreign');
  });

  test('it is looked at again soon, for nobody tells when it goes', () => {
    const fake = settled(1);
    fake.put('ServiceAccount', { metadata: { name: 'campus', namespace: 'kms', uid: 'foreign' } });
    assert.equal(planPool(fake.world()).requeueAfterMs, 5_000);
  });

  test('an admin Secret of the user’s without a token is a clash', () => {
    const fake = settled(1);
    fake.put('Secret', { metadata: { name: 'campus-admin', namespace: 'kms', uid: 'theirs' } });
    assert.deepEqual(
      planPool(fake.world()).conclusions.clashes.map(({ ref }) => ref.name),
      ['campus-admin'],
    );
  });

  test('an object of a pool of the same name that was deleted is waited for, not a clash', () => {
    const fake = new FakeWorld(specOf(1));
    const ownerReferences = [
      { apiVersion: 'kmspool.io/v1alpha1', kind: 'KmsHostPool', name: 'campus', uid: 'earlier', controller: true },
    ];
    fake.put('ServiceAccount', { metadata: { name: 'campus', uid: 'old', ownerReferences } });
    fake.reconcile();
    assert.deepEqual(planPool(fake.world()).conclusions.clashes, []);
    assert.equal(fake.get('ServiceAccount')?.metadata.uid, 'old');
  });
});

describe('a change that needs new Pods', () => {
  test('replaces one host at a time, the last ordinal first, the next only when all are ready and DNS is true', () => {
    const fake = settled(3);
    fake.change({ port: 1700 });
    const order: string[] = [];
    for (let round = 0; round < 40 && order.length < 3; round++) {
      const { steps } = planPool(fake.world());
      const deployments = names(steps).filter((name) => name.startsWith('apply Deployment/'));
      assert.ok(deployments.length <= 1);
      order.push(...deployments.map((name) => name.slice('apply Deployment/'.length)));
      for (const step of steps) fake.apply(step);
      if (deployments.length > 0) {
        assert.deepEqual(
          names(planPool(fake.world()).steps).filter((name) => name.includes('Deployment')),
          [],
          'until its Pod is ready',
        );
        settlePods(fake);
      } else {
        settleServices(fake);
        settleHosts(fake);
        settleDns(fake);
        fake.nowMs += 11_000;
      }
    }
    assert.deepEqual(order, ['campus-2', 'campus-1', 'campus-0']);
  });

  test('waits while a host is not ready', () => {
    const fake = settled(3);
    settlePods(fake, new Set(['campus-0']));
    fake.change({ port: 1700 });
    const deployments = names(planPool(fake.world()).steps).filter((name) => name.startsWith('apply Deployment/'));
    assert.deepEqual(
      deployments,
      ['apply Deployment/campus-0'],
      'the one that serves nobody has its turn, the others wait',
    );
  });

  test('waits while a name server shows other records', () => {
    const fake = settled(2);
    fake.change({ pod: { priorityClassName: 'high' } });
    fake.shown.set('lab.example', []);
    assert.deepEqual(names(planPool(fake.world()).steps), []);
    assert.match(planPool(fake.world()).conclusions.rollout.message, /name servers/);
    settleDns(fake);
    assert.deepEqual(names(planPool(fake.world()).steps), ['apply Deployment/campus-1']);
  });

  test('a host out of turn takes over at once what needs no restart, and nothing else', () => {
    const fake = settled(2);
    fake.change({ port: 1700, renewalIntervalMinutes: 60 });
    const plan = planPool(fake.world());
    const config = plan.steps.find((step) => step.kind === 'apply' && step.object.metadata.name === 'campus-0');
    const { port, renewalIntervalMinutes } = JSON.parse(
      (config?.kind === 'apply' ? (config.object as ConfigMap).data?.['host.json'] : undefined) ?? '{}',
    ) as { port: number; renewalIntervalMinutes: number };
    assert.deepEqual({ port, renewalIntervalMinutes }, { port: 1688, renewalIntervalMinutes: 60 });
  });

  test('what needs no restart reaches every host at once and replaces nothing', () => {
    const fake = settled(3);
    fake.change({ activationIntervalMinutes: 30 });
    assert.deepEqual(names(planPool(fake.world()).steps), [
      'apply ConfigMap/campus-0',
      'apply ConfigMap/campus-1',
      'apply ConfigMap/campus-2',
    ]);
  });
});

describe('a host that is lost', () => {
  test('stays in DNS for withdrawAfterSeconds, then leaves, and comes back when it is ready', () => {
    const fake = settled(2);
    settlePods(fake, new Set(['campus-1']));
    fake.nowMs += 29_000;
    const plan = planPool(fake.world());
    assert.deepEqual(plan.steps, []);
    assert.equal(plan.requeueAfterMs, 1_000);
    fake.nowMs += 1_000;
    fake.reconcile();
    assert.deepEqual(srv(fake), ['0 0 1688 campus-0.kms.lab.example.']);
    fake.nowMs += 60_000;
    settlePods(fake);
    fake.reconcile();
    assert.equal(srv(fake).length, 2);
  });

  test('keeps its address while it is out of the SRV set, for clients that still hold the record', () => {
    const fake = settled(2);
    settlePods(fake, new Set(['campus-1']));
    fake.nowMs += 60_000;
    fake.reconcile();
    const sets = fake.get<DnsEndpoint>('DNSEndpoint')?.spec?.endpoints ?? [];
    assert.ok(sets.some(({ dnsName }) => dnsName === 'campus-1.kms.lab.example'));
  });

  test('is never withdrawn because the store is lost', () => {
    const fake = settled(2);
    settlePods(fake, new Set(['campus-0', 'campus-1']));
    settleHosts(fake, 'Refusing');
    fake.nowMs += 3_600_000;
    fake.reconcile();
    assert.equal(srv(fake).length, 2);
  });

  test('a DNSEndpoint that somebody deleted is made anew from what the servers last showed (S2-11)', () => {
    const fake = settled(2);
    settlePods(fake, new Set(['campus-1']));
    const published = srv(fake);
    fake.object = {
      ...fake.object,
      status: {
        poolId: POOL_ID,
        dns: [
          {
            domain: 'lab.example',
            record: '_vlmcs._tcp.lab.example',
            desired: 2,
            observed: 2,
            published: [...published],
          },
        ],
      },
    };
    fake.objects.delete('DNSEndpoint/campus');
    fake.nowMs += 5_000;
    fake.reconcile();
    assert.deepEqual(srv(fake), published);
  });
});

describe('scaling down', () => {
  test('takes a host out of DNS, waits until no server shows it and for one TTL, then stops it', () => {
    const fake = settled(3);
    fake.change({ replicas: 2 });
    assert.deepEqual(names(planPool(fake.world()).steps), ['apply DNSEndpoint/campus', 'annotate Deployment/campus-2']);
    fake.reconcile();
    assert.deepEqual(names(planPool(fake.world()).steps), []);
    fake.nowMs += 5_000;
    settleDns(fake);
    assert.match(planPool(fake.world()).conclusions.rollout.message, /one TTL/);
    fake.nowMs += 60_000;
    assert.deepEqual(names(planPool(fake.world()).steps), [
      'delete Deployment/campus-2',
      'delete Service/campus-2',
      'delete ConfigMap/campus-2',
    ]);
    assert.match(planPool(fake.world()).conclusions.rollout.message, /campus-2: is being stopped/);
    fake.reconcile();
    assert.equal(planPool(fake.world()).conclusions.rollout.kind, 'Settled');
    fake.nowMs += 11_000;
    fake.reconcile();
    const sets = fake.get<DnsEndpoint>('DNSEndpoint')?.spec?.endpoints ?? [];
    assert.ok(!sets.some(({ dnsName }) => dnsName.startsWith('campus-2')), 'its address goes with it');
  });

  test('gives up after the bound and names the record that was left', () => {
    const fake = settled(2);
    fake.change({ replicas: 1 });
    fake.reconcile();
    fake.nowMs += 599_000;
    assert.deepEqual(planPool(fake.world()).events, []);
    fake.nowMs += 2_000;
    const { events, steps } = planPool(fake.world());
    assert.equal(events[0]?.reason, 'StaleRecord');
    assert.match(
      events[0]?.message ?? '',
      /_vlmcs\._tcp\.lab\.example SRV 0 0 1688 campus-1\.kms\.lab\.example\. at ns1\.test/,
    );
    assert.ok(names(steps).includes('delete Deployment/campus-1'));
  });

  test('a host that is wanted again before it left is kept', () => {
    const fake = settled(2);
    fake.change({ replicas: 1 });
    fake.reconcile();
    fake.change({ replicas: 2 });
    fake.nowMs += 11_000;
    settle(fake);
    assert.equal(
      fake.get<Deployment>('Deployment', 'campus-1')?.metadata.annotations?.[ANNOTATIONS.withdrawnAt],
      undefined,
    );
    assert.equal(srv(fake).length, 2);
  });

  test('without a publisher there is nothing to wait for', () => {
    const fake = settled(2, { dns: { domains: [{ name: 'lab.example' }], publisher: 'None' } });
    fake.change({ replicas: 1 });
    fake.reconcile();
    assert.equal(fake.get('Deployment', 'campus-1'), undefined);
  });
});

describe('deletion', () => {
  test('withdraws the records, waits until they are gone and one TTL, then lets go', () => {
    const fake = settled(2);
    fake.delete();
    assert.deepEqual(names(planPool(fake.world()).steps), ['delete DNSEndpoint/campus']);
    fake.object = {
      ...fake.object,
      status: { dns: [{ domain: 'lab.example', record: 'r', desired: 2, observed: 2, published: ['x'] }] },
    };
    fake.reconcile();
    fake.nowMs += 2_000;
    settleDns(fake);
    assert.deepEqual(names(planPool(fake.world()).steps), []);
    fake.nowMs += 60_000;
    assert.deepEqual(names(planPool(fake.world()).steps), ['removeFinalizer']);
  });

  test('gives up after ten minutes and says which record was left', () => {
    const fake = settled(1);
    fake.delete();
    fake.nowMs += 601_000;
    const { steps, events } = planPool(fake.world());
    assert.ok(names(steps).includes('removeFinalizer'));
    assert.deepEqual(
      events.map(({ reason }) => reason),
      ['StaleRecord'],
    );
  });

  test('does not wait long when no host runs any more', () => {
    const fake = settled(1);
    fake.delete();
    fake.pods = [];
    fake.nowMs += 61_000;
    assert.ok(names(planPool(fake.world()).steps).includes('removeFinalizer'));
  });

  test('Purge ends the hosts first, then the keys, then the Secret that it made', () => {
    const fake = settled(1, { store: { redis: { url: 'redis://redis:6379' }, onDelete: 'Purge' }, dns: {} });
    const key = fake.get<LeanSecret>('Secret', 'campus-key');
    fake.put('Secret', {
      ...key,
      metadata: {
        ...key?.metadata,
        name: 'campus-key',
        labels: { [LABELS.managedBy]: 'kmspool-operator', [LABELS.pool]: 'campus' },
      },
    } as LeanSecret);
    fake.delete();
    const [pod] = fake.pods;
    assert.deepEqual(names(planPool(fake.world()).steps), ['delete Deployment/campus-0']);
    fake.reconcile();
    assert.deepEqual(fake.purged, [POOL_ID]);
    assert.equal(fake.get('Secret', 'campus-key'), undefined);
    assert.ok(pod !== undefined);
  });

  test('Purge leaves the table of a pool with the same key alone, and says so', () => {
    const fake = settled(1, { store: { redis: { url: 'redis://redis:6379' }, onDelete: 'Purge' }, dns: {} });
    fake.extra = { twins: ['kms/other'] };
    fake.delete();
    fake.apply(planPool(fake.world()).steps[0] as Step);
    const { steps, events } = planPool(fake.world());
    assert.deepEqual(names(steps), ['removeFinalizer']);
    assert.equal(events[0]?.reason, 'PurgeIncomplete');
  });

  test('Retain keeps the keys and the Secret', () => {
    const fake = settled(1, { dns: {} });
    fake.delete();
    fake.reconcile();
    assert.deepEqual(fake.purged, []);
    assert.notEqual(fake.get('Secret', 'campus-key'), undefined);
  });
});

describe('domains', () => {
  test('outside the test zones nothing is published (ZoneNotAllowed)', () => {
    const fake = settled(1, { dns: { domains: [{ name: 'corp.contoso.com' }] } });
    assert.equal(fake.get('DNSEndpoint'), undefined);
    const [state] = planPool(fake.world()).conclusions.publication.domains;
    assert.equal(state?.claim, 'ZoneNotAllowed');
    assert.match(state?.claimMessage ?? '', /corp\.contoso\.com is not in a test zone \(test, example\)/);
  });

  test('a domain of an older pool with another key is not published in', () => {
    const fake = new FakeWorld(specOf(1));
    const elder = { namespace: 'kms', name: 'old', poolId: 'another', ttlSeconds: 60 };
    fake.extra = { domains: [{ domain: 'lab.example', elder, siblings: [] }] };
    const plan = settle(fake);
    assert.equal(plan.conclusions.publication.domains[0]?.claim, 'DomainTaken');
    assert.equal(fake.get('DNSEndpoint'), undefined);
  });

  test('with the same key both publish, with the TTL of the older: of two TTLs external-dns drops one', () => {
    const fake = new FakeWorld(specOf(1));
    const elder = { namespace: 'kms', name: 'old', poolId: POOL_ID, ttlSeconds: 300 };
    fake.extra = { domains: [{ domain: 'lab.example', elder, siblings: [] }] };
    settle(fake);
    assert.equal(fake.get<DnsEndpoint>('DNSEndpoint')?.spec?.endpoints?.[0]?.recordTTL, 300);
  });

  test('tiers give priority and weight by ordinal, in every domain its own (S3-62)', () => {
    const domains = [
      {
        name: 'lab.example',
        tiers: [
          { hosts: 1, priority: 0, weight: 60 },
          { priority: 10, weight: 0 },
        ],
      },
      { name: 'branch.example', priority: 20, weight: 5 },
    ];
    const fake = settled(2, { dns: { domains } });
    assert.deepEqual(srv(fake), [
      '0 60 1688 campus-0.kms.lab.example.',
      '10 0 1688 campus-1.kms.lab.example.',
      '20 5 1688 campus-0.kms.lab.example.',
      '20 5 1688 campus-1.kms.lab.example.',
    ]);
  });

  test('publishing off withdraws (S3-50)', () => {
    const fake = settled(1);
    fake.change({ dns: { publisher: 'None', domains: [{ name: 'lab.example' }] } });
    settle(fake);
    assert.equal(fake.get('DNSEndpoint'), undefined);
  });

  test('while DNSEndpoint is not served nothing is asked of it, and everything else goes on', () => {
    const fake = new FakeWorld(specOf(1));
    fake.dnsEndpointServed = false;
    const plan = settle(fake);
    assert.equal(plan.conclusions.publication.mode, 'NoPublisher');
    fake.dnsEndpointServed = true;
    settle(fake);
    assert.equal(srv(fake).length, 1);
  });
});
