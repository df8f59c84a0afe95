// SPDX-License-Identifier: Apache-2.0

// Verdicts on what name servers show: each kind, its message, and properties that hold for any observation.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { SrvRecord } from '@kmspool/kms/dns';
import fc from 'fast-check';
import { type DomainJudgement, type DomainQuestion, judgeDomain, judgeHostName } from './judge.ts';
import { srvText } from './names.ts';
import type { DomainObservation, ObservedSrv, ServerAnswer } from './observation.ts';

const NOW = Date.UTC(2026, 0, 1);
const NS1 = 'ns1.lab.example (10.0.0.53)';
const NS2 = 'ns2.lab.example (10.0.0.54)';

const host = (n: number, weight = 60): SrvRecord => ({
  priority: 0,
  weight,
  port: 1688,
  target: `campus-${n}.kms.lab.example`,
});
const shows = (server: string, ...records: (SrvRecord & { ttlSeconds?: number })[]): ServerAnswer<ObservedSrv> => ({
  server,
  ok: true,
  records: records.map((record) => ({ ttlSeconds: 60, ...record })),
});
const empty = (server: string, why: 'NxDomain' | 'NoData'): ServerAnswer<ObservedSrv> => ({
  server,
  ok: true,
  records: [],
  empty: why,
});
const fails = (server: string, error: string): ServerAnswer<ObservedSrv> => ({ server, ok: false, error });

function observed(...servers: ServerAnswer<ObservedSrv>[]): DomainObservation {
  return { domain: 'lab.example', askedAtMs: NOW, servers, error: undefined, absentSinceMs: new Map() };
}

function judge(observation: DomainObservation | undefined, more: Partial<DomainQuestion> = {}): DomainJudgement {
  return judgeDomain({
    desired: [host(0), host(1)],
    ours: [host(0).target, host(1).target, host(2).target],
    known: [],
    ttlSeconds: 60,
    observation,
    nowMs: NOW,
    ...more,
  });
}

const young = { changedAtMs: NOW - 60_000 };

describe('the records of a domain', () => {
  test('a name that holds only records of others is one that external-dns leaves alone, and the message says so', () => {
    const kms = { priority: 0, weight: 0, port: 1688, target: 'kms.lab.example' };
    const taken = judge(observed(shows(NS1, kms)), { known: [kms.target] });
    assert.equal(taken.kind, 'Differs');
    assert.match(taken.message, /records that external-dns did not make.*a DNSEndpoint of their own/);
    const siblings = judge(observed(shows(NS1, kms)), { siblings: [kms.target] });
    assert.doesNotMatch(siblings.message, /did not make/);
  });

  test('are not verified as long as nobody was asked', () => {
    const judgement = judge(undefined);
    assert.deepEqual(
      [judgement.kind, judgement.observed, judgement.message],
      ['NotVerified', 0, 'the name servers have not been asked yet'],
    );
  });

  test('are agreed on when every server shows them all, in any order (S3-18)', () => {
    const judgement = judge(observed(shows(NS1, host(0), host(1)), shows(NS2, host(1), host(0))));
    assert.deepEqual(judgement, {
      kind: 'Agreed',
      message: 'all 2 name servers show what is wanted',
      observed: 2,
      missing: [],
      stale: [],
      foreign: [],
      mixedTtl: false,
    });
  });

  test('are not agreed on as long as a single server shows less; it is named, with the record (S3-18)', () => {
    const judgement = judge(observed(shows(NS1, host(0), host(1)), shows(NS2, host(0))));
    assert.deepEqual(
      [judgement.kind, judgement.observed, judgement.missing, judgement.message],
      [
        'Differs',
        1,
        ['0 60 1688 campus-1.kms.lab.example.'],
        `${NS2} does not show 0 60 1688 campus-1.kms.lab.example.; look at the log of external-dns and at the replication of the zone`,
      ],
    );
  });

  test('propagate while the change is young: for one TTL and a minute (S3-18)', () => {
    const nothing = observed(shows(NS1), shows(NS2));
    const judgement = judge(nothing, young);
    assert.deepEqual([judgement.kind, judgement.untilMs], ['Propagating', NOW + 60_000]);
    assert.match(judgement.message, /; the change is young: wait$/);
    assert.equal(judge(nothing, { ...young, nowMs: NOW + 59_999 }).kind, 'Propagating');
    assert.equal(judge(nothing, { ...young, nowMs: NOW + 60_000 }).kind, 'Differs');
    assert.equal(judge(nothing, { ...young, ttlSeconds: 3600, nowMs: NOW + 60_000 }).kind, 'Propagating');
  });

  test('propagate longer once one server has them all, for a secondary may come later', () => {
    const half = observed(shows(NS1, host(0), host(1)), shows(NS2));
    assert.equal(judge(half, { ...young, nowMs: NOW + 600_000 }).kind, 'Propagating');
    assert.equal(judge(half, { ...young, nowMs: NOW + 900_000 }).kind, 'Differs');
  });

  test('with another weight, priority or port are missing, and what is there instead is stale', () => {
    const judgement = judge(observed(shows(NS1, host(0, 50), host(1))));
    assert.deepEqual(
      [judgement.kind, judgement.observed, judgement.missing, judgement.stale],
      ['Differs', 1, ['0 60 1688 campus-0.kms.lab.example.'], ['0 50 1688 campus-0.kms.lab.example.']],
    );
    for (const other of [{ priority: 1 }, { port: 1689 }])
      assert.equal(judge(observed(shows(NS1, { ...host(0), ...other }, host(1)))).kind, 'Differs');
  });

  test('of a host that is being withdrawn are stale, also beside all that is wanted', () => {
    const judgement = judge(observed(shows(NS1, host(0), host(1), host(2)), shows(NS2, host(0), host(1), host(2))));
    assert.deepEqual(
      [judgement.kind, judgement.observed, judgement.missing, judgement.stale],
      ['Differs', 2, [], ['0 60 1688 campus-2.kms.lab.example.']],
    );
    assert.equal(
      judgement.message,
      `${NS1} and ${NS2} still show 0 60 1688 campus-2.kms.lab.example.; if the publisher does not remove it (policy sync), remove it by hand`,
    );
  });

  test('are rightly gone when none is wanted and none is shown', () => {
    const judgement = judge(observed(empty(NS1, 'NxDomain')), { desired: [] });
    assert.deepEqual(
      [judgement.kind, judgement.message],
      ['Agreed', 'the name server shows nothing of this pool, as it should be'],
    );
  });

  test('are compared without regard to case and to the dot at the end', () => {
    const desired = [{ ...host(0), target: 'Campus-0.KMS.lab.example.' }, host(1)];
    assert.equal(judge(observed(shows(NS1, host(0), host(1))), { desired }).kind, 'Agreed');
  });

  test('in sets with several TTLs are pointed out', () => {
    const judgement = judge(observed(shows(NS1, host(0), { ...host(1), ttlSeconds: 300 })));
    assert.deepEqual([judgement.kind, judgement.mixedTtl], ['Agreed', true]);
    assert.match(judgement.message, /several TTLs: another publisher writes it too$/);
    assert.equal(
      judge(
        observed(
          shows(NS1, host(0), host(1)),
          shows(NS2, { ...host(0), ttlSeconds: 7 }, { ...host(1), ttlSeconds: 7 }),
        ),
      ).mixedTtl,
      false,
    );
  });
});

