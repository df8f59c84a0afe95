// SPDX-License-Identifier: Apache-2.0
/**
 * `make e2e-full`: every fault while clients ask, judged by what the clients saw; priority and weight over a thousand fresh clients; hosts that come to DNS and leave it;
 * a pool's end. Writes docs/faults.md and docs/faults.json when every fault was played.
 */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { hostStatusSchema, LABELS } from '@kmspool/crds';
import {
  CONFIG_MAPS,
  DEPLOYMENTS,
  DNS_ENDPOINTS,
  NETWORK_POLICIES,
  SECRETS,
  SERVICES,
} from '../../operator/pool/kinds.ts';
import { putProgram, startClients } from '../harness/cluster/client-pod.ts';
import { type Cluster, missingCluster, missingNode, openCluster } from '../harness/cluster/cluster.ts';
import { judge } from '../harness/cluster/oracle.ts';
import { CAMPUS_NAMESPACE, EXAMPLE, install, SYSTEM, surround, VALUES } from '../harness/cluster/surroundings.ts';
import type { Tried } from '../harness/cluster/tried.ts';
import { isReadyPod, TestPool } from '../harness/kubernetes/pools.ts';
import { waitFor } from '../harness/wait.ts';
import { FAULTS, type Fault, type Stage } from './faults.ts';
import { type FaultReport, markdown, survived } from './report.ts';

const ROOT = join(import.meta.dirname, '../..');
const RATE = 50;
/** In the table before the first fault; each fault brings two more. At most 50 are kept. */
const FIRST_MACHINES = 20;
const NEWCOMERS = 2;
const CHI_SQUARE_1_DF = 10.828; // α = 0.001

/** A pool that clients ask, and how many of their machines it has counted. */
interface Target {
  readonly pool: TestPool;
  readonly domain: string;
  counted: number;
}

