// SPDX-License-Identifier: Apache-2.0
/** Adds up results files into one line, `N passed, N failed, N skipped`: the closing line of `.ci/run`. Exit code 2 when a file is missing. */
import { readFileSync } from 'node:fs';
import type { TestResult } from './results-reporter.ts';
import { totalsLine } from './summary-reporter.ts';

const results = process.argv.slice(2).flatMap((file) =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as TestResult),
);
const count = (wanted: TestResult['status'][]): number =>
  results.filter(({ status }) => wanted.includes(status)).length;
process.stdout.write(
  `${totalsLine({ passed: count(['pass']), failed: count(['fail']), skipped: count(['skip', 'todo']) })}\n`,
);
