// SPDX-License-Identifier: Apache-2.0

// What is watched, when it is asked about, what is remembered of it and when that is told: on a clock that the test turns, with name servers that
// answer in no time. Real servers are asked at the end.
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { Registry } from 'prom-client';
import { FakeClock, turn, until } from '../runtime/clock.fake.ts';
import type { AskedType, DnsQuestion, DnsReply } from './message.ts';
import { createDnsMetrics } from './metrics.ts';
import { type FakeNameServer, type FakeZones, startNameServer } from './name-server.fake.ts';
import type { ObservationWish } from './observation.ts';
import { DnsObserver } from './observer.ts';
import { type DnsExchange, networkExchange } from './query.ts';

const HOST_0 = 'campus-0.kms.lab.example';
const HOST_1 = 'campus-1.kms.lab.example';
const RECORD = '_vlmcs._tcp.lab.example';

/** What a server shows: SRV targets by name of the record, addresses by host name; or an error. */
interface Shown {
  srv: Record<string, { target: string; weight?: number; ttlSeconds?: number }[]>;
  addresses: Record<string, string[]>;
  error?: string;
  /** The type of record at which alone it fails; else all. */
  errorAt?: string;
}

class ScriptedServers implements DnsExchange {
  readonly shown = new Map<string, Shown>();
  readonly asked: { server: string; name: string; type: string }[] = [];
  /** While set, answers wait for it. */
  gate: Promise<void> | undefined;
  underWay = 0;
  mostUnderWay = 0;

  at(server: string): Shown {
    const known = this.shown.get(server) ?? { srv: {}, addresses: {} };
    this.shown.set(server, known);
    return known;
  }

  async ask<T extends AskedType>(
    server: { address: string },
    question: DnsQuestion<T>,
    signal: AbortSignal,
  ): Promise<DnsReply<T>> {
    this.asked.push({ server: server.address, name: question.name, type: question.type });
    this.underWay += 1;
    this.mostUnderWay = Math.max(this.mostUnderWay, this.underWay);
    const { gate } = this;
    if (gate !== undefined && !signal.aborted) {
      await Promise.race([gate, new Promise((resolve) => signal.addEventListener('abort', resolve))]);
    }
    this.underWay -= 1;
    if (signal.aborted) return { ok: false, error: 'given up' };
    const { srv, addresses, error, errorAt = question.type } = this.at(server.address);
    if (error !== undefined && errorAt === question.type) return { ok: false, error };
    const records: unknown[] =
      question.type === 'SRV'
        ? (srv[question.name] ?? []).map((record) => ({
            priority: 0,
            weight: 60,
            port: 1688,
            ttlSeconds: 60,
            ...record,
          }))
        : (addresses[question.name] ?? [])
            .filter((address) => address.includes(':') === (question.type === 'AAAA'))
            .map((address) => ({ address, ttlSeconds: 60 }));
    const reply = { ok: true, records, ...(records.length === 0 ? { empty: 'NxDomain' } : {}) };
    return reply as unknown as DnsReply<T>;
  }
}

const wish = (more: Partial<ObservationWish> = {}): ObservationWish => ({
  revision: 'r1',
  domains: [{ domain: 'lab.example', targets: [HOST_0, HOST_1] }],
  hostNames: [],
  nameservers: ['10.0.0.53', '10.0.0.54'],
  settled: false,
  ...more,
});

let clock: FakeClock;
let servers: ScriptedServers;
let registry: Registry;
let observer: DnsObserver;
let told: string[];
let stop: AbortController;
let running: Promise<void>;

function start(options: { concurrency?: number; random?: () => number } = {}): void {
  clock = new FakeClock();
  servers = new ScriptedServers();
  registry = new Registry();
  const random = options.random ?? (() => 0.5);
  observer = new DnsObserver({ metrics: createDnsMetrics(registry), exchange: servers, clock, random, ...options });
  told = [];
  observer.onChange((key) => told.push(key));
  stop = new AbortController();
  running = observer.run(stop.signal);
}

/** Times at which the first server was asked about the record, in ms since the start. */
async function timesOfRounds(forMs: number, stepMs = 100): Promise<number[]> {
  const times: number[] = [];
  for (let ms = stepMs; ms <= forMs; ms += stepMs) {
    const had = servers.asked.length;
    await clock.advance(stepMs);
    if (servers.asked.length > had) times.push(ms);
  }
  return times;
}

