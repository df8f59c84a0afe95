// SPDX-License-Identifier: Apache-2.0
//
// `make requirements` and its reporter: IDs out of titles, results out of a real `node --test` run, the report, the guard against mistyped IDs.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { requirementsTool } from './requirements.ts';
import { buildReport, idsInTitle, parseFacts, parseResults, renderReport } from './requirements-report.ts';
import type { TestResult, TestStatus } from './results-reporter.ts';

// IDs in this file's samples are joined at run time, so that its own titles never claim to prove a fact.
const id = (prefix: string, number: string): string => prefix + number;
const S115 = id('S1-', '15');
const S116 = id('S1-', '16');

const FACTS = [
  { id: S115, text: 'Never above 50' },
  { id: S116, text: 'Server-only' },
];

const result = (name: string, status: TestStatus = 'pass', file = 'a.test.ts'): TestResult => ({ name, file, status });

function inTemporaryFolder(body: (folder: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), 'kmspool-requirements-'));
  try {
    body(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const TITLES: readonly (readonly [string, string, readonly string[]])[] = [
  ['side by side', `${S115} S3-13 caches twice the required count`, [S115, 'S3-13']],
  ['as a range', 'the cap (S3-11…14) holds', ['S3-11', 'S3-12', 'S3-13', 'S3-14']],
  ['as a range and as a list', 'S3-09..11, and S3-54/55: intervals', ['S3-09', 'S3-10', 'S3-11', 'S3-54', 'S3-55']],
  ['twice, but counts once', `C1 and ${S115}; again ${S115}`, ['C1', S115]],
  ['nowhere in codes and names that look like one', 'HRESULT 0xC004F042, MS-RPCE 2.2.2, PC1, S3-compatible, V6-C1', []],
];
for (const [how, title, expected] of TITLES) {
  test(`a requirement ID is found in a test's title: ${how}`, () => assert.deepEqual(idsInTitle(title), expected));
}

test('facts are read up to the arrow, and a line that stands twice is refused with its number', () => {
  const text = `# x\n- **${S115}** Never above 50 → E cap\n- **C1** text: no arrow\nprose\n`;
  assert.deepEqual(parseFacts(text), {
    ok: true,
    value: [
      { id: S115, text: 'Never above 50' },
      { id: 'C1', text: 'text: no arrow' },
    ],
  });
  assert.deepEqual(parseFacts(`${text}- **${S115}** again\n`), {
    ok: false,
    reason: `line 5: ${S115} stands there twice; give each fact one line`,
  });
  assert.equal(parseFacts('- **S1-1** short\n').ok, false);
  assert.equal(parseFacts('nothing\n').ok, false);
});

test('docs/requirements.md has every fact of the five documents', () => {
  const parsed = parseFacts(readFileSync(new URL('../../docs/requirements.md', import.meta.url), 'utf8'));
  assert.ok(parsed.ok, parsed.ok ? '' : parsed.reason);
  const expected = [47, 37, 86, 35, 29].flatMap((count, index) =>
    Array.from({ length: count }, (_, n) => `S${index + 1}-${String(n + 1).padStart(2, '0')}`),
  );
  const traps = Array.from({ length: 9 }, (_, n) => id('C', String(n + 1)));
  assert.deepEqual(
    parsed.value.map((fact) => fact.id),
    [...expected, ...traps],
  );
});

test('a fact is proven only by a test that passed, and failed if any test that names it failed', () => {
  const state = (...results: TestResult[]): string | undefined => buildReport(FACTS, results).facts[0]?.state;
  assert.equal(state(), 'untested');
  assert.equal(state(result('something else')), 'untested');
  assert.equal(state(result(`${S115} a`)), 'proven');
  assert.equal(state(result(`${S115} a`, 'skip'), result(`${S115} b`, 'todo')), 'skipped');
  assert.equal(state(result(`${S115} a`), result(`${S115} b`, 'fail')), 'failed');
});

test('results of several runs are merged: a failure outweighs a pass, a pass outweighs a skip', () => {
  const merged = (...statuses: TestStatus[]): unknown =>
    buildReport(
      FACTS,
      statuses.map((status) => result(`${S115} a`, status)),
    ).facts[0]?.tests;
  assert.deepEqual(merged('skip', 'pass'), [result(`${S115} a`)]);
  assert.deepEqual(merged('pass', 'fail', 'pass'), [result(`${S115} a`, 'fail')]);
});

test('a test inside one that names the same fact is not listed again, but a failed one is', () => {
  const outer = result(`${S115} table`);
  const report = buildReport(FACTS, [outer, result(`${S115} table > row`), result(`${S115} table > bad`, 'fail')]);
  assert.deepEqual(report.facts[0]?.tests, [outer, result(`${S115} table > bad`, 'fail')]);
});

test('the text marks each fact, keeps to the width and sums up', () => {
  const report = buildReport(FACTS, [result(`${S115} ${'long '.repeat(40)}`)]);
  const lines = renderReport(report, 60).split('\n');
  assert.equal(lines[0], `✓ ${S115} Never above 50`);
  assert.equal(lines[1]?.length, 60);
  assert.match(lines[1] ?? '', /…$/);
  assert.equal(lines[2], `- ${S116} Server-only`);
  assert.equal(lines[4], '2 facts: 1 proven by 1 test, 0 failed, 0 only skipped, 0 excused, 1 without a test');
});

test('a results file with anything but results is refused with its line', () => {
  assert.deepEqual(parseResults('{"name":"a","file":"b","status":"pass"}\n\n'), {
    ok: true,
    value: [result('a', 'pass', 'b')],
  });
  for (const bad of ['TAP version 13', '{"name":"a"}', '{"name":"a","file":"b","status":"passed"}', 'null']) {
    const parsed = parseResults(`\n${bad}\n`);
    assert.ok(!parsed.ok && parsed.reason.startsWith('line 2: '), bad);
  }
});

test('the tool exits 1 and names the title when a test carries an ID that does not exist', () => {
  inTemporaryFolder((folder) => {
    const requirements = join(folder, 'requirements.md');
    const first = join(folder, '1.jsonl');
    const second = join(folder, '2.jsonl');
    writeFileSync(requirements, `- **${S115}** Never above 50 → E\n`);
    writeFileSync(first, `${JSON.stringify(result(`${S115} holds`))}\n`);
    writeFileSync(second, `${JSON.stringify(result(`${id('S1-', '99')} holds`))}\n`);
    const run = (...args: string[]): ReturnType<typeof requirementsTool> =>
      requirementsTool(['--requirements', requirements, ...args], {}, 100);
    assert.equal(run(first).code, 0);
    assert.equal(requirementsTool(['--requirements', requirements], { KMSPOOL_RESULTS: first }, 100).code, 0);
    const both = run(first, second);
    assert.equal(both.code, 1);
    assert.match(both.out, /a\.test\.ts: no S1-99 in docs\/requirements\.md, named by "S1-99 holds"/);
    const json = JSON.parse(run('--json', first, second).out);
    assert.equal(json.unknown[0].id, id('S1-', '99'));
    assert.equal(json.facts[0].state, 'proven');
  });
});

test('the tool exits 1 when a test that names a fact failed', () => {
  inTemporaryFolder((folder) => {
    const requirements = join(folder, 'requirements.md');
    const results = join(folder, 'results.jsonl');
    writeFileSync(requirements, `- **${S115}** Never above 50 → E\n`);
    writeFileSync(results, `${JSON.stringify(result(`${S115} holds`, 'fail'))}\n`);
    assert.equal(requirementsTool(['--requirements', requirements, results], {}, 100).code, 1);
  });
});

test('bad input to the tool is one line and exit code 2', () => {
  for (const args of [['--jsn'], ['/does/not/exist.jsonl'], ['--requirements', '/does/not/exist.md', 'x']]) {
    const { out, err, code } = requirementsTool(args, {}, 100);
    assert.deepEqual([out, code], ['', 2]);
    assert.match(err, /^requirements: [^\n]+\n$/);
  }
});

test('the reporter writes one line a test with its whole name, from a real run with suites, failures and skips', () => {
  inTemporaryFolder((folder) => {
    const results = join(folder, 'out', 'results.jsonl');
    const file = join(folder, 'sample.test.mjs');
    writeFileSync(
      file,
      `import { describe, test } from 'node:test';
       describe('suite', () => { test('inner', async (t) => { await t.test('deep', () => {}); }); test('later', { todo: true }, () => {}); });
       test('side by side', { concurrency: true }, (t) => Promise.all([
         t.test('slow', async () => { await new Promise((done) => setImmediate(done)); }),
         t.test('absent', { skip: 'no redis' }, () => {}),
         t.test('bad', () => { throw new Error('x'); })]));\n`,
    );
    const reporter = fileURLToPath(new URL('results-reporter.ts', import.meta.url));
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    const args = ['--test', `--test-reporter=${reporter}`, '--test-reporter-destination=stdout', file];
    const run = spawnSync(process.execPath, args, {
      cwd: folder,
      env: { ...env, KMSPOOL_RESULTS: results },
      encoding: 'utf8',
    });
    assert.equal(run.status, 1, run.stderr);
    assert.equal(run.stdout, '');
    const parsed = parseResults(readFileSync(results, 'utf8'));
    assert.ok(parsed.ok);
    const line = (name: string, status: TestStatus = 'pass'): TestResult => result(name, status, 'sample.test.mjs');
    assert.deepEqual(parsed.value, [
      line('suite > inner > deep'),
      line('suite > inner'),
      line('suite > later', 'todo'),
      line('side by side > slow'),
      { ...line('side by side > absent', 'skip'), reason: 'no redis' },
      line('side by side > bad', 'fail'),
      line('side by side', 'fail'),
    ]);
    const { KMSPOOL_RESULTS: __, ...plain } = env;
    const printed = spawnSync(process.execPath, args, { cwd: folder, env: plain, encoding: 'utf8' });
    assert.equal(printed.stdout, readFileSync(results, 'utf8'));
  });
});

test('a fact may be excused from a test with its reason, once, and not when a test proves it', () => {
  const facts = parseFacts('- **S1-01** one\n- **S1-02** two\n- S1-01, S1-02: it is a sentence about Windows\n');
  assert.ok(facts.ok);
  const report = buildReport(facts.value, [result('two (S1-02)')]);
  assert.deepEqual(
    report.facts.map(({ id, state }) => [id, state]),
    [
      ['S1-01', 'excused'],
      ['S1-02', 'proven'],
    ],
  );
  assert.deepEqual(report.idle, ['S1-02']);
  assert.match(renderReport(report, 100), /o S1-01 one\n {8}it is a sentence about Windows\n/);
  assert.match(renderReport(report, 100), /excuses S1-02, which a test proves: take the excuse out/);
  assert.deepEqual(parseFacts('- **S1-01** one\n- S1-09: because\n'), {
    ok: false,
    reason: 'line 2: there is no S1-09 to excuse',
  });
});
