// SPDX-License-Identifier: Apache-2.0
/**
 * The faults that `make e2e-full` puts a pool through, each as what it does to the cluster and what must be true again before it counts as over. Nothing is judged
 * here.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { PODS } from '../../operator/pool/kinds.ts';
import type { Cluster } from '../harness/cluster/cluster.ts';
import { CAMPUS_NAMESPACE, SYSTEM } from '../harness/cluster/surroundings.ts';
import { CHART, type HelmValues } from '../harness/helm.ts';
import { isReadyPod, type TestPool } from '../harness/kubernetes/pools.ts';
import { waitFor } from '../harness/wait.ts';

const HOSTS = 'kmspool.io/pool=campus';
const OPERATORS = 'app.kubernetes.io/name=kmspool,app.kubernetes.io/component=operator';
const REDIS = 'app.kubernetes.io/name=kmspool,app.kubernetes.io/component=redis';
const MINUTE_MS = 60_000;

export interface Stage {
  readonly cluster: Cluster;
  /** The pool that is asked. */
  readonly campus: TestPool;
  /** As kmspool was installed. */
  readonly values: HelmValues;
}

export interface Fault {
  readonly name: string;
  /** What happens, for the report. */
  readonly what: string;
  /** See the oracle's FaultWindow. */
  readonly storeAway?: boolean;
  readonly dnsAway?: boolean;
  /** It befalls the pool that counts in the chart's Redis, instead of that of examples/campus.yaml. */
  readonly smallRedis?: boolean;
  /** It stops a part of the node, or needs its images: not in a cluster of the user's. */
  readonly needsNode?: boolean;
  /** Does it, undoes it, and returns once the world is as before. */
  run(stage: Stage): Promise<void>;
}

