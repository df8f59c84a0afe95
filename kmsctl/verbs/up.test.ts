// SPDX-License-Identifier: Apache-2.0
//
// `kmsctl up` as a process, and the verbs that read a running pool: activate, dlv, catalog.

import assert from 'node:assert/strict';
import { Resolver } from 'node:dns/promises';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { hostStatusSchema } from '@kmspool/crds';
import { derivePoolKeys, poolIdText } from '@kmspool/kms/wire';
import type { Endpoints } from '../pool/endpoints.ts';
import { CAMPUS, openSandbox, type Running, until } from '../testing/child.ts';

const sandbox = openSandbox();
const stateDir = join(sandbox.dir, 'state', 'kmspool', 'campus');
const endpointsFile = join(stateDir, 'endpoints.json');
const readEndpoints = (): Endpoints => JSON.parse(readFileSync(endpointsFile, 'utf8')) as Endpoints;

after(() => sandbox.close());

describe('a pool that up runs', () => {
  let up: Running;
  before(async () => {
    up = sandbox.start('up', '-f', CAMPUS, '--port', '0');
    await until('endpoints.json', () => existsSync(endpointsFile) || up.child.exitCode !== null);
    assert.equal(up.child.exitCode, null, up.stderr());
  });

  test('says in endpoints.json where everything is, exactly as documented', () => {
    const endpoints = readEndpoints();
    assert.deepEqual(Object.keys(endpoints), ['pool', 'uid', 'keyFile', 'adminTokenFile', 'hosts', 'dns', 'domains']);
    assert.equal(endpoints.pool, 'campus');
    assert.deepEqual(endpoints.domains, ['lab.example', 'branch.example']);
    assert.deepEqual(
      endpoints.hosts.map(({ name }) => name),
      ['campus-0', 'campus-1', 'campus-2'],
    );
    for (const host of endpoints.hosts) {
      assert.deepEqual(Object.keys(host), ['name', 'address', 'port', 'http']);
      assert.match(host.http, /^http:\/\/[\d.]+:\d+$/);
      assert.match(host.address, /^127\./);
    }
    assert.deepEqual(Object.keys(endpoints.dns), ['address', 'port']);
    const key = readFileSync(endpoints.keyFile);
    assert.equal(endpoints.uid, poolIdText(derivePoolKeys(key).poolId));
    for (const name of [endpoints.keyFile, endpoints.adminTokenFile, endpointsFile])
      assert.equal(statSync(name).mode & 0o777, 0o600);
  });

  test('tells in a short summary where it is and what to try', async () => {
    const text = await until('the summary', () => up.stdout().includes('Ctrl-C') && up.stdout());
    assert.match(text, /Pool campus is up: 3 hosts, one count in memory/);
    for (const { name, port, address } of readEndpoints().hosts)
      assert.match(text, new RegExp(`${name} +${address}:${port}`));
    assert.match(text, /kmsctl activate/);
    assert.doesNotMatch(text, /\x1b/);
  });

  test('answers DNS for its domains, readiness, metrics, and clients only with the token', async () => {
    const { dns, hosts, adminTokenFile } = readEndpoints();
    const resolver = new Resolver();
    resolver.setServers([`${dns.address}:${dns.port}`]);
    assert.equal((await resolver.resolveSrv('_vlmcs._tcp.branch.example')).length, 3);
    const [host] = hosts;
    assert.ok(host);
    assert.equal((await fetch(`${host.http}/readyz`)).status, 200);
    assert.match(await (await fetch(`${host.http}/metrics`)).text(), /^kmspool_/m);
    assert.equal((await fetch(`${host.http}/clients`)).status, 401);
    const authorization = `Bearer ${readFileSync(adminTokenFile, 'utf8').trim()}`;
    assert.equal((await fetch(`${host.http}/clients`, { headers: { authorization } })).status, 200);
  });

  test('keeps a second up out of its folder', async () => {
    const { code, stderr } = await sandbox.run('up', '-f', CAMPUS, '--port', '0');
    assert.equal(code, 2);
    assert.match(stderr, /^kmsctl: --state: a pool already runs from .*\n$/);
    assert.ok(existsSync(endpointsFile));
  });

  test('S3-81 S3-08 activate comes to 0xC004F038 and exit code 1 below the threshold, to licensed and 0 from it on', async () => {
    for (let count = 1; count <= 5; count++) {
      const args = ['activate', '--product', 'office-2021', '-o', 'json'];
      const { code, stdout, stderr } = await sandbox.run(...args);
      const result = JSON.parse(stdout);
      const counted = result.contacts.at(-1).answer.currentCount;
      const wanted = count < 5 ? [1, count, '0xC004F038', false] : [0, 5, '0x00000000', true];
      assert.deepEqual([code, counted, result.hresult, result.licensed], wanted, stderr);
    }
  });

  test('S3-74 S1-40 S1-45 activate shows what the client saw: SRV, bind, answer, meaning, events', async () => {
    const cmid = '01234567-89ab-4cde-8f01-23456789abcd';
    const { code, stdout } = await sandbox.run(
      'activate',
      '--domain',
      'lab.example',
      '--cmid',
      cmid,
      '--name',
      'pc\u001b[31m',
      '--vm',
    );
    assert.equal(code, 1);
    assert.match(
      stdout,
      /^DNS +_vlmcs\._tcp\.lab\.example SRV, asked of 127\.0\.0\.1:\d+\n +priority 0, weight 60, port \d+, campus-0\.kms\.lab\.example$/m,
    );
    assert.match(
      stdout,
      /^Order +campus-[01]\.kms\.lab\.example, .*, campus-2\.kms\.lab\.example \(by priority and weight\)$/m,
    );
    assert.match(stdout, /bound: NDR32 refused 2\/2; NDR64 accepted/);
    assert.match(stdout, /^Answer +count 1, 25 needed; 292 bytes there, 300 back/m);
    assert.match(stdout, /host PID EMULATED-KMS-NOT-GENUINE-POOL-/);
    assert.match(stdout, /0xC004F038 CountInsufficient: /);
    assert.match(
      stdout,
      new RegExp(
        `12288 .*\n +0x00000000,0x0,campus-\\d\\.kms\\.lab\\.example:\\d+,${cmid},\\d{4}/\\d\\d/\\d\\d \\d\\d:\\d\\d,1,2,43200,[0-9a-f-]{36},25`,
      ),
    );
    assert.match(stdout, /12289 .*\n +0xC004F038,0x4000000,0,0,1,120,10080,/);
    assert.doesNotMatch(stdout, /\x1b/);
  });

  test('S2-26 S2-27 activate asks a host by address or by name', async () => {
    const [host] = readEndpoints().hosts;
    assert.ok(host);
    for (const name of [host.address, 'campus-0.kms.lab.example']) {
      const { code, stdout } = await sandbox.run(
        'activate',
        `${name}:${host.port}`,
        '--ndr',
        '64',
        '--protocol',
        '5',
        '-o',
        'json',
      );
      const result = JSON.parse(stdout);
      assert.deepEqual(
        [code, result.contacts[0].source, result.contacts[0].wire.syntax, result.dns],
        [1, 'configured', 'NDR64', undefined],
      );
    }
  });

  test('S4-31 S4-32 activate says which code a wrong clock or a silent host comes to', async () => {
    const skewed = JSON.parse((await sandbox.run('activate', '--clock-offset', '-5h', '-o', 'json')).stdout);
    assert.deepEqual([skewed.hresult, skewed.symbol], ['0xC004F06C', 'ClockSkew']);
    const silent = await sandbox.run('activate', '127.0.0.1:1', '--timeout', '1s');
    assert.equal(silent.code, 1);
    assert.match(silent.stdout, /connection refused: nothing listens there -> 0x800706BA/);
    assert.match(silent.stdout, /0xC004F074 NoHostAnswered/);
  });

  test('S1-08 S1-13 S1-24 dlv shows a host in the layout of slmgr', async () => {
    const { code, stdout } = await sandbox.run('dlv');
    assert.equal(code, 0);
    const wanted = [
      'Key Management Service is enabled on this machine',
      '    Current count: 5',
      `    Listening on Port: ${readEndpoints().hosts[0]?.port ?? ''}`,
      '    DNS publishing enabled (lab.example, branch.example)',
      '    KMS priority: Normal',
      'Key Management Service cumulative requests received from clients',
      '    Failed requests received: 1',
      '    Requests with License Status Unlicensed: 0',
      '    Requests with License Status Notification: 0',
    ];
    for (const line of wanted) assert.ok(stdout.split('\n').includes(line), `${line}\n${stdout}`);
  });

  test('S3-45 dlv -o json is the HostStatus, of any host by name or URL', async () => {
    const [, second] = readEndpoints().hosts;
    assert.ok(second);
    for (const host of ['campus-1', second.http, `${second.http}/status`]) {
      const { code, stdout } = await sandbox.run('dlv', host, '-o', 'json');
      assert.deepEqual([code, hostStatusSchema.parse(JSON.parse(stdout)).host.name], [0, 'campus-1']);
    }
    const { code, stderr } = await sandbox.run('dlv', 'campus-7');
    assert.equal(code, 2);
    assert.match(stderr, /no host campus-7; use one of campus-0, campus-1, campus-2/);
  });

  test('S3-47 drains on SIGTERM, takes endpoints.json away, keeps the key, and ends with 0', async () => {
    const { keyFile, uid } = readEndpoints();
    up.child.kill('SIGTERM');
    const { code, stderr } = await up.ended;
    assert.deepEqual([code, existsSync(endpointsFile), existsSync(keyFile)], [0, false, true], stderr);
    const again = sandbox.start('up', '-f', CAMPUS, '--port', '0', '-o', 'json');
    const printed = await until(
      'the endpoints as JSON',
      () => again.stdout().includes('\n') && (JSON.parse(again.stdout()) as Endpoints),
    );
    assert.equal(printed.uid, uid, 'same folder, same key, same pool');
    again.child.kill('SIGINT');
    await until('draining', () => again.stderr().includes('draining'));
    // A later signal than the first means it: wait out the time within which both would be the same Ctrl-C.
    const firstMs = performance.now();
    await until('the end by a second signal', () => {
      if (performance.now() - firstMs > 600) again.child.kill('SIGINT');
      return again.child.exitCode !== null;
    });
    assert.deepEqual([(await again.ended).code, existsSync(endpointsFile)], [1, false]);
    assert.match(again.stderr(), /ended at once/);
  });
});

