// SPDX-License-Identifier: Apache-2.0

// Whom the records are asked of. Name servers on loopback addresses stand for a resolver and for the zones' servers; all share a port, since NS records
// name none.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { type Answer, encode } from 'dns-packet';
import { FakeClock } from '../runtime/clock.fake.ts';
import { systemClock } from '../runtime/clock.ts';
import { type Authority, AuthorityFinder, machineFamilies, systemResolvers } from './authority.ts';
import { type FakeNameServer, type FakeZones, response, startNameServer } from './name-server.fake.ts';
import { parseServer } from './nameservers.ts';
import { networkExchange } from './query.ts';

const exchange = networkExchange({ timeoutMs: 2000 });
const forever = new AbortController().signal;
const bothFamilies = { ipv4: true, ipv6: true };

const ns = (...hosts: string[]) => hosts.map((data) => ({ type: 'NS', data }) as const);
const a = (...addresses: string[]) => addresses.map((data) => ({ type: 'A', data }) as const);
const aaaa = (...addresses: string[]) => addresses.map((data) => ({ type: 'AAAA', data }) as const);

/** What the resolver knows: two zones of a test world, and nothing of the rest. */
const WORLD: FakeZones = {
  '.': {},
  example: { example: ns('ns.example'), 'ns.example': a('10.0.0.1') },
  'lab.example': {
    'lab.example': ns('ns2.lab.example', 'ns1.lab.example'),
    'ns1.lab.example': a('10.0.0.53'),
    'ns2.lab.example': [...a('10.0.0.54'), ...aaaa('fd00::54')],
    'campus-0.kms.lab.example': a('10.1.0.1'),
  },
};

let resolver: FakeNameServer;
beforeEach(async () => {
  resolver = await startNameServer({ zones: WORLD });
});
afterEach(() => resolver.close());

function finder(options: Partial<ConstructorParameters<typeof AuthorityFinder>[0]> = {}): AuthorityFinder {
  const resolvers = () => [resolver];
  return new AuthorityFinder({ exchange, clock: systemClock, resolvers, families: () => bothFamilies, ...options });
}

const find = (name: string, nameservers: string[] = [], options = {}): Promise<Authority> =>
  finder(options).find(name, nameservers, forever);

const serversOf = (authority: Authority): string[] =>
  authority.ok ? authority.servers.map(({ server }) => server) : [authority.error];

