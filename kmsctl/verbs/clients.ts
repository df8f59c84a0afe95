// SPDX-License-Identifier: Apache-2.0
//
// `kmsctl clients`: the pool's inventory, the latest contact of each client, newest first and page by page.

import type { ContactRecord } from '@kmspool/kms-node';
import { Command, Option } from 'commander';
import { printList } from '../cli/data.ts';
import { EXIT, type Io } from '../cli/io.ts';
import { age, wholeNumber } from '../cli/options.ts';
import type { VerbContext } from '../cli/program.ts';
import { firstOf, fitting } from '../insight/contact-filter.ts';
import { contactView } from '../insight/contact-view.ts';
import { addSourceOptions, POOL_HELP, type SourceFlags, withPool } from '../source/choose.ts';
import { itemsOf, type PoolSource } from '../source/source.ts';
import { shortSpan } from '../text/span.ts';
import { known } from './catalog.ts';
import { printPages, type RowShape } from './page-table.ts';

const HELP = `${POOL_HELP}
One line for each client (CMID) and application, the one seen last first. More
clients than the pool counts may be here: the table holds twice the largest
threshold, the inventory what spec.store.retention.clients says.

Examples:
  kmsctl clients
  kmsctl clients campus -n kms --name 'pc-*' --product windows-11
  kmsctl clients --older-than 14d --all        who may be leaving
  kmsctl clients --newer-than 1h -o wide
  kmsctl clients --all -o json > clients.json

Exit codes: 0 printed, 2 bad input, or no host answered.`;

interface ClientFlags extends SourceFlags {
  readonly output: 'table' | 'wide' | 'json' | 'yaml';
  readonly limit: number;
  readonly all?: boolean;
  readonly name?: string;
  readonly product?: string;
  readonly olderThan?: number;
  readonly newerThan?: number;
}

export function clientsCommand({ io, exit }: VerbContext): Command {
  return addSourceOptions(new Command('clients').argument('[pool]', 'the pool'))
    .summary('who has asked, newest first')
    .description("List the pool's clients with their latest contact: name, product, licence status, when.")
    .option('--name <text>', 'part of the machine name, or a pattern such as pc-*')
    .option('--product <slug>', 'only this product; kmsctl catalog lists them')
    .option('--older-than <time>', 'last seen at least this long ago, such as 20d', age)
    .option('--newer-than <time>', 'last seen within this time, such as 1h', age)
    .option('--limit <number>', 'at most so many', wholeNumber(1, 1_000_000), 100)
    .option('--all', 'all of them, in place of --limit')
    .addOption(
      new Option('-o, --output <format>', 'how to print').choices(['table', 'wide', 'json', 'yaml']).default('table'),
    )
    .addHelpText('after', HELP)
    .action(async (pool: string | undefined, flags: ClientFlags) =>
      exit(await withPool(pool, { flags, io }, (source) => clients(source, flags, io))),
    );
}

async function clients(source: PoolSource, flags: ClientFlags, io: Io): Promise<number> {
  const { name, olderThan: olderThanMs, newerThan: newerThanMs, output } = flags;
  const product = flags.product === undefined ? undefined : known(flags.product).slug;
  const most = flags.all === true ? Number.POSITIVE_INFINITY : flags.limit;
  const nowMs = Date.now();
  const found = fitting(
    itemsOf<ContactRecord>(source, 'clients', Math.min(1000, Math.max(most, 100))),
    { name, product, olderThanMs, newerThanMs },
    nowMs,
  );
  const wanted = firstOf(found, most);
  if (output === 'json' || output === 'yaml') {
    await printList(viewsOf(wanted), output, io);
    return EXIT.ok;
  }
  const shown = await printPages(wanted, output === 'wide' ? wide(nowMs) : narrow(nowMs), io);
  if (shown === 0) io.err('no client fits\n');
  else if (shown === most) io.err(`the first ${shown}; --all or a larger --limit shows more\n`);
  return EXIT.ok;
}

async function* viewsOf(records: AsyncIterable<ContactRecord>): AsyncGenerator<unknown> {
  for await (const record of records) yield contactView(record);
}

const narrow = (nowMs: number): RowShape<ContactRecord> => ({
  columns: [
    { title: 'NAME', width: 15 },
    { title: 'PRODUCT', width: 19 },
    { title: 'STATUS', width: 14 },
    { title: 'SEEN', width: 5, align: 'right' },
    { title: 'ADDRESS', width: 15 },
  ],
  cells: (record) => {
    const { machineName, product, licenseStatus, address } = contactView(record);
    return [machineName, product ?? '(unknown)', licenseStatus, shortSpan(nowMs - record.atMs), address];
  },
});

const wide = (nowMs: number): RowShape<ContactRecord> => ({
  columns: [
    ...narrow(nowMs).columns,
    { title: 'CMID', width: 36 },
    { title: 'N', width: 3, align: 'right' },
    { title: 'VM', width: 3 },
    { title: 'V', width: 1 },
    { title: 'EXPIRES', width: 7, align: 'right' },
    { title: 'EDITION', width: 30 },
  ],
  cells: (record) => {
    const { cmid, minimumCount, virtual, protocol, minutesToExpiry, edition } = contactView(record);
    const expires = minutesToExpiry === 0 ? '-' : shortSpan(minutesToExpiry * 60_000);
    return [
      ...narrow(nowMs).cells(record),
      cmid,
      String(minimumCount),
      virtual ? 'yes' : 'no',
      String(protocol),
      expires,
      edition ?? '(unknown)',
    ];
  },
});
