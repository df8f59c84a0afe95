// SPDX-License-Identifier: Apache-2.0
//
// Host key × host OS × product. The expected table below is written by hand from the sources, not derived from the code.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  coverage,
  EDITIONS,
  HOST_KEY_PRODUCTS,
  HOST_KEY_STATE_INFO,
  HOST_KEY_STATES,
  HOST_KEYS,
  HOST_OS_NAMES,
  HOST_OSES,
  type HostKeyProduct,
  hostKey,
  hostKeyCovers,
  hostKeyStateInfo,
  hostKeysCovering,
  hostKeysForEverything,
  hostOs,
  PRODUCT_SLUGS,
  PRODUCTS,
  productBySlug,
  productsCoveredBy,
  validateHostKey,
} from './index.ts';

const CLIENTS = 'vista 7 8 8.1 10 11'.split(' ').map((v) => `windows-${v}`);
const SERVERS = '2008 2008-r2 2012 2012-r2 2016 2019 2022 2025'.split(' ').map((v) => `windows-server-${v}`);
const windows = (clients: number, servers: number): string[] => [
  ...CLIENTS.slice(0, clients),
  ...SERVERS.slice(0, servers),
];

/** Key: systems that may host it, products it covers there. */
const TABLE: Record<HostKeyProduct, readonly [hosts: string, products: readonly string[]]> = {
  WindowsVista: ['WindowsServer2003 WindowsVista', windows(1, 0)],
  WindowsServer2008GroupA: ['WindowsServer2003 WindowsServer2008', windows(1, 1)],
  WindowsServer2008GroupB: ['WindowsServer2003 WindowsServer2008', windows(1, 1)],
  WindowsServer2008GroupC: ['WindowsServer2003 WindowsServer2008', windows(1, 1)],
  Windows7: ['WindowsServer2003 WindowsVista Windows7', windows(2, 0)],
  WindowsServer2008R2GroupA: ['WindowsServer2003 WindowsServer2008 WindowsServer2008R2', windows(2, 2)],
  WindowsServer2008R2GroupB: ['WindowsServer2003 WindowsServer2008 WindowsServer2008R2', windows(2, 2)],
  WindowsServer2008R2GroupC: ['WindowsServer2003 WindowsServer2008 WindowsServer2008R2', windows(2, 2)],
  Windows8: ['WindowsVista Windows7 Windows8', windows(3, 0)],
  WindowsServer2012: ['WindowsServer2008 WindowsServer2008R2 WindowsServer2012', windows(3, 3)],
  Windows81: ['WindowsVista Windows7 Windows8 Windows81', windows(4, 0)],
  WindowsServer2012R2: ['WindowsServer2008 WindowsServer2008R2 WindowsServer2012 WindowsServer2012R2', windows(4, 4)],
  Windows10: ['Windows7 Windows8 Windows81 Windows10', windows(5, 0)],
  WindowsServer2012R2ForWindows10: ['WindowsServer2008R2 WindowsServer2012 WindowsServer2012R2', windows(5, 4)],
  WindowsServer2016: ['WindowsServer2012 WindowsServer2012R2 WindowsServer2016', windows(5, 5)],
  WindowsServer2019: ['WindowsServer2012R2 WindowsServer2016 WindowsServer2019', windows(5, 6)],
  WindowsServer2022: ['WindowsServer2016 WindowsServer2019 WindowsServer2022', windows(6, 7)],
  WindowsServer2025: ['WindowsServer2019 WindowsServer2022 WindowsServer2025', windows(6, 8)],
  Office2010: [
    'WindowsServer2003 Windows7 WindowsServer2008R2 Windows8 WindowsServer2012 Windows81 WindowsServer2012R2',
    ['office-2010'],
  ],
  Office2013: [HOST_OS_NAMES.slice(3).join(' '), ['office-2013']],
  Office2016: [HOST_OS_NAMES.slice(3).join(' '), ['office-2016']],
  Office2019: [HOST_OS_NAMES.slice(6).join(' '), ['office-2019']],
  Office2021: [HOST_OS_NAMES.slice(9).join(' '), ['office-2021']],
  Office2024: ['Windows10 Windows11 WindowsServer2022 WindowsServer2025', ['office-2024']],
};

const editionsOf = (key: HostKeyProduct, product: string): string[] =>
  coverage(key)
    .editions.filter((slug) => EDITIONS.some((e) => e.slug === slug && e.product === product))
    .map((slug) => slug.slice(product.length + 1));

