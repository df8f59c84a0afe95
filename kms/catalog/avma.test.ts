// SPDX-License-Identifier: Apache-2.0

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AVMA_GUESTS, AVMA_HOSTS, AVMA_VERSIONS, avmaCovers, avmaGuestsOf } from './avma.ts';

test('the three rows of the 2019 table, and nothing newer on an older host (S5-12)', () => {
  assert.deepEqual(avmaGuestsOf('WindowsServer2019'), [
    'WindowsServer2019',
    'WindowsServer2016',
    'WindowsServer2012R2',
  ]);
  assert.deepEqual(avmaGuestsOf('WindowsServer2016'), ['WindowsServer2016', 'WindowsServer2012R2']);
  assert.deepEqual(avmaGuestsOf('WindowsServer2012R2'), ['WindowsServer2012R2']);
  assert.deepEqual(
    AVMA_VERSIONS.map((host) => AVMA_VERSIONS.map((guest) => (avmaCovers(host, guest) ? 'X' : '-')).join('')),
    ['X----', 'XX---', 'XXX--', 'XXXX-', 'XXXXX'],
  );
});

test('a host is a Datacenter of 2012 R2 or later (S5-11)', () => {
  assert.deepEqual(
    AVMA_HOSTS.map(({ title }) => title),
    ['2012 R2', '2016', '2019', '2022', '2025'].map((year) => `Windows Server ${year} Datacenter`),
  );
  for (const stranger of ['WindowsServer2012', 'WindowsServer2008R2', 'Windows10', '', '__proto__'])
    assert.deepEqual([avmaGuestsOf(stranger), avmaCovers(stranger, 'WindowsServer2012R2')], [[], false], stranger);
  assert.equal(avmaCovers('WindowsServer2025', 'Windows11'), false);
});

test('guests are Datacenter, Standard and Essentials, each edition once (S5-13)', () => {
  const of = (version: string): string[] =>
    AVMA_GUESTS.filter((guest) => guest.version === version).map(({ edition }) => edition);
  for (const version of ['WindowsServer2012R2', 'WindowsServer2016', 'WindowsServer2019'])
    assert.deepEqual(of(version), ['Datacenter', 'Standard', 'Essentials'], version);
  assert.deepEqual(of('WindowsServer2025'), ['Datacenter', 'Standard', 'DatacenterAzureEdition']);
  assert.equal(new Set(AVMA_GUESTS.map(({ title }) => title)).size, AVMA_GUESTS.length);
});
