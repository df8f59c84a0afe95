// SPDX-License-Identifier: Apache-2.0

// What a status says of hosts and of the three conditions of kstatus.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { poolStatusSchema } from '@kmspool/crds';
import { kstatusOf } from '../../runtime/index.ts';
import { DEPLOYMENTS, SECRETS } from '../kinds.ts';
import type { Rollout } from '../state.ts';
import {
  domainOf,
  hostOf,
  inputOf,
  messageOf,
  NOW,
  objectsOf,
  POOL_ID,
  publicationOf,
  reportOf,
  word,
  words,
} from './status.fake.ts';
import { buildStatus, invalidSpecStatus } from './status.ts';

test('a pool at which all is well: every condition is there and speaks of the present generation', () => {
  const status = buildStatus(inputOf());
  assert.deepEqual(words(status), [
    'CountSufficient Unknown CountUnknown',
    'DnsPublished True Published',
    'HostKeyWithinLimits True WithinLimits',
    'Ready True AllHostsReady',
    'Reconciling False Settled',
    'Stalled False NotStalled',
    'StoreAvailable True StoreReachable',
  ]);
  assert.ok(status.conditions?.every(({ observedGeneration }) => observedGeneration === 3));
  assert.deepEqual(
    [status.observedGeneration, status.poolId, status.replicas, status.readyReplicas],
    [3, POOL_ID, 2, 2],
  );
  assert.equal(
    status.selector,
    'app.kubernetes.io/name=kmspool,app.kubernetes.io/component=host,kmspool.io/pool=campus',
  );
  assert.deepEqual(poolStatusSchema.parse(status), status);
});

test('a host has its addresses and its rank in the first domain; one on its way out has no rank', () => {
  const domains = [
    { name: 'lab.example', tiers: [{ hosts: 1, priority: 0, weight: 60 }, { priority: 10 }] },
    { name: 'branch.example', priority: 7 },
  ];
  const hosts = [
    hostOf(0, { addresses: ['10.96.0.1', 'fd00::1'] }),
    hostOf(1, { template: 'Updating' }),
    hostOf(2, { wanted: false, addresses: [] }),
    hostOf(3, { wanted: false, template: 'Missing', ready: false }),
  ];
  const status = buildStatus(inputOf({ spec: { dns: { domains } }, conclusions: { hosts } }));
  assert.deepEqual(status.hosts?.slice(0, 2), [
    {
      name: 'campus-0',
      fqdn: 'campus-0.kms.lab.example',
      address: '10.96.0.1',
      addresses: ['10.96.0.1', 'fd00::1'],
      port: 1688,
      ready: true,
      priority: 0,
      weight: 60,
      version: '0.1.0',
    },
    {
      name: 'campus-1',
      fqdn: 'campus-1.kms.lab.example',
      address: '10.96.0.1',
      addresses: ['10.96.0.1'],
      port: 1688,
      ready: false,
      priority: 10,
      weight: 0,
      version: '0.1.0',
    },
  ]);
  assert.deepEqual(Object.keys(status.hosts?.[2] ?? {}), ['name', 'fqdn', 'port', 'ready', 'version']);
  assert.deepEqual([status.replicas, status.readyReplicas], [3, 2]);
});

test('the pool ID stays what it was, whatever the Secret gives now', () => {
  const first = buildStatus(inputOf());
  const identity = { kind: 'refused', reason: 'KeyChanged', message: 'Secret campus-key is gone' } as const;
  const status = buildStatus(inputOf({ status: first, conclusions: { identity } }));
  assert.equal(status.poolId, POOL_ID);
  assert.equal(word(status, 'Stalled'), 'True KeyChanged');
  assert.equal(messageOf(status, 'Stalled'), 'Secret campus-key is gone.');
});

