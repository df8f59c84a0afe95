// SPDX-License-Identifier: Apache-2.0
//
// `kmsctl forecast`: when a count falls below a threshold within the 30 days that it looks back.

import type { HostStatus } from '@kmspool/crds';
import type { ContactRecord } from '@kmspool/kms-node';
import { Command } from 'commander';
import { printData } from '../cli/data.ts';
import { EXIT, type Io } from '../cli/io.ts';
import { type DataFormat, dataOption } from '../cli/options.ts';
import type { VerbContext } from '../cli/program.ts';
import { applicationName } from '../insight/contact-view.ts';
import { type Forecast, forecast, quietAfterMs } from '../insight/forecast.ts';
import { type PoolTables, readTables } from '../insight/table-reading.ts';
import { addSourceOptions, POOL_HELP, type SourceFlags, withPool } from '../source/choose.ts';
import { itemsOf, type PoolSource } from '../source/source.ts';
import { dateText, shortSpan } from '../text/span.ts';
import { styleFor } from '../text/style.ts';
import { tableLines } from '../text/table.ts';

const HELP = `${POOL_HELP}
Two answers for each threshold: if nobody asks any more (a network that is cut,
an office that closes), and as they come: who was seen within two renewal
intervals goes on, who was not is taken as gone, nobody new comes.

Examples:
  kmsctl forecast
  kmsctl forecast campus -n kms -o json

Exit codes: 0 what is reached stays so as they come, 1 a threshold is lost
within 30 days or is not reached now, 2 bad input, or no host answered.`;

interface ForecastFlags extends SourceFlags {
  readonly output: DataFormat;
}

export function forecastCommand({ io, exit }: VerbContext): Command {
  return addSourceOptions(new Command('forecast').argument('[pool]', 'the pool'))
    .summary('when a count falls below its threshold')
    .description('Forecast the counts of a pool over the next 30 days.')
    .addOption(dataOption())
    .addHelpText('after', HELP)
    .action(async (pool: string | undefined, flags: ForecastFlags) =>
      exit(await withPool(pool, { flags, io }, (source) => show(source, flags, io))),
    );
}

async function show(source: PoolSource, { output }: ForecastFlags, io: Io): Promise<number> {
  const status = await source.status();
  const tables = await readTables(source);
  const forecasts = await forecastsOf(source, status, tables);
  if (output === 'text') io.out(`${textOf(forecasts, tables.nowMs, io).join('\n')}\n`);
  else printData(forecasts.map(dataOf), output, io);
  const steady = ({ met, lostAsTheyComeMs }: Forecast['thresholds'][number]): boolean =>
    met && lostAsTheyComeMs === undefined;
  const all = forecasts.flatMap(({ thresholds }) => thresholds);
  return all.length > 0 && all.every(steady) ? EXIT.ok : EXIT.no;
}

/** Of every application that has clients. */
export async function forecastsOf(
  source: PoolSource,
  { counts, renewalIntervalMinutes }: HostStatus,
  { tables, nowMs }: PoolTables,
): Promise<readonly Forecast[]> {
  const used = tables.filter(({ clients }) => clients.length > 0);
  const caps = new Map(used.map(({ application, cap }) => [application, cap]));
  const active = await activeClients(source, caps, nowMs - quietAfterMs(renewalIntervalMinutes));
  return used.flatMap((table) => {
    const count = counts.find(({ application }) => application === table.application);
    if (count === undefined) return [];
    return [forecast({ count, table, active: active.get(table.application) ?? 0, renewalIntervalMinutes, nowMs })];
  });
}

/** How many were seen since, by application; counted only up to the cap, for more do not change a forecast. */
async function activeClients(
  source: PoolSource,
  caps: ReadonlyMap<string, number>,
  sinceMs: number,
): Promise<ReadonlyMap<string, number>> {
  const active = new Map<string, number>();
  const isEnough = (): boolean => [...caps].every(([application, cap]) => (active.get(application) ?? 0) >= cap);
  for await (const record of itemsOf<ContactRecord>(source, 'clients')) {
    if (record.atMs < sinceMs - ORDER_MS || isEnough()) break;
    const application = applicationName(record.application);
    if (record.atMs >= sinceMs) active.set(application, (active.get(application) ?? 0) + 1);
  }
  return active;
}

/** The inventory stands in the order of last seen to this much, milliseconds. */
const ORDER_MS = 600_000;

function dataOf({ thresholds, ...rest }: Forecast): unknown {
  const time = (ms: number | undefined): string | null => (ms === undefined ? null : new Date(ms).toISOString());
  return {
    ...rest,
    thresholds: thresholds.map(({ name, required, met, lostIfNobodyComesMs, lostAsTheyComeMs }) => ({
      name,
      required,
      met,
      lostIfNobodyComes: time(lostIfNobodyComesMs),
      lostAsTheyCome: time(lostAsTheyComeMs),
    })),
  };
}

function textOf(forecasts: readonly Forecast[], nowMs: number, io: Io): string[] {
  if (forecasts.length === 0) return ['Nobody is counted, so there is nothing to lose; kmsctl doctor looks why.'];
  return forecasts.flatMap((each, at) => [...(at === 0 ? [] : ['']), ...blockOf(each, nowMs, io)]);
}

const DAYS_SHOWN = [0, 5, 10, 15, 20, 25, 30];

function blockOf(each: Forecast, nowMs: number, io: Io): string[] {
  const style = styleFor(io.color);
  const quiet = each.quiet === 0 ? 'all of them still come' : `${each.quiet} of them have missed two renewals`;
  const row = (title: string, counts: readonly number[]): string[] => [
    title,
    ...DAYS_SHOWN.map((day) => String(counts[day] ?? 0)),
  ];
  const columns = [
    { title: 'COUNT IN DAYS' },
    ...DAYS_SHOWN.map((day) => ({ title: String(day), align: 'right' as const })),
  ];
  const lost = (ms: number | undefined, none: string): string =>
    ms === undefined ? none : `${dateText(ms)}, in ${shortSpan(ms - nowMs)}`;
  const rows = each.thresholds.map(({ name, required, met, lostIfNobodyComesMs, lostAsTheyComeMs }) => [
    `${name} ${required}`,
    met ? lost(lostIfNobodyComesMs, '-') : 'is not reached',
    met ? lost(lostAsTheyComeMs, 'not within 30 days') : 'is not reached',
  ]);
  return [
    `${style.bold(`${each.application}: ${each.current}`)}, ${quiet}`,
    ...tableLines([row('if nobody comes', each.ifNobodyComes), row('as they come', each.asTheyCome)], {
      style,
      columns,
      indent: '  ',
    }),
    '',
    ...tableLines(rows, {
      style,
      columns: [{ title: 'THRESHOLD' }, { title: 'LOST IF NOBODY COMES' }, { title: 'LOST AS THEY COME' }],
      indent: '  ',
    }),
  ];
}
