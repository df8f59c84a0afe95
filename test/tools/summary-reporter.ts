// SPDX-License-Identifier: Apache-2.0
/**
 * A node:test reporter for people: a line per file, every failure in full, the reasons of what was skipped, and a closing line with the sums. The complete list of tests is in
 * the results file (`results-reporter.ts`), which `make requirements` shows.
 */
import { relative } from 'node:path';
import type { TestEvent } from 'node:test/reporters';

interface FileSums {
  passed: number;
  failed: number;
  skipped: number;
  durationMs: number;
}

type Finished = Extract<TestEvent, { type: 'test:pass' | 'test:fail' }>;

class Summary {
  readonly #files = new Map<string, FileSums>();
  readonly #skips = new Map<string, number>();
  #failures = 0;

  /** What to print for a finished test: nothing unless it failed. */
  add(event: Finished): string {
    const file = relative(process.cwd(), event.data.file ?? '');
    const sums = this.#files.get(file) ?? { passed: 0, failed: 0, skipped: 0, durationMs: 0 };
    this.#files.set(file, sums);
    if (event.data.nesting === 0) sums.durationMs += event.data.details.duration_ms;
    const skip = event.data.skip ?? event.data.todo;
    const isSkipped = skip !== undefined && skip !== false;
    // Of a suite its tests are counted; but those of a skipped one are never heard of, and what a hook failed with only the suite knows.
    if (event.data.details.type === 'suite' && !isSkipped)
      return isHookFailure(event) ? failureText(++this.#failures, file, event) : '';
    if (isSkipped) {
      sums.skipped++;
      this.#skips.set(String(skip), (this.#skips.get(String(skip)) ?? 0) + 1);
    } else if (event.type === 'test:pass') sums.passed++;
    else {
      sums.failed++;
      return failureText(++this.#failures, file, event);
    }
    return '';
  }

  closing(): string {
    const files = [...this.#files].sort(([a], [b]) => (a < b ? -1 : 1));
    const total = { passed: 0, failed: 0, skipped: 0 };
    const lines = files.map(([file, sums]) => {
      total.passed += sums.passed;
      total.failed += sums.failed;
      total.skipped += sums.skipped;
      return fileLine(file, sums);
    });
    const skips = [...this.#skips].map(([reason, count]) => `skipped ${count}: ${reason}`);
    return `${[...lines, ...skips, '', totalsLine(total)].join('\n')}\n`;
  }
}

function isHookFailure(event: Finished): boolean {
  return (
    event.type === 'test:fail' && (event.data.details.error as { failureType?: string }).failureType === 'hookFailed'
  );
}

/** The closing line that every tier and `.ci/run` ends with. */
export function totalsLine(total: { passed: number; failed: number; skipped: number }): string {
  return `${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`;
}

function fileLine(file: string, sums: FileSums): string {
  const counts = [`${sums.passed} passed`];
  if (sums.failed > 0) counts.push(`${sums.failed} FAILED`);
  if (sums.skipped > 0) counts.push(`${sums.skipped} skipped`);
  return `${sums.failed > 0 ? 'not ok' : 'ok    '} ${file} (${counts.join(', ')}, ${(sums.durationMs / 1000).toFixed(1)} s)`;
}

function failureText(number: number, file: string, event: Finished): string {
  const error = event.type === 'test:fail' ? event.data.details.error : undefined;
  const cause = error?.cause instanceof Error ? error.cause.stack : String(error?.cause ?? error?.message ?? 'failed');
  return `\nfailure ${number}: ${event.data.name}\n  ${file}:${event.data.line ?? 0}\n${(cause ?? '').replaceAll(/^/gm, '  ')}\n\n`;
}

// node:test takes a reporter only as a module's default export.
// biome-ignore lint/style/noDefaultExport: see above
export default async function* summaryReporter(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const summary = new Summary();
  for await (const event of events) {
    if (event.type === 'test:pass' || event.type === 'test:fail') yield summary.add(event);
    else if (event.type === 'test:stderr') yield event.data.message;
  }
  yield summary.closing();
}
