// SPDX-License-Identifier: Apache-2.0
//
// Our own SKU and counted IDs: name-based UUIDs (RFC 9562 §5.5) under a namespace of this project's own domain.
// They are deterministic, so every host, client and store of any pool agrees on them; they are not Microsoft's.

import { createHash } from 'node:crypto';

/** RFC 9562 §6.6: the namespace for fully qualified domain names. */
const DNS_NAMESPACE = '6ba7b810-9dad-11d1-80b4-00c04fd430c8';

/** UUIDv5(DNS, `kmspool.io`): the namespace of all catalogue IDs. */
export const CATALOG_NAMESPACE: string = uuidV5(DNS_NAMESPACE, 'kmspool.io');

/** The SKU (activation) ID of an edition, GUID text, lower case. */
export function skuId(editionSlug: string): string {
  return uuidV5(CATALOG_NAMESPACE, `sku/${editionSlug}`);
}

/** The KMS counted ID of a product, GUID text, lower case. */
export function countedId(productSlug: string): string {
  return uuidV5(CATALOG_NAMESPACE, `counted/${productSlug}`);
}

/**
 * UUID version 5 of `name` under `namespace` (UUID text): the first 16 bytes of SHA-1(namespace bytes as written ‖
 * UTF-8 name), with version and variant set. SHA-1 is what the RFC prescribes; nothing secret rests on it.
 */
export function uuidV5(namespace: string, name: string): string {
  const digest = createHash('sha1')
    .update(Buffer.from(namespace.replaceAll('-', ''), 'hex'))
    .update(name, 'utf8')
    .digest();
  digest.writeUInt8((digest.readUInt8(6) & 0x0f) | 0x50, 6);
  digest.writeUInt8((digest.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = digest.toString('hex', 0, 16);
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
