// SPDX-License-Identifier: Apache-2.0
//
// The catalogue's rows are complete, its identifiers are ours, and no product key is in it.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { guidToHex, hexToGuid, isGuid } from '../wire/guid.ts';
import { CATALOG_NAMESPACE, uuidV5 } from './ids.ts';
import {
  APPLICATIONS,
  application,
  applicationByIdHex,
  EDITIONS,
  EVENTS,
  editionBySkuIdHex,
  editionBySlug,
  eventById,
  formatHresult,
  HRESULTS,
  hresult,
  hresultOfRpcFault,
  LICENSE_STATUSES,
  licenseStatus,
  licenseStatusSlug,
  PRODUCT_SLUGS,
  PRODUCTS,
  productByCountedIdHex,
  productBySlug,
} from './index.ts';

const distinct = (values: readonly unknown[]): boolean => new Set(values).size === values.length;
const slugs = (of: (typeof PRODUCTS)[number]['protocolVersion']): string[] =>
  PRODUCTS.filter((p) => p.protocolVersion === of).map((p) => p.slug);

describe('guid', () => {
  test('the KMS interface UUID has the wire bytes that the protocol text lists', () => {
    assert.equal(guidToHex('51C82175-844e-4750-b0d8-ec255555bc06'), '7521c8514e845047b0d8ec255555bc06');
  });

  test('text and wire hex are inverse, and text comes back in lower case', () => {
    fc.assert(
      fc.property(fc.uuid(), (text) => {
        assert.equal(hexToGuid(guidToHex(text.toUpperCase())), text);
      }),
    );
  });

  test('what is not a GUID is refused with a line that shows it', () => {
    assert.equal(isGuid('{51c82175-844e-4750-b0d8-ec255555bc06}'), false);
    assert.throws(() => guidToHex('51c82175'), /not a GUID: "51c82175"/);
    assert.throws(() => hexToGuid('zz'), /not the hex of a GUID: "zz"/);
  });
});

describe('applications', () => {
  test('S3-05 S3-06 C6 C9 the three applications have a stable index and their thresholds', () => {
    assert.deepEqual(
      APPLICATIONS.map((a) => [a.index, a.name, a.id, a.thresholds.map((t) => `${t.name} ${t.required}`).join()]),
      [
        [0, 'Windows', '55c92734-d682-4d71-983e-d6ec3f16059f', 'Server 5,Client 25'],
        [1, 'Office2010', '59a52881-a989-479d-af46-f275c6370663', 'Office 5'],
        [2, 'Office2013', '0ff1ce15-a989-479d-af46-f275c6370663', 'Office 5'],
      ],
    );
  });

  test('an application is found by its wire bytes and by its name', () => {
    for (const a of APPLICATIONS) {
      assert.equal(applicationByIdHex(a.idHex), a);
      assert.equal(application(a.name), a);
    }
    assert.equal(applicationByIdHex('3427c95582d6714d983ed6ec3f16059f')?.name, 'Windows');
    assert.equal(applicationByIdHex('55c92734d6824d71983ed6ec3f16059f'), undefined);
  });
});

