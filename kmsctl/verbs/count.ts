// SPDX-License-Identifier: Apache-2.0
//
// `kmsctl count`: the counts against their thresholds, and with --explain who is in the table, who leaves it when, and why it is not more (S1-13…S1-19).

import { type ApplicationCount, type HostStatus, UserError } from '@kmspool/crds';
import type { ContactRecord, DuplicateCmid } from '@kmspool/kms-node';
import { Command } from 'commander';
import { printData } from '../cli/data.ts';
import { EXIT, type Io } from '../cli/io.ts';
import { type DataFormat, dataOption } from '../cli/options.ts';
import type { VerbContext } from '../cli/program.ts';
import { applicationName, contactView } from '../insight/contact-view.ts';
import { countReasons } from '../insight/count-reasons.ts';
import { type CountTable, type PoolTables, readTables } from '../insight/table-reading.ts';
import { addSourceOptions, POOL_HELP, type SourceFlags, withPool } from '../source/choose.ts';
import { itemsOf, type PoolSource } from '../source/source.ts';
import { shortSpan } from '../text/span.ts';
import { printable, styleFor } from '../text/style.ts';
import { tableLines } from '../text/table.ts';
import { wrapped } from '../text/wrap.ts';

const HELP = `${POOL_HELP}
A client sees itself as activated from its threshold on: 5 for servers and
Office, 25 for Windows clients. The table keeps twice the largest threshold that
was asked for, so 10 or 50; a higher count than that is never shown.

Examples:
  kmsctl count
  kmsctl count --explain          who is counted, who leaves when, why not more
  kmsctl count campus -n kms -o json

Exit codes: 0 every threshold of an application in use is reached, 1 not yet,
2 bad input, or no host answered.`;

interface CountFlags extends SourceFlags {
  readonly output: DataFormat;
  readonly explain?: boolean;
}

export function countCommand({ io, exit }: VerbContext): Command {
  return addSourceOptions(new Command('count').argument('[pool]', 'the pool'))
    .summary('counts and thresholds; --explain: who, and why not more')
    .description('Show the counts of a pool against their thresholds.')
    .option('--explain', 'who is in the table, when they leave it, why the count is not more')
    .addOption(dataOption())
    .addHelpText('after', HELP)
    .action(async (pool: string | undefined, flags: CountFlags) =>
      exit(await withPool(pool, { flags, io }, (source) => count(source, flags, io))),
    );
}

/** One application, explained. */
interface Explained {
  readonly count: ApplicationCount;
  readonly reasons: readonly string[];
  readonly clients: readonly {
    readonly cmid: string;
    readonly machineName: string | undefined;
    readonly product: string | undefined;
    readonly lastSeen: string;
    readonly leaves: string;
    readonly leavesMs: number;
  }[];
}

async function count(source: PoolSource, flags: CountFlags, io: Io): Promise<number> {
  const status = await source.status();
  const inUse = applicationsInUse(status);
  const code = inUse.every(({ thresholds }) => thresholds.every(({ met }) => met)) ? EXIT.ok : EXIT.no;
  const explained = flags.explain === true ? await explain(source, status, inUse) : undefined;
  if (flags.output === 'text') io.out(textOf({ inUse, explained, nowMs: Date.now() }, io));
  else printData(explained ?? inUse, flags.output, io);
  return inUse.length === 0 ? EXIT.no : code;
}

/** Those that have clients, or Windows if nobody has asked yet. */
function applicationsInUse({ counts }: HostStatus): readonly ApplicationCount[] {
  const used = counts.filter(({ current, highWaterRequired }) => current > 0 || highWaterRequired > 0);
  return used.length > 0 ? used : counts.slice(0, 1);
}

