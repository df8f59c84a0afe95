// SPDX-License-Identifier: Apache-2.0
//
// `kmsctl dns` as a user types it, in this process.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { parse } from 'yaml';
import { decodeText } from '../dns-formats/registry.ts';
import { CAMPUS, openSandbox } from '../testing/child.ts';
import { runHere } from '../testing/here.ts';

const sandbox = openSandbox();
after(() => sandbox.close());
const kmsctl = (...args: string[]): ReturnType<typeof runHere> => runHere(args, { dir: sandbox.dir });
const file = (name: string, content: string | Buffer): string => {
  writeFileSync(join(sandbox.dir, name), content);
  return name;
};

const campus = readFileSync(CAMPUS, 'utf8');
// As kubectl prints it: the status knows where the hosts are.
const withStatus = `${campus}status:
  hosts:
    - {name: campus-0, ready: true, fqdn: campus-0.kms.lab.example, address: 10.96.4.7, addresses: ["10.96.4.7", "fd00::7"], port: 1688}
    - {name: campus-1, ready: true, fqdn: lb.other.example, port: 31688}
`;
file('seen.yaml', withStatus);
file('hostile.yaml', campus.replace('namespace: kms', `namespace: "k'; calc; '"`));
file('manual.yaml', campus.replace('publisher: ExternalDNS', 'publisher: None'));

describe('kmsctl dns export', () => {
  test('lists the records, as text and as JSON', async () => {
    const text = await kmsctl('dns', 'export', '-f', CAMPUS);
    assert.match(
      text.stdout,
      /^NAME +TTL +TYPE +DATA\n_vlmcs\._tcp\.lab\.example +60 +SRV +0 60 1688 campus-0\.kms\.lab\.example\./,
    );
    const { records } = JSON.parse((await kmsctl('dns', 'export', '-f', CAMPUS, '-o', 'json')).stdout);
    assert.equal(records.length, 6);
  });

  test('takes addresses, ports and load balancers from the status that kubectl prints', async () => {
    const { stdout } = await kmsctl('dns', 'export', '-f', 'seen.yaml', '--format', 'bind', '--domain', 'lab.example');
    assert.match(stdout, /^campus-0\.kms 60 IN A +10\.96\.4\.7$/m);
    assert.match(stdout, /^campus-0\.kms 60 IN AAAA fd00::7$/m);
    assert.match(stdout, /SRV +0 60 31688 lb\.other\.example\.$/m);
  });

  test('S3-69 S3-70 says when somebody else writes the same records, and which addresses are missing', async () => {
    const twice = await kmsctl('dns', 'export', '-f', CAMPUS, '--format', 'nsupdate');
    assert.match(twice.stderr, /spec\.dns\.publisher is ExternalDNS/);
    assert.match(twice.stderr, /no address is known of campus-0\.kms\.lab\.example, /);
    const given = ['0', '1', '2'].flatMap((n) => ['--address', `campus-${n}=192.0.2.1${n}`]);
    const manual = await kmsctl('dns', 'export', '-f', 'manual.yaml', '--format', 'nsupdate', ...given);
    assert.equal(manual.stderr, '');
  });

  test('writes a .reg file for one host that comes back as its domains', async () => {
    const out = await kmsctl(
      'dns',
      'export',
      '-f',
      CAMPUS,
      '--format',
      'reg',
      '--host',
      'campus-2',
      '--out',
      'kms2.reg',
    );
    assert.deepEqual([out.code, out.stdout], [0, '']);
    assert.match(
      decodeText(readFileSync(join(sandbox.dir, 'kms2.reg'))),
      /SoftwareProtectionPlatform\]\r\n"DnsDomainPublishList"=hex\(7\):/,
    );
    const back = await kmsctl('dns', 'import', 'kms2.reg', '-o', 'json');
    assert.deepEqual(JSON.parse(back.stdout).spec.dns.domains, [
      { name: 'lab.example', priority: 10, weight: 0 },
      { name: 'branch.example', priority: 10, weight: 0 },
    ]);
  });

  test('writes files for Windows with its line ends, and others without', async () => {
    const written = async (format: string): Promise<string> => {
      await kmsctl('dns', 'export', '-f', CAMPUS, '--format', format, '--out', 'out.txt');
      return readFileSync(join(sandbox.dir, 'out.txt'), 'utf8');
    };
    for (const format of ['powershell', 'dnscmd', 'skms', 'publish-list'])
      assert.doesNotMatch(await written(format), /[^\r]\n/, format);
    for (const format of ['bind', 'nsupdate', 'dnsmasq', 'unbound'])
      assert.doesNotMatch(await written(format), /\r/, format);
  });

  test('S2-09 S3-72 a pool that is not to be published becomes DisableDnsPublishing 1, and comes back as such', async () => {
    await kmsctl('dns', 'export', '-f', 'manual.yaml', '--format', 'reg', '--host', 'campus-0', '--out', 'off0.reg');
    assert.match(decodeText(readFileSync(join(sandbox.dir, 'off0.reg'))), /"DisableDnsPublishing"=dword:00000001\r\n/);
    assert.equal(
      JSON.parse((await kmsctl('dns', 'import', 'off0.reg', '-o', 'json')).stdout).spec.dns.publisher,
      'None',
    );
  });

  const MISTAKES: readonly (readonly [args: readonly string[], line: RegExp])[] = [
    [['-f', 'hostile.yaml', '--format', 'powershell'], /metadata\.namespace .* is no DNS name/],
    [['-f', CAMPUS, '--format', 'reg'], /each needs a file of its own; choose one with --host: campus-0/],
    [['-f', CAMPUS, '--format', 'reg', '--host', 'kms9'], /--host: the pool has no host kms9; use one of campus-0/],
    [
      ['-f', CAMPUS, '--format', 'bind', '--remove'],
      /--remove means nothing here; it goes with --format powershell or/,
    ],
    [['-f', CAMPUS, '--format', 'bind', '-o', 'json'], /leave out --format/],
    [
      ['-f', CAMPUS, '--domain', 'other.example'],
      /--domain: the pool has no domain other\.example; use one of lab\.example/,
    ],
    [['-f', CAMPUS, '--address', 'campus-0'], /Write HOST=ADDRESS/],
    [['-f', CAMPUS, '--address', 'campus-9=192.0.2.1'], /--address: the pool has no host campus-9/],
    [['-f', CAMPUS, '--address', 'campus-0=nowhere'], /"nowhere" is no IP address/],
    [['-f', CAMPUS, '--zone', 'a b'], /Write a DNS name/],
    [['-f', CAMPUS, '--format', 'bind', '--nameserver', 'ns1.lab.example'], /write ns1\.lab\.example=ADDRESS/],
    [['-f', CAMPUS, '--format', 'zone'], /Allowed choices are powershell, dnscmd, bind/],
    [['-f', CAMPUS, '--out', 'no/such/folder'], /--out: no\/such\/folder cannot be written \(ENOENT\)/],
    [['-f', CAMPUS, '--state', '.'], /choose one of --file and --state/],
    [['nowhere'], /no pool runs/],
  ];
  for (const [args, line] of MISTAKES) {
    test(`${args.map((arg) => (arg === CAMPUS ? 'campus.yaml' : arg)).join(' ')}: one line and exit code 2`, async () => {
      const { code, stdout, stderr } = await kmsctl('dns', 'export', ...args);
      assert.deepEqual([code, stdout], [2, ''], stderr);
      assert.match(stderr, /^kmsctl: [^\n]+\n$/);
      assert.match(stderr, line);
    });
  }
});

