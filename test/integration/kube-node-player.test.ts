// SPDX-License-Identifier: Apache-2.0

// The node player against a real API server and its controllers: what tests of the operator take for granted of it.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { type HostStatus, hostConfigHash, hostLabels, hostStatusSchema, LABELS, poolSelector } from '@kmspool/crds';
import { derivePoolKeys, poolIdText } from '@kmspool/kms/wire';
import type { Client } from '@kmspool/operator/runtime';
import { CONFIG_MAPS, DEPLOYMENTS, PODS, type Pod, SECRETS } from '../../operator/pool/kinds.ts';
import { ADMIN_TOKEN, type ConfigChanges, hostConfig, secretOf } from '../harness/host.ts';
import { type ControlPlane, startControlPlane } from '../harness/kubernetes/control-plane.ts';
import {
  countsOf,
  type NodePlayer,
  type Play,
  type PlayedPod,
  startNodePlayer,
} from '../harness/kubernetes/node-player.ts';
import { missingControlPlane } from '../harness/kubernetes/tools.ts';
import { waitFor } from '../harness/wait.ts';

const base64 = (bytes: Buffer | string): string => Buffer.from(bytes).toString('base64');

/** The objects of one host, much as the operator makes them. */
class Host {
  readonly name = 'campus-0';
  readonly #client: Client;
  readonly namespace: string;

  constructor(client: Client, namespace: string) {
    this.#client = client;
    this.namespace = namespace;
  }

  config(changes: ConfigChanges = {}) {
    const { name, namespace } = this;
    return hostConfig({
      pool: { name: 'campus', namespace },
      host: { name, ordinal: 0 },
      port: 1688,
      limits: { drainSeconds: 0 },
      ...changes,
    });
  }

  async writeConfig(changes: ConfigChanges = {}): Promise<void> {
    const { name, namespace } = this;
    const data = { 'host.json': JSON.stringify(this.config(changes)) };
    await this.#client.apply(CONFIG_MAPS, { metadata: { name, namespace }, data }, { fieldManager: 'test' });
  }

  async create(parts: { readonly config?: boolean } = {}): Promise<void> {
    const { name, namespace } = this;
    const secrets = { 'campus-key': { key: base64(secretOf('one')) }, 'campus-admin': { token: base64(ADMIN_TOKEN) } };
    for (const [secret, data] of Object.entries(secrets))
      await this.#client.create(SECRETS, { metadata: { name: secret, namespace }, data });
    if (parts.config !== false) await this.writeConfig();
    const labels = hostLabels('campus', 0);
    const matchLabels = { ...poolSelector('campus'), [LABELS.ordinal]: '0' };
    const rollingUpdate = { maxSurge: 1, maxUnavailable: 0 };
    await this.#client.create(DEPLOYMENTS, {
      metadata: { name, namespace, labels },
      spec: {
        replicas: 1,
        selector: { matchLabels },
        strategy: { type: 'RollingUpdate', rollingUpdate },
        template: { metadata: { labels }, spec: podSpec(name) },
      },
    });
  }

  /** Changes the template, so that the Pod is replaced. */
  async rollOut(): Promise<void> {
    const patch = { spec: { template: { metadata: { annotations: { 'test/at': String(performance.now()) } } } } };
    await this.#client.patch(DEPLOYMENTS, this, { patch });
  }

  async pods(): Promise<Pod[]> {
    return (await this.#client.list(PODS, { namespace: this.namespace })).items;
  }

  /** Waits until its only Pod, as the API server tells it, is as wanted. */
  async podWhen(what: string, like: (pod: Pod) => boolean): Promise<Pod> {
    let found: Pod | undefined;
    await waitFor(
      what,
      async () => {
        const [pod, ...others] = await this.pods();
        found = pod;
        return pod !== undefined && others.length === 0 && like(pod);
      },
      30_000,
    );
    assert.ok(found);
    return found;
  }

  ready(): Promise<Pod> {
    return this.podWhen('the Pod to be Ready', isReady);
  }
}

