// SPDX-License-Identifier: Apache-2.0
/**
 * The operator with the rights of operator/rbac.ts: with exactly these it does everything that it can do, uses each of them, and can do no more. And what it
 * says when one is missing.
 */
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import type { KmsHostPoolInput } from '@kmspool/crds';
import { POOLS, type PoolObject, SECRETS } from '../../operator/pool/kinds.ts';
import { HOST_PROXY_RULES, leaseRules, POOL_RULES, type PolicyRule } from '../../operator/rbac.ts';
import { EVENTS } from '../../operator/runtime/index.ts';
import { type AuditLog, auditLog } from '../harness/kubernetes/audit.ts';
import { NAMESPACES } from '../harness/kubernetes/cluster-objects.ts';
import { type ControlPlane, type PlaneUser, startControlPlane } from '../harness/kubernetes/control-plane.ts';
import { type DnsMirror, startDnsMirror } from '../harness/kubernetes/dns-mirror.ts';
import {
  conditionText,
  endAll,
  grant,
  makePools,
  objectsIn,
  objectsOf,
  operatorUser,
  poolOf,
  poolsWhen,
} from '../harness/kubernetes/fleet.ts';
import { type NodePlayer, startNodePlayer } from '../harness/kubernetes/node-player.ts';
import { type OperatorProcess, startOperator } from '../harness/kubernetes/operator-process.ts';
import { missingControlPlane, missingTool } from '../harness/kubernetes/tools.ts';
import { type RedisServer, startRedis } from '../harness/redis.ts';
import { waitFor } from '../harness/wait.ts';

const LEASE = 'rbac';
const SKIP = missingControlPlane({ controllers: true }) || missingTool('redis-server');