describe('a server that does not help', () => {
  test('makes the state unreachable, not different, while the others are right; with the code of S4-06', () => {
    const judgement = judge(observed(shows(NS1, host(0), host(1)), fails(NS2, 'SERVFAIL')), young);
    assert.deepEqual([judgement.kind, judgement.observed, judgement.missing], ['Unreachable', 2, []]);
    assert.equal(
      judgement.message,
      `${NS2} cannot be asked: SERVFAIL (DNS server failure, 0x8007232A); check the server and the way to it, or name the servers to ask in spec.dns.verifyNameservers`,
    );
  });

  test('is named beside the difference that another one shows', () => {
    const judgement = judge(observed(shows(NS1, host(0)), fails(NS2, 'timed out')));
    assert.equal(judgement.kind, 'Differs');
    assert.match(
      judgement.message,
      /^ns1\S* \S+ does not show .*; ns2\S* \S+ cannot be asked: timed out \(DNS server failure, 0x8007232A\); look at/,
    );
  });

  test('is all there is, or there is none: unreachable, and nothing is said to be missing', () => {
    const none: DomainObservation = { ...observed(), error: 'zone lab.example has no NS records' };
    for (const observation of [none, observed(), observed(fails(NS1, 'REFUSED'), fails(NS2, 'REFUSED'))]) {
      const judgement = judge(observation);
      assert.deepEqual([judgement.kind, judgement.observed, judgement.missing], ['Unreachable', 0, []]);
      assert.match(judgement.message, /spec\.dns\.verifyNameservers/);
    }
    assert.match(judge(none).message, /^zone lab\.example has no NS records \(DNS server failure, 0x8007232A\); check/);
    const both = `${NS1} and ${NS2} cannot be asked: REFUSED`;
    assert.ok(judge(observed(fails(NS1, 'REFUSED'), fails(NS2, 'REFUSED'))).message.startsWith(both));
  });

  test('S4-07 says that the name does not exist: the code that clients show is named', () => {
    const { message } = judge(observed(empty(NS1, 'NxDomain'), empty(NS2, 'NxDomain')));
    assert.match(
      message,
      /^ns1\S* \S+ and ns2\S* \S+ have no name _vlmcs\._tcp\.lab\.example \(clients see 0x8007232B\); look/,
    );
  });

  test('S4-08 says that there is no such record: the code that clients show is named', () => {
    const { message } = judge(observed(empty(NS1, 'NoData')));
    assert.match(
      message,
      /^ns1\S* \S+ has no SRV record at _vlmcs\._tcp\.lab\.example \(clients see 0x8007251D\); look/,
    );
  });
});

