// SPDX-License-Identifier: Apache-2.0
/**
 * The decision about a request that opened, from its bytes; the rules are @kmspool/kms/host.
 */
import { applicationByIdHex } from '@kmspool/kms/catalog';
import { judge, type servedProducts } from '@kmspool/kms/host';
import { idHex, type KmsRequest, REQUEST_OFFSET } from '@kmspool/kms/wire';

/** No application of the catalogue; such a request is refused, and only totals and events hear of it. */
export const NO_APPLICATION = 255;

/** By counted ID, 32 hex digits of its wire bytes. */
export type ServedProducts = ReturnType<typeof servedProducts>;

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
  const facts = {
    requiredClientCount: request.requiredClientCount,
    cmidIsNil: isNil(request.bytes, REQUEST_OFFSET.cmid),
    clientTimeMs: request.clientTimeMs,
    application: index,
  };
  const served = terms.served.get(idHex(request, REQUEST_OFFSET.countedId));
  return { hresult: judge(facts, served, terms.nowMs), application: index };
}

function isNil(bytes: Buffer, offset: number): boolean {
  for (let at = offset; at < offset + 16; at += 4) if (bytes.readUInt32LE(at) !== 0) return false;
  return true;
}
