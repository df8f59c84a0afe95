// SPDX-License-Identifier: Apache-2.0
//
// The folder of a pool that runs on this machine: its key (made once), its admin token, endpoints.json while it runs, and
// a mark that keeps a second `up` out.

import { randomBytes } from 'node:crypto';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { UserError } from '@kmspool/crds';
import { MIN_SECRET_BYTES } from '@kmspool/kms/wire';
import { ENDPOINTS_FILE, type Endpoints } from './endpoints.ts';
import { readKeyFile } from './key-file.ts';
import { codeOf } from './pool-file.ts';

const PRIVATE_DIR = 0o700;
const PRIVATE_FILE = 0o600;
const KEY_FILE = 'pool.key';
const TOKEN_FILE = 'admin.token';
const LOCK_FILE = 'up.pid';
const TOKEN_BYTES = 32;

export interface PoolState {
  readonly dir: string;
  readonly keyFile: string;
  readonly secret: Buffer;
  readonly adminTokenFile: string;
  readonly adminToken: string;
  /** Writes a file that only this user can read, and answers its path. */
  writePrivate(name: string, content: string): string;
  /** Makes a folder that only this user can enter, and answers its path. */
  makePrivateDir(name: string): string;
  /** Puts endpoints.json into place at once, never half of it. */
  publish(endpoints: Endpoints): void;
  /** Takes endpoints.json away. */
  withdraw(): void;
  /** Lets another `up` use the folder. The key stays. */
  release(): void;
}

export interface StateOptions {
  readonly dir: string;
  /** Instead of a key of the folder's own. */
  readonly keyFile?: string | undefined;
}

/** Opens the folder for one `up`, making it and the key if need be. Throws a UserError for what the user can mend. */
export function openState({ dir, keyFile: givenKey }: StateOptions): PoolState {
  const secretOfGiven = givenKey === undefined ? undefined : readKeyFile(givenKey);
  mend(dir, () => makeDir(dir));
  lock(dir);
  let held = true;
  const keyFile = givenKey ?? join(dir, KEY_FILE);
  const endpointsFile = join(dir, ENDPOINTS_FILE);
  const writePrivate = (name: string, content: string | Buffer): string => {
    const file = join(dir, name);
    mend(dir, () => {
      // A new file put in place of an old one: an older mode or a half-written content cannot stay.
      writeFileSync(`${file}.new`, content, { mode: PRIVATE_FILE });
      renameSync(`${file}.new`, file);
    });
    return file;
  };
  try {
    rmSync(endpointsFile, { force: true });
    const adminToken = randomBytes(TOKEN_BYTES).toString('base64url');
    return {
      dir,
      keyFile,
      secret: secretOfGiven ?? ownSecret(keyFile, writePrivate),
      adminToken,
      adminTokenFile: writePrivate(TOKEN_FILE, `${adminToken}\n`),
      writePrivate,
      makePrivateDir: (name) => {
        mend(dir, () => makeDir(join(dir, name)));
        return join(dir, name);
      },
      publish: (endpoints) => void writePrivate(ENDPOINTS_FILE, `${JSON.stringify(endpoints, null, 2)}\n`),
      withdraw: () => {
        if (held) rmSync(endpointsFile, { force: true });
      },
      release: () => {
        if (held) rmSync(join(dir, LOCK_FILE), { force: true });
        held = false;
      },
    };
  } catch (error) {
    rmSync(join(dir, LOCK_FILE), { force: true });
    throw error;
  }
}

/** The folder's key: the same as last time, so that the pool keeps its identity; made of random bytes the first time. */
function ownSecret(keyFile: string, writePrivate: (name: string, content: Buffer) => string): Buffer {
  try {
    readFileSync(keyFile);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') writePrivate(KEY_FILE, randomBytes(MIN_SECRET_BYTES));
  }
  return readKeyFile(keyFile, '--state');
}

/** Makes the folder and those above it. Not mkdir's own `recursive`: in /proc and its like that never returns. */
function makeDir(dir: string): void {
  if (existsSync(dir)) return;
  makeDir(dirname(dir));
  try {
    mkdirSync(dir, PRIVATE_DIR);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
  }
}

/** Marks the folder as ours, unless a living process has it. A mark left by a process that is gone is taken over. */
function lock(dir: string): void {
  const file = join(dir, LOCK_FILE);
  for (;;) {
    try {
      const handle = openSync(file, 'wx', PRIVATE_FILE);
      writeSync(handle, `${process.pid}\n`);
      closeSync(handle);
      return;
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw stateError(dir, error);
    }
    const pid = Number(readFileSync(file, 'utf8'));
    if (isAlive(pid)) {
      throw new UserError(
        `--state: a pool already runs from ${dir} (process ${pid}); stop it, or choose another folder with --state`,
      );
    }
    rmSync(file, { force: true });
  }
}

function isAlive(pid: number): boolean {
  // Our own number in an older mark: in containers the same numbers come back.
  if (!Number.isInteger(pid) || pid <= 0 || pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}

function mend(dir: string, action: () => unknown): void {
  try {
    action();
  } catch (error) {
    throw stateError(dir, error);
  }
}

function stateError(dir: string, error: unknown): UserError {
  return new UserError(`--state: ${dir} cannot be written (${codeOf(error)}); choose another folder`);
}
