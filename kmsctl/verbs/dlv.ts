// SPDX-License-Identifier: Apache-2.0
//
// `kmsctl dlv` and `kmsctl dli`: what `slmgr.vbs /dlv` and `/dli` show on a KMS host, of a running host. Reading needs no token; the layout is dlv-text.ts.

import { Command } from 'commander';
import { printData } from '../cli/data.ts';
import { EXIT, type Io } from '../cli/io.ts';
import { type DataFormat, dataOption } from '../cli/options.ts';
import type { VerbContext } from '../cli/program.ts';
import { addSourceOptions, POOL_HELP, type SourceFlags, withPool } from '../source/choose.ts';
import { printable } from '../text/style.ts';
import { dliText, dlvText } from './dlv-text.ts';

const HELP = `${POOL_HELP}
A host's own name (campus-1) or URL asks that host; otherwise the first one that
answers is asked: all of them tell the same count.
The cumulative requests are the pool's, since it exists. They are usually not
needed: look at them when the count does not rise, and look at the host keys
when failed requests grow.
`;

const EXITS = 'Exit codes: 0 printed, 2 no host answered, or that is no host of kmspool.';

interface DlvFlags extends SourceFlags {
  readonly output: DataFormat;
}

export function dlvCommand(context: VerbContext): Command {
  const examples = `
Examples:
  kmsctl dlv
  kmsctl dlv campus-1 --state /tmp/campus
  kmsctl dlv campus -n kms --context lab
  kmsctl dlv http://127.0.16.1:8080 -o json      the whole HostStatus`;
  return command(context, { name: 'dlv', text: dlvText, examples })
    .summary('what slmgr.vbs /dlv shows on a KMS host')
    .description('Show a KMS host as slmgr.vbs /dlv does: current count, port, requests by licence status.');
}

export function dliCommand(context: VerbContext): Command {
  const examples = `
Examples:
  kmsctl dli
  kmsctl dli campus -n kms`;
  return command(context, { name: 'dli', text: dliText, examples })
    .summary('the short form of dlv: licence and current count')
    .description('Show a KMS host as slmgr.vbs /dli does: host keys, licence status, current count.');
}

interface Shape {
  readonly name: string;
  readonly text: typeof dlvText;
  readonly examples: string;
}

function command({ io, exit }: VerbContext, { name, text, examples }: Shape): Command {
  return addSourceOptions(new Command(name).argument('[pool]', 'pool, or name or URL of a host'))
    .addOption(dataOption())
    .addHelpText('after', `${HELP}${examples}\n\n${EXITS}`)
    .action(async (pool: string | undefined, flags: DlvFlags) => exit(await show(pool, { flags, io, text })));
}

async function show(
  pool: string | undefined,
  { flags, io, text }: { readonly flags: DlvFlags; readonly io: Io; readonly text: typeof dlvText },
): Promise<number> {
  return withPool(pool, { flags, io }, async (source, host) => {
    const status = await source.status(host);
    if (flags.output === 'text') io.out(`${text(status, source.domains).map(printable).join('\n')}\n`);
    else printData(status, flags.output, io);
    return EXIT.ok;
  });
}
