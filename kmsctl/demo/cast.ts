// SPDX-License-Identifier: Apache-2.0
//
// Who appears in the demo, in order: the four machines of S3-09, and a mixed campus up to the twenty-fifth. Names and order
// are fixed, so that every run tells the same story; CMIDs are new each time.

import { randomUUID } from 'node:crypto';
import { type Product, type ProductSlug, productBySlug } from '@kmspool/kms/catalog';
import type { Machine } from '../net/index.ts';
import { editionOf } from '../verbs/activate.ts';

interface Part {
  readonly product: ProductSlug;
  readonly vm?: boolean;
  /** What it is in S3-09's words. */
  readonly role?: string;
}

/** In order of appearance. The count that each must be told is its position. */
const PARTS: readonly Part[] = [
  { product: 'windows-7', role: 'the first Windows 7' },
  { product: 'windows-7', role: 'the second Windows 7' },
  { product: 'windows-7', vm: true, role: 'a Windows 7 virtual machine' },
  { product: 'windows-server-2008-r2', role: 'a Windows Server 2008 R2' },
  { product: 'windows-server-2022', role: 'the first server that is licensed' },
  { product: 'windows-server-2019' },
  { product: 'windows-10' },
  { product: 'windows-11' },
  { product: 'windows-server-2016', vm: true },
  { product: 'windows-8.1' },
  { product: 'windows-vista' },
  { product: 'windows-10', vm: true },
  { product: 'windows-server-2012-r2' },
  { product: 'windows-11' },
  { product: 'windows-10' },
  { product: 'windows-server-2025' },
  { product: 'windows-8' },
  { product: 'windows-11', vm: true },
  { product: 'windows-10' },
  { product: 'windows-server-2012', vm: true },
  { product: 'windows-11' },
  { product: 'windows-10' },
  { product: 'windows-server-2008' },
  { product: 'windows-11' },
  { product: 'windows-7', role: 'the first Windows 7 that is licensed' },
];

/** Every third machine stands in the pool's second domain, where SRV ranks the hosts differently. */
const BRANCH_EVERY = 3;

export interface CastMember {
  readonly machine: Machine;
  /** The DNS domain that it searches. */
  readonly domain: string;
  readonly role: string | undefined;
}

/** A fresh cast of 25 machines in the pool's domains; throws a RangeError without any domain. */
export function makeCast(domains: readonly string[]): CastMember[] {
  const [home, branch = home] = domains;
  if (home === undefined || branch === undefined) throw new RangeError('the demo needs a pool with a domain');
  return PARTS.map(({ product: slug, vm = false, role }, index) => {
    const product = mustKnow(slug);
    const machine: Machine = {
      name: `${product.kind === 'server' ? 'srv' : 'pc'}-${String(index + 1).padStart(2, '0')}`,
      cmid: randomUUID(),
      product,
      edition: editionOf(product, undefined),
      protocol: product.protocolVersion,
      isClientVm: vm,
    };
    return { machine, role, domain: (index + 1) % BRANCH_EVERY === 0 ? branch : home };
  });
}

function mustKnow(slug: ProductSlug): Product {
  const product = productBySlug(slug);
  if (product === undefined) throw new RangeError(`no product ${slug} in the catalogue`);
  return product;
}
