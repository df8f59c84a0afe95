// SPDX-License-Identifier: Apache-2.0
/**
 * kmsctl on a pool in a cluster: a real API server with its rights, the operator, real host processes on a real Redis. The kubelet's part of a forwarded port is
 * played (kubelet-forward.ts); that a real one does the same is the real cluster's to show.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { HostStatus } from '@kmspool/crds';
import { productBySlug } from '@kmspool/kms/catalog';
import { clientProfile, newClient } from '@kmspool/kms/client';
import { derivePoolKeys } from '@kmspool/kms/wire';
import { connectKms, requestFields } from '@kmspool/kmsctl/net';
import { SECRETS } from '../../operator/pool/kinds.ts';
import { secretOf } from '../harness/host.ts';
import { type ControlPlane, type PlaneUser, startControlPlane } from '../harness/kubernetes/control-plane.ts';
import { type KubeletForward, startKubeletForward } from '../harness/kubernetes/kubelet-forward.ts';
import { type NodePlayer, startNodePlayer } from '../harness/kubernetes/node-player.ts';
import { type OperatorProcess, startOperator } from '../harness/kubernetes/operator-process.ts';
import { TestPool } from '../harness/kubernetes/pools.ts';
import { missingControlPlane } from '../harness/kubernetes/tools.ts';
import { missingBinary, type RedisServer, startRedis } from '../harness/redis.ts';

const MAIN = fileURLToPath(new URL('../../kmsctl/main.ts', import.meta.url));
const skip = missingControlPlane({ controllers: true }) || missingBinary('redis-server');

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

describe('kmsctl and a pool in a cluster', { skip }, () => {
  let plane: ControlPlane;
  let player: NodePlayer;
  let operator: OperatorProcess;
  let redis: RedisServer;
  let forward: KubeletForward;
  let pool: TestPool;
  let home: string;

  before(async () => {
    home = mkdtempSync(join(tmpdir(), 'kmsctl-cluster-'));
    [plane, redis] = await Promise.all([startControlPlane({ controllers: true, crds: ['KmsHostPool'] }), startRedis()]);
    player = await startNodePlayer({ client: plane.client(), strategy: () => ({ kind: 'real' }) });
    forward = await startKubeletForward(plane, player);
    operator = await startOperator({
      kubeconfig: plane.kubeconfig,
      args: ['--host-access', 'Direct', '--no-leader-elect'],
    });
    const namespace = await plane.namespace('kms');
    pool = new TestPool(plane.client(), namespace, 'campus');
    const key = secretOf('campus-key').toString('base64');
    await plane.client().create(SECRETS, { metadata: { namespace, name: 'campus-key' }, data: { key } });
    await pool.create({
      replicas: 2,
      hostKeys: [{ product: 'WindowsServer2025' }],
      exposure: { type: 'PodIP' },
      access: { allowedSources: ['127.0.0.0/8', '10.0.0.0/8'] },
      store: { redis: { url: redis.url } },
    });
    await pool.settled(60_000);
    await activateSome(7);
  });
  after(async () => {
    await operator?.stop();
    await forward?.stop();
    await player?.stop();
    await redis?.stop();
    await plane?.stop();
    rmSync(home, { recursive: true, force: true });
  });

  /** Distinct Windows 11 machines ask the first host. */
  const activateSome = async (count: number): Promise<void> => {
    const [pod] = await pool.pods();
    const connected = await connectKms({ address: String(pod?.status?.podIP), port: 1688, timeoutMs: 5_000 });
    assert.ok(connected.ok, JSON.stringify(connected));
    const product = productBySlug('windows-11');
    const edition = product?.editions[0];
    assert.ok(product && edition);
    for (let n = 0; n < count; n++) {
      const cmid = `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
      const machine = { name: `pc-${n}`, cmid, product, edition, protocol: 6 as const, isClientVm: false };
      const client = newClient(clientProfile(product), Date.now());
      const keys = derivePoolKeys(secretOf('campus-key'));
      const answer: { readonly kind: string } = await connected.connection.request(
        keys,
        requestFields(machine, client, Date.now()),
      );
      assert.equal(answer.kind, 'counted', JSON.stringify(answer));
    }
    connected.connection.close();
  };

  /** As a user runs it: nothing but a kubeconfig. */
  const start = (args: readonly string[], user?: PlaneUser): ChildProcess => {
    const env = { PATH: process.env['PATH'], HOME: home, KUBECONFIG: user?.kubeconfig ?? plane.kubeconfig };
    return spawn(process.execPath, [MAIN, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  };
  const ended = async (child: ChildProcess): Promise<Ended> => {
    let [stdout, stderr] = ['', ''];
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    const [code] = await once(child, 'close');
    return { code: code as number | null, stdout, stderr };
  };
  const kmsctl = (...args: readonly string[]): Promise<Ended> => ended(start([...args, '-n', pool.namespace]));
  const kmsctlAs = (user: PlaneUser, ...args: readonly string[]): Promise<Ended> =>
    ended(start([...args, '-n', pool.namespace], user));

  it('S1-08 S3-74 reads a host through a forwarded port, the pool found by name, as the only one, or by a host’s name', async () => {
    const before_ = forward.forwarded();
    const { code, stdout, stderr } = await kmsctl('dlv', 'campus', '-o', 'json');
    assert.deepEqual([code, stderr], [0, '']);
    const status = JSON.parse(stdout) as HostStatus;
    assert.deepEqual([status.pool, status.counts[0]?.current], [{ name: 'campus', namespace: pool.namespace }, 7]);
    assert.ok(forward.forwarded() > before_);
    const second = JSON.parse((await kmsctl('dlv', 'campus-1', '-o', 'json')).stdout) as HostStatus;
    assert.equal(second.host.name, 'campus-1');
    assert.match((await kmsctl('dli')).stdout, /Current count: 7\n/);
  });

  it('S1-27 S3-39 lists need the admin token, which comes from its Secret', async () => {
    const clients = JSON.parse((await kmsctl('clients', 'campus', '-o', 'json')).stdout) as { machineName: string }[];
    assert.deepEqual(
      clients.map(({ machineName }) => machineName).sort(),
      [0, 1, 2, 3, 4, 5, 6].map((n) => `pc-${n}`),
    );
    assert.match((await kmsctl('events', 'campus', '--limit', '1')).stdout, / counted {2}pc-6 /);
    assert.match((await kmsctl('count', 'campus', '--explain')).stdout, /Windows: 7 of at most 50\n/);
    const exported = await kmsctl('export', 'campus');
    assert.equal(exported.stdout.trim().split('\n').length, 8);
  });

  it('what there is instead is told: no such pool, no such namespace, no such context', async () => {
    const other = await kmsctl('dlv', 'nowhere');
    assert.equal(other.code, 2);
    assert.match(
      other.stderr,
      new RegExp(`^kmsctl: namespace .* has no KmsHostPool nowhere; there are ${pool.namespace}/campus\n$`),
    );
    const context = await kmsctl('dlv', '--context', 'nope');
    assert.match(context.stderr, /^kmsctl: --context nope: the kubeconfig has no context of that name; it has .*\n$/);
    const unreachable = await ended(start(['dlv', '--kubeconfig', fileOf('127.0.0.1:1')]));
    assert.match(
      unreachable.stderr,
      /^kmsctl: the API server https:\/\/127\.0\.0\.1:1\/ .*does not answer: .*ECONNREFUSED.*\n$/,
    );
  });

  const fileOf = (server: string): string => {
    const path = join(home, 'unreachable.kubeconfig');
    const text = readFileSync(plane.kubeconfig, 'utf8').replace(new URL(plane.url).host, server);
    rmSync(path, { force: true });
    writeFileSync(path, text);
    return path;
  };

  it('S4-02 a right that is missing is named with the command that grants it, one after the other, until all are there', async () => {
    const user = await plane.user('reader');
    const steps = [
      /you may not get kmshostpools\.kmspool\.io "campus" .*--verb=get --resource=kmshostpools\.kmspool\.io/,
      /you may not list pods in namespace/,
      /you may not get secrets "campus-admin" .*--resource-name=campus-admin/,
      /you may not create and get pods\/portforward/,
    ];
    for (const wanted of steps) {
      const { code, stderr } = await kmsctlAs(user, 'clients', 'campus');
      assert.deepEqual([code, stderr.split('\n').length], [2, 2], stderr);
      assert.match(stderr, wanted);
      assert.match(stderr, /0x80070005/);
      for (const command of stderr.split('with: ')[1]?.trim().split(' && ') ?? []) {
        const [, ...args] = command.replace('=YOU', '=reader').split(' ');
        const done = await plane.kubectl(args);
        assert.equal(done.code, 0, `${command}: ${done.stderr}`);
      }
    }
    const granted = await kmsctlAs(user, 'clients', 'campus', '-o', 'json');
    assert.deepEqual([granted.code, granted.stderr], [0, '']);
  });

  it('S1-32 S2-14 doctor and preflight: conditions, external-dns, policies, and the hosts behind them', async () => {
    const { code, stdout, stderr } = await kmsctl('doctor', 'campus', '-o', 'json', '--client', '192.0.2.1');
    assert.equal(stderr, '');
    const { steps } = JSON.parse(stdout) as { steps: { id: string; verdict: string; evidence: string[] }[] };
    const of = (id: string): string => {
      const found = steps.find((step) => step.id === id);
      return `${found?.verdict}: ${found?.evidence.join('\n')}`;
    };
    assert.match(of('hosts-ready'), /^ok: campus-0 is ready/);
    assert.match(of('store'), /^ok: campus-0: redis, .*, master, Available/);
    assert.match(of('one-count'), /^ok: all 2 hosts are one pool/);
    assert.match(of('conditions'), /Ready True AllHostsReady/);
    assert.match(of('external-dns'), /no Deployment runs external-dns/);
    assert.match(of('network-policy'), /^ok: campus.*: port 1688 is let in/);
    assert.match(of('allowed-sources'), /^fail: 192\.0\.2\.1 is not let in/);
    assert.equal(code, 1);
  });

  it('S1-46 support-bundle of a cluster has the pool with its conditions, Pods and events, and no Secret', async () => {
    const { code, stdout, stderr } = await kmsctl('support-bundle', 'campus', '-f', `${home}/bundle/`);
    assert.equal(code, 0, stdout + stderr);
    const of = (name: string): string => readFileSync(join(home, 'bundle', name), 'utf8');
    assert.match(of('pool.yaml'), /type: Ready/);
    assert.match(of('pods.yaml'), /campus-0/);
    const whole = [
      'pool.yaml',
      'pods.yaml',
      'kubernetes-events.yaml',
      'clients.jsonl',
      'hosts/campus-0/status.json',
    ].map(of);
    const secrets = await plane.client().get(SECRETS, { namespace: pool.namespace, name: 'campus-admin' });
    const token = Buffer.from(String(secrets.data?.['token']), 'base64').toString();
    for (const secret of [token, secretOf('campus-key').toString('base64'), 'pc-3'])
      assert.ok(!whole.join('\n').includes(secret), secret);
  });

  it('no host to ask is told with what to look at', async () => {
    await pool.change({ replicas: 0 });
    await pool.conditions({ Ready: 'False NoHosts' }, 60_000);
    const { code, stderr } = await kmsctl('dlv', 'campus');
    assert.equal(code, 2);
    assert.match(stderr, /^kmsctl: the pool .*\/campus has no hosts: spec\.replicas is 0; raise it\n$/);
  });
});
