// SPDX-License-Identifier: Apache-2.0
//
// `kmsctl preflight`: before clients are let loose on a pool (S1-32, S3-74): the steps of the ladder that have to hold without any client.

import { Command } from 'commander';
import { printData } from '../cli/data.ts';
import { EXIT, type Io } from '../cli/io.ts';
import { type DataFormat, dataOption, nameServer, wholeNumber } from '../cli/options.ts';
import type { VerbContext } from '../cli/program.ts';
import { gather } from '../doctor/gather.ts';
import { climb } from '../doctor/ladder.ts';
import { reportLines } from '../doctor/report.ts';
import { bad, ok, type Step, skipped, worst } from '../doctor/step.ts';
import type { NameServer } from '../net/index.ts';
import { addSourceOptions, POOL_HELP, type SourceFlags, withPool } from '../source/choose.ts';
import type { PoolSource } from '../source/source.ts';

const HELP = `${POOL_HELP}
Looked at: name servers, SRV records and their targets (event 12293 when they
are not published), the port with an RPC bind that counts nobody, the hosts, the
host keys, the clocks, the store, in a cluster also the operator's conditions
and external-dns. A count of 0 is no fault: with --clients it says which
thresholds so many machines will reach.

Examples:
  kmsctl preflight
  kmsctl preflight campus -n kms --clients 40 --servers 6
  kmsctl preflight campus -o json

Exit codes: 0 ready for clients, 1 not ready, 2 bad input, or no such pool.`;

interface PreflightFlags extends SourceFlags {
  readonly output: DataFormat;
  readonly dns?: readonly NameServer[];
  readonly clients?: number;
  readonly servers?: number;
  readonly verbose?: boolean;
}

/** What must hold; the others need clients that have asked. */
const STEPS = [
  'name-servers',
  'srv-records',
  'srv-name',
  'srv-agreement',
  'srv-targets',
  'srv-foreign',
  'srv-missing',
  'port',
  'rpc',
  'advertised-port',
  'by-address',
  'hosts-ready',
  'clocks',
  'host-keys',
  'one-count',
  'store',
  'conditions',
  'external-dns',
  'services',
  'network-policy',
];

export function preflightCommand({ io, exit }: VerbContext): Command {
  return addSourceOptions(new Command('preflight').argument('[pool]', 'the pool'))
    .summary('is a pool ready for clients?')
    .description('Check all that must hold before clients are let loose on a pool.')
    .option('--dns <address>', 'name server to ask, ADDRESS or ADDRESS:PORT; may be given again', addServer)
    .option('--clients <number>', 'how many Windows clients will come', wholeNumber(0, 10_000_000))
    .option('--servers <number>', 'how many servers will come', wholeNumber(0, 10_000_000))
    .option('-v, --verbose', 'also what is well, whole, and what was skipped')
    .addOption(dataOption())
    .addHelpText('after', HELP)
    .action(async (pool: string | undefined, flags: PreflightFlags) =>
      exit(await withPool(pool, { flags, io }, (source) => preflight(source, flags, io))),
    );
}

async function preflight(source: PoolSource, flags: PreflightFlags, io: Io): Promise<number> {
  const facts = await gather({
    source,
    domains: [],
    servers: flags.dns ?? [],
    client: undefined,
    clientAddress: undefined,
    timeoutMs: flags.timeout,
  });
  const current =
    facts.pool?.hosts[0]?.status?.counts.find(({ application }) => application === 'Windows')?.current ?? 0;
  const steps = [...climb(facts, STEPS).map(settled), reachStep(flags, current)];
  const isReady = worst(steps.map(({ verdict }) => verdict)) !== 'fail';
  if (flags.output !== 'text') {
    printData({ pool: source.pool, where: source.where, ready: isReady, steps }, flags.output, io);
  } else {
    const lines = reportLines(steps, { verbose: flags.verbose ?? false }, io);
    io.out(`${[`${source.pool}: ${source.where}`, '', ...lines].join('\n')}\n`);
    io.out(isReady ? 'Ready for clients.\n' : 'Not ready for clients.\n');
  }
  return isReady ? EXIT.ok : EXIT.no;
}

/** Before clients come, a host that DNS does not name is a fault: nobody would notice it later. */
function settled(step: Step): Step {
  return step.id === 'srv-missing' && step.verdict === 'warn' ? { ...step, verdict: 'fail' } : step;
}

/** S1-15, S1-16: whether those who will come are enough. */
function reachStep({ clients, servers }: PreflightFlags, current: number): Step {
  const rung = { id: 'reach', title: 'The thresholds are within reach' };
  if (clients === undefined && servers === undefined)
    return { ...rung, ...skipped('give --clients and --servers to reckon') };
  const all = current + (clients ?? 0) + (servers ?? 0);
  const wanted = [
    ...((servers ?? 0) > 0 ? [{ who: 'servers', required: 5 }] : []),
    ...((clients ?? 0) > 0 ? [{ who: 'Windows clients', required: 25 }] : []),
  ];
  const missing = wanted.filter(({ required }) => all < required);
  const lines = wanted.map(
    ({ who, required }) => `${who} need a count of ${required}; it will be ${Math.min(all, 50)}`,
  );
  if (missing.length === 0) return { ...rung, ...ok(...lines) };
  const [first] = missing;
  const lacking = (first?.required ?? 0) - all;
  return {
    ...rung,
    ...bad('fail', lines, `bring ${lacking} more machines (virtual ones count), or activate these with a MAK`),
  };
}

function addServer(text: string, given: readonly NameServer[] | undefined): readonly NameServer[] {
  return [...(given ?? []), nameServer(text)];
}
