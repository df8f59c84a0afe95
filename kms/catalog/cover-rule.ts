// SPDX-License-Identifier: Apache-2.0
//
// The rule that says what a host key activates, as a pure function of the key's kind, group and generation:
// its group and every lower one (S3-40), its generation and every earlier one (S3-42); a client key clients only
// (S3-26); an Office key its own release only, for each release needs a key of its own (Microsoft, "Configure a KMS
// host computer to activate volume licensed versions of Office"). It knows nothing of hosts or manifests.
//
// Microsoft's later planning pages drop Windows 8 and Vista as out of support; the keys still cover them, so we list them.

import { PRODUCTS } from './products.ts';
import { type Coverage, type Edition, type HostKey, PRODUCT_GROUPS, type Product } from './types.ts';

type KeyScope = Pick<HostKey, 'kind' | 'group' | 'generation'>;

/** Products and editions that a key of this scope activates, in catalogue order. */
export function coverageOfKey(key: KeyScope): Coverage {
  const editions = PRODUCTS.filter((product) => kindCovers(key, product)).flatMap((product) =>
    product.editions.filter((edition) => editionCovered(key, edition)),
  );
  return { products: [...new Set(editions.map((e) => e.product))], editions: editions.map((e) => e.slug) };
}

function kindCovers(key: KeyScope, product: Product): boolean {
  if (key.kind === 'server') return product.kind !== 'office';
  return product.kind === key.kind;
}

function editionCovered(key: KeyScope, edition: Edition): boolean {
  if (key.kind === 'office') return edition.generation === key.generation;
  if (edition.generation > key.generation) return false;
  // Keys since Server 2012 cover all editions; only the grouped keys look at the group.
  if (key.group === undefined || edition.group === undefined) return true;
  return PRODUCT_GROUPS.indexOf(edition.group) <= PRODUCT_GROUPS.indexOf(key.group);
}
