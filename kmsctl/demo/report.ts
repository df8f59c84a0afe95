// SPDX-License-Identifier: Apache-2.0
//
// The end of the demo: S3-09 as a table of what was wanted and given, the hosts' counts, how the requests fell, and the verdict.

import type { Io } from '../cli/io.ts';
import { type Style, styleFor } from '../text/style.ts';
import { tableLines } from '../text/table.ts';
import type { HostShare, Played, Scene } from './play.ts';

/** What a host says of itself after the play. */
export interface HostCount {
  readonly host: string;
  /** Undefined when it did not answer. */
  readonly current: number | undefined;
}

export interface Outcome {
  readonly played: Played;
  readonly hostCounts: readonly HostCount[];
  /** Machines that were to appear. */
  readonly cast: number;
}

/** True only if every machine appeared, every count and verdict was right, and every host ends with that count. */
export function allRight({ played, hostCounts, cast }: Outcome): boolean {
  const { scenes } = played;
  const appeared = scenes.filter(({ again }) => !again).length === cast;
  const everybody = new Set(scenes.filter(({ licensed }) => licensed).map(({ position }) => position)).size === cast;
  return (
    appeared && everybody && scenes.every(({ right }) => right) && hostCounts.every(({ current }) => current === cast)
  );
}

/** What is printed below the live table. */
export function reportLines(outcome: Outcome, io: Io): string[] {
  const style = styleFor(io.color);
  const width = io.tty ? { width: io.columns() } : {};
  return [
    '',
    style.bold('S3-09, the worked example of Microsoft\u2019s deployment guide'),
    ...tableLines(exampleRows(outcome.played.scenes, style), {
      style,
      indent: '  ',
      columns: [
        { title: 'WHO' },
        { title: 'WANTED', align: 'right' },
        { title: 'TOLD', align: 'right' },
        { title: '' },
      ],
      ...width,
    }),
    '',
    style.bold('Hosts'),
    ...tableLines(hostRows(outcome, style), {
      style,
      indent: '  ',
      columns: [
        { title: 'HOST' },
        { title: 'COUNT', align: 'right' },
        { title: 'FIRST CONTACTS', align: 'right' },
        { title: 'EXPECTED BY SRV', align: 'right' },
        { title: 'TRIED AGAIN', align: 'right' },
      ],
      ...width,
    }),
    style.dim('  First contacts fall by chance, as SRV priority and weight say; Vista and'),
    style.dim('  Server 2008 ignore them. Who tries again (↻) returns to the same host.'),
    '',
    verdictLine(outcome, style),
  ];
}

function exampleRows(scenes: readonly Scene[], style: Style): string[][] {
  const mark = (right: boolean): string => (right ? style.green('✔') : style.red('✘'));
  const named = scenes
    .filter(({ again, position, member }) => !again && position <= 4 && member.role !== undefined)
    .map(({ member, wantedCount, count, right }) => [
      member.role ?? '',
      String(wantedCount),
      count === undefined ? '-' : String(count),
      mark(right),
    ]);
  const lowest = (kind: 'server' | 'client'): number | undefined => {
    const counts = scenes
      .filter(({ licensed, member }) => licensed && member.machine.product.kind === kind)
      .map(({ count }) => count ?? 0);
    return counts.length === 0 ? undefined : Math.min(...counts);
  };
  const threshold = (who: string, wanted: number, told: number | undefined): string[] => [
    who,
    String(wanted),
    told === undefined ? '-' : String(told),
    mark(told === wanted),
  ];
  return [
    ...named,
    threshold('servers are licensed from', 5, lowest('server')),
    threshold('clients are licensed from', 25, lowest('client')),
  ];
}

function hostRows({ played, hostCounts, cast }: Outcome, style: Style): string[][] {
  const shareOf = (host: string): HostShare | undefined => played.shares.find((share) => share.host === host);
  return hostCounts.map(({ host, current }) => {
    const { first, expected, again } = shareOf(host) ?? { first: 0, expected: 0, again: 0 };
    const count = current === undefined ? 'silent' : String(current);
    return [
      host,
      current === cast ? style.green(count) : style.red(count),
      String(first),
      expected.toFixed(1),
      String(again),
    ];
  });
}

function verdictLine(outcome: Outcome, style: Style): string {
  const { scenes } = outcome.played;
  const wrong = scenes.filter(({ right }) => !right).length;
  if (allRight(outcome)) {
    return style.green(
      `All ${scenes.length} answers were right, and ${outcome.hostCounts.length} hosts tell one count: ${outcome.cast}.`,
    );
  }
  if (wrong > 0) return style.red(`${wrong} of ${scenes.length} answers were wrong.`);
  return style.red(`The hosts do not all tell ${outcome.cast}, or not every machine was licensed.`);
}

/** The same for a program. */
export function reportJson(outcome: Outcome): Record<string, unknown> {
  const { played, hostCounts } = outcome;
  const scenes = played.scenes.map(
    ({ position, member, again, host, count, wantedCount, licensed, hresult, right }) => {
      const { name, product, isClientVm } = member.machine;
      return {
        position,
        machine: name,
        product: product.slug,
        isClientVm,
        again,
        host,
        count,
        wantedCount,
        licensed,
        hresult,
        right,
      };
    },
  );
  return { right: allRight(outcome), scenes, hosts: hostCounts, shares: played.shares };
}
