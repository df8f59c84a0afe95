// SPDX-License-Identifier: Apache-2.0
/**
 * Dashboards and alert rules over real metrics: the operator, real host processes, a real Redis, PowerDNS and external-dns, machines that ask (some of them
 * wrongly), and a real Prometheus that scrapes it all and evaluates the rules. Every expression has to return data, but for those named here with the reason.
 */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { derivePoolKeys } from '@kmspool/kms/wire';
import { ruleExpressions } from '../../charts/observability/expressions.ts';
import { SECRETS } from '../../operator/pool/kinds.ts';
import { expectAck, withClient } from '../harness/expect.ts';
import { alertSelectors, empties, panelQueries } from '../harness/expressions.ts';
import { secretOf } from '../harness/host.ts';
import { type ControlPlane, startControlPlane } from '../harness/kubernetes/control-plane.ts';
import { missingDnsPeers, type PowerDns, startPowerDns } from '../harness/kubernetes/dns-peers.ts';
import { DnsPlace } from '../harness/kubernetes/dns-place.ts';
import { type NodePlayer, startNodePlayer } from '../harness/kubernetes/node-player.ts';
import { type OperatorProcess, startOperator } from '../harness/kubernetes/operator-process.ts';
import { TestPool } from '../harness/kubernetes/pools.ts';
import { makeTestFolder } from '../harness/kubernetes/server-process.ts';
import { missingControlPlane } from '../harness/kubernetes/tools.ts';
import { bindPdu, type FieldChanges, requestBody, requestPdu } from '../harness/messages.ts';
import { missingPrometheus, type Prometheus, type RuleState, startPrometheus } from '../harness/prometheus.ts';
import { missingBinary, type RedisServer, startRedis } from '../harness/redis.ts';
import { waitFor } from '../harness/wait.ts';

const ZONE = 'lab.test';
const RULES = join(import.meta.dirname, '../../charts/kmspool/rules/kmspool.yaml');
const DAY_MS = 86_400_000;

const skip =
  missingControlPlane({ controllers: true }) ||
  missingDnsPeers() ||
  missingBinary('redis-server') ||
  missingPrometheus();

