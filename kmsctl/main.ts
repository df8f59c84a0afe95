#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
//
// kmsctl as a process: arguments in, exit code out.

import { processIo } from './cli/io.ts';
import { run } from './cli/program.ts';

// Whoever reads our output may stop reading (`| head`); that is no error of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

process.exitCode = await run(process.argv.slice(2), processIo());
