// SPDX-License-Identifier: Apache-2.0
//
// `kmsctl duplicates`: machines that share a client machine ID, for their image was not generalised (S1-17, S1-37).

import type { DuplicateCmid } from '@kmspool/kms-node';
import { Command } from 'commander';
import { printList } from '../cli/data.ts';
import { EXIT, type Io } from '../cli/io.ts';
import { type DataFormat, dataOption } from '../cli/options.ts';
import type { VerbContext } from '../cli/program.ts';
import { applicationName } from '../insight/contact-view.ts';
import { addSourceOptions, POOL_HELP, type SourceFlags, withPool } from '../source/choose.ts';
import { itemsOf, type PoolSource } from '../source/source.ts';
import { shortSpan } from '../text/span.ts';
import { printable, styleFor } from '../text/style.ts';
import { wrapped } from '../text/wrap.ts';

const HELP = `${POOL_HELP}
However many machines share a CMID, they count as one: a count that stays at 1
is the classic sign. On each of them run slmgr /rearm and restart, or make the
image anew with sysprep /generalize. A machine that was renamed within 30 days
shows here with both names and is harmless.

Examples:
  kmsctl duplicates
  kmsctl duplicates campus -n kms -o json

Exit codes: 0 there are none, 1 there are some, 2 bad input, or no host
answered.`;

interface DuplicateFlags extends SourceFlags {
  readonly output: DataFormat;
}

export function duplicatesCommand({ io, exit }: VerbContext): Command {
  return addSourceOptions(new Command('duplicates').argument('[pool]', 'the pool'))
    .summary('machines that share a client machine ID')
    .description('List client machine IDs that came with more than one machine name.')
    .addOption(dataOption())
    .addHelpText('after', HELP)
    .action(async (pool: string | undefined, flags: DuplicateFlags) =>
      exit(await withPool(pool, { flags, io }, (source) => duplicates(source, flags, io))),
    );
}

async function duplicates(source: PoolSource, { output }: DuplicateFlags, io: Io): Promise<number> {
  const seen = { groups: 0, names: 0 };
  const counted = counting(itemsOf<DuplicateCmid>(source, 'duplicates', 200), seen);
  if (output === 'text') await printText(counted, io);
  else await printList(viewsOf(counted), output, io);
  if (output === 'text') io.out(`${summary(seen, io).join('\n')}\n`);
  return seen.groups === 0 ? EXIT.ok : EXIT.no;
}

async function* counting(
  groups: AsyncIterable<DuplicateCmid>,
  seen: { groups: number; names: number },
): AsyncGenerator<DuplicateCmid> {
  for await (const group of groups) {
    seen.groups += 1;
    seen.names += group.names.length;
    yield group;
  }
}

async function* viewsOf(groups: AsyncIterable<DuplicateCmid>): AsyncGenerator<unknown> {
  for await (const { application, cmid, names } of groups) {
    yield {
      application: applicationName(application),
      cmid,
      names: names.map(({ workstationName, address, lastSeenMs }) => ({
        machineName: workstationName,
        address,
        lastSeen: new Date(lastSeenMs).toISOString(),
      })),
    };
  }
}

async function printText(groups: AsyncIterable<DuplicateCmid>, io: Io): Promise<void> {
  const style = styleFor(io.color);
  const nowMs = Date.now();
  for await (const { application, cmid, names } of groups) {
    const lines = names.map(
      ({ workstationName, address, lastSeenMs }) =>
        `  ${printable(workstationName)}  ${address}  ${style.dim(`${shortSpan(nowMs - lastSeenMs)} ago`)}`,
    );
    io.out(`${style.bold(cmid)}  ${applicationName(application)}\n${lines.join('\n')}\n`);
  }
}

function summary({ groups, names }: { readonly groups: number; readonly names: number }, io: Io): string[] {
  if (groups === 0) return ['No client machine ID came with more than one machine name in the last 30 days.'];
  const count = `${names} names, counted as ${groups}: ${names - groups} machine${names - groups === 1 ? ' is' : 's are'} missing from the count, unless they were only renamed.`;
  return [
    '',
    ...wrapped(`${count} Remedy: slmgr /rearm and a restart on each, or sysprep /generalize for the image.`, io),
  ];
}
