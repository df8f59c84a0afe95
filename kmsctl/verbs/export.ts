// SPDX-License-Identifier: Apache-2.0
//
// `kmsctl export`: a pool's table of counted clients as a file that `kmsctl import` takes.

import { writeFileSync } from 'node:fs';
import { UserError } from '@kmspool/crds';
import { Command } from 'commander';
import { EXIT, type Io } from '../cli/io.ts';
import type { VerbContext } from '../cli/program.ts';
import { TABLE_FILE_FORMAT, tableFileLines } from '../insight/table-file.ts';
import { isTableView } from '../insight/table-reading.ts';
import { codeOf } from '../pool/pool-file.ts';
import { addSourceOptions, POOL_HELP, type SourceFlags, withPool } from '../source/choose.ts';
import type { PoolSource } from '../source/source.ts';

const HELP = `${POOL_HELP}
The file is JSON Lines (${TABLE_FILE_FORMAT}): a head with the pool's ID, then a
line for each counted client: application, CMID, last seen. No machine names, no
keys. Totals, events and the inventory are not in it.

Examples:
  kmsctl export > campus.jsonl
  kmsctl export campus -n kms -f campus.jsonl

Exit codes: 0 written, 2 bad input, or no host answered.`;

interface ExportFlags extends SourceFlags {
  readonly file?: string;
}

export function exportCommand({ io, exit }: VerbContext): Command {
  return addSourceOptions(new Command('export').argument('[pool]', 'the pool'))
    .summary("a pool's table of counted clients, as a file")
    .description('Write the table of counted clients of a pool.')
    .option('-f, --file <file>', 'where to write (default: standard output)')
    .addHelpText('after', HELP)
    .action(async (pool: string | undefined, flags: ExportFlags) =>
      exit(await withPool(pool, { flags, io }, (source) => write(source, flags, io))),
    );
}

async function write(source: PoolSource, { file }: ExportFlags, io: Io): Promise<number> {
  const table = await source.read('/table');
  if (!isTableView(table)) throw new UserError('/table: what answers is no host of kmspool; check the address');
  const lines = tableFileLines(table);
  const text = `${lines.join('\n')}\n`;
  if (file === undefined) {
    io.out(text);
    return EXIT.ok;
  }
  try {
    writeFileSync(io.path(file), text, { mode: 0o600 });
  } catch (error) {
    throw new UserError(`--file: ${file} cannot be written (${codeOf(error)})`);
  }
  io.err(`${lines.length - 1} counted clients of pool ${table.poolId} written to ${file}\n`);
  return EXIT.ok;
}
