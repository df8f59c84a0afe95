// SPDX-License-Identifier: Apache-2.0
/**
 * The shell blocks of README, installation and production notes and runbooks that are marked as tested in a cluster, run as they stand, one after the other: what a reader
 * copies is what works.
 */
import assert from 'node:assert/strict';
import { dirname } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type Cluster, missingCluster, openCluster } from '../harness/cluster/cluster.ts';
import { CAMPUS_NAMESPACE, EXAMPLE, surround } from '../harness/cluster/surroundings.ts';
import { runBlocks, scratchCheckout } from '../harness/doc-blocks.ts';
import { TestPool } from '../harness/kubernetes/pools.ts';
import { toolPath } from '../harness/kubernetes/tools.ts';
import type { Group } from '../tools/doc-blocks.ts';

describe('the documents in a cluster', { skip: missingCluster() }, () => {
  let cluster: Cluster;
  let scratch: ReturnType<typeof scratchCheckout>;

  before(async () => {
    cluster = await openCluster();
    await surround(cluster);
    scratch = scratchCheckout();
  });
  after(() => {
    scratch?.remove();
    cluster?.close();
  });

  const run = async (group: Group): Promise<void> => {
    const tools = [...new Set([dirname(toolPath('kubectl')), dirname(toolPath('helm'))])];
    const env = { PATH: [...tools, process.env['PATH']].join(':'), HOME: scratch.home, KUBECONFIG: cluster.kubeconfig };
    assert.ok((await runBlocks(group, { cwd: scratch.path, env })) > 0);
  };

  test('the operator is installed', () => run('cluster-install'));
  test('a first pool is made, and a client activates', () => run('cluster-quickstart'));
  test('external-dns publishes it', () => run('cluster-dns'));
  test('what production notes and runbooks tell to look at is there', async () => {
    await cluster.run(['apply', '-f', EXAMPLE]);
    const campus = new TestPool(cluster.client, CAMPUS_NAMESPACE, 'campus');
    await campus.conditions({ Ready: 'True AllHostsReady', DnsPublished: 'True Published' }, 180_000);
    await run('cluster-pool');
  });
  test('it is uninstalled', () => run('cluster-uninstall'));
});
