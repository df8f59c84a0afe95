// SPDX-License-Identifier: Apache-2.0

// DnsPublished and status.dns: what is said of the records, when it changes, and when it must not.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { KmsHostPoolStatus } from '@kmspool/crds';
import type { DomainObservation, HostNameObservation } from '../../dns/observation.ts';
import type { DomainState, Publication } from '../state.ts';
import { domainOf, inputOf, LINES, messageOf, NOW, publicationOf, word } from './status.fake.ts';
import { buildStatus, statusRequeueAfterMs } from './status.ts';

type More = Partial<Publication> & {
  before?: KmsHostPoolStatus;
  nowMs?: number;
  world?: NonNullable<Parameters<typeof inputOf>[0]>['world'];
};

function statusOf(domains: readonly DomainState[], { before, nowMs, world, ...more }: More = {}): KmsHostPoolStatus {
  const publication = publicationOf(domains, more);
  return buildStatus(
    inputOf({
      status: before,
      conclusions: { publication },
      ...(nowMs !== undefined && { nowMs }),
      ...(world !== undefined && { world }),
    }),
  );
}

const dnsOf = (status: KmsHostPoolStatus): string => word(status, 'DnsPublished');
const finding = {
  where: 'dns/external-dns',
  reason: 'PublisherTooOld',
  message: 'v0.21.0 writes SRV wrongly; upgrade',
} as const;