async function explain(
  source: PoolSource,
  { totals }: HostStatus,
  counts: readonly ApplicationCount[],
): Promise<readonly Explained[]> {
  const tables = await readTables(source);
  const duplicates = await Array.fromAsync(itemsOf<DuplicateCmid>(source, 'duplicates'));
  const names = await namesOf(source, tables);
  return counts.map((each) => {
    const table = tables.tables.find(({ application }) => application === each.application);
    if (table === undefined) throw new UserError(`/table knows no ${each.application}`);
    return {
      count: { ...each, current: table.clients.length },
      reasons: countReasons({ count: each, table, duplicates, totals, nowMs: tables.nowMs }),
      clients: table.clients.map(({ cmid, lastSeenMs, leavesMs }) => {
        const seen = names.get(keyOf(table.application, cmid));
        const view = seen && contactView(seen);
        return {
          cmid,
          machineName: view?.machineName,
          product: view?.product,
          lastSeen: new Date(lastSeenMs).toISOString(),
          leaves: new Date(leavesMs).toISOString(),
          leavesMs,
        };
      }),
    };
  });
}

/** The inventory's records of the counted: it is read only as far as the oldest of them. */
async function namesOf(source: PoolSource, { tables }: PoolTables): Promise<ReadonlyMap<string, ContactRecord>> {
  const wanted = new Set(
    tables.flatMap(({ application, clients }) => clients.map(({ cmid }) => keyOf(application, cmid))),
  );
  const oldest = Math.min(...tables.flatMap(oldestOf)) - ORDER_MS;
  const found = new Map<string, ContactRecord>();
  if (wanted.size === 0) return found;
  for await (const record of itemsOf<ContactRecord>(source, 'clients')) {
    const key = keyOf(applicationName(record.application), record.cmid);
    if (wanted.has(key)) found.set(key, record);
    if (found.size === wanted.size || record.atMs < oldest) break;
  }
  return found;
}

/** The inventory stands in the order of last seen to this much, milliseconds. */
const ORDER_MS = 600_000;

function oldestOf({ clients }: CountTable): number[] {
  return clients[0] === undefined ? [] : [clients[0].lastSeenMs];
}

function keyOf(application: string, cmid: string): string {
  return `${application} ${cmid}`;
}

interface Shown {
  readonly inUse: readonly ApplicationCount[];
  readonly explained: readonly Explained[] | undefined;
  readonly nowMs: number;
}

function textOf({ inUse, explained, nowMs }: Shown, io: Io): string {
  const blocks = inUse.map((each, at) => {
    const details = explained?.[at];
    return [...countLines(each, io), ...(details === undefined ? [] : explainedLines(details, nowMs, io))].join('\n');
  });
  return `${blocks.join('\n\n')}\n`;
}

function countLines({ application, current, cap, thresholds }: ApplicationCount, io: Io): string[] {
  const style = styleFor(io.color);
  return [
    style.bold(`${application}: ${current}${cap > 1 ? ` of at most ${cap}` : ''}`),
    ...thresholds.map(({ name, required, met }) => {
      const state = met
        ? style.green('reached')
        : style.yellow(
            `not reached, ${required - current} more machine${required - current === 1 ? ' has' : 's have'} to ask`,
          );
      return `  ${name} ${String(required).padStart(2)}: ${state}`;
    }),
  ];
}

function explainedLines({ reasons, clients }: Explained, nowMs: number, io: Io): string[] {
  const rows = clients.map(({ machineName, product, lastSeen, leavesMs, cmid }) => [
    printable(machineName ?? '(not in the inventory)'),
    product ?? '-',
    shortSpan(nowMs - Date.parse(lastSeen)),
    shortSpan(leavesMs - nowMs),
    cmid,
  ]);
  const columns = [
    { title: 'NAME' },
    { title: 'PRODUCT' },
    { title: 'SEEN', align: 'right' as const },
    { title: 'LEAVES IN', align: 'right' as const },
    { title: 'CMID' },
  ];
  return [
    ...(reasons.length === 0
      ? []
      : ['  Why it is not more:', ...reasons.flatMap((reason) => wrapped(reason, io, '  - '))]),
    ...(rows.length === 0 ? [] : ['', ...tableLines(rows, { style: styleFor(io.color), columns, indent: '  ' })]),
  ];
}
