// SPDX-License-Identifier: Apache-2.0
//
// `kmsctl simulate`: a fleet of machines, on a virtual clock or against a pool that runs. What a fleet is and what is printed
// stands in ../simulate; here are flags and what they mean together.

import { writeFileSync } from 'node:fs';
import { UserError } from '@kmspool/crds';
import { derivePoolKeys } from '@kmspool/kms/wire';
import { Command } from 'commander';
import { EXIT, type Io } from '../cli/io.ts';
import { nameServer, type OutputFormat, outputOption, stateOption, timeout, wholeNumber } from '../cli/options.ts';
import type { VerbContext } from '../cli/program.ts';
import { stopSignals } from '../cli/signals.ts';
import { discoveryBy, type NameServer } from '../net/index.ts';
import { findEndpoints } from '../pool/endpoints.ts';
import { readKeyFile } from '../pool/key-file.ts';
import { codeOf } from '../pool/pool-file.ts';
import { type LoadedFleet, loadFleet } from '../simulate/fleet-file.ts';
import { planOf } from '../simulate/plan.ts';
import { progressOn } from '../simulate/progress.ts';
import { seededNumbers } from '../simulate/random.ts';
import type { FleetReport } from '../simulate/report.ts';
import { reportText } from '../simulate/report-text.ts';
import { runVirtual } from '../simulate/run-virtual.ts';
import { runWire } from '../simulate/run-wire.ts';
import { wireText } from '../simulate/wire-text.ts';

interface SimulateFlags {
  readonly seed?: number;
  readonly days?: number;
  readonly output: OutputFormat;
  readonly html?: string;
  readonly wire: boolean;
  readonly rate: number;
  readonly domain?: string;
  readonly dns?: NameServer;
  readonly keyFile?: string;
  readonly state?: string;
  readonly timeout: number;
}

const HELP = `
Without --wire nothing is sent: hosts, DNS and store are played too, by the same
code that real hosts and clients run, on a clock that jumps from event to event.
The same file and seed give the same result, to the byte.

With --wire each machine is switched on once, over real DNS and TCP, and those
that were told too small a count try once more. Changes and expectations of the
file belong to the virtual clock. The same seed is the same machines: in a
second run the count does not grow. A pool that kmsctl up runs on this machine
is found by itself.

Examples:
  kmsctl simulate examples/fleets/small.yaml
  kmsctl simulate examples/fleets/host-lost.yaml --html report.html
  kmsctl simulate fleet.yaml --days 30 --seed 7 -o json
  kmsctl simulate examples/fleets/small.yaml --wire --rate 20

Exit codes: 0 done and every expectation of the file is met (--wire: every
machine is licensed), 1 that is not so, 2 bad input; then one line says what to
change.`;

export function simulateCommand({ io, exit }: VerbContext): Command {
  return new Command('simulate')
    .summary('rehearse a deployment with a fleet of machines')
    .description(
      'Play a fleet of machines, described in a file, against pools of hosts: who is licensed when, what the count is, what a lost host does. docs/fleets.md explains the file.',
    )
    .argument('<file>', 'the fleet, as YAML; - reads standard input')
    .option('--days <n>', 'how long, instead of what the file says', wholeNumber(1, 3650))
    .option('--seed <n>', 'seed of all that is random, instead of what the file says', wholeNumber(0, 2_147_483_647))
    .option('--html <file>', 'write a page with charts, which needs no network')
    .option('--wire', 'ask a pool that runs, over the network', false)
    .option('--rate <n>', 'with --wire: machines a second', wholeNumber(1, 10_000), 50)
    .option('--domain <name>', 'with --wire: DNS domain that all machines search')
    .option('--dns <address>', 'with --wire: name server, ADDRESS or ADDRESS:PORT', nameServer)
    .option('--key-file <file>', "with --wire: the pool's Secret as raw bytes")
    .addOption(stateOption())
    .option('--timeout <time>', 'with --wire: how long to wait for DNS and each host, such as 500ms', timeout, 5_000)
    .addOption(outputOption())
    .addHelpText('after', HELP)
    .action(async (file: string, flags: SimulateFlags) => exit(await simulate(file, flags, io)));
}

async function simulate(file: string, flags: SimulateFlags, io: Io): Promise<number> {
  const loaded = loadFleet({ file: io.path(file), shownAs: file });
  if (flags.wire) return overTheWire(loaded, flags, io);
  refuseWireOptions(flags);
  const seed = flags.seed ?? loaded.fleet.seed;
  const days = flags.days ?? loaded.fleet.days;
  const progress = progressOn(io);
  const startMs = performance.now();
  const report = runVirtual(loaded, { seed, days, onProgress: progress.show });
  progress.clear();
  const seconds = (performance.now() - startMs) / 1000;
  if (flags.html !== undefined) await writePage(flags.html, report, io);
  if (flags.output === 'json') io.out(`${JSON.stringify(report, null, 2)}\n`);
  else io.out(`${reportText(report, io)}\n${speedLine(report.events, seconds)}\n`);
  return report.ok ? EXIT.ok : EXIT.no;
}

async function writePage(file: string, report: FleetReport, io: Io): Promise<void> {
  const { htmlReport } = await import('../simulate/html/page.ts');
  try {
    writeFileSync(io.path(file), htmlReport(report));
  } catch (error) {
    throw new UserError(`--html: ${file} cannot be written (${codeOf(error)}); name a file in a folder that is there`);
  }
}

function refuseWireOptions({ domain, dns, keyFile, state }: SimulateFlags): void {
  const given = Object.entries({ '--domain': domain, '--dns': dns, '--key-file': keyFile, '--state': state });
  const one = given.find(([, value]) => value !== undefined);
  if (one !== undefined) throw new UserError(`${one[0]} is for a pool that runs; add --wire, or leave it out`);
}

function speedLine(events: number, seconds: number): string {
  return `${events.toLocaleString('en-US')} events in ${seconds.toFixed(1)} s`;
}

async function overTheWire(loaded: LoadedFleet, flags: SimulateFlags, io: Io): Promise<number> {
  if (flags.html !== undefined) throw new UserError('--html shows a virtual clock; leave out --wire, or --html');
  if (flags.days !== undefined) throw new UserError('--days is for the virtual clock; leave out --wire, or --days');
  const { fleet } = loaded;
  const seed = flags.seed ?? fleet.seed;
  const alone = flags.keyFile !== undefined && flags.dns !== undefined && flags.state === undefined;
  const endpoints = alone ? undefined : findEndpoints(io, flags.state);
  const secret =
    flags.keyFile === undefined
      ? readKeyFile(endpoints?.keyFile ?? '', '--state')
      : readKeyFile(io.path(flags.keyFile));
  const signals = stopSignals(() => process.exit(EXIT.no));
  const progress = progressOn(io);
  try {
    const report = await runWire({
      plan: planOf(loaded, fleet.days),
      fleet,
      seed,
      keys: derivePoolKeys(secret),
      discovery: discoveryBy(flags.dns ?? endpoints?.dns, flags.timeout),
      domain: flags.domain,
      rate: flags.rate,
      timeoutMs: flags.timeout,
      random: seededNumbers(seed),
      aborted: () => signals.first.aborted,
      onProgress: progress.show,
    });
    progress.clear();
    io.out(flags.output === 'json' ? `${JSON.stringify(report, null, 2)}\n` : wireText(report, io));
    return report.licensed === report.machines && !report.interrupted ? EXIT.ok : EXIT.no;
  } finally {
    progress.clear();
    signals.release();
  }
}
