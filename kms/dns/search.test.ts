// SPDX-License-Identifier: Apache-2.0

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { searchDomains } from './index.ts';

const both = { adDomain: 'corp.example', dhcpDomain: 'dhcp.example' };

test('S2-31 a domain member looks in its domain, a workgroup in the one of DHCP option 15, a primary suffix goes before both', () => {
  assert.deepEqual(searchDomains({ membership: 'domain', ...both }), ['corp.example']);
  assert.deepEqual(searchDomains({ membership: 'workgroup', ...both }), ['dhcp.example']);
  assert.deepEqual(searchDomains({ membership: 'workgroup', ...both, primarySuffix: 'own.example' }), ['own.example']);
  assert.deepEqual(searchDomains({ membership: 'workgroup', adDomain: 'corp.example' }), []);
});

test('S3-20 the suffix search list comes after it; each domain once, however it is written', () => {
  const searchList = ['Lab.example.', 'CORP.example', ''];
  assert.deepEqual(searchDomains({ membership: 'domain', ...both, searchList }), ['corp.example', 'lab.example']);
});