describe('kmsctl dns import', () => {
  test('S2-33 S3-61 turns a list into spec.dns.domains as YAML', async () => {
    file('list.txt', 'lab.example\nbranch.example, 10, 0\n');
    const { code, stdout } = await kmsctl('dns', 'import', 'list.txt');
    assert.equal(code, 0);
    assert.deepEqual(parse(stdout).spec.dns, {
      domains: [{ name: 'lab.example' }, { name: 'branch.example', priority: 10, weight: 0 }],
    });
  });

  test('S2-09 S3-72 a host that does not publish becomes publisher None', async () => {
    const key = 'HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\SL';
    file(
      'off.reg',
      `Windows Registry Editor Version 5.00\r\n\r\n[${key}]\r\n"DisableDnsPublishing"=dword:00000001\r\n`,
    );
    const { stdout, stderr } = await kmsctl('dns', 'import', 'off.reg');
    assert.deepEqual(parse(stdout).spec.dns, { publisher: 'None', domains: [] });
    assert.match(stderr, /of Vista or Server 2008/);
    file('on.txt', 'lab.example');
    assert.match(
      (await kmsctl('dns', 'import', 'off.reg', 'on.txt')).stderr,
      /off\.reg: DisableDnsPublishing is 1 here/,
    );
  });

  test('says which domains an emulated pool may not publish in', async () => {
    file('real.txt', 'contoso.com\nlab.example');
    assert.match(
      (await kmsctl('dns', 'import', 'real.txt')).stderr,
      /contoso\.com: an emulated pool may not publish there \(ZoneNotAllowed\)/,
    );
  });

  test('a mistake names the file and the line', async () => {
    file('bad.txt', 'lab.example\nlab example');
    const { code, stderr } = await kmsctl('dns', 'import', 'bad.txt');
    assert.deepEqual([code, stderr.split('\n').length], [2, 2]);
    assert.match(stderr, /^kmsctl: bad\.txt: line 2: "lab example" is no DNS domain; write one such as lab\.example/);
    assert.match((await kmsctl('dns', 'import', 'nope.txt')).stderr, /nope\.txt cannot be read \(ENOENT\)/);
    assert.match(
      (await kmsctl('dns', 'import')).stderr,
      /missing required argument 'file'; see kmsctl dns import --help/,
    );
  });
});

test('kmsctl dns export reads a pool that runs here: names, ranks and ports of its own DNS', async () => {
  const up = sandbox.start('up', '-f', CAMPUS, '--port', '0', '-o', 'json');
  const { hosts } = JSON.parse(await firstLine(up));
  const { stdout, stderr } = await sandbox.run('dns', 'export', 'campus', '-o', 'json');
  assert.equal(stderr, '');
  const { records } = JSON.parse(stdout);
  const srv = records.filter(
    (record: { type: string; zone: string }) => record.type === 'SRV' && record.zone === 'lab.example',
  );
  assert.deepEqual(
    srv.map((record: Record<string, unknown>) => [
      record['priority'],
      record['weight'],
      record['port'],
      record['target'],
    ]),
    [0, 0, 10].map((priority, n) => [priority, [60, 60, 0][n], hosts[n].port, `campus-${n}.kms.lab.example`]),
  );
  assert.equal(records.find((record: { type: string }) => record.type === 'A').address, hosts[0].address);
});

async function firstLine(running: { stdout(): string; ended: Promise<unknown> }): Promise<string> {
  const { until } = await import('../testing/child.ts');
  return until('endpoints', () => (running.stdout().includes('\n') ? running.stdout() : undefined));
}
