// SPDX-License-Identifier: Apache-2.0
//
// The products and their editions, with the lookups a host and a command line need. Protocol versions are
// docs/protocol.md §3.5's defaults, thresholds its §4; IDs are our own (ids.ts). Which key covers what is coverage.ts.

import { guidToHex } from '../wire/guid.ts';
import * as office from './editions-office.ts';
import * as windows from './editions-windows.ts';
import { countedId, skuId } from './ids.ts';
import type { Edition, Product, ProductGroup, ProductSlug } from './types.ts';

/** Slug suffix, name suffix, group, generation if later than the product's. */
export type EditionSeed = readonly [slug: string, name: string, group?: ProductGroup | undefined, generation?: number];

type ProductRow = Omit<Product, 'countedId' | 'countedIdHex' | 'editions'>;

/**
 * The release order of Windows, client and server together: 1 Vista/2008 · 2 7/2008 R2 · 3 8/2012 · 4 8.1/2012 R2 ·
 * 5 10 · 6 2016 · 7 2019 · 8 11/2022 · 9 2025. Office counts for itself, 1 (2010) to 6 (2024).
 */
export const PRODUCTS: readonly Product[] = [
  windowsClient('windows-vista', 'Windows Vista', { generation: 1, protocolVersion: 4 }, windows.WINDOWS_VISTA),
  windowsClient('windows-7', 'Windows 7', { generation: 2, protocolVersion: 4 }, windows.WINDOWS_7),
  windowsClient('windows-8', 'Windows 8', { generation: 3, protocolVersion: 5 }, windows.WINDOWS_8),
  windowsClient('windows-8.1', 'Windows 8.1', { generation: 4, protocolVersion: 6 }, windows.WINDOWS_81),
  windowsClient('windows-10', 'Windows 10', { generation: 5, protocolVersion: 6 }, windows.WINDOWS_10),
  windowsClient('windows-11', 'Windows 11', { generation: 8, protocolVersion: 6 }, windows.WINDOWS_11),
  windowsServer('2008', { generation: 1, protocolVersion: 4 }, windows.WINDOWS_SERVER_2008),
  windowsServer('2008 R2', { generation: 2, protocolVersion: 4 }, windows.WINDOWS_SERVER_2008_R2),
  windowsServer('2012', { generation: 3, protocolVersion: 5 }, windows.WINDOWS_SERVER_2012),
  windowsServer('2012 R2', { generation: 4, protocolVersion: 6 }, windows.WINDOWS_SERVER_WITH_ESSENTIALS),
  windowsServer('2016', { generation: 6, protocolVersion: 6 }, windows.WINDOWS_SERVER_WITH_ESSENTIALS),
  windowsServer('2019', { generation: 7, protocolVersion: 6 }, windows.WINDOWS_SERVER_WITH_ESSENTIALS),
  windowsServer('2022', { generation: 8, protocolVersion: 6 }, windows.WINDOWS_SERVER_WITH_AZURE),
  windowsServer('2025', { generation: 9, protocolVersion: 6 }, windows.WINDOWS_SERVER_WITH_AZURE),
  officeRelease('2010', { application: 'Office2010', generation: 1, protocolVersion: 4 }, office.OFFICE_2010),
  officeRelease('2013', { application: 'Office2013', generation: 2, protocolVersion: 5 }, office.OFFICE_2013),
  officeRelease('2016', { application: 'Office2013', generation: 3, protocolVersion: 6 }, office.OFFICE_2016),
  officeRelease('2019', { application: 'Office2013', generation: 4, protocolVersion: 6 }, office.OFFICE_2019),
  officeRelease('2021', { application: 'Office2013', generation: 5, protocolVersion: 6 }, office.OFFICE_2021),
  officeRelease('2024', { application: 'Office2013', generation: 6, protocolVersion: 6 }, office.OFFICE_2024),
];

/** Every edition of every product. */
export const EDITIONS: readonly Edition[] = PRODUCTS.flatMap((p) => p.editions);

