// SPDX-License-Identifier: Apache-2.0
//
// The ladder over facts, without a network: each step sees what is wrong, and nothing where all is well.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { HostStatus, KmsHostPool } from '@kmspool/crds';
import type { SrvSeen } from './dns-query.ts';
import type { ClusterFacts, Facts, HostFacts, PoolFacts, ProbeFacts, TargetFacts } from './facts.ts';
import { climb, LADDER } from './ladder.ts';
import type { Step } from './step.ts';
import { externalDnsFaults } from './steps-cluster.ts';

const srv = (changes: Partial<SrvSeen> = {}): SrvSeen => ({
  target: 'campus-0.kms.lab.example',
  port: 1688,
  priority: 0,
  weight: 60,
  ttlSeconds: 60,
  ...changes,
});

const probe = (changes: Partial<ProbeFacts> = {}): ProbeFacts => ({
  address: '10.0.0.1',
  port: 1688,
  outcome: 'kms',
  reason: '',
  advertisedPort: 1688,
  ...changes,
});

const target = (changes: Partial<TargetFacts> = {}): TargetFacts => ({
  host: 'campus-0.kms.lab.example',
  port: 1688,
  ours: true,
  isCname: false,
  addresses: ['10.0.0.1'],
  probes: [probe()],
  ...changes,
});

const status = (changes: object = {}): HostStatus =>
  ({
    version: '1.0.0',
    poolId: 'p',
    ready: true,
    reasons: [],
    hostKeys: [{ product: 'WindowsServer2025', hostOs: 'WindowsServer2025', state: 'Activated' }],
    store: { kind: 'redis', state: 'Available', role: 'master', version: 'redis 7' },
    counts: [
      {
        application: 'Windows',
        current: 31,
        cap: 50,
        highWaterRequired: 25,
        thresholds: [{ name: 'Client', required: 25, met: true }],
      },
    ],
    clockSkewMilliseconds: 3,
    ...changes,
  }) as unknown as HostStatus;

const host = (changes: Partial<HostFacts> = {}): HostFacts => ({
  name: 'campus-0',
  fqdn: 'campus-0.kms.lab.example',
  ready: true,
  status: status(),
  reason: '',
  probe: probe(),
  clockAheadMs: 200,
  ...changes,
});

const pool = (changes: Partial<PoolFacts> = {}): PoolFacts => ({
  name: 'campus',
  kind: 'local',
  where: 'here',
  hosts: [host()],
  duplicates: { groups: 0, names: 0 },
  refused: new Map(),
  eventsRead: 10,
  listingProblem: undefined,
  ...changes,
});

const zone = (...records: SrvSeen[]): Facts['zones'][number] => ({
  domain: 'lab.example',
  answers: [{ server: 'ns1:53', answer: { kind: 'records', records, authoritative: true } }],
  typos: [],
});

const facts = (changes: Partial<Facts> = {}): Facts => ({
  domains: ['lab.example'],
  servers: [{ server: 'ns1:53', role: 'asked', udpProblem: undefined, tcpProblem: undefined }],
  zones: [zone(srv())],
  targets: [target()],
  client: undefined,
  clientAddress: undefined,
  pool: pool(),
  cluster: undefined,
  ...changes,
});

const step = (id: string, changes: Partial<Facts>): Step => {
  const [found] = climb(facts(changes), [id]);
  assert.ok(found, id);
  return found;
};

/** The step fails or warns, says this, and names a command. */
function sees(id: string, verdict: 'warn' | 'fail', changes: Partial<Facts>, words: RegExp): void {
  const found = step(id, changes);
  assert.equal(found.verdict, verdict, JSON.stringify(found));
  assert.match(found.evidence.join('\n'), words);
  assert.ok((found.fix ?? '').length > 5, `${id} says what to do`);
}

test('a healthy pool is well on every rung, or the rung says why it was skipped', () => {
  for (const { id, verdict, evidence, fix } of climb(facts())) {
    assert.ok(verdict === 'ok' || verdict === 'skipped', `${id} ${verdict}: ${evidence.join()}`);
    assert.ok(evidence.length > 0 && fix === undefined, id);
  }
  assert.equal(new Set(LADDER.map(({ id }) => id)).size, LADDER.length);
});

