// SPDX-License-Identifier: Apache-2.0
//
// A node:test reporter: one JSON line {name, file, status} for every finished test, nested names joined by " > ".
// It is the input of requirements.ts. Suites are not lines of their own (their title is part of each test's name), unless they are skipped, and a file that
// cannot be loaded appears as a failed test named by the file, as node:test reports it.
//
//   KMSPOOL_RESULTS=results.jsonl node --test --test-reporter=./test/tools/results-reporter.ts --test-reporter-destination=stdout
//
// With KMSPOOL_RESULTS the lines are appended to that file, so that several runs may share one; without it they go to the reporter's destination.
import { appendFileSync, mkdirSync } from 'node:fs';
import { dirname, relative, sep } from 'node:path';
import type { TestEvent } from 'node:test/reporters';

/** How a test ended. A skipped or "to do" test is never a passed one. */
export type TestStatus = 'pass' | 'fail' | 'skip' | 'todo';

/** One line of a results file: `name` is the whole path of titles joined by {@link NAME_SEPARATOR}, `file` relative to the working directory. */
export type TestResult = {
  readonly name: string;
  readonly file: string;
  readonly status: TestStatus;
  /** Why it was skipped, if that was said. */
  readonly reason?: string;
};

/** What stands between the titles of a test and of the tests around it. */
export const NAME_SEPARATOR = ' > ';

type Finished = Extract<TestEvent, { type: 'test:pass' | 'test:fail' }>;

const isSet = (flag: string | boolean | undefined): boolean => flag !== undefined && flag !== false;

function statusOf(event: Finished): TestStatus {
  if (isSet(event.data.skip)) return 'skip';
  if (isSet(event.data.todo)) return 'todo';
  return event.type === 'test:pass' ? 'pass' : 'fail';
}

/** Turns node:test's events into results. `test:start` comes in the order of definition, so a stack by nesting depth gives the titles around a test. */
export async function* resultsOf(events: AsyncIterable<TestEvent>, root: string): AsyncGenerator<TestResult> {
  const titles: string[] = [];
  for await (const event of events) {
    if (event.type === 'test:start') titles.splice(event.data.nesting, titles.length, event.data.name);
    if (event.type !== 'test:pass' && event.type !== 'test:fail') continue;
    const status = statusOf(event);
    // A suite is its tests; those of a skipped one are never heard of.
    if (event.data.details.type === 'suite' && status !== 'skip') continue;
    const name = [...titles.slice(0, event.data.nesting), event.data.name].join(NAME_SEPARATOR);
    const file = relative(root, event.data.file ?? '')
      .split(sep)
      .join('/');
    const reason = typeof event.data.skip === 'string' ? { reason: event.data.skip } : {};
    yield { name, file, status, ...reason };
  }
}

// node:test takes a reporter only as a module's default export.
// biome-ignore lint/style/noDefaultExport: see above
export default async function* resultsReporter(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const target = process.env['KMSPOOL_RESULTS'];
  if (target) mkdirSync(dirname(target), { recursive: true });
  for await (const result of resultsOf(events, process.cwd())) {
    const line = `${JSON.stringify(result)}\n`;
    if (target) appendFileSync(target, line);
    else yield line;
  }
}
