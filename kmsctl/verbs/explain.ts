// SPDX-License-Identifier: Apache-2.0
//
// `kmsctl explain`: what an error code, an event, or the pasted output of slmgr, ipconfig, nslookup or the event viewer
// means, and what is true of it in a pool. What is given is redacted before anything else, and kept nowhere.

import { readFileSync, statSync } from 'node:fs';
import { UserError } from '@kmspool/crds';
import { LANGUAGES, type Language } from '@kmspool/kms/catalog';
import { Command, Option } from 'commander';
import { EXIT, type Io } from '../cli/io.ts';
import { type OutputFormat, outputOption } from '../cli/options.ts';
import type { VerbContext } from '../cli/program.ts';
import { decodeText } from '../explain/decode.ts';
import { explain, explanationJson, isKnown } from '../explain/explanation.ts';
import { gatherFacts } from '../explain/gather.ts';
import { languageOf } from '../explain/language.ts';
import { explanationLines } from '../explain/layout.ts';
import { catalogueJson, listLines } from '../explain/list.ts';
import type { PoolFacts } from '../explain/pool-facts.ts';
import { recogniseText, recogniseWord } from '../explain/recognise.ts';
import { redact } from '../explain/redact.ts';
import type { Finding } from '../explain/types.ts';
import { WORDS } from '../explain/words.ts';
import { discoveryBy } from '../net/index.ts';
import { codeOf } from '../pool/pool-file.ts';
import { addSourceOptions, POOL_HELP, type SourceFlags, withPool } from '../source/choose.ts';
import { printable, styleFor } from '../text/style.ts';
import { wrapLines } from '../text/wrap.ts';

const HELP = `
WHAT is an error code in any form (0xC004F038, C004F038, -1073418184,
3221549112, a Win32 error such as 1722), an event number (12288), a file, or -
for what is pasted or piped in. In a file or paste these are read, in English
and Korean: slmgr /dlv or /dli of a host or a client, ipconfig /all, nslookup
-type=all _vlmcs._tcp, records of events 12288 to 12294; of any other text, the
codes that stand in it. Paste several at once: together they tell more.
Whatever is shaped like a product key is taken out first. Nothing is stored.
${POOL_HELP}

Examples:
  kmsctl explain 0xC004F074
  kmsctl explain 0xC004F038 --pool          and what is true in the pool now
  kmsctl explain 0xC004F038 --pool campus -n kms
  kmsctl explain 12290 --long
  kmsctl explain --list                     every code and event, in a line each
  kmsctl explain --lang ko C004F042
  kmsctl explain dlv.txt                    cscript slmgr.vbs /dlv > dlv.txt
  nslookup -type=all _vlmcs._tcp | kmsctl explain -

Exit codes: 0 explained, 1 a code is not known or nothing in the text is,
2 there is no such file, or no pool answers.`;

const MAX_BYTES = 4 << 20;

interface ExplainFlags extends SourceFlags {
  readonly list?: boolean;
  readonly long?: boolean;
  readonly lang?: Language;
  /** A name, or true for the only one. */
  readonly pool?: string | true;
  readonly output: OutputFormat;
}

export function explainCommand({ io, exit }: VerbContext): Command {
  const command = new Command('explain')
    .summary('what an error code, an event or pasted output means')
    .description(
      'Explain an error code, an event, or the output of slmgr /dlv, ipconfig /all or nslookup; with --pool, what is true in the pool now.',
    )
    .argument('[what...]', 'a code, an event number, a file, or - for standard input')
    .option('--long', 'causes and steps too')
    .addOption(
      new Option('--lang <language>', 'language of the texts (default: LC_ALL, LC_MESSAGES or LANG)').choices([
        ...LANGUAGES,
      ]),
    )
    .option('--list', 'every code and event of the catalogue')
    .option('--pool [pool]', 'what is true in this pool now; without a name in the only one there is')
    .addOption(outputOption());
  return addSourceOptions(command)
    .addHelpText('after', HELP)
    .action(async (what: readonly string[], flags: ExplainFlags) => exit(await explainVerb(what, flags, io)));
}

async function explainVerb(what: readonly string[], flags: ExplainFlags, io: Io): Promise<number> {
  const language = flags.lang ?? languageOf(io.env);
  if (flags.list === true) {
    const list = { language, width: Math.min(100, io.columns()), style: styleFor(io.color) };
    io.out(
      flags.output === 'json' ? `${JSON.stringify(catalogueJson(), null, 2)}\n` : `${listLines(list).join('\n')}\n`,
    );
    return EXIT.ok;
  }
  const findings = await findingsOf(what, io);
  const explanation = explain(findings, await factsOf(flags, io));
  if (flags.output === 'json') {
    io.out(`${JSON.stringify(explanationJson(explanation, language), null, 2)}\n`);
  } else {
    const width = Math.min(100, io.columns());
    const layout = { language, long: flags.long === true, style: styleFor(io.color), width };
    const lines =
      findings.length === 0 ? wrapLines(WORDS.nothing[language], layout) : explanationLines(explanation, layout);
    io.out(`${lines.join('\n')}\n`);
  }
  return isKnown(explanation) ? EXIT.ok : EXIT.no;
}

/** Product keys go first; nothing below has seen them. */
async function findingsOf(what: readonly string[], io: Io): Promise<Finding[]> {
  const given = redact(what.join(' '));
  const words = given.text.split(/\s+/).filter((word) => word !== '');
  const single = recogniseWord(given.text.trim());
  if (single !== undefined) return [single];
  const each = words.map(recogniseWord);
  if (words.length > 1 && each.every((finding) => finding !== undefined)) return each;
  if (given.keys.length > 0 || words.length > 1) return [...given.keys, ...recogniseText(given.text)];
  const [name = '-'] = words;
  if (words.length === 0 && process.stdin.isTTY === true)
    throw new UserError('say what to explain: a code, an event number, a file, or - and paste');
  const { text, keys } = redact(decodeText(name === '-' ? await readInput(io) : readNamed(name, io)));
  return [...keys, ...recogniseText(text)];
}

async function readInput(io: Io): Promise<Uint8Array> {
  if (process.stdin.isTTY === true) io.err('Paste, then press Ctrl-D on a line of its own.\n');
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > MAX_BYTES) throw tooLarge('standard input');
  }
  return Buffer.concat(chunks);
}

function readNamed(name: string, io: Io): Uint8Array {
  const file = io.path(name);
  try {
    if (statSync(file).size > MAX_BYTES) throw tooLarge(name);
    return readFileSync(file);
  } catch (error) {
    if (error instanceof UserError) throw error;
    const code = codeOf(error);
    if (code !== 'ENOENT') throw new UserError(`${printable(name)} cannot be read (${code})`);
    throw new UserError(`${printable(name)} is no code, no event of volume activation and no file (${code})`);
  }
}

function tooLarge(name: string): UserError {
  return new UserError(`${printable(name)} is larger than 4 MiB; cut it down to what is to be explained`);
}

async function factsOf(flags: ExplainFlags, io: Io): Promise<PoolFacts | undefined> {
  const { pool, state, namespace, timeout: timeoutMs } = flags;
  if (pool === undefined && state === undefined && namespace === undefined) return undefined;
  const name = typeof pool === 'string' ? pool : undefined;
  if (name !== undefined && recogniseWord(name) !== undefined)
    throw new UserError(`--pool: ${printable(name)} is a code, not a pool; write what to explain before --pool`);
  return withPool(name, { flags, io }, (source) =>
    gatherFacts(source, discoveryBy(source.nameServer, timeoutMs), Date.now()),
  );
}
