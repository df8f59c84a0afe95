// SPDX-License-Identifier: Apache-2.0
//
// A user's mistake is one line on standard error and exit code 2, whatever it is; help and version are no mistakes.

import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { placeHosts } from '../pool/ports.ts';
import { CAMPUS, openSandbox } from '../testing/child.ts';
import { runHere } from '../testing/here.ts';
import { listen } from '../testing/listener.ts';

const sandbox = openSandbox();
after(() => sandbox.close());

const file = (name: string, content: string | Buffer): string => {
  writeFileSync(join(sandbox.dir, name), content);
  return name;
};
file('short.key', Buffer.alloc(5));
file('good.key', Buffer.alloc(32, 1));
file('zone.yaml', readFileSync(CAMPUS, 'utf8').replace('name: lab.example', 'name: lab.corp'));
file('broken.yaml', 'spec: [');

const MISTAKES: readonly (readonly [args: readonly string[], line: RegExp])[] = [
  [['frobnicate'], /unknown verb 'frobnicate'; see .*--help/],
  [['--frob'], /unknown option '--frob'/],
  [['dlv', '--frob'], /unknown option '--frob'; see .*dlv --help/],
  [['dlv', '--timeot', '3s'], /unknown option '--timeot' \(Did you mean --timeout\?\)/],
  [['dlv', 'a', 'b'], /too many arguments/],
  [['up'], /-f, --file <manifest>' not specified/],
  [['up', '-f', 'nope.yaml'], /-f: nope\.yaml cannot be read \(ENOENT\)/],
  [['up', '-f', 'broken.yaml'], /broken\.yaml:1: this is not YAML/],
  [
    ['up', '-f', 'zone.yaml'],
    /zone\.yaml: spec\.dns\.domains\[0\]\.name: lab\.corp is no test zone \(ZoneNotAllowed\)/,
  ],
  [
    ['up', '-f', CAMPUS, '--port', '70000'],
    /--port <n>' argument '70000' is invalid\. Use a whole number from 0 to 65535/,
  ],
  [['up', '-f', CAMPUS, '--key-file', 'short.key'], /--key-file: .*short\.key has 5 bytes; .*at least 32/],
  [['up', '-f', CAMPUS, '--key-file', 'nope.key'], /--key-file: .*nope\.key cannot be read \(ENOENT\)/],
  [['up', '-f', CAMPUS, '--redis', 'localhost:6379'], /--redis: write redis:\/\/host:port/],
  [['up', '-f', CAMPUS, '--state', '/proc/kmsctl'], /--state: \/proc\/kmsctl cannot be written/],
  [['up', '-f', CAMPUS, '--pool', 'other'], /--pool: .* has no pool other; use one of campus/],
  [['up', '-f', CAMPUS, '--log-level', 'loud'], /Allowed choices are debug, info, warn, error, silent/],
  [['demo', '--pace', 'slow'], /Write a time such as 500ms/],
  [['activate'], /no pool runs on this machine, and a client needs a pool's key/],
  [['activate', '--state', 'nowhere'], /--state: no pool runs from .*nowhere/],
  [['activate', '--product', 'windows-12'], /no product "windows-12"; use one of windows-vista/],
  [['activate', '--edition', 'windows-10-pro'], /belongs to --product windows-10/],
  [['activate', '--protocol', '7'], /Allowed choices are 4, 5, 6/],
  [['activate', '--cmid', '1234'], /Write a GUID/],
  [['activate', 'host:99999', '--key-file', 'good.key'], /HOST:PORT/],
  [['activate', '127.0.0.1', '--key-file', 'short.key'], /short\.key has 5 bytes/],
  [['activate', '--dns', 'ns.lab.example'], /ADDRESS or ADDRESS:PORT of a name server/],
  [['dlv'], /no pool runs on this machine; start one with kmsctl up/],
  [['dlv', 'ftp://127.0.0.1'], /is not a URL of a host; write http:\/\/ADDRESS:PORT/],
  [['dlv', '--kubeconfig', 'nope'], /kubeconfig .*nope: ENOENT/],
  [['clients', '-n', 'kms'], /no cluster to ask: give --kubeconfig FILE, set KUBECONFIG/],
  [['clients', '--older-than', '-5h'], /Write an age such as 90s/],
  [['clients', 'http://127.0.0.1:1'], /named by its URL needs --token-file/],
  [['events', '--hresult', 'E_FAIL'], /Write a code such as 0xC004F042/],
  [['import'], /-f, --file <file>' not specified/],
  [['who-uses'], /missing required argument 'host'/],
  [['catalog', 'windows-12'], /no product "windows-12"/],
  [['catalog', '-o', 'xml'], /Allowed choices are text, json/],
];

const here = (args: readonly string[]): ReturnType<typeof runHere> => runHere(args, { dir: sandbox.dir });

describe('a mistake is one line and exit code 2:', () => {
  for (const [args, line] of MISTAKES) {
    test(`kmsctl ${args.map((arg) => (arg === CAMPUS ? 'campus.yaml' : arg)).join(' ')}`, async () => {
      const { code, stdout, stderr } = await here(args);
      assert.deepEqual([code, stdout], [2, ''], stderr);
      assert.match(stderr, /^kmsctl: [^\n]+\n$/);
      assert.match(stderr, line);
    });
  }
});

test('a mistake ends the process with 2 and without a stack trace', async () => {
  const samples = [['frobnicate'], ['up', '-f', 'nope.yaml'], ['activate', '--product', 'windows-12'], ['dlv']];
  for (const { code, stdout, stderr } of await Promise.all(samples.map((args) => sandbox.run(...args)))) {
    assert.deepEqual([code, stdout], [2, '']);
    assert.match(stderr, /^kmsctl: [^\n]+\n$/);
  }
});

test('dlv says so when what answers is no host', async () => {
  const web = await listen((socket) => {
    socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}'));
  });
  const { code, stderr } = await sandbox.run('dlv', `http://127.0.0.1:${web.port}`);
  await web.close();
  assert.deepEqual([code, stderr.split('\n').length], [2, 2], stderr);
  assert.match(stderr, /answers, but is no host of kmspool/);
  const gone = await sandbox.run('dlv', `http://127.0.0.1:${web.port}`);
  assert.equal(gone.code, 2);
  assert.match(gone.stderr, /ECONNREFUSED/);
});

test('up refuses a port in use', async () => {
  const [place] = await placeHosts({ replicas: 1, port: 0 });
  assert.ok(place);
  const blocker = await listen(() => {}, place);
  const { code, stderr } = await sandbox.run('up', '-f', CAMPUS, '--port', String(place.port));
  await blocker.close();
  assert.equal(code, 2, stderr);
  assert.match(
    stderr,
    /^kmsctl: port \d+ on [\d.]+ is in use; stop what listens there, or choose another port with --port\n$/,
  );
  assert.equal(existsSync(join(sandbox.dir, 'state', 'kmspool', 'campus', 'up.pid')), false);
});

test('prints its version', async () => {
  const { code, stdout } = await sandbox.run('--version');
  assert.equal(code, 0);
  assert.match(stdout, /^kmsctl \d+\.\d+\.\d+\n$/);
});
