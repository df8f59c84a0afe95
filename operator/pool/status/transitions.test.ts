// SPDX-License-Identifier: Apache-2.0

// Events: one for each change, none while a state stays, nothing on the first status but what is news.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { KmsHostPoolStatus } from '@kmspool/crds';
import type { DomainState, Publication } from '../state.ts';
import { domainOf, hostOf, inputOf, NOW, objectsOf, publicationOf, reportOf } from './status.fake.ts';
import { buildStatus } from './status.ts';
import { eventsFor } from './transitions.ts';

type Parts = NonNullable<Parameters<typeof inputOf>[0]>;

/** What is told along a way of worlds, one line for each step: `Type Reason` of each event. */
function told(...steps: readonly Parts[]): string[] {
  let before: KmsHostPoolStatus | undefined;
  return steps.map((parts, index) => {
    const after = buildStatus(inputOf({ ...parts, status: before, nowMs: NOW + index * 60_000 }));
    const events = eventsFor(before, after);
    assert.deepEqual(eventsFor(after, after), []);
    before = after;
    return events.map(({ type, reason }) => `${type} ${reason}`).join(', ');
  });
}

/** The messages of the last step. */
function said(...steps: readonly Parts[]): string[] {
  let before: KmsHostPoolStatus | undefined;
  let messages: string[] = [];
  for (const [index, parts] of steps.entries()) {
    const after = buildStatus(inputOf({ ...parts, status: before, nowMs: NOW + index * 60_000 }));
    messages = eventsFor(before, after).map(({ message }) => message);
    before = after;
  }
  return messages;
}

const dns = (domains: readonly DomainState[], more: Partial<Publication> = {}): Parts => ({
  conclusions: { publication: publicationOf(domains, more) },
});
const unpublished = dns([domainOf({}, { desired: [] })]);

describe('records', () => {
  test('S3-66 event 12294 tells that records are published, once, and again when others are', () => {
    const other = domainOf({}, { desired: ['10 0 1688 campus-0.kms.lab.example.'] });
    assert.deepEqual(
      told(unpublished, dns([domainOf({ kind: 'Propagating' })]), dns([domainOf()]), dns([domainOf()]), dns([other])),
      ['Normal AllHostsReady', '', 'Normal Published', '', 'Normal Published'],
    );
    assert.deepEqual(said(unpublished, dns([domainOf()])), [
      'Event 12294: published in DNS, and shown by every name server: _vlmcs._tcp.lab.example SRV 0 0 1688 campus-0.kms.lab.example. and 0 0 1688 campus-1.kms.lab.example.',
    ]);
  });

  test('S1-32 S3-67 event 12293 tells that publishing failed, with the code, once; 12294 that it works again', () => {
    const failing = dns([domainOf({ kind: 'Differs' })]);
    const worded = dns([domainOf({ kind: 'Differs', message: 'ns2 shows something else' })]);
    assert.deepEqual(told(dns([domainOf()]), failing, failing, worded, dns([domainOf()])), [
      'Normal Published, Normal AllHostsReady',
      'Warning RecordsDiffer',
      '',
      '',
      'Normal Published, Normal AllHostsReady',
    ]);
    assert.deepEqual(said(dns([domainOf()]), failing), [
      'Event 12293: publishing in DNS failed (0x8007232A): lab.example: ns1.lab.example says Differs.',
    ]);
  });

  test('an external-dns that will not publish is named, with what to do', () => {
    const finding = { where: 'ops/external-dns', reason: 'PublisherTooOld', message: 'upgrade it' } as const;
    const old = { ...dns([domainOf({ kind: 'Differs', missing: ['x'] })]), world: { externalDns: [finding] } };
    assert.match(
      said(old)[0] ?? '',
      /^Event 12293: [^:]*: external-dns ops\/external-dns: upgrade it\. lab\.example: /,
    );
  });

  test('a name server that does not answer is told, and that it answers again', () => {
    const silent = dns([domainOf({ kind: 'Unreachable' })]);
    assert.deepEqual(told(dns([domainOf()]), silent, silent, dns([domainOf()])).slice(1), [
      'Warning NameServerUnreachable',
      '',
      'Normal Published',
    ]);
  });

  test('domains that change together are told together, one that follows for itself', () => {
    const second = (kind: 'Agreed' | 'Differs') => domainOf({ kind }, { domain: 'b.example' });
    const steps = [dns([domainOf(), second('Differs')]), dns([domainOf(), second('Agreed')])];
    assert.deepEqual(told(...steps), [
      'Normal Published, Warning RecordsDiffer',
      'Normal Published, Normal AllHostsReady',
    ]);
    assert.match(
      said(dns([domainOf(), second('Agreed')]))[0] ?? '',
      /lab\.example SRV .*; _vlmcs\._tcp\.b\.example SRV /,
    );
  });

  test('S3-69 that nobody publishes is told once and is no warning', () => {
    const off = dns([domainOf({ kind: 'Differs' })], { mode: 'Off' });
    const reworded = dns([domainOf({ kind: 'Unreachable' })], { mode: 'NoPublisher' });
    assert.deepEqual(told(off, off, reworded, off), ['Normal NoPublisher, Normal AllHostsReady', '', '', '']);
  });

  test('a domain that may not be published in is told once', () => {
    for (const claim of ['ZoneNotAllowed', 'DomainTaken'] as const) {
      const refused = dns([
        domainOf({ kind: 'NotVerified' }, { claim, claimMessage: 'choose another domain', desired: [] }),
      ]);
      assert.deepEqual(told(refused, refused), [`Warning ${claim}`, '']);
      assert.deepEqual(said(refused), ['choose another domain.']);
    }
  });

  test('a foreign host is told once, also when its record is seen while ours are changing; a second one is news', () => {
    const foreign = (...names: string[]) => names.map((target) => ({ target, port: 1688, server: 'ns1' }));
    const one = foreign('rogue.example');
    assert.deepEqual(
      told(
        dns([domainOf()]),
        dns([domainOf({ foreign: one, kind: 'Propagating' })]),
        dns([domainOf({ foreign: one })]),
        dns([domainOf({ kind: 'Unreachable' })]),
        dns([domainOf({ foreign: foreign('rogue.example', 'b.example') })]),
      ).map((line) => line.split(', ').filter((event) => event.includes('Foreign')).length),
      [0, 1, 0, 0, 1],
    );
    assert.match(
      said(dns([domainOf({ foreign: one })]))[1] ?? '',
      /^A KMS host that is not ours is in DNS: _vlmcs\._tcp\.lab\.example names rogue\.example:1688\./,
    );
  });
});