describe('from the client to the records', () => {
  test('S2-08 a name server that is silent, or by one way only', () => {
    const server = { server: 'ns1:53', role: 'asked' as const, udpProblem: undefined, tcpProblem: undefined };
    sees(
      'name-servers',
      'fail',
      { servers: [{ ...server, udpProblem: 'no answer', tcpProblem: 'no answer' }] },
      /ns1:53: no answer/,
    );
    sees('name-servers', 'warn', { servers: [{ ...server, tcpProblem: 'refused' }] }, /not by TCP/);
  });

  test('S2-20 S2-31 a client that searches other domains finds nothing, although nslookup does', () => {
    const client = { kind: 'workgroup' as const, suffixes: ['corp.example'] };
    sees('client-suffix', 'fail', { client }, /searches corp.example \(DHCP option 15\)/);
    assert.equal(
      step('client-suffix', { client: { ...client, suffixes: ['corp.example', 'lab.example'] } }).verdict,
      'ok',
    );
  });

  test('S4-07 no SRV record, S2-16 and the block that nslookup would show', () => {
    const none = { server: 'ns1:53', answer: { kind: 'none' as const, rcode: 'NXDOMAIN' } };
    sees('srv-records', 'fail', { zones: [{ domain: 'lab.example', answers: [none], typos: [] }] }, /0x8007232B/);
    assert.match(
      step('srv-records', {}).evidence.join('\n'),
      /priority 0, weight 60, port 1688, campus-0.kms.lab.example, TTL 60 s/,
    );
  });

  test('a record under a misspelt name', () => {
    const typos = [{ name: '_vmlcs._tcp.lab.example', records: [srv()] }];
    sees('srv-name', 'fail', { zones: [{ ...zone(), typos }] }, /_vmlcs/);
  });

  test('S3-18 servers that differ, and records of one name with different TTLs', () => {
    const two = zone(srv());
    const other = {
      server: 'ns2:53',
      answer: { kind: 'records' as const, records: [srv({ port: 1689 })], authoritative: true },
    };
    sees('srv-agreement', 'warn', { zones: [{ ...two, answers: [...two.answers, other] }] }, /ns2:53: 0 60 1689/);
    sees('srv-agreement', 'warn', { zones: [zone(srv(), srv({ weight: 20, ttlSeconds: 3600 }))] }, /different TTLs/);
  });

  test('S2-17 S2-36 a target without address, or one that is an alias', () => {
    sees('srv-targets', 'fail', { targets: [target({ addresses: [], probes: [] })] }, /has no address/);
    sees('srv-targets', 'warn', { targets: [target({ isCname: true })] }, /alias/);
  });

  test('S1-42 S1-19 a foreign host, alive or dead; a host of ours that no record names', () => {
    const foreign = target({ host: 'rogue.lab.example', ours: false, addresses: ['10.9.9.9'] });
    sees(
      'srv-foreign',
      'fail',
      { targets: [target(), foreign] },
      /rogue.lab.example:1688 is not of the pool, and a KMS host answers there/,
    );
    sees('srv-foreign', 'fail', { targets: [{ ...foreign, probes: [] }] }, /no KMS host answers there/);
    sees('one-count', 'warn', { targets: [target(), foreign] }, /rogue.lab.example also answers/);
    sees('srv-missing', 'warn', { targets: [foreign] }, /no SRV record names campus-0/);
  });
});