describe('an operator with the rights that it needs', { skip: SKIP }, () => {
  const running: OperatorProcess[] = [];
  let audit: AuditLog;
  let plane: ControlPlane;
  let player: NodePlayer;
  let mirror: DnsMirror;
  let redis: RedisServer;

  before(async () => {
    audit = auditLog(['everything', 'roles', 'without']);
    plane = await startControlPlane({
      controllers: true,
      crds: ['KmsHostPool', 'DNSEndpoint'],
      apiServerFlags: [...audit.flags, '--enable-admission-plugins=OwnerReferencesPermissionEnforcement'],
    });
    player = await startNodePlayer({ client: plane.client(), strategy: () => ({ kind: 'stub' }) });
    mirror = await startDnsMirror({ client: plane.client() });
    redis = await startRedis({ config: ['requirepass secret'], password: 'secret' });
  });
  afterEach(async () => {
    await Promise.all(running.splice(0).map((operator) => operator.stop()));
  });
  after(() =>
    endAll(
      () => redis?.stop(),
      () => mirror?.stop(),
      () => player?.stop(),
      () => plane?.stop(),
      () => audit?.remove(),
    ),
  );

  async function start(user: PlaneUser, ...flags: string[]): Promise<OperatorProcess> {
    const args = [`--lease-name=${LEASE}`, '--host-access=Direct', ...flags];
    const operator = await startOperator({ kubeconfig: user.kubeconfig, args, awaitReady: false });
    running.push(operator);
    return operator;
  }

  /** A user with all rights but those that are left out. */
  async function userWithout(name: string, change: (rule: PolicyRule) => PolicyRule[]): Promise<PlaneUser> {
    const user = await plane.user(name);
    await grant(plane.client(), { user: name, rules: POOL_RULES.flatMap(change), name });
    await grant(plane.client(), { user: name, rules: leaseRules(name), namespace: 'default', name });
    return user;
  }

  const refused = (user: string) => audit.entries(user).filter(({ statusCode }) => statusCode === 403);

  /** A pool that uses everything: records, a Redis with a password, keys that leave with it. */
  function everything(namespace: string): KmsHostPoolInput['spec'] {
    return {
      ...(poolOf(namespace, 'all').spec as KmsHostPoolInput['spec']),
      store: { redis: { url: redis.url, credentialsSecretRef: { name: 'redis' } }, onDelete: 'Purge' },
      dns: {
        domains: [{ name: 'lab.test', ttlSeconds: 1 }],
        verifyNameservers: [mirror.nameserver],
        minChangeSeconds: 0,
      },
    };
  }

  test('makes, scales, heals, tells, and purges; no right is missing, and none is left over', async () => {
    const user = await operatorUser(plane, 'everything', LEASE);
    await start(user);
    const client = plane.client();
    const namespace = await plane.namespace('all');
    const ref = { namespace, name: 'all' };
    await client.create(SECRETS, {
      metadata: { namespace, name: 'redis' },
      data: { password: Buffer.from('secret').toString('base64') },
    });
    await client.create(POOLS, { metadata: ref, spec: everything(namespace) });
    const [pool] = await poolsWhen(client, namespace, { count: 1 });
    assert.deepEqual(await objectsIn(client, namespace), objectsOf(['all'], 2));
    assert.equal(mirror.lines('_vlmcs._tcp.lab.test', 'SRV').length, 2);
    await redis.client.set(`kmspool:{${pool?.status?.poolId}}:meta`, 'x');

    await client.patch(POOLS, ref, { patch: { spec: { replicas: 1 } } });
    await waitFor('the second host to go', async () => (await objectsIn(client, namespace)).length === 8, 30_000);
    await poolsWhen(client, namespace, { count: 1 });

    for (const storeState of ['Refusing', 'Available', 'Refusing', 'Available'] as const) {
      player.host(namespace, 'all-0').stub.set({ storeState });
      const wanted = storeState === 'Available' ? 'True/StoreReachable' : 'False/StoreLost';
      await poolsWhen(client, namespace, { count: 1, like: (one) => conditionText(one, 'StoreAvailable') === wanted });
    }
    const counted = async (): Promise<string[]> =>
      (await client.list(EVENTS, { namespace })).items
        .filter(({ involvedObject }) => involvedObject.kind === 'KmsHostPool')
        .map(({ reason, count }) => `${reason} ${count}`);
    await waitFor('events that are counted up', async () => (await counted()).includes('StoreRestored 2'), 30_000);

    await client.delete(POOLS, ref);
    await poolsWhen(client, namespace, { count: 0 });
    await waitFor('all to go', async () => (await objectsIn(client, namespace)).length === 0, 30_000);
    assert.deepEqual(await redis.client.keys('*'), []);
    assert.deepEqual(mirror.lines('_vlmcs._tcp.lab.test', 'SRV'), []);

    await running[0]?.stop();
    assert.deepEqual(refused('everything'), []);
    // Server-side apply of what is not there is a `patch` that the API server lets pass with the right to `create`.
    const used = new Set(
      audit
        .entries('everything')
        .flatMap(({ verb, resource, statusCode }) => [
          `${verb} ${resource}`,
          ...(verb === 'patch' && statusCode === 201 ? [`create ${resource}`] : []),
        ]),
    );
    const unused = rightsOf([...POOL_RULES, ...leaseRules(LEASE)]).filter((right) => !used.has(right));
    // No request of that kind is ever sent: an admission plugin looks whether it would be allowed.
    assert.deepEqual(unused, ['update kmshostpools.kmspool.io/finalizers']);
  });

  test('it can do no more: nothing of nodes, namespaces, roles, other kinds, other Leases; no Pod is made, no pool, no Secret changed', async () => {
    await operatorUser(plane, 'curious', LEASE);
    const client = plane.client();
    const may = async (attributes: object): Promise<boolean> => {
      const body = { spec: { user: 'curious', resourceAttributes: { namespace: 'default', ...attributes } } };
      const path = '/apis/authorization.k8s.io/v1/subjectaccessreviews';
      const { status } = await client.request<{ status: { allowed: boolean } }>({ method: 'POST', path, body });
      return status.allowed;
    };
    const lease = { group: 'coordination.k8s.io', resource: 'leases' };
    assert.equal(await may({ verb: 'update', ...lease, name: LEASE }), true, 'the question is understood');
    const more = [
      { verb: 'list', resource: 'nodes' },
      { verb: 'get', resource: 'namespaces', namespace: 'kube-system', name: 'kube-system' },
      { verb: 'list', resource: 'namespaces', namespace: '' },
      { verb: 'create', resource: 'pods' },
      { verb: 'delete', resource: 'pods' },
      { verb: 'create', resource: 'pods', subresource: 'exec' },
      { verb: 'get', resource: 'pods', subresource: 'log' },
      { verb: 'get', resource: 'pods', subresource: 'proxy' },
      { verb: 'update', resource: 'secrets' },
      { verb: 'patch', resource: 'secrets' },
      { verb: 'list', resource: 'events' },
      { verb: 'create', resource: 'serviceaccounts', subresource: 'token' },
      { verb: 'impersonate', resource: 'users' },
      { verb: 'list', group: 'apps', resource: 'statefulsets' },
      { verb: 'patch', group: 'apps', resource: 'deployments', subresource: 'scale' },
      { verb: 'create', group: 'kmspool.io', resource: 'kmshostpools' },
      { verb: 'delete', group: 'kmspool.io', resource: 'kmshostpools' },
      { verb: 'get', group: 'apiextensions.k8s.io', resource: 'customresourcedefinitions' },
      { verb: 'bind', group: 'rbac.authorization.k8s.io', resource: 'clusterroles' },
      { verb: 'escalate', group: 'rbac.authorization.k8s.io', resource: 'clusterroles' },
      { verb: 'update', ...lease, name: 'kube-scheduler' },
      { verb: 'delete', ...lease, name: LEASE },
      { verb: 'update', ...lease, name: LEASE, namespace: 'kube-system' },
    ];
    const allowed = await Promise.all(more.map(async (one) => ((await may(one)) ? [one] : [])));
    assert.deepEqual(allowed.flat(), []);
  });

  test('with --watch-namespace a Role is enough: pools there are looked after, pools elsewhere left alone', async () => {
    const client = plane.client();
    const [namespace, elsewhere] = [await plane.namespace('roles'), await plane.namespace('elsewhere')];
    const user = await plane.user('roles');
    const rules = [...POOL_RULES, ...leaseRules(LEASE)];
    await grant(client, { user: 'roles', rules, namespace, name: 'roles' });
    const theirs = await client.create(POOLS, poolOf(elsewhere, 'theirs'));
    const operator = await start(user, `--watch-namespace=${namespace}`, `--lease-namespace=${namespace}`);
    const names = await makePools(client, { namespace, count: 2, spec: { replicas: 1 } });
    await poolsWhen(client, namespace, { count: 2 });
    assert.deepEqual(await objectsIn(client, namespace), objectsOf(names, 1));
    assert.equal((await operator.http('/readyz')).status, 200);
    const [untouched] = await poolsWhen(client, elsewhere, { count: 1, like: () => true });
    assert.equal(untouched?.metadata.resourceVersion, theirs.metadata.resourceVersion);
    // It looks for external-dns everywhere, and lives without.
    assert.deepEqual(
      new Set(refused('roles').map(({ verb, resource, namespace: where }) => `${verb} ${resource} ${where}`)),
      new Set(['list deployments.apps ']),
    );
  });

  test('its own namespace is deleted, with it and with pools here and elsewhere: no finalizer is left to wait for', async () => {
    const client = plane.client();
    const [own, elsewhere] = [await plane.namespace('leaving'), await plane.namespace('staying')];
    const user = await operatorUser(plane, 'leaving', 'leaving');
    await grant(client, { user: 'leaving', rules: leaseRules('leaving'), namespace: own, name: 'leaving' });
    const operator = await start(user, '--lease-name=leaving', `--lease-namespace=${own}`);
    for (const namespace of [own, elsewhere]) {
      await makePools(client, { namespace, count: 1, spec: { replicas: 1 } });
      await poolsWhen(client, namespace, { count: 1 });
    }
    await client.delete(NAMESPACES, { name: own });
    // The kubelet would tell the Pod of the operator now.
    assert.equal(await operator.stop(), 0);
    const [staying] = await poolsWhen(client, elsewhere, { count: 1, like: () => true });
    assert.deepEqual(staying?.metadata.finalizers ?? [], []);
    const gone = async (): Promise<boolean> => (await client.find(NAMESPACES, { name: own })) === undefined;
    await waitFor('the namespace to be gone', gone, 60_000);
  });

  test('without the right to list a kind it is not ready, says which and why, and goes on once it may', async () => {
    const user = await userWithout('unlisted', without('services', ['list', 'watch']));
    const operator = await start(user, '--lease-name=unlisted');
    const problem = async (): Promise<string> => (await operator.http('/readyz').catch(() => undefined))?.body ?? '';
    await waitFor(
      'readyz to name what is left',
      async () => (await problem()).includes('not listed yet: services"'),
      20_000,
    );
    const line = operator
      .log()
      .find(({ msg, resource }) => /^this kind may not be read/.test(msg ?? '') && resource === 'services');
    assert.match(JSON.stringify(line), /services is forbidden: User .*unlisted.* cannot list resource/);
    await grant(plane.client(), { user: 'unlisted', rules: POOL_RULES, name: 'unlisted' });
    await waitFor('it to be ready', async () => (await operator.http('/readyz')).status === 200, 60_000);
  });

  const lacking = [
    {
      what: 'create Services',
      user: 'uncreating',
      left: without('services', ['create']),
      said: /^Service pool-0-0: .* cannot create resource/,
    },
    {
      what: 'set finalizers of pools, where owner references are enforced',
      user: 'unowning',
      left: without('kmshostpools/finalizers', ['update']),
      said: /cannot set blockOwnerDeletion/,
    },
  ];
  for (const { what, user: name, left, said } of lacking)
    test(`without the right to ${what} the pool is Stalled/Forbidden in the API server's words, and heals once it may`, async () => {
      const client = plane.client();
      const operator = await start(await userWithout(name, left), `--lease-name=${name}`);
      const namespace = await plane.namespace(name);
      await makePools(client, { namespace, count: 1, spec: { replicas: 1 } });
      const like = (pool: PoolObject): boolean => conditionText(pool, 'Stalled') === 'True/Forbidden';
      const [pool] = await poolsWhen(client, namespace, { count: 1, like });
      assert.match(pool?.status?.conditions?.find(({ type }) => type === 'Stalled')?.message ?? '', said);
      assert.equal(conditionText(pool as PoolObject, 'Reconciling'), 'False/Forbidden');
      await grant(client, { user: name, rules: POOL_RULES, name });
      await poolsWhen(client, namespace, { count: 1 });
      assert.equal(
        operator.log().some(({ msg }) => msg === 'failed'),
        false,
      );
    });

  test('without the right to read its Lease it says so in the log and does nothing', async () => {
    const user = await plane.user('leaseless');
    await grant(plane.client(), { user: 'leaseless', rules: POOL_RULES, name: 'leaseless' });
    const namespace = await plane.namespace('leaseless');
    const made = await plane.client().create(POOLS, poolOf(namespace, 'campus'));
    const operator = await start(user, '--lease-name=leaseless');
    const told = () => operator.log().filter(({ msg }) => msg === 'cannot get or renew the lease');
    await waitFor('a line in the log', () => told().length > 0, 20_000);
    assert.match(JSON.stringify(told()), /leases.*leaseless.* is forbidden: User/);
    const [pool] = await poolsWhen(plane.client(), namespace, { count: 1, like: () => true });
    assert.equal(pool?.metadata.resourceVersion, made.metadata.resourceVersion);
  });

  test('without the right to write events all is done, and nothing is told', async () => {
    const client = plane.client();
    const operator = await start(
      await userWithout('mute', without('events', ['create', 'patch'])),
      '--lease-name=mute',
    );
    const namespace = await plane.namespace('mute');
    await makePools(client, { namespace, count: 1, spec: { replicas: 1 } });
    await poolsWhen(client, namespace, { count: 1 });
    const told = (await client.list(EVENTS, { namespace })).items.filter(
      ({ source }) => source.component === 'kmspool-operator',
    );
    assert.deepEqual(told, []);
    assert.match((await operator.http('/metrics')).body, /^\w+\{why="refused"\} [1-9]/m);
  });

  test('hosts are asked through the API server only with the right to pods/proxy, and the condition says that it is missing', async () => {
    const client = plane.client();
    await start(await userWithout('proxy', (rule) => [rule]), '--lease-name=proxy', '--host-access=Proxy');
    const namespace = await plane.namespace('proxy');
    await makePools(client, { namespace, count: 1, spec: { replicas: 1 } });
    const saying =
      (words: RegExp) =>
      (pool: PoolObject): boolean =>
        words.test(pool.status?.conditions?.find(({ type }) => type === 'Ready')?.message ?? '');
    await poolsWhen(client, namespace, { count: 1, like: saying(/cannot get resource "pods\/proxy"/) });
    await grant(client, { user: 'proxy', rules: [...POOL_RULES, ...HOST_PROXY_RULES], name: 'proxy' });
    // A Pod of this test has a loopback address, to which no API server connects: it was allowed, and refused for that.
    await poolsWhen(client, namespace, { count: 1, like: saying(/127\.\d+\.\d+\.\d+.*(loopback|not allowed)/) });
  });
});

/** Takes verbs of one resource away. */
function without(resource: string, verbs: readonly string[]): (rule: PolicyRule) => PolicyRule[] {
  return (rule) => {
    const { resources } = rule;
    if (!resources.includes(resource)) return [rule];
    const others = { ...rule, resources: resources.filter((one) => one !== resource) };
    const left = { ...rule, resources: [resource], verbs: rule.verbs.filter((verb) => !verbs.includes(verb)) };
    return [others, left].filter((one) => one.resources.length > 0 && one.verbs.length > 0);
  };
}

/** `verb resource.group` of each right. */
function rightsOf(rules: readonly PolicyRule[]): string[] {
  return rules.flatMap(({ apiGroups, resources, verbs }) =>
    verbs.flatMap((verb) => resources.map((resource) => `${verb} ${qualified(resource, apiGroups[0] ?? '')}`)),
  );
}

function qualified(resource: string, group: string): string {
  if (group === '') return resource;
  const [plural, subresource] = resource.split('/');
  return subresource === undefined ? `${plural}.${group}` : `${plural}.${group}/${subresource}`;
}
