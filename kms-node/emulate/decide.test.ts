// SPDX-License-Identifier: Apache-2.0
//
// The decision about a request that opened (docs/protocol.md §5.1 steps 12–14): each check, their order, and every host key state.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  APPLICATIONS,
  HOST_KEY_STATES,
  hostKeysForEverything,
  PRODUCTS,
  type Product,
  productBySlug,
  productsCoveredBy,
} from '@kmspool/kms/catalog';
import { HRESULT, MAX_CLOCK_SKEW_MS, servedProducts } from '@kmspool/kms/host';
import { decodeRequestBase, encodeRequestBase, type KmsRequest, type KmsRequestFields } from '@kmspool/kms/wire';
import { decide, NO_APPLICATION } from './decide.ts';

const NOW = Date.UTC(2025, 0, 1);
const EVERYTHING = servedProducts(hostKeysForEverything());
const SOME_ID = '11111111-1111-4111-8111-111111111111';

function product(slug: string): Product {
  const found = productBySlug(slug);
  assert.ok(found, slug);
  return found;
}

const applicationId = (of: Product): string => APPLICATIONS.find(({ name }) => name === of.application)?.id ?? '';

function request(changes: Partial<KmsRequestFields> = {}, of = product('windows-10')): KmsRequest {
  return decodeRequestBase(
    encodeRequestBase({
      protocol: of.protocolVersion,
      applicationId: applicationId(of),
      activationId: SOME_ID,
      countedId: of.countedId,
      cmid: SOME_ID,
      requiredClientCount: of.threshold,
      clientTimeMs: NOW,
      workstationName: 'pc',
      ...changes,
    }),
  );
}

const code = (asked: KmsRequest, served = EVERYTHING): number => decide(asked, { served, nowMs: NOW }).hresult;

describe('decide', () => {
  test('every product of the catalogue is served by keys that cover everything, each under its application', () => {
    for (const of of PRODUCTS) {
      const decision = decide(request({}, of), { served: EVERYTHING, nowMs: NOW });
      assert.equal(decision.hresult, HRESULT.ok, of.slug);
      assert.equal(APPLICATIONS[decision.application]?.name, of.application);
    }
  });

  test('S3-26 S3-43 a key serves exactly the products that the catalogue says it covers', () => {
    for (const keys of [
      [{ product: 'Windows7' }],
      [{ product: 'Office2016' }],
      [{ product: 'WindowsServer2012' }],
    ] as const) {
      const covered = productsCoveredBy(keys);
      const served = servedProducts(keys);
      for (const of of PRODUCTS) {
        const wanted = covered.has(of.countedIdHex) ? HRESULT.ok : HRESULT.productNotServed;
        assert.equal(code(request({}, of), served), wanted, `${keys[0].product} ${of.slug}`);
      }
    }
  });

  test('S1-12 S4-13 S4-25 S4-28 a key that is not Activated gives 0xC004F041, whatever is wrong with it', () => {
    for (const state of HOST_KEY_STATES) {
      const served = servedProducts([{ product: 'WindowsServer2025', state }]);
      assert.equal(code(request(), served), state === 'Activated' ? 0 : 0xc004f041, state);
    }
  });

  test('S4-31 a clock off by up to 4 hours is accepted, either way', () => {
    for (const sign of [1, -1]) {
      assert.equal(code(request({ clientTimeMs: NOW + sign * MAX_CLOCK_SKEW_MS })), HRESULT.ok);
      assert.equal(code(request({ clientTimeMs: NOW + sign * (MAX_CLOCK_SKEW_MS + 1) })), HRESULT.clockSkew);
    }
  });

  test('N up to 1000 and any CMID but the nil one', () => {
    assert.equal(code(request({ requiredClientCount: 1000 })), HRESULT.ok);
    assert.equal(code(request({ requiredClientCount: 1001 })), HRESULT.invalidData);
    assert.equal(code(request({ cmid: '00000000-0000-0000-0000-000000000000' })), HRESULT.invalidData);
    for (let at = 0; at < 32; at++) {
      const digits = [...'0'.repeat(32)];
      digits[at] = '1';
      const cmid = digits.join('').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
      assert.equal(code(request({ cmid })), HRESULT.ok, cmid);
    }
  });

  test('S4-26 an application that does not fit the product, or none at all', () => {
    const windows = applicationId(product('windows-10'));
    assert.equal(code(request({ applicationId: windows }, product('office-2010'))), HRESULT.productNotServed);
    const decision = decide(request({ applicationId: SOME_ID }), { served: EVERYTHING, nowMs: NOW });
    assert.deepEqual(decision, { hresult: HRESULT.productNotServed, application: NO_APPLICATION });
  });

  test('the checks come in the order of the text: body, clock, product, host key', () => {
    const served = servedProducts([{ product: 'WindowsServer2025', state: 'Blocked' }]);
    const wrong = { requiredClientCount: 2000, clientTimeMs: 0, countedId: SOME_ID };
    assert.equal(code(request(wrong), served), HRESULT.invalidData);
    assert.equal(code(request({ ...wrong, requiredClientCount: 5 }), served), HRESULT.clockSkew);
    assert.equal(code(request({ countedId: SOME_ID }), served), HRESULT.productNotServed);
    assert.equal(code(request(), served), 0xc004f041);
  });
});
