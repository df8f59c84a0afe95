// SPDX-License-Identifier: Apache-2.0
/**
 * What a request that opened gets (docs/protocol.md §5.1 steps 12–14): counted, or which HRESULT. Pure; the order of the checks is the order of the text.
 */
import { applicationByIdHex, type CoveredProduct, hostKeyStateInfo } from '@kmspool/kms/catalog';
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

const NIL_ID = '0'.repeat(32);

export interface DecisionTerms {
  /** By counted ID, 32 hex digits of its wire bytes (catalogue: productsCoveredBy). */
  readonly covered: ReadonlyMap<string, CoveredProduct>;
  /** The store's clock. */
  readonly nowMs: number;
}

export interface Decision {
  readonly hresult: number;
  /** Index in APPLICATIONS, or {@link NO_APPLICATION}. */
  readonly application: number;
}

export function decide(request: KmsRequest, terms: DecisionTerms): Decision {
  const application = applicationByIdHex(idHex(request, REQUEST_OFFSET.applicationId));
  const index = application?.index ?? NO_APPLICATION;
  const no = (hresult: number): Decision => ({ hresult, application: index });

  if (request.requiredClientCount > MAX_REQUIRED_CLIENT_COUNT) return no(HRESULT.invalidData);
  if (idHex(request, REQUEST_OFFSET.cmid) === NIL_ID) return no(HRESULT.invalidData);
  if (Math.abs(request.clientTimeMs - terms.nowMs) > MAX_CLOCK_SKEW_MS) return no(HRESULT.clockSkew);

  const covered = terms.covered.get(idHex(request, REQUEST_OFFSET.countedId));
  if (!covered || covered.product.application !== application?.name) return no(HRESULT.productNotServed);
  // What is wrong with the key (0xC004C008, 0xC004F051, …) is the host's own matter; clients learn only that it is not activated.
  return no(hostKeyStateInfo(covered.state).wireCode);
}
