// SPDX-License-Identifier: Apache-2.0
//
// The bench's command line: pure.

import { parseArgs } from 'node:util';
import type { Pace } from './measure.ts';
import { allRowNames } from './rows.ts';

/** What to do. */
export interface BenchOptions {
  readonly pace: Pace;
  readonly rowNames: ReadonlySet<string>;
  /** Memory, start-up, latency at 8 connections, cost in Redis. */
  readonly extras: boolean;
  readonly jsonFile: string | undefined;
}

export type ParsedOptions = { ok: true; options: BenchOptions } | { ok: false; reason: string };

export const USAGE = `usage: make bench, or npm run -s node -- test/bench/bench.ts [--quick] [--rows NAME,…] [--no-extras] [--rounds N] [--json FILE]
rows: ${allRowNames().join(' ')}`;

const FULL: Pace = { rounds: 7, warmupSeconds: 1, seconds: 2.5, repeats: 3 };
const QUICK: Pace = { rounds: 3, warmupSeconds: 0.7, seconds: 1.2, repeats: 1 };

/** Reads the arguments after the script's name; a reason names the argument and the remedy. */
export function parseOptions(args: readonly string[]): ParsedOptions {
  const values = tryParse(args);
  if (typeof values === 'string') return { ok: false, reason: values };
  const known = allRowNames();
  const rowNames = values.rows === undefined ? known : values.rows.split(',').filter((name) => name !== '');
  const unknown = rowNames.find((name) => !known.includes(name));
  if (unknown !== undefined)
    return { ok: false, reason: `--rows: there is no row ${unknown}; the rows are ${known.join(', ')}` };
  const pace = values.quick ? QUICK : FULL;
  const rounds = values.rounds === undefined ? pace.rounds : Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1) return { ok: false, reason: '--rounds: write a whole number from 1 on' };
  return {
    ok: true,
    options: {
      pace: { ...pace, rounds },
      rowNames: new Set(rowNames),
      extras: !values['no-extras'],
      jsonFile: values.json,
    },
  };
}

function tryParse(args: readonly string[]): ReturnType<typeof parse> | string {
  try {
    return parse(args);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function parse(args: readonly string[]): {
  quick: boolean;
  'no-extras': boolean;
  rows?: string;
  json?: string;
  rounds?: string;
} {
  return parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      'no-extras': { type: 'boolean', default: false },
      rows: { type: 'string' },
      rounds: { type: 'string' },
      json: { type: 'string' },
    },
  }).values;
}
