// SPDX-License-Identifier: Apache-2.0
//
// `make requirements`: prints every fact of docs/requirements.md with the tests that passed for it. It runs no test itself: it reads the
// results files that results-reporter.ts wrote.
//
//   node test/tools/requirements.ts [--json] [--requirements FILE] [RESULTS …]
//
// RESULTS: by default the file in KMSPOOL_RESULTS, else test/.out/results.jsonl; several are merged.
// Exit code 0; 1 if a test names an ID that does not exist or a test that names one failed; 2 on bad input.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import {
  buildReport,
  type Parsed,
  parseFacts,
  parseResults,
  type Report,
  renderReport,
} from './requirements-report.ts';
import type { TestResult } from './results-reporter.ts';

const fromRoot = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));

type Options = { readonly json: boolean; readonly requirements: string; readonly results: readonly string[] };

function readOptions(args: readonly string[], env: NodeJS.ProcessEnv): Parsed<Options> {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { json: { type: 'boolean' }, requirements: { type: 'string' } },
    });
    const results =
      positionals.length > 0 ? positionals : [env['KMSPOOL_RESULTS'] ?? fromRoot('test/.out/results.jsonl')];
    const requirements = values.requirements ?? fromRoot('docs/requirements.md');
    return { ok: true, value: { json: values.json ?? false, requirements, results } };
  } catch (error) {
    const [reason] = (error as Error).message.split('. ');
    return { ok: false, reason: `${reason}; usage: requirements.ts [--json] [--requirements FILE] [RESULTS …]` };
  }
}

function readAndParse<T>(path: string, parse: (text: string) => Parsed<T>, remedy: string): Parsed<T> {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    return { ok: false, reason: `${path}: cannot be read (${(error as NodeJS.ErrnoException).code}); ${remedy}` };
  }
  const parsed = parse(text);
  return parsed.ok ? parsed : { ok: false, reason: `${path}: ${parsed.reason}` };
}

function makeReport(options: Options): Parsed<Report> {
  const facts = readAndParse(options.requirements, parseFacts, 'name the file with --requirements');
  if (!facts.ok) return facts;
  const results: TestResult[] = [];
  for (const path of options.results) {
    const parsed = readAndParse(path, parseResults, 'run the tests with test/tools/results-reporter.ts first');
    if (!parsed.ok) return parsed;
    results.push(...parsed.value);
  }
  return { ok: true, value: buildReport(facts.value, results) };
}

/** What goes to standard output and standard error, and the exit code. */
export type Outcome = { readonly out: string; readonly err: string; readonly code: 0 | 1 | 2 };

const badInput = (reason: string): Outcome => ({ out: '', err: `requirements: ${reason}\n`, code: 2 });

/** The whole tool but for printing: `width` is the terminal's, in characters. */
export function requirementsTool(args: readonly string[], env: NodeJS.ProcessEnv, width: number): Outcome {
  const options = readOptions(args, env);
  if (!options.ok) return badInput(options.reason);
  const report = makeReport(options.value);
  if (!report.ok) return badInput(report.reason);
  const out = options.value.json ? `${JSON.stringify(report.value, null, 2)}\n` : renderReport(report.value, width);
  const wrong = report.value.unknown.length > 0 || report.value.idle.length > 0 || report.value.summary.failed > 0;
  return { out, err: '', code: wrong ? 1 : 0 };
}

if (import.meta.main) {
  // A pipe gets whole lines.
  const width = process.stdout.columns ?? (Number(process.env['COLUMNS']) || Number.POSITIVE_INFINITY);
  const { out, err, code } = requirementsTool(process.argv.slice(2), process.env, width);
  process.stdout.write(out);
  process.stderr.write(err);
  process.exitCode = code;
}
