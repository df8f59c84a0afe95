// SPDX-License-Identifier: Apache-2.0
//
// The order of a host's checks (docs/protocol.md §5.1 steps 12–14). Each check by itself, from the bytes of a request, is tested with kms-node's decision.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { productBySlug } from '../catalog/index.ts';
import { HRESULT, judge, MAX_CLOCK_SKEW_MS, type RequestFacts, servedProducts } from './index.ts';

const NOW = Date.UTC(2026, 0, 1);
const WINDOWS = 0;
const good: RequestFacts = { requiredClientCount: 25, cmidIsNil: false, clientTimeMs: NOW, application: WINDOWS };
const blocked = { application: WINDOWS, hresult: 0xc004f041 };

test('S4-31 of several things that are wrong the first in the order of the text is told', () => {
  const all = { requiredClientCount: 1001, cmidIsNil: true, clientTimeMs: NOW + 2 * MAX_CLOCK_SKEW_MS, application: 9 };
  assert.equal(judge(all, undefined, NOW), HRESULT.invalidData);
  assert.equal(judge({ ...all, requiredClientCount: 1000 }, undefined, NOW), HRESULT.invalidData);
  const skewed = { ...all, requiredClientCount: 1000, cmidIsNil: false };
  assert.equal(judge(skewed, undefined, NOW), HRESULT.clockSkew);
  const foreign = { ...skewed, clientTimeMs: NOW - MAX_CLOCK_SKEW_MS };
  assert.equal(judge(foreign, blocked, NOW), HRESULT.productNotServed);
  assert.equal(judge({ ...foreign, application: WINDOWS }, blocked, NOW), 0xc004f041);
  assert.equal(judge(good, { ...blocked, hresult: 0 }, NOW), HRESULT.ok);
});

test('S4-25 a product is served as well as the best of the keys that cover it', () => {
  const eleven = productBySlug('windows-11')?.countedIdHex ?? assert.fail();
  const keys = [
    { product: 'WindowsServer2022', state: 'Blocked' },
    { product: 'WindowsServer2025', state: 'Activated' },
  ] as const;
  assert.equal(servedProducts(keys).get(eleven)?.hresult, 0);
  assert.equal(servedProducts(keys.slice(0, 1)).get(eleven)?.hresult, 0xc004f041);
  assert.equal(servedProducts([{ product: 'Office2024' }]).get(eleven), undefined);
});