const domain = (key = 'kms/campus') => observer.observation(key).domains.get('lab.example');
const absent = (): Record<string, number> => Object.fromEntries(domain()?.absentSinceMs ?? []);
const show = (...targets: string[]): void => {
  for (const server of ['10.0.0.53', '10.0.0.54'])
    servers.at(server).srv[RECORD] = targets.map((target) => ({ target }));
};
const counted = async (name: string): Promise<Record<string, number>> => {
  const { values } = await registry.getSingleMetric(name)!.get();
  return Object.fromEntries(values.map(({ labels, value }) => [labels['result'], value]));
};

beforeEach(() => start());
afterEach(async () => {
  stop.abort();
  await running;
});

describe('when it is asked', () => {
  test('a new pool: within half a second, then more and more seldom, at last every 15 s', async () => {
    observer.watch('kms/campus', wish());
    assert.deepEqual(await timesOfRounds(62_000), [400, 900, 1_900, 3_900, 7_900, 15_900, 30_900, 45_900, 60_900]);
  });

  test('S2-10 a settled pool: every minute, not every day', async () => {
    observer.watch('kms/campus', wish({ settled: true }));
    assert.deepEqual(await timesOfRounds(125_000), [400, 60_400, 120_400]);
  });

  test('once it has settled: a minute after the last round', async () => {
    observer.watch('kms/campus', wish());
    assert.deepEqual(await timesOfRounds(2_000), [400, 900, 1_900]);
    observer.watch('kms/campus', wish({ settled: true }));
    assert.deepEqual(await timesOfRounds(61_000), [59_900]);
  });

  test('after a change: within half a second again, whatever was due', async () => {
    observer.watch('kms/campus', wish({ settled: true }));
    await clock.advance(10_000);
    observer.watch('kms/campus', wish({ revision: 'r2' }));
    assert.deepEqual(await timesOfRounds(2_000), [400, 900, 1_900]);
    await clock.advance(20_000);
    observer.watch('kms/campus', wish({ revision: 'r2', settled: true }));
    await clock.advance(1_000);
    observer.watch('kms/campus', wish({ revision: 'r2', settled: false }));
    assert.deepEqual(await timesOfRounds(1_000), [400, 900]);
  });

  test('the same wish again changes nothing', async () => {
    observer.watch('kms/campus', wish({ settled: true }));
    for (let second = 1; second <= 50; second++) {
      await clock.advance(1_000);
      observer.watch('kms/campus', wish({ settled: true }));
    }
    assert.equal(servers.asked.length, 2);
    assert.equal(clock.pending().length, 1);
  });

  test('never at the same time for all: the delays differ by up to a fifth', async () => {
    const times: number[] = [];
    for (const random of [0, 0.25, 0.75]) {
      stop.abort();
      await running;
      start({ random: () => random });
      observer.watch('kms/campus', wish({ settled: true }));
      times.push(...(await timesOfRounds(75_000, 20)).slice(1));
    }
    assert.deepEqual(times, [48_320, 54_360, 66_440]);
  });

  test('not at all before it runs, and not after its end', async () => {
    stop.abort();
    await running;
    observer.watch('kms/campus', wish());
    await clock.advance(10_000);
    assert.equal(servers.asked.length, 0);
    assert.deepEqual(clock.pending(), []);
    stop = new AbortController();
    running = observer.run(stop.signal);
    await clock.advance(1_000);
    assert.ok(servers.asked.length > 0);
  });

  test('one timer for 500 pools, and no more than 32 questions at once', async () => {
    servers.gate = new Promise(() => undefined);
    for (let n = 0; n < 500; n++) observer.watch(`kms/pool-${n}`, wish());
    assert.equal(clock.pending().length, 1);
    await clock.advance(500);
    assert.equal(servers.mostUnderWay, 32);
  });

  test('one round for a pool at a time; another wish gives the present one up', async () => {
    servers.gate = new Promise(() => undefined);
    observer.watch('kms/campus', wish());
    await clock.advance(100_000);
    assert.equal(servers.asked.length, 2);
    observer.watch('kms/campus', wish({ revision: 'r2' }));
    await turn();
    assert.equal(servers.underWay, 0);
    servers.gate = undefined;
    await clock.advance(500);
    assert.equal(servers.asked.length, 4);
    assert.equal(domain()?.servers.length, 2);
  });

  test('no longer once it is forgotten, and nothing is known of it any more', async () => {
    observer.watch('kms/campus', wish());
    await clock.advance(500);
    assert.notEqual(domain(), undefined);
    observer.forget('kms/campus');
    observer.forget('kms/never');
    const had = servers.asked.length;
    await clock.advance(100_000);
    assert.equal(servers.asked.length, had);
    assert.equal(domain(), undefined);
  });

  test('a round that was under way for a forgotten pool is not told', async () => {
    let open = (): void => undefined;
    servers.gate = new Promise((resolve) => {
      open = resolve;
    });
    observer.watch('kms/campus', wish());
    await clock.advance(500);
    observer.forget('kms/campus');
    open();
    await turn();
    assert.deepEqual(told, []);
  });
});

