// SPDX-License-Identifier: Apache-2.0

// Rule unit tests by promtool: series in, firing alerts out. Used by tests only.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';

/** One case: what Prometheus has seen, and which alerts of one name fire at a moment. */
export interface RuleCase {
  /** The sentence of the test. */
  readonly it: string;
  /** By series, in promtool's notation: `0+1x60` begins at 0 and grows by 1, 60 times; `_` is a gap. */
  readonly series: Readonly<Record<string, string>>;
  /** Between two values of a series and two evaluations; default 1m. */
  readonly step?: string;
  /** When to look. */
  readonly at: string;
  /** Labels of the alerts that fire then, but for alertname and severity, such as `namespace="kms",pool="campus"`. */
  readonly fires: readonly string[];
}

/** Why promtool cannot be used here, for `skip`; false when it can. */
export function missingPromtool(): string | false {
  try {
    execFileSync('promtool', ['--version'], { stdio: 'ignore' });
    return false;
  } catch {
    return 'promtool is missing (Debian package prometheus)';
  }
}

/** Runs promtool. @throws Error with what it printed. */
export function promtool(args: readonly string[]): string {
  try {
    return execFileSync('promtool', args, { encoding: 'utf8', stdio: 'pipe' });
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    throw new Error(`promtool ${args.join(' ')}\n${stdout}${stderr}`, { cause: error });
  }
}

/** @throws Error with what fired instead. */
export function checkCase(rulesFile: string, alert: string, severity: string, given: RuleCase): void {
  const { series, step = '1m', at, fires } = given;
  const folder = mkdtempSync(join(tmpdir(), 'kmspool-rules-'));
  const firing = `alertname="${alert}",alertstate="firing"`;
  const file = {
    rule_files: [rulesFile],
    evaluation_interval: step,
    tests: [
      {
        interval: step,
        input_series: Object.entries(series).map(([name, values]) => ({ series: name, values })),
        promql_expr_test: [
          {
            expr: `ALERTS{${firing}}`,
            eval_time: at,
            exp_samples: fires.map((labels) => ({
              labels: `ALERTS{${[firing, `severity="${severity}"`, labels].filter((each) => each !== '').join(',')}}`,
              value: 1,
            })),
          },
        ],
      },
    ],
  };
  try {
    writeFileSync(join(folder, 'case.yaml'), stringify(file));
    promtool(['test', 'rules', join(folder, 'case.yaml')]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
