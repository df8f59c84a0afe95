// SPDX-License-Identifier: Apache-2.0
//
// Reads a fleet file and the manifests that it names. The schema is schema.ts; what the values come to is plan.ts.

import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { type KmsHostPool, loadFile, loadPools, UserError } from '@kmspool/crds';
import { codeOf, pickPool } from '../pool/pool-file.ts';
import { type Fleet, type FleetPool, fleetSchema } from './schema.ts';

export interface FleetFile {
  /** Where it is; `-` as `shownAs` reads standard input. */
  readonly file: string;
  /** How the user called it, for error lines. */
  readonly shownAs: string;
}

/** What of a pool a simulation needs. */
export interface SimulatedPool {
  readonly name: string;
  readonly namespace: string;
  readonly spec: KmsHostPool['spec'];
}

export interface LoadedFleet {
  readonly fleet: Fleet;
  /** In the order of `pools`. */
  readonly pools: readonly SimulatedPool[];
  readonly shownAs: string;
}

/** Loads a fleet. Throws a UserError with the first mistake, and how many more there are. */
export function loadFleet({ file, shownAs }: FleetFile): LoadedFleet {
  const loaded = loadFile(read(shownAs === '-' ? 0 : file, shownAs), fleetSchema, {
    file: shownAs,
    reference: 'docs/fleets.md',
  });
  if (!loaded.ok) throw firstOf(loaded.errors, shownAs);
  const folder = shownAs === '-' ? '.' : dirname(file);
  const pools = loaded.value.pools.map((pool, at) => poolOf(pool, { folder, where: `${shownAs}: pools[${at}]` }));
  const repeated = pools.find(({ name }, at) => pools.findIndex((other) => other.name === name) < at);
  if (repeated !== undefined) throw new UserError(`${shownAs}: two pools are called ${repeated.name}; rename one`);
  return { fleet: loaded.value, pools, shownAs };
}

function poolOf(pool: FleetPool, { folder, where }: { folder: string; where: string }): SimulatedPool {
  const { file, pool: poolName, name, spec } = pool;
  if (name !== undefined && spec !== undefined) return { name, namespace: 'default', spec };
  const shownAs = file ?? '';
  const loaded = loadPools(read(resolve(folder, shownAs), `${where}.file: ${shownAs}`), {
    file: shownAs,
    localStore: true,
  });
  if (!loaded.ok) throw firstOf(loaded.errors, shownAs);
  const picked = pickPool(loaded.pools, { shownAs, poolName, option: `${where}.pool` });
  return { name: picked.metadata.name, namespace: picked.metadata.namespace ?? 'default', spec: picked.spec };
}

function read(file: string | 0, shownAs: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new UserError(`${shownAs} cannot be read (${codeOf(error)}); name a file that is there`);
  }
}

function firstOf([first, ...others]: readonly string[], shownAs: string): UserError {
  const more = others.length === 0 ? '' : ` (and ${others.length} more)`;
  return new UserError(`${first ?? `${shownAs}: this cannot be read`}${more}`);
}
