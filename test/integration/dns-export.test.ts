// SPDX-License-Identifier: Apache-2.0
//
// What `kmsctl dns export` prints, taken by the programs that it is printed for: BIND's tools, nsupdate with a key, PowerDNS, dnsmasq, Unbound.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { CAMPUS, openSandbox } from '../../kmsctl/testing/child.ts';
import { runHere } from '../../kmsctl/testing/here.ts';
import { dig, missingPowerDns, type PowerDns, startPowerDns } from '../harness/kubernetes/dns-peers.ts';
import { fixedPort, startServer } from '../harness/kubernetes/server-process.ts';
import { missingTool, toolPath } from '../harness/kubernetes/tools.ts';
import { waitFor } from '../harness/wait.ts';

const exec = promisify(execFile);
const sandbox = openSandbox();
after(() => sandbox.close());

const ADDRESSES = ['campus-0=192.0.2.10', 'campus-0=fd00::10', 'campus-1=192.0.2.11', 'campus-2=192.0.2.12'];
const SRV_LAB = [
  '0 60 1688 campus-0.kms.lab.example.',
  '0 60 1688 campus-1.kms.lab.example.',
  '10 0 1688 campus-2.kms.lab.example.',
];
const SRV_BRANCH = [0, 1, 2].map((n) => `10 0 1688 campus-${n}.kms.lab.example.`);

async function exported(format: string, ...more: string[]): Promise<string> {
  const addresses = ADDRESSES.flatMap((address) => ['--address', address]);
  const said = await runHere(['dns', 'export', '-f', CAMPUS, '--format', format, ...addresses, ...more], {
    dir: sandbox.dir,
  });
  assert.equal(said.code, 0, said.stderr);
  return said.stdout;
}

function file(name: string, content: string): string {
  const path = join(sandbox.dir, name);
  writeFileSync(path, content);
  return path;
}

async function assertAnswers(server: { address: string; port: number }): Promise<void> {
  assert.deepEqual(await dig(server, '_vlmcs._tcp.lab.example', 'SRV'), SRV_LAB);
  assert.deepEqual(await dig(server, '_vlmcs._tcp.branch.example', 'SRV'), SRV_BRANCH);
  assert.deepEqual(await dig(server, 'campus-0.kms.lab.example', 'A'), ['192.0.2.10']);
  assert.deepEqual(await dig(server, 'campus-0.kms.lab.example', 'AAAA'), ['fd00::10']);
}

const zoneOf = (domain: string): Promise<string> =>
  exported('bind', '--domain', domain, '--nameserver', `ns1.${domain}=192.0.2.53`, '--serial', '7');

test('S2-22 S3-71 named-checkzone loads each zone', { skip: missingTool('named-checkzone') }, async () => {
  for (const domain of ['lab.example', 'branch.example']) {
    const zone = file(`${domain}.zone`, await zoneOf(domain));
    // A target in another zone is no mistake, and nobody is to be asked about it.
    const { stdout } = await exec(toolPath('named-checkzone'), ['-i', 'local', '-k', 'fail', domain, zone]);
    assert.match(stdout, /loaded serial 7\nOK/);
  }
  const fragment = await exported('bind', '--domain', 'lab.example');
  const whole = `$TTL 60\n@ SOA ns.lab.example. h.lab.example. 1 60 60 60 60\n@ NS ns.lab.example.\nns A 192.0.2.53\n${fragment}`;
  await exec(toolPath('named-checkzone'), ['-i', 'local', 'lab.example', file('fragment.zone', whole)]);
});

