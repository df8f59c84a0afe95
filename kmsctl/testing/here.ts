// SPDX-License-Identifier: Apache-2.0
//
// For tests: the command line in this process, with folders of the test's own. A process for each question would take a minute. Not
// part of the command line.

import { join, resolve } from 'node:path';
import type { Io } from '../cli/io.ts';
import { run } from '../cli/program.ts';

export interface Here {
  /** What relative names are in; state folders are below it. */
  readonly dir: string;
  readonly columns?: number;
  /** Besides HOME and the state folder. */
  readonly env?: Io['env'];
}

export interface Said {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs kmsctl to its end: no terminal, no colour, 80 columns. */
export async function runHere(args: readonly string[], { dir, columns = 80, env = {} }: Here): Promise<Said> {
  const written = { stdout: '', stderr: '' };
  const io: Io = {
    out: (text) => {
      written.stdout += text;
    },
    err: (text) => {
      written.stderr += text;
    },
    tty: false,
    color: false,
    columns: () => columns,
    env: { HOME: dir, XDG_STATE_HOME: join(dir, 'state'), ...env },
    path: (name) => resolve(dir, name),
    program: 'kmsctl',
  };
  return { code: await run(args, io), ...written };
}