describe('the authoritative servers of a name', () => {
  test('are those of the zone in which it lies, whether the name is there or not', async () => {
    const expected = ['ns1.lab.example (10.0.0.53)', 'ns2.lab.example (10.0.0.54)', 'ns2.lab.example (fd00::54)'];
    for (const name of ['lab.example', '_vlmcs._tcp.lab.example', 'kms.lab.example', 'campus-0.kms.lab.example']) {
      assert.deepEqual(serversOf(await find(name)), expected, name);
    }
    assert.deepEqual(serversOf(await find('_vlmcs._tcp.branch.example')), ['ns.example (10.0.0.1)']);
  });

  test('are asked on port 53, without recursion', async () => {
    const authority = await find('branch.example');
    const server = { server: 'ns.example (10.0.0.1)', address: '10.0.0.1', port: 53, recursionDesired: false };
    assert.deepEqual(authority, { ok: true, servers: [server], unresolved: [] });
    assert.ok(resolver.seen.every(({ recursionDesired }) => recursionDesired));
  });

  test('are found by walking up where empty answers do not name the zone', async () => {
    resolver.behave((query) => {
      const { name, type } = query.questions?.[0] ?? { name: '', type: 'A' };
      return bare(query, WORLD['lab.example']?.[name] ?? [], name === 'lab.example' && type === 'SOA');
    });
    assert.equal(serversOf(await find('_vlmcs._tcp.lab.example')).length, 3);
    const walk = resolver.seen.filter(({ type }) => type === 'SOA').map(({ name }) => name);
    assert.deepEqual(walk, ['_vlmcs._tcp.lab.example', '_tcp.lab.example', 'lab.example']);
  });

  test('are never those of the root: a resolver that ends there does not know the zone', async () => {
    const authority = await find('_vlmcs._tcp.lab.test');
    assert.match(
      serversOf(authority)[0] ?? '',
      /^no zone holds _vlmcs\._tcp\.lab\.test, as the resolver sees it; delegate/,
    );
  });

  test('are not known when the resolver does not answer, and the error names it', async () => {
    resolver.behave('servfail');
    const error = `the zone of lab.example is not known: resolver 127.0.0.1:${resolver.port}: SERVFAIL`;
    assert.deepEqual(await find('lab.example'), { ok: false, error });
  });

  test('are asked of the next resolver when the first one does not answer', async () => {
    const broken = await startNameServer();
    broken.behave('refuse');
    const authority = await find('lab.example', [], { resolvers: () => [broken, resolver] });
    await broken.close();
    assert.equal(serversOf(authority).length, 3);
  });

  test('are not known without a resolver', async () => {
    const authority = await find('lab.example', [], { resolvers: () => [] });
    assert.deepEqual(serversOf(authority), ['the zone of lab.example is not known: no resolver is configured']);
  });

  test('are only those whose kind of address this machine can reach; one that has no such is named', async () => {
    const fourOnly = { families: () => ({ ipv4: true, ipv6: false }) };
    assert.deepEqual(serversOf(await find('lab.example', [], fourOnly)), [
      'ns1.lab.example (10.0.0.53)',
      'ns2.lab.example (10.0.0.54)',
    ]);
    const sixOnly = await find('lab.example', [], { families: () => ({ ipv4: false, ipv6: true }) });
    const error = 'has only IPv4 addresses (10.0.0.53), and the operator has no IPv4';
    assert.deepEqual(sixOnly.ok && sixOnly.unresolved, [{ server: 'ns1.lab.example', error }]);
  });

  test('without an address are named, not left out', async () => {
    resolver.serve({
      'lab.example': { 'lab.example': ns('gone.lab.example', 'ns1.lab.example'), 'ns1.lab.example': a('10.0.0.53') },
    });
    const authority = await find('lab.example');
    assert.deepEqual(authority.ok && authority.unresolved, [{ server: 'gone.lab.example', error: 'has no address' }]);
    assert.deepEqual(serversOf(authority), ['ns1.lab.example (10.0.0.53)']);
  });

  test('that are one machine under two names are asked once', async () => {
    const zone = {
      'lab.example': ns('a.lab.example', 'b.lab.example'),
      'a.lab.example': a('10.0.0.53'),
      'b.lab.example': a('10.0.0.53'),
    };
    resolver.serve({ 'lab.example': zone });
    assert.equal(serversOf(await find('lab.example')).length, 1);
  });

  test('are an error where the zone has no NS records', async () => {
    resolver.serve({ 'lab.example': {} });
    assert.deepEqual(await find('lab.example'), { ok: false, error: 'zone lab.example has no NS records' });
  });
});

describe('what was found', () => {
  const asked = (): number => resolver.seen.length;

  test('is kept as its TTL says, and no longer than ten minutes', async () => {
    const clock = new FakeClock();
    const long = [{ type: 'NS', ttl: 86_400, data: 'ns1.lab.example' } as const];
    resolver.serve({ 'lab.example': { 'lab.example': long, 'ns1.lab.example': a('10.0.0.53') } });
    const authorities = finder({ clock });
    await authorities.find('lab.example', [], forever);
    const first = asked();
    await clock.advance(59_000);
    await authorities.find('lab.example', [], forever);
    assert.equal(asked(), first);
    await clock.advance(2_000);
    await authorities.find('lab.example', [], forever);
    const second = asked();
    assert.equal(second, first + 3, 'SOA and the addresses, with a TTL of 60 s; NS is still kept');
    await clock.advance(600_000);
    await authorities.find('lab.example', [], forever);
    assert.equal(asked(), second + 4);
  });

  test('is kept for 30 s at least', async () => {
    const clock = new FakeClock();
    resolver.serve({
      'lab.example': {
        'lab.example': [{ type: 'NS', ttl: 0, data: 'ns1.lab.example' }],
        'ns1.lab.example': a('10.0.0.53'),
      },
    });
    const authorities = finder({ clock });
    await authorities.find('lab.example', [], forever);
    const first = asked();
    await clock.advance(29_000);
    await authorities.find('lab.example', [], forever);
    assert.equal(asked(), first);
  });

  test('is looked up once for all who ask at the same time', async () => {
    const authorities = finder();
    await Promise.all(Array.from({ length: 20 }, () => authorities.find('lab.example', [], forever)));
    assert.equal(asked(), 6);
  });

  test('is looked up again soon when it was an error', async () => {
    const clock = new FakeClock();
    const authorities = finder({ clock });
    resolver.behave('servfail');
    assert.equal((await authorities.find('lab.example', [], forever)).ok, false);
    resolver.behave('answer');
    await clock.advance(5_000);
    assert.equal((await authorities.find('lab.example', [], forever)).ok, true);
  });

  test('is not kept when the search was given up', async () => {
    const authorities = finder();
    const abort = new AbortController();
    resolver.behave('silent');
    const searching = authorities.find('lab.example', [], abort.signal);
    abort.abort();
    assert.equal((await searching).ok, false);
    resolver.behave('answer');
    assert.equal((await authorities.find('lab.example', [], forever)).ok, true);
  });
});