describe('products', () => {
  test('S2-01 every product of the list has a row, and every row is complete', () => {
    assert.deepEqual(
      PRODUCTS.map((p) => p.slug),
      [...PRODUCT_SLUGS],
    );
    for (const p of PRODUCTS) {
      assert.ok(p.name.length > 0 && p.generation >= 1 && p.editions.length >= 2, p.slug);
      assert.equal(productBySlug(p.slug), p);
      assert.equal(productByCountedIdHex(p.countedIdHex), p);
      assert.equal(p.application.startsWith('Office'), p.kind === 'office', p.slug);
    }
    assert.ok(distinct(PRODUCTS.map((p) => p.name)));
  });

  test('S3-05 S3-06 C9 N is 25 for clients, 5 for servers and Office', () => {
    for (const p of PRODUCTS) assert.equal(p.threshold, { client: 25, server: 5, office: 5 }[p.kind], p.slug);
  });

  test('a product needs one of its own application’s thresholds', () => {
    for (const p of PRODUCTS) {
      assert.ok(
        application(p.application).thresholds.some((t) => t.required === p.threshold),
        p.slug,
      );
    }
  });

  test('each product speaks the protocol version of its generation', () => {
    assert.deepEqual(slugs(4), [
      'windows-vista',
      'windows-7',
      'windows-server-2008',
      'windows-server-2008-r2',
      'office-2010',
    ]);
    assert.deepEqual(slugs(5), ['windows-8', 'windows-server-2012', 'office-2013']);
  });

  test('S3-21 C1 only the Vista and Server 2008 generation ignores SRV priority and weight', () => {
    assert.deepEqual(
      PRODUCTS.filter((p) => !p.honoursSrvPriority).map((p) => p.slug),
      ['windows-vista', 'windows-server-2008'],
    );
  });

  test('S1-33 every edition is complete, unique and found by its slug and SKU ID; Vista Ultimate is no volume edition', () => {
    for (const e of EDITIONS) {
      assert.ok(e.slug.startsWith(`${e.product}-`) && e.name.length > 0, e.slug);
      assert.match(e.name, /^[A-Z][A-Za-z0-9.:,/() -]+$/);
      assert.doesNotMatch(e.name, / {2}|%/);
      assert.equal(editionBySkuIdHex(e.skuIdHex), e);
      assert.equal(editionBySlug(e.slug), e);
    }
    for (const key of ['slug', 'name', 'skuId'] as const) assert.ok(distinct(EDITIONS.map((e) => e[key])), key);
    assert.equal(editionBySlug('windows-vista-ultimate'), undefined);
    assert.equal(editionBySlug('office-2021-visio-standard')?.name, 'Visio LTSC Standard 2021');
    assert.equal(editionBySlug('windows-server-2008-r2-web')?.name, 'Windows Web Server 2008 R2');
  });

  test('S3-41 editions stand in the product groups of table 1, and later generations in none', () => {
    const inGroup = (product: string, group: string | undefined): string[] =>
      EDITIONS.filter((e) => e.product === product && e.group === group).map((e) => e.slug.slice(product.length + 1));
    assert.deepEqual(inGroup('windows-server-2008-r2', 'A'), ['web', 'hpc']);
    assert.deepEqual(inGroup('windows-server-2008-r2', 'B'), ['standard', 'enterprise']);
    assert.deepEqual(inGroup('windows-server-2008-r2', 'C'), ['datacenter', 'itanium']);
    assert.ok(inGroup('windows-server-2008', 'B').includes('standard-without-hyper-v'));
    const grouped = new Set(EDITIONS.filter((e) => e.group !== undefined).map((e) => e.product));
    assert.deepEqual([...grouped], ['windows-vista', 'windows-7', 'windows-server-2008', 'windows-server-2008-r2']);
    for (const e of EDITIONS) {
      if (e.product === 'windows-vista' || e.product === 'windows-7') assert.equal(e.group, 'ClientVL', e.slug);
    }
  });
});

describe('identifiers', () => {
  test('the namespace and two IDs are pinned, as UUIDv5 of kmspool.io', () => {
    // Computed with Python's uuid.uuid5, an independent implementation.
    assert.equal(CATALOG_NAMESPACE, 'b4ff7c83-1d98-5d0c-af1d-e52e6778c924');
    assert.equal(productBySlug('windows-7')?.countedId, '46e89b4a-7547-5b3a-a972-75c1ef17a10d');
    assert.equal(editionBySlug('windows-server-2008-r2-datacenter')?.skuId, '1c568fdc-cc53-5fbd-aece-d14f924caa41');
    assert.equal(
      uuidV5('6ba7b810-9dad-11d1-80b4-00c04fd430c8', 'www.example.com'),
      '2ed6657d-e927-568b-95e1-2665a8aea6a2',
    );
  });

  test('every SKU and counted ID is a distinct UUID of version 5 and the RFC’s variant', () => {
    const ids = [...PRODUCTS.map((p) => p.countedId), ...EDITIONS.map((e) => e.skuId)];
    for (const id of ids) assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    assert.ok(distinct(ids));
  });
});

describe('licence boundary', () => {
  test('S3-83 no file of the catalogue contains a full product key or a genuine host PID', () => {
    const folder = new URL('./', import.meta.url);
    const files = readdirSync(folder).filter((name) => name.endsWith('.ts'));
    assert.ok(files.length > 5);
    for (const name of files) {
      const text = readFileSync(new URL(name, folder), 'utf8');
      assert.doesNotMatch(text, /\b[A-Z0-9]{5}(-[A-Z0-9]{5}){4}\b/i, name);
      assert.doesNotMatch(text, /\b\d{5}-\d{5}-\d{3}-/, name);
    }
  });
});

