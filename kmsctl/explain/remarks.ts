// SPDX-License-Identifier: Apache-2.0
//
// What there is to say about findings, by their kind. Pure; what a pool adds is pool-facts.ts.

import { dlvRemarks } from './remarks-dlv.ts';
import { ipconfigRemarks, nslookupRemarks } from './remarks-dns.ts';
import { eventRemarks, keyRemarks } from './remarks-events.ts';
import type { Finding, Remark } from './types.ts';

/** What one finding says, in the light of the others. A code says what the catalogue says, and nothing here. */
export function remarksOf(finding: Finding, all: readonly Finding[]): Remark[] {
  switch (finding.kind) {
    case 'code':
      return [];
    case 'event':
      return eventRemarks(finding, all);
    case 'dlv':
      return dlvRemarks(finding);
    case 'ipconfig':
      return ipconfigRemarks(finding);
    case 'nslookup':
      return nslookupRemarks(
        finding,
        all.find((other) => other.kind === 'ipconfig'),
      );
    case 'key':
      return keyRemarks(finding);
  }
}
