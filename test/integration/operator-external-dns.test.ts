// SPDX-License-Identifier: Apache-2.0
/**
 * From a KmsHostPool to what a client asks a name server, with the operator, external-dns 0.22 and PowerDNS as real processes; the hosts are stubs. What is
 * asserted is what `dig` and the pool's status say. Each test has a namespace, a domain and an external-dns of its own, so they may run side by side.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { ANNOTATIONS } from '@kmspool/crds';
import { DEPLOYMENTS, type Deployment, SECRETS } from '../../operator/pool/kinds.ts';
import { secretOf } from '../harness/host.ts';
import { type ControlPlane, startControlPlane } from '../harness/kubernetes/control-plane.ts';
import { missingDnsPeers, type PowerDns, startPowerDns } from '../harness/kubernetes/dns-peers.ts';
import { DnsPlace, TTL_SECONDS } from '../harness/kubernetes/dns-place.ts';
import { type NodePlayer, startNodePlayer } from '../harness/kubernetes/node-player.ts';
import { type OperatorProcess, startOperator } from '../harness/kubernetes/operator-process.ts';
import { conditionOf, follow, TestPool } from '../harness/kubernetes/pools.ts';
import { missingControlPlane } from '../harness/kubernetes/tools.ts';
import { waitFor } from '../harness/wait.ts';

const ZONE = 'lab.test';
/** What the operator is told of external-dns; it looks more often. Records are missed after this and their TTL, a publisher after twice this. */
const INTERVAL_SECONDS = 6;

/** Addresses of name servers that are found by their zone and therefore listen on port 53: no other process of this machine makes the same. */
const [FIRST, SECOND] = [0, 1].map((n) => {
  const { pid } = process;
  return `127.${128 + 2 * ((pid >> 16) & 31) + n}.${(pid >> 8) & 255}.${pid & 255}`;
}) as [string, string];

const skip = missingControlPlane({ controllers: true }) || missingDnsPeers();

