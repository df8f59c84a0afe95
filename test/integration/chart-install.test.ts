// SPDX-License-Identifier: Apache-2.0

// The Helm chart and a real API server: everything that it renders is taken, an upgrade keeps what has to stay, the operator does its work with the rights of the
// chart alone, and after `helm uninstall` pools and namespaces can be deleted although nobody looks after them.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { POOLS } from '../../operator/pool/kinds.ts';
import { CHART, type HelmValues, helm, render } from '../harness/helm.ts';
import { type ControlPlane, startControlPlane } from '../harness/kubernetes/control-plane.ts';
import {
  makePools,
  objectsIn,
  objectsOf as objectsOfPools,
  operatorAs,
  poolOf,
  poolsWhen,
} from '../harness/kubernetes/fleet.ts';
import { kubeconfigOf, playNextJob } from '../harness/kubernetes/hook-jobs.ts';
import { type NodePlayer, startNodePlayer } from '../harness/kubernetes/node-player.ts';
import type { OperatorProcess } from '../harness/kubernetes/operator-process.ts';
import { missingControlPlane, missingTool } from '../harness/kubernetes/tools.ts';
import { waitFor } from '../harness/wait.ts';

const SKIP = missingControlPlane({ controllers: true }) || missingTool('helm');
const FINALIZER = 'kmspool.io/withdraw-dns';
const RELEASE = 'kmspool';

/** As an operator of somebody else's left it. */
function theirPool(namespace: string) {
  const { metadata, spec } = poolOf(namespace, 'theirs');
  return { spec, metadata: { ...metadata, finalizers: [FINALIZER] } };
}

