// SPDX-License-Identifier: Apache-2.0
/**
 * A real cluster in a test's hands, reached through its API server alone: the one that test/cluster/cluster.sh has booted around this process, or the one
 * of the user's KUBECONFIG. It installs nothing by itself.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Client, createMetrics } from '@kmspool/operator/runtime';
import { Registry } from 'prom-client';
import { PODS, type Pod } from '../../../operator/pool/kinds.ts';
import { connectionFromKubeconfig } from '../../../operator/runtime/kubeconfig.ts';
import { type HelmResult, type HelmValues, helm } from '../helm.ts';
import { type KubectlInput, type KubectlResult, runKubectl } from '../kubernetes/kubectl.ts';
import { isReadyPod } from '../kubernetes/pools.ts';
import { waitFor } from '../wait.ts';

const MANIFESTS = fileURLToPath(new URL('../../e2e/manifests/', import.meta.url));

/** Parts of the node that can be stopped, in a cluster of our own. */
export type Component =
  | 'etcd'
  | 'kube-apiserver'
  | 'kube-controller-manager'
  | 'kube-scheduler'
  | 'containerd'
  | 'kubelet';

/** Why the tests with a whole cluster cannot run, for node:test's `skip`; false if they can. test/e2e/run.sh says it. */
export function missingCluster(): string | false {
  const why = process.env['KMSPOOL_E2E_MISSING'] ?? '';
  if (why !== '') return why;
  return (process.env['KUBECONFIG'] ?? '') === '' ? 'no cluster: run make e2e' : false;
}

/** Why a test that stops parts of the node cannot run. */
export function missingNode(): string | false {
  return (
    missingCluster() ||
    (process.env['KMSPOOL_E2E_STATE'] === undefined ? 'needs a node of its own: unset KUBECONFIG' : false)
  );
}

/** Pods of a namespace, by label or by `metadata.name=…`. */
export interface PodSelection {
  readonly namespace: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}

export interface Cluster {
  readonly client: Client;
  readonly kubeconfig: string;
  /** Runs kubectl. Does not throw when it fails: look at `code`. */
  kubectl(args: readonly string[], input?: KubectlInput): Promise<KubectlResult>;
  /** Runs kubectl and answers what it printed. @throws Error with what it said, when it fails. */
  run(args: readonly string[], input?: KubectlInput): Promise<string>;
  helm(args: readonly string[], values?: HelmValues): Promise<HelmResult>;
  /** Applies a file of test/e2e/manifests. */
  manifest(name: string): Promise<void>;
  /** Waits until so many Pods with this label are Ready. @throws Error that describes them. */
  ready(namespace: string, labelSelector: string, count?: number, timeoutMs?: number): Promise<Pod[]>;
  /** Kills Pods at once, as a node that dies does; on a node of our own their processes get SIGKILL. */
  kill(pods: PodSelection): Promise<void>;
  /** SIGKILL to the processes of Pods, which the kubelet starts again in place. On a node of our own only. */
  crash(pods: PodSelection): Promise<void>;
  /** Kills a part of the node; it stays away until {@link start}. */
  stop(component: Component): void;
  start(component: Component): void;
  close(): void;
}

/** Opens it. @throws Error when KUBECONFIG is of no use. */
export async function openCluster(): Promise<Cluster> {
  const kubeconfig = process.env['KUBECONFIG'] ?? '';
  const connection = await connectionFromKubeconfig({ path: kubeconfig });
  const metrics = createMetrics(new Registry());
  const client = Client.create({ connection, metrics, userAgent: 'kmspool-e2e/1', throttle: { qps: 200, burst: 200 } });
  const home = mkdtempSync(join(tmpdir(), 'kmspool-e2e-'));
  const kubectl: Cluster['kubectl'] = (args, input = {}) => runKubectl(args, { kubeconfig, home, ...input });
  const run: Cluster['run'] = async (args, input) => {
    const { code, stdout, stderr } = await kubectl(args, input);
    if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`);
    return stdout;
  };
  return {
    client,
    kubeconfig,
    kubectl,
    run,
    helm: (args, values) => helm(args, { kubeconfig, ...(values === undefined ? {} : { values }) }),
    manifest: async (name) => {
      await run(['apply', '--filename', '-'], { input: readFileSync(join(MANIFESTS, `${name}.yaml`), 'utf8') });
    },
    ready: (namespace, labelSelector, count = 1, timeoutMs = 90_000) =>
      readyPods({ client, run }, { namespace, labelSelector, count, timeoutMs }),
    kill: async (pods) => {
      if (missingNode() === false) await crashContainers(client, pods);
      const { namespace, labelSelector, fieldSelector } = pods;
      const which = labelSelector === undefined ? ['--field-selector', fieldSelector ?? ''] : ['-l', labelSelector];
      await run(['delete', 'pods', '-n', namespace, ...which, '--grace-period=0', '--force', '--wait=false']);
    },
    crash: (pods) => crashContainers(client, pods),
    stop: halt,
    start: resume,
    close: () => {
      client.close();
      rmSync(home, { recursive: true, force: true });
    },
  };
}

/** As cluster.sh does it from outside: a file keeps node.sh from starting it again. Tests run inside the node's namespaces, where its numbers hold. */
function halt(component: Component): void {
  writeFileSync(`${partOf(component)}.stopped`, '');
  process.kill(Number(readFileSync(partOf(component), 'utf8')), 'SIGKILL');
}

/** By containerd itself: what the API server deletes at once the kubelet still asks to end first. */
async function crashContainers(client: Client, pods: PodSelection): Promise<void> {
  const { items } = await client.list(PODS, pods);
  const socket = join(process.env['KMSPOOL_E2E_STATE'] ?? '', 'run/containerd.sock');
  for (const { status } of items as readonly PodWithContainers[])
    for (const { containerID = '' } of status?.containerStatuses ?? []) {
      const id = containerID.replace('containerd://', '');
      const task = ['--address', socket, '--namespace', 'k8s.io', 'tasks', 'kill', '--signal', 'SIGKILL', id];
      await promisify(execFile)('ctr', task);
    }
}

type PodWithContainers = Pod & {
  readonly status?: { readonly containerStatuses?: readonly { readonly containerID?: string }[] };
};

function resume(component: Component): void {
  rmSync(`${partOf(component)}.stopped`, { force: true });
}

function partOf(component: Component): string {
  return join(process.env['KMSPOOL_E2E_STATE'] ?? '', 'components', component);
}

interface Wanted {
  readonly namespace: string;
  readonly labelSelector: string;
  readonly count: number;
  readonly timeoutMs: number;
}

async function readyPods({ client, run }: Pick<Cluster, 'client' | 'run'>, wanted: Wanted): Promise<Pod[]> {
  const { namespace, labelSelector, count, timeoutMs } = wanted;
  let ready: Pod[] = [];
  const look = async (): Promise<boolean> => {
    const { items } = await client.list(PODS, { namespace, labelSelector });
    ready = items.filter(isReadyPod);
    return ready.length >= count;
  };
  try {
    await waitFor(`${count} Pods with ${labelSelector} in ${namespace}`, look, timeoutMs);
  } catch (error) {
    const said = await run(['describe', 'pods', '-n', namespace, '-l', labelSelector]);
    const logs = await run(['logs', '-n', namespace, '-l', labelSelector, '--tail=20']).catch(String);
    throw new Error(`${(error as Error).message}\n${said}\n${logs}`, { cause: error });
  }
  return ready;
}
