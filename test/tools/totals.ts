// SPDX-License-Identifier: Apache-2.0
/** Adds up results files: what was skipped and why, and one line, `N passed, N failed, N skipped`, the closing line of `.ci/run`. A file that is missing is an error. */
import { readFileSync } from 'node:fs';
import type { TestResult } from './results-reporter.ts';
import { totalsLine } from './summary-reporter.ts';

const results = process.argv.slice(2).flatMap((file) =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as TestResult),
);
const reasons = Map.groupBy(
  results.filter(({ status }) => status === 'skip'),
  ({ reason }) => reason ?? 'no reason given',
);
for (const [reason, skipped] of reasons) process.stdout.write(`skipped ${skipped.length}: ${reason}\n`);
const count = (wanted: TestResult['status'][]): number =>
  results.filter(({ status }) => wanted.includes(status)).length;
process.stdout.write(
  `${totalsLine({ passed: count(['pass']), failed: count(['fail']), skipped: count(['skip', 'todo']) })}\n`,
);
