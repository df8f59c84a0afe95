// SPDX-License-Identifier: Apache-2.0
//
// `kmsctl doctor` on a real pool: well when all is well, and through a name server that tells it everything wrong that a zone can hold.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { HostStatus } from '@kmspool/crds';
import { type DnsServer, startDnsServer } from '../dns/dns-server.ts';
import type { Zone, ZoneRecord } from '../dns/zone.ts';
import { askAs, kmsctl, type Outcome } from '../testing/in-process.ts';
import { type Listener, listen } from '../testing/listener.ts';
import { startTestPool, type TestPool } from '../testing/pool.ts';
import type { Step } from './step.ts';

const APEX = 'lab.example';
const SRV = `_vlmcs._tcp.${APEX}`;

/** A zone of these records, with what every zone has. */
function zoneOf(records: readonly ZoneRecord[]): Zone {
  const data = {
    mname: `ns.${APEX}`,
    rname: `hostmaster.${APEX}`,
    serial: 1,
    refresh: 60,
    retry: 60,
    expire: 60,
    minimum: 60,
  };
  const names = Map.groupBy(records, ({ name }) => name.toLowerCase());
  for (const parent of [APEX, `_tcp.${APEX}`]) if (!names.has(parent)) names.set(parent, []);
  return { apex: APEX, soa: { type: 'SOA', name: APEX, ttl: 60, data }, names };
}

const srv = (target: string, port: number, more: { name?: string; ttl?: number } = {}): ZoneRecord => ({
  type: 'SRV',
  name: more.name ?? SRV,
  ttl: more.ttl ?? 60,
  data: { priority: 0, weight: 10, port, target },
});

const a = (name: string, address: string): ZoneRecord => ({ type: 'A', name, ttl: 60, data: address });

