// SPDX-License-Identifier: Apache-2.0

// A stand-in for scheduler and kubelet, in the test's own process: it binds Pods to a Node that it made, gives each a loopback address of its own, runs
// their containers as real host processes or as stubs, keeps their status true, and confirms their deletion. It plays the first container of a Pod, and
// knows of hosts' Pods what the operator puts there; it is no kubelet for anything else.
import { join } from 'node:path';
import { LABELS } from '@kmspool/crds';
import { Registry } from 'prom-client';
import { CONFIG_MAPS, type ConfigMap, SECRETS, type Secret } from '../../../operator/pool/kinds.ts';
import {
  type Client,
  collectionPath,
  createMetrics,
  Informer,
  isAlreadyExists,
  type KubernetesObject,
  refOfObject,
} from '../../../operator/runtime/index.ts';
import { waitFor } from '../wait.ts';
import type { Actor, Part } from './player/actor.ts';
import { type AddressBlock, claimAddresses } from './player/addresses.ts';
import { ApiQueue } from './player/api-queue.ts';
import { FULL_PODS, type FullPod, NODES } from './player/kinds.ts';
import { type NodeSide, type Play, PlayedPod } from './player/pod.ts';
import { HostProcess } from './player/process.ts';
import { StubStage } from './player/stub.ts';
import type { StubState } from './player/stub-host.ts';
import { type ReadVolumes, readVolumes, sourceKey, sourcesOf } from './player/volumes.ts';
import { makeTestFolder } from './server-process.ts';

export type { FullPod } from './player/kinds.ts';
export { type Play, PlayedPod } from './player/pod.ts';
export { countsOf, type StubState } from './player/stub-host.ts';

/** Decides what becomes of a Pod when it is first seen. */
export type Strategy = (pod: FullPod) => Play;

export interface NodePlayerOptions {
  /** As administrator; its throttle is not used. */
  readonly client: Client;
  /** For Pods that come from now on; change it with {@link NodePlayer.setStrategy}. */
  readonly strategy: Strategy;
  /** Namespaces whose Pods it plays; all of them if absent. */
  readonly namespaces?: readonly string[];
  /** Default: one that no other player has. */
  readonly nodeName?: string;
  /** Before a container that ended is started again; default 500 ms, and never longer, unlike a kubelet's. */
  readonly restartDelayMs?: number;
}

/** Starts a player; it has seen all Pods that are there when this resolves. Linux only. */
export async function startNodePlayer(options: NodePlayerOptions): Promise<NodePlayer> {
  const addresses = await claimAddresses();
  const player = new NodePlayer(options, addresses);
  try {
    await player.start();
  } catch (error) {
    await player.stop();
    throw error;
  }
  return player;
}

export class NodePlayer {
  readonly nodeName: string;
  readonly #client: Client;
  readonly #addresses: AddressBlock;
  readonly #queue = new ApiQueue();
  readonly #stage = new StubStage();
  readonly #end = new AbortController();
  readonly #folder = makeTestFolder('node');
  readonly #pods: Informer<FullPod>;
  readonly #configMaps: Informer<ConfigMap>;
  readonly #secrets: Informer<Secret>;
  /** By uid, in the order in which they came. */
  readonly #played = new Map<string, PlayedPod>();
  /** Pods by the ConfigMaps and Secrets of their volumes. */
  readonly #users = new Map<string, Set<PlayedPod>>();
  readonly #running: Promise<void>[] = [];
  readonly #node: NodeSide;
  #strategy: Strategy;
  #started = 0;

  constructor(options: NodePlayerOptions, addresses: AddressBlock) {
    const { client, namespaces, restartDelayMs = 500 } = options;
    // Every host process is ended at exit: more of them than Node takes for normal.
    process.setMaxListeners(Math.max(process.getMaxListeners(), 250));
    this.#client = client.withThrottle({ qps: 10_000, burst: 10_000 });
    this.#addresses = addresses;
    this.#strategy = options.strategy;
    this.nodeName = options.nodeName ?? `node-${addresses.hostAddress.split('.')[1]}-${process.pid}`;
    const metrics = createMetrics(new Registry());
    const common = { client: this.#client, metrics, namespaces };
    this.#pods = new Informer({ ...common, resource: FULL_PODS });
    this.#configMaps = new Informer({ ...common, resource: CONFIG_MAPS });
    this.#secrets = new Informer({ ...common, resource: SECRETS });
    this.#node = {
      hostAddress: addresses.hostAddress,
      restartDelayMs,
      bind: (pod) => this.#bind(pod),
      writeStatus: (pod, status) => this.#writeStatus(pod, status),
      remove: (pod) => this.#remove(pod),
      volumes: (pod) => this.#volumes(pod),
      start: (play, part, state) => this.#startActor(play, part, state),
    };
  }

