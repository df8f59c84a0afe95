// SPDX-License-Identifier: Apache-2.0
/**
 * The operator's runtime on a real API server: verbs and their refusals, server-side apply, finalizers, events, leader election. Informers have a file of
 * their own, kube-informer.test.ts.
 */
import assert from 'node:assert/strict';
import { after, before, describe, type TestContext, test } from 'node:test';
import {
  Client,
  type Connection,
  connectionFromKubeconfig,
  createMetrics,
  EventRecorder,
  ensureFinalizer,
  isAlreadyExists,
  isBeingDeleted,
  isConflict,
  isForbidden,
  isInvalid,
  isNotFound,
  LEASES,
  LeaderElector,
  type LeaderOptions,
  NotLeaderError,
  plainConnection,
  removeFinalizer,
  type TermEnd,
  TransportError,
} from '@kmspool/operator/runtime';
import { Registry } from 'prom-client';
import { good, whole } from '../../crds/manifests.fake.ts';
import { CONFIG_MAPS, type ConfigMap, POOLS, type PoolObject, SERVICES } from '../../operator/pool/kinds.ts';
import { type ControlPlane, startControlPlane } from '../harness/kubernetes/control-plane.ts';
import { missingControlPlane } from '../harness/kubernetes/tools.ts';
import { startProxy } from '../harness/proxy.ts';
import { waitFor } from '../harness/wait.ts';

const FINALIZER = 'kmspool.io/test';
const OTHERS_FINALIZER = 'other.example/keep';

