// SPDX-License-Identifier: Apache-2.0
//
// The pure half of `make requirements`: which fact of docs/requirements.md is proven by which test. It reads no file and prints nothing;
// requirements.ts does. A test proves a fact by carrying its ID in its title, or in the title of a test or suite around it.
import { NAME_SEPARATOR, type TestResult, type TestStatus } from './results-reporter.ts';

/** A fact of docs/requirements.md: `S1-01` … `S5-29`, `C1` … `C9`; with the reason why no test proves it, if there is one. */
export type Fact = { readonly id: string; readonly text: string; readonly excuse?: string };

/** proven: a test passed and none failed. failed: any test failed. skipped: named only by tests that did not run. excused, untested: named by none, with a reason or without. */
export type FactState = 'proven' | 'failed' | 'skipped' | 'excused' | 'untested';

/** A fact with the tests that name it; a test inside another that names the same fact and ended alike is not listed again. */
export type FactReport = Fact & { readonly state: FactState; readonly tests: readonly TestResult[] };

/** An ID in a test's title that docs/requirements.md does not have: a typing error in one of the two. */
export type UnknownId = { readonly id: string; readonly test: TestResult };

/** All facts in the order of the document, the wrong IDs, and how many facts are in which state. */
export type Report = {
  readonly facts: readonly FactReport[];
  readonly unknown: readonly UnknownId[];
  /** Facts that are excused and proven at once. */
  readonly idle: readonly string[];
  readonly summary: Readonly<Record<FactState, number>> & { readonly facts: number; readonly tests: number };
};

/** A value, or one line that says what is wrong and where. */
export type Parsed<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly reason: string };

const FACT_LINE = /^- \*\*([^*]+)\*\* (.+)$/;
/** `- S1-18: why no test proves it`. */
const EXCUSE_LINE = /^- ((?:S\d-\d{2}|C\d{1,2})(?:, (?:S\d-\d{2}|C\d{1,2}))*): (.+)$/;
const FACT_ID = /^(?:S\d-\d{2}|C\d{1,2})$/;
const ARROW = ' → ';

/** Reads the facts: lines `- **S1-15** fact → what it becomes here`. What stands after the arrow is not part of the fact. */
export function parseFacts(markdown: string): Parsed<readonly Fact[]> {
  const facts = new Map<string, Fact>();
  for (const [index, line] of markdown.split('\n').entries()) {
    const [, id, rest] = FACT_LINE.exec(line) ?? [];
    if (id === undefined || rest === undefined) continue;
    if (!FACT_ID.test(id))
      return { ok: false, reason: `line ${index + 1}: "${id}" is not an ID of the form S1-15 or C1` };
    if (facts.has(id))
      return { ok: false, reason: `line ${index + 1}: ${id} stands there twice; give each fact one line` };
    facts.set(id, { id, text: rest.split(ARROW)[0]!.trim() });
  }
  for (const [index, line] of markdown.split('\n').entries()) {
    const [, ids, excuse] = EXCUSE_LINE.exec(line) ?? [];
    for (const id of ids?.split(', ') ?? []) {
      const fact = facts.get(id);
      if (fact === undefined || excuse === undefined)
        return { ok: false, reason: `line ${index + 1}: there is no ${id} to excuse` };
      facts.set(id, { ...fact, excuse });
    }
  }
  if (facts.size === 0) return { ok: false, reason: 'no line of the form "- **S1-15** fact"' };
  return { ok: true, value: [...facts.values()] };
}

const STATUSES: readonly string[] = ['pass', 'fail', 'skip', 'todo'] satisfies TestStatus[];

function isTestResult(value: unknown): value is TestResult {
  if (typeof value !== 'object' || value === null) return false;
  const { name, file, status } = value as Record<string, unknown>;
  return (
    typeof name === 'string' && typeof file === 'string' && typeof status === 'string' && STATUSES.includes(status)
  );
}