describe('the matrix of host key, host OS and product', () => {
  for (const key of HOST_KEY_PRODUCTS) {
    test(`S1-10 S3-03 S3-26 S3-42 S3-43 ${key} on every host OS`, () => {
      const [hosts, products] = TABLE[key];
      for (const os of HOST_OS_NAMES) {
        const allowed = hosts.split(' ').includes(os);
        assert.equal(validateHostKey({ product: key, hostOs: os }).ok, allowed, os);
        for (const product of PRODUCT_SLUGS) {
          assert.equal(hostKeyCovers(key, product, os), allowed && products.includes(product), `${os} ${product}`);
        }
      }
    });
  }

  test('S3-26 no key on a client system covers a server', () => {
    for (const os of HOST_OSES.filter((o) => o.kind === 'client')) {
      for (const key of HOST_KEY_PRODUCTS) {
        const servers = coverage(key, os.name).products.filter((slug) => productBySlug(slug)?.kind === 'server');
        assert.deepEqual(servers, [], `${key} on ${os.name}`);
      }
    }
  });
});

describe('host keys', () => {
  test('every row is complete and in the order of the names', () => {
    assert.deepEqual(
      HOST_KEYS.map((k) => k.product),
      [...HOST_KEY_PRODUCTS],
    );
    assert.deepEqual(
      HOST_OSES.map((o) => o.name),
      [...HOST_OS_NAMES],
    );
    for (const key of HOST_KEYS) {
      assert.ok(key.title.length > 0 && key.hostOs.length > 0 && key.covers.products.length > 0, key.product);
      const order = key.hostOs.map((os) => HOST_OS_NAMES.indexOf(os));
      assert.deepEqual(
        order,
        order.toSorted((a, b) => a - b),
        key.product,
      );
      assert.equal(hostKey(key.product), key);
    }
    for (const os of HOST_OSES) assert.equal(hostOs(os.name), os);
  });

  test('without a host OS the newest one the key may be installed on is assumed', () => {
    assert.equal(hostKey('Office2010')?.defaultHostOs, 'WindowsServer2012R2');
    for (const key of HOST_KEYS) {
      assert.equal(key.defaultHostOs, key.hostOs.at(-1));
      assert.deepEqual(coverage(key.product), coverage(key.product, key.defaultHostOs));
      assert.deepEqual(coverage(key.product), key.covers);
    }
  });

  test('S3-36 S3-40 S3-41 S3-43 a group key covers its group and every lower one, in both generations', () => {
    assert.deepEqual(editionsOf('WindowsServer2008R2GroupA', 'windows-server-2008-r2'), ['web', 'hpc']);
    assert.deepEqual(editionsOf('WindowsServer2008R2GroupB', 'windows-server-2008-r2'), [
      'web',
      'hpc',
      'standard',
      'enterprise',
    ]);
    assert.deepEqual(editionsOf('WindowsServer2008R2GroupC', 'windows-server-2008-r2'), [
      'web',
      'hpc',
      'standard',
      'enterprise',
      'datacenter',
      'itanium',
    ]);
    assert.deepEqual(editionsOf('WindowsServer2008R2GroupA', 'windows-server-2008'), ['web', 'hpc']);
    assert.equal(editionsOf('WindowsServer2008R2GroupA', 'windows-7').length, 4);
    assert.deepEqual(editionsOf('WindowsServer2008GroupC', 'windows-server-2008-r2'), []);
  });

  test('S1-23 a Vista key does not cover a Windows 7 client', () => {
    assert.equal(hostKeyCovers('WindowsVista', 'windows-7'), false);
    assert.equal(hostKeyCovers('WindowsVista', 'windows-vista'), true);
  });

  test('a long-term servicing release needs the key of its own time', () => {
    assert.ok(!coverage('Windows10').editions.includes('windows-10-enterprise-ltsb-2016'));
    assert.ok(coverage('WindowsServer2016').editions.includes('windows-10-enterprise-ltsb-2016'));
    assert.ok(!coverage('WindowsServer2016').editions.includes('windows-10-enterprise-ltsc-2019'));
    assert.ok(!coverage('WindowsServer2022').editions.includes('windows-11-enterprise-ltsc-2024'));
    assert.ok(coverage('WindowsServer2025').editions.includes('windows-11-enterprise-ltsc-2024'));
  });

  test('a product counts as covered when, and only when, one of its editions is', () => {
    for (const key of HOST_KEYS) {
      const products = new Set(EDITIONS.filter((e) => key.covers.editions.includes(e.slug)).map((e) => e.product));
      assert.deepEqual(new Set(key.covers.products), products, key.product);
    }
  });

  test('the keys that cover a product are found from the product', () => {
    assert.deepEqual(
      hostKeysCovering('windows-11').map((k) => k.product),
      ['WindowsServer2022', 'WindowsServer2025'],
    );
    assert.deepEqual(
      hostKeysCovering('office-2019').map((k) => k.product),
      ['Office2019'],
    );
  });
});

