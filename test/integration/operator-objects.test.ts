// SPDX-License-Identifier: Apache-2.0

// What the operator does about objects that are not as it wants them: it puts back what is its own, leaves alone what is not, and says what it cannot do.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { ANNOTATIONS, LABELS } from '@kmspool/crds';
import {
  CONFIG_MAPS,
  type ConfigMap,
  DEPLOYMENTS,
  type Deployment,
  DISRUPTION_BUDGETS,
  DNS_ENDPOINTS,
  NETWORK_POLICIES,
  SECRETS,
  SERVICE_ACCOUNTS,
  SERVICES,
} from '../../operator/pool/kinds.ts';
import type { KubernetesObject, Resource } from '../../operator/runtime/index.ts';
import { assertHonest, domainOf, type Scene, startScene } from '../harness/kubernetes/operator-scene.ts';
import type { TestPool } from '../harness/kubernetes/pools.ts';
import { missingControlPlane } from '../harness/kubernetes/tools.ts';
import { waitFor } from '../harness/wait.ts';

/** An object without what its controllers and the API server's bookkeeping write. */
function bare(object: KubernetesObject): unknown {
  const { resourceVersion: _, generation: __, managedFields, ...metadata } = object.metadata;
  const managers = (managedFields as { manager: string; subresource?: string }[] | undefined)
    ?.filter(({ subresource }) => subresource === undefined)
    .map(({ manager }) => manager);
  const { status: ___, ...rest } = object as KubernetesObject & { status?: unknown };
  const { 'deployment.kubernetes.io/revision': ____, ...annotations } = metadata.annotations ?? {};
  return JSON.parse(JSON.stringify({ ...rest, metadata: { ...metadata, annotations, managers } }));
}

/** One way to spoil an object of a pool. */
interface Spoiling {
  readonly what: string;
  readonly resource: Resource;
  readonly name: string;
  /** A JSON merge patch; undefined: it is deleted. */
  readonly patch?: object;
  /** Another Pod comes of it. */
  readonly rolls?: boolean;
}

const FIRST = 'campus-0';
const unlabelled = { metadata: { labels: { [LABELS.managedBy]: null } } };
const stranger = { metadata: { labels: { [LABELS.pool]: 'another' } } };
const container = (changes: object) => ({
  spec: { template: { spec: { containers: [{ name: 'host', ...changes }] } } },
});

const SPOILINGS: readonly Spoiling[] = [
  { what: 'image', resource: DEPLOYMENTS, name: FIRST, patch: container({ image: 'evil/host:1' }), rolls: true },
  { what: 'replicas', resource: DEPLOYMENTS, name: FIRST, patch: { spec: { replicas: 0 } }, rolls: true },
  {
    what: 'strategy',
    resource: DEPLOYMENTS,
    name: FIRST,
    patch: { spec: { strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } } } },
  },
  { what: 'label', resource: DEPLOYMENTS, name: FIRST, patch: unlabelled },
  { what: 'pool label', resource: DEPLOYMENTS, name: FIRST, patch: stranger },
  { what: 'deletion', resource: DEPLOYMENTS, name: FIRST, rolls: true },
  {
    what: 'port',
    resource: SERVICES,
    name: FIRST,
    patch: { spec: { ports: [{ name: 'kms', port: 1999, protocol: 'TCP', targetPort: 'kms' }] } },
  },
  { what: 'selector', resource: SERVICES, name: FIRST, patch: { spec: { selector: { [LABELS.pool]: 'another' } } } },
  { what: 'label', resource: SERVICES, name: FIRST, patch: unlabelled },
  { what: 'deletion', resource: SERVICES, name: FIRST },
  { what: 'data', resource: CONFIG_MAPS, name: FIRST, patch: { data: { 'host.json': '{}' } } },
  { what: 'label', resource: CONFIG_MAPS, name: FIRST, patch: unlabelled },
  { what: 'deletion', resource: CONFIG_MAPS, name: FIRST },
  { what: 'bound', resource: DISRUPTION_BUDGETS, name: 'campus', patch: { spec: { maxUnavailable: 2 } } },
  { what: 'deletion', resource: DISRUPTION_BUDGETS, name: 'campus' },
  { what: 'rules', resource: NETWORK_POLICIES, name: 'campus', patch: { spec: { ingress: [{}] } } },
  { what: 'label', resource: NETWORK_POLICIES, name: 'campus', patch: stranger },
  { what: 'deletion', resource: NETWORK_POLICIES, name: 'campus' },
  { what: 'token', resource: SERVICE_ACCOUNTS, name: 'campus', patch: { automountServiceAccountToken: true } },
  { what: 'deletion', resource: SERVICE_ACCOUNTS, name: 'campus' },
  { what: 'records', resource: DNS_ENDPOINTS, name: 'campus', patch: { spec: { endpoints: [] } } },
  { what: 'label', resource: DNS_ENDPOINTS, name: 'campus', patch: unlabelled },
  { what: 'deletion', resource: DNS_ENDPOINTS, name: 'campus' },
];