const PRODUCT_BY_SLUG: ReadonlyMap<string, Product> = new Map(PRODUCTS.map((p) => [p.slug, p]));
const PRODUCT_BY_COUNTED_ID: ReadonlyMap<string, Product> = new Map(PRODUCTS.map((p) => [p.countedIdHex, p]));
const EDITION_BY_SLUG: ReadonlyMap<string, Edition> = new Map(EDITIONS.map((e) => [e.slug, e]));
const EDITION_BY_SKU_ID: ReadonlyMap<string, Edition> = new Map(EDITIONS.map((e) => [e.skuIdHex, e]));

/** The product with this slug, or undefined. */
export function productBySlug(slug: string): Product | undefined {
  return PRODUCT_BY_SLUG.get(slug);
}

/** The product whose counted ID has these wire bytes (32 lower-case hex digits), or undefined. */
export function productByCountedIdHex(countedIdHex: string): Product | undefined {
  return PRODUCT_BY_COUNTED_ID.get(countedIdHex);
}

/** The edition with this slug, or undefined. */
export function editionBySlug(slug: string): Edition | undefined {
  return EDITION_BY_SLUG.get(slug);
}

/** The edition whose SKU (activation) ID has these wire bytes (32 lower-case hex digits), or undefined. */
export function editionBySkuIdHex(skuIdHex: string): Edition | undefined {
  return EDITION_BY_SKU_ID.get(skuIdHex);
}

type Release = Pick<Product, 'generation' | 'protocolVersion'>;

function windowsClient(slug: ProductSlug, name: string, release: Release, seeds: readonly EditionSeed[]): Product {
  const row: ProductRow = {
    slug,
    name,
    application: 'Windows',
    kind: 'client',
    threshold: 25,
    ...windowsRelease(release),
  };
  return withIds(row, seeds, (edition) => `${name} ${edition}`);
}

function windowsServer(version: string, release: Release, seeds: readonly EditionSeed[]): Product {
  const name = `Windows Server ${version}`;
  const slug = name.toLowerCase().replaceAll(' ', '-') as ProductSlug;
  const row: ProductRow = {
    slug,
    name,
    application: 'Windows',
    kind: 'server',
    threshold: 5,
    ...windowsRelease(release),
  };
  // Two old editions are not called "Windows Server …".
  return withIds(row, seeds, (edition) => (edition.startsWith('Windows ') ? edition : `${name} ${edition}`));
}

/** S3-21: priority and weight came with Windows 7 and Server 2008 R2. */
function windowsRelease(release: Release): Release & Pick<Product, 'honoursSrvPriority'> {
  return { ...release, honoursSrvPriority: release.generation > 1 };
}

function officeRelease(
  version: string,
  release: Release & Pick<Product, 'application'>,
  seeds: readonly EditionSeed[],
): Product {
  const ltsc = release.generation >= 5 ? 'LTSC' : '';
  const row: ProductRow = {
    slug: `office-${version}` as ProductSlug,
    name: ltsc === '' ? `Office ${version}` : `Office ${ltsc} ${version}`,
    kind: 'office',
    threshold: 5,
    honoursSrvPriority: true,
    ...release,
  };
  return withIds(row, seeds, (edition) => `${edition.replace('%', ltsc)} ${version}`.replaceAll(/ +/g, ' '));
}

function withIds(row: ProductRow, seeds: readonly EditionSeed[], nameOf: (edition: string) => string): Product {
  const counted = countedId(row.slug);
  const editions = seeds.map(([suffix, name, group, generation]): Edition => {
    const slug = `${row.slug}-${suffix}`;
    const sku = skuId(slug);
    return {
      slug,
      name: nameOf(name),
      product: row.slug,
      group,
      generation: generation ?? row.generation,
      skuId: sku,
      skuIdHex: guidToHex(sku),
    };
  });
  return { ...row, countedId: counted, countedIdHex: guidToHex(counted), editions };
}