describe('DnsPublished', () => {
  test('S3-18 is True only when every name server of every domain agrees; until then it is Propagating', () => {
    assert.equal(dnsOf(statusOf([domainOf(), domainOf({}, { domain: 'b.example' })])), 'True Published');
    for (const [kind, expected] of [
      ['Propagating', 'Unknown Propagating'],
      ['NotVerified', 'Unknown NotVerified'],
      ['Unreachable', 'Unknown NameServerUnreachable'],
      ['Differs', 'False RecordsDiffer'],
    ] as const) {
      const status = statusOf([domainOf(), domainOf({ kind }, { domain: 'b.example' })]);
      assert.equal(dnsOf(status), expected);
      assert.equal(messageOf(status, 'DnsPublished'), `b.example: ns1.b.example says ${kind}.`);
    }
  });

  test('a foreign host is told, and does not make our records wrong', () => {
    const foreign = [
      { target: 'rogue.example', port: 1688, server: 'ns1' },
      { target: 'rogue.example', port: 1688, server: 'ns2' },
    ];
    const status = statusOf([domainOf({ foreign })]);
    assert.equal(dnsOf(status), 'True ForeignHostFound');
    assert.match(
      messageOf(status, 'DnsPublished'),
      /_vlmcs\._tcp\.lab\.example names rogue\.example:1688\. Find out whose/,
    );
    assert.deepEqual(status.dns?.[0]?.foreign, ['rogue.example:1688']);
    assert.equal(dnsOf(statusOf([domainOf({ foreign, kind: 'Propagating' })])), 'Unknown Propagating');
  });

  test('a domain that may not be published in outweighs all others', () => {
    const claim = {
      claim: 'ZoneNotAllowed',
      claimMessage: 'corp.com is not in a test zone',
      desired: [],
      domain: 'corp.com',
    } as const;
    const taken = {
      claim: 'DomainTaken',
      claimMessage: 'pool a/b is older',
      desired: [],
      domain: 't.example',
    } as const;
    const unasked = { kind: 'NotVerified' } as const;
    assert.equal(dnsOf(statusOf([domainOf({ kind: 'Differs' }), domainOf(unasked, taken)])), 'False DomainTaken');
    const status = statusOf([domainOf(), domainOf(unasked, taken), domainOf(unasked, claim)]);
    assert.equal(dnsOf(status), 'False ZoneNotAllowed');
    assert.equal(messageOf(status, 'DnsPublished'), 'corp.com is not in a test zone.');
    assert.deepEqual(
      status.dns?.map(({ reason }) => reason),
      ['Published', 'DomainTaken', 'ZoneNotAllowed'],
    );
    assert.equal(word(status, 'Ready'), 'False ZoneNotAllowed');
  });

  test('an external-dns that cannot publish is named once the records do not appear', () => {
    const world = { externalDns: [finding] };
    assert.equal(dnsOf(statusOf([domainOf()], { world })), 'True Published');
    const young = statusOf([domainOf({ kind: 'Propagating' })], { world });
    assert.equal(dnsOf(young), 'Unknown Propagating');
    assert.match(
      messageOf(young, 'DnsPublished'),
      /external-dns dns\/external-dns: v0\.21\.0 writes SRV wrongly; upgrade\.$/,
    );
    const late = statusOf([domainOf({ kind: 'Differs' })], { world });
    assert.equal(dnsOf(late), 'False PublisherTooOld');
    assert.match(messageOf(late, 'DnsPublished'), /upgrade\. lab\.example: ns1\.lab\.example says Differs\.$/);
    const onlyStale = domainOf({ kind: 'Differs', missing: [], stale: ['0 0 1688 old.'] });
    assert.equal(dnsOf(statusOf([onlyStale], { world })), 'False RecordsDiffer');
  });

  test('S3-69 nothing is wrong where nobody publishes', () => {
    const unseen = domainOf({ kind: 'Differs' });
    const off = statusOf([unseen], { mode: 'Off' });
    assert.equal(dnsOf(off), 'Unknown NoPublisher');
    assert.match(messageOf(off, 'DnsPublished'), /^spec\.dns\.publisher is None/);
    assert.equal(word(off, 'Ready'), 'True AllHostsReady');
    assert.match(
      messageOf(statusOf([unseen], { mode: 'NoPublisher' }), 'DnsPublished'),
      /nobody reads the DNSEndpoint/,
    );
    const unserved = statusOf([unseen], { mode: 'NoPublisher', world: { dnsEndpointServed: false } });
    assert.match(messageOf(unserved, 'DnsPublished'), /does not know DNSEndpoint/);
    assert.equal(dnsOf(statusOf([], { mode: 'NoDomains' })), 'Unknown NoDomains');
    assert.equal(statusOf([], { mode: 'NoDomains' }).dns, undefined);
  });

  test('records that somebody else has made are published', () => {
    const status = statusOf([domainOf()], { mode: 'Off' });
    assert.equal(dnsOf(status), 'True Published');
    assert.match(messageOf(status, 'DnsPublished'), /which somebody else has made/);
  });

  test('without a host that could be published it is not True, although all name servers agree that there is none', () => {
    assert.equal(dnsOf(statusOf([domainOf({}, { desired: [] })])), 'Unknown HostsNotReady');
    const stale = domainOf(
      { kind: 'Differs', stale: ['0 0 1688 campus-0.kms.lab.example.'], missing: [] },
      { desired: [] },
    );
    assert.equal(dnsOf(statusOf([stale])), 'False RecordsDiffer');
  });

  test("the hosts' own names, and changes that are held back, are waited for", () => {
    const recordSets = [
      { dnsName: 'campus-0.kms.lab.example', recordType: 'A', recordTTL: 60, targets: ['10.96.0.1'] },
    ] as const;
    const names = new Map<string, HostNameObservation>([
      ['campus-0.kms.lab.example', { fqdn: 'campus-0.kms.lab.example', askedAtMs: NOW, servers: [] }],
    ]);
    const asked = statusOf([domainOf()], { settled: false, recordSets, world: { observedHosts: names } });
    assert.equal(dnsOf(asked), 'Unknown Propagating');
    assert.match(messageOf(asked, 'DnsPublished'), /own names \(A, AAAA\) are not yet/);
    assert.equal(word(asked, 'Reconciling'), 'True Propagating');
    const held = statusOf([domainOf()], { settled: false, dueMs: NOW + 5000 });
    assert.equal(dnsOf(held), 'Unknown Propagating');
    assert.match(messageOf(held, 'DnsPublished'), /minChangeSeconds \(10\)/);
    // Just started: the names have not been asked for yet, and were right before.
    const before = statusOf([domainOf()]);
    assert.equal(dnsOf(statusOf([domainOf()], { before, settled: false, recordSets })), 'True Published');
  });
});

test('SRV records that lead to names which are not there are no publication (S2-36)', () => {
  const judged = { observed: 0, missing: ['10.96.0.1'], stale: [] };
  const differs = { kind: 'Differs', message: 'ns1 has no address at campus-0.kms.lab.example', ...judged } as const;
  const wrong = statusOf([domainOf()], { settled: false, hostNames: differs });
  assert.equal(dnsOf(wrong), 'False RecordsDiffer');
  assert.match(messageOf(wrong, 'DnsPublished'), /own names: ns1 has no address/i);
  const silent = statusOf([domainOf()], { settled: false, hostNames: { ...differs, kind: 'Unreachable' } });
  assert.equal(dnsOf(silent), 'Unknown NameServerUnreachable');
});

