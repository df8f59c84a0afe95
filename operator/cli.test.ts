// SPDX-License-Identifier: Apache-2.0
//
// Flags and environment: what is read from them, and one line for each mistake. That the process prints it and ends with 2 is tested on the process itself.

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { type CliOptions, type Environment, readCli } from './cli.ts';
import { FLAGS, variableOf } from './cli-flags.ts';
import { VERSION } from './version.ts';

const folder = mkdtempSync(join(tmpdir(), 'kmspool-operator-cli-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const kubeconfig = join(folder, 'config');
writeFileSync(kubeconfig, '');

/** A file system that looks like a pod's. */
const pod = join(folder, 'pod');
const account = join(pod, 'var/run/secrets/kubernetes.io/serviceaccount');
mkdirSync(account, { recursive: true });
writeFileSync(join(account, 'token'), 't');
writeFileSync(join(account, 'namespace'), 'kmspool-system\n');
const POD_ENV = { KUBERNETES_SERVICE_HOST: '10.96.0.1' };

function read(argv: readonly string[] = [], env: Environment = {}, root = folder): CliOptions {
  const cli = readCli(argv, env, root);
  assert.ok(!('exitCode' in cli), 'output' in cli ? cli.output : '');
  return cli;
}

/** The line that these flags get, without the program's name. */
function mistake(argv: readonly string[], env: Environment = {}): string {
  const cli = readCli(argv, env, folder);
  assert.ok('exitCode' in cli, `nothing was wrong with ${argv.join(' ')}`);
  assert.equal(cli.exitCode, 2);
  assert.match(cli.output, /^kmspool-operator: [^\n]+\n$/);
  return cli.output.slice('kmspool-operator: '.length, -1);
}

describe('what is read', () => {
  test('without a flag everything has a default', () => {
    assert.deepEqual(read(), {
      kubeconfig: undefined,
      context: undefined,
      watchNamespaces: [],
      hostImage: `kmspool/kms-node:${VERSION}`,
      hostImagePullPolicy: 'IfNotPresent',
      hostAccess: 'Proxy',
      emulatedDnsZones: ['test', 'example'],
      resolvers: [],
      withdrawBoundSeconds: 600,
      externalDnsIntervalSeconds: 60,
      lease: {
        namespace: 'default',
        name: 'kmspool-operator',
        durationSeconds: 15,
        renewDeadlineMs: 10_000,
        retryPeriodMs: 2_000,
      },
      workers: 4,
      resyncMs: 600_000,
      watchSilenceMs: 150_000,
      apiQps: 200,
      apiBurst: 400,
      http: { address: '::', port: 8081 },
      logLevel: 'info',
      instance: hostname(),
    });
  });

  test('every flag is taken', () => {
    const argv = [
      ['--kubeconfig', kubeconfig],
      ['--context', 'lab'],
      ['--watch-namespace', 'kms, lab'],
      ['--watch-namespace=lab'],
      ['--host-image', 'harbour.example:5000/kms/node@sha256:'.concat('a'.repeat(64))],
      ['--host-image-pull-policy', 'Always'],
      ['--host-access', 'Direct'],
      ['--emulated-dns-zone', 'lab.corp.internal'],
      ['--resolver', '10.0.0.10'],
      ['--resolver', '[fd00::10]:5353,fd00::11'],
      ['--withdraw-bound-minutes', '0.5'],
      ['--external-dns-interval-minutes', '5'],
      ['--lease-namespace', 'ops'],
      ['--lease-name', 'kms.lab'],
      ['--lease-duration-seconds', '4'],
      ['--lease-renew-deadline-seconds', '2.5'],
      ['--lease-retry-period-seconds', '0.5'],
      ['--workers', '8'],
      ['--resync-minutes', '2'],
      ['--watch-silence-seconds', '90'],
      ['--api-qps', '20'],
      ['--api-burst', '40'],
      ['--http', '127.0.0.1:0'],
      ['--log-level', 'debug'],
      ['--instance', 'operator-abc'],
    ];
    assert.deepEqual(read(argv.flat()), {
      kubeconfig,
      context: 'lab',
      watchNamespaces: ['kms', 'lab'],
      hostImage: `harbour.example:5000/kms/node@sha256:${'a'.repeat(64)}`,
      hostImagePullPolicy: 'Always',
      hostAccess: 'Direct',
      emulatedDnsZones: ['lab.corp.internal'],
      resolvers: [
        { address: '10.0.0.10', port: 53 },
        { address: 'fd00::10', port: 5353 },
        { address: 'fd00::11', port: 53 },
      ],
      withdrawBoundSeconds: 30,
      externalDnsIntervalSeconds: 300,
      lease: { namespace: 'ops', name: 'kms.lab', durationSeconds: 4, renewDeadlineMs: 2_500, retryPeriodMs: 500 },
      workers: 8,
      resyncMs: 120_000,
      watchSilenceMs: 90_000,
      apiQps: 20,
      apiBurst: 40,
      http: { address: '127.0.0.1', port: 0 },
      logLevel: 'debug',
      instance: 'operator-abc',
    });
  });

  test('a switch, an address of every interface, and no HTTP at all', () => {
    assert.equal(read(['--no-leader-elect']).lease, undefined);
    assert.notEqual(read(['--no-leader-elect', '--leader-elect']).lease, undefined);
    assert.deepEqual(read(['--http', ':9000']).http, { address: '::', port: 9000 });
    assert.equal(read(['--http', 'off']).http, undefined);
  });

  test('in a pod hosts are asked directly and the Lease is in the own namespace; a kubeconfig means outside', () => {
    const inside = read([], POD_ENV, pod);
    assert.deepEqual([inside.hostAccess, inside.lease?.namespace], ['Direct', 'kmspool-system']);
    assert.equal(read(['--kubeconfig', kubeconfig], POD_ENV, pod).hostAccess, 'Proxy');
    assert.equal(read([], { ...POD_ENV, KUBECONFIG: kubeconfig }, pod).hostAccess, 'Proxy');
    assert.equal(read(['--host-access', 'Proxy'], POD_ENV, pod).hostAccess, 'Proxy');
    assert.equal(read([], POD_ENV, folder).hostAccess, 'Proxy', 'without a token it is no pod');
  });

  test('every flag can be given as a variable', () => {
    const texts: Record<string, string> = {
      kubeconfig,
      'host-image-pull-policy': 'Never',
      'host-access': 'Direct',
      'emulated-dns-zone': 'lab.example,other.test',
      resolver: '10.0.0.10,10.0.0.11',
      'leader-elect': 'true',
      'lease-duration-seconds': '30',
      'lease-retry-period-seconds': '3',
      http: 'off',
      'log-level': 'warn',
      'host-image': 'a/b:1',
    };
    const env = Object.fromEntries(FLAGS.map(({ name }) => [variableOf(name), texts[name] ?? '7']));
    const cli = read([], env);
    assert.deepEqual([cli.watchNamespaces, cli.workers, cli.instance, cli.context], [['7'], 7, '7', '7']);
    assert.deepEqual([cli.emulatedDnsZones, cli.resolvers.length], [['lab.example', 'other.test'], 2]);
    assert.deepEqual([cli.lease?.renewDeadlineMs, cli.http, cli.hostImage], [7_000, undefined, 'a/b:1']);
    assert.equal(variableOf('api-qps'), 'KMSPOOL_OPERATOR_API_QPS');
  });

  test('the command line comes before the variable, a variable of its own before a shared one, and an empty one is none', () => {
    const env = { KMSPOOL_OPERATOR_WATCH_NAMESPACE: 'a', KMSPOOL_OPERATOR_WORKERS: '', KMSPOOL_HOST_IMAGE: 'shared:1' };
    assert.deepEqual(read(['--watch-namespace', 'b'], env).watchNamespaces, ['b']);
    assert.deepEqual([read([], env).watchNamespaces, read([], env).workers], [['a'], 4]);
    assert.equal(read([], env).hostImage, 'shared:1');
    assert.equal(read([], { ...env, KMSPOOL_OPERATOR_HOST_IMAGE: 'own:1' }).hostImage, 'own:1');
    assert.equal(read(['--host-image', 'flag:1'], env).hostImage, 'flag:1');
  });
});

test('--help names every flag, its default and its variable, with examples; --version says the version', () => {
  const help = readCli(['--help'], {});
  assert.ok('exitCode' in help);
  assert.equal(help.exitCode, 0);
  for (const flag of FLAGS) {
    assert.ok(help.output.includes(`--${flag.name}`), flag.name);
    assert.ok(help.output.includes(flag.group));
    assert.ok(
      help.output
        .replaceAll(/\s+/g, ' ')
        .includes('byDefault' in flag ? `(default: ${flag.byDefault})` : flag.defaultText),
    );
  }
  assert.match(help.output, /KMSPOOL_OPERATOR_/);
  assert.match(help.output, /Examples:\n/);
  for (const line of help.output.split('\n')) assert.ok(line.length <= 140, line);
  assert.deepEqual(readCli(['--version'], {}), { exitCode: 0, output: `kmspool-operator ${VERSION}\n` });
  assert.deepEqual(readCli(['-V', '--workers', 'x'], {}), { exitCode: 0, output: `kmspool-operator ${VERSION}\n` });
});

describe('mistakes', () => {
  test('an unknown flag, a word too many and a missing value', () => {
    assert.equal(
      mistake(['--watch-namespaces', 'x']),
      "unknown option '--watch-namespaces' (Did you mean --watch-namespace?); see kmspool-operator --help",
    );
    assert.match(mistake(['serve']), /^too many arguments.* serve; see kmspool-operator --help$/);
    assert.match(mistake(['--workers']), /^option '--workers <N>' argument missing; see kmspool-operator --help$/);
  });

  const wrong: Record<string, readonly [texts: readonly string[], remedy: RegExp]> = {
    kubeconfig: [['/nowhere/config'], /^"\/nowhere\/config" cannot be read \(ENOENT\); name a file that is there$/],
    context: [[' '], /^is empty; write a name or leave it out$/],
    'watch-namespace': [
      ['KMS', 'a b', '-x', 'a.b', 'kms,', 'x'.repeat(64)],
      /is no namespace; write at most 63 of a-z/,
    ],
    'host-image': [
      ['https://harbour.example/a:1', 'Upper:1', 'a b', 'a:', 'a@sha256:12'],
      /is no image; write NAME:TAG or NAME@sha256:DIGEST, names in lower case and without https:\/\/$/,
    ],
    'host-image-pull-policy': [['always', 'x'], /is not known; use one of Always, IfNotPresent, Never$/],
    'host-access': [['direct'], /is not known; use one of Direct, Proxy$/],
    resolver: [
      ['dns.example', '10.0.0.10:0', '10.0.0.10:65536', '10.0.0', '[fd00::1', 'fd00::1]:53', ''],
      /is no address of a DNS server; write e\.g\. 10\.0\.0\.10, 10\.0\.0\.10:5353 or \[fd00::10\]:53$/,
    ],
    'withdraw-bound-minutes': [
      ['0', '10m', '-1', '1441', 'x'],
      /is not from 0\.01 to 1440 minutes; write a number without a unit$/,
    ],
    'external-dns-interval-minutes': [['0', '5m'], /is not from 0\.01 to 1440 minutes/],
    'resync-minutes': [['0', '1e3'], /is not from 0\.01 to 1440 minutes/],
    'watch-silence-seconds': [['0', '0.5', '3601', '60s'], /is not from 1 to 3600 seconds/],
    'lease-namespace': [['Default'], /is no namespace/],
    'lease-name': [
      ['kms/operator', 'A', 'a..b'],
      /cannot name an object; write a-z, 0-9, '-' and '\.', such as kmspool-operator$/,
    ],
    'lease-duration-seconds': [['0', '15s', '1.5'], /is not a whole number from 1 to 3600; write one$/],
    'lease-renew-deadline-seconds': [['x'], /is not from 0\.1 to 3600 seconds/],
    'lease-retry-period-seconds': [['2s'], /is not from 0\.1 to 3600 seconds/],
    workers: [['0', '65', 'four', '1.5', '-1'], /is not a whole number from 1 to 64; write one$/],
    'api-qps': [['0', 'Infinity'], /is not a whole number from 1 to 100000; write one$/],
    'api-burst': [['0'], /is not a whole number from 1 to 100000; write one$/],
    http: [
      ['localhost', '127.0.0.1:', '127.0.0.1:65536', '::1:80', '[::1]', 'localhost:80', 'no'],
      /is not ADDRESS:PORT; write e\.g\. 127\.0\.0\.1:8081 or \[::\]:8081, or off$/,
    ],
    'log-level': [['loud', 'INFO'], /is not known; use one of fatal, error, warn, info, debug, trace, silent$/],
    instance: [[' '], /^is empty; write a name or leave it out$/],
  };

  for (const [name, [texts, remedy]] of Object.entries(wrong))
    test(`--${name}: ${texts.map((text) => JSON.stringify(text.slice(0, 30))).join(', ')}`, () => {
      for (const text of texts) {
        const line = mistake([`--${name}=${text}`]);
        assert.ok(line.startsWith(`--${name}: `), line);
        assert.match(line.slice(`--${name}: `.length), remedy);
      }
    });

  test('a zone that is none, or that would allow every zone', () => {
    for (const text of ['', '*', 'no zone', 'a..b'])
      assert.match(mistake([`--emulated-dns-zone=${text}`]), /^--emulated-dns-zone: ./);
  });

  test('every flag with a value has a case here', () => {
    const cases = new Set([...Object.keys(wrong), 'emulated-dns-zone', 'leader-elect']);
    assert.deepEqual(
      FLAGS.map(({ name }) => name).filter((name) => !cases.has(name)),
      [],
    );
  });

  test('a mistake in a variable names the variable', () => {
    assert.equal(
      mistake([], { KMSPOOL_OPERATOR_LEADER_ELECT: 'yes' }),
      'KMSPOOL_OPERATOR_LEADER_ELECT: "yes" is not known; use one of true, false',
    );
    assert.match(mistake([], { KMSPOOL_HOST_IMAGE: 'A' }), /^KMSPOOL_HOST_IMAGE: "A" is no image/);
    assert.match(mistake([], { KMSPOOL_OPERATOR_EMULATED_DNS_ZONE: '*' }), /^KMSPOOL_OPERATOR_EMULATED_DNS_ZONE: /);
  });

  test('times of the Lease that would let two lead, or leave only one attempt', () => {
    assert.equal(
      mistake(['--lease-duration-seconds', '10']),
      '--lease-renew-deadline-seconds: must be less than --lease-duration-seconds (10), else two may lead; lower it',
    );
    assert.equal(
      mistake(['--lease-retry-period-seconds', '9']),
      '--lease-retry-period-seconds: 1.2 times it must be less than --lease-renew-deadline-seconds (10); lower it',
    );
    assert.equal(read(['--no-leader-elect', '--lease-duration-seconds', '1']).lease, undefined);
  });
});
