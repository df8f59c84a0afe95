// SPDX-License-Identifier: Apache-2.0

// The operator against a real API server: a pool is applied, changed, scaled and deleted, and every version of everything on that way is looked at.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { FINALIZER, hostLabels, LABELS, poolLabels } from '@kmspool/crds';
import {
  CONFIG_MAPS,
  DEPLOYMENTS,
  DISRUPTION_BUDGETS,
  DNS_ENDPOINTS,
  NETWORK_POLICIES,
  PODS,
  type Pod,
  SECRETS,
  SERVICE_ACCOUNTS,
  SERVICES,
} from '../../operator/pool/kinds.ts';
import { controllerOf, EVENTS, type KubernetesObject, kstatusOf, type Resource } from '../../operator/runtime/index.ts';
import { NAMESPACES } from '../harness/kubernetes/cluster-objects.ts';
import { type DnsMirror, startDnsMirror } from '../harness/kubernetes/dns-mirror.ts';
import {
  assertHonest,
  domainOf,
  type Recording,
  record,
  type Scene,
  startScene,
  WITHDRAW_BOUND_MS,
} from '../harness/kubernetes/operator-scene.ts';
import { conditionOf, isReadyPod, type TestPool } from '../harness/kubernetes/pools.ts';
import { missingControlPlane } from '../harness/kubernetes/tools.ts';
import { waitFor } from '../harness/wait.ts';

/** Every kind that a pool is made of; Secrets apart. */
const OWNED: readonly Resource[] = [
  DEPLOYMENTS,
  SERVICES,
  CONFIG_MAPS,
  SERVICE_ACCOUNTS,
  DISRUPTION_BUDGETS,
  NETWORK_POLICIES,
  DNS_ENDPOINTS,
];
const EXAMPLES = new URL('../../examples/', import.meta.url);

/** A Pod as it is, not as the operator keeps it. */
interface PodTemplate {
  readonly spec?: {
    readonly serviceAccountName?: string;
    readonly automountServiceAccountToken?: boolean;
    readonly securityContext?: { readonly runAsNonRoot?: boolean };
    readonly containers?: readonly { readonly volumeMounts?: readonly { readonly mountPath: string }[] }[];
  };
}