function podSpec(configMap: string): Record<string, unknown> {
  const mount = '/etc/kmspool';
  const files = [`${mount}/config/host.json`, `${mount}/key/key`, `${mount}/admin/token`];
  const projected = { sources: [{ secret: { name: 'campus-admin', items: [{ key: 'token', path: 'token' }] } }] };
  return {
    terminationGracePeriodSeconds: 20,
    containers: [
      {
        name: 'host',
        image: 'kmspool/kms-node:test',
        args: ['--config', files[0], `--key-file=${files[1]}`, '--admin-token-file', files[2]],
        terminationMessagePolicy: 'FallbackToLogsOnError',
        ports: [{ name: 'http', containerPort: 8080 }],
        readinessProbe: { httpGet: { path: '/readyz', port: 'http' }, timeoutSeconds: 1, failureThreshold: 2 },
        volumeMounts: ['config', 'key', 'admin'].map((name) => ({ name, mountPath: `${mount}/${name}` })),
      },
    ],
    volumes: [
      { name: 'config', configMap: { name: configMap } },
      { name: 'key', secret: { secretName: 'campus-key', items: [{ key: 'key', path: 'key' }] } },
      { name: 'admin', projected },
    ],
  };
}

function isReady({ status, metadata }: Pod): boolean {
  const condition = status?.conditions?.find(({ type }) => type === 'Ready');
  return condition?.status === 'True' && metadata.deletionTimestamp === undefined;
}

/** Ready again, after one restart, as the API server tells it. */
function wasRestarted(pod: Pod): boolean {
  const [container] = (pod.status?.containerStatuses ?? []) as readonly { readonly restartCount?: number }[];
  return isReady(pod) && container?.restartCount === 1;
}

async function statusOf(pod: Pod): Promise<HostStatus> {
  const answer = await fetch(`http://${pod.status?.podIP}:8080/status`, { signal: AbortSignal.timeout(2_000) });
  return hostStatusSchema.parse(await answer.json());
}

/** `connected`, or the error's code. */
async function knock(address: string | undefined, port: number): Promise<string> {
  const socket = connect(port, address);
  try {
    await once(socket, 'connect');
    return 'connected';
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code);
  } finally {
    socket.destroy();
  }
}