describe('PowerDNS', { skip: missingPowerDns() || missingTool('pdnsutil', 'nsupdate') }, () => {
  const secret = randomBytes(32).toString('base64');
  let server: PowerDns | undefined;
  after(() => server?.stop());

  async function started(): Promise<PowerDns> {
    server ??= await startPowerDns({
      zones: ['lab.example', 'branch.example'],
      settings: { dnsupdate: 'yes', 'allow-dnsupdate-from': '127.0.0.0/8' },
    });
    return server;
  }

  async function pdnsutil({ database }: PowerDns, ...args: string[]): Promise<void> {
    file('pdns.conf', `launch=gsqlite3\ngsqlite3-database=${database}\n`);
    await exec(toolPath('pdnsutil'), [`--config-dir=${sandbox.dir}`, ...args]);
  }

  test('S2-22 loads the BIND zones and answers with their records', async () => {
    const pdns = await started();
    for (const domain of ['lab.example', 'branch.example']) {
      await pdnsutil(pdns, 'load-zone', domain, file(`${domain}.zone`, await zoneOf(domain)));
    }
    await assertAnswers(pdns);
  });

  test('S2-24 S3-29 S3-63 nsupdate takes the records out and puts them in again, with the key and not without it', async () => {
    const pdns = await started();
    const at = ['--server', `${pdns.address}:${pdns.port}`];
    const key = file('kmspool.key', `key "kmspool" { algorithm hmac-sha256; secret "${secret}"; };\n`);
    await pdnsutil(pdns, 'import-tsig-key', 'kmspool', 'hmac-sha256', secret);
    for (const zone of pdns.zones) await pdnsutil(pdns, 'set-meta', zone, 'TSIG-ALLOW-DNSUPDATE', 'kmspool');
    const nsupdate = async (script: string, ...args: string[]): Promise<void> => {
      await exec(toolPath('nsupdate'), [...args, file('update.txt', script)]);
    };
    await nsupdate(await exported('nsupdate', ...at), '-k', key);
    await assertAnswers(pdns);
    const remove = await exported('nsupdate', ...at, '--remove', '--domain', 'branch.example');
    await assert.rejects(nsupdate(remove), /REFUSED|NOTAUTH/);
    await nsupdate(remove, '-k', key);
    assert.deepEqual(await dig(pdns, '_vlmcs._tcp.branch.example', 'SRV'), []);
    assert.deepEqual(await dig(pdns, '_vlmcs._tcp.lab.example', 'SRV'), SRV_LAB);
    await nsupdate(await exported('nsupdate', ...at), '-k', key);
    await assertAnswers(pdns);
  });
});

/** Runs a name server in the foreground until `use` is done. */
async function serving(name: string, command: string, args: string[], port: number): Promise<void> {
  const server = startServer({ command, args, logFile: join(sandbox.dir, `${name}.log`) });
  try {
    const address = { address: '127.0.0.1', port };
    await waitFor(name, async () => {
      if (server.exitCode() !== undefined) throw new Error(`it ended with ${server.exitCode()}: ${server.log()}`);
      return (await dig(address, '_vlmcs._tcp.lab.example', 'SRV').catch(() => [])).length > 0;
    });
    await assertAnswers(address);
  } finally {
    await server.kill();
  }
}

test('S2-22 dnsmasq accepts the lines and answers with the records', {
  skip: missingTool('dnsmasq', 'dig'),
}, async () => {
  const conf = file('dnsmasq.conf', await exported('dnsmasq'));
  const { stderr } = await exec(toolPath('dnsmasq'), ['--test', `--conf-file=${conf}`]);
  assert.match(stderr, /syntax check OK/);
  const port = await fixedPort();
  const alone = [
    '--no-resolv',
    '--no-hosts',
    '--bind-interfaces',
    '--listen-address=127.0.0.1',
    '--user=',
    '--pid-file=',
  ];
  await serving(
    'dnsmasq',
    toolPath('dnsmasq'),
    ['--keep-in-foreground', `--conf-file=${conf}`, `--port=${port}`, ...alone],
    port,
  );
});

test('S2-22 Unbound accepts the lines and answers with the records', {
  skip: missingTool('unbound', 'unbound-checkconf', 'dig'),
}, async () => {
  const port = await fixedPort();
  const alone = [
    ...[
      'username: ""',
      'chroot: ""',
      'pidfile: ""',
      'use-syslog: no',
      'do-daemonize: no',
      'do-not-query-localhost: yes',
    ],
    ...[
      `directory: "${sandbox.dir}"`,
      `interface: 127.0.0.1@${port}`,
      'access-control: 127.0.0.0/8 allow',
      'num-threads: 1',
    ],
  ];
  const settings = alone.map((line) => `    ${line}\n`).join('');
  const conf = file('unbound.conf', `${await exported('unbound')}${settings}`);
  await exec(toolPath('unbound-checkconf'), [conf]);
  await serving('unbound', toolPath('unbound'), ['-d', '-p', '-c', conf], port);
});
