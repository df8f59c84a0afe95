// SPDX-License-Identifier: Apache-2.0
/**
 * A cluster with everything around the operator, for tests of what it makes of pools: a control plane, a node that plays stub hosts, a name server that
 * follows the DNSEndpoints, and the operator as a process. One scene serves a test file; each test takes a namespace, and with it a domain, of its own.
 *
 *     const scene = await startScene();                       // in `before`
 *     const pool = await scene.pool('drift', { replicas: 2 }); // in its own namespace, published in <namespace>.test
 *     await pool.settled();
 *     await scene.stop();                                     // in `after`
 */
import assert from 'node:assert/strict';
import { Registry } from 'prom-client';
import { POOLS, type PoolObject, SECRETS } from '../../../operator/pool/kinds.ts';
import {
  type Client,
  createMetrics,
  Informer,
  type KubernetesObject,
  kstatusOf,
  type Resource,
} from '../../../operator/runtime/index.ts';
import { type AuditEntry, type AuditLog, auditLog, isWrite } from './audit.ts';
import { NAMESPACES } from './cluster-objects.ts';
import { type ControlPlane, type ControlPlaneOptions, type PlaneUser, startControlPlane } from './control-plane.ts';
import { type DnsMirror, startDnsMirror } from './dns-mirror.ts';
import { operatorUser } from './fleet.ts';
import { type NodePlayer, startNodePlayer } from './node-player.ts';
import { type OperatorProcess, startOperator } from './operator-process.ts';
import { TestPool } from './pools.ts';

export interface SceneOptions {
  /** Further flags of the operator. */
  readonly args?: readonly string[];
  /** Kinds to install; default both. */
  readonly crds?: ControlPlaneOptions['crds'];
}

/** How long a withdrawn host is waited for here, where nobody wants to wait ten minutes. */
export const WITHDRAW_BOUND_MS = 12_000;

const BASE_ARGS = [
  '--host-access=Direct',
  '--no-leader-elect',
  `--withdraw-bound-minutes=${WITHDRAW_BOUND_MS / 60_000}`,
];

/** Name of the operator's user, who may do what the operator must and nothing else. */
const USER = 'operator';

/** Starts everything. */
export async function startScene(options: SceneOptions = {}): Promise<Scene> {
  const { args = [], crds = ['KmsHostPool', 'DNSEndpoint'] } = options;
  const audit = auditLog([USER]);
  const undo: (() => Promise<unknown>)[] = [async () => audit.remove()];
  try {
    const plane = await startControlPlane({ controllers: true, crds, apiServerFlags: audit.flags });
    undo.push(() => plane.stop());
    const user = await operatorUser(plane, USER, 'unused');
    const player = await startNodePlayer({ client: plane.client(), strategy: () => ({ kind: 'stub' }) });
    undo.push(() => player.stop());
    const mirror = await startDnsMirror({ client: plane.client() });
    undo.push(() => mirror.stop());
    const scene = new Scene({ plane, player, mirror, audit, user, args: [...BASE_ARGS, ...args] });
    undo.push(() => scene.endOperator());
    await scene.startOperator();
    await scene.followPools();
    return scene;
  } catch (error) {
    for (const step of undo.reverse()) await step();
    throw error;
  }
}

interface SceneParts {
  readonly plane: ControlPlane;
  readonly player: NodePlayer;
  readonly mirror: DnsMirror;
  readonly audit: AuditLog;
  readonly user: PlaneUser;
  readonly args: readonly string[];
}

export class Scene {
  readonly plane: ControlPlane;
  readonly player: NodePlayer;
  readonly mirror: DnsMirror;
  readonly #parts: SceneParts;
  #operator: OperatorProcess | undefined;
  #pools: Recording<PoolObject> | undefined;

  constructor(parts: SceneParts) {
    this.plane = parts.plane;
    this.player = parts.player;
    this.mirror = parts.mirror;
    this.#parts = parts;
  }

