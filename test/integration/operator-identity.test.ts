// SPDX-License-Identifier: Apache-2.0

// Whose pool is it, and where may it be found: keys, domains, publishers, counts. And a restart of the operator, which changes nothing of all that.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { derivePoolKeys, poolIdText } from '@kmspool/kms/wire';
import {
  CONFIG_MAPS,
  DEPLOYMENTS,
  DISRUPTION_BUDGETS,
  DNS_ENDPOINTS,
  NETWORK_POLICIES,
  PODS,
  POOLS,
  type PoolObject,
  SECRETS,
  SERVICE_ACCOUNTS,
  SERVICES,
  type Secret,
} from '../../operator/pool/kinds.ts';
import type { KubernetesObject, Resource } from '../../operator/runtime/index.ts';
import { countsOf } from '../harness/kubernetes/node-player.ts';
import { assertHonest, domainOf, type Scene, startScene } from '../harness/kubernetes/operator-scene.ts';
import { conditionOf, type TestPool } from '../harness/kubernetes/pools.ts';
import { missingControlPlane } from '../harness/kubernetes/tools.ts';
import { waitFor } from '../harness/wait.ts';

const poolIdOf = (key: Buffer): string => poolIdText(derivePoolKeys(key).poolId);
const uidsOf = async (pool: TestPool): Promise<unknown[]> =>
  (await pool.pods()).map(({ metadata }) => metadata.uid).sort();
/** Whether a condition of the present generation says this. */
const says =
  (words: RegExp) =>
  ({ metadata, status }: PoolObject): boolean =>
    status?.conditions?.some(
      ({ message, observedGeneration }) => words.test(message) && observedGeneration === metadata.generation,
    ) === true;
const SETTLED_KINDS: readonly Resource[] = [
  ...[POOLS, DEPLOYMENTS, SERVICES, CONFIG_MAPS, SECRETS, SERVICE_ACCOUNTS, DISRUPTION_BUDGETS, NETWORK_POLICIES],
  ...[DNS_ENDPOINTS, PODS],
];

