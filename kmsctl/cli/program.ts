// SPDX-License-Identifier: Apache-2.0
//
// The command line as a whole: verbs, help, and how errors become one line and an exit code. No verb is implemented here.

import { UserError } from '@kmspool/crds';
import { Command, CommanderError, type Option } from 'commander';
import { redact } from '../explain/redact.ts';
import manifest from '../package.json' with { type: 'json' };
import { activateCommand } from '../verbs/activate.ts';
import { avmaCommand } from '../verbs/avma.ts';
import { catalogCommand } from '../verbs/catalog.ts';
import { clientsCommand } from '../verbs/clients.ts';
import { completionCommand } from '../verbs/completion.ts';
import { countCommand } from '../verbs/count.ts';
import { demoCommand } from '../verbs/demo.ts';
import { dliCommand, dlvCommand } from '../verbs/dlv.ts';
import { dnsCommand } from '../verbs/dns.ts';
import { doctorCommand } from '../verbs/doctor.ts';
import { duplicatesCommand } from '../verbs/duplicates.ts';
import { eventsCommand } from '../verbs/events.ts';
import { explainCommand } from '../verbs/explain.ts';
import { exportCommand } from '../verbs/export.ts';
import { forecastCommand } from '../verbs/forecast.ts';
import { importCommand } from '../verbs/import.ts';
import { preflightCommand } from '../verbs/preflight.ts';
import { simulateCommand } from '../verbs/simulate.ts';
import { supportBundleCommand } from '../verbs/support-bundle.ts';
import { upCommand } from '../verbs/up.ts';
import { whoUsesCommand } from '../verbs/who-uses.ts';
import { EXIT, type Io } from './io.ts';

/** What a verb's command gets: where to write, and where to put the exit code. */
export interface VerbContext {
  readonly io: Io;
  readonly exit: (code: number) => void;
}

const ABOUT = `Run, ask and explain pools of emulated KMS hosts.

Everything here uses the pool's own key: no genuine Windows or Office accepts an answer of an emulated host, and an emulated host refuses genuine clients.`;

const AFTER = `
Examples:
  kmsctl demo                            three hosts, one count, from 1 to 25
  kmsctl up -f examples/campus.yaml      run that pool on this machine
  kmsctl activate --domain lab.example   one simulated client
  kmsctl dlv                             what slmgr.vbs /dlv shows on a host
  kmsctl doctor campus -n kms            what keeps clients from activating
  kmsctl catalog windows-11              IDs, threshold, host keys of a product
  kmsctl explain 0xC004F038 --pool       what a code means, and what is true now
  kmsctl simulate examples/fleets/small.yaml   rehearse a deployment

Exit codes: 0 done, 1 the answer is no (not activated, a count was wrong),
2 bad input; then one line says what to change.
From a checkout: npm run -s kmsctl -- VERB …`;

/** In the order of the help. */
const VERBS = [
  upCommand,
  demoCommand,
  activateCommand,
  dlvCommand,
  dliCommand,
  clientsCommand,
  eventsCommand,
  countCommand,
  forecastCommand,
  duplicatesCommand,
  exportCommand,
  importCommand,
  whoUsesCommand,
  preflightCommand,
  doctorCommand,
  supportBundleCommand,
  catalogCommand,
  explainCommand,
  dnsCommand,
  simulateCommand,
  avmaCommand,
  completionCommand,
];

/**
 * Runs the command line and answers the exit code. A user's mistake is one line on stderr and 2; anything else that goes wrong is a
 * defect of ours and is thrown.
 */
export async function run(args: readonly string[], io: Io): Promise<number> {
  let code: number = EXIT.ok;
  const context: VerbContext = {
    io,
    exit: (verbCode) => {
      code = verbCode;
    },
  };
  try {
    await buildProgram(context).parseAsync([...args], { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof UserError) {
      io.err(`kmsctl: ${oneLine(error.message)}\n`);
      return EXIT.usage;
    }
    if (error instanceof CommanderError) {
      return error.exitCode === 0 || error.code === 'commander.help' ? EXIT.ok : EXIT.usage;
    }
    throw error;
  }
}

/** The command line with all its verbs. */
export function buildProgram(context: VerbContext): Command {
  const { io } = context;
  const program = new Command('kmsctl')
    .description(ABOUT)
    .version(`kmsctl ${manifest.version}`, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .helpCommand('help [verb]', 'print help for a verb')
    .addHelpText('after', AFTER)
    .action(() => program.outputHelp());
  program.allowExcessArguments(true).hook('preAction', (_program, action) => {
    if (action === program && program.args.length > 0) program.error(`error: unknown verb '${program.args[0] ?? ''}'`);
  });
  const verbs = VERBS.map((make) => make(context));
  for (const command of [program, ...verbs]) settle(command, io);
  for (const command of verbs) program.addCommand(command);
  return program;
}

/** The same manners for every command: errors in one line, thrown instead of ending the process. */
function settle(command: Command, io: Io): void {
  command.exitOverride().configureOutput({
    writeOut: (text) => io.out(text),
    // Errors go the way below; what is left is the help of a command that was called without its verb, which is no error.
    writeErr: (text) => io.out(text),
    getOutHelpWidth: () => Math.min(120, io.columns()),
    getOutHasColors: () => io.color,
    outputError: (text) =>
      io.err(`kmsctl: ${oneLine(text.replace(/^error: /, ''))}; see ${io.program} ${helpOf(command)}\n`),
  });
  for (const option of command.options) tellTime(option);
  for (const child of command.commands) settle(child, io);
}

// Times are numbers of milliseconds inside; help tells them as they are typed.
function tellTime(option: Option): void {
  const { flags, defaultValue, defaultValueDescription } = option;
  if (!flags.endsWith('<time>') || typeof defaultValue !== 'number' || defaultValueDescription !== undefined) return;
  option.default(defaultValue, defaultValue % 1000 === 0 ? `${defaultValue / 1000}s` : `${defaultValue}ms`);
}

function helpOf(command: Command): string {
  const names: string[] = [];
  for (let at: Command | null = command; at?.parent != null; at = at.parent) names.unshift(at.name());
  return [...names, '--help'].join(' ');
}

/** One line, without product keys: an error may repeat what a user typed. */
function oneLine(text: string): string {
  const { text: clean, keys } = redact(text);
  return (keys.length === 0 ? text : clean)
    .trim()
    .replace(/\s*\n\s*/g, ' ')
    .replace(/\.$/, '');
}
