// SPDX-License-Identifier: Apache-2.0
//
// `kmsctl import`: joins a file of `kmsctl export` with a pool's table, by the pool's own rule.

import { readFileSync } from 'node:fs';
import { UserError } from '@kmspool/crds';
import { CMID_RETENTION_MS } from '@kmspool/kms/counting';
import type { TableView } from '@kmspool/kms-node';
import { Command } from 'commander';
import { EXIT, type Io } from '../cli/io.ts';
import type { VerbContext } from '../cli/program.ts';
import { parseTableFile } from '../insight/table-file.ts';
import { codeOf } from '../pool/pool-file.ts';
import { addSourceOptions, POOL_HELP, type SourceFlags, withPool } from '../source/choose.ts';
import type { PoolSource } from '../source/source.ts';

const HELP = `${POOL_HELP}
The later time of each client wins, who was not seen for 30 days is left out,
and the newest are kept, twice the largest threshold: as if the clients had
asked here. Doing it twice changes nothing. Totals and events stay as they are.
A file of another pool is refused, for its clients hold another key and will
leave again after 30 days; --force takes it nevertheless.

Examples:
  kmsctl import campus -n kms -f campus.jsonl
  kmsctl export old -n kms | kmsctl import new -n kms -f - --force
  kmsctl import -f campus.jsonl --dry-run

Exit codes: 0 joined, 2 bad input, or no host answered.`;

interface ImportFlags extends SourceFlags {
  readonly file: string;
  readonly force?: boolean;
  readonly dryRun?: boolean;
}

export function importCommand({ io, exit }: VerbContext): Command {
  return addSourceOptions(new Command('import').argument('[pool]', 'the pool'))
    .summary("join a file of kmsctl export with a pool's table")
    .description("Join a table of counted clients with a pool's.")
    .requiredOption('-f, --file <file>', 'what kmsctl export wrote; - is standard input')
    .option('--force', 'also when it is of another pool')
    .option('--dry-run', 'read and check the file, change nothing')
    .addHelpText('after', HELP)
    .action(async (pool: string | undefined, flags: ImportFlags) =>
      exit(await withPool(pool, { flags, io }, (source) => join(source, flags, io))),
    );
}

async function join(source: PoolSource, { file, force = false, dryRun = false }: ImportFlags, io: Io): Promise<number> {
  const table = readFile(file, io);
  const status = await source.status();
  if (table.poolId !== status.poolId && !force) {
    throw new UserError(
      `--file: ${file} is of pool ${table.poolId}, and ${source.pool} is ${status.poolId}; its clients hold another key. Add --force to join it nevertheless`,
    );
  }
  const young = table.tables.map(({ entries }) => entries.filter(({ lastSeen }) => isYoung(lastSeen)).length);
  const before = new Map(status.counts.map(({ application, current }) => [application, current]));
  const after = dryRun ? before : countsOf(await source.send('/import', { ...table, force }));
  for (const [at, { application, entries }] of table.tables.entries()) {
    if (entries.length === 0) continue;
    const old = entries.length - (young[at] ?? 0);
    const left = old === 0 ? '' : `, ${old} of them older than 30 days`;
    const change = dryRun
      ? `the count is ${before.get(application) ?? 0}`
      : `the count was ${before.get(application) ?? 0} and is ${after.get(application) ?? 0}`;
    io.out(`${application}: ${entries.length} clients in the file${left}; ${change}\n`);
  }
  if (table.tables.every(({ entries }) => entries.length === 0)) io.out('the file holds no clients\n');
  return EXIT.ok;
}

function isYoung(lastSeen: string): boolean {
  return Date.now() - Date.parse(lastSeen) < CMID_RETENTION_MS;
}

function readFile(file: string, io: Io): TableView {
  let text: string;
  try {
    text = readFileSync(file === '-' ? 0 : io.path(file), 'utf8');
  } catch (error) {
    throw new UserError(`--file: ${file} cannot be read (${codeOf(error)})`);
  }
  try {
    return parseTableFile(text);
  } catch (error) {
    if (error instanceof UserError) throw new UserError(`--file: ${file}: ${error.message}`);
    throw error;
  }
}

function countsOf(answer: unknown): ReadonlyMap<string, number> {
  const tables = typeof answer === 'object' && answer !== null && 'tables' in answer ? answer.tables : [];
  const counts = Array.isArray(tables) ? (tables as { application: string; current: number }[]) : [];
  return new Map(counts.map(({ application, current }) => [application, current]));
}
