// SPDX-License-Identifier: Apache-2.0
/**
 * The whole of it without a kubelet's network: the operator, real host processes, a real Redis, PowerDNS and external-dns, and machines that find the hosts by
 * SRV. Services have no data path here, so pools are exposed by their Pods' own addresses. What is asserted is what machines were told, what stands in the
 * pool's status and in DNS, and which keys are in Redis.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type HostStatus, LABELS } from '@kmspool/crds';
import { PODS, type Pod, type PoolObject, SECRETS } from '../../operator/pool/kinds.ts';
import { secretOf } from '../harness/host.ts';
import { type ControlPlane, startControlPlane } from '../harness/kubernetes/control-plane.ts';
import { missingDnsPeers, type PowerDns, startPowerDns } from '../harness/kubernetes/dns-peers.ts';
import { DnsPlace, TTL_SECONDS } from '../harness/kubernetes/dns-place.ts';
import { type NodePlayer, startNodePlayer } from '../harness/kubernetes/node-player.ts';
import { type OperatorProcess, startOperator } from '../harness/kubernetes/operator-process.ts';
import { conditionOf, follow, isReadyPod, TestPool } from '../harness/kubernetes/pools.ts';
import { makeTestFolder } from '../harness/kubernetes/server-process.ts';
import { missingControlPlane } from '../harness/kubernetes/tools.ts';
import { Machines, type MachineTry } from '../harness/machines.ts';
import { missingBinary, type RedisServer, startRedis } from '../harness/redis.ts';
import { waitFor } from '../harness/wait.ts';

const ZONE = 'lab.test';
/** To which the pool's port is changed. */
const PORT = 1700;
const STRICT = `strict.${ZONE}`;

const skip = missingControlPlane({ controllers: true }) || missingDnsPeers() || missingBinary('redis-server');

