// SPDX-License-Identifier: Apache-2.0
//
// The demo on a terminal: a line for each answer, and below them a bar of the count and the hosts' shares that are redrawn in
// place. In a pipe only the lines remain.

import { formatHresult } from '@kmspool/kms/catalog';
import type { Io } from '../cli/io.ts';
import { cut, pad, type Style, styleFor, visibleWidth } from '../text/style.ts';
import type { HostShare, Scene } from './play.ts';

/** From here on there is room for edition, protocol and domain. */
const WIDE = 112;
const TARGET = 25;
const SERVERS_FROM = 5;

export interface Screen {
  /** Lines above the live part. */
  print(lines: readonly string[]): void;
  scene(scene: Scene, shares: readonly HostShare[]): void;
  /** Leaves the live part where it is. */
  finish(): void;
}

/** A screen for this Io. */
export function openScreen(io: Io): Screen {
  const style = styleFor(io.color);
  const layout = layoutFor(io.tty ? io.columns() : WIDE);
  let footer: string[] = [];
  let count = 0;
  const draw = (lines: readonly string[], next: string[]): void => {
    // One write a step, so that nothing flickers.
    const erase = footer.length === 0 ? '' : `\x1b[${footer.length}A\x1b[0J`;
    io.out(erase + [...lines, ...next].map((line) => `${line}\n`).join(''));
    footer = next;
  };
  return {
    print: (lines) => draw(lines, footer),
    scene: (scene, shares) => {
      count = Math.max(count, scene.count ?? 0);
      draw(
        [sceneLine(scene, layout, style)],
        io.tty ? footerLines({ count, shares, style, columns: io.columns() }) : [],
      );
    },
    finish: () => {
      footer = [];
    },
  };
}

interface Layout {
  readonly wide: boolean;
  readonly product: number;
}

function layoutFor(columns: number): Layout {
  const wide = columns >= WIDE;
  return { wide, product: wide ? 34 : 23 };
}

const NAME = 6;
const DOMAIN = 14;
const HOST = 8;
const COUNT = 5;

/** The titles of the table. */
export function headLine(io: Io): string {
  const { wide, product } = layoutFor(io.tty ? io.columns() : WIDE);
  const more = wide ? ['V', pad('DOMAIN', DOMAIN)] : [];
  const cells = [' #', pad('NAME', NAME), pad('PRODUCT', product), ...more, pad('HOST', HOST), 'COUNT', 'VERDICT'];
  return styleFor(io.color).dim(`  ${cells.join('  ')}`);
}

function sceneLine(scene: Scene, { wide, product }: Layout, style: Style): string {
  const { position, again, member, host, count } = scene;
  const { machine, domain } = member;
  const what = `${wide ? machine.edition.name : machine.product.name}${machine.isClientVm ? ' VM' : ''}`;
  const told = pad(count === undefined ? '-' : String(count), COUNT, 'right');
  const cells = [
    pad(String(position), 2, 'right'),
    pad(machine.name, NAME),
    pad(cut(what, product), product),
    ...(wide ? [String(machine.protocol), pad(cut(domain, DOMAIN), DOMAIN)] : []),
    pad(host, HOST),
    scene.right ? style.bold(told) : style.red(told),
    verdict(scene, style),
  ];
  return `${again ? '↻' : ' '} ${cells.join('  ')}`;
}

function verdict({ licensed, count, right, wantedCount, hresult, member }: Scene, style: Style): string {
  if (count === undefined) return style.red(`${formatHresult(hresult)} no answer, expected ${wantedCount}`);
  if (!right) return style.red(`wrong: expected ${wantedCount}`);
  if (licensed) return style.green('Licensed');
  return `${style.yellow(formatHresult(hresult))} ${style.dim(`waits for ${member.machine.product.threshold}`)}`;
}

interface FooterState {
  readonly count: number;
  readonly shares: readonly HostShare[];
  readonly style: Style;
  readonly columns: number;
}

function footerLines({ count, shares, style, columns }: FooterState): string[] {
  const cell = columns >= WIDE ? 2 : 1;
  const bar = Array.from({ length: TARGET }, (_, at) => {
    const edge = at + 1 === SERVERS_FROM || at + 1 === TARGET;
    if (at < count) return style.green('█'.repeat(cell));
    return style.dim((edge ? '▒' : '░').repeat(cell));
  }).join('');
  const reached = (name: string, from: number): string =>
    count >= from ? style.green(`${name} ✔`) : style.dim(`${name} from ${from}`);
  const state = `${pad(String(count), 2, 'right')} of ${TARGET}   ${reached('servers', SERVERS_FROM)}   ${reached('clients', TARGET)}`;
  return ['', `  count  ${bar}  ${state}`, hostsLine(shares, { style, columns })];
}

function hostsLine(shares: readonly HostShare[], { style, columns }: Pick<FooterState, 'style' | 'columns'>): string {
  const room = Math.floor((columns - 9) / Math.max(1, shares.length)) - 16;
  const most = Math.max(1, ...shares.map(({ first, again }) => first + again));
  const parts = shares.map(({ host, first, again }) => {
    const total = first + again;
    const filled = room < 4 ? '' : `${style.cyan('▇'.repeat(Math.round((total / most) * Math.min(room, 20))))} `;
    return `${host} ${filled}${total}`;
  });
  const line = `  hosts  ${parts.join('   ')}`;
  return visibleWidth(line) <= columns ? line : `  hosts  ${shares.length}`;
}
