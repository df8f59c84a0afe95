// SPDX-License-Identifier: Apache-2.0
//
// `kmsctl events`: the Key Management Service log of a pool, a record 12290 for each request (S1-27, S3-74), and what comes with -f.

import type { ContactRecord } from '@kmspool/kms-node';
import { Command } from 'commander';
import { printList, printRecord } from '../cli/data.ts';
import { EXIT, type Io } from '../cli/io.ts';
import { age, type DataFormat, dataOption, duration, hresultCode, wholeNumber } from '../cli/options.ts';
import type { VerbContext } from '../cli/program.ts';
import { stopSignals } from '../cli/signals.ts';
import { type ContactFilter, contactFits, firstOf, fitting } from '../insight/contact-filter.ts';
import { contactView } from '../insight/contact-view.ts';
import { addSourceOptions, POOL_HELP, type SourceFlags, withPool } from '../source/choose.ts';
import { follow } from '../source/follow.ts';
import { itemsOf, type PoolSource } from '../source/source.ts';
import { utcText } from '../text/span.ts';
import { printable, styleFor } from '../text/style.ts';
import { known } from './catalog.ts';

const HELP = `${POOL_HELP}
Event 12290 is written for every request, counted or refused: result, machine
name, CMID, licence status with the minutes left, minimum count (5 is a server
or Office, 25 a client), product. The last ones are printed, the newest at the
end; -f goes on until Ctrl-C.
No events although clients ask? The network is down, the host is not in DNS or
does not resolve, or port 1688 is blocked: kmsctl doctor looks.

Examples:
  kmsctl events -f
  kmsctl events campus -n kms --name pc-17
  kmsctl events --hresult 0xC004F042 --newer-than 1d
  kmsctl events -f -o json | jq -r .machineName

Exit codes: 0 printed, 2 bad input, or no host answered.`;

interface EventFlags extends SourceFlags {
  readonly output: DataFormat;
  readonly follow?: boolean;
  readonly limit: number;
  readonly all?: boolean;
  readonly name?: string;
  readonly product?: string;
  readonly hresult?: number;
  readonly newerThan?: number;
  readonly interval: number;
}

export function eventsCommand({ io, exit }: VerbContext): Command {
  return addSourceOptions(new Command('events').argument('[pool]', 'the pool'))
    .summary('the Key Management Service log: event 12290 of every request')
    .description('Show the events 12290 of a pool, the newest at the end, and follow them.')
    .option('-f, --follow', 'go on with what comes, until Ctrl-C')
    .option('--name <text>', 'part of the machine name, or a pattern such as pc-*')
    .option('--product <slug>', 'only this product; kmsctl catalog lists them')
    .option('--hresult <code>', 'only this result, such as 0xC004F042; 0 is counted', hresultCode)
    .option('--newer-than <time>', 'not older than this, such as 1h', age)
    .option('--limit <number>', 'at most so many of those that are there', wholeNumber(0, 100_000), 20)
    .option('--all', 'all that fit, in place of --limit; then the newest stands first')
    .option('--interval <time>', 'how often -f asks', duration, 1_000)
    .addOption(dataOption())
    .addHelpText('after', HELP)
    .action(async (pool: string | undefined, flags: EventFlags) =>
      exit(await withPool(pool, { flags, io }, (source) => events(source, flags, io))),
    );
}

async function events(source: PoolSource, flags: EventFlags, io: Io): Promise<number> {
  const { name, hresult, newerThan: newerThanMs } = flags;
  const product = flags.product === undefined ? undefined : known(flags.product).slug;
  const filter = { name, product, hresult, newerThanMs };
  if (flags.follow === true) return followEvents(source, { flags, filter, io });
  const found = fitting(itemsOf<ContactRecord>(source, 'events'), filter, Date.now());
  if (flags.all === true) {
    if (flags.output !== 'text') await printList(viewsOf(found), flags.output, io);
    else for await (const record of found) io.out(`${eventLine(record, io)}\n`);
    return EXIT.ok;
  }
  const last = await Array.fromAsync(firstOf(found, flags.limit));
  if (flags.output === 'text') for (const record of last.reverse()) io.out(`${eventLine(record, io)}\n`);
  else await printList(viewsOf(last.reverse()), flags.output, io);
  if (last.length === 0) io.err('no event fits\n');
  return EXIT.ok;
}

interface Following {
  readonly flags: EventFlags;
  readonly filter: ContactFilter;
  readonly io: Io;
}

async function followEvents(source: PoolSource, { flags, filter, io }: Following): Promise<number> {
  const stop = stopSignals(() => process.exit(EXIT.ok));
  const { output } = flags;
  const fits = contactFits({ ...filter, newerThanMs: undefined }, Date.now());
  const print = (record: ContactRecord): void => {
    if (!fits(record)) return;
    if (output === 'text') io.out(`${eventLine(record, io)}\n`);
    else printRecord(contactView(record), output, io);
  };
  try {
    const options = { first: flags.limit, intervalMs: Math.max(100, flags.interval), signal: stop.first };
    const warn = (text: string): void => io.err(`kmsctl: ${text}; trying again\n`);
    for await (const record of follow(source, { ...options, warn })) print(record);
    return EXIT.ok;
  } finally {
    stop.release();
  }
}

async function* viewsOf(records: AsyncIterable<ContactRecord> | Iterable<ContactRecord>): AsyncGenerator<unknown> {
  for await (const record of records) yield contactView(record);
}

/** Time, result, who, what: one line. */
export function eventLine(record: ContactRecord, io: Pick<Io, 'color'>): string {
  const style = styleFor(io.color);
  const view = contactView(record);
  const counted = record.hresult === 0;
  const result = counted ? style.green('counted') : style.red(`${view.hresult} ${view.symbol ?? ''}`.trim());
  const left = view.minutesToExpiry === 0 ? '' : ` (${view.minutesToExpiry} min left)`;
  return [
    style.dim(utcText(record.atMs)),
    '12290',
    result,
    printable(view.machineName),
    view.address,
    view.product ?? `(unknown ${view.countedId})`,
    `${view.licenseStatus}${left}`,
    `min ${view.minimumCount}`,
    style.dim(view.cmid),
  ].join('  ');
}