describe('validateHostKey', () => {
  const reason = (product: string, os?: string): string => {
    const result = validateHostKey({ product, hostOs: os });
    return result.ok ? '' : result.reason;
  };

  test('S1-10 a refused host is named together with the allowed ones', () => {
    assert.equal(
      reason('WindowsServer2022', 'WindowsServer2012R2'),
      'WindowsServer2022 cannot be hosted on WindowsServer2012R2; use one of WindowsServer2016, WindowsServer2019, ' +
        'WindowsServer2022, or leave hostOs out',
    );
  });

  test('S3-26 a server key on a client system is told why', () => {
    assert.match(
      reason('WindowsServer2025', 'Windows11'),
      /a host on a client system activates clients only; use one of/,
    );
  });

  test('unknown names are quoted back with the known ones', () => {
    assert.match(reason('Windows11'), /there is no host key "Windows11"; use one of WindowsVista, .*Office2024$/);
    assert.match(reason('Windows10', 'BeOS'), /there is no host operating system "BeOS"; use one of Windows7, /);
  });
});

describe('productsCoveredBy', () => {
  const countedIdHex = (slug: string): string => productBySlug(slug)?.countedIdHex ?? assert.fail(slug);

  test('the map is keyed by counted ID and an entry without a state is Activated', () => {
    const covered = productsCoveredBy([{ product: 'Windows7' }]);
    assert.deepEqual(
      [...covered.keys()].toSorted(),
      [countedIdHex('windows-vista'), countedIdHex('windows-7')].toSorted(),
    );
    assert.equal(covered.get(countedIdHex('windows-7'))?.product.slug, 'windows-7');
    assert.equal(covered.get(countedIdHex('windows-7'))?.state, 'Activated');
  });

  test('of several keys for one product an Activated one wins, in either order', () => {
    const blocked = { product: 'WindowsServer2025', state: 'Blocked' } as const;
    const active = { product: 'Windows10', state: 'Activated' } as const;
    for (const keys of [
      [blocked, active],
      [active, blocked],
    ]) {
      const covered = productsCoveredBy(keys);
      assert.equal(covered.get(countedIdHex('windows-10'))?.state, 'Activated');
      assert.equal(covered.get(countedIdHex('windows-10'))?.hostKey, 'Windows10');
      assert.equal(covered.get(countedIdHex('windows-11'))?.state, 'Blocked');
    }
  });

  test('of several keys none of which is Activated the first is told', () => {
    const covered = productsCoveredBy([
      { product: 'Office2019', state: 'LimitReached' },
      { product: 'Office2019', state: 'Blocked' },
    ]);
    assert.equal(covered.get(countedIdHex('office-2019'))?.state, 'LimitReached');
  });

  test('of several Activated keys the first is told', () => {
    const covered = productsCoveredBy([{ product: 'WindowsServer2022' }, { product: 'WindowsServer2025' }]);
    assert.equal(covered.get(countedIdHex('windows-11'))?.hostKey, 'WindowsServer2022');
    assert.equal(covered.get(countedIdHex('windows-server-2025'))?.hostKey, 'WindowsServer2025');
  });

  test('an entry on a host that cannot hold it covers nothing', () => {
    assert.equal(productsCoveredBy([{ product: 'WindowsServer2025', hostOs: 'Windows11' }]).size, 0);
  });

  test('hostKeysForEverything covers every product, and no shorter list of those keys does', () => {
    const keys = hostKeysForEverything();
    assert.equal(productsCoveredBy(keys).size, PRODUCTS.length);
    for (const left of keys) {
      assert.ok(productsCoveredBy(keys.filter((k) => k !== left)).size < PRODUCTS.length, left.product);
    }
    for (const key of keys) assert.deepEqual(validateHostKey(key), { ok: true });
  });
});

describe('host key states', () => {
  test('S4-13 S4-25 S4-28 each state has its own host code; on the wire all but Activated are 0xC004F041', () => {
    assert.deepEqual(
      HOST_KEY_STATE_INFO.map((s) => [s.state, s.hostCode, s.wireCode]),
      [
        ['Activated', 0, 0],
        ['NotActivated', 0xc004f041, 0xc004f041],
        ['Blocked', 0xc004f051, 0xc004f041],
        ['LimitReached', 0xc004c008, 0xc004f041],
      ],
    );
    for (const state of HOST_KEY_STATES) assert.equal(hostKeyStateInfo(state).state, state);
  });
});