/** A foreign object for every kind that a pool `<kind>` of one host needs. */
const FOREIGN: Readonly<Record<string, { readonly resource: Resource; readonly name: string; readonly body: object }>> =
  {
    service: { resource: SERVICES, name: 'service-0', body: { spec: { ports: [{ port: 80 }] } } },
    deployment: { resource: DEPLOYMENTS, name: 'deployment-0', body: { spec: deploymentSpec() } },
    configmap: { resource: CONFIG_MAPS, name: 'configmap-0', body: { data: { mine: 'yes' } } },
    account: { resource: SERVICE_ACCOUNTS, name: 'account', body: {} },
    budget: { resource: DISRUPTION_BUDGETS, name: 'budget', body: { spec: { minAvailable: 1, selector: {} } } },
    policy: { resource: NETWORK_POLICIES, name: 'policy', body: { spec: { podSelector: {} } } },
    records: { resource: DNS_ENDPOINTS, name: 'records', body: { spec: { endpoints: [] } } },
    token: { resource: SECRETS, name: 'token-admin', body: { data: { password: 'bWluZQ==' } } },
  };

function deploymentSpec(): object {
  const labels = { app: 'mine' };
  const template = { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'mine:1' }] } };
  return { replicas: 0, selector: { matchLabels: labels }, template };
}