describe('the count', () => {
  const counted = (current: number): Parts => {
    const thresholds = [
      { name: 'Server', required: 5, met: current >= 5 },
      { name: 'Client', required: 25, met: current >= 25 },
    ];
    const counts = [{ application: 'Windows', current, cap: 50, thresholds }];
    return { world: { hosts: [0, 1].map((n) => objectsOf(n, { report: reportOf(n, { counts }) })) } };
  };

  test('a threshold that is reached or lost is told, each by itself and once', () => {
    assert.deepEqual(
      told(counted(0), counted(4), counted(5), counted(6), counted(25), counted(25), counted(3)).slice(1),
      [
        '',
        'Normal CountThresholdReached',
        '',
        'Normal CountThresholdReached',
        '',
        'Warning CountThresholdLost, Warning CountThresholdLost',
      ],
    );
    assert.deepEqual(said(counted(24), counted(25)), [
      'Windows 25 of 25: the count is enough for clients, which activate from now on.',
    ]);
    assert.match(
      said(counted(25), counted(24))[0] ?? '',
      /^Windows 24 of 25: the count is no longer enough for clients/,
    );
  });

  test('a count that is enough when it is first seen is no change', () => {
    assert.deepEqual(told(counted(30)), ['Normal Published, Normal AllHostsReady']);
    assert.deepEqual(told(unpublished, { ...unpublished, ...counted(30) }), ['Normal AllHostsReady', '']);
  });
});

describe('the rest', () => {
  const store = (...states: ('Available' | 'LastKnown')[]): Parts => ({
    world: { hosts: states.map((storeState, n) => objectsOf(n, { report: reportOf(n, { storeState }) })) },
  });

  test('the store: lost, partly, restored', () => {
    const both = store('Available', 'Available');
    assert.deepEqual(
      told(
        both,
        store('Available', 'LastKnown'),
        store('LastKnown', 'LastKnown'),
        store('LastKnown', 'LastKnown'),
        both,
      ).slice(1),
      ['Warning StorePartlyLost', 'Warning StoreLost', '', 'Normal StoreRestored, Normal AllHostsReady'],
    );
    assert.deepEqual(told(store('LastKnown', 'LastKnown')), ['Warning StoreLost, Normal Published']);
  });

  test('S3-33 more hosts than a key may have is told once', () => {
    const seven = { spec: { replicas: 7 } };
    assert.deepEqual(told({}, seven, { spec: { replicas: 8 } }).slice(1), ['Warning HostKeyLimit', '']);
  });

  test('what stalls a pool is told, each cause once', () => {
    const refused = (reason: 'KeyChanged' | 'KeyInvalid'): Parts => ({
      conclusions: { identity: { kind: 'refused', reason, message: 'the Secret is wrong' } },
    });
    assert.deepEqual(told({}, refused('KeyChanged'), refused('KeyChanged'), refused('KeyInvalid'), {}).slice(1), [
      'Warning KeyChanged',
      '',
      'Warning KeyInvalid',
      'Normal AllHostsReady',
    ]);
    assert.deepEqual(told(refused('KeyInvalid')), ['Warning KeyInvalid, Normal Published']);
  });

  test('ready and no longer ready; a change on purpose is no warning, and a pool that starts has lost nothing', () => {
    const down: Parts = { conclusions: { hosts: [hostOf(0), hostOf(1, { ready: false })] } };
    const rolling: Parts = { conclusions: { hosts: [hostOf(0), hostOf(1, { template: 'Outdated' })] } };
    assert.deepEqual(told(down, {}, down, rolling, {}, rolling, {}, { deleting: true }), [
      'Normal Published',
      'Normal AllHostsReady',
      'Warning HostsNotReady',
      '',
      'Normal AllHostsReady',
      'Normal RollingOut',
      'Normal AllHostsReady',
      'Normal Deleting',
    ]);
  });

  test('messages fit into an event', () => {
    const names = Array.from({ length: 30 }, (_, n) => ({ target: `${'x'.repeat(250)}${n}`, port: 1, server: 'ns1' }));
    for (const message of said(dns([domainOf({ foreign: names })])))
      assert.ok(message.length <= 1024, `${message.length}`);
  });
});