describe('servers that a pool names itself', () => {
  test('are asked in any form in which they may be written, with recursion, for they may be resolvers', async () => {
    const nameservers = [
      '10.0.0.9',
      '10.0.0.9:5353',
      'fd00::9',
      '[fd00::9]',
      '[FD00:0::9]:5353',
      'ns1.lab.example',
      'ns1.lab.example:5353',
    ];
    const authority = await find('lab.example', nameservers);
    assert.deepEqual(serversOf(authority), [
      '10.0.0.9',
      '10.0.0.9:5353',
      'fd00::9',
      '[fd00::9]:5353',
      'ns1.lab.example (10.0.0.53)',
      'ns1.lab.example (10.0.0.53:5353)',
    ]);
    assert.ok(authority.ok && authority.servers.every(({ recursionDesired }) => recursionDesired));
    assert.deepEqual(
      resolver.seen.filter(({ type }) => type === 'SOA' || type === 'NS'),
      [],
    );
  });

  test('may be aliases', async () => {
    resolver.serve({
      'lab.example': {
        'dns.lab.example': [{ type: 'CNAME', data: 'ns1.lab.example' }],
        'ns1.lab.example': a('10.0.0.53'),
      },
    });
    assert.deepEqual(serversOf(await find('x.example', ['dns.lab.example'])), ['dns.lab.example (10.0.0.53)']);
  });

  test('whose names are not known are named with the error', async () => {
    const authority = await find('lab.example', ['nobody.lab.example', '10.0.0.9']);
    assert.deepEqual(authority.ok && authority.unresolved, [{ server: 'nobody.lab.example', error: 'has no address' }]);
    assert.deepEqual(serversOf(authority), ['10.0.0.9']);
  });

  test('that cannot be read are an error', async () => {
    for (const bad of ['', 'a b', '[::1', '10.0.0.9:0', '10.0.0.9:70000', '[10.0.0.9]:53', 'host:port']) {
      assert.equal(parseServer(bad), undefined, bad);
      assert.equal((await find('lab.example', [bad])).ok, false);
    }
  });
});

test('the system has resolvers, and this machine addresses', () => {
  assert.ok(systemResolvers().every(({ address, port }) => address.length > 0 && port > 0));
  const { ipv4, ipv6 } = machineFamilies();
  assert.ok(ipv4 || ipv6);
});

type Query = Parameters<Exclude<Parameters<FakeNameServer['behave']>[0], string>>[0];

/** An answer without an authority section, as small forwarders give it. */
function bare(query: Query, records: readonly { type: string; data: unknown }[], isApex: boolean): Buffer {
  const question = query.questions?.[0];
  const name = question?.name ?? '';
  const mine = records
    .filter(({ type }) => type === question?.type)
    .map((record) => ({ name, ttl: 60, ...record }) as Answer);
  const data = { mname: name, rname: name, serial: 1, refresh: 1, retry: 1, expire: 1, minimum: 1 };
  const answers: Answer[] = isApex ? [{ name, type: 'SOA', ttl: 60, data }] : mine;
  return encode(response(query, { answers }));
}
