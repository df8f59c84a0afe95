// SPDX-License-Identifier: Apache-2.0
//
// `kmsctl who-uses`: who still comes to an old pool, before it is taken away.

import type { ContactRecord } from '@kmspool/kms-node';
import { Command, Option } from 'commander';
import { printList } from '../cli/data.ts';
import { EXIT, type Io } from '../cli/io.ts';
import { age } from '../cli/options.ts';
import type { VerbContext } from '../cli/program.ts';
import { contactView } from '../insight/contact-view.ts';
import { type StillThere, stillUsing } from '../insight/moves.ts';
import { addSourceOptions, choosePool, POOL_HELP, type SourceFlags, withPool } from '../source/choose.ts';
import { itemsOf, type PoolSource } from '../source/source.ts';
import { dateText, shortSpan } from '../text/span.ts';
import { printPages, type RowShape } from './page-table.ts';

const HELP = `${POOL_HELP}
HOST is the old pool, or a host of it by name or URL. A client that was
activated keeps its host in a cache and lives 180 days from its last contact:
who is listed here will miss the old host, at the latest on the day shown. With
--moved-to those are left out who have come to the new pool since. All hosts of
a pool keep one log: it does not say which of them a client asked.

Examples:
  kmsctl who-uses campus-old -n kms
  kmsctl who-uses campus-old -n kms --moved-to campus
  kmsctl who-uses campus-old --moved-to campus --seen-within 14d -o json

Exit codes: 0 nobody any more, 1 somebody, 2 bad input, or no host answered.`;

interface WhoFlags extends SourceFlags {
  readonly output: 'table' | 'json' | 'yaml';
  readonly movedTo?: string;
  readonly seenWithin?: number;
}

export function whoUsesCommand({ io, exit }: VerbContext): Command {
  return addSourceOptions(new Command('who-uses').argument('<host>', 'the old pool, or one of its hosts'))
    .summary('who still comes to an old pool')
    .description('List the clients that still depend on an old pool.')
    .option('--moved-to <pool>', 'the new pool, in the same place (namespace, context) or on this machine')
    .option('--seen-within <time>', 'only who came within this time, such as 14d', age)
    .addOption(new Option('-o, --output <format>', 'how to print').choices(['table', 'json', 'yaml']).default('table'))
    .addHelpText('after', HELP)
    .action(async (host: string, flags: WhoFlags) =>
      exit(await withPool(host, { flags, io }, (source) => whoUses(source, flags, io))),
    );
}

async function whoUses(source: PoolSource, flags: WhoFlags, io: Io): Promise<number> {
  const nowMs = Date.now();
  const moved = flags.movedTo === undefined ? undefined : await seenBy(flags.movedTo, flags, io);
  const seen = { all: 0, still: 0 };
  const old = within(itemsOf<ContactRecord>(source, 'clients'), nowMs - (flags.seenWithin ?? Number.POSITIVE_INFINITY));
  const still = counted(
    stillUsing(tallied(old, seen), (record) => moved?.get(keyOf(record)), nowMs),
    seen,
  );
  if (flags.output === 'table') await printPages(still, shape(nowMs), io);
  else await printList(viewsOf(still), flags.output, io);
  const where = flags.movedTo === undefined ? '' : ` and ${seen.all - seen.still} moved to ${flags.movedTo}`;
  io.err(`${seen.still} of ${seen.all} clients still use ${source.pool}${where}\n`);
  return seen.still === 0 ? EXIT.ok : EXIT.no;
}

/** When the pool saw each client last. Two numbers a client, also for a hundred thousand. */
async function seenBy(pool: string, flags: WhoFlags, io: Io): Promise<ReadonlyMap<string, number>> {
  const { state: _, ...elsewhere } = flags;
  const { source } = await choosePool(pool, elsewhere, io);
  const seen = new Map<string, number>();
  try {
    for await (const record of itemsOf<ContactRecord>(source, 'clients')) seen.set(keyOf(record), record.atMs);
    return seen;
  } finally {
    source.close();
  }
}

function keyOf({ application, cmid }: ContactRecord): string {
  return `${application}${cmid}`;
}

async function* within(records: AsyncIterable<ContactRecord>, sinceMs: number): AsyncGenerator<ContactRecord> {
  for await (const record of records) if (record.atMs >= sinceMs) yield record;
}

interface Tally {
  all: number;
  still: number;
}

async function* tallied(records: AsyncIterable<ContactRecord>, tally: Tally): AsyncGenerator<ContactRecord> {
  for await (const record of records) {
    tally.all += 1;
    yield record;
  }
}

async function* counted(items: AsyncIterable<StillThere>, tally: Tally): AsyncGenerator<StillThere> {
  for await (const item of items) {
    tally.still += 1;
    yield item;
  }
}

async function* viewsOf(items: AsyncIterable<StillThere>): AsyncGenerator<unknown> {
  for await (const { record, validUntilMs, alsoNew } of items)
    yield { ...contactView(record), validUntil: new Date(validUntilMs).toISOString(), alsoNew };
}

const shape = (nowMs: number): RowShape<StillThere> => ({
  columns: [
    { title: 'NAME', width: 15 },
    { title: 'PRODUCT', width: 19 },
    { title: 'SEEN', width: 5, align: 'right' },
    { title: 'LIVES UNTIL', width: 11 },
    { title: 'ADDRESS', width: 15 },
  ],
  cells: ({ record, validUntilMs }) => {
    const { machineName, product, address } = contactView(record);
    return [machineName, product ?? '(unknown)', shortSpan(nowMs - record.atMs), dateText(validUntilMs), address];
  },
});
