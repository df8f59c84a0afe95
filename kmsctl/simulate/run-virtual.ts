// SPDX-License-Identifier: Apache-2.0
//
// A fleet on the virtual clock, from the loaded file to the report. The clock itself is @kmspool/kms/fleet.

import { checkpointsFor, judgeExpectations, simulate } from '@kmspool/kms/fleet';
import { expectationsOf } from './expectations.ts';
import type { LoadedFleet } from './fleet-file.ts';
import { planOf } from './plan.ts';
import { seededCmid, seededNumbers } from './random.ts';
import { type FleetReport, reportOf } from './report.ts';

export interface VirtualOptions {
  readonly seed: number;
  readonly days: number;
  readonly onProgress?: (share: number) => void;
}

/** Plays the fleet. Throws a UserError for a name or a time in the file that is not there. */
export function runVirtual(loaded: LoadedFleet, { seed, days, onProgress }: VirtualOptions): FleetReport {
  const plan = planOf(loaded, days);
  const expectations = expectationsOf(loaded.fleet.expect, plan, loaded.shownAs);
  const result = simulate({
    plan,
    random: seededNumbers(seed),
    cmidOf: (machine) => seededCmid(seed, machine),
    checkpointsMs: checkpointsFor(expectations),
    onProgress,
  });
  return reportOf({ loaded, seed, plan, result, verdicts: judgeExpectations(expectations, result) });
}