describe('license statuses', () => {
  test('S1-24 the seven states are complete and found by value', () => {
    assert.deepEqual(
      LICENSE_STATUSES.map((s) => s.value),
      [0, 1, 2, 3, 4, 5, 6],
    );
    for (const s of LICENSE_STATUSES) {
      assert.equal(licenseStatus(s.value), s);
      assert.match(s.slug, /^[a-z_]+$/);
      assert.ok(s.name.length > 0 && s.dlvLabel.length > 0);
    }
    assert.equal(licenseStatus(3)?.dlvLabel, 'License expired or Hardware out of tolerance');
  });

  test('a status that a client made up has one label, unknown', () => {
    for (const value of [7, 255, 0xffffffff, -1, 1.5]) assert.equal(licenseStatusSlug(value), 'unknown');
  });
});

describe('result codes', () => {
  test('every code has a symbol, and its short form is of sentences', () => {
    for (const h of HRESULTS) {
      assert.match(h.symbol, /^[A-Z][A-Za-z]+$/);
      assert.match(h.texts.en.meaning, /^[A-Z].*\.$/, h.symbol);
      assert.match(h.texts.en.remedy, /^[A-Z].*\.$/, h.symbol);
    }
    assert.ok(distinct(HRESULTS.map((h) => h.code)) && distinct(HRESULTS.map((h) => h.symbol)));
  });

  test('the codes of the protocol text are there, each with the side that decides it', () => {
    const host = [0, 0xc004f042, 0xc004f06c, 0x8007000d, 0xc004f041, 0xc004d104, 0xc004f051, 0xc004c008];
    const client = [0xc004f038, 0xc004f039, 0xc004f074, 0x800706ba, 0x8007232b, 0x8007007b];
    for (const code of host) assert.equal(hresult(code)?.decidedBy, 'host', formatHresult(code));
    for (const code of client) assert.equal(hresult(code)?.decidedBy, 'client', formatHresult(code));
  });

  test('a code is found and written the same whether signed or unsigned', () => {
    assert.equal(hresult(0xc004f042 | 0)?.symbol, 'ProductNotServed');
    assert.equal(formatHresult(0xc004f042 | 0), '0xC004F042');
    assert.equal(formatHresult(0), '0x00000000');
    assert.equal(hresult(0xdeadbeef), undefined);
  });

  test('every RPC fault status surfaces as a Win32 code that has a row', () => {
    const surfaced: readonly [number, number][] = [
      [0x1c010002, 0x800706d1],
      [0x1c010003, 0x800706b5],
      [0x1c01000b, 0x800706c0],
      [0x6f7, 0x800706f7],
      [5, 0x80070005],
      [0x6bd, 0x800706bd],
      [0x1c010014, 0x800706bb],
    ];
    for (const [status, code] of surfaced) {
      assert.equal(hresultOfRpcFault(status), code);
      assert.equal(hresult(code)?.code, code);
    }
    assert.equal(hresultOfRpcFault(0x1c000001), undefined);
  });
});

describe('events', () => {
  test('every event has a row', () => {
    assert.deepEqual(
      EVENTS.map((e) => e.id),
      [12288, 12289, 12290, 12291, 12292, 12293, 12294, 12309, 12310],
    );
    for (const e of EVENTS) {
      assert.equal(eventById(e.id), e);
      assert.ok(e.title.length > 0 && e.source.length > 0);
      assert.equal(e.log, e.id === 12290 ? 'Key Management Service' : 'Application');
      assert.ok(distinct(e.fields.map((f) => f.name)));
      assert.equal(e.fields.length > 0, e.id < 12300, `${e.id}`);
    }
  });

  test('S1-28 S1-29 S1-30 event 12290 has its fields in the documented order', () => {
    assert.deepEqual(
      eventById(12290)?.fields.map((f) => f.name),
      [
        'hresult',
        'minimumCount',
        'workstationName',
        'cmid',
        'clientTime',
        'isClientVm',
        'licenseStatus',
        'minutesToExpiry',
        'activationId',
      ],
    );
  });
});
