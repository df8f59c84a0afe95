// SPDX-License-Identifier: Apache-2.0
//
// For tests: a small pool. Not part of the command line.

import type { ExportHost, ExportRecord, ExportSource } from './records.ts';
import { exportRecords } from './records.ts';

/** Three hosts, two of them in front; one has no address. */
export const CAMPUS_SOURCE: ExportSource = {
  domains: [
    {
      name: 'lab.example',
      ttlSeconds: 60,
      tiers: [
        { hosts: 2, priority: 0, weight: 60 },
        { priority: 10, weight: 0 },
      ],
    },
    { name: 'branch.example', ttlSeconds: 300, priority: 10, weight: 0 },
  ],
  hosts: [hostOf(0, ['192.0.2.10', 'fd00::10']), hostOf(1, ['192.0.2.11']), hostOf(2, [])],
};

export function hostOf(ordinal: number, addresses: readonly string[]): ExportHost {
  const name = `campus-${ordinal}`;
  return { ordinal, name, target: `${name}.kms.lab.example`, port: 1688, addresses };
}

/** The records of a source that is right. */
export function recordsOf(source: ExportSource): readonly ExportRecord[] {
  const exported = exportRecords(source);
  if (!exported.ok) throw new Error(exported.reason);
  return exported.records;
}