  get client(): Client {
    return this.plane.client();
  }

  get operator(): OperatorProcess {
    assert.ok(this.#operator !== undefined, 'no operator runs');
    return this.#operator;
  }

  async startOperator(...args: readonly string[]): Promise<void> {
    const { user, args: own } = this.#parts;
    this.#operator = await startOperator({ kubeconfig: user.kubeconfig, args: [...own, ...args] });
  }

  /** SIGTERM. @throws when it does not end well. */
  async endOperator(): Promise<void> {
    const code = await this.#operator?.stop();
    this.#operator = undefined;
    assert.ok(code === 0 || code === undefined, `the operator ended with ${code}`);
  }

  /** Every version of every pool, as they came. */
  get poolVersions(): readonly PoolObject[] {
    return (this.#pools?.changes ?? []).filter(({ type }) => type !== 'deleted').map(({ object }) => object);
  }

  /** What changed from each version of a pool's status to the next, for the message of a failed test. */
  storyOf({ namespace, name }: TestPool): string {
    const versions = this.poolVersions.filter(
      ({ metadata }) => metadata.namespace === namespace && metadata.name === name,
    );
    return versions
      .map(({ metadata, status }, at) => {
        const before = new Set(linesOf(versions[at - 1]?.status));
        const news = linesOf(status).filter((line) => !before.has(line));
        return [`version ${metadata.resourceVersion}, generation ${metadata.generation}`, ...news].join('\n  ');
      })
      .join('\n');
  }

  /** Called by {@link startScene}. */
  async followPools(): Promise<void> {
    this.#pools = await record(this.client, { resource: POOLS });
  }

  /** A namespace that lets only restricted Pods in, with the Secret that stores' credentials come from. */
  async namespace(hint: string): Promise<string> {
    const namespace = await this.plane.namespace(hint);
    const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
    await this.client.patch(NAMESPACES, { name: namespace }, { patch: { metadata: { labels } } });
    const metadata = { name: 'redis', namespace };
    await this.client.create(SECRETS, { metadata, data: { password: Buffer.from('secret').toString('base64') } });
    return namespace;
  }

  /** A pool `campus` in a namespace of its own. */
  async pool(hint: string, spec: SpecChanges = {}): Promise<TestPool> {
    const pool = this.poolIn(await this.namespace(hint));
    await pool.create(this.spec(pool.namespace, spec));
    return pool;
  }

  /** A pool that need not be there. */
  poolIn(namespace: string, name = 'campus'): TestPool {
    return new TestPool(this.client, namespace, name);
  }

  /** The spec of a pool of two hosts, published in `<namespace>.test` with a TTL of one second, changed as told; `dns` is merged. */
  spec(namespace: string, { dns, ...changes }: SpecChanges = {}): object {
    return {
      replicas: 2,
      hostKeys: [{ product: 'WindowsServer2025' }],
      store: { redis: { url: 'redis://redis.test:6379' } },
      dns: {
        verifyNameservers: [this.mirror.nameserver],
        minChangeSeconds: 0,
        domains: [{ name: domainOf(namespace), ttlSeconds: 1 }],
        ...dns,
      },
      ...changes,
    };
  }

  /** The SRV records that the name server shows for a namespace's domain. */
  srv(namespace: string): readonly string[] {
    return this.mirror.lines(`_vlmcs._tcp.${domainOf(namespace)}`, 'SRV');
  }

  /** Runs kubectl as a user would. @throws when it fails. */
  async kubectl(...args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.plane.kubectl(args);
    assert.equal(code, 0, `kubectl ${args.join(' ')}: ${stderr}`);
    return stdout;
  }

  /** What the operator has written so far, by the API server's own account, in order; in one namespace if asked. Events, of which nobody waits, are left out. */
  writes(namespace?: string): readonly AuditEntry[] {
    const entries = this.#parts.audit.entries(USER).filter((entry) => isWrite(entry) && entry.resource !== 'events');
    return entries.filter((entry) => namespace === undefined || entry.namespace === namespace);
  }

  async stop(): Promise<void> {
    await this.#pools?.stop();
    try {
      await this.endOperator();
    } finally {
      await this.mirror.stop();
      // Its complaints would hide those of the test; the servers have to end in any case.
      await this.player.stop().finally(() => this.plane.stop());
      this.#parts.audit.remove();
    }
  }
}

/** Every scalar of a value with its place. */
function linesOf(value: unknown, place = ''): string[] {
  if (typeof value !== 'object' || value === null) return value === undefined ? [] : [`${place}: ${String(value)}`];
  return Object.entries(value).flatMap(([name, member]) => linesOf(member, place === '' ? name : `${place}.${name}`));
}

/** Parts of a spec; `dns` in parts too. */
export type SpecChanges = { readonly [field: string]: unknown; readonly dns?: object };

/** The domain of the pools of a namespace. */
export function domainOf(namespace: string): string {
  return `${namespace}.test`;
}

/** What came to be of an object, and when (`performance.now()`). */
export interface RecordedChange<T> {
  readonly atMs: number;
  readonly type: 'added' | 'modified' | 'deleted';
  readonly object: T;
}

export interface Recording<T> {
  /** Oldest first; what was there at the start comes first. */
  readonly changes: readonly RecordedChange<T>[];
  stop(): Promise<void>;
}

/** Keeps every version of the objects of a kind from now on. */
export async function record<T extends KubernetesObject>(
  client: Client,
  { resource, namespace }: { readonly resource: Resource<T>; readonly namespace?: string },
): Promise<Recording<T>> {
  const changes: RecordedChange<T>[] = [];
  const end = new AbortController();
  const namespaces = namespace === undefined ? [] : [namespace];
  const informer = new Informer<T>({ client, resource, namespaces, metrics: createMetrics(new Registry()) });
  informer.onChange(({ type, object }) => changes.push({ atMs: performance.now(), type, object }));
  const running = informer.run(end.signal);
  await informer.synced(end.signal);
  return {
    changes,
    stop: async () => {
      end.abort();
      await running;
    },
  };
}

/** Every version of a pool has to be one that kstatus reads rightly, and a later one must not take back what an earlier one has seen. */
export function assertHonest(versions: readonly PoolObject[]): void {
  const before = new Map<string, PoolObject>();
  for (const pool of versions) {
    const { uid = '', generation = 0, name, namespace } = pool.metadata;
    const { status } = pool;
    const told = `${namespace}/${name} generation ${generation}: ${JSON.stringify(status?.conditions)}`;
    const is = (type: string, wanted: string): boolean =>
      status?.conditions?.some((condition) => condition.type === type && condition.status === wanted) === true;
    assert.ok(!(is('Reconciling', 'True') && is('Stalled', 'True')), `both Reconciling and Stalled: ${told}`);
    // Before the operator has seen it at all there is no status, and kstatus has a rule of its own for that.
    if (status?.observedGeneration !== undefined && kstatusOf(pool) === 'Current') {
      assert.equal(status.observedGeneration, generation, `Current for an unseen generation: ${told}`);
      const ready = status.conditions?.find(({ type }) => type === 'Ready');
      assert.deepEqual(
        [ready?.status, ready?.observedGeneration],
        ['True', generation],
        `Current without Ready: ${told}`,
      );
      assert.ok(is('Reconciling', 'False') && is('Stalled', 'False'), told);
    }
    const seen = before.get(uid)?.status?.observedGeneration ?? 0;
    assert.ok((status?.observedGeneration ?? 0) >= seen, `observedGeneration went back from ${seen}: ${told}`);
    for (const { observedGeneration = 0, type } of status?.conditions ?? [])
      assert.ok(observedGeneration <= generation, `${type} speaks of a generation to come: ${told}`);
    before.set(uid, pool);
  }
}
