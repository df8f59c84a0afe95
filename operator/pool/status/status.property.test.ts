// SPDX-License-Identifier: Apache-2.0

// What holds for every status, whatever was concluded: the rules of kstatus, the words of the contract, and that nothing is written while nothing happens.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CONDITION_TYPES, type KmsHostPoolStatus, poolStatusSchema, REASONS } from '@kmspool/crds';
import fc from 'fast-check';
import { DEPLOYMENTS } from '../kinds.ts';
import type { Conclusions, DomainState, HostView } from '../state.ts';
import type { HostObjects } from '../world.ts';
import type { StatusInput } from './input.ts';
import { domainOf, hostOf, inputOf, LINES, NOW, objectsOf, podOf, publicationOf, reportOf } from './status.fake.ts';
import { buildStatus, invalidSpecStatus, statusRequeueAfterMs } from './status.ts';
import { eventsFor } from './transitions.ts';

const hostView = (ordinal: number): fc.Arbitrary<HostView> =>
  fc
    .record({
      ready: fc.boolean(),
      configCurrent: fc.boolean(),
      template: fc.constantFrom('Missing', 'Outdated', 'Updating', 'Current'),
      storeLost: fc.boolean(),
      wanted: fc.constant(true),
      addresses: fc.subarray(['10.0.0.1', 'fd00::1', '192.0.2.1']),
      trouble: fc.option(fc.string(), { nil: undefined }),
    })
    .map((more) => hostOf(ordinal, more));

const row = fc
  .record({
    current: fc.nat(60),
    cap: fc.constantFrom(0, 10, 50),
    application: fc.constantFrom('Windows', 'Office2010', 'New'),
  })
  .map(({ current, ...rest }) => ({
    ...rest,
    current,
    thresholds: [
      { name: 'Server', required: 5, met: current >= 5 },
      { name: 'Client', required: 25, met: current >= 25 },
    ],
  }));

const hostObjects = (ordinal: number): fc.Arbitrary<HostObjects> =>
  fc
    .record({
      said: fc.oneof(
        fc.string(),
        fc.record({
          storeState: fc.constantFrom('Starting', 'Available', 'LastKnown', 'Refusing'),
          storeError: fc.constantFrom(
            '',
            'connect ECONNREFUSED',
            'Redis asks for a password: give one in the credentials',
          ),
          counts: fc.array(row, { maxLength: 3 }),
        }),
      ),
      asked: fc.boolean(),
      pods: fc.constantFrom([], [podOf(ordinal)], [podOf(ordinal, { ageMs: 2000 })]),
      atMs: fc.nat(1000),
    })
    .map(({ said, asked, pods, atMs }) =>
      objectsOf(ordinal, { pods, report: asked ? reportOf(ordinal, said, NOW - atMs) : undefined }),
    );

const domain = (name: string): fc.Arbitrary<DomainState> =>
  fc
    .record({
      kind: fc.constantFrom('NotVerified', 'Agreed', 'Propagating', 'Differs', 'Unreachable'),
      desired: fc.subarray(LINES),
      foreign: fc.subarray([{ target: 'rogue.example', port: 1688, server: 'ns1' }]),
      claim: fc.constantFrom('Ours', 'Ours', 'Ours', 'ZoneNotAllowed', 'DomainTaken'),
    })
    .map(({ kind, desired, foreign, claim }) =>
      domainOf(
        { kind, foreign },
        { domain: name, claim, desired: claim === 'Ours' ? desired : [], claimMessage: claim === 'Ours' ? '' : 'no' },
      ),
    );

const conclusions: fc.Arbitrary<Conclusions> = fc
  .record({
    identity: fc.constantFrom<Conclusions['identity']>(
      { kind: 'known', poolId: 'p' },
      { kind: 'known', poolId: 'p' },
      { kind: 'toMake' },
      { kind: 'refused', reason: 'KeyChanged', message: 'k' },
    ),
    hosts: fc.tuple(hostView(0), hostView(1)).map((list) => [...list, hostOf(2, { wanted: false })]),
    rollout: fc.record({
      kind: fc.constantFrom(
        'Settled',
        'Settled',
        'Starting',
        'RollingOut',
        'ScalingDown',
        'ConfigStale',
        'Waiting',
        'Deleting',
      ),
      message: fc.constantFrom('', 'campus-1 is next'),
    }),
    clashes: fc.subarray([{ resource: DEPLOYMENTS, ref: { namespace: 'kms', name: 'campus-0' } }]),
    refusals: fc.subarray([{ reason: 'Forbidden', message: 'f' } as const]),
    domains: fc.tuple(domain('lab.example'), domain('b.example')),
    mode: fc.constantFrom('On', 'On', 'Off', 'NoDomains', 'NoPublisher'),
    dueMs: fc.constantFrom(undefined, undefined, NOW + 5000),
    settled: fc.boolean(),
  })
  .map(({ domains, mode, dueMs, settled, ...rest }) => ({
    ...rest,
    publication: publicationOf(mode === 'NoDomains' ? [] : domains, { mode, dueMs, settled }),
  })) as fc.Arbitrary<Conclusions>;