describe('the Helm chart in a cluster', { skip: SKIP }, () => {
  const running: OperatorProcess[] = [];
  let plane: ControlPlane;
  let player: NodePlayer;

  before(async () => {
    plane = await startControlPlane({ controllers: true, crds: ['DNSEndpoint'] });
    // Hosts are stubs; there is no image of the operator, which runs as a process.
    player = await startNodePlayer({
      client: plane.client(),
      strategy: ({ metadata }) => (metadata.labels?.['kmspool.io/pool'] ? { kind: 'stub' } : { kind: 'pending' }),
    });
  });
  after(async () => {
    await Promise.all(running.map((operator) => operator.kill()));
    await player?.stop();
    await plane?.stop();
  });

  async function helmOk(args: readonly string[], values?: HelmValues): Promise<string> {
    const { code, stdout, stderr } = await helm(args, { kubeconfig: plane.kubeconfig, ...(values && { values }) });
    assert.equal(code, 0, `helm ${args.join(' ')}\n${stderr}`);
    return stdout;
  }
  const install = (namespace: string, values: HelmValues = {}) =>
    helmOk(['install', RELEASE, CHART, '--namespace', namespace], values);
  async function read(kind: string, name: string, namespace: string) {
    const { code, stdout, stderr } = await plane.kubectl(['get', kind, name, '-n', namespace, '-o', 'json']);
    assert.equal(code, 0, stderr);
    return JSON.parse(stdout);
  }

  /** The operator as its Deployment says: its flags, its service account. */
  async function startInstalled(namespace: string): Promise<OperatorProcess> {
    const deployment = await read('deployment', RELEASE, namespace);
    const { serviceAccountName: account, containers } = deployment.spec.template.spec;
    const kubeconfig = await kubeconfigOf({ plane, namespace, account });
    const operator = await operatorAs({ name: RELEASE, kubeconfig }, ...containers[0].args);
    running.push(operator);
    return operator;
  }

  /** `helm uninstall`, with the Job of its hook; the operator ends as its Pod would. */
  async function uninstall(namespace: string, operator?: OperatorProcess) {
    const [, job] = await Promise.all([
      helmOk(['uninstall', RELEASE, '--namespace', namespace, '--timeout', '2m']),
      playNextJob(plane, namespace),
      operator?.stop(),
    ]);
    return job;
  }
  const gone = (namespace: string): Promise<void> =>
    waitFor(
      `the end of the namespace ${namespace}`,
      async () => (await plane.kubectl(['get', 'namespace', namespace])).stderr.includes('NotFound'),
      60_000,
    );

  test('the API server takes everything that is rendered, in namespaces that enforce the restricted standard', async () => {
    const [system, kms] = [await plane.namespace('dry'), await plane.namespace('dry-kms')];
    for (const one of [system, kms])
      await plane.kubectl([
        'label',
        'namespace',
        one,
        'pod-security.kubernetes.io/enforce=restricted',
        'pod-security.kubernetes.io/warn=restricted',
      ]);
    const combinations: readonly HelmValues[] = [
      { redis: { enabled: true }, test: { pool: 'campus', namespace: kms, domain: 'lab.example' } },
      {
        watchNamespaces: [system, kms],
        operator: { hostAccess: 'Proxy', tolerations: [{ operator: 'Exists' }] },
        networkPolicy: { operatorEgress: [{ to: [{ ipBlock: { cidr: '10.0.0.0/8' } }] }] },
        redis: { enabled: true, persistence: { enabled: true } },
      },
    ];
    for (const values of combinations) {
      const objects = await render(values, ['--namespace', system]);
      assert.ok(objects.length > 20);
      const input = objects.map((object) => JSON.stringify(object)).join('\n---\n');
      const { code, stderr } = await plane.kubectl(['apply', '--server-side', '--dry-run=server', '-f', '-'], {
        input,
      });
      assert.deepEqual([code, stderr], [0, '']);
    }
  });

  test('an upgrade takes new values and keeps the CRD and the password of Redis; an uninstall keeps the CRD', async () => {
    const namespace = await plane.namespace('upgrade');
    await install(namespace, { redis: { enabled: true } });
    const secret = await read('secret', `${RELEASE}-redis`, namespace);
    const crd = await read('crd', 'kmshostpools.kmspool.io', namespace);
    await helmOk(['upgrade', RELEASE, CHART, '--namespace', namespace], {
      redis: { enabled: true },
      operator: { replicas: 3 },
    });
    assert.deepEqual((await read('secret', `${RELEASE}-redis`, namespace)).data, secret.data);
    assert.match(atob(secret.data['auth.conf']), /^requirepass [A-Za-z0-9]{32}\n$/);
    assert.equal((await read('deployment', RELEASE, namespace)).spec.replicas, 3);
    assert.equal((await read('crd', 'kmshostpools.kmspool.io', namespace)).metadata.uid, crd.metadata.uid);
    await uninstall(namespace);
    assert.equal((await read('crd', 'kmshostpools.kmspool.io', namespace)).metadata.uid, crd.metadata.uid);
    const left = await plane.kubectl([
      'get',
      'all,cm,secret,sa,role,rolebinding,pdb,networkpolicy',
      '-n',
      namespace,
      '-l',
      'helm.sh/chart',
      '-o',
      'name',
    ]);
    assert.equal(left.stdout, '');
    const everywhere = await plane.kubectl([
      'get',
      'clusterrole,clusterrolebinding',
      '-l',
      'helm.sh/chart',
      '-o',
      'name',
    ]);
    assert.equal(everywhere.stdout, '');

    // The kind belongs to a release that is gone: one of the same name and namespace takes it over, another one leaves it alone.
    await install(namespace);
    const other = await plane.namespace('other-release');
    const refused = await helm(['install', RELEASE, CHART, '--namespace', other], { kubeconfig: plane.kubeconfig });
    assert.match(refused.stderr, /CustomResourceDefinition "kmshostpools.kmspool.io".* exists/);
    await uninstall(namespace);
    await install(other, { crds: { install: false } });
    await uninstall(other);
    assert.equal((await read('crd', 'kmshostpools.kmspool.io', namespace)).metadata.uid, crd.metadata.uid);
    await plane.kubectl(['delete', 'crd', 'kmshostpools.kmspool.io']);
  });

  test('installed for the cluster it serves a pool; after helm uninstall hosts serve on, and pool and namespace can go', async () => {
    const [system, kms] = [await plane.namespace('cluster'), await plane.namespace('pools')];
    await install(system);
    const operator = await startInstalled(system);
    const client = plane.client();
    const names = await makePools(client, { namespace: kms, count: 2 });
    const pools = await poolsWhen(client, kms, { count: 2 });
    assert.deepEqual(
      pools.map(({ metadata }) => metadata.finalizers),
      [[FINALIZER], [FINALIZER]],
    );
    assert.equal((await operator.http('/readyz')).status, 200);

    const job = await uninstall(system, operator);
    assert.equal(job.code, 0, job.output);
    assert.deepEqual(
      job.output
        .trim()
        .split('\n')
        .map((line) => line.split(':')[0])
        .sort(),
      names.map((name) => `released ${kms}/${name}`),
    );
    const after = (await client.list(POOLS, { namespace: kms })).items;
    assert.deepEqual(
      after.map(({ metadata }) => metadata.finalizers),
      [undefined, undefined],
    );
    assert.deepEqual(await objectsIn(client, kms), objectsOfPools(names, 2), 'everything of the pools is still there');
    assert.ok(player.pods({ namespace: kms }).every(({ ready }) => ready));

    await client.delete(POOLS, { namespace: kms, name: names[0] ?? '' });
    await poolsWhen(client, kms, { count: 1, like: () => true });
    await plane.kubectl(['delete', 'namespace', kms, '--wait=false']);
    await gone(kms);
    await plane.kubectl(['delete', 'namespace', system, '--wait=false']);
    await gone(system);
    await plane.kubectl(['delete', 'crd', 'kmshostpools.kmspool.io']);
  });

  test('with watchNamespaces it does the same with Roles alone; a pool elsewhere is left as it is', async () => {
    const [system, kms, other] = [
      await plane.namespace('roles'),
      await plane.namespace('watched'),
      await plane.namespace('other'),
    ];
    await install(system, { watchNamespaces: [kms, system] });
    const operator = await startInstalled(system);
    const client = plane.client();
    await makePools(client, { namespace: kms, count: 1 });
    await client.create(POOLS, theirPool(other));
    await poolsWhen(client, kms, { count: 1 });

    // A pool that is being deleted at that time goes.
    await client.delete(POOLS, { namespace: kms, name: 'pool-0' });
    const job = await uninstall(system, operator);
    assert.equal(job.code, 0, job.output);
    await poolsWhen(client, kms, { count: 0 });
    const [theirs] = (await client.list(POOLS, { namespace: other })).items;
    assert.deepEqual(theirs?.metadata.finalizers, ['kmspool.io/withdraw-dns']);
    await plane.kubectl(['delete', 'namespace', kms, '--wait=false']);
    await gone(kms);
    await client.patch(POOLS, { namespace: other, name: 'theirs' }, { patch: { metadata: { finalizers: [] } } });
    await plane.kubectl(['delete', 'crd', 'kmshostpools.kmspool.io']);
  });

  test('without a right the Job fails in words, and helm uninstall says so and does not hang', async () => {
    const namespace = await plane.namespace('rightless');
    await install(namespace, { rbac: { create: false } });
    const [{ code, stderr }, job] = await Promise.all([
      helm(['uninstall', RELEASE, '--namespace', namespace, '--timeout', '1m'], { kubeconfig: plane.kubeconfig }),
      playNextJob(plane, namespace),
    ]);
    assert.equal(job.code, 1);
    assert.match(job.output, /could not list pools: 403 .*kmspool-release/);
    assert.notEqual(code, 0);
    assert.match(stderr, /kmspool-release/);
    await plane.kubectl(['delete', 'crd', 'kmshostpools.kmspool.io']);
  });
});
