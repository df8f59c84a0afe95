// SPDX-License-Identifier: Apache-2.0
//
// `kmsctl demo`: a pool on this machine and the worked example of S3-09 on it, played by simulated clients over real DNS and
// TCP, on to a count of 25. The play is demo/; here it is given a pool, a screen and an end.

import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UserError } from '@kmspool/crds';
import { derivePoolKeys } from '@kmspool/kms/wire';
import { Command } from 'commander';
import { EXIT, type Io } from '../cli/io.ts';
import { type OutputFormat, outputOption, timeout } from '../cli/options.ts';
import type { VerbContext } from '../cli/program.ts';
import { type StopSignals, stopped, stopSignals } from '../cli/signals.ts';
import { makeCast } from '../demo/cast.ts';
import { play } from '../demo/play.ts';
import { allRight, type HostCount, type Outcome, reportJson, reportLines } from '../demo/report.ts';
import { headLine, openScreen, type Screen } from '../demo/screen.ts';
import { discoveryBy, textOf, tryActivation } from '../net/index.ts';
import { loadPool } from '../pool/pool-file.ts';
import type { RunningPool } from '../pool/run-pool.ts';
import { poolSummary } from '../pool/summary.ts';
import { urlSource } from '../source/local.ts';
import { styleFor } from '../text/style.ts';

const MANIFEST = fileURLToPath(new URL('../../examples/campus.yaml', import.meta.url));
/** Between two answers on a terminal, so that the eye can follow. */
const PACE_MS = 120;
const CLIENT_TIMEOUT_MS = 5_000;

const HELP = `
Three hosts (examples/campus.yaml) start in this process, on loopback and with a
table in memory. Simulated clients find them by SRV over a real DNS server and
ask over real TCP: the first and the second Windows 7 are told 1 and 2, a
Windows 7 virtual machine 3, a Windows Server 2008 R2 4, whichever host they
meet. Servers are licensed from 5, clients from 25. It ends by itself and leaves
nothing behind.

Examples:
  kmsctl demo
  kmsctl demo --keep          leave the pool running for activate, dlv and dig
  kmsctl demo --pace 400ms    slower
  NO_COLOR=1 kmsctl demo | less

Exit codes: 0 every count was right, 1 one was not, or it was interrupted, 2 it
could not start.`;

interface DemoFlags {
  readonly keep: boolean;
  readonly pace?: number;
  readonly output: OutputFormat;
}

export function demoCommand({ io, exit }: VerbContext): Command {
  return new Command('demo')
    .summary('three hosts, one count, played from 1 to 25')
    .description(
      'Play the worked example of shared counting with simulated clients: three hosts, one count, from 1 to 25.',
    )
    .option('--keep', 'leave the pool running until Ctrl-C', false)
    .option('--pace <time>', 'pause between two answers (default: 120ms on a terminal, none in a pipe)', timeout)
    .addOption(outputOption())
    .addHelpText('after', HELP)
    .action(async (flags: DemoFlags) => exit(await demo(flags, io)));
}

async function demo(flags: DemoFlags, io: Io): Promise<number> {
  if (!existsSync(MANIFEST)) throw new UserError(`the demo needs ${MANIFEST}; run it from a checkout of kmspool`);
  const { runPool } = await import('../pool/run-pool.ts');
  const stateDir = mkdtempSync(join(tmpdir(), 'kmspool-demo-'));
  const signals = stopSignals(() => {
    rmSync(stateDir, { recursive: true, force: true });
    process.exit(EXIT.no);
  });
  let running: RunningPool | undefined;
  try {
    running = await runPool({
      pool: loadPool({ file: MANIFEST, shownAs: 'examples/campus.yaml' }),
      stateDir,
      orFreePort: true,
      logLevel: 'warn',
      drainSeconds: 0,
      report: (line) => io.err(`kmsctl: ${line}\n`),
      abort: signals.first,
    });
    const right = await playOn(running, { flags, io, signals });
    if (flags.keep && !signals.first.aborted) {
      io.out(`\n${poolSummary(running, { io, redis: false, defaultState: false })}`);
      await stopped(signals);
    }
    return right ? EXIT.ok : EXIT.no;
  } finally {
    await running?.stop();
    rmSync(stateDir, { recursive: true, force: true });
    signals.release();
  }
}

export interface DemoStage {
  readonly flags: DemoFlags;
  readonly io: Io;
  readonly signals: Pick<StopSignals, 'first'>;
}

/** Plays on a running pool and prints; true if everything was right. */
export async function playOn(running: RunningPool, { flags, io, signals }: DemoStage): Promise<boolean> {
  const { endpoints, secret } = running;
  const quiet = flags.output === 'json';
  const screen: Screen = quiet ? { print: () => {}, scene: () => {}, finish: () => {} } : openScreen(io);
  screen.print(openingLines(running, io));
  const surroundings = {
    keys: derivePoolKeys(secret),
    discovery: discoveryBy(endpoints.dns, CLIENT_TIMEOUT_MS),
    clockMs: Date.now,
    random: Math.random,
    timeoutMs: CLIENT_TIMEOUT_MS,
  };
  const paceMs = flags.pace ?? (io.tty && !quiet ? PACE_MS : 0);
  const cast = makeCast(endpoints.domains);
  const played = await play({
    cast,
    tryActivation: (client, { machine, domain }) => tryActivation(client, machine, { ...surroundings, domain }),
    clockMs: Date.now,
    aborted: () => signals.first.aborted,
    onScene: async (scene, shares) => {
      screen.scene(scene, shares);
      if (paceMs > 0) await new Promise((resolve) => setTimeout(resolve, paceMs));
    },
  });
  const outcome: Outcome = { played, cast: cast.length, hostCounts: await hostCounts(running) };
  if (quiet) io.out(`${JSON.stringify(reportJson(outcome), null, 2)}\n`);
  screen.finish();
  screen.print(signals.first.aborted ? ['', 'Interrupted.'] : reportLines(outcome, io));
  return allRight(outcome);
}

function openingLines({ endpoints }: RunningPool, io: Io): string[] {
  const style = styleFor(io.color);
  const { hosts, dns, domains, pool } = endpoints;
  return [
    `${style.bold('kmspool demo')}: ${hosts.length} KMS hosts that answer as one; emulated.`,
    `  Pool     ${pool}: ${hosts.map(({ address, port }) => `${address}:${port}`).join(', ')}`,
    `  Clients  ask ${textOf(dns)} for SRV in ${domains.join(' and ')}`,
    '',
    headLine(io),
  ];
}

async function hostCounts({ endpoints }: RunningPool): Promise<HostCount[]> {
  return Promise.all(
    endpoints.hosts.map(async ({ name, http }) => {
      const source = urlSource(http, { timeoutMs: CLIENT_TIMEOUT_MS });
      const counts = await source.status().then(
        (status) => status.counts,
        () => [],
      );
      return { host: name, current: counts.find(({ application }) => application === 'Windows')?.current };
    }),
  );
}