describe('hosts of others', () => {
  const rogue = { priority: 0, weight: 0, port: 1688, target: 'kms.other.example' };

  test('S3-70 are listed when nobody knows them, and change nothing of the verdict', () => {
    const judgement = judge(observed(shows(NS1, host(0), host(1), rogue), shows(NS2, host(0), host(1), rogue)));
    assert.deepEqual(
      [judgement.kind, judgement.foreign],
      ['Agreed', [{ target: 'kms.other.example', port: 1688, server: NS1 }]],
    );
  });

  test('S3-70 are no surprise when they are known, in any spelling', () => {
    const judgement = judge(observed(shows(NS1, host(0), host(1), rogue)), { known: ['KMS.other.example.'] });
    assert.deepEqual([judgement.kind, judgement.foreign], ['Agreed', []]);
  });

  test('of a pool that had the same identity when it was asked, and is gone since, are not foreign before it is asked again', () => {
    const seen = observed(shows(NS1, host(0), host(1), rogue));
    assert.deepEqual(judge({ ...seen, asked: [rogue.target] }).foreign, []);
    assert.equal(judge({ ...seen, asked: [] }).foreign.length, 1);
  });

  test('of a pool with the same identity are neither foreign nor stale', () => {
    const judgement = judge(observed(shows(NS1, host(0), host(1), rogue)), { siblings: [rogue.target] });
    assert.deepEqual([judgement.kind, judgement.foreign, judgement.stale], ['Agreed', [], []]);
  });

  test('a target of "." is nobody', () => {
    assert.deepEqual(judge(observed(shows(NS1, host(0), host(1), { ...rogue, target: '.' }))).foreign, []);
  });
});

describe('the addresses of a host name', () => {
  const fqdn = 'campus-0.kms.lab.example';
  const answer = (server: string, ...records: string[]): ServerAnswer<string> => ({ server, ok: true, records });
  const seen = (...servers: ServerAnswer<string>[]) => ({ fqdn, askedAtMs: NOW, servers });
  const addresses = ['10.1.0.1', 'fd00::1'];

  test('S2-36 are right when every server shows exactly them, however they are written', () => {
    const observation = seen(answer(NS1, '10.1.0.1', 'fd00::1'), answer(NS2, 'fd00::1', '10.1.0.1'));
    assert.equal(judgeHostName({ addresses: ['10.1.0.1', 'FD00:0:0::1'], observation }).kind, 'Agreed');
  });

  test('S2-36 are wrong when one is missing or one too many is there', () => {
    const judgement = judgeHostName({
      addresses,
      observation: seen(answer(NS1, '10.1.0.1'), answer(NS2, ...addresses, '10.9.9.9')),
    });
    assert.deepEqual(
      [judgement.kind, judgement.missing, judgement.stale, judgement.observed],
      ['Differs', ['fd00::1'], ['10.9.9.9'], 1],
    );
    assert.match(judgement.message, /^ns1\S* \S+ does not show fd00::1; ns2\S* \S+ still shows 10\.9\.9\.9; look/);
  });

  test('propagate, are not verified, cannot be asked, as records are', () => {
    const nothing = seen({ server: NS1, ok: true, records: [], empty: 'NxDomain' });
    const age = { nowMs: NOW, changedAtMs: NOW, ttlSeconds: 60 };
    assert.equal(judgeHostName({ addresses, observation: nothing, ...age }).kind, 'Propagating');
    assert.match(
      judgeHostName({ addresses, observation: nothing }).message,
      /has no name campus-0\.kms\.lab\.example \(clients see 0x8007232B\)/,
    );
    assert.equal(judgeHostName({ addresses, observation: undefined }).kind, 'NotVerified');
    const unknown = judgeHostName({ addresses, observation: { ...seen(), error: 'no zone' } });
    assert.deepEqual([unknown.kind, unknown.message.slice(0, 7)], ['Unreachable', 'no zone']);
  });

  test('have as much time as their publisher takes to look', () => {
    const nothing = seen({ server: NS1, ok: true, records: [], empty: 'NxDomain' });
    const at = (ageSeconds: number) => ({ nowMs: NOW, changedAtMs: NOW - ageSeconds * 1000, ttlSeconds: 60 });
    const kindOf = (ageSeconds: number, publishingSeconds?: number) =>
      judgeHostName({ addresses, observation: nothing, publishingSeconds, ...at(ageSeconds) }).kind;
    assert.deepEqual(
      [kindOf(119), kindOf(120), kindOf(359, 300), kindOf(360, 300)],
      ['Propagating', 'Differs', 'Propagating', 'Differs'],
    );
  });

  test('without any are right when none is shown', () => {
    assert.equal(judgeHostName({ addresses: [], observation: seen(answer(NS1)) }).kind, 'Agreed');
  });
});