describe("the operator's runtime on a real API server", { skip: missingControlPlane() }, () => {
  let plane: ControlPlane;
  let client: Client;

  before(async () => {
    plane = await startControlPlane({ crds: ['KmsHostPool'] });
    client = plane.client();
  });
  after(() => plane?.stop());

  const data = async (namespace: string, name = 'x'): Promise<ConfigMap['data']> =>
    (await client.get(CONFIG_MAPS, { namespace, name })).data;

  describe('server-side apply', () => {
    const ours = { fieldManager: 'kmspool-operator' };

    test('creates, changes, and takes away a field that is no longer applied', async () => {
      const metadata = { namespace: await plane.namespace('apply'), name: 'x' };
      const made = await client.apply(CONFIG_MAPS, { metadata, data: { a: '1', b: '1' } }, ours);
      assert.match(made.metadata.uid ?? '', /^[0-9a-f-]{36}$/);
      await client.apply(CONFIG_MAPS, { metadata, data: { a: '2' } }, ours);
      assert.deepEqual(await data(metadata.namespace), { a: '2' });
    });

    test('changes nothing when the same is applied again', async () => {
      const metadata = { namespace: await plane.namespace('apply'), name: 'x' };
      const ports = [{ name: 'kms', port: 1688, targetPort: 'kms' }];
      const service = { metadata, spec: { type: 'ClusterIP', ports, selector: { a: 'b' } } };
      const first = await client.apply(SERVICES, service, ours);
      const second = await client.apply(SERVICES, service, ours);
      assert.equal(second.metadata.resourceVersion, first.metadata.resourceVersion);
    });

    test('leaves alone what others wrote', async () => {
      const metadata = { namespace: await plane.namespace('apply'), name: 'x' };
      await client.apply(CONFIG_MAPS, { metadata, data: { a: '1' } }, ours);
      await plane.kubectl(['-n', metadata.namespace, 'annotate', 'configmap/x', 'team=blue']);
      await client.apply(CONFIG_MAPS, { metadata, data: { a: '2' } }, ours);
      const now = await client.get(CONFIG_MAPS, metadata);
      assert.equal(now.metadata.annotations?.['team'], 'blue');
      assert.deepEqual(now.data, { a: '2' });
    });

    test('without force it is a conflict to change what another manager set; with force the field is taken over', async () => {
      const metadata = { namespace: await plane.namespace('apply'), name: 'x' };
      await client.apply(CONFIG_MAPS, { metadata, data: { a: 'theirs' } }, { fieldManager: 'somebody' });
      const wanted = { metadata, data: { a: 'ours' } };
      await assert.rejects(client.apply(CONFIG_MAPS, wanted, { ...ours, force: false }), isConflict);
      assert.deepEqual(await data(metadata.namespace), { a: 'theirs' });
      await client.apply(CONFIG_MAPS, wanted, ours);
      assert.deepEqual(await data(metadata.namespace), { a: 'ours' });
      await client.apply(CONFIG_MAPS, { metadata }, { fieldManager: 'somebody' });
      assert.deepEqual(await data(metadata.namespace), { a: 'ours' }, 'no longer theirs to take away');
    });

    test('of a status writes the status and nothing else', async () => {
      const namespace = await plane.namespace('apply');
      const metadata = { namespace, name: 'campus', finalizers: [FINALIZER] };
      const made = await client.create(POOLS, { ...(whole(good()) as PoolObject), metadata });
      const intent = { metadata: { namespace, name: 'campus' }, status: { observedGeneration: 1, readyReplicas: 1 } };
      await client.applyStatus(POOLS, intent, ours);
      const now = await client.get(POOLS, metadata);
      assert.deepEqual(now.status, intent.status);
      assert.deepEqual([now.spec, now.metadata.finalizers], [made.spec, [FINALIZER]]);
      await removeFinalizer({ client, resource: POOLS, object: now }, FINALIZER);
    });

    test('as a dry run changes nothing and says what would be', async () => {
      const metadata = { namespace: await plane.namespace('apply'), name: 'x' };
      const would = await client.apply(CONFIG_MAPS, { metadata, data: { a: '1' } }, { ...ours, dryRun: true });
      assert.deepEqual(would.data, { a: '1' });
      assert.equal(await client.find(CONFIG_MAPS, metadata), undefined);
    });
  });

  describe('refusals are told apart', () => {
    test('a second create, a write over a newer version, an absent object, an absent kind', async () => {
      const metadata = { namespace: await plane.namespace('refused'), name: 'x' };
      const made = await client.create(CONFIG_MAPS, { metadata });
      await assert.rejects(client.create(CONFIG_MAPS, { metadata }), isAlreadyExists);
      await client.patch(CONFIG_MAPS, metadata, { patch: { data: { a: '1' } } });
      await assert.rejects(client.replace(CONFIG_MAPS, made), isConflict);
      await assert.rejects(client.get(CONFIG_MAPS, { ...metadata, name: 'y' }), isNotFound);
      await assert.rejects(client.get({ ...CONFIG_MAPS, plural: 'configmops' }, metadata), isNotFound);
    });

    test('an object that breaks a rule, with field and remedy', async () => {
      const namespace = await plane.namespace('refused');
      const manifest = whole({ ...good(), spec: { hostKeys: [{ product: 'Office2021' }] } }) as PoolObject;
      const creating = client.create(POOLS, { ...manifest, metadata: { name: 'campus', namespace } });
      await assert.rejects(creating, (error: unknown) => {
        assert.ok(isInvalid(error));
        assert.deepEqual(
          error.causes.map(({ field }) => field),
          ['spec.replicas'],
        );
        assert.match(error.causes[0]?.message ?? '', /add spec.store.redis/);
        return true;
      });
    });

    test('somebody without rights, and a namespace that is going away', async () => {
      const nobody = plane.client({ user: await plane.user('nobody', ['nowhere']) });
      const namespace = await plane.namespace('refused');
      await assert.rejects(nobody.list(CONFIG_MAPS, { namespace }), isForbidden);
      await plane.kubectl(['delete', 'namespace', namespace, '--wait=false']);
      const late = client.create(CONFIG_MAPS, { metadata: { namespace, name: 'x' } });
      await assert.rejects(
        late,
        (error: unknown) => isForbidden(error) && error.causes[0]?.reason === 'NamespaceTerminating',
      );
    });

    test('the API server is known by the authority of the kubeconfig, and by no other', async (t) => {
      const over = (connection: Connection): Client => {
        const made = Client.create({ connection, metrics: createMetrics(new Registry()), userAgent: 'test/1' });
        t.after(() => made.close());
        return made;
      };
      const known = over(await connectionFromKubeconfig({ path: plane.kubeconfig, env: {} }));
      const namespace = await plane.namespace('known');
      await known.create(CONFIG_MAPS, { metadata: { namespace, name: 'x' } });
      assert.equal((await known.list(CONFIG_MAPS, { namespace })).items.length, 1);
      const strange = over(plainConnection(plane.url));
      await assert.rejects(strange.list(CONFIG_MAPS), TransportError);
    });
  });

  describe('deletion', () => {
    test('is bound to the object that was read: another one of the same name stays', async () => {
      const metadata = { namespace: await plane.namespace('delete'), name: 'x' };
      const first = await client.create(CONFIG_MAPS, { metadata });
      assert.equal(await client.delete(CONFIG_MAPS, metadata), true);
      const second = await client.create(CONFIG_MAPS, { metadata });
      await assert.rejects(client.delete(CONFIG_MAPS, metadata, { uid: first.metadata.uid }), isConflict);
      assert.equal((await client.get(CONFIG_MAPS, metadata)).metadata.uid, second.metadata.uid);
      assert.equal(await client.delete(CONFIG_MAPS, metadata, { uid: second.metadata.uid }), true);
      assert.equal(await client.delete(CONFIG_MAPS, metadata, { uid: second.metadata.uid }), false, 'none is there');
    });

    test('of an object that was changed since is refused, when bound to its version', async () => {
      const metadata = { namespace: await plane.namespace('delete'), name: 'x' };
      const { resourceVersion } = (await client.create(CONFIG_MAPS, { metadata })).metadata;
      await client.patch(CONFIG_MAPS, metadata, { patch: { data: { a: '1' } } });
      await assert.rejects(client.delete(CONFIG_MAPS, metadata, { resourceVersion }), isConflict);
    });

    test('waits for our finalizer, and we leave that of others alone', async () => {
      const metadata = { namespace: await plane.namespace('finalize'), name: 'campus', finalizers: [OTHERS_FINALIZER] };
      const made = await client.create(POOLS, { ...(whole(good()) as PoolObject), metadata });
      const held = await ensureFinalizer({ client, resource: POOLS, object: made }, FINALIZER);
      assert.deepEqual(held.metadata.finalizers, [OTHERS_FINALIZER, FINALIZER]);
      assert.equal(await ensureFinalizer({ client, resource: POOLS, object: held }, FINALIZER), held, 'once');
      await client.delete(POOLS, metadata);
      const going = await client.get(POOLS, metadata);
      assert.ok(isBeingDeleted(going));
      await assert.rejects(removeFinalizer({ client, resource: POOLS, object: held }, FINALIZER), isConflict);
      await removeFinalizer({ client, resource: POOLS, object: going }, FINALIZER);
      const last = await client.get(POOLS, metadata);
      assert.deepEqual(last.metadata.finalizers, [OTHERS_FINALIZER]);
      await removeFinalizer({ client, resource: POOLS, object: last }, OTHERS_FINALIZER);
      assert.equal(await client.find(POOLS, metadata), undefined);
      await removeFinalizer({ client, resource: POOLS, object: going }, FINALIZER);
    });
  });

  test('events are shown by kubectl get events and kubectl describe, counted up and beside their object', async () => {
    const namespace = await plane.namespace('events');
    const metadata = { namespace, name: 'campus' };
    const object = await client.create(POOLS, { ...(whole(good()) as PoolObject), metadata });
    const metrics = createMetrics(new Registry());
    const recorder = new EventRecorder({ client, component: 'kmspool-operator', instance: 'operator-0', metrics });
    const note = { object, type: 'Warning', reason: 'StaleRecord', message: 'remove lab.example by hand' } as const;
    recorder.event(note);
    recorder.event({ object, type: 'Normal', reason: 'Published', message: 'all name servers agree' });
    await waitFor('the first event', async () => (await listEvents(namespace)).length === 2);
    recorder.event(note);
    recorder.event(note);
    await recorder.stop();
    const lines = await listEvents(namespace);
    assert.deepEqual(lines.map((line) => line.trim().split(/ {2,}/).slice(1)).sort(), [
      ['Normal', 'Published', 'kmshostpool/campus', 'all name servers agree'],
      ['Warning', 'StaleRecord', 'kmshostpool/campus', 'remove lab.example by hand'],
    ]);
    const described = await plane.kubectl(['describe', '-n', namespace, 'khp/campus']);
    assert.match(
      described.stdout,
      /Warning +StaleRecord +\S+ \(x3 over \S+\) +kmspool-operator +remove lab.example by hand/,
    );
  });

  async function listEvents(namespace: string): Promise<string[]> {
    const { stdout } = await plane.kubectl(['get', 'events', '-n', namespace, '--no-headers']);
    return stdout.split('\n').filter((line) => line !== '');
  }

  describe('leader election', () => {
    /** Times in ms, but the lease's duration, which is in seconds: longer than a test waits, unless it says otherwise. */
    const QUICK = { leaseDurationSeconds: 60, renewDeadlineMs: 1_200, retryPeriodMs: 200 };

    interface Contender {
      readonly elector: LeaderElector;
      readonly terms: AbortSignal[];
      readonly end: Promise<TermEnd>;
      stop(): Promise<TermEnd>;
    }

    function contend(
      t: TestContext,
      options: Pick<LeaderOptions, 'namespace' | 'identity'> & Partial<LeaderOptions>,
    ): Contender {
      const metrics = createMetrics(new Registry());
      const elector = new LeaderElector({ client, leaseName: 'lock', metrics, ...QUICK, ...options });
      const terms: AbortSignal[] = [];
      const stopping = new AbortController();
      const end = elector.run(stopping.signal, async (term) => {
        terms.push(term);
      });
      const stop = (): Promise<TermEnd> => {
        stopping.abort(new Error('stop'));
        return end;
      };
      t.after(stop);
      return { elector, terms, end, stop };
    }

    test('of two contenders one leads; it releases the lease when it stops, and the other one need not wait for its end', async (t) => {
      const namespace = await plane.namespace('leader');
      const first = contend(t, { namespace, identity: 'first' });
      await waitFor('the first to lead', () => first.elector.isLeader());
      const second = contend(t, { namespace, identity: 'second' });
      await waitFor('the second to see it', () => second.elector.leader === 'first');
      assert.equal(second.elector.isLeader(), false);
      assert.equal(await first.stop(), 'stopped');
      await waitFor('the second to lead', () => second.elector.isLeader());
      const { stdout } = await plane.kubectl(['get', 'lease', '-n', namespace, 'lock', '--no-headers']);
      assert.match(stdout, /^lock +second +/);
      assert.equal(await second.stop(), 'stopped');
      const { spec } = await client.get(LEASES, { namespace, name: 'lock' });
      assert.deepEqual([spec?.holderIdentity, spec?.leaseTransitions], ['', 1]);
    });

    test('a leader that is cut off stops writing, and only then another one begins', async (t) => {
      const namespace = await plane.namespace('leader');
      const proxy = await startProxy(plane.port);
      t.after(() => proxy.stop());
      const cutOff = plane.client({ server: `https://127.0.0.1:${proxy.port}` });
      const first = contend(t, { namespace, identity: 'first', client: cutOff, leaseDurationSeconds: 2 });
      await waitFor('the first to lead', () => first.elector.isLeader());
      const writer = client.withGuard(first.elector.guard);
      const metadata = { namespace, name: 'x' };
      await writer.apply(CONFIG_MAPS, { metadata, data: { by: 'first' } }, { fieldManager: 'first' });
      const second = contend(t, { namespace, identity: 'second', leaseDurationSeconds: 2 });
      proxy.replyDelayMs = Number.POSITIVE_INFINITY;
      proxy.swallowingRequests = true;
      let both = false;
      await waitFor('the second to lead', () => {
        both ||= first.elector.isLeader() && second.elector.isLeader();
        return second.elector.isLeader();
      });
      assert.equal(both, false);
      assert.equal(await first.end, 'lost');
      assert.ok(first.terms[0]?.aborted);
      const late = writer.apply(CONFIG_MAPS, { metadata, data: { by: 'first, late' } }, { fieldManager: 'first' });
      await assert.rejects(late, NotLeaderError);
      assert.deepEqual(await data(namespace), { by: 'first' });
    });

    test('while the API server does not answer nobody leads; when it does again the leader goes on or another one does', async (t) => {
      const namespace = await plane.namespace('leader');
      const only = contend(t, { namespace, identity: 'only', leaseDurationSeconds: 2 });
      await waitFor('it to lead', () => only.elector.isLeader());
      plane.pauseApiServer();
      t.after(() => plane.resumeApiServer());
      assert.equal(await only.end, 'lost');
      assert.equal(only.elector.isLeader(), false);
      plane.resumeApiServer();
      const next = contend(t, { namespace, identity: 'next', leaseDurationSeconds: 2 });
      await waitFor('the next to lead', () => next.elector.isLeader());
    });
  });
});
