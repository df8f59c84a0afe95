// SPDX-License-Identifier: Apache-2.0
//
// The virtual world against real hosts: the same fleet of 200 machines, step by step. Real hosts, on real sockets, share one
// store whose clock stands where the virtual one stands; real clients ask them. After each step the count, the host that
// answered, the result and the client's whole state must be the same.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { hostConfigFor, type KmsHostPool } from '@kmspool/crds';
import { type Client, nextChangeAtMs } from '@kmspool/kms/client';
import { hostFqdn, rankHosts, type SrvRecord } from '@kmspool/kms/dns';
import { simulate, type TrySeen } from '@kmspool/kms/fleet';
import { derivePoolKeys, hexToGuid } from '@kmspool/kms/wire';
import { createMemoryStore, type RunningHost, startHost } from '@kmspool/kms-node';
import { pino } from 'pino';
import { type Discovery, type Machine, tryActivation } from '../net/index.ts';
import { editionOf } from '../verbs/activate.ts';
import { fleetOfText } from './fleet.fake.ts';
import type { LoadedFleet } from './fleet-file.ts';
import { planOf } from './plan.ts';
import { seededCmid, seededNumbers } from './random.ts';

const SEED = 7;
const DAYS = 13;
const fleetText = (port: number): string => `
fleet: agreement
days: ${DAYS}
pools:
  - name: campus
    spec:
      replicas: 3
      port: ${port}
      hostKeys: [{product: WindowsServer2025}, {product: Office2021}]
      renewalIntervalMinutes: 2880
      activationIntervalMinutes: 600
      dns:
        domains:
          - name: lab.example
            tiers: [{hosts: 2, weight: 60}, {priority: 10}]
machines:
  - {name: servers, product: windows-server-2008-r2, count: 12, arrival: {over: 2d}}
  - {name: pcs, product: windows-11, count: 90, arrival: {at: 1d, over: 5d}}
  - {name: vista, product: windows-vista, count: 25, virtual: true, arrival: {at: 2d, over: 1d}, hostCaching: false}
  - {name: clones, product: windows-10, count: 20, image: {generalized: false}, arrival: {at: 3d, over: 2h}}
  - {name: office, product: office-2021, count: 40, arrival: {over: 6d}}
  - {name: foreign, product: office-2010, count: 3, arrival: {at: 1d}}
  - {name: late-clocks, product: windows-8.1, count: 10, clock: {offset: -5h}, arrival: {at: 4d}}
changes:
  - {at: 9d, for: 3d, hostDown: campus-0}
`;

const ADDRESSES = ['127.0.17.1', '127.0.17.2', '127.0.17.3'];
const secret = Buffer.alloc(32, 9);
const hosts: RunningHost[] = [];
let clockMs = 0;
let loaded: LoadedFleet;

before(async () => {
  loaded = fleetOfText(fleetText(1688));
  const settings = { maxRequiredCount: 25, retention: { clients: 1000, events: 10 } };
  const store = createMemoryStore({ settings, nowMs: () => clockMs });
  for (const [ordinal, address] of ADDRESSES.entries()) {
    // The first takes a free port, the others the same one on their own addresses.
    hosts.push(await startOne({ ordinal, address, port: hosts[0]?.port ?? 0, store }));
  }
  loaded = fleetOfText(fleetText(hosts[0]?.port ?? 0));
});

interface Place {
  readonly ordinal: number;
  readonly address: string;
  readonly port: number;
  readonly store: ReturnType<typeof createMemoryStore>;
}

function startOne({ ordinal, address, port, store }: Place): Promise<RunningHost> {
  const { name, spec } = loaded.pools[0] ?? assert.fail('no pool');
  const pool = { metadata: { name }, spec } as KmsHostPool;
  const overrides = { port, limits: { connectionsPerSource: 0, drainSeconds: 0 } };
  return startHost({
    config: hostConfigFor({ pool, ordinal, store: { kind: 'memory' }, overrides }),
    secret,
    adminToken: 'token',
    listenAddress: address,
    http: { address, port: 0 },
    store,
    storeIsShared: true,
    logger: pino({ level: 'silent' }),
  });
}

after(() => Promise.all(hosts.map((host) => host.stop())));