describe('doctor', () => {
  let pool: TestPool;
  let rogue: TestPool;
  let web: Listener;
  let dns: DnsServer;
  before(async () => {
    pool = await startTestPool((whole) => {
      const { dns: all } = whole.spec;
      return { ...whole, spec: { ...whole.spec, dns: { ...all, domains: all.domains.slice(0, 1) } } };
    });
    rogue = await startTestPool();
    web = await listen((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    const [host] = pool.endpoints.hosts;
    const [foreign] = rogue.endpoints.hosts;
    assert.ok(host && foreign);
    await askAs({ ...host, secret: pool.secret }, [{ name: 'pc-1' }]);
    const zone = zoneOf([
      srv(`own.${APEX}`, host.port),
      a(`own.${APEX}`, host.address),
      srv(`rogue.${APEX}`, foreign.port, { ttl: 3600 }),
      a(`rogue.${APEX}`, foreign.address),
      srv(`web.${APEX}`, web.port),
      a(`web.${APEX}`, web.address),
      srv(`dead.${APEX}`, 1),
      a(`dead.${APEX}`, '127.0.0.1'),
      srv(`nowhere.${APEX}`, 1688),
      srv(`own.${APEX}`, host.port, { name: `_vmlcs._tcp.${APEX}` }),
    ]);
    dns = await startDnsServer({ address: '127.0.0.1', port: 0, zones: [zone] });
  });
  after(async () => {
    await dns?.close();
    await web?.close();
    await rogue?.close();
    await pool?.close();
  });

  const here = (...args: readonly string[]): Promise<Outcome> => kmsctl(['doctor', ...args], { dir: pool.stateDir });
  const climbed = async (...args: readonly string[]): Promise<{ code: number; step: (id: string) => Step }> => {
    const { code, stdout, stderr } = await here(...args, '-o', 'json');
    assert.equal(stderr, '');
    const { steps } = JSON.parse(stdout) as { steps: Step[] };
    return { code, step: (id) => steps.find((each) => each.id === id) ?? assert.fail(`no step ${id}`) };
  };
  const text = (step: Step): string => `${step.verdict}: ${step.evidence.join('\n')}`;

  test('S2-04 all is well with a healthy pool, the steps stand in order, and S1-20 nobody is counted by them', async () => {
    const counted = async (): Promise<number> => {
      const { stdout } = await kmsctl(['dlv', '--state', pool.stateDir, '-o', 'json'], { dir: pool.stateDir });
      return (JSON.parse(stdout) as HostStatus).totals.total;
    };
    const before_ = await counted();
    const { code, stdout } = await here('--state', pool.stateDir, '-v');
    assert.equal(code, 0, stdout);
    assert.doesNotMatch(stdout, /FAIL/);
    assert.ok(stdout.indexOf('Name servers answer') < stdout.indexOf('The port is open'));
    assert.ok(stdout.indexOf('The port is open') < stdout.indexOf('The count reaches the thresholds'));
    assert.match(stdout, /priority 10, weight 0, port \d+, campus-2\.kms\.lab\.example, TTL 60 s/);
    assert.equal(await counted(), before_);
  });

  test('S1-42 S2-17 S2-36 a zone that holds foreign, dead and wrong records is taken apart record by record', async () => {
    const server = `127.0.0.1:${dns.port}`;
    const { code, step } = await climbed('campus', '--state', pool.stateDir, '--dns', server, '--timeout', '2s');
    assert.equal(code, 1);
    assert.match(text(step('srv-name')), /^fail: _vmlcs\._tcp\.lab\.example -> own\.lab\.example/);
    assert.match(text(step('srv-agreement')), /^warn: .*different TTLs/);
    assert.match(text(step('srv-targets')), /^fail: [\s\S]*nowhere\.lab\.example has no address/);
    assert.match(text(step('srv-foreign')), /rogue\.lab\.example:\d+ is not of the pool, and a KMS host answers there/);
    assert.match(text(step('srv-foreign')), /web\.lab\.example:\d+ is not of the pool, and no KMS host answers there/);
    assert.match(text(step('srv-missing')), /^warn: no SRV record names campus-1, campus-2/);
    assert.match(text(step('port')), /^fail: [\s\S]*dead\.lab\.example \(127\.0\.0\.1\) port 1: connection refused/);
    assert.match(text(step('rpc')), /^fail: [\s\S]*web\.lab\.example .*what came back is not DCE\/RPC/);
    assert.match(text(step('one-count')), /^warn: rogue\.lab\.example also answers/);
    assert.equal(step('by-address').verdict, 'ok');
    const { stdout } = await here('campus', '--state', pool.stateDir, '--dns', server, '--timeout', '2s');
    assert.match(
      stdout,
      /FAIL {2}They are spelt right\n.*\n +-> rename _vmlcs\._tcp\.lab\.example to _vlmcs\._tcp\.lab\.example/,
    );
    assert.match(stdout, /begin with: They are spelt right\n$/);
  });

  test('S2-12 a domain alone: its records and the hosts behind them, and what needs a pool is skipped', async () => {
    const { code, step } = await climbed(APEX, '--dns', `127.0.0.1:${dns.port}`, '--timeout', '2s');
    assert.equal(code, 1);
    assert.match(text(step('rpc')), /own\.lab\.example \(127\.0\.\d+\.\d+:\d+\) accepts an RPC bind/);
    assert.equal(step('hosts-ready').verdict, 'skipped');
    const empty = await climbed('empty.example', '--dns', `127.0.0.1:${dns.port}`);
    assert.match(
      text(empty.step('srv-records')),
      /^fail: _vlmcs\._tcp\.empty\.example has no SRV record[\s\S]*REFUSED/,
    );
  });

  test('S2-20 S2-31 a client’s point of view: found by the second suffix, or not at all', async () => {
    const from = async (view: string): Promise<Step> =>
      (await climbed('--state', pool.stateDir, '--from', view)).step('client-suffix');
    assert.match(
      text(await from('domain=corp.example,lab.example')),
      /^ok: the client searches corp\.example, then lab\.example \(the AD domain\)/,
    );
    const lost = await from('workgroup=corp.example');
    assert.match(text(lost), /^fail: .*corp\.example \(DHCP option 15\); none of them/);
    assert.match(lost.fix ?? '', /add \{name: corp\.example\} to spec\.dns\.domains/);
  });

  test('S2-08 a name server that is not there', async () => {
    const { code, step } = await climbed('--state', pool.stateDir, '--dns', '127.0.0.1:1', '--timeout', '1s');
    assert.equal(code, 1);
    assert.match(text(step('name-servers')), /^fail: 127\.0\.0\.1:1: nothing listens there/);
  });

  test('bad input is one line', async () => {
    for (const args of [
      ['a.b', '--from', 'x y'],
      ['..', '--dns', '127.0.0.1'],
      ['--client', 'pc-1'],
      ['--dns', 'ns'],
    ]) {
      const { code, stderr } = await here(...args);
      assert.deepEqual([code, stderr.split('\n').length], [2, 2], stderr);
    }
  });
});
