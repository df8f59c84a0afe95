// SPDX-License-Identifier: Apache-2.0
//
// Reads the manifest that `kmsctl up` runs, and refuses what this machine must not run. The schema is @kmspool/crds's.

import { type KmsHostPool, loadPools, UserError } from '@kmspool/crds';
import { readInput } from '../cli/input.ts';

/** Zones that an emulated pool may publish in: below .test and .example, which no real machine is in (RFC 6761). */
const TEST_ZONES = /(^|\.)(test|example)$/;

export interface PoolFile {
  /** Where it is. */
  readonly file: string;
  /** How the user called it, for error lines. */
  readonly shownAs: string;
  /** Which pool of several. */
  readonly poolName?: string | undefined;
}

/** The pool of a manifest. Throws a UserError for a file that cannot be read, a mistake in it, or a choice that is needed. */
export function loadPool({ file, shownAs, poolName }: PoolFile): KmsHostPool {
  return loadPoolText(readManifest({ file, shownAs }), { shownAs, poolName });
}

/** The pool of a manifest's text. Throws a UserError as `loadPool` does. */
export function loadPoolText(text: string, { shownAs, poolName }: Omit<PoolFile, 'file'>): KmsHostPool {
  const loaded = loadPools(text, { file: shownAs, localStore: true });
  if (!loaded.ok) {
    const [first = `${shownAs}: this is no pool`, ...others] = loaded.errors;
    throw new UserError(others.length === 0 ? first : `${first} (and ${others.length} more)`);
  }
  const pool = pickPool(loaded.pools, { shownAs, poolName, option: '--pool' });
  refuseEmpty(pool, shownAs);
  refuseZones(pool, shownAs);
  return pool;
}

/** The text of a manifest; `-` is standard input. Throws a UserError for a file that cannot be read. */
export function readManifest({ file, shownAs }: Omit<PoolFile, 'poolName'>): string {
  try {
    return readInput(shownAs === '-' ? '-' : file).toString('utf8');
  } catch (error) {
    throw new UserError(`-f: ${shownAs} cannot be read (${codeOf(error)}); name a manifest that is there`);
  }
}

/** The pool of that name, or the only one. `option`: how the user chooses, for error lines. */
export function pickPool(
  pools: readonly KmsHostPool[],
  wanted: { readonly shownAs: string; readonly poolName: string | undefined; readonly option: string },
): KmsHostPool {
  const { shownAs, poolName, option } = wanted;
  const names = pools.map(({ metadata }) => metadata.name).join(', ');
  const found = pools.filter(({ metadata }) => poolName === undefined || metadata.name === poolName);
  const [pool, another] = found;
  if (pool === undefined)
    throw new UserError(`${option}: ${shownAs} has no pool ${poolName ?? ''}; use one of ${names}`);
  if (another !== undefined && poolName === undefined) {
    throw new UserError(`${shownAs} has several pools; choose one with ${option}: ${names}`);
  }
  if (another !== undefined) throw new UserError(`${shownAs} has several pools called ${poolName}; rename one`);
  return pool;
}

function refuseEmpty({ spec }: KmsHostPool, shownAs: string): void {
  if (spec.replicas > 0) return;
  throw new UserError(`${shownAs}: spec.replicas is 0, so there is nothing to run; write 1 or more`);
}

function refuseZones({ spec }: KmsHostPool, shownAs: string): void {
  spec.dns.domains.forEach(({ name }, index) => {
    if (TEST_ZONES.test(name)) return;
    throw new UserError(
      `${shownAs}: spec.dns.domains[${index}].name: ${name} is no test zone (ZoneNotAllowed); an emulated pool must not be found by real clients, so use a domain below .test or .example`,
    );
  });
}

/** The system's code of an error, such as ENOENT. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}
