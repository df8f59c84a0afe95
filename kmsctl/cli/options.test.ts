// SPDX-License-Identifier: Apache-2.0

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InvalidArgumentError } from 'commander';
import { duration, hostPort, nameServer, timeout, wholeNumber } from './options.ts';

const refuses = (parse: (text: string) => unknown, ...texts: string[]): void => {
  for (const text of texts) assert.throws(() => parse(text), InvalidArgumentError, text);
};

test('a host is a name, an IPv4 or an IPv6 address, with or without a port', () => {
  assert.deepEqual(hostPort('kms.lab.example'), { host: 'kms.lab.example', port: undefined });
  assert.deepEqual(hostPort('127.0.0.1:1688'), { host: '127.0.0.1', port: 1688 });
  assert.deepEqual(hostPort('[fd00::1]:1689'), { host: 'fd00::1', port: 1689 });
  assert.deepEqual(hostPort('fd00::1'), { host: 'fd00::1', port: undefined });
  refuses(hostPort, '', 'a:0', 'a:65536', 'a:b', '[name]:1', 'a b', 'a:1:2');
});

test('a name server is an address, port 53 unless it says otherwise', () => {
  assert.deepEqual(nameServer('127.0.0.1:5353'), { address: '127.0.0.1', port: 5353 });
  assert.deepEqual(nameServer('::1'), { address: '::1', port: 53 });
  refuses(nameServer, 'ns.lab.example');
});

test('a time has a unit and may be negative', () => {
  assert.equal(duration('-5h'), -18_000_000);
  assert.equal(duration('1.5m'), 90_000);
  assert.equal(duration('250ms'), 250);
  assert.equal(duration('3'), 3_000);
  refuses(duration, '', 'h', '5 h', '1y', '--5s', '1e3s');
  assert.equal(timeout('500ms'), 500);
  refuses(timeout, '0', '-1s', '2h');
});

test('a whole number stays in its bounds', () => {
  const port = wholeNumber(0, 65_535);
  assert.equal(port('0'), 0);
  refuses(port, '65536', '-1', '1.5', '0x10', '');
});