/** Reads one results file as results-reporter.ts writes it. */
export function parseResults(jsonLines: string): Parsed<readonly TestResult[]> {
  const results: TestResult[] = [];
  for (const [index, line] of jsonLines.split('\n').entries()) {
    if (line.trim() === '') continue;
    const value = parseJson(line);
    if (!isTestResult(value))
      return { ok: false, reason: `line ${index + 1}: not a {name, file, status} of results-reporter.ts` };
    results.push(value);
  }
  return { ok: true, value: results };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

// Lists as people write them: "S3-11…14" and "S3-54/55" count each number. Letters and dashes around it make it another word (0xC004F042).
const TITLE_ID = /(?<![\w-])(S\d-|C)(\d{1,3})((?:(?:…|\.{2,3}|–|\/)\d{1,3})*)(?![\w-])/g;
const LIST_PART = /(…|\.{2,3}|–|\/)(\d{1,3})/g;

/** The requirement IDs in a test's name, each once, in order. They are not checked to exist. */
export function idsInTitle(title: string): readonly string[] {
  const ids = new Set<string>();
  for (const [, prefix, first, list] of title.matchAll(TITLE_ID)) {
    ids.add(`${prefix}${first}`);
    let last = Number(first);
    for (const [, joiner, digits] of (list ?? '').matchAll(LIST_PART)) {
      const next = Number(digits);
      const from = joiner === '/' ? next : last + 1;
      for (let n = from; n < next; n++) ids.add(`${prefix}${String(n).padStart(first!.length, '0')}`);
      ids.add(`${prefix}${digits}`);
      last = next;
    }
  }
  return [...ids];
}

const RANK: Readonly<Record<TestStatus, number>> = { todo: 0, skip: 1, pass: 2, fail: 3 };

/** One result a test: of several runs a failure outweighs a pass, and a pass a skip. */
export function mergeResults(results: readonly TestResult[]): readonly TestResult[] {
  const merged = new Map<string, TestResult>();
  for (const result of results) {
    const key = `${result.file}\n${result.name}`;
    const known = merged.get(key);
    if (!known || RANK[result.status] > RANK[known.status]) merged.set(key, result);
  }
  return [...merged.values()];
}

function outermost(tests: readonly TestResult[]): readonly TestResult[] {
  const inside = (inner: TestResult, outer: TestResult): boolean =>
    inner.file === outer.file && inner.status === outer.status && inner.name.startsWith(outer.name + NAME_SEPARATOR);
  return tests.filter((test) => !tests.some((other) => inside(test, other)));
}

function stateOf(tests: readonly TestResult[], excuse: string | undefined): FactState {
  if (tests.some((test) => test.status === 'fail')) return 'failed';
  if (tests.some((test) => test.status === 'pass')) return 'proven';
  if (tests.length > 0) return 'skipped';
  return excuse === undefined ? 'untested' : 'excused';
}

/** Puts facts and results together. */
export function buildReport(facts: readonly Fact[], results: readonly TestResult[]): Report {
  const testsById = new Map<string, TestResult[]>(facts.map((fact) => [fact.id, []]));
  const unknown: UnknownId[] = [];
  const merged = mergeResults(results);
  for (const test of merged) {
    for (const id of idsInTitle(test.name)) {
      const tests = testsById.get(id);
      if (tests) tests.push(test);
      else unknown.push({ id, test });
    }
  }
  const reports = facts.map((fact) => {
    const tests = outermost(testsById.get(fact.id)!);
    return { ...fact, state: stateOf(tests, fact.excuse), tests };
  });
  const count = (state: FactState): number => reports.filter((report) => report.state === state).length;
  const named = new Set(reports.flatMap((report) => report.tests.filter((test) => test.status === 'pass')));
  return {
    facts: reports,
    unknown,
    idle: reports.flatMap(({ id, excuse, state }) => (excuse !== undefined && state === 'proven' ? [id] : [])),
    summary: {
      facts: reports.length,
      tests: named.size,
      proven: count('proven'),
      failed: count('failed'),
      skipped: count('skipped'),
      excused: count('excused'),
      untested: count('untested'),
    },
  };
}

const MARKS: Readonly<Record<FactState, string>> = {
  proven: '✓',
  failed: '✗',
  skipped: '~',
  excused: 'o',
  untested: '-',
};
const TEST_MARKS: Readonly<Record<TestStatus, string>> = {
  pass: '',
  fail: 'FAILED ',
  skip: 'skipped ',
  todo: 'to do ',
};

function shorten(text: string, width: number): string {
  const characters = [...text];
  return characters.length <= width ? text : `${characters.slice(0, Math.max(width - 1, 0)).join('')}…`;
}

/** The report as text, no line longer than `width` characters: a line a fact, below it the tests, at the end the wrong IDs and the sum. */
export function renderReport(report: Report, width: number): string {
  const lines = report.facts.flatMap((fact) => [
    `${MARKS[fact.state]} ${fact.id.padEnd(5)} ${fact.text}`,
    ...(fact.state === 'excused' ? [`        ${fact.excuse}`] : []),
    ...fact.tests.map((test) => `        ${TEST_MARKS[test.status]}${test.name}  (${test.file})`),
  ]);
  const { summary } = report;
  return [
    ...lines.map((line) => shorten(line, width)),
    '',
    `${summary.facts} facts: ${summary.proven} proven by ${summary.tests} ${summary.tests === 1 ? 'test' : 'tests'}, ${summary.failed} failed, ` +
      `${summary.skipped} only skipped, ${summary.excused} excused, ${summary.untested} without a test`,
    ...report.idle.map((id) => `docs/requirements.md excuses ${id}, which a test proves: take the excuse out`),
    ...report.unknown.map(({ id, test }) => `${test.file}: no ${id} in docs/requirements.md, named by "${test.name}"`),
    '',
  ].join('\n');
}