describe('identity, domains and counts of pools', { skip: missingControlPlane({ controllers: true }) }, () => {
  let scene: Scene;

  before(async () => {
    scene = await startScene({ crds: ['KmsHostPool'] });
  });
  after(() => scene?.stop());

  /** Makes a Secret as a user does, or makes it anew with other contents. */
  const putSecret = async (
    namespace: string,
    name: string,
    data: Readonly<Record<string, Buffer>>,
  ): Promise<Secret> => {
    const texts = Object.entries(data).map(([key, bytes]) => [key, bytes.toString('base64')]);
    await scene.client.delete(SECRETS, { namespace, name });
    return scene.client.create(SECRETS, { metadata: { namespace, name }, data: Object.fromEntries(texts) });
  };

  describe('at first', { concurrency: 2 }, () => {
    it('what hosts count stands in the status, and each threshold is told when it is reached and when it is lost', async () => {
      const pool = await scene.pool('counts', { replicas: 2 });
      const { namespace } = pool;
      const count = (current: number): void => {
        for (const { stub } of scene.player.pods({ namespace })) stub.set({ counts: countsOf({ Windows: current }) });
      };
      await pool.settled();
      const shows = (current: number) => (object: { status?: { counts?: readonly { current: number }[] } }) =>
        object.status?.counts?.[0]?.current === current;
      count(4);
      const { status } = await pool.when('4 machines', shows(4), 60_000);
      assert.deepEqual(
        status?.counts?.[0]?.thresholds.map(({ name, required, met }) => [name, required, met]),
        [
          ['Server', 5, false],
          ['Client', 25, false],
        ],
      );
      await pool.conditions({ CountSufficient: 'False BelowThreshold', Ready: 'True AllHostsReady' });
      count(25);
      const reached = await pool.event('CountThresholdReached', 2, 30_000);
      assert.match(reached.message, /^Windows 25 of (5|25): the count is enough for (servers|clients)/);
      await pool.conditions({ CountSufficient: 'True AllThresholdsMet' });
      const table = await scene.kubectl('get', 'khp', '-n', namespace, '--no-headers');
      assert.equal(table.trim().split(/\s+/)[4], '25');
      count(24);
      const lost = await pool.event('CountThresholdLost', 1, 30_000);
      assert.match(lost.message, /^Windows 24 of 25: the count is no longer enough for clients/);
      assert.deepEqual([await pool.told('CountThresholdReached'), await pool.told('CountThresholdLost')], [2, 1]);
    });

    it('without DNSEndpoints a pool is Ready all the same, says once that nobody publishes it, and is published when the kind comes', async () => {
      const pool = await scene.pool('unpublished', { replicas: 1 });
      await pool.settled();
      const { status } = await pool.conditions({ DnsPublished: 'Unknown NoPublisher' });
      const told = status?.conditions?.find(({ type }) => type === 'DnsPublished')?.message;
      assert.match(told ?? '', /the API server does not know DNSEndpoint; install external-dns 0\.22 or later/i);
      const { type } = await pool.event('NoPublisher');
      assert.equal(type, 'Normal');
      await scene.plane.applyCrds('DNSEndpoint');
      await pool.conditions({ DnsPublished: 'True Published', Reconciling: 'False Settled' }, 60_000);
      assert.equal(scene.srv(pool.namespace).length, 1);
      assert.equal(await pool.told('NoPublisher'), 1);
    });
  });

  describe('side by side', { concurrency: 4 }, () => {
    it('a Secret that the user brought is the identity, whatever its name, and is only read', async () => {
      const namespace = await scene.namespace('brought');
      const key = randomBytes(32);
      const secret = await putSecret(namespace, 'my-own', { key, note: Buffer.from('mine') });
      const pool = scene.poolIn(namespace);
      await pool.create(scene.spec(namespace, { replicas: 1, keySecretRef: { name: 'my-own' } }));
      const { status } = await pool.settled();
      assert.equal(status?.poolId, poolIdOf(key));
      assert.deepEqual(await scene.client.get(SECRETS, { namespace, name: 'my-own' }), secret);
      assert.equal(await pool.told('KeyCreated'), 0);
    });

    it('S3-73 a Secret that is named and not there is made, and what it gives is the identity', async () => {
      const pool = await scene.pool('named', { replicas: 1, keySecretRef: { name: 'to-be-made' } });
      const { status } = await pool.settled();
      const { data, immutable } = await scene.client.get(SECRETS, { namespace: pool.namespace, name: 'to-be-made' });
      const key = Buffer.from(data?.['key'] ?? '', 'base64');
      assert.deepEqual([key.length, immutable, poolIdOf(key)], [32, true, status?.poolId]);
    });

    it('a key that is too short, or under another name, stalls the pool before anything is made, until it is mended', async () => {
      const namespace = await scene.namespace('short');
      const pool = scene.poolIn(namespace);
      await putSecret(namespace, 'campus-key', { key: randomBytes(31) });
      // Changed, not made anew: in between the operator would make one.
      const refill = async (data: Readonly<Record<string, Buffer | null>>): Promise<void> => {
        const texts = Object.entries(data).map(([name, bytes]) => [name, bytes?.toString('base64') ?? null]);
        const patch = { data: Object.fromEntries(texts) as object };
        await scene.client.patch(SECRETS, { namespace, name: 'campus-key' }, { patch });
      };
      await pool.create(scene.spec(namespace, { replicas: 1 }));
      const stalled = {
        Stalled: 'True KeyInvalid',
        Ready: 'False KeyInvalid',
        Reconciling: 'False KeyInvalid',
      } as const;
      await pool.conditions(stalled);
      const short = await pool.event('KeyInvalid');
      assert.match(short.message, /Secret campus-key has 31 bytes in data\.key; put at least 32 random bytes there/);
      await refill({ key: null, secret: randomBytes(32) });
      await pool.when('no data.key', says(/Secret campus-key has no data\.key; put at least 32/));
      await pool.conditions(stalled);
      assert.equal(await pool.deployment(0), undefined);
      const key = randomBytes(32);
      await refill({ key });
      const { status } = await pool.settled();
      assert.equal(status?.poolId, poolIdOf(key));
    });

    it('a Secret that is gone or another one stalls the pool; the hosts go on untouched, and all is well again with the old key', async () => {
      const pool = await scene.pool('changed', { replicas: 2 });
      const { status } = await pool.settled();
      const { namespace } = pool;
      const { data } = await scene.client.get(SECRETS, { namespace, name: 'campus-key' });
      const key = Buffer.from(data?.['key'] ?? '', 'base64');
      const [uids, shown] = [await uidsOf(pool), scene.srv(namespace)];
      const other = randomBytes(32);
      const cases: readonly (readonly [() => Promise<unknown>, RegExp])[] = [
        [
          () => scene.client.delete(SECRETS, { namespace, name: 'campus-key' }),
          new RegExp(`Secret campus-key is gone, and with it the identity ${status?.poolId}; restore it from a copy`),
        ],
        [
          () => putSecret(namespace, 'campus-key', { key: other }),
          new RegExp(`gives the identity ${poolIdOf(other)}, and the pool is ${status?.poolId}`),
        ],
      ];
      for (const [index, [spoil, words]] of cases.entries()) {
        await spoil();
        await pool.conditions({
          Stalled: 'True KeyChanged',
          Ready: 'False KeyChanged',
          Reconciling: 'False KeyChanged',
        });
        await pool.when(String(words), says(words));
        await pool.event('KeyChanged', index + 1);
        assert.equal((await pool.read())?.status?.poolId, status?.poolId);
        // A change of the spec waits until it is known whose pool this is.
        await pool.change({ port: 1701 + index });
        await pool.conditions({ Stalled: 'True KeyChanged' });
        assert.deepEqual([await uidsOf(pool), scene.srv(namespace)], [uids, shown]);
        await pool.change({ port: 1688 });
        await putSecret(namespace, 'campus-key', { key });
        await pool.settled();
      }
      assert.deepEqual([await uidsOf(pool), scene.srv(namespace)], [uids, shown]);
      assert.equal(await pool.told('KeyCreated'), 1);
    });

    it('two pools with one key share a domain: all their hosts are found, and none is a stranger', async () => {
      const namespace = await scene.namespace('twins');
      await putSecret(namespace, 'both', { key: randomBytes(32) });
      const pools = ['north', 'south'].map((name) => scene.poolIn(namespace, name));
      const spec = scene.spec(namespace, { replicas: 2, keySecretRef: { name: 'both' } });
      for (const pool of pools) await pool.create(spec);
      for (const pool of pools) {
        await pool.settled();
        await pool.conditions({ DnsPublished: 'True Published' });
      }
      const fqdn = (host: string) => `0 0 1688 ${host}.${namespace}.${domainOf(namespace)}.`;
      assert.deepEqual(scene.srv(namespace), ['north-0', 'north-1', 'south-0', 'south-1'].map(fqdn));
      const ids = await Promise.all(pools.map(async (pool) => (await pool.read())?.status?.poolId));
      assert.equal(ids[0], ids[1]);
      for (const pool of pools) assert.equal(await pool.told('ForeignHostFound'), 0);
      await pools[0]?.delete();
      await pools[0]?.gone();
      await pools[1]?.settled();
      assert.deepEqual(scene.srv(namespace), ['south-0', 'south-1'].map(fqdn));
    });

    it('of two pools with different keys only the elder one is found in a domain; the younger takes over when it is gone', async () => {
      const namespace = await scene.namespace('rivals');
      const [elder, younger] = [scene.poolIn(namespace, 'a-elder'), scene.poolIn(namespace, 'b-younger')];
      await elder.create(scene.spec(namespace, { replicas: 1 }));
      await elder.settled();
      await younger.create(scene.spec(namespace, { replicas: 1 }));
      await younger.conditions({ DnsPublished: 'False DomainTaken', Ready: 'False DomainTaken' });
      const { message, type } = await younger.event('DomainTaken');
      assert.equal(type, 'Warning');
      assert.match(message, new RegExp(`pool ${namespace}/a-elder is older and publishes in .* with another key`));
      const { status } = (await younger.read()) ?? assert.fail();
      assert.equal(status?.readyReplicas, 1, 'its hosts run');
      const line = (pool: TestPool) => `0 0 1688 ${pool.name}-0.${namespace}.${domainOf(namespace)}.`;
      assert.deepEqual(scene.srv(namespace), [line(elder)]);
      await elder.settled();
      await elder.delete();
      await elder.gone();
      await younger.settled();
      await younger.conditions({ DnsPublished: 'True Published' });
      assert.deepEqual(scene.srv(namespace), [line(younger)]);
      assert.equal(await younger.told('DomainTaken'), 1);
    });

    it('nothing is published outside the test zones', async () => {
      const namespace = await scene.namespace('zone');
      const pool = scene.poolIn(namespace);
      const domains = [{ name: `${namespace}.contoso.com`, ttlSeconds: 1 }];
      await pool.create(scene.spec(namespace, { replicas: 1, dns: { domains } }));
      await pool.conditions({ DnsPublished: 'False ZoneNotAllowed', Ready: 'False ZoneNotAllowed' });
      const { message } = await pool.event('ZoneNotAllowed');
      assert.match(
        message,
        /is not in a test zone \(test, example\); choose a domain below one, or start the operator with/,
      );
      assert.equal(await pool.dnsEndpoint(), undefined);
      assert.equal((await pool.read())?.status?.readyReplicas, 1);
      await pool.change({ dns: { domains: [{ name: domainOf(namespace), ttlSeconds: 1 }] } });
      await pool.settled();
      await pool.conditions({ DnsPublished: 'True Published' });
    });

    it('S3-50 S3-51 publisher None withdraws the records, says so once, and ExternalDNS brings them back', async () => {
      const pool = await scene.pool('none', { replicas: 2 });
      const { namespace } = pool;
      await pool.settled();
      await pool.change({ dns: { publisher: 'None' } });
      await pool.conditions({ DnsPublished: 'Unknown NoPublisher', Ready: 'True AllHostsReady' });
      await waitFor('the records to be gone', () => scene.srv(namespace).length === 0);
      assert.equal(await pool.dnsEndpoint(), undefined);
      await pool.event('NoPublisher');
      for (const activationIntervalMinutes of [30, 60]) {
        await pool.change({ activationIntervalMinutes });
        await pool.settled();
      }
      await pool.change({ dns: { publisher: 'ExternalDNS' } });
      await pool.conditions({ DnsPublished: 'True Published' });
      await pool.settled();
      assert.equal(scene.srv(namespace).length, 2);
      assert.equal(await pool.told('NoPublisher'), 1, 'once, not a stream');
      assert.equal(await pool.told('RecordsDiffer'), 0);
    });

    it('a KMS host that nobody knows is found in DNS and told once; a known one is not', async () => {
      const pool = await scene.pool('rogue', { replicas: 1 });
      const { namespace } = pool;
      await pool.settled();
      const rogue = `desktop-7.${domainOf(namespace)}`;
      const record = `_vlmcs._tcp.${domainOf(namespace)}`;
      scene.mirror.addForeign(record, 'SRV', [`5 0 1688 ${rogue}.`]);
      // In a settled world the name servers are asked once a minute; a change makes it sooner.
      await pool.change({ dns: { domains: [{ name: domainOf(namespace), ttlSeconds: 1, weight: 1 }] } });
      await pool.conditions({ DnsPublished: 'True ForeignHostFound', Ready: 'True AllHostsReady' });
      const { message, type } = await pool.event('ForeignHostFound');
      assert.equal(type, 'Warning');
      assert.ok(message.includes(`${record} names ${rogue}:1688`), message);
      const { status } = (await pool.read()) ?? assert.fail();
      assert.deepEqual(status?.dns?.[0]?.foreign, [`${rogue}:1688`]);
      await pool.change({ dns: { knownHosts: [rogue] } });
      await pool.conditions({ DnsPublished: 'True Published' });
      await pool.settled();
      assert.equal(await pool.told('ForeignHostFound'), 1);
      assert.equal(scene.srv(namespace).length, 2, 'it is left where it is');
    });
  });

  it('a restart of the operator changes nothing in a settled world: no write, no version, no Pod', async () => {
    const client = scene.client;
    const pools = (await client.list(POOLS)).items;
    assert.ok(pools.length >= 8, `${pools.length} pools`);
    const versions = async (): Promise<Record<string, string | undefined>> => {
      const lists = await Promise.all(
        SETTLED_KINDS.map(async (resource) => ({ resource, ...(await client.list(resource)) })),
      );
      const entry = (resource: Resource, { metadata }: KubernetesObject) =>
        [`${resource.kind} ${metadata.namespace}/${metadata.name}`, metadata.resourceVersion] as const;
      return Object.fromEntries(
        lists.flatMap(({ resource, items }) => (items as KubernetesObject[]).map((item) => entry(resource, item))),
      );
    };
    let before: Record<string, string | undefined> = {};
    await waitFor(
      'a settled world',
      async () => {
        const last = JSON.stringify(before);
        before = await versions();
        return JSON.stringify(before) === last;
      },
      30_000,
    );
    await scene.endOperator();
    const written = scene.writes().length;
    await scene.startOperator();
    // It has asked every name server and every pool's hosts again when this is over.
    const metric = async (name: string): Promise<number> => {
      const { body } = await scene.operator.http('/metrics');
      const samples = [...body.matchAll(new RegExp(`^${name}(?:\\{.*\\})? (\\d+)$`, 'gm'))];
      return samples.reduce((sum, [, value]) => sum + Number(value), 0);
    };
    await waitFor(
      'all pools',
      async () => (await metric('controller_runtime_reconcile_total')) >= 2 * pools.length,
      30_000,
    );
    await waitFor('all name servers', async () => (await metric('kmspool_dns_rounds_total')) >= pools.length, 30_000);
    await waitFor('all hosts', async () => (await metric('kmspool_host_polls_total')) >= pools.length, 30_000);
    assert.deepEqual(scene.writes().slice(written), []);
    assert.deepEqual(await versions(), before);
    for (const pool of (await client.list(POOLS)).items)
      assert.match(conditionOf(pool, 'Ready') ?? '', /^True /, pool.metadata.namespace ?? '');
  });

  it('at no moment did a status claim more than was so, by the rules of kstatus', () => {
    assertHonest(scene.poolVersions);
  });
});
