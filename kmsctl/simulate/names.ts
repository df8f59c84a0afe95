// SPDX-License-Identifier: Apache-2.0
//
// What one part of a fleet file calls another by: pools, hosts, domains, groups. A name that is not there is a mistake of
// the user's, told in one line with the names that are.

import { redacted, UserError } from '@kmspool/crds';
import { hostFqdn, hostName } from '@kmspool/kms/dns';
import type { PoolPlan } from '@kmspool/kms/fleet';

/** Throws the one line: `FILE: PLACE: there is no WHAT NAME; use one of …`. */
export function unknownName(place: string, what: string, name: string, known: readonly string[]): never {
  const choice = known.length === 0 ? 'there is none at all' : `use one of ${known.slice(0, 12).join(', ')}`;
  throw new UserError(`${place}: there is no ${what} ${JSON.stringify(redacted(name))}; ${choice}`);
}

/** The pool of that name, or the only one there is. */
export function namedPool(pools: readonly PoolPlan[], name: string | undefined, place: string): PoolPlan {
  const names = pools.map((pool) => pool.name);
  const [only, another] = pools;
  if (name === undefined && only !== undefined && another === undefined) return only;
  if (name === undefined)
    throw new UserError(`${place}: there are several pools; add pool: with one of ${names.join(', ')}`);
  return pools.find((pool) => pool.name === name) ?? unknownName(`${place}.pool`, 'pool', name, names);
}

/** The short name of a host, given by its short or its full name. */
export function namedHost(pools: readonly PoolPlan[], name: string, place: string): string {
  const hosts = pools.flatMap((pool) =>
    Array.from({ length: pool.replicas }, (_, ordinal) => ({
      name: hostName(pool.name, ordinal),
      fqdn: hostFqdn(pool.name, ordinal, pool.namespace, pool.domains[0]?.name ?? ''),
    })),
  );
  const found = hosts.find((host) => host.name === name || host.fqdn === name.replace(/\.$/, ''));
  const known = hosts.map((host) => host.name);
  return found?.name ?? unknownName(place, 'host', name, known);
}

/** The group itself, or undefined for all. */
export function namedGroup(groups: readonly string[], name: string | undefined, place: string): string | undefined {
  if (name === undefined || groups.includes(name)) return name;
  return unknownName(place, 'group', name, groups);
}
