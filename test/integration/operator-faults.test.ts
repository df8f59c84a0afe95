// SPDX-License-Identifier: Apache-2.0
/**
 * The operator while the way to the API server is bad: writes refused, lost or answered by nobody, the server killed, its history forgotten, watches that
 * die without a word. What counts is the world at the end: all of it there, once, and hosts and records that felt nothing.
 */
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import {
  CONFIG_MAPS,
  DISRUPTION_BUDGETS,
  DNS_ENDPOINTS,
  NETWORK_POLICIES,
  PODS,
  POOLS,
} from '../../operator/pool/kinds.ts';
import { EVENTS, type ObjectRef } from '../../operator/runtime/index.ts';
import { type AuditLog, auditLog, createdTwice } from '../harness/kubernetes/audit.ts';
import { type ControlPlane, type PlaneUser, startControlPlane } from '../harness/kubernetes/control-plane.ts';
import { type DnsMirror, startDnsMirror } from '../harness/kubernetes/dns-mirror.ts';
import { type Fault, kubeconfigThrough, startFaultProxy } from '../harness/kubernetes/fault-proxy.ts';
import {
  endAll,
  keysIn,
  makePools,
  objectsIn,
  objectsOf,
  operatorAs,
  operatorUser,
  poolOf,
  poolsWhen,
} from '../harness/kubernetes/fleet.ts';
import { type NodePlayer, startNodePlayer } from '../harness/kubernetes/node-player.ts';
import type { OperatorProcess } from '../harness/kubernetes/operator-process.ts';
import { missingControlPlane } from '../harness/kubernetes/tools.ts';
import { startProxy } from '../harness/proxy.ts';
import { waitFor } from '../harness/wait.ts';

/** So that an outage that a test makes does not end the process; how a lease is lost has a file of its own. */
const PATIENT_LEASE = ['--lease-duration-seconds=90', '--lease-renew-deadline-seconds=80'];

/** One after another, on every fifth write. */
const FAULTS: readonly Fault[] = [
  { kind: 'refuse', statusCode: 409, reason: 'Conflict' },
  { kind: 'cutAfter' },
  { kind: 'refuse', statusCode: 429, reason: 'TooManyRequests', retryAfterSeconds: 1 },
  { kind: 'refuse', statusCode: 500, reason: 'InternalError' },
  { kind: 'cutBefore' },
];