describe('a pool in a cluster, fault by fault', { skip: missingCluster() }, () => {
  let cluster: Cluster;
  let campus: TestPool;
  let targets: { readonly campus: Target; readonly small: Target };
  const reports: FaultReport[] = [];

  before(async () => {
    cluster = await openCluster();
    await surround(cluster);
    await putProgram(cluster, CAMPUS_NAMESPACE);
    await install(cluster, VALUES, join(ROOT, 'test/e2e/fixtures/kmspool-0.1.0.tgz'));
    await cluster.run(['apply', '-f', EXAMPLE]);
    campus = new TestPool(cluster.client, CAMPUS_NAMESPACE, 'campus');
    await campus.conditions({ Ready: 'True AllHostsReady', DnsPublished: 'True Published' }, 180_000);
    const small = await smallPool();
    targets = {
      campus: { pool: campus, domain: 'lab.example', counted: 0 },
      small: { pool: small, domain: 'e2e.test', counted: 0 },
    };
  });
  after(async () => {
    if (reports.length === FAULTS.length) await report();
    cluster?.close();
  });

  /** A pool of two hosts that count in the Redis of the release. */
  const smallPool = async (): Promise<TestPool> => {
    const { data } = await cluster.client.get(SECRETS, { namespace: SYSTEM, name: 'kmspool-redis' });
    const metadata = { namespace: CAMPUS_NAMESPACE, name: 'redis-small' };
    await cluster.client.create(SECRETS, { metadata, data: { password: data?.['password'] ?? '' } });
    const pool = new TestPool(cluster.client, CAMPUS_NAMESPACE, 'small');
    const url = `redis://kmspool-redis.${SYSTEM}:6379`;
    await pool.create({
      replicas: 2,
      hostKeys: [{ product: 'WindowsServer2025' }],
      store: { redis: { url, credentialsSecretRef: { name: 'redis-small' } } },
      dns: { domains: [{ name: 'e2e.test', ttlSeconds: 60 }] },
    });
    await pool.conditions({ Ready: 'True AllHostsReady', DnsPublished: 'True Published' }, 180_000);
    return pool;
  };

  const report = async (): Promise<void> => {
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
    const { serverVersion } = JSON.parse(await cluster.run(['version', '-o', 'json'])) as {
      serverVersion: { gitVersion: string };
    };
    const run = {
      date: new Date().toISOString().slice(0, 10),
      version,
      kubernetes: serverVersion.gitVersion,
      requestsPerSecond: RATE,
      faults: reports,
    };
    writeFileSync(join(ROOT, 'docs/faults.md'), markdown(run));
    writeFileSync(join(ROOT, 'docs/faults.json'), `${JSON.stringify(run, null, 2)}\n`);
  };

  /** The count of Windows on every ready host. */
  const counts = async (pool: TestPool): Promise<number[]> => {
    const ready = (await pool.pods()).filter(isReadyPod);
    return Promise.all(
      ready.map(async ({ metadata }) => {
        const path = `/api/v1/namespaces/${CAMPUS_NAMESPACE}/pods/${metadata.name}:8080/proxy/status`;
        const status = hostStatusSchema.parse(JSON.parse(await cluster.run(['get', '--raw', path])));
        return status.counts.find(({ application }) => application === 'Windows')?.current ?? 0;
      }),
    );
  };

  const play = async (fault: Fault, index: number): Promise<FaultReport> => {
    const target = fault.smallRedis === true ? targets.small : targets.campus;
    const stage: Stage = { cluster, campus: target.pool, values: VALUES };
    const from = target.counted === 0 ? FIRST_MACHINES : target.counted;
    const clients = await startClients({
      cluster,
      namespace: CAMPUS_NAMESPACE,
      name: `load-${index}`,
      keySecret: `${target.pool.name}-key`,
      args: ['load', target.domain, String(RATE), String(from), String(from + NEWCOMERS)],
    });
    const asked = async (sinceMs: number): Promise<Tried[]> =>
      (await clients.tries()).filter(({ startedMs }) => startedMs > sinceMs);
    await waitFor(
      'every machine to be counted',
      async () => new Set((await asked(0)).map(({ machine }) => machine)).size >= from,
      30_000,
    );
    const fromMs = Date.now();
    try {
      await fault.run(stage);
    } catch (error) {
      await clients.stop().catch(() => undefined);
      throw error;
    }
    const toMs = Date.now();
    // Newcomers come from the sixth second on, however short the fault was.
    const complete = async (): Promise<boolean> =>
      (await asked(toMs)).length >= 2 * RATE &&
      (await asked(0)).some(({ machine }) => machine === from + NEWCOMERS - 1);
    await waitFor('requests after the fault', complete, 30_000);
    const tries = await clients.stop();
    const window = { fromMs, toMs, storeAway: fault.storeAway ?? false, dnsAway: fault.dnsAway ?? false };
    const verdict = judge(tries, window, { machines: target.counted, others: 0 });
    const machines = from + NEWCOMERS;
    target.counted = machines;
    let after: number[] = [];
    const exact = async (): Promise<boolean> => {
      after = await counts(target.pool);
      return after.length > 0 && after.every((count) => count === machines);
    };
    await waitFor('the exact count', exact, 20_000).catch(() => undefined);
    const countAfter = after.find((count) => count !== machines) ?? machines;
    return {
      name: fault.name,
      what: fault.what,
      ...verdict,
      durationMs: toMs - fromMs,
      countAfter,
      countWanted: machines,
    };
  };

  for (const [index, fault] of FAULTS.entries())
    test(`${fault.name}: nobody is left unserved, every count is right`, {
      skip: fault.needsNode === true && missingNode(),
    }, async () => {
      const played = await play(fault, index);
      reports.push(played);
      assert.deepEqual(played.offences.slice(0, 20), [], `${played.offences.length} of ${played.tries}`);
      assert.equal(played.countAfter, played.countWanted);
      assert.ok(survived(played));
    });

  const freshClients = async (name: string, count: number): Promise<Tried[]> => {
    const args = ['fresh', 'lab.example', String(count), '20261121'];
    const clients = await startClients({ cluster, namespace: CAMPUS_NAMESPACE, name, keySecret: 'campus-key', args });
    return clients.ended(180_000);
  };

  test('a thousand fresh clients choose hosts by priority and weight (S3-21, S3-62)', async () => {
    const tiers = [
      { hosts: 1, priority: 0, weight: 70 },
      { hosts: 1, priority: 0, weight: 30 },
      { priority: 10, weight: 0 },
    ];
    await cluster.run(['scale', 'khp/campus', '-n', CAMPUS_NAMESPACE, '--replicas=3']);
    await campus.change({ dns: { domains: [{ name: 'lab.example', ttlSeconds: 60, tiers }] } });
    await campus.conditions(
      { Ready: 'True AllHostsReady', DnsPublished: 'True Published', Reconciling: 'False Settled' },
      240_000,
    );
    const tries = await freshClients('weights', 1_000);
    const asked = (ordinal: number): number => tries.filter(({ host }) => host.startsWith(`campus-${ordinal}.`)).length;
    assert.equal(asked(0) + asked(1), 1_000, 'the third host stands by');
    const chiSquare = (asked(0) - 700) ** 2 / 700 + (asked(1) - 300) ** 2 / 300;
    assert.ok(chiSquare < CHI_SQUARE_1_DF, `${asked(0)} and ${asked(1)}: χ² ${chiSquare.toFixed(2)}`);
  });

  test('a host is added to DNS, and withdrawn before it is stopped (S3-27)', async () => {
    const offered = async (name: string): Promise<number> => (await freshClients(name, 1))[0]?.offered ?? 0;
    await cluster.run(['scale', 'khp/campus', '-n', CAMPUS_NAMESPACE, '--replicas=4']);
    await campus.conditions(
      { Ready: 'True AllHostsReady', DnsPublished: 'True Published', Reconciling: 'False Settled' },
      180_000,
    );
    assert.equal(await offered('four'), 4);
    await cluster.run(['scale', 'khp/campus', '-n', CAMPUS_NAMESPACE, '--replicas=3']);
    await waitFor('the record to leave', async () => (await offered(`three-${Date.now()}`)) === 3, 120_000);
    // One TTL passes before the host goes.
    assert.notEqual(await campus.deployment(3), undefined);
    await campus.settled(240_000);
    assert.equal(await campus.deployment(3), undefined);
  });

  test('a pool deleted: its records go, then its hosts, and what policy keeps stays', async () => {
    await cluster.run(['delete', 'khp/campus', '-n', CAMPUS_NAMESPACE, '--timeout=180s'], { timeoutMs: 200_000 });
    const [last] = await freshClients('after', 1);
    assert.equal(last?.hresult, 0x8007232b, 'no SRV record is left');
    const labelSelector = `${LABELS.pool}=campus`;
    for (const resource of [DEPLOYMENTS, SERVICES, CONFIG_MAPS, NETWORK_POLICIES, DNS_ENDPOINTS])
      await waitFor(
        `no ${resource.plural}`,
        async () =>
          (await cluster.client.list(resource, { namespace: CAMPUS_NAMESPACE, labelSelector })).items.length === 0,
        60_000,
      );
    await waitFor('no Pods', async () => (await campus.pods()).length === 0, 60_000);
    const secrets = (await cluster.client.list(SECRETS, { namespace: CAMPUS_NAMESPACE })).items.map(
      ({ metadata }) => metadata.name,
    );
    assert.ok(secrets.includes('redis'), 'what is not the pool’s stays');
  });
});
