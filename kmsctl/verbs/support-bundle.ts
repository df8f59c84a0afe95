// SPDX-License-Identifier: Apache-2.0
//
// `kmsctl support-bundle`: what a support asks for, in one archive, without names and secrets (S1-46, S1-47).

import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { UserError } from '@kmspool/crds';
import { Command } from 'commander';
import { collect } from '../bundle/collect.ts';
import { type BundleFile, tarOf } from '../bundle/tar.ts';
import { EXIT, type Io } from '../cli/io.ts';
import { wholeNumber } from '../cli/options.ts';
import type { VerbContext } from '../cli/program.ts';
import manifest from '../package.json' with { type: 'json' };
import { codeOf } from '../pool/pool-file.ts';
import { addSourceOptions, POOL_HELP, type SourceFlags, withPool } from '../source/choose.ts';
import type { PoolSource } from '../source/source.ts';

const HELP = `${POOL_HELP}
In it: dlv, clients, events, duplicates, the table, what doctor says, status and
metrics of every host; from a cluster also the KmsHostPool with its conditions,
Pods, Kubernetes events and logs. Machine names, addresses and CMIDs are
replaced, the same one by the same word everywhere. Keys, tokens and Secrets are
never in it. Look into it before you send it.

Examples:
  kmsctl support-bundle
  kmsctl support-bundle campus -n kms -f campus.tar.gz
  kmsctl support-bundle campus -f folder/ --include-names

Exit codes: 0 written, 2 bad input, or the pool was not found.`;

interface BundleFlags extends SourceFlags {
  readonly file?: string;
  readonly includeNames?: boolean;
  readonly limit: number;
}

export function supportBundleCommand({ io, exit }: VerbContext): Command {
  return addSourceOptions(new Command('support-bundle').argument('[pool]', 'the pool'))
    .summary('all that a support asks for, without names and secrets')
    .description('Write an archive of what a pool says of itself.')
    .option('-f, --file <file>', 'archive, or a folder if it ends with / (default: kmspool-POOL-TIME.tar.gz)')
    .option('--include-names', 'leave machine names, addresses and CMIDs as they are')
    .option('--limit <number>', 'at most so many clients and so many events', wholeNumber(1, 1_000_000), 10_000)
    .addHelpText('after', HELP)
    .action(async (pool: string | undefined, flags: BundleFlags) =>
      exit(await withPool(pool, { flags, io }, (source) => bundle(source, flags, io))),
    );
}

async function bundle(source: PoolSource, flags: BundleFlags, io: Io): Promise<number> {
  const nowMs = Date.now();
  const { limit, timeout: timeoutMs, includeNames = false } = flags;
  const files = await collect({ source, includeNames, limit, timeoutMs, version: manifest.version, nowMs });
  const stamp = new Date(nowMs).toISOString().replace(/[-:]/g, '').slice(0, 15);
  const name = `kmspool-${source.pool.replace(/[^\w.-]+/g, '_')}-${stamp}`;
  const file = flags.file ?? `${name}.tar.gz`;
  try {
    if (file.endsWith('/')) writeFolder(io.path(file), files);
    else writeArchive(io.path(file), { name, files, nowMs });
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
    throw new UserError(`--file: ${file} cannot be written (${codeOf(error)})`);
  }
  io.out(`${files[0]?.content ?? ''}\nWritten to ${file}. Look into it before you send it.\n`);
  return EXIT.ok;
}

function writeFolder(folder: string, files: readonly BundleFile[]): void {
  for (const { path, content } of files) {
    mkdirSync(dirname(join(folder, path)), { recursive: true, mode: 0o700 });
    writeFileSync(join(folder, path), content, { mode: 0o600 });
  }
}

function writeArchive(
  file: string,
  { name, files, nowMs }: { readonly name: string; readonly files: readonly BundleFile[]; readonly nowMs: number },
): void {
  const inFolder = files.map(({ path, content }) => ({ path: `${name}/${path}`, content }));
  writeFileSync(file, gzipSync(tarOf(inFolder, nowMs)), { mode: 0o600 });
}
