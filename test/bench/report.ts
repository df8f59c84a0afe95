// SPDX-License-Identifier: Apache-2.0
//
// The bench's result as text: pure.

import type { LatencyResult, MemoryResult, RedisCostResult, StartResult } from './extras.ts';
import type { RowResult } from './rows.ts';

/** All that a bench found; the JSON file is this. What was not asked for, or cannot be measured here, is absent. */
export interface BenchResult {
  readonly machine: {
    readonly cpu: string;
    readonly cores: number;
    readonly kernel: string;
    readonly node: string;
    readonly redis: string;
  };
  readonly startedAt: string;
  readonly seconds: number;
  readonly rows: readonly RowResult[];
  readonly runs: readonly object[];
  readonly latency: readonly LatencyResult[];
  readonly memory: readonly MemoryResult[];
  readonly start?: StartResult;
  readonly redisCost: readonly RedisCostResult[];
  readonly skipped: readonly string[];
}

/** What the extras must reach. */
export const WANTED = {
  idleRssMb: 95,
  idleAnonMb: 50,
  fullRssMb: 140,
  readyMs: 400,
  p99MsByConnections: { 32: 12, 8: 5 } as Readonly<Record<number, number>>,
  redisCostGrowth: 0.1,
};

const COLUMNS = [
  'row',
  'best/s',
  'median/s',
  'p50 ms',
  'p99 ms',
  'CPU µs',
  'CPU share',
  'busy',
  'runs',
  'share',
  'wanted',
  '',
];

/** The whole report, with a final newline. */
export function formatReport(result: BenchResult): string {
  const { machine } = result;
  const head = `${machine.cpu}, ${machine.cores} cores, Linux ${machine.kernel}, Node ${machine.node}, Redis ${machine.redis}`;
  const sections = [
    `${head}\n${result.startedAt}, ${Math.round(result.seconds)} s`,
    result.rows.length > 0 ? formatTable([COLUMNS, ...result.rows.map(rowCells)]) : '',
    extraLines(result).join('\n'),
    result.skipped.map((reason) => `skipped: ${reason}`).join('\n'),
  ];
  return `${sections.filter((section) => section !== '').join('\n\n')}\n`;
}

function rowCells(row: RowResult): string[] {
  return [
    row.name,
    whole(row.bestRate),
    whole(row.medianRate),
    fixed(row.p50Microseconds / 1000, 2),
    fixed(row.p99Microseconds / 1000, 2),
    fixed(row.bestCpuMicroseconds, 1),
    row.target === 'canned' ? '' : fixed(row.cpuRatio, 2),
    Number.isNaN(row.medianBusy) ? '-' : `${Math.round(row.medianBusy * 100)} %`,
    row.voidRuns === 0 ? String(row.runs) : `${row.runs - row.voidRuns}/${row.runs}`,
    row.target === 'canned' ? '' : fixed(row.rateRatio, 2),
    row.wanted === undefined ? '' : row.wanted.toFixed(2),
    `${row.verdict}${row.errors > 0 ? `, ${row.errors} errors` : ''}`,
  ];
}

function extraLines(result: BenchResult): string[] {
  const lines: string[] = [];
  for (const { connections, p50Ms, p99Ms } of result.latency) {
    const wanted = WANTED.p99MsByConnections[connections];
    lines.push(
      judged(`fresh V6 over Redis, ${connections} connections: p50 ${fixed(p50Ms, 2)} ms, p99`, {
        value: p99Ms,
        unit: 'ms',
        wanted,
        digits: 2,
      }),
    );
  }
  for (const memory of result.memory) lines.push(...memoryLines(memory));
  if (result.start !== undefined) {
    const { starts, bindAnsweredMs, readyMs } = result.start;
    lines.push(
      judged(`exec of the bundle to a bind answered: ${whole(bindAnsweredMs)} ms; to ready (median of ${starts})`, {
        value: readyMs,
        unit: 'ms',
        wanted: WANTED.readyMs,
      }),
    );
  }
  lines.push(...redisCostLines(result.redisCost));
  return lines;
}

function memoryLines({ store, idle, after10000, after100000, afterTwice }: MemoryResult): string[] {
  const name = `RSS of a host with ${store}`;
  return [
    judged(`${name}, idle`, { value: idle.rssMb, unit: 'MB', wanted: WANTED.idleRssMb }),
    judged(`${name}, idle, RssAnon`, { value: idle.anonMb, unit: 'MB', wanted: WANTED.idleAnonMb }),
    `${name}, after 10,000 clients: ${whole(after10000.rssMb)} MB (RssAnon ${whole(after10000.anonMb)})`,
    judged(`${name}, after 100,000 clients`, { value: after100000.rssMb, unit: 'MB', wanted: WANTED.fullRssMb }),
    judged(`${name}, after the same 100,000 again`, { value: afterTwice.rssMb, unit: 'MB', wanted: WANTED.fullRssMb }),
  ];
}

function redisCostLines([small, large, all]: readonly RedisCostResult[]): string[] {
  if (small === undefined || large === undefined || all === undefined) return [];
  const wanted = small.usecPerCall * (1 + WANTED.redisCostGrowth);
  return [
    `Redis usec_per_call, 10 clients in the inventory: ${fixed(small.usecPerCall, 1)} µs (${small.calls} calls)`,
    judged('Redis usec_per_call, 100,000 in the inventory, the same 10 asking', {
      value: large.usecPerCall,
      unit: 'µs',
      wanted,
      digits: 1,
    }),
    `Redis usec_per_call, 100,000 in the inventory, all asking: ${fixed(all.usecPerCall, 1)} µs`,
  ];
}

interface Judged {
  readonly value: number;
  readonly unit: string;
  readonly wanted: number | undefined;
  readonly digits?: number;
}

function judged(what: string, { value, unit, wanted, digits = 0 }: Judged): string {
  const text = `${what}: ${fixed(value, digits)} ${unit}`;
  if (wanted === undefined) return text;
  return `${text} (at most ${fixed(wanted, digits)}): ${value <= wanted ? 'reached' : 'missed'}`;
}

/** Columns aligned, the first to the left, the last to the left, all others to the right. */
export function formatTable(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => {
        const atEdge = column === 0 || column === row.length - 1;
        return atEdge ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0);
      })
      .join('  ')
      .trimEnd();
  return rows.map(line).join('\n');
}

function whole(value: number): string {
  return Number.isNaN(value) ? '-' : Math.round(value).toLocaleString('en-GB');
}

function fixed(value: number, digits: number): string {
  return Number.isNaN(value) ? '-' : value.toFixed(digits);
}
