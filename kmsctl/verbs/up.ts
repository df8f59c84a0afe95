// SPDX-License-Identifier: Apache-2.0
//
// `kmsctl up`: runs the pool of a manifest on this machine until a signal. How is pool/; here are flags and what is printed.

import { join } from 'node:path';
import { UserError } from '@kmspool/crds';
import { Command, Option } from 'commander';
import { EXIT, type Io } from '../cli/io.ts';
import { type OutputFormat, outputOption, wholeNumber } from '../cli/options.ts';
import type { VerbContext } from '../cli/program.ts';
import { stopped, stopSignals } from '../cli/signals.ts';
import { stateRoot } from '../pool/endpoints.ts';
import { LOG_LEVELS, type LogLevel } from '../pool/host-set.ts';
import { loadPool } from '../pool/pool-file.ts';
import { parseRedisUrl } from '../pool/redis-url.ts';
import type { RunningPool } from '../pool/run-pool.ts';
import { poolSummary } from '../pool/summary.ts';

interface UpFlags {
  readonly file: string;
  readonly pool?: string;
  readonly redis?: string;
  readonly state?: string;
  readonly port?: number;
  readonly keyFile?: string;
  readonly logLevel: LogLevel;
  readonly output: OutputFormat;
}

const HELP = `
Each host gets a loopback address of its own (127.0.16.1, .2, …) and the pool's
port; where only 127.0.0.1 exists, port + n. A small DNS server answers for the
pool's domains. Without --redis all hosts share one table in this process's
memory; with it each host is a process of its own. spec.store is not used.
Once all hosts are ready, DIR/endpoints.json says where they are, and other
verbs find it there. Ctrl-C (or SIGTERM) drains and ends; a second one ends at
once.

Examples:
  kmsctl up -f examples/campus.yaml
  kmsctl up -f examples/campus.yaml --port 0 --state /tmp/campus
  kmsctl up -f examples/campus.yaml --redis redis://127.0.0.1:6379/0
  kmsctl up -f pools.yaml --pool branch

Exit codes: 0 stopped by a signal, 1 ended by a second one, 2 bad input; then
one line says what to change.`;

export function upCommand({ io, exit }: VerbContext): Command {
  return new Command('up')
    .summary('run a pool on this machine')
    .description(
      'Run the pool of a KmsHostPool manifest on this machine: hosts, DNS, metrics. It listens on loopback only.',
    )
    .requiredOption('-f, --file <manifest>', 'YAML or JSON with a KmsHostPool; - reads standard input')
    .option('--pool <name>', 'which pool, when the manifest has several')
    .option('--redis <url>', 'share the table in this Redis: redis://[user:password@]host:port[/database]')
    .option(
      '--state <dir>',
      'folder for key, token and endpoints.json (default: one by pool name in your state folder)',
    )
    .option('--port <n>', 'port of every host instead of spec.port; 0 takes a free one', wholeNumber(0, 65_535))
    .option('--key-file <file>', "the pool's Secret, at least 32 raw bytes (default: made once in the state folder)")
    .addOption(
      new Option('--log-level <level>', "hosts' JSON logs on standard error; debug logs every contact")
        .choices(LOG_LEVELS)
        .default('warn'),
    )
    .addOption(outputOption())
    .addHelpText('after', HELP)
    .action(async (flags: UpFlags) => exit(await up(flags, io)));
}

async function up(flags: UpFlags, io: Io): Promise<number> {
  const pool = loadPool({ file: io.path(flags.file), shownAs: flags.file, poolName: flags.pool });
  // Hosts bring a web server and a Redis client along; the other verbs do without.
  const { runPool } = await import('../pool/run-pool.ts');
  let running: RunningPool | undefined;
  const signals = stopSignals(() => {
    running?.kill();
    io.err('kmsctl: ended at once\n');
    process.exit(EXIT.no);
  });
  try {
    running = await runPool({
      pool,
      stateDir: flags.state === undefined ? join(stateRoot(io.env), pool.metadata.name) : io.path(flags.state),
      keyFile: flags.keyFile === undefined ? undefined : io.path(flags.keyFile),
      port: flags.port,
      redis: flags.redis === undefined ? undefined : parseRedisUrl(flags.redis),
      logLevel: flags.logLevel,
      report: (line) => io.err(`kmsctl: ${line}\n`),
      abort: signals.first,
    });
    const started = running;
    // However this process ends, its hosts must not outlive it.
    process.once('exit', () => started.kill());
    io.out(
      flags.output === 'json'
        ? `${JSON.stringify(started.endpoints)}\n`
        : poolSummary(started, { io, redis: flags.redis !== undefined, defaultState: flags.state === undefined }),
    );
    await stopped(signals);
    io.err(`kmsctl: draining ${started.endpoints.hosts.length} hosts; again to end at once\n`);
    await started.stop();
    return EXIT.ok;
  } catch (error) {
    throw asUserError(error);
  } finally {
    signals.release();
  }
}

/** Errors of the system in what the user asked for, such as too many open files, are told in one line as well. */
function asUserError(error: unknown): unknown {
  if (error instanceof UserError || !(error instanceof Error) || !('syscall' in error)) return error;
  return new UserError(`this machine refuses: ${error.message}`);
}
