// SPDX-License-Identifier: Apache-2.0

// The operator bench's result as text: pure.
import { formatTable } from '../report.ts';
import type { Figure } from './figures.ts';

/** All that was measured in one world. */
export interface WorldResult {
  readonly pools: number;
  readonly figures: readonly Figure[];
  /** Every single measurement, for the JSON file. */
  readonly raw: Readonly<Record<string, unknown>>;
}

/** All that a bench found; the JSON file is this. */
export interface OperatorBenchResult {
  readonly machine: { readonly cpu: string; readonly cores: number; readonly kernel: string; readonly node: string };
  readonly startedAt: string;
  readonly seconds: number;
  /** Load average of the last minute before it began: other work on the machine. */
  readonly loadBefore: number;
  readonly worlds: readonly WorldResult[];
  /** What follows from comparing worlds. */
  readonly linearity: readonly Figure[];
}

/** The whole report, with a final newline. */
export function formatOperatorReport(result: OperatorBenchResult): string {
  const { cpu, cores, kernel, node } = result.machine;
  const head = [
    `${cpu}, ${cores} cores, Linux ${kernel}, Node ${node}`,
    `${result.startedAt}, ${Math.round(result.seconds)} s; load before it began: ${result.loadBefore.toFixed(2)}`,
  ];
  const sections = [
    head.join('\n'),
    ...result.worlds.map(({ pools, figures }) => `${pools} pools of 3 hosts\n${table(figures)}`),
    result.linearity.length === 0 ? '' : `from world to world\n${table(result.linearity)}`,
  ];
  return `${sections.filter((section) => section !== '').join('\n\n')}\n`;
}

function table(figures: readonly Figure[]): string {
  const rows = figures.map(({ what, wanted, got, verdict }) => [what, wanted, verdict, got]);
  return formatTable([['figure', 'wanted', '', 'got'], ...rows]);
}