describe('dashboards and rules over real metrics', { skip }, () => {
  let plane: ControlPlane;
  let powerDns: PowerDns;
  let player: NodePlayer;
  let operator: OperatorProcess;
  let redis: RedisServer;
  let at: DnsPlace;
  let campus: TestPool;
  let prometheus: Prometheus;
  const folder = makeTestFolder('rules');
  const asking = new AbortController();
  let asked: Promise<void> = Promise.resolve();

  before(async () => {
    [plane, powerDns, redis] = await Promise.all([
      startControlPlane({ controllers: true, crds: ['KmsHostPool', 'DNSEndpoint'] }),
      startPowerDns({ zones: [ZONE] }),
      startRedis(),
    ]);
    player = await startNodePlayer({ client: plane.client(), strategy: () => ({ kind: 'real' }) });
    operator = await startOperator({ kubeconfig: plane.kubeconfig, args: ['--host-access', 'Direct'] });
    const namespace = await plane.namespace('kms');
    at = new DnsPlace({ namespace, domain: `campus.${ZONE}`, powerDns, kubeconfig: plane.kubeconfig });
    await at.startPublisher();
    const data = { key: secretOf('campus-key').toString('base64') };
    await plane.client().create(SECRETS, { metadata: { namespace, name: 'campus-key' }, data });
    campus = new TestPool(plane.client(), namespace, 'campus');
    const hostKeys = [{ product: 'WindowsServer2025' }, { product: 'Office2010' }, { product: 'Office2021' }];
    await campus.create(at.spec(2, { exposure: { type: 'PodIP' }, hostKeys, store: { redis: { url: redis.url } } }));
    await campus.settled(60_000);
    const hosts = await addresses();
    const rules = join(folder.path, 'rules.yaml');
    // Nobody waits minutes for a group here.
    writeFileSync(rules, readFileSync(RULES, 'utf8').replaceAll(/^( *)interval: .*$/gm, '$1interval: 1s'));
    prometheus = await startPrometheus({
      targets: { hosts: hosts.map((host) => `${host}:8080`), operator: [new URL(operator.httpUrl).host] },
      labels: { operator: { namespace: 'kmspool-system', pod: 'operator-0' } },
      rules: [rules],
    });
    asked = keepAsking(hosts);
    // The last test waits for it and sees its error.
    asked.catch(() => undefined);
  });
  after(async () => {
    asking.abort();
    await asked.catch(() => undefined);
    await prometheus?.stop();
    await operator?.stop();
    await player?.stop();
    await Promise.all([at?.stop(), powerDns?.stop(), redis?.stop()]);
    await plane?.stop();
    folder.remove();
  });

  const addresses = async (): Promise<string[]> =>
    (await campus.pods()).flatMap(({ status }) => (status?.podIP === undefined ? [] : [status.podIP]));

  /** One connection, one request; whatever the answer is. */
  const ask = (host: string, fields: FieldChanges): Promise<void> =>
    withClient(
      { port: 1688 },
      async (client) => {
        expectAck(await client.ask(bindPdu()));
        await client.ask(requestPdu(requestBody(derivePoolKeys(secretOf('campus-key')), fields)));
      },
      { host },
    );

  /** A request for a procedure that a KMS host does not have: answered with an RPC fault. */
  const askNonsense = (host: string): Promise<void> =>
    withClient(
      { port: 1688 },
      async (client) => {
        expectAck(await client.ask(bindPdu()));
        await client.ask(requestPdu(Buffer.alloc(8), { opnum: 7 }));
      },
      { host },
    );

  /** Six machines, a clone among them under two names, one whose clock is a day ahead; in turn on all hosts. */
  const keepAsking = async (hosts: readonly string[]): Promise<void> => {
    const cmids = Array.from({ length: 6 }, (_, n) => `00000000-0000-4000-8000-00000000000${n}`);
    for (let round = 0; !asking.signal.aborted; round++) {
      const host = hosts[round % hosts.length] ?? '';
      for (const [n, cmid] of cmids.entries()) await ask(host, { cmid, licenseStatus: n % 2 === 0 ? 2 : 1 });
      await ask(host, { cmid: cmids[0] ?? '', workstationName: `clone-${round % 2}.lab.test` });
      await ask(host, { clientTimeMs: Date.now() + DAY_MS });
      await askNonsense(host);
      await delay(200);
    }
  };

  it('are scraped: every target is up', async () => {
    await waitFor('all targets to be up', async () => (await prometheus.downTargets()).length === 0, 30_000);
  });

  it('every query of every panel returns data', async () => {
    const values = { namespace: campus.namespace, pool: 'campus', rateInterval: '10s', range: '1m' };
    assert.deepEqual(await empties(prometheus, panelQueries(values), 60_000), []);
  });

  it('every series that an alert looks at is there', async () => {
    const selectors = alertSelectors();
    assert.ok(selectors.length > 40);
    assert.deepEqual(await empties(prometheus, selectors, 30_000), []);
  });

  it('Prometheus evaluates every alert without an error', async () => {
    await waitFor(
      'the rules to be evaluated',
      async () => (await prometheus.rules()).every(({ health }) => health !== 'unknown'),
      30_000,
    );
    const rules = await prometheus.rules();
    assert.equal(rules.length, ruleExpressions().length);
    assert.deepEqual(
      rules.filter(({ health }) => health !== 'ok').map(({ name, lastError }) => `${name}: ${lastError}`),
      [],
    );
  });

  it('what is wrong here is on its way to an alert, in words, and nothing fires', async () => {
    const rules = new Map<string, RuleState['alerts']>();
    const read = async (): Promise<void> => {
      for (const { name, alerts } of await prometheus.rules()) if (alerts.length > 0) rules.set(name, alerts);
    };
    await waitFor(
      'the alerts',
      async () => {
        await read();
        return rules.has('KmsCountBelowThreshold') && rules.has('KmsRequestsRefused');
      },
      60_000,
    );
    const [refused] = rules.get('KmsRequestsRefused') ?? [];
    assert.equal(refused?.labels['hresult'], '0xC004F06C');
    assert.match(refused?.annotations['description'] ?? '', /^The client’s clock differs .* Next: .*port-forward/s);
    assert.match(refused?.annotations['summary'] ?? '', new RegExp(`^KMS pool ${campus.namespace}/campus refuses \\d`));
    const [lacking] = rules.get('KmsCountBelowThreshold') ?? [];
    assert.equal(lacking?.labels['threshold'], 'Client');
    const firing = [...rules].filter(([, alerts]) => alerts.some(({ state }) => state === 'firing'));
    assert.deepEqual(
      firing.map(([name]) => name),
      [],
    );
  });

  it('all machines were answered meanwhile', async () => {
    asking.abort();
    await asked;
  });
});