  /** Called by {@link startNodePlayer}. */
  async start(): Promise<void> {
    const node = { metadata: { name: this.nodeName, labels: { 'kubernetes.io/hostname': this.nodeName } } };
    await this.#client.create(NODES, node).catch((error: unknown) => {
      if (!isAlreadyExists(error)) throw error;
    });
    const { signal } = this.#end;
    this.#running.push(this.#configMaps.run(signal), this.#secrets.run(signal));
    await Promise.all([this.#configMaps.synced(signal), this.#secrets.synced(signal)]);
    this.#configMaps.onChange(({ object }) => this.#sourceChanged('ConfigMap', object));
    this.#secrets.onChange(({ object }) => this.#sourceChanged('Secret', object));
    this.#pods.onChange(({ type, object }) => this.#podChanged(object, type === 'deleted'));
    this.#running.push(this.#pods.run(signal));
    await this.#pods.synced(signal);
  }

  /** For Pods that come from now on. */
  setStrategy(strategy: Strategy): void {
    this.#strategy = strategy;
  }

  /** The Pods that are there, the oldest first; of one pool or one host if asked. */
  pods(of: { readonly namespace?: string; readonly pool?: string; readonly host?: string } = {}): PlayedPod[] {
    return [...this.#played.values()].filter(
      (pod) =>
        (of.namespace === undefined || pod.namespace === of.namespace) &&
        (of.pool === undefined || pod.labels[LABELS.pool] === of.pool) &&
        (of.host === undefined || pod.hostName === of.host),
    );
  }

  /** The newest Pod of a host (`<pool>-<ordinal>`) that is not being deleted. @throws Error when there is none. */
  host(namespace: string, host: string): PlayedPod {
    const newest = this.#newest(namespace, host);
    if (newest === undefined) throw new Error(`no Pod of ${namespace}/${host} is there`);
    return newest;
  }

  /** Resolves with a host's newest Pod once it is as wanted; default: its readiness probe succeeds. */
  async hostWhen(
    namespace: string,
    host: string,
    is: { readonly like?: (pod: PlayedPod) => boolean; readonly timeoutMs?: number } = {},
  ): Promise<PlayedPod> {
    const { like = (pod: PlayedPod) => pod.ready, timeoutMs = 30_000 } = is;
    await waitFor(
      `the Pod of ${namespace}/${host}`,
      () => {
        const newest = this.#newest(namespace, host);
        return newest !== undefined && like(newest);
      },
      timeoutMs,
    );
    return this.host(namespace, host);
  }

  /** Ends all hosts and frees everything. @throws Error when the API server refused something that the player wrote. */
  async stop(): Promise<void> {
    this.#queue.stop();
    this.#end.abort();
    await Promise.all(this.#running);
    await Promise.all([...this.#played.values()].map((pod) => pod.gone()));
    this.#played.clear();
    this.#stage.stop();
    await this.#addresses.release();
    this.#folder.remove();
    const { failures } = this.#queue;
    if (failures.length > 0) throw new Error(`the API server refused the node player:\n${failures.join('\n')}`);
  }

  #newest(namespace: string, host: string): PlayedPod | undefined {
    return this.pods({ namespace, host }).findLast(({ object }) => object.metadata.deletionTimestamp === undefined);
  }

  #podChanged(object: FullPod, deleted: boolean): void {
    const { uid = '', deletionTimestamp } = object.metadata;
    const known = this.#played.get(uid);
    if (deleted) {
      if (known !== undefined) this.#forget(known);
    } else if (known !== undefined) known.seen(object);
    else if ([undefined, this.nodeName].includes(object.spec.nodeName)) {
      const pod = new PlayedPod(object, this.#addresses.next(), this.#node);
      this.#played.set(uid, pod);
      for (const source of sourcesOf(object)) this.#usersOf(source).add(pod);
      if (deletionTimestamp === undefined) pod.play(this.#strategy(object));
      else pod.seen(object);
    }
  }

  #forget(pod: PlayedPod): void {
    this.#played.delete(pod.uid);
    for (const source of sourcesOf(pod.object)) this.#usersOf(source).delete(pod);
    void pod.gone().then(() => this.#stage.forget(pod.address));
  }

  #usersOf(source: string): Set<PlayedPod> {
    const users = this.#users.get(source) ?? new Set();
    this.#users.set(source, users);
    return users;
  }

  #sourceChanged(kind: 'ConfigMap' | 'Secret', { metadata }: KubernetesObject): void {
    for (const pod of this.#users.get(sourceKey(kind, metadata.namespace, metadata.name)) ?? []) pod.volumesChanged();
  }

  #volumes(pod: FullPod): ReadVolumes {
    const { namespace } = pod.metadata;
    return readVolumes(pod, {
      configMap: (name) => this.#configMaps.cache.get({ namespace, name }),
      secret: (name) => this.#secrets.cache.get({ namespace, name }),
    });
  }

  #startActor(play: 'real' | 'stub', part: Part, state: Partial<StubState>): Actor {
    if (play === 'stub') return this.#stage.start(part, state);
    return new HostProcess(part, join(this.#folder.path, String(this.#started++)));
  }

  #bind(pod: PlayedPod): void {
    const { name, namespace } = pod;
    const path = `${collectionPath(FULL_PODS, namespace)}/${name}/binding`;
    const target = { apiVersion: 'v1', kind: 'Node', name: this.nodeName };
    const body = { apiVersion: 'v1', kind: 'Binding', metadata: { name, namespace, uid: pod.uid }, target };
    this.#queue.put(`bind ${namespace}/${name} ${pod.uid}`, async () => {
      await this.#client.request({ method: 'POST', path, body, resource: 'pods' });
      pod.bound();
    });
  }

  #writeStatus(pod: PlayedPod, status: object): void {
    const patch = { metadata: { uid: pod.uid }, status };
    this.#queue.put(`status ${pod.namespace}/${pod.name} ${pod.uid}`, () =>
      this.#client.patch(FULL_PODS, refOfObject(pod.object), { patch, subresource: 'status' }),
    );
  }

  #remove(pod: PlayedPod): void {
    const options = { uid: pod.uid, gracePeriodSeconds: 0 };
    this.#queue.put(`remove ${pod.namespace}/${pod.name} ${pod.uid}`, () =>
      this.#client.delete(FULL_PODS, refOfObject(pod.object), options),
    );
  }
}