export const FAULTS: readonly Fault[] = [
  {
    name: 'host killed',
    what: 'the process of campus-0 gets SIGKILL, and its Pod is deleted at once',
    run: async ({ cluster, campus }) => {
      await cluster.kill({ namespace: CAMPUS_NAMESPACE, labelSelector: `${HOSTS},kmspool.io/ordinal=0` });
      await cluster.ready(CAMPUS_NAMESPACE, `${HOSTS},kmspool.io/ordinal=0`);
      await campus.settled(MINUTE_MS);
    },
  },
  {
    name: 'all hosts rolled',
    what: 'an annotation of the Pods changes, so every host is replaced',
    run: async ({ cluster, campus }) => {
      const before = new Set((await campus.pods()).map(({ metadata }) => metadata.uid));
      await campus.change({ pod: { annotations: { 'example.test/rolled': 'yes' } } });
      await campus.settled(4 * MINUTE_MS);
      const after = await cluster.ready(CAMPUS_NAMESPACE, HOSTS, 3);
      if (after.some(({ metadata }) => before.has(metadata.uid))) throw new Error('a host was not replaced');
    },
  },
  {
    name: 'operator leader killed',
    what: 'the process of the operator that leads gets SIGKILL, and its Pod is deleted at once: nobody releases the Lease',
    run: async ({ cluster, campus }) => {
      const leader = await leaderOf(cluster);
      const pod = (await cluster.ready(SYSTEM, OPERATORS)).find(({ metadata }) => leader.startsWith(metadata.name));
      await cluster.kill({ namespace: SYSTEM, fieldSelector: `metadata.name=${pod?.metadata.name ?? ''}` });
      await waitFor('another leader', async () => !['', leader].includes(await leaderOf(cluster)), MINUTE_MS);
      await cluster.ready(SYSTEM, OPERATORS, 2);
      await campus.settled(MINUTE_MS);
    },
  },
  {
    name: 'API server stopped for 60 s',
    what: 'kube-apiserver is killed and started again a minute later',
    needsNode: true,
    run: async ({ cluster, campus }) => {
      cluster.stop('kube-apiserver');
      await delay(MINUTE_MS);
      cluster.start('kube-apiserver');
      await waitFor(
        'the API server',
        async () => (await cluster.kubectl(['get', '--raw', '/readyz'])).code === 0,
        MINUTE_MS,
      );
      // Operators that lost their lease meanwhile are started anew.
      await cluster.ready(SYSTEM, OPERATORS, 2, 2 * MINUTE_MS);
      await campus.settled(2 * MINUTE_MS);
    },
  },
  {
    name: 'Redis killed, with its file',
    what: "the process of the chart's Redis gets SIGKILL; it comes back with what its append-only file holds",
    storeAway: true,
    smallRedis: true,
    needsNode: true,
    run: async ({ cluster, campus }) => {
      const redis = { namespace: SYSTEM, labelSelector: REDIS };
      const starts = async (): Promise<string> =>
        cluster.run([
          'get',
          'pods',
          '-n',
          SYSTEM,
          '-l',
          REDIS,
          '-o',
          'jsonpath={.items[*].status.containerStatuses[*].restartCount}',
        ]);
      const before = await starts();
      await cluster.crash(redis);
      await waitFor('Redis to be started again', async () => (await starts()) !== before, MINUTE_MS);
      await cluster.ready(SYSTEM, REDIS);
      await campus.settled(MINUTE_MS);
    },
  },
  {
    name: 'Sentinel master killed',
    what: 'the process of the Redis that is the master gets SIGKILL, and its Pod is deleted at once, its data with it; Sentinel promotes the other',
    storeAway: true,
    run: async ({ cluster, campus }) => {
      const master = await masterOf(cluster);
      await cluster.kill({ namespace: CAMPUS_NAMESPACE, labelSelector: `app=${master}` });
      await waitFor('the new master', async () => ![master, ''].includes(await masterOf(cluster)), MINUTE_MS);
      await cluster.ready(CAMPUS_NAMESPACE, `app=${master}`);
      await campus.settled(MINUTE_MS);
    },
  },
  {
    name: 'external-dns stopped for 2 minutes',
    what: 'external-dns has no Pod for two minutes; the records stay',
    run: async ({ cluster, campus }) => {
      await cluster.run(['scale', 'deployment/external-dns', '-n', 'dns', '--replicas=0']);
      await delay(2 * MINUTE_MS);
      await cluster.run(['scale', 'deployment/external-dns', '-n', 'dns', '--replicas=1']);
      await cluster.ready('dns', 'app.kubernetes.io/name=external-dns');
      await campus.conditions({ DnsPublished: 'True Published' }, 2 * MINUTE_MS);
    },
  },
  {
    name: 'PowerDNS stopped for 30 s',
    what: 'the name server answers nobody; clients that remember their host go on, the others come to a DNS code (S4)',
    dnsAway: true,
    run: async ({ cluster, campus }) => {
      const signal = (name: string): Promise<string> =>
        cluster.run(['exec', '-n', 'dns', 'deploy/powerdns', '--', 'sh', '-c', `kill -${name} $(cat /tmp/pid)`]);
      await signal('STOP');
      await delay(MINUTE_MS / 2);
      await signal('CONT');
      await campus.conditions({ DnsPublished: 'True Published' }, 2 * MINUTE_MS);
      // The cluster's DNS tries a server that was silent only now and then.
      await delay(5_000);
    },
  },
  {
    name: 'containerd restarted',
    what: 'containerd is killed and started again five seconds later',
    needsNode: true,
    run: async ({ cluster, campus }) => {
      cluster.stop('containerd');
      await delay(5_000);
      cluster.start('containerd');
      await waitFor(
        'the runtime',
        async () =>
          (await cluster.kubectl(['exec', '-n', 'dns', 'deploy/powerdns', '--', 'sh', '-c', 'exit 0'])).code === 0,
        MINUTE_MS,
      );
      await campus.settled(2 * MINUTE_MS);
    },
  },
  {
    name: 'node drained',
    what: 'all hosts are evicted by kubectl drain, within their disruption budget, while the node takes no Pod for ten seconds',
    run: async ({ cluster, campus }) => {
      const node = await cluster.run([
        'get',
        'pods',
        '-n',
        CAMPUS_NAMESPACE,
        '-l',
        HOSTS,
        '-o',
        'jsonpath={.items[0].spec.nodeName}',
      ]);
      await cluster.run(['cordon', node]);
      const draining = cluster.kubectl(
        ['drain', node, `--pod-selector=${HOSTS}`, '--ignore-daemonsets', '--timeout=180s'],
        { timeoutMs: 4 * MINUTE_MS },
      );
      await delay(10_000);
      // With one node only: what was evicted has to come back to it.
      await cluster.run(['uncordon', node]);
      const uncordoning = keepUncordoned(cluster, node);
      const { code, stderr } = await draining;
      await uncordoning.stop();
      if (code !== 0) throw new Error(stderr);
      await campus.settled(2 * MINUTE_MS);
    },
  },
  {
    name: 'scaled 3 to 5 to 2',
    what: 'spec.replicas is 5, and when all is settled 2',
    run: async ({ cluster, campus }) => {
      await cluster.run(['scale', 'khp/campus', '-n', CAMPUS_NAMESPACE, '--replicas=5']);
      await campus.settled(3 * MINUTE_MS);
      await cluster.run(['scale', 'khp/campus', '-n', CAMPUS_NAMESPACE, '--replicas=2']);
      await campus.settled(5 * MINUTE_MS);
      const hosts = (
        await cluster.client.list(PODS, { namespace: CAMPUS_NAMESPACE, labelSelector: HOSTS })
      ).items.filter(isReadyPod);
      if (hosts.length !== 2) throw new Error(`${hosts.length} hosts are ready`);
    },
  },
  {
    name: 'chart upgraded',
    what: 'helm upgrade from the chart of test/e2e/fixtures to the present one, with new images of operator and hosts',
    needsNode: true,
    run: async ({ cluster, campus, values }) => {
      const image = { image: { tag: 'next' } };
      const upgraded = {
        ...values,
        operator: { ...((values['operator'] as object | undefined) ?? {}), ...image },
        host: image,
      };
      const args = ['upgrade', 'kmspool', CHART, '-n', SYSTEM, '--wait', '--timeout', '4m'];
      const { code, stderr } = await cluster.helm(args, upgraded);
      if (code !== 0) throw new Error(stderr);
      await waitFor(
        'the hosts of the new image',
        async () => (await campus.pods()).every((pod) => JSON.stringify(pod).includes('kms-node:next')),
        4 * MINUTE_MS,
      );
      await campus.settled(2 * MINUTE_MS);
    },
  },
];

async function leaderOf({ kubectl }: Cluster): Promise<string> {
  return (await kubectl(['get', 'lease', '-n', SYSTEM, 'kmspool', '-o', 'jsonpath={.spec.holderIdentity}'])).stdout;
}

/** Name of the Deployment whose Redis is the master: `redis-0`; empty if the Sentinels do not say. */
export async function masterOf({ kubectl }: Cluster): Promise<string> {
  const ask = ['redis-cli', '-p', '26379', '--raw', 'sentinel', 'get-master-addr-by-name', 'kms'];
  const { stdout } = await kubectl(['exec', '-n', CAMPUS_NAMESPACE, 'redis-sentinel-0', '--', ...ask]);
  return /^(redis-\d)\./.exec(stdout)?.[1] ?? '';
}

/** kubectl drain cordons the node by itself, when it begins. */
function keepUncordoned({ kubectl }: Cluster, node: string): { stop(): Promise<void> } {
  const end = new AbortController();
  const running = (async () => {
    while (!end.signal.aborted) {
      await kubectl(['uncordon', node]);
      await delay(2_000, undefined, { signal: end.signal }).catch(() => undefined);
    }
  })();
  return {
    stop: async () => {
      end.abort();
      await running;
    },
  };
}