describe('for any observation', () => {
  const target: fc.Arbitrary<string> = fc.constantFrom(
    'a.example',
    'b.example',
    'c.example',
    'other.example',
    'x.test',
  );
  const small = fc.constantFrom(0, 1, 60);
  const record = fc.record(
    { priority: small, weight: small, port: fc.constant(1688), target },
    { noNullPrototype: true },
  );
  const seenRecord = record.chain((srv) => small.map((ttlSeconds) => ({ ...srv, ttlSeconds })));
  const good = fc.array(seenRecord, { maxLength: 5 }).map((records) => ({ ok: true as const, records }));
  const bad = fc.constantFrom('SERVFAIL', 'timed out').map((error) => ({ ok: false as const, error }));
  const servers = fc
    .array(fc.oneof({ weight: 4, arbitrary: good }, bad), { maxLength: 4 })
    .map((answers) => answers.map((answer, n): ServerAnswer<ObservedSrv> => ({ server: `ns${n}`, ...answer })));
  const desired = fc.uniqueArray(record, { maxLength: 3, selector: ({ target: name }) => name });
  const question = fc.record({
    desired,
    servers,
    ours: fc.uniqueArray(target),
    siblings: fc.uniqueArray(target, { maxLength: 1 }),
    known: fc.uniqueArray(target, { maxLength: 1 }),
    ageSeconds: fc.option(fc.nat({ max: 2000 }), { nil: undefined }),
  });

  test('the verdict says what the servers show', () => {
    fc.assert(
      fc.property(question, ({ servers: list, ageSeconds, ...more }) => {
        const changedAtMs = ageSeconds === undefined ? undefined : NOW - ageSeconds * 1000;
        const judgement = judge(observed(...list), { ...more, changedAtMs });
        const heard = list.flatMap((answer) => (answer.ok ? [answer.records.map(srvText)] : []));
        const wanted = more.desired.map(srvText);
        const mine = new Set([...more.ours, ...more.desired.map(({ target: name }) => name)]);
        const isRight = (shown: string[]): boolean =>
          wanted.every((text) => shown.includes(text)) &&
          shown.every((text) => wanted.includes(text) || !mine.has(text.split(' ')[3]!.slice(0, -1)));
        const allRight = heard.length > 0 && heard.every(isRight);
        assert.equal(judgement.kind === 'Agreed', allRight && heard.length === list.length);
        assert.equal(judgement.kind === 'Unreachable', heard.length === 0 || (allRight && heard.length < list.length));
        assert.equal(judgement.kind === 'Propagating', judgement.untilMs !== undefined);
        assert.ok(judgement.observed <= wanted.length);
        assert.ok(judgement.missing.every((text) => wanted.includes(text)));
        assert.ok(judgement.stale.every((text) => !wanted.includes(text)));
        const familiar = new Set([...mine, ...more.known, ...more.siblings]);
        assert.ok(judgement.foreign.every(({ target: name }) => !familiar.has(name)));
        assert.match(judgement.message, /^[^\n]{1,2000}$/);
      }),
      { numRuns: 1000 },
    );
  });

  test('neither the order of servers and records nor the time of asking matters', () => {
    fc.assert(
      fc.property(question, fc.nat(), ({ servers: list, ageSeconds: _, ...more }, laterMs) => {
        const reversed = list.map((answer) =>
          answer.ok ? { ...answer, records: [...answer.records].reverse() } : answer,
        );
        const one = judge(observed(...list), more);
        const other = judge(
          { ...observed(...reversed.reverse()), askedAtMs: NOW + laterMs },
          { ...more, nowMs: NOW + laterMs },
        );
        assert.deepEqual(other, one);
      }),
    );
  });

  test('once it agrees it stays so while time goes by', () => {
    fc.assert(
      fc.property(desired, fc.nat(), (wanted, laterMs) => {
        const all = observed(shows(NS1, ...wanted), shows(NS2, ...wanted));
        const now = judge(all, { desired: wanted, ours: [], changedAtMs: NOW });
        assert.equal(now.kind, 'Agreed');
        assert.equal(now.observed, wanted.length);
        assert.deepEqual(judge(all, { desired: wanted, ours: [], changedAtMs: NOW, nowMs: NOW + laterMs }), now);
      }),
    );
  });
});
