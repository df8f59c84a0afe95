// SPDX-License-Identifier: Apache-2.0
//
// The licence states a client reports, 0–6 (docs/protocol.md §4). Statistics only: no answer depends on them.

import type { LicenseStatus } from './types.ts';

/** By value, 0 to 6. The labels are those of slmgr /dlv's cumulative counters (S1-24), which have no line for 6. */
export const LICENSE_STATUSES: readonly LicenseStatus[] = [
  { value: 0, name: 'Unlicensed', dlvLabel: 'Unlicensed', slug: 'unlicensed' },
  { value: 1, name: 'Licensed', dlvLabel: 'Licensed', slug: 'licensed' },
  { value: 2, name: 'Out-of-box grace', dlvLabel: 'Initial grace period', slug: 'oob_grace' },
  {
    value: 3,
    name: 'Out-of-tolerance grace',
    dlvLabel: 'License expired or Hardware out of tolerance',
    slug: 'oot_grace',
  },
  { value: 4, name: 'Non-genuine grace', dlvLabel: 'Non-genuine grace period', slug: 'non_genuine_grace' },
  { value: 5, name: 'Notification', dlvLabel: 'Notification', slug: 'notification' },
  { value: 6, name: 'Extended grace', dlvLabel: 'Extended grace period', slug: 'extended_grace' },
];

/** The state with this value, or undefined: a client may send any u32. */
export function licenseStatus(value: number): LicenseStatus | undefined {
  return LICENSE_STATUSES[value];
}

/** The metric label of a state; `unknown` for anything but 0–6, so that a client cannot make labels. */
export function licenseStatusSlug(value: number): string {
  return LICENSE_STATUSES[value]?.slug ?? 'unknown';
}
