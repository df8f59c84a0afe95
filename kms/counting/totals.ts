// SPDX-License-Identifier: Apache-2.0
/**
 * The cumulative figures at the end of `slmgr /dlv` (S1-22…26): all requests, those that failed, and how many came with each license status.
 * They belong to the pool and survive restarts.
 */

/** License statuses 0–6 and one place for values that are none (docs/protocol.md §4, row 80). */
export const LICENSE_STATUS_COUNT = 8;
export const UNKNOWN_LICENSE_STATUS = 7;

/** A status from the wire as an index of {@link Totals.byLicenseStatus}. */
export function licenseStatusIndex(licenseStatus: number): number {
  return Math.min(licenseStatus, UNKNOWN_LICENSE_STATUS);
}

export interface Totals {
  /** Requests received: counted and refused. */
  readonly total: number;
  /** Requests that this pool refused with an HRESULT (S1-23). */
  readonly failed: number;
  /** Index 0–6 as on the wire, 7 = unknown. Their sum is {@link total}. */
  readonly byLicenseStatus: readonly number[];
}

export const NO_TOTALS: Totals = { total: 0, failed: 0, byLicenseStatus: new Array(LICENSE_STATUS_COUNT).fill(0) };