test('S3-07 S3-08 S3-10 S3-16 two hundred machines get the same counts, hosts and states from real hosts, at every step', async () => {
  const plan = planOf(loaded, DAYS);
  const steps: TrySeen[] = [];
  simulate({
    plan,
    random: seededNumbers(SEED),
    cmidOf: (machine) => seededCmid(SEED, machine),
    onTry: (seen) => steps.push(seen),
  });
  assert.equal(new Set(steps.map(({ machine }) => machine)).size, 200);
  assert.ok(steps.length > 1000, `${steps.length} steps`);

  const world = realWorld(plan.startMs);
  const clients = new Map<number, Client>();
  for (const step of steps) {
    clockMs = step.atMs;
    const group = plan.groups.findLast((_group, at) => step.machine >= firstOf(plan.groups, at)) ?? assert.fail();
    // Before its first try a client is as the simulation made it; from then on it is its own.
    const { offsetMs } = group.clock;
    const client = clients.get(step.machine) ?? byClock(step.before, offsetMs);
    const dueMs = nextChangeAtMs(client) - offsetMs;
    assert.equal(dueMs, step.atMs, `machine ${step.machine} is due at another time`);
    const result = await tryActivation(client, machineOf(group, step.machine), {
      ...world,
      domain: group.domains[0],
      clockMs: () => clockMs + offsetMs,
    });
    const last = result.contacts.at(-1);
    const answer = last?.answer;
    const real = {
      host: answer === undefined || answer.kind === 'failed' ? '' : (last?.target.host ?? ''),
      count: answer?.kind === 'counted' ? answer.response.currentCount : undefined,
      hresult: result.hresult,
      client: result.client,
    };
    const virtual = {
      host: step.host,
      count: step.count,
      hresult: step.hresult,
      client: byClock(step.after, offsetMs),
    };
    assert.deepEqual(real, virtual, `machine ${step.machine}, day ${(step.atMs - plan.startMs) / 86_400_000}`);
    clients.set(step.machine, result.client);
  }
});

/** The client as it sees itself by a clock that is off by so much; the simulation keeps all in the true time. */
function byClock(client: Client, offsetMs: number): Client {
  const moved = (ms: number): number => (ms === 0 ? 0 : ms + offsetMs);
  const { graceEndsAtMs, validUntilMs, nextAttemptAtMs } = client;
  return {
    ...client,
    graceEndsAtMs: moved(graceEndsAtMs),
    validUntilMs: moved(validUntilMs),
    nextAttemptAtMs: moved(nextAttemptAtMs),
  };
}

interface RealWorld {
  readonly keys: ReturnType<typeof derivePoolKeys>;
  readonly discovery: Discovery;
  readonly random: () => number;
  readonly timeoutMs: number;
}

/** DNS as the simulation has it, with the addresses of the real hosts; campus-0 is away from day 9 to 12. */
function realWorld(startMs: number): RealWorld {
  const day = 86_400_000;
  const away = (): boolean => clockMs >= startMs + 9 * day && clockMs < startMs + 12 * day;
  const withdrawn = (): boolean => away() && clockMs >= startMs + 9 * day + 30_000;
  const tiers = [
    { hosts: 2, priority: 0, weight: 60 },
    { priority: 10, weight: 0 },
  ];
  const nameOf = (ordinal: number): string => hostFqdn('campus', ordinal, 'default', 'lab.example');
  const records = (): SrvRecord[] =>
    rankHosts({ tiers }, 3).flatMap((rank, ordinal) =>
      ordinal === 0 && withdrawn() ? [] : [{ ...rank, port: hosts[0]?.port ?? 0, target: nameOf(ordinal) }],
    );
  const discovery: Discovery = {
    server: 'this test',
    srv: async (domain) => ({ records: domain === 'lab.example' ? records() : [], reason: '' }),
    addresses: async (host) => {
      const ordinal = [0, 1, 2].find((each) => nameOf(each) === host) ?? -1;
      const address = ADDRESSES[ordinal];
      return address === undefined || (ordinal === 0 && away()) ? [] : [address];
    },
  };
  return { keys: derivePoolKeys(secret), discovery, random: seededNumbers(SEED), timeoutMs: 5000 };
}

function firstOf(groups: readonly { count: number }[], at: number): number {
  return groups.slice(0, at).reduce((sum, { count }) => sum + count, 0);
}

function machineOf(group: ReturnType<typeof planOf>['groups'][number], machine: number): Machine {
  const clonesAt = 12 + 90 + 25;
  const cmid = seededCmid(SEED, group.image.generalized ? machine : clonesAt);
  return {
    name: `machine-${machine}`,
    cmid: hexToGuid(cmid),
    product: group.product,
    edition: editionOf(group.product, undefined),
    protocol: group.product.protocolVersion,
    isClientVm: group.virtual,
  };
}