describe('what is told', () => {
  const rounds = async (): Promise<number> => {
    told.length = 0;
    await clock.advance(120_000);
    return told.length;
  };
  beforeEach(async () => {
    show(HOST_0, HOST_1);
    observer.watch('kms/campus', wish({ hostNames: [HOST_0] }));
    await clock.advance(500);
  });

  test('the first answer, of domain and host name', () => {
    assert.deepEqual(told, ['kms/campus', 'kms/campus']);
  });

  test('nothing while the answers stay the same, or only their order, their time or their TTL is another', async () => {
    assert.equal(await rounds(), 0);
    servers.at('10.0.0.53').srv[RECORD] = [
      { target: HOST_1, ttlSeconds: 7 },
      { target: HOST_0, ttlSeconds: 7 },
    ];
    assert.equal(await rounds(), 0);
    assert.ok(clock.now() - (domain()?.askedAtMs ?? 0) <= 15_000);
  });

  for (const [what, change] of [
    [
      'another weight at one server',
      () => servers.at('10.0.0.54').srv[RECORD]?.splice(0, 1, { target: HOST_0, weight: 5 }),
    ],
    ['a record that is gone', () => servers.at('10.0.0.53').srv[RECORD]?.pop()],
    ['a server that no longer answers', () => Object.assign(servers.at('10.0.0.54'), { error: 'timed out' })],
    ['two TTLs in one set', () => servers.at('10.0.0.53').srv[RECORD]?.splice(0, 1, { target: HOST_0, ttlSeconds: 7 })],
    ['another address of a host', () => Object.assign(servers.at('10.0.0.53').addresses, { [HOST_0]: ['10.9.9.9'] })],
  ] as const) {
    test(`once: ${what}`, async () => {
      change();
      const count = await rounds();
      assert.ok(count >= 1 && count <= 2, String(count));
      assert.equal(await rounds(), 0);
    });
  }
});

