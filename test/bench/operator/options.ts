// SPDX-License-Identifier: Apache-2.0

// The command line of the operator's bench: pure.
import { parseArgs } from 'node:util';

/** The parts of the bench that run on a settled world, in the order in which they run. */
export const PARTS = ['quiet', 'edits', 'flips', 'starts', 'kills', 'resync'] as const;
export type Part = (typeof PARTS)[number];

/** How long and how often. */
export interface OperatorPace {
  /** Seconds in which nothing may be written, and over which CPU is counted. */
  readonly quietSeconds: number;
  readonly edits: number;
  readonly flips: number;
  /** Starts of the operator in the settled world, one after another. */
  readonly starts: number;
  /** kill -9 at random moments. */
  readonly kills: number;
}

/** What to do. */
export interface OperatorBenchOptions {
  /** Pools of each world, a control plane of its own for each; only the last one has all parts. */
  readonly pools: readonly number[];
  readonly parts: ReadonlySet<Part>;
  readonly pace: OperatorPace;
  readonly jsonFile: string | undefined;
  /** Where V8's CPU profiles of the operators go. They cost time: figures of such a run are no figures. */
  readonly profileFolder: string | undefined;
}

export type ParsedOperatorOptions =
  | { readonly ok: true; readonly options: OperatorBenchOptions }
  | { readonly ok: false; readonly reason: string };

export const OPERATOR_USAGE = `usage: make bench-operator [BENCH_FLAGS="…"], or npm run -s node -- test/bench/operator/bench.ts [--quick] [--pools N,N] [--parts NAME,…]
       [--quiet-seconds N] [--edits N] [--flips N] [--starts N] [--kills N] [--json FILE] [--profile FOLDER]
parts: ${PARTS.join(' ')}`;

const FULL = { pools: '100,500', quietSeconds: 60, edits: 100, flips: 20, starts: 5, kills: 3 };
const QUICK = { pools: '10,40', quietSeconds: 15, edits: 20, flips: 4, starts: 3, kills: 1 };

/** Reads the arguments after the script's name; a reason names the argument and the remedy. */
export function parseOperatorOptions(args: readonly string[]): ParsedOperatorOptions {
  const given = tryParse(args);
  if (typeof given === 'string') return { ok: false, reason: given };
  const pace = given.quick ? QUICK : FULL;
  const pools = (given.pools ?? pace.pools).split(',').map(Number);
  if (pools.some((count) => !isWhole(count)))
    return { ok: false, reason: '--pools: write whole numbers from 1 on, such as 100,500' };
  const parts = given.parts === undefined ? PARTS : given.parts.split(',').filter((name) => name !== '');
  const unknown = parts.find((name) => !(PARTS as readonly string[]).includes(name));
  if (unknown !== undefined)
    return { ok: false, reason: `--parts: there is no part ${unknown}; the parts are ${PARTS.join(', ')}` };
  const counts = {
    quietSeconds: Number(given['quiet-seconds'] ?? pace.quietSeconds),
    edits: Number(given.edits ?? pace.edits),
    flips: Number(given.flips ?? pace.flips),
    starts: Number(given.starts ?? pace.starts),
    kills: Number(given.kills ?? pace.kills),
  };
  const wrong = Object.entries(counts).find(([, count]) => !isWhole(count));
  if (wrong !== undefined) return { ok: false, reason: `--${dashed(wrong[0])}: write a whole number from 1 on` };
  return {
    ok: true,
    options: {
      pools,
      parts: new Set(parts as readonly Part[]),
      pace: counts,
      jsonFile: given.json,
      profileFolder: given.profile,
    },
  };
}

function isWhole(count: number): boolean {
  return Number.isInteger(count) && count >= 1;
}

function dashed(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

function tryParse(args: readonly string[]): ReturnType<typeof parse> | string {
  try {
    return parse(args);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function parse(args: readonly string[]) {
  const text = { type: 'string' } as const;
  return parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      pools: text,
      parts: text,
      'quiet-seconds': text,
      edits: text,
      flips: text,
      starts: text,
      kills: text,
      json: text,
      profile: text,
    },
  }).values;
}
