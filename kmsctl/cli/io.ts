// SPDX-License-Identifier: Apache-2.0
//
// What a verb sees of the process it runs in: where to write, how wide, in colour or not, which folder relative names are
// in. Verbs write through it and never touch process.stdout, so that tests can run them in their own process.

import { resolve } from 'node:path';

/** Exit codes of every verb. */
export const EXIT = {
  ok: 0,
  /** The verb did its work, and the answer is no: not activated, a count was wrong. */
  no: 1,
  /** Bad input: flags, files, ports, a host that is not there. The one line on stderr says what to change. */
  usage: 2,
} as const;

export interface Io {
  out(text: string): void;
  err(text: string): void;
  /** Standard output is a terminal: it may be redrawn. */
  readonly tty: boolean;
  readonly color: boolean;
  columns(): number;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** A file name as the user meant it. */
  path(name: string): string;
  /** How the user calls this program, for commands to copy. */
  readonly program: string;
}

const DEFAULT_COLUMNS = 80;

/** The Io of this process. */
export function processIo(): Io {
  const { env, stdout, stderr } = process;
  // npm runs scripts in the package's folder and says where it was called.
  const byNpm = env['npm_lifecycle_event'] === 'kmsctl';
  const folder = (byNpm ? env['INIT_CWD'] : undefined) ?? process.cwd();
  const tty = stdout.isTTY === true && env['TERM'] !== 'dumb';
  return {
    out: (text) => void stdout.write(text),
    err: (text) => void stderr.write(text),
    tty,
    // https://no-color.org: present and not empty.
    color: tty && (env['NO_COLOR'] ?? '') === '',
    columns: () => stdout.columns ?? DEFAULT_COLUMNS,
    env,
    path: (name) => resolve(folder, name),
    program: byNpm ? 'npm run -s kmsctl --' : 'kmsctl',
  };
}