describe('Ready', () => {
  const readyOf = (parts: Parameters<typeof inputOf>[0]): string => word(buildStatus(inputOf(parts)), 'Ready');

  test('needs every wanted host: ready, of the wanted template, with the wanted configuration', () => {
    const with1 = (more: Parameters<typeof hostOf>[1]) => ({ conclusions: { hosts: [hostOf(0), hostOf(1, more)] } });
    assert.equal(readyOf(with1({ ready: false })), 'False HostsNotReady');
    assert.equal(readyOf(with1({ template: 'Updating' })), 'False RollingOut');
    assert.equal(readyOf(with1({ template: 'Outdated' })), 'False RollingOut');
    assert.equal(readyOf(with1({ configCurrent: false })), 'False ConfigStale');
    assert.equal(readyOf({ conclusions: { hosts: [hostOf(0)] } }), 'False HostsNotReady');
  });

  test('a host that is ready and does not answer the operator is unreachable', () => {
    const hosts = [hostOf(0), hostOf(1, { configCurrent: false })];
    const world = { hosts: [objectsOf(0), objectsOf(1, { report: reportOf(1, 'connect ETIMEDOUT') })] };
    assert.equal(readyOf({ conclusions: { hosts }, world }), 'False HostUnreachable');
  });

  test('the message names the hosts and their trouble', () => {
    const hosts = [hostOf(0), hostOf(1, { ready: false, trouble: 'campus-1: its Pod does not start: ErrImagePull' })];
    const status = buildStatus(inputOf({ conclusions: { hosts } }));
    assert.equal(messageOf(status, 'Ready'), '1 of 2 hosts are ready: campus-1: its Pod does not start: ErrImagePull.');
  });

  test('a host too many that leaves does not end it, and the operator is still at work', () => {
    const rollout = { kind: 'ScalingDown', message: 'campus-2: waits one TTL' } as const;
    const hosts = [hostOf(0), hostOf(1), hostOf(2, { wanted: false })];
    const status = buildStatus(inputOf({ conclusions: { hosts, rollout } }));
    assert.deepEqual([word(status, 'Ready'), word(status, 'Reconciling')], ['True AllHostsReady', 'True ScalingDown']);
    assert.equal(kstatusOf({ metadata: { name: 'campus', generation: 3 }, status }), 'InProgress');
  });

  test('a lost store ends it, and so does DNS that is wrong; DNS that nobody knows of, a low count and too many hosts do not', () => {
    const lost = { hosts: [0, 1].map((n) => objectsOf(n, { report: reportOf(n, { storeState: 'LastKnown' }) })) };
    assert.equal(readyOf({ world: lost }), 'False StoreLost');
    const dns = (kind: 'Differs' | 'Unreachable' | 'Propagating' | 'NotVerified') => ({
      conclusions: { publication: publicationOf([domainOf({ kind })]) },
    });
    assert.equal(readyOf(dns('Differs')), 'False RecordsDiffer');
    for (const kind of ['Unreachable', 'Propagating', 'NotVerified'] as const)
      assert.equal(readyOf(dns(kind)), 'True AllHostsReady', kind);
    assert.equal(
      readyOf({ conclusions: { publication: publicationOf([domainOf()], { mode: 'NoPublisher' }) } }),
      'True AllHostsReady',
    );
    assert.equal(readyOf({ spec: { replicas: 7 } }), 'True AllHostsReady');
  });

  test('hosts that are unready only because the store is lost say so', () => {
    const hosts = [0, 1].map((n) => hostOf(n, { ready: false, storeLost: true }));
    const world = { hosts: [0, 1].map((n) => objectsOf(n, { report: reportOf(n, { storeState: 'Refusing' }) })) };
    assert.equal(readyOf({ conclusions: { hosts }, world }), 'False StoreLost');
  });

  test('a pool scaled to 0 is not ready, and neither at work nor stalled', () => {
    const conclusions = { hosts: [], publication: publicationOf([domainOf({}, { desired: [] })]) };
    const status = buildStatus(inputOf({ spec: { replicas: 0 }, conclusions }));
    assert.deepEqual(words(status).slice(3, 6), [
      'Ready False NoHosts',
      'Reconciling False Settled',
      'Stalled False NotStalled',
    ]);
    assert.equal(word(status, 'DnsPublished'), 'Unknown NoHosts');
    assert.equal(word(status, 'StoreAvailable'), 'Unknown StoreUnknown');
    assert.deepEqual([status.replicas, status.readyReplicas, status.hosts], [0, 0, undefined]);
  });
});

test('a start of the operator changes nothing: a host that was ready is believed until it has been asked', () => {
  const before = buildStatus(inputOf());
  const unasked = [0, 1].map((n) => objectsOf(n, { report: undefined }));
  const hosts = [0, 1].map((n) => hostOf(n, { configCurrent: false, version: undefined, trouble: 'not asked yet' }));
  const rollout = { kind: 'ConfigStale', message: 'campus-0 has not been asked yet' } as const;
  const started = { status: before, world: { hosts: unasked }, conclusions: { hosts, rollout }, nowMs: NOW + 5000 };
  assert.deepEqual(buildStatus(inputOf(started)), before);
  const asked = [objectsOf(0), objectsOf(1, { report: undefined })];
  assert.equal(word(buildStatus(inputOf({ ...started, world: { hosts: asked } })), 'Ready'), 'False ConfigStale');
  const older = { ...before, observedGeneration: 2 };
  assert.equal(word(buildStatus(inputOf({ ...started, status: older })), 'Ready'), 'False ConfigStale');
});

