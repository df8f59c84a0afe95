#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0

// The operator as a process: flags in, exit code out.
import { UserError } from '@kmspool/crds';
import { pino } from 'pino';
import { readCli } from './cli.ts';
import { loggedError } from './logged-error.ts';
import { runOperator } from './operator.ts';
import { KubeconfigError } from './runtime/index.ts';

const cli = readCli(process.argv.slice(2), process.env);
if ('exitCode' in cli) {
  (cli.exitCode === 0 ? process.stdout : process.stderr).write(cli.output);
  process.exitCode = cli.exitCode;
} else {
  const serializers = { err: loggedError };
  const options = { level: cli.logLevel, base: { component: 'operator' }, serializers };
  const log = pino(options, pino.destination({ sync: true }));
  try {
    process.exitCode = await runOperator(cli, log);
  } catch (error) {
    if (!(error instanceof UserError || error instanceof KubeconfigError)) throw error;
    process.stderr.write(`kmspool-operator: ${error.message}\n`);
    process.exitCode = 2;
  }
}