describe('a pool in DNS', { skip }, () => {
  let plane: ControlPlane;
  let powerDns: PowerDns;
  let player: NodePlayer;
  let operator: OperatorProcess;
  const started: { stop(): Promise<unknown> }[] = [];

  before(async () => {
    [plane, powerDns] = await Promise.all([
      startControlPlane({ controllers: true, crds: ['KmsHostPool', 'DNSEndpoint'] }),
      startPowerDns({ zones: [ZONE] }),
    ]);
    player = await startNodePlayer({ client: plane.client(), strategy: () => ({ kind: 'stub' }) });
    operator = await startOperator({
      kubeconfig: plane.kubeconfig,
      args: [
        ...['--host-access', 'Direct', '--no-leader-elect', '--resolver', FIRST],
        ...['--external-dns-interval-minutes', String(INTERVAL_SECONDS / 60)],
      ],
    });
  });
  after(async () => {
    await Promise.all(started.map((each) => each.stop()));
    await operator?.stop();
    await player?.stop();
    await powerDns?.stop();
    await plane?.stop();
  });

  /** A namespace, a domain in the zone, and an external-dns of its own once it is started. */
  const place = async (name: string, server = powerDns): Promise<DnsPlace> => {
    const namespace = await plane.namespace(name);
    const domain = `${name}.${server.zones[0]}`;
    const at = new DnsPlace({ namespace, domain, powerDns: server, kubeconfig: plane.kubeconfig });
    started.push(at);
    return at;
  };
  const poolIn = (at: DnsPlace, name = 'campus'): TestPool => new TestPool(plane.client(), at.namespace, name);
  const stub = (pool: TestPool, ordinal: number) => player.host(pool.namespace, `${pool.name}-${ordinal}`).stub;
  describe('with a publisher', { concurrency: 8 }, () => {
    it('S2-35 S3-15 S3-17 S3-66 appears, is verified, follows weights and hosts, and goes with the pool', async () => {
      const at = await place('life');
      const publisher = await at.startPublisher();
      const pool = poolIn(at);
      await at.telling(operator, async () => {
        await pool.create(at.spec(2, { dns: at.dns({ priority: 0, weight: 60 }) }));
        await pool.conditions({ Ready: 'True AllHostsReady', DnsPublished: 'True Published' });
        await at.shows(pool, [
          [0, 60, 0],
          [0, 60, 1],
        ]);
        const { message } = await pool.event('Published');
        assert.match(
          message,
          /^Event 12294: published in DNS, and shown by every name server: _vlmcs\._tcp\.life\.lab\.test SRV 0 60 1688 campus-0\./,
        );
        const addresses = (await pool.read())?.status?.hosts?.map(({ address }) => address) ?? [];
        for (const [ordinal, address] of addresses.entries())
          assert.deepEqual(await powerDns.dig(at.host(pool, ordinal), 'A'), [address]);
        assert.match(String(addresses[0]), /^10\.96\./);

        // Another weight.
        await pool.change({ dns: at.dns({ priority: 0, weight: 30 }) });
        await at.shows(pool, [
          [0, 30, 0],
          [0, 30, 1],
        ]);
        await pool.conditions({
          Ready: 'True AllHostsReady',
          DnsPublished: 'True Published',
          Reconciling: 'False Settled',
        });
        await pool.event('Published', 2);

        // A host that is away for longer than withdrawAfterSeconds, and back.
        stub(pool, 1).set({ ready: false });
        await at.shows(pool, [[0, 30, 0]]);
        await pool.conditions({ Ready: 'False HostsNotReady', DnsPublished: 'True Published' });
        stub(pool, 1).set({ ready: true });
        await at.shows(pool, [
          [0, 30, 0],
          [0, 30, 1],
        ]);
        await pool.settled();

        // One more.
        await pool.change({ replicas: 3 });
        await at.shows(pool, [
          [0, 30, 0],
          [0, 30, 1],
          [0, 30, 2],
        ]);
        await pool.settled();

        // Gone with the pool, the records first: the hosts serve as long as they can be found.
        publisher.freeze();
        await pool.delete();
        await pool.conditions({ Reconciling: 'True Deleting', DnsPublished: 'Unknown Deleting' });
        await waitFor('the records to be withdrawn', async () => (await pool.dnsEndpoint()) === undefined);
        for (const end = performance.now() + 2_000; performance.now() < end; )
          for (const ordinal of [0, 1, 2]) assert.notEqual(await pool.deployment(ordinal), undefined);
        publisher.thaw();
        await at.shows(pool, []);
        await pool.gone();
        assert.deepEqual(await powerDns.dig(at.host(pool, 0), 'A'), []);
        assert.equal(await pool.told('StaleRecord'), 0);
        for (const reason of ['RecordsDiffer', 'NameServerUnreachable'])
          assert.equal(await pool.told(reason), 0, reason);
      });
    });

    it('S3-63 a host that is no longer wanted runs until no server shows it and its TTL is over', async () => {
      const at = await place('down');
      const publisher = await at.startPublisher();
      const pool = poolIn(at);
      await at.telling(operator, async () => {
        await pool.create(at.spec(2));
        await pool.conditions({ DnsPublished: 'True Published' });
        publisher.freeze();
        await pool.change({ replicas: 1 });
        await pool.conditions({ Reconciling: 'True ScalingDown' });
        await pool.when('its record to be withdrawn', () => true);
        await waitFor('the record to leave the DNSEndpoint', async () => (await at.written(pool)).length === 1);
        let shown: readonly string[] = ['not asked'];
        let goneAtMs = 0;
        const deployments = await follow(plane.client(), { resource: DEPLOYMENTS, namespace: at.namespace }, (all) => {
          if (goneAtMs === 0 && !all.some(({ metadata }) => metadata.name === 'campus-1')) goneAtMs = performance.now();
        });
        // As long as the server shows it.
        for (const end = performance.now() + 2500; performance.now() < end; ) {
          shown = await powerDns.dig(at.record, 'SRV');
          assert.deepEqual([shown.length, goneAtMs], [2, 0]);
        }
        publisher.thaw();
        await waitFor(
          'the server to forget it',
          async () => (await powerDns.dig(at.record, 'SRV')).length === 1,
          20_000,
        );
        const forgottenAtMs = performance.now();
        await waitFor('the host to end', () => goneAtMs > 0, 20_000);
        await deployments.stop();
        assert.ok(goneAtMs - forgottenAtMs > TTL_SECONDS * 1000 - 200, `${goneAtMs - forgottenAtMs} ms after`);
        await pool.settled();
        await waitFor(
          'its own name to go',
          async () => (await powerDns.dig(at.host(pool, 1), 'A')).length === 0,
          20_000,
        );
        assert.equal(await pool.told('StaleRecord'), 0);
      });
    });

    it('S1-32 S3-67 S4-06 external-dns that stands still is told as event 12293; the last records stay, and it recovers', async () => {
      const at = await place('still');
      const publisher = await at.startPublisher();
      const pool = poolIn(at);
      await at.telling(operator, async () => {
        await pool.create(at.spec(2));
        await pool.settled();
        publisher.freeze();
        await pool.change({ dns: at.dns({ priority: 0, weight: 9 }) });
        await pool.conditions({ DnsPublished: 'Unknown Propagating', Ready: 'True AllHostsReady' });
        await pool.conditions({ DnsPublished: 'False RecordsDiffer', Ready: 'False RecordsDiffer' });
        const { type, message } = await pool.event('RecordsDiffer');
        assert.equal(type, 'Warning');
        assert.match(message, /^Event 12293: publishing in DNS failed \(0x8007232A\): still\.lab\.test: /);
        await at.shows(pool, [
          [0, 0, 0],
          [0, 0, 1],
        ]);
        publisher.thaw();
        await pool.conditions({ DnsPublished: 'True Published', Ready: 'True AllHostsReady' });
        await at.shows(pool, [
          [0, 9, 0],
          [0, 9, 1],
        ]);
        await pool.event('Published', 2);
        assert.equal(await pool.told('RecordsDiffer'), 1);
      });
    });

    it('S3-18 is published once every name server shows it, not before', async () => {
      const at = await place('lag');
      await at.startPublisher();
      const secondary = await startPowerDns({ zones: [ZONE], dataOf: powerDns, cacheSeconds: 6 });
      started.push(secondary);
      const pool = poolIn(at);
      const both = [powerDns, secondary];
      await at.telling(operator, async () => {
        await pool.create(at.spec(1));
        await pool.settled();
        // From here on it gives the same answer for six seconds.
        await secondary.dig(at.record, 'SRV');
        const verifyNameservers = both.map(({ address, port }) => `${address}:${port}`);
        await pool.change({ dns: { ...at.dns({ weight: 2 }), verifyNameservers } });
        await at.shows(pool, [[0, 2, 0]]);
        const words = new RegExp(`^127\\.0\\.0\\.1:${secondary.port} does not show 0 2 1688 `);
        const late = await pool.when('the second to be late', ({ status }) =>
          words.test(status?.dns?.[0]?.message ?? ''),
        );
        const told = [conditionOf(late, 'DnsPublished'), conditionOf(late, 'Ready')];
        assert.deepEqual(told, ['Unknown Propagating', 'True AllHostsReady']);
        await pool.settled();
        for (const server of both) assert.deepEqual(await server.dig(at.record, 'SRV'), at.lines(pool, [[0, 2, 0]]));
      });
    });

    it('S3-18 without a list the zone says which name servers there are', { skip: notRoot() }, async () => {
      const zones = ['found.test'];
      const first = await startPowerDns({ zones, address: FIRST, port: 53, otherServers: [SECOND] });
      started.push(first);
      const second = await startPowerDns({ zones, address: SECOND, port: 53, dataOf: first });
      started.push(second);
      const at = await place('zone', first);
      await at.startPublisher();
      const pool = poolIn(at);
      await at.telling(operator, async () => {
        await pool.create(at.spec(1, { dns: { ...at.dns(), verifyNameservers: [] } }));
        await pool.conditions({ DnsPublished: 'True Published', Ready: 'True AllHostsReady' });
        await at.shows(pool, [[0, 0, 0]]);
        await second.stop();
        await pool.change({ dns: { domains: [{ name: at.domain, ttlSeconds: TTL_SECONDS, weight: 3 }] } });
        await at.shows(pool, [[0, 3, 0]]);
        const { status } = await pool.conditions({ DnsPublished: 'Unknown NameServerUnreachable' });
        assert.match(String(status?.dns?.[0]?.message), new RegExp(`^ns2\\.found\\.test \\(${SECOND}\\)`));
      });
    });

    it('name servers that do not answer: nobody knows, nothing is touched, and the pool stays ready', async () => {
      const own = await startPowerDns({ zones: ['silent.test'] });
      started.push(own);
      const at = await place('pool', own);
      await at.startPublisher();
      const pool = poolIn(at);
      await at.telling(operator, async () => {
        await pool.create(at.spec(2));
        await pool.settled();
        const before = await pool.dnsEndpoint();
        own.freeze();
        // Another list of servers has them asked now; the records stay the same.
        const servers = [`${own.address}:${own.port}`, `localhost:${own.port}`];
        await pool.change({ dns: { verifyNameservers: servers } });
        await pool.conditions({ DnsPublished: 'Unknown NameServerUnreachable', Ready: 'True AllHostsReady' });
        const { type, message } = await pool.event('NameServerUnreachable');
        assert.equal(type, 'Warning');
        assert.match(
          message,
          /^Event 12293: publishing in DNS failed \(0x8007232A\): pool\.silent\.test: .* timed out/,
        );
        await pool.change({ dns: { verifyNameservers: servers.slice(0, 1) } });
        own.thaw();
        await pool.conditions({
          DnsPublished: 'True Published',
          Ready: 'True AllHostsReady',
          Reconciling: 'False Settled',
        });
        await pool.event('Published', 2);
        const now = await pool.dnsEndpoint();
        assert.deepEqual([now?.spec, now?.metadata.generation], [before?.spec, before?.metadata.generation]);
        await at.shows(pool, [
          [0, 0, 0],
          [0, 0, 1],
        ]);
      });
    });

    it('S3-60 two pools with one key in one domain are one record set, and each takes only its own away', async () => {
      const at = await place('shared');
      await at.startPublisher();
      const [east, west] = [poolIn(at, 'east'), poolIn(at, 'west')];
      await at.telling(operator, async () => {
        const key = {
          metadata: { namespace: at.namespace, name: 'both' },
          data: { key: secretOf('both').toString('base64') },
        };
        await plane.client().create(SECRETS, key);
        for (const pool of [east, west]) await pool.create(at.spec(1, { keySecretRef: { name: 'both' } }));
        for (const pool of [east, west]) await pool.settled();
        const lines = [...at.lines(east, [[0, 0, 0]]), ...at.lines(west, [[0, 0, 0]])];
        await powerDns.shows(at.record, 'SRV', lines);
        for (const pool of [east, west])
          await pool.conditions({ DnsPublished: 'True Published', Ready: 'True AllHostsReady' });
        await west.delete();
        await west.gone();
        await at.shows(east, [[0, 0, 0]]);
        // By then the operator has looked at it without the other.
        await east.change({ activationIntervalMinutes: 45 });
        await east.settled();
        await east.conditions({ DnsPublished: 'True Published' });
        for (const reason of ['ForeignHostFound', 'DomainTaken', 'StaleRecord'])
          assert.deepEqual([await east.told(reason), await west.told(reason)], [0, 0], reason);
      });
    });

    it('S3-69 without a publisher that is said once and is no fault; one that comes later is enough', async () => {
      const at = await place('nobody');
      const pool = poolIn(at);
      await pool.create(at.spec(1));
      await pool.conditions({
        DnsPublished: 'Unknown NoPublisher',
        Ready: 'True AllHostsReady',
        Reconciling: 'False Settled',
      });
      assert.equal((await pool.event('NoPublisher')).type, 'Normal');
      // Other records, and nobody has read the former ones.
      await pool.change({ dns: at.dns({ weight: 5 }) });
      await waitFor('the records to be written', async () => (await at.written(pool))[0]?.startsWith('0 5 ') === true);
      await pool.conditions({
        DnsPublished: 'Unknown NoPublisher',
        Ready: 'True AllHostsReady',
        Reconciling: 'False Settled',
      });
      assert.equal(await pool.told('NoPublisher'), 1);
      // By now they are older than any that external-dns could be late with.
      const changedAt = (await pool.dnsEndpoint())?.metadata.annotations?.[ANNOTATIONS.changedAt] ?? '';
      const missedAtMs = Date.parse(changedAt) + (TTL_SECONDS + INTERVAL_SECONDS) * 1000;
      await waitFor('the records to be old', () => Date.now() > missedAtMs + 1000, 20_000);
      await at.startPublisher();
      await at.telling(operator, async () => {
        await pool.conditions({ DnsPublished: 'True Published', Ready: 'True AllHostsReady' });
        await at.shows(pool, [[0, 5, 0]]);
        for (const reason of ['RecordsDiffer', 'NameServerUnreachable'])
          assert.equal(await pool.told(reason), 0, reason);
      });
    });
  });

  it('says what is wrong with the external-dns of the cluster, once the records do not appear', async () => {
    const at = await place('unfit');
    const [old, blind, fit] = ['v0.21.0', 'v0.22.0', 'v0.22.0'].map((tag) => `external-dns:${tag}`);
    const sourceOnly = ['--source=crd', '--provider=pdns'];
    const pool = poolIn(at);
    let publisher = await at.startPublisher({ recordTypes: ['A', 'AAAA'] });
    await describeExternalDns(at, { image: old, args: sourceOnly });
    await at.telling(operator, async () => {
      await pool.create(at.spec(1));
      await pool.conditions({ DnsPublished: 'False PublisherTooOld', Ready: 'False PublisherTooOld' });
      assert.match(
        (await pool.event('PublisherTooOld')).message,
        /^Event 12293: .* external-dns unfit-\w+\/external-dns: version v0\.21\.0 .*upgrade to 0\.22 or later/,
      );
      await describeExternalDns(at, { image: blind, args: sourceOnly });
      await pool.conditions({ DnsPublished: 'False PublisherIgnoresSrv', Ready: 'False PublisherIgnoresSrv' });
      const { message } = await pool.event('PublisherIgnoresSrv');
      assert.match(
        message,
        /^Event 12293: .*manages A, AAAA, CNAME and not SRV: set --managed-record-types=A, .*=SRV, each by itself/,
      );
      await publisher.stop();
      const types = ['A', 'AAAA', 'SRV'].map((type) => `--managed-record-types=${type}`);
      await describeExternalDns(at, { image: fit, args: [...sourceOnly, ...types] });
      publisher = await at.startPublisher();
      await pool.conditions({ DnsPublished: 'True Published', Ready: 'True AllHostsReady' });
      await at.shows(pool, [[0, 0, 0]]);
    });
    await plane.client().delete(DEPLOYMENTS, { namespace: at.namespace, name: 'external-dns' });
  });

  /** The Deployment that an administrator would have; paused, for the processes of these tests run beside it. */
  const describeExternalDns = async ({ namespace }: DnsPlace, container: object): Promise<void> => {
    const labels = { 'app.kubernetes.io/name': 'external-dns' };
    const template = { metadata: { labels }, spec: { containers: [{ name: 'external-dns', ...container }] } };
    const spec = { paused: true, replicas: 1, selector: { matchLabels: labels }, template };
    const object = { metadata: { namespace, name: 'external-dns', labels }, spec } as unknown as Deployment;
    await plane.client().apply(DEPLOYMENTS, object, { fieldManager: 'test' });
  };
});

function notRoot(): string | false {
  return process.getuid?.() === 0 ? false : 'port 53 needs root';
}
