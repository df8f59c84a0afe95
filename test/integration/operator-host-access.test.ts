// SPDX-License-Identifier: Apache-2.0
/**
 * `--host-access=Proxy`: an operator outside the cluster asks the hosts through the API server. A real API server never connects to loopback addresses, where
 * the Pods of tests are: that refusal is one case here; in the other pod-proxy.ts plays the hop from the API server to the Pod, and all else is real.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type ControlPlane, startControlPlane } from '../harness/kubernetes/control-plane.ts';
import { type NodePlayer, startNodePlayer } from '../harness/kubernetes/node-player.ts';
import { startOperator } from '../harness/kubernetes/operator-process.ts';
import { startPodProxy } from '../harness/kubernetes/pod-proxy.ts';
import { TestPool } from '../harness/kubernetes/pools.ts';
import { missingControlPlane } from '../harness/kubernetes/tools.ts';

const SPEC = {
  replicas: 2,
  hostKeys: [{ product: 'WindowsServer2025' }],
  store: { redis: { url: 'redis://127.0.0.1:6379' } },
};

describe('hosts asked through the API server', { skip: missingControlPlane({ controllers: true }) }, () => {
  let plane: ControlPlane;
  let player: NodePlayer;

  before(async () => {
    plane = await startControlPlane({ controllers: true, crds: ['KmsHostPool'] });
    player = await startNodePlayer({ client: plane.client(), strategy: () => ({ kind: 'stub' }) });
  });
  after(async () => {
    await player?.stop();
    await plane?.stop();
  });

  /** Runs an operator that, with a kubeconfig, asks by Proxy without being told. */
  const operating = async (kubeconfig: string, use: (pool: TestPool) => Promise<void>): Promise<void> => {
    const pool = new TestPool(plane.client(), await plane.namespace('outside'), 'campus');
    const args = ['--no-leader-elect', '--watch-namespace', pool.namespace];
    const operator = await startOperator({ kubeconfig, args });
    try {
      await pool.create(SPEC);
      await use(pool);
    } finally {
      await operator.stop();
    }
  };

  it('answers arrive: what hosts run, and that they no longer answer', async () => {
    const proxy = await startPodProxy(plane);
    try {
      await operating(proxy.kubeconfig, async (pool) => {
        await pool.settled();
        assert.ok(proxy.asked() >= 2);
        await pool.change({ activationIntervalMinutes: 45 });
        await pool.settled();
        const { stub } = player.host(pool.namespace, 'campus-1');
        stub.set({ followsConfig: false, http: 'refused' });
        await pool.change({ activationIntervalMinutes: 46 });
        const { status } = await pool.conditions({ Ready: 'False HostUnreachable' });
        const words = status?.conditions?.find(({ type }) => type === 'Ready')?.message ?? '';
        assert.match(words, /^1 of 2 hosts are ready: campus-1 does not answer the operator: /);
        stub.set({ followsConfig: true, http: 'answering' });
        await pool.settled();
      });
    } finally {
      await proxy.stop();
    }
  });

  it('an API server that does not reach the Pods is told of in its own words, and the hosts are made all the same', async () => {
    await operating(plane.kubeconfig, async (pool) => {
      const { status } = await pool.conditions({
        Ready: 'False HostUnreachable',
        StoreAvailable: 'Unknown StoreUnknown',
      });
      const words = status?.conditions?.find(({ type }) => type === 'Ready')?.message ?? '';
      assert.match(
        words,
        /^0 of 2 hosts are ready: campus-0 does not answer the operator: .* cannot be asked: the API server says: .*address not allowed/,
      );
    });
  });
});
