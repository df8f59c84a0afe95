#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
/** A KMS host as a process: flags and files in, one host until a signal, drained. */
import { readFileSync } from 'node:fs';
import { hostConfigHash, parseHostConfig, UserError } from '@kmspool/crds';
import { derivePoolKeys, MIN_SECRET_BYTES, poolIdText } from '@kmspool/kms/wire';
import { type Logger, pino } from 'pino';
import { type Cli, HELP, readCli } from './cli.ts';
import { watchConfig } from './config-watch.ts';
import { newIncarnation, type RunningHost, startHost } from './host.ts';
import { openStore } from './open-store.ts';
import { StoreUnusableError } from './store/store.ts';
import { VERSION } from './version.ts';

async function main(): Promise<void> {
  const cli = readCli(process.argv.slice(2));
  if (cli === 'help') process.stdout.write(HELP);
  else if (cli === 'version') process.stdout.write(`kms-node ${VERSION}\n`);
  else await run(cli);
}

async function run(cli: Cli): Promise<void> {
  const { config, secret } = cli;
  const { pool, host: name } = config;
  const logger = pino(
    { level: cli.logLevel, base: { pool: pool.name, namespace: pool.namespace, host: name.name } },
    pino.destination({ sync: true }),
  );
  if (secret.length < MIN_SECRET_BYTES) {
    throw new UserError(
      `--key-file: the pool key has ${secret.length} bytes; put at least ${MIN_SECRET_BYTES} random bytes into it`,
    );
  }
  const incarnation = newIncarnation();
  const poolId = poolIdText(derivePoolKeys(secret).poolId);
  const store = openStore({ ...cli, poolId, incarnation, logger });
  const host = await startHost({ ...cli, store, incarnation, logger });
  store.ready().catch((error: unknown) => fail(error));
  const watch = watchConfig(cli.configFile, readFileSync(cli.configFile, 'utf8'), (text) => reload(host, text, logger));
  onSignal(async () => {
    watch.stop();
    await host.stop();
    process.exit(0);
  });
}

/** A file that does not parse or needs a restart changes nothing; the host goes on with what it has and says so. */
function reload(host: RunningHost, text: string, logger: Logger): void {
  const parsed = parseHostConfig(text);
  if (!parsed.ok) {
    host.refuseReload();
    logger.error({ errors: parsed.errors }, 'changed configuration refused');
    return;
  }
  const needed = host.reconfigure(parsed.config);
  if (needed.length > 0)
    logger.warn({ fields: needed, configHash: hostConfigHash(parsed.config) }, 'changed configuration needs a restart');
}

function onSignal(stop: () => Promise<void>): void {
  let stopping = false;
  const handle = (): void => {
    if (stopping) process.exit(1);
    stopping = true;
    stop().catch(fail);
  };
  process.on('SIGTERM', handle);
  process.on('SIGINT', handle);
}

/** One line for what a user can mend (exit code 2); anything else is a defect of ours and keeps its stack (1). */
function fail(error: unknown): never {
  const mendable = error instanceof UserError || error instanceof StoreUnusableError;
  process.stderr.write(
    `kms-node: ${mendable ? error.message : error instanceof Error ? error.stack : String(error)}\n`,
  );
  process.exit(mendable ? 2 : 1);
}

main().catch(fail);
