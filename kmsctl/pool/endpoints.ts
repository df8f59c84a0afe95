// SPDX-License-Identifier: Apache-2.0
//
// endpoints.json: where a pool that `kmsctl up` runs can be reached. Whoever wants to talk to a running pool reads it;
// it is there exactly while all hosts are meant to answer.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { homedir, tmpdir, userInfo } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { UserError } from '@kmspool/crds';
import type { Io } from '../cli/io.ts';
import { codeOf } from './pool-file.ts';

export const ENDPOINTS_FILE = 'endpoints.json';

export interface HostEndpoint {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  /** Base URL without a trailing slash. */
  readonly http: string;
}

export interface Endpoints {
  readonly pool: string;
  /** The pool's identity, UUID text. */
  readonly uid: string;
  /** The Secret's raw bytes. */
  readonly keyFile: string;
  readonly adminTokenFile: string;
  readonly hosts: readonly HostEndpoint[];
  readonly dns: { readonly address: string; readonly port: number };
  readonly domains: readonly string[];
}

/** Where pools keep their state unless told otherwise: the user's state folder (XDG), or one of the user's under the system's temp folder. */
export function stateRoot(env: Io['env']): string {
  const xdg = env['XDG_STATE_HOME'];
  if (xdg !== undefined && isAbsolute(xdg)) return join(xdg, 'kmspool');
  const home = homedir();
  return home === '' || home === '/'
    ? join(tmpdir(), `kmspool-${userInfo().uid}`)
    : join(home, '.local', 'state', 'kmspool');
}

/** A pool that runs, and its state folder. */
export interface RunningEndpoints extends Endpoints {
  readonly dir: string;
}

/** The pools that run under the default folder, by folder name. */
export function runningPools(io: Io): readonly RunningEndpoints[] {
  return listDirs(stateRoot(io.env))
    .filter((dir) => existsSync(join(dir, ENDPOINTS_FILE)))
    .map((dir) => ({ ...readEndpoints(dir), dir }));
}

/** The endpoints of the pool in `--state DIR`, or of the only one that runs under the default folder. */
export function findEndpoints(io: Io, stateDir: string | undefined): Endpoints {
  if (stateDir !== undefined) return readEndpoints(io.path(stateDir));
  const [only, ...others] = runningPools(io);
  if (only === undefined)
    throw new UserError('no pool runs on this machine; start one with kmsctl up, or name its folder with --state');
  if (others.length === 0) return readEndpoints(only.dir);
  const folders = [only, ...others].map(({ dir }) => dir);
  throw new UserError(`several pools run; choose one with --state: ${folders.join(', ')}`);
}

/** What `kmsctl up` wrote into its state folder. */
export function readEndpoints(dir: string): Endpoints {
  const file = join(dir, ENDPOINTS_FILE);
  const text = readText(file, dir);
  const value = parse(text);
  if (!isEndpoints(value)) throw new UserError(`--state: ${file} is not what kmsctl up writes; start the pool anew`);
  return value;
}

function readText(file: string, dir: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw new UserError(`--state: ${file} cannot be read (${codeOf(error)})`);
    throw new UserError(
      `--state: no pool runs from ${dir} (it has no ${ENDPOINTS_FILE}); start one with kmsctl up --state ${dir}`,
    );
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isEndpoints(value: unknown): value is Endpoints {
  if (!isRecord(value)) return false;
  const { hosts, dns, domains } = value;
  const texts = ['pool', 'uid', 'keyFile', 'adminTokenFile'].every((field) => typeof value[field] === 'string');
  const hostsFit =
    Array.isArray(hosts) &&
    hosts.every((host) => isRecord(host) && isAddress(host) && typeof host['http'] === 'string');
  const domainsFit = Array.isArray(domains) && domains.every((domain) => typeof domain === 'string');
  return texts && hostsFit && domainsFit && isRecord(dns) && isAddress(dns);
}

function isAddress(value: Record<string, unknown>): boolean {
  return typeof value['address'] === 'string' && Number.isInteger(value['port']);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function listDirs(root: string): string[] {
  try {
    return readdirSync(root, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => join(root, name));
  } catch {
    return [];
  }
}