describe('a pool of real hosts', { skip }, () => {
  let plane: ControlPlane;
  let powerDns: PowerDns;
  let player: NodePlayer;
  let operator: OperatorProcess;
  let redis: RedisServer;
  let at: DnsPlace;
  let campus: TestPool;
  let machines: Machines;
  let strict: TestPool;
  let redisConfig: readonly string[];

  before(async () => {
    // What it has acknowledged survives its end.
    redisConfig = ['appendonly yes', 'appendfsync always', `dir ${makeTestFolder('redis-data').path}`];
    [plane, powerDns, redis] = await Promise.all([
      startControlPlane({ controllers: true, crds: ['KmsHostPool', 'DNSEndpoint'] }),
      startPowerDns({ zones: [ZONE] }),
      startRedis({ config: redisConfig }),
    ]);
    player = await startNodePlayer({ client: plane.client(), strategy: () => ({ kind: 'real' }) });
    operator = await newOperator();
    at = new DnsPlace({
      namespace: await plane.namespace('kms'),
      domain: `campus.${ZONE}`,
      powerDns,
      kubeconfig: plane.kubeconfig,
    });
    await at.startPublisher();
    campus = new TestPool(plane.client(), at.namespace, 'campus');
    await makeKey('campus-key');
    machines = new Machines({ secret: secretOf('campus-key'), nameServer: powerDns, domain: at.domain });
    await campus.create(spec(3));
    strict = new TestPool(plane.client(), at.namespace, 'strict');
    await makeKey('strict-key');
    await strict.create(strictSpec());
    for (const pool of [campus, strict]) await pool.settled(60_000);
  });
  after(async () => {
    await operator?.stop();
    await player?.stop();
    await Promise.all([at?.stop(), powerDns?.stop(), redis?.stop()]);
    await plane?.stop();
  });

  const newOperator = (): Promise<OperatorProcess> =>
    startOperator({ kubeconfig: plane.kubeconfig, args: ['--host-access', 'Direct', '--no-leader-elect'] });
  const makeKey = (name: string) => {
    const data = { key: secretOf(name).toString('base64') };
    return plane.client().create(SECRETS, { metadata: { namespace: at.namespace, name }, data });
  };
  const spec = (replicas: number, store: object = {}): object =>
    at.spec(replicas, {
      exposure: { type: 'PodIP' },
      limits: { drainSeconds: 5 },
      store: { redis: { url: redis.url }, ...store },
    });

  /** Two hosts that refuse without Redis, in a domain of their own. */
  const strictSpec = (): object => ({
    ...spec(2, { onLoss: 'Refuse', onDelete: 'Purge' }),
    dns: { ...at.dns(), domains: [{ name: STRICT, ttlSeconds: TTL_SECONDS }], withdrawAfterSeconds: 0 },
  });

  const statusOf = async (pod: Pod): Promise<HostStatus> => {
    const answer = await fetch(`http://${pod.status?.podIP}:8080/status`, { signal: AbortSignal.timeout(5_000) });
    return (await answer.json()) as HostStatus;
  };
  const readyPods = async (pool: TestPool): Promise<Pod[]> => (await pool.pods()).filter(isReadyPod);
  const uidsOf = async (pool: TestPool): Promise<string[]> =>
    (await readyPods(pool)).map(({ metadata }) => metadata.uid ?? '').sort();
  /** What each host says. */
  const statuses = async (pool: TestPool): Promise<HostStatus[]> => Promise.all((await readyPods(pool)).map(statusOf));

  const countIn = (status: HostStatus): number | undefined =>
    status.counts.find(({ application }) => application === 'Windows')?.current;

  /** Over all the time that `use` takes: the fewest Pods that were ready at once, and the most hosts that had more than one Pod at once. */
  const extremes = async (pool: TestPool, use: () => Promise<void>): Promise<{ ready: number; surging: number }> => {
    const seen = { ready: Number.POSITIVE_INFINITY, surging: 0 };
    const labelSelector = `${LABELS.pool}=${pool.name}`;
    const pods = await follow(plane.client(), { resource: PODS, namespace: pool.namespace, labelSelector }, (all) => {
      seen.ready = Math.min(seen.ready, all.filter(isReadyPod).length);
      const staying = all.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
      const hosts = Map.groupBy(staying, ({ metadata }) => metadata.labels?.[LABELS.ordinal]);
      seen.surging = Math.max(seen.surging, [...hosts.values()].filter(({ length }) => length > 1).length);
    });
    try {
      await use();
    } finally {
      await pods.stop();
    }
    return seen;
  };

  /** Machines ask all the time while `use` runs; answers their tries. */
  const underLoad = async (use: () => Promise<void>): Promise<MachineTry[]> => {
    const stop = new AbortController();
    const asking = machines.askUntil(stop.signal);
    try {
      await use();
    } finally {
      stop.abort();
    }
    return asking;
  };

  const assertAllCounted = (tries: readonly MachineTry[], count: number): void => {
    const others = tries.filter((each) => each.count !== count);
    assert.deepEqual(others.slice(0, 3), [], `${others.length} of ${tries.length} were not told ${count}`);
  };

  /** Every host tells the same count, and as many requests as machines were answered: none lost, none counted twice. */
  const assertExact = async (hosts = 3): Promise<void> => {
    let seen: (number | undefined)[][] = [];
    const exact = async (): Promise<boolean> => {
      seen = (await statuses(campus)).map((status) => [countIn(status), status.totals.total]);
      return (
        seen.length === hosts && seen.every(([count, total]) => count === machines.size && total === machines.answered)
      );
    };
    await waitFor('the count and the totals', exact).catch((error: Error) =>
      assert.fail(`${error.message}: ${JSON.stringify(seen)}, wanted ${machines.size} and ${machines.answered}`),
    );
  };

  it('S1-04 is found by SRV, and counts each machine once over all hosts', async () => {
    machines.add(25);
    const told = await machines.askAll();
    assert.deepEqual(
      told.map(({ count }) => count),
      Array.from({ length: 25 }, (_, n) => n + 1),
    );
    assertAllCounted(await machines.askAll(), 25);
    const served = (await statuses(campus)).map(({ connections }) => connections.accepted);
    assert.ok(
      served.every((accepted) => accepted > 0),
      `all hosts were asked: ${served}`,
    );
  });

  it('a change that needs no restart reaches every host, and the pool is Ready only then', async () => {
    const before = await uidsOf(campus);
    const frozen = player.host(at.namespace, 'campus-1').process;
    frozen.signal('SIGSTOP');
    try {
      await campus.change({ activationIntervalMinutes: 45 });
      await campus.conditions({ Ready: 'False ConfigStale', Reconciling: 'True ConfigStale' });
      const others = (await campus.pods()).filter(({ metadata }) => metadata.labels?.[LABELS.ordinal] !== '1');
      const taken = async (): Promise<boolean> =>
        (await Promise.all(others.map(statusOf))).every((status) => status.activationIntervalMinutes === 45);
      await waitFor('the other hosts to take it over', taken);
      assert.equal(conditionOf((await campus.read()) as PoolObject, 'Ready'), 'False ConfigStale');
    } finally {
      frozen.signal('SIGCONT');
    }
    await campus.conditions({ Ready: 'True AllHostsReady' });
    const said = await statuses(campus);
    assert.deepEqual(
      said.map(({ activationIntervalMinutes }) => activationIntervalMinutes),
      [45, 45, 45],
    );
    const tries = await machines.askAll();
    assertAllCounted(tries, 25);
    assert.ok(tries.every(({ activationIntervalMinutes }) => activationIntervalMinutes === 45));
    assert.deepEqual(await uidsOf(campus), before);
    await campus.settled();
  });

  it('the thresholds of servers and clients are told, and the count stands in the status', async () => {
    await campus.event('CountThresholdReached', 2, 30_000);
    const messages = (await campus.events()).filter(({ reason }) => reason === 'CountThresholdReached');
    assert.deepEqual(messages.map(({ message }) => message.replace(/:.*/, '')).sort(), [
      'Windows 25 of 25',
      'Windows 25 of 5',
    ]);
    const { status } = await campus.conditions({ CountSufficient: 'True AllThresholdsMet' });
    assert.deepEqual(status?.counts?.[0]?.current, 25);
  });

  it('a rollout (another port) under load turns nobody away, never has fewer hosts ready, and the count stays exact', async () => {
    const before = await uidsOf(campus);
    let seen = { ready: 0, surging: 0 };
    const tries = await underLoad(async () => {
      seen = await extremes(campus, async () => {
        await campus.change({ port: PORT });
        await campus.settled(60_000);
      });
    });
    assertAllCounted(tries, 25);
    assert.ok(seen.ready >= 3, `${seen.ready} ready`);
    assert.equal(seen.surging, 1, 'one host at a time');
    assert.ok((await uidsOf(campus)).every((uid) => !before.includes(uid)));
    await assertExact();
    const lines = [0, 1, 2].map((ordinal) => `0 0 ${PORT} ${at.host(campus, ordinal)}.`);
    await at.powerDns.shows(at.record, 'SRV', lines);
  });

  it('S3-27 a node that is drained takes one host at a time, and nobody is turned away', async () => {
    const before = await uidsOf(campus);
    let seen = { ready: 0, surging: 0 };
    const tries = await underLoad(async () => {
      seen = await extremes(campus, async () => {
        const selector = `--pod-selector=${LABELS.pool}=campus`;
        const drained = await plane.kubectl([
          'drain',
          player.nodeName,
          selector,
          '--delete-emptydir-data',
          '--timeout=60s',
        ]);
        assert.equal(drained.code, 0, drained.stderr);
        await campus.settled(60_000);
      });
    });
    await plane.kubectl(['uncordon', player.nodeName]);
    assertAllCounted(tries, 25);
    assert.ok(seen.ready >= 2, `${seen.ready} ready`);
    assert.ok((await uidsOf(campus)).every((uid) => !before.includes(uid)));
    await assertExact();
  });

  it('without Redis hosts go on or refuse as they were told, all records stay, and the count is whole again afterwards', async () => {
    const refused = strictMachines(2);
    assert.deepEqual(
      (await refused.askAll()).map(({ count }) => count),
      [1, 2],
    );
    const records = [await at.written(campus), await at.written(strict)];
    assert.deepEqual(
      records.map(({ length }) => length),
      [3, 2],
    );

    await redis.kill();
    const lost = { StoreAvailable: 'False StoreLost', Ready: 'False StoreLost' } as const;
    for (const pool of [strict, campus]) await pool.conditions(lost);
    for (const pool of [strict, campus]) assert.equal((await pool.event('StoreLost')).type, 'Warning');
    await strict.when('all its hosts to refuse', ({ status }) => status?.readyReplicas === 0);
    machines.add(1);
    const told = (await machines.askAll()).map(({ count }) => count);
    assert.ok(
      told.every((count) => count === 25 || count === 26),
      `told ${told}`,
    );
    for (const { count, contacts } of await refused.askAll()) {
      assert.equal(count, undefined);
      assert.ok(
        contacts.every((words) => words.endsWith('RPC fault 0x1c010014')),
        contacts.join(),
      );
    }
    // An operator that has asked nobody yet, and longer than any host may be away for another reason.
    await operator.kill();
    operator = await newOperator();
    for (const end = performance.now() + 3_000; performance.now() < end; )
      assert.deepEqual([await at.written(campus), await at.written(strict)], records);
    assert.equal((await at.powerDns.dig(`_vlmcs._tcp.${STRICT}`, 'SRV')).length, 2);
    assert.deepEqual(await at.powerDns.dig(at.record, 'SRV'), records[0]);

    await redis.stop();
    redis = await startRedis({ config: redisConfig, port: redis.port });
    for (const pool of [strict, campus]) {
      await pool.conditions({ StoreAvailable: 'True StoreReachable', Ready: 'True AllHostsReady' });
      await pool.event('StoreRestored');
    }
    assertAllCounted(await machines.askAll(), 26);
    assert.deepEqual(
      (await refused.askAll()).map(({ count }) => count),
      [2, 2],
    );
  });

  const strictMachines = (count: number): Machines => {
    const found = new Machines({ secret: secretOf('strict-key'), nameServer: powerDns, domain: STRICT });
    found.add(count);
    return found;
  };

  const keysOf = async (pool: TestPool): Promise<string[]> => {
    const poolId = (await pool.read())?.status?.poolId ?? '';
    assert.match(poolId, /^[0-9a-f-]{36}$/);
    return keysWith(poolId);
  };
  const keysWith = async (poolId: string): Promise<string[]> =>
    (await redis.client.keys(`kmspool:{${poolId}}:*`)).sort();

  it('S1-26 deleted with Purge a pool leaves no key in Redis, with Retain all, and the same Secret goes on counting', async () => {
    assert.ok((await strictMachines(1).askAll()).every(({ count }) => count !== undefined));
    const purgedId = (await strict.read())?.status?.poolId ?? '';
    const kept = await keysOf(campus);
    assert.ok((await keysOf(strict)).length > 3);
    await campus.delete();
    await strict.delete();
    await strict.gone();
    assert.deepEqual(await keysWith(purgedId), []);
    await campus.gone();
    await at.shows(campus, []);
    await waitFor('its hosts to end', async () => (await campus.pods()).length === 0, 30_000);
    const all = (await redis.client.keys('*')).sort();
    assert.deepEqual(all, kept);
    await campus.create(spec(2));
    await campus.settled(60_000);
    const before = machines.size;
    machines.add(1);
    const told = (await machines.askAll()).map(({ count }) => count);
    assert.deepEqual([told[0], told.at(-1)], [before, before + 1]);
    await assertExact(2);
    assert.deepEqual(await keysOf(campus), kept);
  });
});