describe('a pool from kubectl apply to kubectl delete', { skip: missingControlPlane({ controllers: true }) }, () => {
  let scene: Scene;
  /** A further name server, which can be silenced without the others. */
  let mute: DnsMirror;
  const recordings: Recording<KubernetesObject>[] = [];

  before(async () => {
    scene = await startScene();
    mute = await startDnsMirror({ client: scene.client, writesStatus: false });
  });
  after(async () => {
    for (const recording of recordings) await recording.stop();
    await mute?.stop();
    await scene?.stop();
  });

  const recorded = async <T extends KubernetesObject>(resource: Resource<T>, namespace: string) => {
    const recording = await record(scene.client, { resource, namespace });
    recordings.push(recording);
    return recording;
  };
  const namesOf = async (resource: Resource, { namespace, name }: TestPool): Promise<string[]> => {
    const { items } = await scene.client.list(resource, { namespace, labelSelector: `${LABELS.pool}=${name}` });
    return items.map(({ metadata }) => metadata.name).sort();
  };

  const namespaceGone = (name: string): Promise<void> =>
    waitFor(
      `the end of the namespace ${name}`,
      async () => (await scene.client.find(NAMESPACES, { name })) === undefined,
      60_000,
    );

  /** Applies an example as it is, but for its namespace, its zone and whom to ask. */
  const applyExample = async (file: string, name: string): Promise<TestPool> => {
    const namespace = await scene.namespace(name);
    const text = (await readFile(new URL(file, EXAMPLES), 'utf8'))
      .replaceAll('.example', `.${namespace}.example`)
      .replace(/^ {2}namespace: .*$/m, `  namespace: ${namespace}`)
      .replace(/^ {2}dns:$/m, `  dns:\n    verifyNameservers: ["${scene.mirror.nameserver}"]\n    minChangeSeconds: 1`);
    const applied = await scene.plane.kubectl(['apply', '-n', namespace, '-f', '-'], { input: text });
    assert.equal(applied.code, 0, applied.stderr);
    return scene.poolIn(namespace, name);
  };

  it('examples/minimal.yaml becomes one host that clients find', async () => {
    const pool = await applyExample('minimal.yaml', 'minimal');
    const { namespace } = pool;
    const { status } = await pool.settled();
    assert.equal(status?.readyReplicas, 1);
    const [host] = status?.hosts ?? [];
    const fqdn = `minimal-0.${namespace}.lab.${namespace}.example`;
    assert.deepEqual(scene.mirror.lines(`_vlmcs._tcp.lab.${namespace}.example`, 'SRV'), [`0 0 1688 ${fqdn}.`]);
    assert.equal(host?.fqdn, fqdn);
    assert.deepEqual([...scene.mirror.lines(fqdn, 'A'), ...scene.mirror.lines(fqdn, 'AAAA')], host?.addresses);
    await pool.conditions({ StoreAvailable: 'True InMemory', DnsPublished: 'True Published' });
  });

  it('examples/campus.yaml becomes all the objects of three hosts, as the design has them', async () => {
    const pool = await applyExample('campus.yaml', 'campus');
    const { namespace, name } = pool;
    await scene.kubectl('wait', '-n', namespace, 'khp/campus', '--for=condition=Ready', '--timeout=60s');
    await pool.settled();
    const hosts = ['campus-0', 'campus-1', 'campus-2'];
    const perPool = [name];
    const wanted = [hosts, hosts, hosts, perPool, perPool, perPool, perPool];
    for (const [index, resource] of OWNED.entries())
      assert.deepEqual(await namesOf(resource, pool), wanted[index], resource.kind);
    assert.deepEqual(await namesOf(SECRETS, pool), ['campus-admin', 'campus-key']);

    const { metadata } = (await pool.read()) ?? assert.fail();
    assert.deepEqual(metadata.finalizers, [FINALIZER]);
    for (const resource of OWNED) {
      const { items } = await scene.client.list(resource, { namespace, labelSelector: `${LABELS.pool}=${name}` });
      for (const object of items) {
        const owner = controllerOf(object);
        assert.deepEqual([owner?.kind, owner?.name, owner?.uid], ['KmsHostPool', name, metadata.uid], resource.kind);
        const ordinal = /-(\d+)$/.exec(object.metadata.name)?.[1];
        const labels = ordinal === undefined ? poolLabels(name) : hostLabels(name, Number(ordinal));
        for (const [label, value] of Object.entries(labels)) assert.equal(object.metadata.labels?.[label], value);
      }
    }
    const secrets = await Promise.all(
      ['campus-key', 'campus-admin'].map((secret) => scene.client.get(SECRETS, { namespace, name: secret })),
    );
    assert.deepEqual(
      secrets.map((secret) => [secret.immutable, controllerOf(secret)?.uid, Object.keys(secret.data ?? {})]),
      [
        [true, undefined, ['key']],
        [true, metadata.uid, ['token']],
      ],
    );
  });

  it('its Pods pass the restricted Pod security standard, with an account of their own and no API token', async () => {
    const pool = await scene.pool('pods', { replicas: 1 });
    await pool.settled();
    const [pod] = (await pool.pods()) as (Pod & PodTemplate)[];
    assert.deepEqual(
      [
        pod?.spec?.serviceAccountName,
        pod?.spec?.automountServiceAccountToken,
        pod?.spec?.securityContext?.runAsNonRoot,
      ],
      ['campus', false, true],
    );
    const mounts = pod?.spec?.containers?.flatMap(({ volumeMounts = [] }) => volumeMounts) ?? [];
    assert.ok(mounts.every(({ mountPath }) => !mountPath.includes('serviceaccount')));
  });

  it('kubectl get and describe say at a glance how the pool is', async () => {
    const pool = await scene.pool('glance', { replicas: 2 });
    const settled = await pool.settled();
    const { status } = settled;
    assert.equal(kstatusOf(settled), 'Current');
    const { namespace } = pool;
    const table = await scene.kubectl('get', 'khp', '-n', namespace, '-o', 'wide', '--no-headers');
    const [name, ready, hosts, wanted, ...rest] = table.trim().split(/\s+/);
    assert.deepEqual([name, ready, hosts, wanted], ['campus', 'True', '2', '2']);
    assert.deepEqual(rest.slice(0, 4), ['AllHostsReady', 'Published', domainOf(namespace), status?.poolId]);
    await pool.event('Published');
    const text = await scene.kubectl('describe', 'khp', '-n', namespace, 'campus');
    assert.match(text, /KeyCreated .* kmspool-operator +Secret campus-key was made/);
    assert.match(text, /AllHostsReady .* All 2 hosts are ready\./);
    assert.match(text, /Published .* Event 12294: published in DNS, and shown by every name server: _vlmcs\._tcp\./);
    const warnings = (await pool.events()).filter(({ type }) => type !== 'Normal');
    assert.deepEqual(warnings, [], 'a pool that comes to be as it should warns of nothing');
  });

  describe('side by side', { concurrency: 4 }, () => {
    it('kubectl wait does not pass early: not for a generation that nobody has seen, not for a config that hosts do not run', async () => {
      const pool = await scene.pool('early', { replicas: 2 });
      await pool.settled();
      const { namespace } = pool;
      const wait = (timeout: string) =>
        scene.plane.kubectl(['wait', '-n', namespace, 'khp/campus', '--for=condition=Ready', `--timeout=${timeout}`]);
      assert.equal((await wait('30s')).code, 0, 'it is Ready before');
      const stubs = scene.player.pods({ namespace }).map(({ stub }) => stub);
      for (const stub of stubs) stub.set({ followsConfig: false });
      scene.operator.freeze();
      try {
        await pool.change({ renewalIntervalMinutes: 60 });
        const unseen = await wait('2s');
        assert.equal(unseen.code, 1, unseen.stdout);
        assert.match(unseen.stderr, /timed out/);
      } finally {
        scene.operator.thaw();
      }
      await pool.conditions({ Ready: 'False ConfigStale', Reconciling: 'True ConfigStale' });
      const waiting = wait('60s');
      assert.equal((await wait('2s')).code, 1);
      stubs[0]?.set({ followsConfig: true });
      assert.equal((await wait('2s')).code, 1, 'one host of two is not enough');
      stubs[1]?.set({ followsConfig: true });
      assert.equal((await waiting).code, 0);
      await pool.settled();
    });

    it('a change that needs no restart reaches every host and replaces none', async () => {
      const pool = await scene.pool('interval', { replicas: 3 });
      await pool.settled();
      const uids = (await pool.pods()).map(({ metadata }) => metadata.uid).sort();
      const stubs = scene.player.pods({ namespace: pool.namespace }).map(({ stub }) => stub);
      stubs[2]?.set({ followsConfig: false });
      await pool.change({ activationIntervalMinutes: 15 });
      const told = await pool.conditions({ Ready: 'False ConfigStale', Reconciling: 'True ConfigStale' });
      await pool.when('two hosts that run it', ({ status }) => status?.readyReplicas === 2);
      assert.match(JSON.stringify(told.status?.conditions), /still runs an older configuration/);
      stubs[2]?.set({ followsConfig: true });
      await pool.settled();
      assert.deepEqual((await pool.pods()).map(({ metadata }) => metadata.uid).sort(), uids);
    });

    it('another port replaces the hosts one by one: the next comes first, and never are there fewer ready hosts than wanted', async () => {
      const pool = await scene.pool('port', { replicas: 3 });
      await pool.settled();
      const { namespace } = pool;
      const pods = await recorded(PODS, namespace);
      const from = pods.changes.length;
      await pool.change({ port: 1700 });
      await pool.conditions({ Reconciling: 'True RollingOut' });
      await pool.settled(60_000);
      const now = new Map(pods.changes.slice(0, from).map(({ object }) => [object.metadata.uid, object]));
      const order: string[] = [];
      for (const { type, object } of pods.changes.slice(from)) {
        if (type === 'deleted') now.delete(object.metadata.uid);
        else now.set(object.metadata.uid, object);
        const ready = [...now.values()]
          .filter(isReadyPod)
          .map(({ metadata }) => metadata.labels?.[LABELS.ordinal] ?? '');
        assert.ok(new Set(ready).size >= 3, `ready: ${ready.join(', ')}`);
        if (type === 'added') order.push(object.metadata.labels?.[LABELS.ordinal] ?? '');
        const going = [...now.values()].length - 3;
        assert.ok(going <= 1, `${going} hosts are being replaced at once`);
      }
      assert.deepEqual(order, ['2', '1', '0']);
      assert.deepEqual(
        scene.srv(namespace),
        [0, 1, 2].map((n) => `0 0 1700 campus-${n}.${namespace}.${domainOf(namespace)}.`),
      );
      const services = await scene.client.list(SERVICES, { namespace });
      assert.deepEqual(
        services.items.map(({ spec }) => spec?.ports?.[0]?.port),
        [1700, 1700, 1700],
      );
    });

    it('kubectl scale adds hosts, and takes them away only when clients can no longer find them', async () => {
      const ttlSeconds = 2;
      const namespace = await scene.namespace('scale');
      const domains = [{ name: domainOf(namespace), ttlSeconds }];
      const pool = scene.poolIn(namespace);
      await pool.create(scene.spec(namespace, { replicas: 2, dns: { domains } }));
      await pool.settled();
      await scene.kubectl('scale', '-n', namespace, 'khp/campus', '--replicas=4');
      await pool.settled();
      assert.equal(scene.srv(namespace).length, 4);

      const deployments = await recorded(DEPLOYMENTS, namespace);
      await scene.kubectl('scale', '-n', namespace, 'khp/campus', '--replicas=2');
      await pool.conditions({ Ready: 'True AllHostsReady', Reconciling: 'True ScalingDown' });
      await pool.settled();
      assert.deepEqual(await namesOf(DEPLOYMENTS, pool), ['campus-0', 'campus-1']);
      for (const host of ['campus-2', 'campus-3']) {
        const gone = scene.mirror.changes.findLast(
          ({ type, name, lines }) =>
            type === 'SRV' && name.endsWith(domainOf(namespace)) && !lines.some((line) => line.includes(` ${host}.`)),
        );
        const stopped = deployments.changes.find(
          ({ type, object }) => type === 'deleted' && object.metadata.name === host,
        );
        const between = (stopped?.atMs ?? 0) - (gone?.atMs ?? Number.NaN);
        assert.ok(between >= ttlSeconds * 1000, `${host} was stopped ${between} ms after its record went`);
      }
      assert.equal(await pool.told('StaleRecord'), 0);
      const names = scene.mirror.changes.filter(
        ({ type, name }) => type === 'A' && name.startsWith(`campus-3.${namespace}`),
      );
      assert.deepEqual(names.at(-1)?.lines, [], 'its own name goes too');
    });

    it('a host whose record stays is stopped after the bound all the same, and an event has the record', async () => {
      const pool = await scene.pool('stale', { replicas: 2 });
      const { namespace } = pool;
      await pool.settled();
      const record = `_vlmcs._tcp.${domainOf(namespace)} SRV 0 0 1688 campus-1.${namespace}.${domainOf(namespace)}.`;
      const shown = scene.srv(namespace);
      scene.mirror.lie(`_vlmcs._tcp.${domainOf(namespace)}`, 'SRV', shown);
      await scene.kubectl('scale', '-n', namespace, 'khp/campus', '--replicas=1');
      const scaled = performance.now();
      const told = await pool.event('StaleRecord', 1, 2 * WITHDRAW_BOUND_MS);
      assert.ok(performance.now() - scaled > WITHDRAW_BOUND_MS - 1_000, 'not before the bound');
      assert.ok(told.message.includes(`${record} at ${scene.mirror.nameserver}`), told.message);
      await waitFor('the end of campus-1', async () => (await pool.deployment(1)) === undefined);
      scene.mirror.lie(`_vlmcs._tcp.${domainOf(namespace)}`, 'SRV', undefined);
      await pool.settled();
      assert.equal(await pool.told('StaleRecord'), 1);
    });

    it('kubectl delete withdraws the records before the hosts go, and leaves the key', async () => {
      const pool = await scene.pool('delete', { replicas: 2 });
      const { namespace } = pool;
      await pool.settled();
      const deployments = await recorded(DEPLOYMENTS, namespace);
      await scene.kubectl('delete', '-n', namespace, 'khp/campus', '--wait=false');
      await pool.conditions({ Ready: 'False Deleting', Reconciling: 'True Deleting' });
      await pool.gone();
      await waitFor(
        'the garbage collector',
        async () => (await Promise.all(OWNED.map((resource) => namesOf(resource, pool)))).flat().length === 0,
        30_000,
      );
      const gone = scene.mirror.changes.findLast(
        ({ type, name, lines }) => type === 'SRV' && name.endsWith(domainOf(namespace)) && lines.length === 0,
      );
      const stopped = deployments.changes.find(({ type }) => type === 'deleted');
      assert.ok((stopped?.atMs ?? 0) - (gone?.atMs ?? Number.NaN) >= 1_000, 'one TTL between');
      assert.deepEqual(await namesOf(SECRETS, pool), ['campus-key']);
      assert.equal(await pool.told('StaleRecord'), 0);
    });

    const silenced = async (hint: string, replicas: number): Promise<TestPool> => {
      const pool = await scene.pool(hint, { replicas, dns: { verifyNameservers: [mute.nameserver] } });
      await pool.settled();
      await pool.conditions({ DnsPublished: 'True Published' });
      return pool;
    };

    it('pools whose name server is silent are deleted after the bound, also with their namespace, and it is said that nobody knows', async () => {
      const [pool, other] = await Promise.all([silenced('silent', 1), silenced('namespace', 2)]);
      mute.behave('silent');
      await scene.client.delete(NAMESPACES, { name: other.namespace });
      await pool.delete();
      await pool.gone(3 * WITHDRAW_BOUND_MS);
      const { message } = await pool.event('StaleRecord');
      assert.match(message, /the name servers could not be asked what is left of it/);
      await namespaceGone(other.namespace);
    });

    it('a namespace is deleted with its pool', async () => {
      const pool = await scene.pool('namespace', { replicas: 2 });
      await pool.settled();
      await scene.client.delete(NAMESPACES, { name: pool.namespace });
      await namespaceGone(pool.namespace);
    });
  });

  it('at no moment did a status claim more than was so, by the rules of kstatus', () => {
    const versions = scene.poolVersions;
    assert.ok(versions.length > 100, `${versions.length} versions`);
    assertHonest(versions);
    const stale = versions.filter((pool) => conditionOf(pool, 'Ready') === 'False ConfigStale');
    assert.ok(stale.length > 0);
  });

  it('no name server was blamed for what it could not know yet', async () => {
    const { items } = await scene.client.list(EVENTS);
    const blamed = items.filter(({ reason }) => reason === 'RecordsDiffer').map(({ message }) => message);
    assert.deepEqual(blamed, []);
  });
});