describe('objects that are not as they should be', { skip: missingControlPlane({ controllers: true }) }, () => {
  let scene: Scene;

  before(async () => {
    scene = await startScene();
  });
  after(() => scene?.stop());

  /** Makes the operator look at a pool, and answers what it wrote then beside what it was made to put back. */
  const look = async ({ namespace, name }: TestPool): Promise<string[]> => {
    const before = scene.writes(namespace).length;
    const annotations = { 'test/look': String(before) };
    await scene.client.patch(DEPLOYMENTS, { namespace, name: FIRST }, { patch: { metadata: { annotations } } });
    await scene.client.patch(DISRUPTION_BUDGETS, { namespace, name }, { patch: { spec: { maxUnavailable: 2 } } });
    await waitFor('the bound to be put back', async () => {
      const { spec } = await scene.client.get(DISRUPTION_BUDGETS, { namespace, name });
      return spec?.['maxUnavailable'] === 1;
    });
    const written = (): string[] =>
      scene
        .writes(namespace)
        .slice(before)
        .map((entry) => `${entry.verb} ${entry.resource} ${entry.name}`);
    const expected = (): number => written().indexOf('patch poddisruptionbudgets.policy campus');
    // The audit log may tell of a write a moment after the API server has answered it.
    await waitFor('the write to be in the log', async () => expected() >= 0, 30_000);
    return written().toSpliced(expected(), 1);
  };

  /** Holds that the operator, when it looks at the pool again and again, comes to write nothing. */
  const assertQuiet = async (pool: TestPool): Promise<void> => {
    let quietLooks = 0;
    let written: string[] = [];
    await waitFor(
      'three looks in a row without a write',
      async () => {
        written = await look(pool);
        quietLooks = written.length === 0 ? quietLooks + 1 : 0;
        return quietLooks === 3;
      },
      90_000,
    ).catch((error: unknown) => assert.fail(`${error}; last ${written.join(', ')}\n${scene.storyOf(pool)}`));
  };

  describe('side by side', { concurrency: 4 }, () => {
    it("a name that is taken: somebody else's object is not touched, the pool says so, and heals by itself when it is gone", async () => {
      const namespace = await scene.namespace('clash');
      const pools = new Map<string, TestPool>();
      const found = new Map<string, unknown>();
      for (const [kind, { resource, name, body }] of Object.entries(FOREIGN)) {
        const object = { metadata: { namespace, name, labels: { mine: 'yes' } }, ...body };
        found.set(kind, bare(await scene.client.create(resource, object)));
        const pool = scene.poolIn(namespace, kind);
        pools.set(kind, pool);
        const domains = [{ name: `${kind}.${domainOf(namespace)}`, ttlSeconds: 1 }];
        await pool.create(scene.spec(namespace, { replicas: 1, dns: { domains } }));
      }
      for (const [kind, { resource, name }] of Object.entries(FOREIGN)) {
        const pool = pools.get(kind) ?? assert.fail();
        await pool.conditions({ Stalled: 'True NameTaken', Ready: 'False NameTaken', Reconciling: 'False NameTaken' });
        const { message, type } = await pool.event('NameTaken');
        assert.equal(type, 'Warning');
        assert.match(message, new RegExp(`${resource.kind} ${namespace}/${name} `));
        assert.deepEqual(bare(await scene.client.get(resource, { namespace, name })), found.get(kind), kind);
      }
      const freed = performance.now();
      for (const [kind, { resource, name }] of Object.entries(FOREIGN))
        if (kind !== 'token') await scene.client.delete(resource, { namespace, name });
      const data = { token: Buffer.from('a token that is long enough').toString('base64') };
      await scene.client.patch(SECRETS, { namespace, name: 'token-admin' }, { patch: { data } });
      for (const pool of pools.values()) await pool.settled(60_000 - (performance.now() - freed));
      const admin = await scene.client.get(SECRETS, { namespace, name: 'token-admin' });
      assert.deepEqual(admin.data, { ...data, password: 'bWluZQ==' }, "the user's Secret is only read");
      for (const pool of pools.values()) assert.equal(await pool.told('NameTaken'), 1);
    });

    it('every field of ours that somebody changes is put back, every object that somebody deletes is made again, and then it is quiet', async () => {
      const pool = await scene.pool('drift', { replicas: 2 });
      await pool.settled();
      const { namespace } = pool;
      for (const { what, resource, name, patch, rolls = false } of SPOILINGS) {
        const ref = { namespace, name };
        const wanted = bare(await scene.client.get(resource, ref));
        if (patch === undefined) await scene.client.delete(resource, ref);
        else await scene.client.patch(resource, ref, { patch });
        const comparable = (object: KubernetesObject): string => withoutTraces(bare(object));
        await waitFor(`${resource.kind} ${what}`, async () => {
          const found = await scene.client.find(resource, ref);
          return found !== undefined && comparable(found) === withoutTraces(wanted);
        }).catch(async (error: unknown) => {
          const found = await scene.client.find(resource, ref);
          assert.deepEqual(found && JSON.parse(comparable(found)), JSON.parse(withoutTraces(wanted)), String(error));
        });
        if (rolls) await pool.settled();
      }
      await pool.settled();
      await assertQuiet(pool);
    });

    it('what others add to our objects stays: annotations, labels, finalizers, keys and fields that are not ours', async () => {
      const pool = await scene.pool('foreign', { replicas: 1 });
      await pool.settled();
      const { namespace } = pool;
      const metadata = { annotations: { 'theirs/a': '1' }, labels: { theirs: 'l' }, finalizers: ['theirs.test/f'] };
      const first = { namespace, name: FIRST };
      await scene.client.patch(DEPLOYMENTS, first, { patch: { metadata, spec: { minReadySeconds: 1 } } });
      await scene.client.patch(CONFIG_MAPS, first, { patch: { metadata, data: { 'theirs.txt': 'x' } } });
      await scene.client.patch(SERVICES, first, { patch: { metadata, spec: { sessionAffinity: 'ClientIP' } } });
      const labels = { theirs: 'too' };
      await scene.client.patch(DNS_ENDPOINTS, pool.ref, { patch: { metadata: { labels } } });
      // Ours beside it is put back, and theirs must survive that.
      await scene.client.patch(DEPLOYMENTS, first, { patch: { spec: { replicas: 0 } } });
      await scene.client.patch(CONFIG_MAPS, first, { patch: { data: { 'host.json': '{}' } } });
      const read = async (): Promise<[Deployment, ConfigMap]> => [
        await scene.client.get(DEPLOYMENTS, first),
        await scene.client.get(CONFIG_MAPS, first),
      ];
      await waitFor('what is ours', async () => {
        const [deployment, configMap] = await read();
        return deployment.spec?.replicas === 1 && configMap.data?.['host.json'] !== '{}';
      });
      await pool.settled();
      await assertQuiet(pool);
      const [deployment, configMap] = await read();
      const service = await scene.client.get(SERVICES, first);
      for (const { metadata: found } of [deployment, configMap, service]) {
        assert.deepEqual([found.annotations?.['theirs/a'], found.labels?.['theirs']], ['1', 'l']);
        assert.deepEqual(found.finalizers, ['theirs.test/f']);
      }
      const { minReadySeconds } = deployment.spec ?? {};
      assert.deepEqual([minReadySeconds, configMap.data?.['theirs.txt']], [1, 'x']);
      assert.equal(service.spec?.['sessionAffinity'], 'ClientIP');
      assert.equal((await pool.dnsEndpoint())?.metadata.labels?.['theirs'], 'too');
    });

    it('a spec that makes no sense is refused at once, in words that say what to do', async () => {
      const namespace = await scene.namespace('refused');
      const apply = async (spec: object, name = 'campus'): Promise<string> => {
        const manifest = {
          apiVersion: 'kmspool.io/v1alpha1',
          kind: 'KmsHostPool',
          metadata: { name, namespace },
          spec,
        };
        const { code, stderr } = await scene.plane.kubectl(['apply', '-f', '-'], { input: JSON.stringify(manifest) });
        assert.equal(code, 1, stderr);
        return stderr;
      };
      const hostKeys = [{ product: 'WindowsServer2025' }];
      assert.match(
        await apply({ replicas: 3, hostKeys }),
        /more than one host needs a shared count: add spec\.store\.redis, or set spec\.replicas to 1/,
      );
      assert.match(await apply({ replicas: 1, hostKeys, port: 8080 }), /port 8080 is taken by the HTTP interface/);
      assert.match(
        await apply({ replicas: 1, hostKeys: [{ product: 'Windows95' }] }),
        /Unsupported value: "Windows95"/,
      );
      assert.match(await apply({ replicas: 1, hostKeys, replcas: 2 }), /unknown field "spec\.replcas"/);
      assert.match(await apply({ replicas: 1, hostKeys }, `a${'b'.repeat(50)}`), /at most 40 characters/);
      assert.equal((await scene.kubectl('get', 'khp', '-n', namespace, '-o', 'name')).trim(), '');
    });

    it('what only the API server can judge, under spec.pod, stalls the pool with its words, leaves the hosts alone, and heals when it is mended', async () => {
      const pool = await scene.pool('nonsense', { replicas: 2 });
      await pool.settled();
      const uids = (await pool.pods()).map(({ metadata }) => metadata.uid).sort();
      const nonsense: readonly (readonly [object, RegExp])[] = [
        [
          { resources: { limits: { memory: 'lots' } } },
          /Deployment campus-1: spec\.template\.spec\.containers\[host\]\.resources\.limits\.memory: .* wanted lots: .*quantities must match/,
        ],
        [
          { tolerations: [{ operator: 'Sometimes' }] },
          /Deployment campus-1: .*spec\.template\.spec\.tolerations\[0\]\.operator: Unsupported value: "Sometimes"/,
        ],
        [
          { affinity: { nodeAffinity: { fieldOfTomorrow: 1 } } },
          /Deployment campus-1: \.spec\.template\.spec\.affinity\.nodeAffinity\.fieldOfTomorrow: field not declared in schema/,
        ],
      ];
      for (const [index, [pod, words]] of nonsense.entries()) {
        await pool.change({ pod });
        await pool.conditions({ Stalled: 'True InvalidSpec', Ready: 'False InvalidSpec' });
        const { message } = await pool.event('InvalidSpec', index + 1);
        assert.match(message, words);
        assert.match(message, /Correct the spec\./);
        assert.deepEqual((await pool.pods()).map(({ metadata }) => metadata.uid).sort(), uids, 'the hosts run on');
        await pool.change({ pod: null });
        await pool.settled();
      }
      assert.deepEqual((await pool.pods()).map(({ metadata }) => metadata.uid).sort(), uids);
      await pool.change({ pod: { resources: { limits: { memory: '256Mi' } } } });
      await pool.settled();
      await assertQuiet(pool);
    });
  });

  it('at no moment did a status claim more than was so, by the rules of kstatus', () => {
    assertHonest(scene.poolVersions);
  });
});

/** What differs without anybody having done anything: identity, times, generated addresses. */
function withoutTraces(value: unknown): string {
  const object = structuredClone(value) as {
    metadata: Record<string, unknown>;
    spec?: Record<string, unknown>;
  };
  for (const field of ['uid', 'creationTimestamp', 'managers']) delete object.metadata[field];
  const annotations = object.metadata['annotations'] as Record<string, string> | undefined;
  // The time is in the hash.
  if (annotations?.[ANNOTATIONS.changedAt] !== undefined)
    for (const name of [ANNOTATIONS.changedAt, ANNOTATIONS.appliedHash]) delete annotations[name];
  for (const field of ['clusterIP', 'clusterIPs']) delete object.spec?.[field];
  const endpoints = object.spec?.['endpoints'] as { recordType: string; targets?: unknown }[] | undefined;
  for (const endpoint of endpoints ?? []) if (endpoint.recordType !== 'SRV') delete endpoint.targets;
  return JSON.stringify(sortedKeys(object));
}

function sortedKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortedKeys);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, member]) => [key, sortedKeys(member)]),
  );
}