describe('what is remembered', () => {
  test('every server with its answer, in the order of their names, records in the order of their text', async () => {
    show(HOST_1, HOST_0);
    servers.at('10.0.0.54').error = 'REFUSED';
    observer.watch('kms/campus', wish({ nameservers: ['10.0.0.54', '10.0.0.53'] }));
    await clock.advance(500);
    const record = { priority: 0, weight: 60, port: 1688, ttlSeconds: 60 };
    assert.deepEqual(domain()?.servers, [
      { server: '10.0.0.53', ok: true, records: [HOST_0, HOST_1].map((target) => ({ ...record, target })) },
      { server: '10.0.0.54', ok: false, error: 'REFUSED' },
    ]);
  });

  test('S2-36 the addresses of host names, IPv4 and IPv6 together', async () => {
    Object.assign(servers.at('10.0.0.53').addresses, { [HOST_0]: ['fd00::1', '10.1.0.1'] });
    observer.watch('kms/campus', wish({ hostNames: [HOST_0] }));
    await clock.advance(500);
    assert.deepEqual(observer.observation('kms/campus').hosts.get(HOST_0)?.servers, [
      { server: '10.0.0.53', ok: true, records: ['10.1.0.1', 'fd00::1'] },
      { server: '10.0.0.54', ok: true, records: [], empty: 'NxDomain' },
    ]);
  });

  test('half an answer about a host is none', async () => {
    for (const errorAt of ['AAAA', 'A']) {
      Object.assign(servers.at('10.0.0.53'), {
        addresses: { [HOST_0]: ['10.1.0.1', 'fd00::1'] },
        error: 'SERVFAIL',
        errorAt,
      });
      observer.watch('kms/campus', wish({ revision: errorAt, hostNames: [HOST_0] }));
      await clock.advance(500);
      const [first] = observer.observation('kms/campus').hosts.get(HOST_0)?.servers ?? [];
      assert.deepEqual(first, { server: '10.0.0.53', ok: false, error: 'SERVFAIL' });
    }
  });

  test('is a copy: what was read does not change later', async () => {
    observer.watch('kms/campus', wish());
    await clock.advance(500);
    const early = observer.observation('kms/campus');
    show(HOST_0);
    await clock.advance(20_000);
    assert.equal(early.domains.get('lab.example')?.absentSinceMs.size, 2);
    assert.equal(domain()?.absentSinceMs.size, 1);
  });

  test('nothing of other name servers than are asked now', async () => {
    observer.watch('kms/campus', wish({ hostNames: [HOST_0] }));
    await clock.advance(500);
    observer.watch('kms/campus', wish({ hostNames: [HOST_0], nameservers: ['10.0.0.99'] }));
    assert.deepEqual([...observer.observation('kms/campus').domains, ...observer.observation('kms/campus').hosts], []);
  });

  test('nothing of names that are no longer asked about', async () => {
    const domains = [...wish().domains, { domain: 'branch.example', targets: [] }];
    observer.watch('kms/campus', wish({ domains, hostNames: [HOST_0, HOST_1] }));
    await clock.advance(500);
    observer.watch('kms/campus', wish({ hostNames: [HOST_1] }));
    const { domains: kept, hosts } = observer.observation('kms/campus');
    assert.deepEqual([[...kept.keys()], [...hosts.keys()]], [['lab.example'], [HOST_1]]);
  });

  test('why nobody could be asked', async () => {
    stop.abort();
    await running;
    observer = new DnsObserver({
      metrics: createDnsMetrics(new Registry()),
      exchange: servers,
      clock,
      resolvers: () => [],
    });
    stop = new AbortController();
    running = observer.run(stop.signal);
    observer.watch('kms/campus', wish({ nameservers: [], hostNames: [HOST_0] }));
    await clock.advance(1_000);
    assert.match(domain()?.error ?? '', /no resolver is configured/);
    assert.match(observer.observation('kms/campus').hosts.get(HOST_0)?.error ?? '', /no resolver is configured/);
  });
});

describe('since when a target is absent', () => {
  test('since the first complete round that did not show it; a server that shows it takes it out', async () => {
    observer.watch('kms/campus', wish());
    await clock.advance(500);
    const firstMs = clock.now() - 100;
    assert.deepEqual(absent(), { [HOST_0]: firstMs, [HOST_1]: firstMs });
    await clock.advance(60_000);
    assert.deepEqual(absent(), { [HOST_0]: firstMs, [HOST_1]: firstMs });
    servers.at('10.0.0.54').srv[RECORD] = [{ target: HOST_0 }];
    await clock.advance(16_000);
    assert.deepEqual(absent(), { [HOST_1]: firstMs });
    servers.at('10.0.0.54').srv[RECORD] = [];
    await clock.advance(16_000);
    assert.ok((absent()[HOST_0] ?? 0) > firstMs + 60_000);
  });

  test('a round in which a server did not answer adds nothing, but what a server shows is not absent', async () => {
    servers.at('10.0.0.53').error = 'timed out';
    observer.watch('kms/campus', wish());
    await clock.advance(60_000);
    assert.deepEqual(absent(), {});
    delete servers.at('10.0.0.53').error;
    await clock.advance(16_000);
    assert.deepEqual(Object.keys(absent()), [HOST_0, HOST_1]);
    servers.at('10.0.0.53').error = 'timed out';
    servers.at('10.0.0.54').srv[RECORD] = [{ target: HOST_1 }];
    await clock.advance(16_000);
    assert.deepEqual(Object.keys(absent()), [HOST_0]);
  });

  test('is kept over a change of the wish, for the targets that are still in it', async () => {
    observer.watch('kms/campus', wish());
    await clock.advance(500);
    const firstMs = clock.now() - 100;
    observer.watch('kms/campus', wish({ revision: 'r2', domains: [{ domain: 'lab.example', targets: [HOST_1] }] }));
    assert.deepEqual([absent(), domain()?.asked], [{ [HOST_1]: firstMs }, [HOST_0, HOST_1]]);
    told.length = 0;
    await clock.advance(20_000);
    assert.deepEqual([absent(), domain()?.asked], [{ [HOST_1]: firstMs }, [HOST_1]]);
    assert.deepEqual(told, ['kms/campus'], 'the answers are the same, and mean something else');
  });
});