describe('from the record to the host', () => {
  test('S1-20 S2-14 the port is closed or silent; something else listens there', () => {
    sees(
      'port',
      'fail',
      { targets: [target({ probes: [probe({ outcome: 'silent', reason: 'no connection within 5 ms' })] })] },
      /0xC004F074/,
    );
    sees(
      'port',
      'fail',
      { targets: [target({ probes: [probe({ outcome: 'refused', reason: 'nothing listens there' })] })] },
      /nothing listens/,
    );
    sees(
      'rpc',
      'fail',
      { targets: [target({ probes: [probe({ outcome: 'notKms', reason: 'what came back is not DCE/RPC' })] })] },
      /something else/,
    );
  });

  test('S1-21 a host that hands out another port than its record names', () => {
    sees(
      'advertised-port',
      'warn',
      { targets: [target({ probes: [probe({ advertisedPort: 1700 })] })] },
      /record says port 1688, and it hands port 1700/,
    );
  });

  test('S2-12 S2-13 by address yes and by name no is name resolution; neither is the network', () => {
    sees('by-address', 'fail', { targets: [target({ addresses: [], probes: [] })] }, /name resolution/);
    const dead = host({ probe: probe({ outcome: 'silent', reason: 'no connection' }) });
    sees('by-address', 'fail', { pool: pool({ hosts: [dead] }) }, /campus-0 at 10.0.0.1:1688: no connection/);
  });

  test('S1-12 hosts that are not ready or do not answer', () => {
    sees(
      'hosts-ready',
      'fail',
      { pool: pool({ hosts: [host({ status: undefined, reason: 'it is away' })] }) },
      /it is away/,
    );
    sees(
      'hosts-ready',
      'fail',
      { pool: pool({ hosts: [host({ status: status({ ready: false, reasons: ['the store is away'] }) })] }) },
      /the store is away/,
    );
    sees('hosts-ready', 'fail', { pool: pool({ hosts: [] }) }, /has no host/);
  });

  test('S4-31 clocks: a minute is told, four hours are fatal', () => {
    sees('clocks', 'warn', { pool: pool({ hosts: [host({ clockAheadMs: -120_000 })] }) }, /120 s behind/);
    sees('clocks', 'fail', { pool: pool({ hosts: [host({ clockAheadMs: 5 * 3_600_000 })] }) }, /0xC004F06C/);
  });

  test('S1-11 S1-12 host keys that are not activated; S1-23 products that none covers', () => {
    const blocked = status({
      hostKeys: [{ product: 'WindowsServer2025', hostOs: 'WindowsServer2025', state: 'Blocked' }],
    });
    sees('host-keys', 'fail', { pool: pool({ hosts: [host({ status: blocked })] }) }, /Blocked \(0x/);
    const refused = new Map([[0xc004f042, { count: 4, products: ['office-2024'] }]]);
    sees('products', 'warn', { pool: pool({ refused }) }, /4 of the last 10 requests were for office-2024/);
    const others = new Map([[0xc004f06c, { count: 2, products: ['windows-11'] }]]);
    sees('refused', 'warn', { pool: pool({ refused: others }) }, /2 × 0xC004F06C ClockSkew/);
  });

  test('S3-11 a store that is away, or of hosts that each have their own', () => {
    const lost = { kind: 'redis', state: 'LastKnown', staleSeconds: 12, lastError: 'connection refused' };
    sees(
      'store',
      'warn',
      { pool: pool({ hosts: [host({ status: status({ store: lost }) })] }) },
      /LastKnown for 12 s: connection refused/,
    );
    sees(
      'store',
      'fail',
      { pool: pool({ hosts: [host({ status: status({ store: { ...lost, state: 'Refusing' } }) })] }) },
      /Refusing/,
    );
    const other = host({ name: 'campus-1', status: status({ poolId: 'q' }) });
    sees('one-count', 'fail', { pool: pool({ hosts: [host(), other] }) }, /campus-1: pool ID q/);
  });
});

describe('the count', () => {
  const counted = (current: number): Partial<Facts> => {
    const thresholds = [{ name: 'Client', required: 25, met: current >= 25 }];
    const counts = [
      { application: 'Windows', current, cap: 50, highWaterRequired: current === 0 ? 0 : 25, thresholds },
    ];
    return { pool: pool({ hosts: [host({ status: status({ counts }) })] }) };
  };

  test('S1-14 nobody yet, S3-08 too few, enough', () => {
    sees('thresholds', 'warn', counted(0), /nobody has been counted yet/);
    sees('thresholds', 'warn', counted(19), /Client needs 25, 6 more \(clients report 0xC004F038\)/);
    assert.equal(step('thresholds', counted(25)).verdict, 'ok');
  });

  test('S1-17 S1-37 machines that share an ID', () => {
    sees(
      'duplicates',
      'warn',
      { pool: pool({ duplicates: { groups: 2, names: 5 } }) },
      /5 machine names share 2 client machine IDs/,
    );
    const unread = step('duplicates', { pool: pool({ duplicates: undefined, listingProblem: 'you may not' }) });
    assert.deepEqual([unread.verdict, unread.evidence], ['skipped', ['you may not']]);
  });
});

describe('the cluster', () => {
  const condition = (type: string, status_: string, reason: string): object => ({
    type,
    status: status_,
    reason,
    message: 'words',
  });
  const object = (conditions: object[], spec: object = {}): KmsHostPool =>
    ({
      metadata: { name: 'campus', namespace: 'kms' },
      spec: {
        port: 1688,
        dns: { publisher: 'ExternalDNS', domains: [], knownHosts: ['kms.other.example'] },
        exposure: { type: 'LoadBalancer' },
        access: { allowedSources: ['10.0.0.0/8', 'fd00::/8'] },
        ...spec,
      },
      status: { conditions },
    }) as unknown as KmsHostPool;
  const cluster = (changes: Partial<ClusterFacts> = {}): Partial<Facts> => ({
    cluster: {
      object: object([condition('Ready', 'True', 'AllHostsReady'), condition('Stalled', 'False', 'NotStalled')]),
      externalDns: {
        ok: true,
        value: [
          {
            where: 'dns/external-dns',
            image: 'registry/external-dns:v0.22.1',
            args: ['--source=crd', '--managed-record-types=SRV'],
          },
        ],
      },
      services: { ok: true, value: [{ name: 'campus-0', type: 'LoadBalancer', addresses: ['10.0.0.1'] }] },
      networkPolicies: { ok: true, value: [{ name: 'campus', ours: true, ports: [1688, 8080] }] },
      ...changes,
    },
  });
  const RUNGS = ['conditions', 'external-dns', 'services', 'network-policy', 'allowed-sources'];

  test('all is well', () => {
    for (const id of RUNGS) assert.equal(step(id, cluster()).verdict, 'ok', id);
  });

  test('the operator’s conditions in its own words; S1-32 DnsPublished False is a failure', () => {
    sees(
      'conditions',
      'fail',
      cluster({ object: object([condition('DnsPublished', 'False', 'RecordsDiffer')]) }),
      /DnsPublished False RecordsDiffer: words/,
    );
    sees(
      'conditions',
      'warn',
      cluster({ object: object([condition('CountSufficient', 'False', 'BelowThreshold')]) }),
      /BelowThreshold/,
    );
    sees('conditions', 'fail', cluster({ object: object([]) }), /no operator looks at it/);
  });

  test('external-dns: absent, too old, without SRV, without DNSEndpoints, or with a provider that never removes', () => {
    sees('external-dns', 'fail', cluster({ externalDns: { ok: true, value: [] } }), /no Deployment runs external-dns/);
    const good = ['--source=crd', '--managed-record-types', 'SRV'];
    assert.deepEqual(externalDnsFaults('x/external-dns:v0.22.0', good), []);
    assert.deepEqual(externalDnsFaults('x/external-dns@sha256:00', good), []);
    assert.match(externalDnsFaults('x/external-dns:v0.21.9', good).join(), /version 0.21 spoils/);
    assert.match(
      externalDnsFaults('x/external-dns:v1.0.0', ['--source=service']).join(),
      /--source=crd.*managed-record-types=SRV/,
    );
    assert.match(externalDnsFaults('x', [...good, '--provider=rfc2136']).join(), /never changes or removes/);
  });

  test('a host that the pool names as known is no surprise', () => {
    const other = target({ host: 'kms.other.example', ours: false });
    assert.equal(step('srv-foreign', { ...cluster(), targets: [target(), other] }).verdict, 'ok');
  });

  test('S2-14 Services without address, policies that let nobody in', () => {
    sees(
      'services',
      'fail',
      cluster({ services: { ok: true, value: [{ name: 'campus-0', type: 'LoadBalancer', addresses: [] }] } }),
      /without an address/,
    );
    sees(
      'network-policy',
      'fail',
      cluster({ networkPolicies: { ok: true, value: [{ name: 'deny', ours: false, ports: [0] }] } }),
      /deny: none lets port 1688 in/,
    );
  });

  test('a client that is no allowed source', () => {
    sees('allowed-sources', 'fail', { ...cluster(), clientAddress: '192.0.2.7' }, /192.0.2.7 is not let in/);
    for (const clientAddress of ['10.200.1.1', 'fd12::1'])
      assert.equal(step('allowed-sources', { ...cluster(), clientAddress }).verdict, 'ok');
  });

  test('S4-02 what may not be read is skipped with the right that is missing', () => {
    const denied = step(
      'external-dns',
      cluster({ externalDns: { ok: false, reason: 'you may not list deployments.apps (403 …)' } }),
    );
    assert.deepEqual([denied.verdict, denied.evidence], ['skipped', ['you may not list deployments.apps (403 …)']]);
  });
});
