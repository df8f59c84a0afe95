// SPDX-License-Identifier: Apache-2.0
/**
 * `make e2e`: the first day of a platform engineer in a real cluster, with real Pods: install, apply examples/campus.yaml, clients that find the hosts through the cluster's
 * DNS, S3-09's counts, what Prometheus sees of it, a host and Redis's master killed under load, `helm test`, uninstall.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { ruleExpressions } from '../../charts/observability/expressions.ts';
import { type Clients, putProgram, startClients } from '../harness/cluster/client-pod.ts';
import { type Cluster, missingCluster, openCluster } from '../harness/cluster/cluster.ts';
import { type Forward, forward } from '../harness/cluster/forward.ts';
import { judge } from '../harness/cluster/oracle.ts';
import { CAMPUS_NAMESPACE, EXAMPLE, install, SYSTEM, surround, VALUES } from '../harness/cluster/surroundings.ts';
import { alertSelectors, empties, panelQueries } from '../harness/expressions.ts';
import { CHART } from '../harness/helm.ts';
import { TestPool } from '../harness/kubernetes/pools.ts';
import { type Prometheus, prometheusAt } from '../harness/prometheus.ts';
import { waitFor } from '../harness/wait.ts';
import { masterOf } from './faults.ts';

const KMSCTL = fileURLToPath(new URL('../../kmsctl/main.ts', import.meta.url));
const RATE = 50;
const TOO_FEW = 0xc004f038;
const CLOCK_SKEW = 0xc004f06c;

describe('kmspool in a cluster', { skip: missingCluster() }, () => {
  let cluster: Cluster;
  let campus: TestPool;
  let toPrometheus: Forward | undefined;
  let prometheus: Pick<Prometheus, 'query' | 'rules' | 'downTargets'>;
  let load: Clients | undefined;
  let counted = 0;

  before(async () => {
    cluster = await openCluster();
    await surround(cluster);
    await putProgram(cluster, CAMPUS_NAMESPACE);
    campus = new TestPool(cluster.client, CAMPUS_NAMESPACE, 'campus');
  });
  after(async () => {
    await toPrometheus?.stop();
    cluster?.close();
  });

  const clients = (name: string, ...args: string[]): Promise<Clients> =>
    startClients({ cluster, namespace: CAMPUS_NAMESPACE, name, keySecret: 'campus-key', args });

  test('helm install: two operators, one of them leads, and NOTES say the next three commands', async () => {
    const notes = await install(cluster);
    assert.ok((notes.match(/^ {2,}(kubectl|helm) /gm) ?? []).length >= 3, notes);
    const operators = await cluster.ready(SYSTEM, 'app.kubernetes.io/component=operator', 2);
    assert.equal(operators.length, 2);
    const lease = await cluster.run(['get', 'lease', '-n', SYSTEM, 'kmspool', '-o', 'jsonpath={.spec.holderIdentity}']);
    assert.ok(
      operators.some(({ metadata }) => lease.startsWith(metadata.name)),
      lease,
    );
  });

  test('kubectl apply of examples/campus.yaml: three hosts, Ready, in DNS (S1-04, S2-07)', async () => {
    await cluster.run(['apply', '-f', EXAMPLE]);
    await cluster.run(['wait', '-n', CAMPUS_NAMESPACE, '--for=condition=Ready', 'khp/campus', '--timeout=150s'], {
      timeoutMs: 160_000,
    });
    await campus.conditions({ DnsPublished: 'True Published' }, 60_000);
    const wide = await cluster.run(['get', 'khp', '-n', CAMPUS_NAMESPACE, '-o', 'wide']);
    assert.match(wide, /^campus +True +3 +3 .*Published +lab.example/m, wide);
    const described = await cluster.run(['describe', 'khp', '-n', CAMPUS_NAMESPACE, 'campus']);
    assert.match(described, /12294/, 'the event of the published record');
  });

  test('the worked example: clients in Pods find hosts by SRV, and the count is 1, 2, 3, 4 (S3-09)', async () => {
    const tries = await (
      await clients('s3-09', 'play', 'lab.example', 'windows-7,windows-7,windows-7:vm,windows-server-2008-r2')
    ).ended();
    assert.deepEqual(
      tries.map(({ count, hresult }) => [count, hresult]),
      [
        [1, TOO_FEW],
        [2, TOO_FEW],
        [3, TOO_FEW],
        [4, TOO_FEW],
      ],
    );
    const more = await (
      await clients(
        'to-25',
        'play',
        'lab.example',
        ['windows-server-2008-r2', ...Array<string>(20).fill('windows-11')].join(','),
      )
    ).ended();
    // Servers are licensed from 5, clients from 25 (S3-05, S3-06).
    assert.deepEqual(
      more.map(({ count }) => count),
      Array.from({ length: 21 }, (_, step) => step + 5),
    );
    assert.deepEqual(
      more.filter(({ hresult }) => hresult === 0).map(({ count }) => count),
      [5, 25],
    );
    assert.ok(
      new Set([...tries, ...more].map(({ host }) => host)).size >= 2,
      'two hosts of priority 0 share the clients',
    );
    assert.ok(
      [...tries, ...more].every(({ host }) => host !== 'campus-2.kms.lab.example'),
      'the third stands by (S3-21)',
    );
    counted = 25;
  });

  test('Prometheus has the count and the failures, and every query of dashboards and rules returns data (S1-13, S1-23)', async () => {
    const wrong = await (await clients('skewed', 'play', 'lab.example', 'windows-11:skew,windows-11:skew')).ended();
    assert.deepEqual(
      wrong.map(({ hresult }) => hresult),
      [CLOCK_SKEW, CLOCK_SKEW],
    );
    toPrometheus = await forward(cluster.kubeconfig, 'monitoring', 'service/prometheus', 9090);
    prometheus = prometheusAt(`http://127.0.0.1:${toPrometheus.port}`);
    // The load of the next test begins here: panels of rates need something to show.
    load = await clients('load', 'load', 'lab.example', String(RATE), '15', '20');
    const value = async (expr: string): Promise<number> => Number((await prometheus.query(expr))[0]?.value[1]);
    const count = 'max(kmspool_current_count{namespace="kms",pool="campus",application="Windows"})';
    await waitFor('the count', async () => (await value(count)) >= counted, 60_000);
    await waitFor(
      'the failures',
      async () => (await value('sum(kmspool_requests_total{hresult="0xC004F06C"})')) === 2,
      60_000,
    );
    const values = { namespace: CAMPUS_NAMESPACE, pool: 'campus', rateInterval: '30s', range: '2m' };
    assert.deepEqual(await empties(prometheus, [...panelQueries(values), ...alertSelectors()], 90_000), []);
    const rules = await prometheus.rules();
    assert.equal(rules.length, ruleExpressions().length);
    assert.deepEqual(
      rules.filter(({ lastError }) => (lastError ?? '') !== '').map(({ name, lastError }) => `${name}: ${lastError}`),
      [],
    );
  });

  test('kmsctl reads the pool from outside, by kubeconfig and a forwarded port (S1-08, S3-57)', async () => {
    const at = ['campus', '-n', CAMPUS_NAMESPACE, '--kubeconfig', cluster.kubeconfig];
    const kmsctl = (...args: string[]) => promisify(execFile)(process.execPath, [KMSCTL, ...args], { timeout: 60_000 });
    const { stdout } = await kmsctl('dlv', ...at);
    assert.match(stdout, /Current count: (2[5-9]|[34]\d)\n/);
    const clients = JSON.parse((await kmsctl('clients', ...at, '--all', '-o', 'json')).stdout) as unknown[];
    assert.ok(clients.length >= counted, stdout);
    const doctor = await kmsctl('doctor', ...at, '-o', 'json').catch((error: { stdout: string }) => error);
    const { steps } = JSON.parse(doctor.stdout) as { steps: { id: string; verdict: string; evidence: unknown }[] };
    assert.ok(steps.filter(({ verdict }) => verdict === 'ok').length >= 10, doctor.stdout);
  });

  test(`a host killed while ${RATE} requests a second come: nobody is left unserved, every count is right (S2-25, S3-27)`, async () => {
    await survives('a host killed', false, async () => {
      await cluster.kill({ namespace: CAMPUS_NAMESPACE, labelSelector: 'kmspool.io/pool=campus,kmspool.io/ordinal=0' });
      await cluster.ready(CAMPUS_NAMESPACE, 'kmspool.io/pool=campus,kmspool.io/ordinal=0');
    });
  });

  test("Redis's master killed under the same load: the hosts go on, and nothing of the count is lost", async () => {
    await survives('the master killed', true, async () => {
      await cluster.kill({ namespace: CAMPUS_NAMESPACE, labelSelector: 'app=redis-0' });
      await waitFor('the new master', async () => (await masterOf(cluster)) === 'redis-1', 60_000);
    });
  });

  const survives = async (what: string, storeAway: boolean, fault: () => Promise<void>): Promise<void> => {
    const fromMs = Date.now();
    await fault();
    await campus.settled(90_000);
    const toMs = Date.now();
    const enough = async (): Promise<boolean> =>
      ((await load?.tries()) ?? []).filter(({ startedMs }) => startedMs > toMs).length >= 2 * RATE;
    await waitFor('requests after the fault', enough, 30_000);
    const verdict = judge(
      (await load?.tries()) ?? [],
      { fromMs, toMs, storeAway, dnsAway: false },
      { machines: 0, others: counted },
    );
    assert.deepEqual(verdict.offences, [], what);
    assert.ok(verdict.tries > RATE);
  };

  test('helm test finds a host by SRV and activates a simulated client', async () => {
    await load?.stop();
    const values = { ...VALUES, test: { pool: 'campus', namespace: CAMPUS_NAMESPACE, domain: 'lab.example' } };
    const chart = await cluster.helm(['upgrade', 'kmspool', CHART, '-n', SYSTEM, '--wait', '--timeout', '3m'], values);
    assert.equal(chart.code, 0, chart.stderr);
    const tested = await cluster.helm(['test', 'kmspool', '-n', SYSTEM, '--timeout', '2m']);
    assert.equal(tested.code, 0, tested.stdout + tested.stderr);
    const said = await cluster.run(['logs', '-n', CAMPUS_NAMESPACE, 'kmspool-test']);
    assert.match(said, /licensed: a host was found by SRV, and it activates/);
  });

  test('helm uninstall, and the namespaces are deleted: nothing hangs, nothing is left', async () => {
    const gone = await cluster.helm(['uninstall', 'kmspool', '-n', SYSTEM, '--wait', '--timeout', '2m']);
    assert.equal(gone.code, 0, gone.stderr);
    for (const namespace of [CAMPUS_NAMESPACE, SYSTEM])
      await cluster.run(['delete', 'namespace', namespace, '--timeout=90s'], { timeoutMs: 100_000 });
    assert.equal(
      (
        await cluster.run([
          'get',
          'clusterroles,clusterrolebindings',
          '-l',
          'app.kubernetes.io/name=kmspool',
          '-o',
          'name',
        ])
      ).trim(),
      '',
    );
    assert.equal(
      (await cluster.run(['get', 'crd', 'kmshostpools.kmspool.io', '-o', 'name'])).trim(),
      'customresourcedefinition.apiextensions.k8s.io/kmshostpools.kmspool.io',
    );
  });

  test('a namespace is deleted with operator, pool and all, without an uninstall: it does not hang either', async () => {
    await install(cluster);
    const pool = new TestPool(cluster.client, SYSTEM, 'last');
    const domains = [{ name: 'e2e.test', ttlSeconds: 1 }];
    await pool.create({ replicas: 1, hostKeys: [{ product: 'WindowsServer2025' }], dns: { domains } });
    await pool.conditions({ Ready: 'True AllHostsReady', DnsPublished: 'True Published' }, 120_000);
    await cluster.run(['delete', 'namespace', SYSTEM, '--timeout=90s'], { timeoutMs: 100_000 });
    assert.equal(await pool.read(), undefined);
    const ours = ['-l', 'app.kubernetes.io/name=kmspool'];
    await cluster.run(['delete', 'clusterroles,clusterrolebindings', ...ours]);
  });
});