describe('the node player', { skip: missingControlPlane({ controllers: true }) }, () => {
  let plane: ControlPlane;
  let player: NodePlayer;
  let play: Play;

  before(async () => {
    plane = await startControlPlane({ controllers: true });
    player = await startNodePlayer({ client: plane.client(), strategy: () => play, restartDelayMs: 100 });
  });
  after(async () => {
    await player?.stop();
    await plane?.stop();
  });

  const newHost = async (how: Play, parts: { readonly config?: boolean } = {}): Promise<Host> => {
    play = how;
    const host = new Host(plane.client(), await plane.namespace('node'));
    await host.create(parts);
    return host;
  };
  const played = (host: Host) => player.host(host.namespace, host.name);
  const remove = async (host: Host): Promise<void> => {
    await plane.client().delete(DEPLOYMENTS, host, { propagation: 'Background' });
    await waitFor('the Pods to be gone', async () => (await host.pods()).length === 0, 30_000);
  };

  it('runs a real host for a Pod: Ready once it answers, on an address of its own, with the ConfigMap and the Secret', async () => {
    const host = await newHost({ kind: 'real' });
    const pod = await host.ready();
    assert.equal(pod.status?.phase, 'Running');
    assert.match(String(pod.status?.podIP), /^127\.\d+\.\d+\.\d+$/);
    assert.equal(await knock(pod.status?.podIP, 1688), 'connected');
    const said = await statusOf(pod);
    assert.equal(said.configHash, hostConfigHash(host.config()));
    assert.equal(said.poolId, poolIdText(derivePoolKeys(secretOf('one')).poolId));
    const node = pod as { spec?: { nodeName?: string } };
    assert.equal(node.spec?.nodeName, player.nodeName);

    await host.writeConfig({ activationIntervalMinutes: 60 });
    await waitFor('the changed configuration', async () => (await statusOf(pod)).activationIntervalMinutes === 60);
    assert.equal(played(host).restarts, 0);
    await remove(host);
  });

  it('rolls a real host over: the old one stays until the new one is ready, and drains', async () => {
    const host = await newHost({ kind: 'real' });
    const before = await host.ready();
    // Before the new Pod is there, which would be played as well.
    const { process } = played(host);
    await host.rollOut();
    let after: Pod | undefined;
    await waitFor(
      'the new Pod alone',
      async () => {
        const pods = await host.pods();
        assert.ok(pods.some(isReady), 'at no time is there no ready Pod');
        after = pods[0];
        return pods.length === 1 && after?.metadata.uid !== before.metadata.uid;
      },
      30_000,
    );
    assert.match(process.output, /"msg":"draining".*"msg":"stopped"/s);
    assert.notEqual(after?.status?.podIP, before.status?.podIP);
    assert.equal(await knock(before.status?.podIP, 1688), 'ECONNREFUSED');
    await remove(host);
    assert.equal(await knock(after?.status?.podIP, 1688), 'ECONNREFUSED');
  });

  it('starts a killed host again and says how it ended', async () => {
    const host = await newHost({ kind: 'real' });
    const { metadata } = await host.ready();
    played(host).process.signal('SIGKILL');
    const pod = await host.podWhen('the restart', wasRestarted);
    assert.equal(pod.metadata.uid, metadata.uid);
    assert.equal(pod.status?.containerStatuses?.[0]?.lastState?.terminated?.exitCode, 137);
    await remove(host);
  });

  it('a host that hangs is not ready', async () => {
    const host = await newHost({ kind: 'real' });
    await host.ready();
    const { process } = played(host);
    process.signal('SIGSTOP');
    await host.podWhen('not Ready', (pod) => !isReady(pod));
    process.signal('SIGCONT');
    await host.ready();
    await remove(host);
  });

  it('a host that refuses to start crashes with its reason in the status', async () => {
    const host = await newHost({ kind: 'real' }, { config: false });
    const waiting = (pod: Pod): string | undefined => pod.status?.containerStatuses?.[0]?.state?.waiting?.reason;
    const pod = await host.podWhen('the missing ConfigMap', (each) => waiting(each) === 'ContainerCreating');
    assert.match(String(pod.status?.containerStatuses?.[0]?.state?.waiting?.message), /configmap "campus-0" not found/);
    await host.writeConfig({ poolId: '00000000-0000-4000-8000-000000000000' });
    const crashed = await host.podWhen('the crash', (each) => waiting(each) === 'CrashLoopBackOff');
    const last = crashed.status?.containerStatuses?.[0]?.lastState?.terminated;
    assert.equal(last?.exitCode, 2);
    assert.match(String(last?.message), /this key belongs to pool/);
    await host.writeConfig();
    await host.ready();
    await remove(host);
  });

  it('plays a stub that says what it is told', async () => {
    const host = await newHost({ kind: 'stub', state: { version: '9.9.9' } });
    const pod = await host.ready();
    const said = await statusOf(pod);
    assert.equal(said.version, '9.9.9');
    assert.equal(said.configHash, hostConfigHash(host.config()));
    assert.equal(said.poolId, poolIdText(derivePoolKeys(secretOf('one')).poolId));
    const { stub } = played(host);

    stub.set({ ready: false, reasons: ['store Refusing'], storeState: 'Refusing', counts: countsOf({ Windows: 6 }) });
    await host.podWhen('not Ready', (each) => !isReady(each));
    const unready = await statusOf(pod);
    assert.deepEqual([unready.ready, unready.reasons, unready.store.state], [false, ['store Refusing'], 'Refusing']);
    const thresholds = unready.counts[0]?.thresholds.map(({ name, met }) => [name, met]);
    assert.deepEqual(
      [unready.counts[0]?.current, unready.counts[0]?.cap, thresholds],
      [
        6,
        50,
        [
          ['Server', true],
          ['Client', false],
        ],
      ],
    );
    stub.set({ ready: true, reasons: [], storeState: 'Available' });
    await host.ready();
    await remove(host);
  });

  it('a stub takes a configuration over as a host does', async () => {
    const host = await newHost({ kind: 'stub' });
    const pod = await host.ready();
    const runs = (changes: ConfigChanges) => async (): Promise<boolean> =>
      (await statusOf(pod)).configHash === hostConfigHash(host.config(changes));
    const wanted = { activationIntervalMinutes: 60 };
    await host.writeConfig(wanted);
    await waitFor('the changed configuration', runs(wanted));
    // Another port needs a restart: the file is read and nothing of it taken over.
    await host.writeConfig({ activationIntervalMinutes: 61, port: 1689 });
    await host.writeConfig({ activationIntervalMinutes: 62 });
    await waitFor('the next configuration', runs({ activationIntervalMinutes: 62 }));
    assert.equal((await statusOf(pod)).generation, 3);

    const { stub } = played(host);
    stub.set({ followsConfig: false, drainMs: 15_000 });
    await host.writeConfig({ activationIntervalMinutes: 63 });
    await host.rollOut();
    const isNew = ({ uid }: PlayedPod): boolean => uid !== pod.metadata.uid;
    const fresh = await player.hostWhen(host.namespace, host.name, { like: (each) => each.ready && isNew(each) });
    const freshly = await (await fetch(`http://${fresh.address}:8080/status`)).json();
    assert.equal((freshly as HostStatus).activationIntervalMinutes, 63);
    assert.equal((await statusOf(pod)).activationIntervalMinutes, 62);
    stub.set({ followsConfig: true, drainMs: 0 });
    assert.equal((await statusOf(pod)).activationIntervalMinutes, 63);
    await remove(host);
  });

  it('a stub can be silent, refuse, drain slowly and crash', async () => {
    const host = await newHost({ kind: 'stub' });
    const pod = await host.ready();
    const { stub } = played(host);
    stub.set({ http: 'silent' });
    await assert.rejects(statusOf(pod), { name: 'TimeoutError' });
    stub.set({ http: 'refused' });
    await waitFor('a refusal', async () => (await knock(pod.status?.podIP, 8080)) === 'ECONNREFUSED');
    stub.set({ http: 'answering' });
    await waitFor('an answer', async () => (await statusOf(pod)).ready);
    await stub.crash(1, 'out of memory');
    const crashed = await host.podWhen('the restart', wasRestarted);
    const last = crashed.status?.containerStatuses?.[0]?.lastState?.terminated;
    assert.deepEqual([last?.exitCode, last?.message], [1, 'out of memory']);

    const slow = played(host);
    slow.stub.set({ drainMs: 700 });
    await host.rollOut();
    await host.podWhen('the new Pod alone', (each) => isReady(each) && each.metadata.uid !== slow.uid);
    assert.equal(await knock(slow.address, 8080), 'ECONNREFUSED');
    await remove(host);
  });

  it('holds Pods back for want of a node or an image, until it is told to play them', async () => {
    const host = await newHost({ kind: 'pending', message: 'no node is free' });
    const scheduled = (pod: Pod) => pod.status?.conditions?.find(({ type }) => type === 'PodScheduled');
    const pending = await host.podWhen('Unschedulable', (pod) => scheduled(pod)?.reason === 'Unschedulable');
    assert.equal(scheduled(pending)?.message, 'no node is free');
    played(host).play({ kind: 'waiting', reason: 'ImagePullBackOff', message: 'no such image' });
    const waiting = await host.podWhen(
      'the image',
      (pod) => pod.status?.containerStatuses?.[0]?.state?.waiting?.reason === 'ImagePullBackOff',
    );
    assert.equal(waiting.status?.phase, 'Pending');
    assert.equal(scheduled(waiting)?.status, 'True');
    played(host).play({ kind: 'stub' });
    await host.ready();
    await remove(host);
  });

  it('a lost node confirms no deletion, and its Pod is replaced', async () => {
    const host = await newHost({ kind: 'stub' });
    const pod = await host.ready();
    const lost = played(host);
    await lost.lose();
    await host.podWhen('not Ready', (each) => !isReady(each));
    assert.equal(await knock(lost.address, 8080), 'ECONNREFUSED');
    await plane.client().delete(PODS, { namespace: host.namespace, name: lost.name });
    const other = await player.hostWhen(host.namespace, host.name, { like: (each) => each.ready && each !== lost });
    await waitFor('both Pods', async () => (await host.pods()).filter(isReady).length === 1);
    const there = (await host.pods()).map(({ metadata }) => metadata.uid).sort();
    assert.deepEqual(there, [pod.metadata.uid, other.uid].sort());
    const forced = { namespace: host.namespace, name: lost.name };
    await plane.client().delete(PODS, forced, { gracePeriodSeconds: 0 });
    await host.ready();
    await remove(host);
  });

  it('goes on after the API server was away', async () => {
    const host = await newHost({ kind: 'stub' });
    const { metadata } = await host.ready();
    await plane.killApiServer();
    played(host).stub.set({ ready: false });
    await plane.startApiServer();
    await host.podWhen('not Ready', (pod) => !isReady(pod));
    played(host).stub.set({ ready: true });
    await host.rollOut();
    await host.podWhen('the new Pod', (pod) => isReady(pod) && pod.metadata.uid !== metadata.uid);
    await remove(host);
  });
});
