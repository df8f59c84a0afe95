// SPDX-License-Identifier: Apache-2.0
/**
 * What a request that opened gets (docs/protocol.md §5.1 steps 12–14): counted, or which HRESULT. Pure; the order of the checks is the order of the text.
 */
import {
  application,
  applicationByIdHex,
  type HostKeySpec,
  hostKeyStateInfo,
  productsCoveredBy,
} from '@kmspool/kms/catalog';
import { MAX_REQUIRED_CLIENT_COUNT } from '@kmspool/kms/counting';
import { idHex, type KmsRequest, REQUEST_OFFSET } from '@kmspool/kms/wire';

/** HRESULTs that this host puts into answers (docs/protocol.md §4). */
export const HRESULT = {
  ok: 0,
  invalidData: 0x8007000d,
  productNotServed: 0xc004f042,
  clockSkew: 0xc004f06c,
} as const;

/** A client's clock may be so far off, in either direction, and still be answered (S4-31). */
export const MAX_CLOCK_SKEW_MS = 4 * 3_600_000;

/** No application of the catalogue; such a request is refused, and only totals and events hear of it. */
export const NO_APPLICATION = 255;

/** What a host says to a product by its counted ID. */
export interface ServedProduct {
  /** The application that the product belongs to; a request must name the same. */
  readonly application: number;
  /** 0, or what clients get because of the host key's state. */
  readonly hresult: number;
}

/** By counted ID, 32 hex digits of its wire bytes. */
export type ServedProducts = ReadonlyMap<string, ServedProduct>;

/**
 * What the pool's host keys serve. What is wrong with a key (0xC004C008, 0xC004F051, …) is the host's own matter; clients learn only that it is not
 * activated (docs/protocol.md §9).
 */
export function servedProducts(hostKeys: readonly HostKeySpec[]): ServedProducts {
  return new Map(
    [...productsCoveredBy(hostKeys)].map(([countedIdHex, { product, state }]) => [
      countedIdHex,
      { application: application(product.application).index, hresult: hostKeyStateInfo(state).wireCode },
    ]),
  );
}

export interface DecisionTerms {
  readonly served: ServedProducts;
  /** The store's clock. */
  readonly nowMs: number;
}

export interface Decision {
  readonly hresult: number;
  /** Index in APPLICATIONS, or {@link NO_APPLICATION}. */
  readonly application: number;
}

export function decide(request: KmsRequest, terms: DecisionTerms): Decision {
  const index = applicationByIdHex(idHex(request, REQUEST_OFFSET.applicationId))?.index ?? NO_APPLICATION;
  return { hresult: judge(request, index, terms), application: index };
}

function judge(request: KmsRequest, applicationIndex: number, terms: DecisionTerms): number {
  if (request.requiredClientCount > MAX_REQUIRED_CLIENT_COUNT) return HRESULT.invalidData;
  if (isNil(request.bytes, REQUEST_OFFSET.cmid)) return HRESULT.invalidData;
  if (Math.abs(request.clientTimeMs - terms.nowMs) > MAX_CLOCK_SKEW_MS) return HRESULT.clockSkew;
  const served = terms.served.get(idHex(request, REQUEST_OFFSET.countedId));
  if (served === undefined || served.application !== applicationIndex) return HRESULT.productNotServed;
  return served.hresult;
}

function isNil(bytes: Buffer, offset: number): boolean {
  for (let at = offset; at < offset + 16; at += 4) if (bytes.readUInt32LE(at) !== 0) return false;
  return true;
}
