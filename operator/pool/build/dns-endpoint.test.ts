// SPDX-License-Identifier: Apache-2.0

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ANNOTATIONS } from '@kmspool/crds';
import type { DnsRecordSet } from '../kinds.ts';
import { buildDnsEndpoint } from './dns-endpoint.ts';
import { OWNER, poolOf } from './sources.fake.ts';

const recordSets: readonly DnsRecordSet[] = [
  {
    dnsName: '_vlmcs._tcp.lab.example',
    recordType: 'SRV',
    recordTTL: 60,
    targets: ['0 60 1688 campus-0.kms.lab.example.'],
  },
  { dnsName: 'campus-0.kms.lab.example', recordType: 'A', recordTTL: 60, targets: ['10.96.4.7'] },
];
const source = { pool: poolOf(), owner: OWNER, recordSets, changedAt: '2026-01-02T03:04:05Z' };

test('the records of a pool are one DNSEndpoint, which says when they changed', () => {
  const endpoint = buildDnsEndpoint(source);
  assert.deepEqual([endpoint.apiVersion, endpoint.kind], ['externaldns.k8s.io/v1alpha1', 'DNSEndpoint']);
  assert.equal(endpoint.metadata.name, 'campus');
  assert.equal(endpoint.metadata.annotations?.[ANNOTATIONS.changedAt], source.changedAt);
  assert.deepEqual(endpoint.spec, { endpoints: recordSets });
});

test('other records or another time are another intent', () => {
  const hashOf = (changed: Partial<typeof source>) =>
    buildDnsEndpoint({ ...source, ...changed }).metadata.annotations?.[ANNOTATIONS.appliedHash];
  const hashes = [
    hashOf({}),
    hashOf({ recordSets: recordSets.slice(1) }),
    hashOf({ changedAt: '2026-01-02T03:04:06Z' }),
  ];
  assert.equal(new Set(hashes).size, 3);
});

test('a DNSEndpoint without records is none', () => {
  assert.throws(() => buildDnsEndpoint({ ...source, recordSets: [] }), RangeError);
});