describe('the catalogue', () => {
  test('lists every product with IDs, threshold, protocol and host keys', async () => {
    const { code, stdout } = await sandbox.run('catalog', '-o', 'json');
    const products = JSON.parse(stdout) as Record<string, unknown>[];
    assert.deepEqual([code, products.length], [0, 20]);
    for (const product of products) {
      assert.match(String(product['countedId']), /^[0-9a-f-]{36}$/);
      assert.ok((product['editions'] as { skuId: string }[]).every(({ skuId }) => /^[0-9a-f-]{36}$/.test(skuId)));
      assert.ok((product['hostKeys'] as unknown[]).length > 0, String(product['slug']));
    }
    const table = (await sandbox.run('catalog')).stdout;
    assert.match(
      table,
      /^windows-11 +Windows 11 +Windows +25 +6 +[0-9a-f-]{36} +WindowsServer2025, WindowsServer2022$/m,
    );
  });

  test('S3-21 shows one product with its editions, and whether it looks at SRV priority', async () => {
    const { code, stdout } = await sandbox.run('catalog', 'windows-server-2008');
    assert.equal(code, 0);
    assert.match(stdout, /SRV priority +ignored/);
    assert.match(stdout, /windows-server-2008-datacenter .* C +[0-9a-f-]{36}/);
    assert.match(stdout, /WindowsServer2008GroupA +WindowsServer2003, WindowsServer2008/);
  });
});