const input: fc.Arbitrary<StatusInput> = fc
  .record({
    conclusions,
    hosts: fc.tuple(hostObjects(0), hostObjects(1)),
    replicas: fc.constantFrom(0, 2, 2, 2, 3, 7),
    deleting: fc.constantFrom(false, false, false, true),
    finding: fc.subarray([{ where: 'a/b', reason: 'PublisherIgnoresSrv', message: 'add SRV' } as const]),
    countsWrittenAtMs: fc.constantFrom(NOW, NOW - 60_000),
  })
  .map(({ hosts, replicas, finding, ...rest }) =>
    inputOf({ ...rest, spec: { replicas }, world: { hosts: [...hosts, objectsOf(2)], externalDns: finding } }),
  );

const withStatus = (given: StatusInput, status: KmsHostPoolStatus): StatusInput => ({
  ...given,
  world: { ...given.world, object: { ...given.world.object, status } },
});

/** Two worlds of one pool, one after the other: what is built on what. */
const pairOfStatuses = fc.tuple(input, input).map(([first, second]) => {
  const before = buildStatus(first);
  const next = withStatus(second, before);
  return { before, next, after: buildStatus(next) };
});

const statusOf = (status: KmsHostPoolStatus, type: string) =>
  status.conditions?.find((one) => one.type === type)?.status;

test('the conditions keep the rules of kstatus: Stalled ends Reconciling and Ready, and all seven are always there', () => {
  fc.assert(
    fc.property(pairOfStatuses, ({ after }) => {
      assert.deepEqual(
        after.conditions?.map(({ type }) => type),
        [...CONDITION_TYPES].sort(),
      );
      const [ready, reconciling, stalled] = ['Ready', 'Reconciling', 'Stalled'].map((type) => statusOf(after, type));
      assert.ok(!(reconciling === 'True' && stalled === 'True'));
      assert.ok(!(ready === 'True' && stalled === 'True'));
      for (const status of [ready, reconciling, stalled]) assert.notEqual(status, 'Unknown');
      if (ready === 'True') {
        assert.equal(statusOf(after, 'StoreAvailable'), 'True');
        assert.notEqual(statusOf(after, 'DnsPublished'), 'False');
      }
    }),
  );
});

test('DnsPublished is True only when all domains have records and all name servers show them, or did when last asked', () => {
  fc.assert(
    fc.property(pairOfStatuses, ({ before, next, after }) => {
      if (statusOf(after, 'DnsPublished') !== 'True') return;
      for (const { desired, judgement, domain: name } of next.conclusions.publication.domains) {
        const remembered = before.dns?.find((entry) => entry.domain === name);
        const known = judgement.kind === 'NotVerified' && remembered?.verifiedAt !== undefined;
        assert.ok(desired.length > 0 && (judgement.kind === 'Agreed' || known), `${name} ${judgement.kind}`);
        if (known) assert.deepEqual(remembered.published, desired);
      }
    }),
  );
});

test('every status passes the schema, and says nothing but the words of the contract', () => {
  fc.assert(
    fc.property(pairOfStatuses, ({ after }) => {
      assert.deepEqual(poolStatusSchema.parse(after), after);
      assert.deepEqual(JSON.parse(JSON.stringify(after)), after);
      for (const { reason, message } of after.conditions ?? []) {
        assert.ok(Object.hasOwn(REASONS, reason), reason);
        assert.match(message, /^\S[^\n]*[.!?…]$/, `${reason}: ${message}`);
      }
      for (const { reason } of after.dns ?? []) assert.ok(Object.hasOwn(REASONS, reason ?? ''), `${reason}`);
    }),
  );
});

test('a status is a fixed point: built anew with itself as the old one, at any later time, it is the same', () => {
  fc.assert(
    fc.property(pairOfStatuses, fc.nat(10_000_000), ({ next, after }, laterMs) => {
      const held = statusRequeueAfterMs(next) !== undefined;
      const nowMs = held ? NOW : NOW + laterMs;
      assert.deepEqual(buildStatus({ ...withStatus(next, after), nowMs }), after);
      const object = { metadata: next.world.object.metadata, status: after };
      const invalid = invalidSpecStatus({ object, message: 'm', nowMs });
      assert.deepEqual(
        invalidSpecStatus({ object: { ...object, status: invalid }, message: 'm', nowMs: nowMs + 1 }),
        invalid,
      );
    }),
  );
});

test('no event while a state stays, and every event has a word of the contract and fits', () => {
  fc.assert(
    fc.property(pairOfStatuses, ({ before, after }) => {
      assert.deepEqual(eventsFor(after, after), []);
      for (const { reason, message } of [...eventsFor(undefined, before), ...eventsFor(before, after)]) {
        assert.ok(Object.hasOwn(REASONS, reason), reason);
        assert.ok(message.length > 0 && message.length <= 1024);
      }
    }),
  );
});

test('a transition time moves only with its condition', () => {
  fc.assert(
    fc.property(pairOfStatuses, ({ before, next }) => {
      const after = buildStatus({ ...next, nowMs: NOW + 1000 });
      for (const condition of after.conditions ?? []) {
        const old = before.conditions?.find(({ type }) => type === condition.type);
        assert.equal(condition.lastTransitionTime === old?.lastTransitionTime, condition.status === old?.status);
      }
    }),
  );
});