describe('an operator with a bad way to its API server', { skip: missingControlPlane({ controllers: true }) }, () => {
  const running: OperatorProcess[] = [];
  const ends: (() => Promise<void>)[] = [];
  let audit: AuditLog;
  let plane: ControlPlane;
  let player: NodePlayer;
  let mirror: DnsMirror;

  before(async () => {
    audit = auditLog(['refused', 'away', 'silent']);
    plane = await startControlPlane({
      controllers: true,
      crds: ['KmsHostPool', 'DNSEndpoint'],
      apiServerFlags: audit.flags,
    });
    player = await startNodePlayer({ client: plane.client(), strategy: () => ({ kind: 'stub' }) });
    mirror = await startDnsMirror({ client: plane.client() });
  });
  afterEach(async () => {
    await Promise.all(running.splice(0).map((operator) => operator.kill()));
    await endAll(...ends.splice(0));
  });
  after(() =>
    endAll(
      () => mirror?.stop(),
      () => player?.stop(),
      () => plane?.stop(),
      () => audit?.remove(),
    ),
  );

  const userOf = (name: string): Promise<PlaneUser> => operatorUser(plane, name, name);

  async function start(name: string, kubeconfig: string, ...flags: string[]): Promise<OperatorProcess> {
    const operator = await operatorAs({ name, kubeconfig }, `--lease-name=${name}`, ...PATIENT_LEASE, ...flags);
    running.push(operator);
    return operator;
  }

  const metric = async (operator: OperatorProcess, name: string, labels: RegExp): Promise<number> => {
    const lines = (await operator.http('/metrics')).body.split('\n');
    return lines
      .filter((line) => line.startsWith(`${name}{`) && labels.test(line))
      .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
  };

  test('a fifth of all writes is refused with 409, 429, 500, or cut before or after it is done: pools are made, changed and deleted all the same', async () => {
    const client = plane.client();
    const user = await userOf('refused');
    const proxy = await startFaultProxy(plane, user);
    ends.push(() => proxy.stop());
    let writes = 0;
    proxy.choose(({ isWrite }) => (isWrite && ++writes % 5 === 0 ? FAULTS[(writes / 5) % FAULTS.length] : undefined));
    const operator = await start('refused', proxy.kubeconfig);
    const namespace = await plane.namespace('refused');
    const names = await makePools(client, { namespace, count: 6, spec: { replicas: 1 } });
    const pools = await poolsWhen(client, namespace, { count: 6 });
    assert.deepEqual(await objectsIn(client, namespace), objectsOf(names, 1));
    const keys = await keysIn(client, namespace);

    const [deleted = [], kept = []] = [names.slice(0, 2), names.slice(2)];
    for (const name of deleted) await client.delete(POOLS, { namespace, name });
    for (const name of kept)
      await client.patch(POOLS, { namespace, name }, { patch: { spec: { replicas: 2, port: 1700 } } });
    await poolsWhen(client, namespace, { count: 4 });
    for (const name of kept.slice(2))
      await client.patch(POOLS, { namespace, name }, { patch: { spec: { replicas: 1 } } });
    const wanted = [
      ...objectsOf(kept.slice(0, 2), 2),
      ...objectsOf(kept.slice(2), 1),
      ...deleted.map((name) => `Secret ${name}-key`),
    ].sort();
    const isAsWanted = async (): Promise<boolean> => String(await objectsIn(client, namespace)) === String(wanted);
    await waitFor('the objects to be as wanted', isAsWanted, 60_000).catch(async () => {
      assert.deepEqual(await objectsIn(client, namespace), wanted);
    });
    await poolsWhen(client, namespace, { count: 4 });

    const now = await keysIn(client, namespace);
    for (const name of kept) assert.equal(now[`${name}-key`], keys[`${name}-key`]);
    assert.deepEqual(createdTwice(audit.entries('refused')), []);
    const told = (await client.list(EVENTS, { namespace })).items.filter(({ reason }) => reason === 'KeyCreated');
    const tellers = told.map(({ involvedObject, count }) => `${involvedObject.name} ${count}`);
    assert.deepEqual(tellers.length, new Set(tellers).size, 'no key is told of twice');
    assert.ok(told.every(({ count }) => count === 1));
    assert.equal(pools.length, 6);
    assert.deepEqual([...proxy.struck.keys()].sort(), [
      '409 Conflict',
      '429 TooManyRequests',
      '500 InternalError',
      'cutAfter',
      'cutBefore',
    ]);
    assert.equal(await operator.stop(), 0);
  });

  /** What must not change while nobody wants a change. */
  async function felt(namespace: string): Promise<object> {
    const client = plane.client();
    const { items: pods } = await client.list(PODS, { namespace });
    const { items: endpoints } = await client.list(DNS_ENDPOINTS, { namespace });
    return {
      pods: pods.map(({ metadata }) => metadata.uid).sort(),
      records: endpoints.map(({ metadata, spec }) => [metadata.generation, spec]),
      shown: mirror.lines('_vlmcs._tcp.lab.test', 'SRV'),
    };
  }

  test('away, with drift, a killed API server and a forgotten history (410): what drifted is put back, and neither hosts nor records feel it', async () => {
    const client = plane.client();
    const user = await userOf('away');
    const proxy = await startProxy(plane.port);
    ends.push(() => proxy.stop());
    const operator = await start('away', kubeconfigThrough(user, `https://127.0.0.1:${proxy.port}`));
    const namespace = await plane.namespace('away');
    const ref: ObjectRef = { namespace, name: 'campus' };
    const dns = { domains: [{ name: 'lab.test', ttlSeconds: 1 }], verifyNameservers: [mirror.nameserver] };
    await client.create(POOLS, poolOf(namespace, 'campus', { dns }));
    await poolsWhen(client, namespace, { count: 1 });
    const before = await felt(namespace);

    proxy.refusing = true;
    proxy.cut();
    const policy = await client.get(NETWORK_POLICIES, ref);
    await client.delete(DISRUPTION_BUDGETS, ref);
    await client.patch(NETWORK_POLICIES, ref, { patch: { spec: { ingress: [] } } });
    await client.patch(CONFIG_MAPS, { namespace, name: 'campus-1' }, { patch: { data: { 'host.json': '{}' } } });
    await client.patch(POOLS, ref, { patch: { spec: { activationIntervalMinutes: 60 } } });
    await plane.compactEtcd();
    await plane.killApiServer();
    await plane.startApiServer();
    proxy.refusing = false;

    await poolsWhen(client, namespace, { count: 1 });
    // Each kind is listed again in its own time; the pool's own is only the first.
    await waitFor(
      'the drift to be put back',
      async () =>
        isDeepStrictEqual((await client.get(NETWORK_POLICIES, ref)).spec, policy.spec) &&
        String(await objectsIn(client, namespace)) === String(objectsOf(['campus'], 2)),
      30_000,
    );
    for (const host of ['campus-0', 'campus-1']) {
      const { data } = await client.get(CONFIG_MAPS, { namespace, name: host });
      assert.equal(JSON.parse(data?.['host.json'] ?? '{}').activationIntervalMinutes, 60, host);
    }
    assert.deepEqual(await felt(namespace), before);
    assert.ok((await metric(operator, 'reflector_watch_failures_total', /reason="gone"/)) > 0);
    assert.ok((await metric(operator, 'reflector_missed_events_total', /./)) > 0);
    assert.equal(await operator.stop(), 0);
  });

  test('its watches die without a word: after the silence it begins them anew, and finds what changed meanwhile', async () => {
    const client = plane.client();
    const user = await userOf('silent');
    const proxy = await startProxy(plane.port);
    ends.push(() => proxy.stop());
    const kubeconfig = kubeconfigThrough(user, `https://127.0.0.1:${proxy.port}`);
    const operator = await start('silent', kubeconfig, '--watch-silence-seconds=4');
    const namespace = await plane.namespace('silent');
    await makePools(client, { namespace, count: 2, prefix: 'old', spec: { replicas: 1 } });
    await poolsWhen(client, namespace, { count: 2 });
    proxy.mute();
    const silent = await metric(operator, 'reflector_watch_failures_total', /reason="silence"/);
    await client.delete(DISRUPTION_BUDGETS, { namespace, name: 'old-0' });
    await client.patch(POOLS, { namespace, name: 'old-1' }, { patch: { spec: { replicas: 2 } } });
    await client.create(POOLS, poolOf(namespace, 'new-0', { replicas: 1 }));
    await poolsWhen(client, namespace, { count: 3, timeoutMs: 90_000 });
    const wanted = [...objectsOf(['old-0', 'new-0'], 1), ...objectsOf(['old-1'], 2)].sort();
    await waitFor('the budget', async () => String(await objectsIn(client, namespace)) === String(wanted), 30_000);
    assert.ok((await metric(operator, 'reflector_watch_failures_total', /reason="silence"/)) > silent);
    assert.equal(await operator.stop(), 0);
  });
});
