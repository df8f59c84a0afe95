// SPDX-License-Identifier: Apache-2.0
/**
 * The control plane that the other kube-*.test.ts stand on: its controllers work, its data outlive the API server, and it ends with its test whatever
 * happens.
 */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { controllerReference } from '@kmspool/operator/runtime';
import { good, whole } from '../../crds/manifests.fake.ts';
import { CONFIG_MAPS, DEPLOYMENTS, PODS, POOLS, type PoolObject } from '../../operator/pool/kinds.ts';
import { type ControlPlane, startControlPlane } from '../harness/kubernetes/control-plane.ts';
import { makeTestFolder } from '../harness/kubernetes/server-process.ts';
import { missingControlPlane, missingTool } from '../harness/kubernetes/tools.ts';
import { waitFor } from '../harness/wait.ts';

const HARNESS = fileURLToPath(new URL('../harness/kubernetes', import.meta.url));

describe('a control plane with controllers', { skip: missingControlPlane({ controllers: true }) }, () => {
  let plane: ControlPlane;
  before(async () => {
    plane = await startControlPlane({ controllers: true, crds: ['KmsHostPool'] });
  });
  after(() => plane?.stop());

  test('makes the Pods of a Deployment, and removes them with its owner', async () => {
    const namespace = await plane.namespace('pods');
    const client = plane.client();
    const pool = await client.create(POOLS, {
      ...(whole(good()) as PoolObject),
      metadata: { namespace, name: 'campus' },
    });
    const labels = { app: 'x' };
    await client.create(DEPLOYMENTS, {
      metadata: { namespace, name: 'campus-0', ownerReferences: [controllerReference(POOLS, pool)] },
      spec: {
        replicas: 1,
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { containers: [{ name: 'x', image: 'x' }] } },
      },
    });
    const pods = async (): Promise<number> =>
      (await client.list(PODS, { namespace, labelSelector: 'app=x' })).items.length;
    await waitFor('a Pod', async () => (await pods()) === 1);
    await client.delete(POOLS, { namespace, name: 'campus' });
    await waitFor('the end of the Pod', async () => (await pods()) === 0, 30_000);
    await plane.kubectl(['delete', 'namespace', namespace, '--timeout=30s']);
    assert.equal((await plane.kubectl(['get', 'namespace', namespace])).code, 1);
  });

  test('keeps its data, its address and its users over the end of the API server', async () => {
    const namespace = await plane.namespace('restart');
    const user = await plane.user('reader', ['readers', 'others']);
    for (const args of ['role read --verb=get --resource=configmaps', 'rolebinding read --role=read --group=readers'])
      assert.equal((await plane.kubectl(['create', '-n', namespace, ...args.split(' ')])).code, 0);
    await plane.client().create(CONFIG_MAPS, { metadata: { namespace, name: 'x' } });
    await plane.killApiServer();
    assert.notEqual((await plane.kubectl(['get', 'ns', '--request-timeout=2s'])).code, 0);
    await plane.startApiServer();
    const seen = await plane.kubectl(['get', 'configmap', 'x', '-n', namespace, '-o', 'name'], { user });
    assert.deepEqual([seen.code, seen.stdout], [0, 'configmap/x\n']);
    const refused = await plane.kubectl(['delete', 'configmap', 'x', '-n', namespace], { user });
    assert.match(refused.stderr, /User "reader" cannot delete/);
  });
});

describe('a control plane whose test is killed', { skip: missingControlPlane() || missingTool('setpriv') }, () => {
  test('ends with it, and its folder goes with the next one', async () => {
    const program = `
      const { startControlPlane } = await import(${JSON.stringify(`${HARNESS}/control-plane.ts`)});
      const plane = await startControlPlane();
      console.log(JSON.stringify({ directory: plane.directory, url: plane.url }));
      setInterval(() => {}, 1_000);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    const { directory, url } = JSON.parse(line.toString()) as { directory: string; url: string };
    child.kill('SIGKILL');
    await once(child, 'exit');
    await waitFor('nobody to answer there', () =>
      fetch(url).then(
        () => false,
        (error: Error) => Reflect.get(error.cause ?? {}, 'code') === 'ECONNREFUSED',
      ),
    );
    assert.equal(existsSync(directory), true);
    makeTestFolder('kube').remove();
    assert.equal(existsSync(directory), false);
  });
});

test('a missing program is named with its remedy', () => {
  const program = `
    const { missingControlPlane, missingTool, toolPath } = await import(${JSON.stringify(`${HARNESS}/tools.ts`)});
    console.log(missingControlPlane());
    console.log(missingTool('pdns_server', 'pdnsutil', 'external-dns'));`;
  const env = { PATH: '/nonexistent', KMSPOOL_TEST_BIN: '/nonexistent' };
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', program], { env, encoding: 'utf8' });
  const [plane, ...others] = stdout.split('\n');
  assert.match(plane ?? '', /^etcd, kube-apiserver, kubectl not built \(needs Go: test\/build-go-tools.sh\)/);
  assert.match(others[0] ?? '', /^external-dns not built .*/);
});