describe('what is counted', () => {
  test('questions by whether they were answered, rounds by whether the servers agree', async () => {
    observer.watch('kms/campus', wish({ settled: true }));
    await clock.advance(500);
    servers.at('10.0.0.54').srv[RECORD] = [{ target: HOST_0 }];
    await clock.advance(60_000);
    servers.at('10.0.0.54').error = 'SERVFAIL';
    await clock.advance(60_000);
    assert.deepEqual(await counted('kmspool_dns_questions_total'), { answered: 5, failed: 1 });
    assert.deepEqual(await counted('kmspool_dns_rounds_total'), { agreed: 1, disagreed: 1, failed: 1 });
  });

  test('nothing that was given up', async () => {
    servers.gate = new Promise(() => undefined);
    observer.watch('kms/campus', wish());
    await clock.advance(500);
    observer.forget('kms/campus');
    await turn();
    assert.deepEqual(await counted('kmspool_dns_questions_total'), { answered: 0, failed: 0 });
    assert.deepEqual(await counted('kmspool_dns_rounds_total'), { agreed: 0, disagreed: 0, failed: 0 });
  });
});

describe('real name servers', () => {
  const zones = (targets: string[], addresses: string[] = ['10.1.0.1']): FakeZones => ({
    'lab.example': {
      'lab.example': [
        { type: 'NS', data: 'ns1.lab.example' },
        { type: 'NS', data: 'ns2.lab.example' },
      ],
      'ns1.lab.example': [{ type: 'A', data: '127.0.18.1' }],
      'ns2.lab.example': [{ type: 'A', data: '127.0.18.2' }],
      [RECORD]: targets.map(
        (target) => ({ type: 'SRV', data: { priority: 0, weight: 60, port: 1688, target } }) as const,
      ),
      [HOST_0]: addresses.map((data) => ({ type: 'A', data }) as const),
    },
  });
  let resolver: FakeNameServer;
  let ns1: FakeNameServer;
  let ns2: FakeNameServer;
  before(async () => {
    resolver = await startNameServer({ zones: zones([]) });
    ns1 = await startNameServer({ address: '127.0.18.1' });
    ns2 = await startNameServer({ address: '127.0.18.2', port: ns1.port });
  });
  after(() => Promise.all([resolver.close(), ns1.close(), ns2.close()]));

  test('S2-10 the authoritative servers are found and each is asked, not the resolver', async () => {
    for (const server of [ns1, ns2]) server.serve(zones([HOST_0]));
    const real = new DnsObserver({
      metrics: createDnsMetrics(new Registry()),
      exchange: networkExchange({ timeoutMs: 2000 }),
      resolvers: () => [resolver],
      port: ns1.port,
    });
    const end = new AbortController();
    const ended = real.run(end.signal);
    real.watch('kms/campus', wish({ nameservers: [], hostNames: [HOST_0] }));
    const seen = () => real.observation('kms/campus').domains.get('lab.example')?.servers ?? [];
    await until(() => seen().length === 2, 'both servers asked');
    const shows = (index: number) =>
      (seen()[index]?.ok === true ? seen()[index] : undefined) as
        | { records: readonly { target: string }[] }
        | undefined;
    assert.deepEqual(
      seen().map(({ server }) => server),
      [`ns1.lab.example (127.0.18.1:${ns1.port})`, `ns2.lab.example (127.0.18.2:${ns1.port})`],
    );
    assert.deepEqual([shows(0)?.records[0]?.target, shows(1)?.records[0]?.target], [HOST_0, HOST_0]);
    ns1.serve(zones([]));
    await until(() => shows(0)?.records.length === 0 && shows(1)?.records.length === 1, 'they differ');
    ns2.behave('refuse');
    await until(() => seen()[1]?.ok === false, 'one refuses');
    assert.deepEqual(seen()[1], { server: `ns2.lab.example (127.0.18.2:${ns1.port})`, ok: false, error: 'REFUSED' });
    const host = real.observation('kms/campus').hosts.get(HOST_0)?.servers[0];
    assert.deepEqual(host?.ok === true && host.records, ['10.1.0.1']);
    end.abort();
    await ended;
    assert.ok(resolver.seen.every(({ type }) => type !== 'SRV'));
  });
});
