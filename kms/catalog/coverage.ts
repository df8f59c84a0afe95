// SPDX-License-Identifier: Apache-2.0
//
// What the host keys of a pool activate, and whether a manifest's entry makes sense. The wire decision needs only
// productsCoveredBy's map; the edition lists are for explanation, for a host does not check the SKU
// (docs/protocol.md §3.1). No decision is taken here: kms-node turns the map into answers.

import { HOST_KEYS, hostKey, hostOs } from './hostkeys.ts';
import { productBySlug } from './products.ts';
import type {
  Coverage,
  HostKey,
  HostKeyProduct,
  HostKeySpec,
  HostKeyState,
  HostOsName,
  Product,
  ProductSlug,
} from './types.ts';

const NOTHING: Coverage = { products: [], editions: [] };

export type ValidatedHostKey = { readonly ok: true } | { readonly ok: false; readonly reason: string };

/** A product that a pool's host keys cover, by which key, and that key's state. */
export interface CoveredProduct {
  readonly product: Product;
  readonly hostKey: HostKeyProduct;
  readonly state: HostKeyState;
}

/**
 * What the key activates when installed on `os` (undefined: the newest system it may be installed on).
 * Nothing if it cannot be installed there: that is how a client system never activates servers (S3-26).
 */
export function coverage(product: HostKeyProduct, os?: HostOsName | undefined): Coverage {
  const key = hostKey(product);
  if (key === undefined) return NOTHING;
  return key.hostOs.includes(os ?? key.defaultHostOs) ? key.covers : NOTHING;
}

/** True if the key, on that host, activates at least one edition of the product. */
export function hostKeyCovers(key: HostKeyProduct, product: ProductSlug, os?: HostOsName | undefined): boolean {
  return coverage(key, os).products.includes(product);
}

/** Every host key that covers the product on some host, oldest first. */
export function hostKeysCovering(product: ProductSlug): readonly HostKey[] {
  return HOST_KEYS.filter((key) => key.covers.products.includes(product));
}

/**
 * The products a pool covers, by counted ID (32 lower-case hex digits of its wire bytes). Where several keys cover one,
 * an Activated key wins over the rest, then the earlier entry. An entry without a state is Activated; one that
 * validateHostKey refuses covers nothing.
 */
export function productsCoveredBy(hostKeys: readonly HostKeySpec[]): Map<string, CoveredProduct> {
  const covered = new Map<string, CoveredProduct>();
  for (const spec of hostKeys) {
    const state = spec.state ?? 'Activated';
    for (const slug of coverage(spec.product, spec.hostOs).products) {
      const product = productBySlug(slug);
      if (product === undefined) continue;
      const before = covered.get(product.countedIdHex);
      if (before === undefined || (before.state !== 'Activated' && state === 'Activated')) {
        covered.set(product.countedIdHex, { product, hostKey: spec.product, state });
      }
    }
  }
  return covered;
}

/** Whether such a key exists and may be installed on that host; the reason says what would do instead. */
export function validateHostKey(spec: {
  readonly product: string;
  readonly hostOs?: string | undefined;
}): ValidatedHostKey {
  const key = hostKey(spec.product);
  if (key === undefined) {
    const known = HOST_KEYS.map((k) => k.product).join(', ');
    return { ok: false, reason: `there is no host key ${JSON.stringify(spec.product)}; use one of ${known}` };
  }
  if (spec.hostOs === undefined || key.hostOs.some((name) => name === spec.hostOs)) return { ok: true };
  const remedy = `use one of ${key.hostOs.join(', ')}, or leave hostOs out`;
  const os = hostOs(spec.hostOs);
  if (os === undefined) {
    return { ok: false, reason: `there is no host operating system ${JSON.stringify(spec.hostOs)}; ${remedy}` };
  }
  const why = key.kind === 'server' && os.kind === 'client' ? ': a host on a client system activates clients only' : '';
  return { ok: false, reason: `${key.product} cannot be hosted on ${os.name}${why}; ${remedy}` };
}

/** A smallest list of keys, all Activated on their default hosts, that covers every product. */
export function hostKeysForEverything(): readonly HostKeySpec[] {
  // The newest server key covers all of Windows; every Office release needs its own.
  return HOST_KEYS.filter((key) => key.kind === 'office' || key.product === 'WindowsServer2025').map(
    (key): HostKeySpec => ({ product: key.product, hostOs: key.defaultHostOs, state: 'Activated' }),
  );
}
