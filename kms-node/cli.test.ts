// SPDX-License-Identifier: Apache-2.0
//
// Flags and files of a host process: what is read from them, and one line for each mistake. That the process prints it and ends with 2 is tested on the
// process itself.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { UserError } from '@kmspool/crds';
import { type Cli, HELP, readCli } from './cli.ts';

const folder = mkdtempSync(join(tmpdir(), 'kmspool-cli-'));
after(() => rmSync(folder, { recursive: true, force: true }));

function write(name: string, content: string | Buffer): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

const CONFIG = {
  apiVersion: 'kmspool.io/v1alpha1',
  kind: 'HostConfig',
  pool: { name: 'campus', namespace: 'kms' },
  host: { name: 'campus-0', ordinal: 0 },
  hostKeys: [{ product: 'WindowsServer2025' }],
  store: { kind: 'memory' },
  allowedSources: ['10.0.0.0/8'],
};
const GOOD: Record<string, string> = {
  '--config': write('host.json', JSON.stringify(CONFIG)),
  '--key-file': write('key', Buffer.alloc(32, 7)),
  '--admin-token-file': write('token', '0123456789abcdef\n'),
};
const args = (changes: Record<string, string> = {}): string[] => Object.entries({ ...GOOD, ...changes }).flat();

function read(given: string[]): Cli {
  const cli = readCli(given);
  assert.ok(typeof cli === 'object');
  return cli;
}

/** The line of the UserError that these arguments give. */
function mistake(given: string[]): string {
  try {
    readCli(given);
  } catch (error) {
    assert.ok(error instanceof UserError, String(error));
    assert.doesNotMatch(error.message, /\n/);
    return error.message;
  }
  throw new Error('nothing was wrong');
}

test('the three files are enough; the rest has defaults', () => {
  const cli = read(args());
  assert.equal(cli.config.port, 1688);
  assert.deepEqual(cli.secret, Buffer.alloc(32, 7));
  assert.equal(cli.adminToken, '0123456789abcdef', 'without its newline');
  assert.deepEqual([cli.listenAddress, cli.http, cli.logLevel], ['::', { address: '::', port: 8080 }, 'info']);
  assert.deepEqual([cli.credentialsDir, cli.tlsDir], [undefined, undefined]);
});

test('addresses of the HTTP interface in all their forms', () => {
  const http = (text: string): Cli['http'] => read(args({ '--http': text })).http;
  assert.deepEqual(http('127.0.0.1:8080'), { address: '127.0.0.1', port: 8080 });
  assert.deepEqual(http('[::1]:0'), { address: '::1', port: 0 });
  assert.deepEqual(http(':9000'), { address: '::', port: 9000 });
  for (const text of ['localhost', '127.0.0.1:', '127.0.0.1:65536', '::1:80', '[::1]', '1:2:3']) {
    assert.match(mistake(args({ '--http': text })), /^--http: .* is not ADDRESS:PORT; write e\.g\. 127\.0\.0\.1:8080/);
  }
});

test('the other flags are taken as they are', () => {
  const cli = read([
    ...args({ '--listen': '10.1.2.3', '--log-level': 'debug' }),
    '--credentials-dir',
    '/c',
    '--tls-dir',
    '/t',
  ]);
  assert.deepEqual(
    [cli.listenAddress, cli.logLevel, cli.credentialsDir, cli.tlsDir],
    ['10.1.2.3', 'debug', '/c', '/t'],
  );
});

test('--help and --version need nothing else', () => {
  assert.equal(readCli(['--help']), 'help');
  assert.equal(readCli(['--version']), 'version');
  for (const flag of Object.keys(GOOD)) assert.ok(HELP.includes(flag));
});

test('bad flags are named', () => {
  assert.match(mistake([...args(), '--colour', 'blue']), /--colour.*; see kms-node --help$/);
  assert.match(mistake([...args(), 'serve']), /serve.*; see kms-node --help$/);
  assert.match(mistake(['--config']), /--config/);
  assert.match(mistake(args({ '--log-level': 'loud' })), /^--log-level: loud is not a level; use one of fatal/);
});

test('a missing flag and a missing file are named', () => {
  for (const flag of Object.keys(GOOD)) {
    const without = Object.entries(GOOD)
      .filter(([name]) => name !== flag)
      .flat();
    assert.equal(mistake(without), `${flag} is missing; see kms-node --help`);
    assert.match(
      mistake(args({ [flag]: '/nowhere/file' })),
      new RegExp(`^${flag}: /nowhere/file cannot be read \\(ENOENT\\)`),
    );
  }
});

test('a configuration that is none names the file and the field', () => {
  const bad = (name: string, text: string): string => mistake(args({ '--config': write(name, text) }));
  assert.match(bad('text.json', 'port: 1688'), /text\.json: HostConfig is not JSON: /);
  assert.match(bad('field.json', JSON.stringify({ ...CONFIG, colour: 1 })), /field\.json: .*colour/);
  assert.match(
    bad('port.json', JSON.stringify({ ...CONFIG, port: 'x', host: {} })),
    /port\.json: .*host\.name.*; .*port: /,
  );
});

test('an admin token of fewer than 16 characters is refused', () => {
  assert.match(
    mistake(args({ '--admin-token-file': write('weak', '0123456789abcde\n') })),
    /^--admin-token-file: .*fewer than 16/,
  );
});
