// SPDX-License-Identifier: Apache-2.0
//
// What a request that opened gets (docs/protocol.md §5.1 steps 12–14): counted, or which HRESULT. The order of the checks
// is the order of the text.

import { application, type HostKeySpec, hostKeyStateInfo, productsCoveredBy } from '../catalog/index.ts';
import { MAX_REQUIRED_CLIENT_COUNT } from '../counting/index.ts';

/** HRESULTs that a host puts into answers (docs/protocol.md §4). */
export const HRESULT = {
  ok: 0,
  invalidData: 0x8007000d,
  productNotServed: 0xc004f042,
  clockSkew: 0xc004f06c,
} as const;

/** A client's clock may be so far off, in either direction, and still be answered (S4-31). */
export const MAX_CLOCK_SKEW_MS = 4 * 3_600_000;

/** What a host says to a product by its counted ID. */
export interface ServedProduct {
  /** Index of the application that the product belongs to; a request must name the same. */
  readonly application: number;
  /** 0, or what clients get because of the host key's state. */
  readonly hresult: number;
}

/**
 * What the pool's host keys serve, by counted ID (32 hex digits of its wire bytes). What is wrong with a key (0xC004C008,
 * 0xC004F051, …) is the host's own matter; clients learn only that it is not activated (docs/protocol.md §9).
 */
export function servedProducts(hostKeys: readonly HostKeySpec[]): ReadonlyMap<string, ServedProduct> {
  return new Map(
    [...productsCoveredBy(hostKeys)].map(([countedIdHex, { product, state }]) => [
      countedIdHex,
      { application: application(product.application).index, hresult: hostKeyStateInfo(state).wireCode },
    ]),
  );
}

/** Of a request, what the decision rests on. */
export interface RequestFacts {
  readonly requiredClientCount: number;
  readonly cmidIsNil: boolean;
  /** The client's clock, milliseconds since 1970. */
  readonly clientTimeMs: number;
  /** Index of the application that the request names; any other number for an unknown one. */
  readonly application: number;
}

/** 0, or the HRESULT that the request is refused with. `served`: what the host says to the product; `nowMs`: the store's clock. */
export function judge(request: RequestFacts, served: ServedProduct | undefined, nowMs: number): number {
  if (request.requiredClientCount > MAX_REQUIRED_CLIENT_COUNT) return HRESULT.invalidData;
  if (request.cmidIsNil) return HRESULT.invalidData;
  if (Math.abs(request.clientTimeMs - nowMs) > MAX_CLOCK_SKEW_MS) return HRESULT.clockSkew;
  if (served === undefined || served.application !== request.application) return HRESULT.productNotServed;
  return served.hresult;
}