describe('Reconciling', () => {
  test('is True for everything that is done or waited for', () => {
    const cases: readonly (readonly [Rollout['kind'], string])[] = [
      ['Starting', 'True Progressing'],
      ['Waiting', 'True Progressing'],
      ['RollingOut', 'True RollingOut'],
      ['ScalingDown', 'True ScalingDown'],
      ['ConfigStale', 'True ConfigStale'],
      ['Settled', 'False Settled'],
    ];
    for (const [kind, expected] of cases) {
      const status = buildStatus(inputOf({ conclusions: { rollout: { kind, message: 'campus-1 is next' } } }));
      assert.equal(word(status, 'Reconciling'), expected);
    }
  });

  test('waits for records on their way through DNS, but not for a server that does not answer or shows something else', () => {
    const reconciling = (kind: 'Propagating' | 'NotVerified' | 'Unreachable' | 'Differs'): string =>
      word(buildStatus(inputOf({ conclusions: { publication: publicationOf([domainOf({ kind })]) } })), 'Reconciling');
    assert.equal(reconciling('Propagating'), 'True Propagating');
    assert.equal(reconciling('NotVerified'), 'True NotVerified');
    assert.equal(reconciling('Unreachable'), 'False Settled');
    assert.equal(reconciling('Differs'), 'False Settled');
  });

  test('a pool without a key yet waits for it', () => {
    const rollout = { kind: 'Starting', message: 'the key of the pool is being made' } as const;
    const conclusions = {
      identity: { kind: 'toMake' },
      hosts: [],
      publication: publicationOf([], { mode: 'NoDomains' }),
      rollout,
    } as const;
    const status = buildStatus(inputOf({ conclusions }));
    assert.deepEqual(words(status).slice(3, 6), [
      'Ready False Progressing',
      'Reconciling True Progressing',
      'Stalled False NotStalled',
    ]);
    assert.equal(status.poolId, undefined);
  });

  test('a pool that is being deleted is at work on that, even with a key that nobody trusts', () => {
    const identity = { kind: 'refused', reason: 'KeyChanged', message: 'gone' } as const;
    const rollout = { kind: 'Deleting', message: 'its records leave DNS' } as const;
    const status = buildStatus(inputOf({ deleting: true, conclusions: { identity, rollout } }));
    assert.deepEqual(words(status).slice(3, 6), [
      'Ready False Deleting',
      'Reconciling True Deleting',
      'Stalled False NotStalled',
    ]);
    assert.equal(word(status, 'DnsPublished'), 'Unknown Deleting');
  });
});

describe('Stalled', () => {
  const rollout = { kind: 'Starting', message: 'campus-0: not made yet' } as const;

  test('a name that is taken is told with the object, once', () => {
    const clash = { resource: DEPLOYMENTS, ref: { namespace: 'kms', name: 'campus-0' } };
    const status = buildStatus(inputOf({ conclusions: { clashes: [clash, clash], rollout } }));
    assert.deepEqual(words(status).slice(3, 6), [
      'Ready False NameTaken',
      'Reconciling False NameTaken',
      'Stalled True NameTaken',
    ]);
    assert.equal(
      messageOf(status, 'Stalled'),
      'Deployment kms/campus-0 exists and does not belong to this pool; delete or rename it, or give the pool another name.',
    );
    const secret = { resource: SECRETS, ref: { namespace: 'kms', name: 'campus-admin' } };
    assert.match(
      messageOf(buildStatus(inputOf({ conclusions: { clashes: [secret] } })), 'Stalled'),
      /has no data\.token/,
    );
  });

  test('what the API server refuses for good stalls the pool, in its words', () => {
    for (const reason of ['InvalidSpec', 'Forbidden'] as const) {
      const status = buildStatus(
        inputOf({ conclusions: { refusals: [{ reason, message: 'Deployment campus-0: no' }], rollout } }),
      );
      assert.equal(word(status, 'Stalled'), `True ${reason}`);
      assert.match(
        messageOf(status, 'Stalled'),
        /^Deployment campus-0: no\. (Correct the spec|Check the operator's roles)/,
      );
    }
  });

  test('a spec that cannot be read: what is known stays, and the rest is Unknown', () => {
    const object = { metadata: { name: 'campus', generation: 4 }, status: buildStatus(inputOf()) };
    const status = invalidSpecStatus({ object, message: 'spec.port: 80 is below 1024', nowMs: NOW + 1000 });
    assert.deepEqual(words(status).slice(3, 6), [
      'Ready False InvalidSpec',
      'Reconciling False InvalidSpec',
      'Stalled True InvalidSpec',
    ]);
    assert.deepEqual(status.hosts, object.status.hosts);
    assert.equal(status.conditions?.find(({ type }) => type === 'StoreAvailable')?.observedGeneration, 3);
    assert.equal(kstatusOf({ metadata: object.metadata, status }), 'Failed');
    const fresh = invalidSpecStatus({ object: { metadata: object.metadata }, message: 'no', nowMs: NOW });
    assert.equal(word(fresh, 'DnsPublished'), 'Unknown InvalidSpec');
    assert.equal(fresh.conditions?.length, 7);
    assert.deepEqual(poolStatusSchema.parse(fresh), fresh);
    assert.deepEqual(
      invalidSpecStatus({ object: { ...object, status }, message: 'spec.port: 80 is below 1024', nowMs: NOW + 9000 }),
      status,
    );
  });
});