describe('status.dns', () => {
  const published = statusOf([domainOf()]);
  const [entry] = published.dns ?? [];

  test('S2-11 keeps the records that all name servers last showed, while they do not agree', () => {
    assert.deepEqual(entry?.published, LINES);
    const next = ['0 0 1688 campus-1.kms.lab.example.'];
    const moving = statusOf([domainOf({ kind: 'Propagating' }, { desired: next })], {
      before: published,
      nowMs: NOW + 1000,
    });
    assert.deepEqual([moving.dns?.[0]?.published, moving.dns?.[0]?.verifiedAt], [LINES, undefined]);
    const settled = statusOf([domainOf({}, { desired: next })], { before: moving, nowMs: NOW + 9000 });
    assert.deepEqual([settled.dns?.[0]?.published, settled.dns?.[0]?.verifiedAt], [next, '2026-06-01T12:00:09Z']);
    const gone = statusOf([domainOf({ kind: 'Unreachable' }, { desired: next })], { before: settled });
    assert.deepEqual(gone.dns?.[0]?.published, next);
  });

  test('verifiedAt is the round in which they came to agree, and stays while they do', () => {
    const observation: DomainObservation = {
      domain: 'lab.example',
      askedAtMs: NOW - 5000,
      servers: [],
      error: undefined,
      absentSinceMs: new Map(),
    };
    const world = { observed: new Map([['lab.example', observation]]) };
    const first = statusOf([domainOf()], { world });
    assert.equal(first.dns?.[0]?.verifiedAt, '2026-06-01T11:59:55Z');
    const later = new Map([['lab.example', { ...observation, askedAtMs: NOW + 60_000 }]]);
    const second = statusOf([domainOf()], { before: first, world: { observed: later }, nowMs: NOW + 60_000 });
    assert.deepEqual(second, first);
    const silent = statusOf([domainOf({ kind: 'Unreachable' })], { before: first, nowMs: NOW + 70_000 });
    assert.equal(silent.dns?.[0]?.verifiedAt, '2026-06-01T11:59:55Z');
    const broken = statusOf([domainOf({ kind: 'Differs' })], { before: silent });
    assert.equal(broken.dns?.[0]?.verifiedAt, undefined);
  });

  test('a start of the operator changes nothing: what was found holds until somebody has been asked, if the same is wanted', () => {
    const unasked = domainOf({ kind: 'NotVerified', message: 'not asked yet' });
    for (const judged of [
      domainOf(),
      domainOf({ kind: 'Differs' }),
      domainOf({ kind: 'Unreachable' }),
      domainOf({ kind: 'Propagating' }),
    ]) {
      const before = statusOf([judged]);
      assert.deepEqual(statusOf([unasked], { before, nowMs: NOW + 99_000 }), before, judged.judgement.kind);
    }
    const byHand = statusOf([domainOf()], { mode: 'Off' });
    assert.deepEqual(statusOf([unasked], { before: byHand, mode: 'Off' }), byHand);
    const other = domainOf({ kind: 'NotVerified' }, { desired: ['0 0 1688 campus-1.kms.lab.example.'] });
    assert.equal(dnsOf(statusOf([other], { before: published })), 'Unknown NotVerified');
  });

  test('a foreign host stays known while a name server that may hold it does not answer', () => {
    const before = statusOf([domainOf({ foreign: [{ target: 'rogue.example', port: 1688, server: 'ns1' }] })]);
    const silent = statusOf([domainOf({ kind: 'Unreachable' })], { before });
    assert.deepEqual(silent.dns?.[0]?.foreign, ['rogue.example:1688']);
    assert.equal(statusOf([domainOf()], { before: silent }).dns?.[0]?.foreign, undefined);
  });

  test('a set with several TTLs is told beside the reason, and records on their way are looked at again when their time is over', () => {
    const mixed = statusOf([domainOf({ mixedTtl: true, message: 'all is shown; one set has several TTLs' })]);
    assert.deepEqual(
      [dnsOf(mixed), mixed.dns?.[0]?.message],
      ['True Published', 'all is shown; one set has several TTLs'],
    );
    assert.equal(entry?.message, undefined);
    const publication = publicationOf([domainOf({ kind: 'Propagating', untilMs: NOW + 90_000 }), domainOf()]);
    assert.equal(statusRequeueAfterMs(inputOf({ conclusions: { publication } })), 90_000);
    assert.equal(statusRequeueAfterMs(inputOf()), undefined);
  });

  test('counts what should be there and what is', () => {
    assert.deepEqual([entry?.desired, entry?.observed, entry?.record], [2, 2, '_vlmcs._tcp.lab.example']);
    const half = statusOf([domainOf({ kind: 'Propagating', observed: 1 })]).dns?.[0];
    assert.deepEqual([half?.desired, half?.observed, half?.message], [2, 1, 'ns1.lab.example says Propagating']);
  });
});
