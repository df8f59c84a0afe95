// SPDX-License-Identifier: Apache-2.0

// Writes the alert rules and the dashboards into the chart, or with --check says which of them is stale.
// Usage: npm run -s node -- charts/observability/generate.ts [--check]
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fleetDashboard } from './fleet-dashboard.ts';
import { poolDashboard } from './pool-dashboard.ts';
import { ruleFile } from './rule.ts';
import { RULE_GROUPS } from './rules.ts';

const ROOT = join(import.meta.dirname, '../..');

/** Every generated file: its path below the repository's root, and its text. */
export function generatedFiles(): ReadonlyMap<string, string> {
  const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;
  return new Map([
    ['charts/kmspool/rules/kmspool.yaml', ruleFile(RULE_GROUPS)],
    ['charts/kmspool/dashboards/pool.json', json(poolDashboard())],
    ['charts/kmspool/dashboards/fleet.json', json(fleetDashboard())],
  ]);
}

/** Paths below `root` whose text differs from what would be generated, or that are not there. */
export function staleFiles(root: string = ROOT): string[] {
  return [...generatedFiles()].filter(([path, text]) => readIfThere(join(root, path)) !== text).map(([path]) => path);
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

function main(args: readonly string[]): number {
  const check = args[0] === '--check';
  if (args.length > (check ? 1 : 0)) {
    console.error('usage: node charts/observability/generate.ts [--check]');
    return 2;
  }
  const stale = staleFiles();
  const files = generatedFiles();
  for (const path of stale) {
    if (!check) {
      mkdirSync(dirname(join(ROOT, path)), { recursive: true });
      writeFileSync(join(ROOT, path), files.get(path) ?? '');
    }
    console.error(check ? `${path} is stale; run: make generate` : `wrote ${path}`);
  }
  return check && stale.length > 0 ? 1 : 0;
}

if (import.meta.main) process.exitCode = main(process.argv.slice(2));
