// SPDX-License-Identifier: Apache-2.0
//
// The slmgr layout from a HostStatus, without a host.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HostStatus } from '@kmspool/crds';
import { dlvText } from './dlv-text.ts';

const NO_REQUESTS = {
  unlicensed: 0,
  licensed: 0,
  oob_grace: 0,
  oot_grace: 0,
  non_genuine_grace: 0,
  notification: 0,
  extended_grace: 0,
  unknown: 0,
};

const status = (changes: Partial<HostStatus> = {}): HostStatus => ({
  apiVersion: 'kmspool.io/v1alpha1',
  kind: 'HostStatus',
  version: '1.2.3',
  mode: 'Emulated',
  pool: { name: 'campus', namespace: 'kms' },
  host: { name: 'campus-0', ordinal: 0 },
  poolId: '6f1c0000-0000-0000-0000-000000000000',
  hostPid: 'EMULATED-KMS-NOT-GENUINE-POOL-00000000-000000000',
  startedAt: '2026-01-01T00:00:00.000Z',
  incarnation: 'a',
  configHash: 'b',
  ready: true,
  reasons: [],
  hostKeys: [{ product: 'WindowsServer2025', hostOs: 'WindowsServer2025', state: 'Activated' }],
  port: 1688,
  activationIntervalMinutes: 120,
  renewalIntervalMinutes: 10_080,
  store: { kind: 'memory', state: 'Available', journal: { contacts: 0, bytes: 0, capacityBytes: 0 } },
  counts: [
    {
      application: 'Windows',
      current: 31,
      cap: 50,
      highWaterRequired: 25,
      thresholds: [
        { name: 'Server', required: 5, met: true },
        { name: 'Client', required: 25, met: true },
      ],
    },
  ],
  totals: {
    total: 310,
    failed: 2,
    byLicenseStatus: { ...NO_REQUESTS, licensed: 200, oob_grace: 108, notification: 2 },
  },
  clients: 31,
  duplicates: 0,
  connections: { open: 0, accepted: 310, refused: 0 },
  ...changes,
});

const has = (lines: readonly string[], ...wanted: string[]): void => {
  for (const line of wanted) assert.ok(lines.includes(line), `${line}\n---\n${lines.join('\n')}`);
};

test('S1-08 S1-13 S1-22 S1-24 the lines that administrators look for are there, in their order', () => {
  const lines = dlvText(status(), ['lab.example']);
  const wanted = [
    'Software licensing service version: kmspool 1.2.3',
    'License Status: Licensed',
    'Key Management Service is enabled on this machine',
    '    Current count: 31',
    '    Listening on Port: 1688',
    '    DNS publishing enabled (lab.example)',
    '    KMS priority: Normal',
    'Key Management Service cumulative requests received from clients',
    '    Total requests received: 310',
    '    Failed requests received: 2',
    '    Requests with License Status Unlicensed: 0',
    '    Requests with License Status Licensed: 200',
    '    Requests with License Status Initial grace period: 108',
    '    Requests with License Status License expired or Hardware out of tolerance: 0',
    '    Requests with License Status Non-genuine grace period: 0',
    '    Requests with License Status Notification: 2',
  ];
  assert.deepEqual(
    lines.filter((line) => wanted.includes(line)),
    wanted,
  );
});

test('only the applications that the host keys serve are shown, each with its count', () => {
  const office = { product: 'Office2010', hostOs: 'Windows7', state: 'Activated' };
  const names = (lines: readonly string[]): string[] => lines.filter((line) => line.startsWith('Name: '));
  assert.deepEqual(names(dlvText(status(), [])), ['Name: Windows']);
  const both = dlvText(status({ hostKeys: [...status().hostKeys, office] }), []);
  assert.deepEqual(names(both), ['Name: Windows', 'Name: Office 2010']);
  has(both, '    Current count: 31', '    Current count: 0', '    DNS publishing disabled');
});

test('S1-12 S4-13 S4-28 a host key that is not activated is not Licensed, and its code is told', () => {
  const hostKeys = [{ product: 'WindowsServer2025', hostOs: 'WindowsServer2022', state: 'LimitReached' }];
  const lines = dlvText(status({ hostKeys }), undefined);
  has(
    lines,
    'License Status: Unlicensed',
    'Key Management Service is disabled on this machine',
    'Description: Windows Server 2025 host key, VOLUME_KMS channel, on Windows Server 2022: LimitReached (0xC004C008)',
    '    DNS publishing: by the pool, see its spec.dns',
  );
  const blocked = dlvText(status({ hostKeys: [{ product: 'Office2019', hostOs: 'Windows10', state: 'Blocked' }] }), []);
  assert.ok(blocked.some((line) => line.includes('Office 2019 host key') && line.endsWith('Blocked (0xC004F051)')));
});

test('S1-17 what needs attention is told: not ready, duplicates, states that slmgr has no line for', () => {
  const byLicenseStatus = { ...NO_REQUESTS, extended_grace: 1, unknown: 3 };
  const lines = dlvText(
    status({
      ready: false,
      reasons: ['store Refusing: no answer'],
      duplicates: 2,
      totals: { total: 4, failed: 0, byLicenseStatus },
      advertisedPort: 1700,
    }),
    [],
  );
  has(
    lines,
    'Not ready: store Refusing: no answer',
    '    Requests with License Status Extended grace period: 1',
    '    Requests with an unknown License Status: 3',
    '    Listening on Port: 1700',
  );
  assert.ok(
    lines.some((line) => line.startsWith('Clients in the inventory: 31; 2 CMIDs came with more than one machine name')),
  );
});
