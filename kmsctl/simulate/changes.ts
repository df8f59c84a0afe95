// SPDX-License-Identifier: Apache-2.0
//
// From `changes[]` of a fleet file to the changes of a plan: each with a title for reports, and one more that undoes it
// where `for` says how long it lasts.

import { UserError } from '@kmspool/crds';
import type { Change, ChangeKind, PoolPlan } from '@kmspool/kms/fleet';
import { namedGroup, namedHost, namedPool, unknownName } from './names.ts';
import type { Fleet } from './schema.ts';
import type { FleetChange } from './schema-changes.ts';

interface Place {
  readonly fleet: Fleet;
  readonly shownAs: string;
}

/** What happens, and how it is undone. */
interface Effect {
  readonly title: string;
  readonly change: ChangeKind;
  readonly undone?: string;
  readonly undo?: ChangeKind;
}

/** The changes in the order of the file, each followed by what ends it. Throws a UserError for a name that is not there. */
export function changesOf(changes: readonly FleetChange[], pools: readonly PoolPlan[], place: Place): Change[] {
  return changes.flatMap((change, at) => {
    const where = `${place.shownAs}: changes[${at}]`;
    const { title, change: effect, undone = '', undo } = effectOf(change, { pools, where, fleet: place.fleet });
    const first: Change = { atMs: change.at, title, ...effect };
    if (change.for === undefined || undo === undefined) return [first];
    return [first, { atMs: change.at + change.for, title: undone, ...undo }];
  });
}

interface Context {
  readonly pools: readonly PoolPlan[];
  readonly where: string;
  readonly fleet: Fleet;
}

function effectOf(change: FleetChange, context: Context): Effect {
  const { hostDown, dnsDown, storeLost, machines } = change;
  if (hostDown !== undefined) return hostEffect(hostDown, context);
  if (dnsDown !== undefined) {
    return {
      title: 'DNS is lost',
      change: { kind: 'dns', up: false },
      undone: 'DNS is back',
      undo: { kind: 'dns', up: true },
    };
  }
  if (storeLost !== undefined) return storeEffect(storeLost, context);
  if (machines !== undefined) return machinesEffect(machines, context);
  return settingEffect(change, context);
}

function settingEffect({ intervals, domainRemoved, ranking, hostKey }: FleetChange, context: Context): Effect {
  if (intervals !== undefined) return intervalsEffect(intervals, context);
  if (domainRemoved !== undefined) return domainEffect(domainRemoved, context);
  if (ranking !== undefined) return rankingEffect(ranking, context);
  if (hostKey !== undefined) return hostKeyEffect(hostKey, context);
  throw new RangeError(`${context.where} says nothing`);
}

type Of<K extends keyof FleetChange> = NonNullable<FleetChange[K]>;

function hostEffect(name: string, { pools, where }: Context): Effect {
  const host = namedHost(pools, name, `${where}.hostDown`);
  return {
    title: `${host} is lost`,
    change: { kind: 'host', host, up: false },
    undone: `${host} is back`,
    undo: { kind: 'host', host, up: true },
  };
}

function storeEffect({ pool: name, onLoss, maxStaleSeconds }: Of<'storeLost'>, { pools, where }: Context): Effect {
  const pool = namedPool(pools, name, `${where}.storeLost`);
  const policy = {
    onLoss: onLoss ?? pool.store.onLoss,
    maxStaleSeconds: maxStaleSeconds ?? pool.store.maxStaleSeconds,
  };
  return {
    title: `the store of ${pool.name} is lost (${policy.onLoss})`,
    change: { kind: 'store', pool: pool.name, up: false, policy },
    undone: `the store of ${pool.name} is back`,
    undo: { kind: 'store', pool: pool.name, up: true },
  };
}

function intervalsEffect(intervals: Of<'intervals'>, { pools, where }: Context): Effect {
  const pool = namedPool(pools, intervals.pool, `${where}.intervals`);
  const {
    activationIntervalMinutes = pool.activationIntervalMinutes,
    renewalIntervalMinutes = pool.renewalIntervalMinutes,
  } = intervals;
  const before = {
    activationIntervalMinutes: pool.activationIntervalMinutes,
    renewalIntervalMinutes: pool.renewalIntervalMinutes,
  };
  const kind = { kind: 'intervals', pool: pool.name } as const;
  return {
    title: `${pool.name} hands out intervals of ${activationIntervalMinutes} and ${renewalIntervalMinutes} minutes`,
    change: { ...kind, intervals: { activationIntervalMinutes, renewalIntervalMinutes } },
    undone: `${pool.name} hands out its own intervals again`,
    undo: { ...kind, intervals: before },
  };
}

function domainEffect({ pool: poolName, name }: Of<'domainRemoved'>, { pools, where }: Context): Effect {
  const pool = namedPool(pools, poolName, `${where}.domainRemoved`);
  const domain = domainOf(pool, name, `${where}.domainRemoved.name`);
  const kind = { kind: 'domain', pool: pool.name, domain: domain.name } as const;
  return {
    title: `${pool.name} leaves ${domain.name}`,
    change: { ...kind, ranking: undefined },
    undone: `${pool.name} is in ${domain.name} again`,
    undo: { ...kind, ranking: domain },
  };
}

function rankingEffect(change: Of<'ranking'>, { pools, where }: Context): Effect {
  const pool = namedPool(pools, change.pool, `${where}.ranking`);
  const domain = domainOf(pool, change.domain, `${where}.ranking.domain`);
  const { priority, weight, tiers } = change;
  const kind = { kind: 'domain', pool: pool.name, domain: domain.name } as const;
  return {
    title: `priority and weight change in ${domain.name}`,
    change: { ...kind, ranking: { priority, weight, tiers } },
    undone: `priority and weight in ${domain.name} are as before`,
    undo: { ...kind, ranking: domain },
  };
}

function hostKeyEffect({ pool: poolName, product, state }: Of<'hostKey'>, { pools, where }: Context): Effect {
  const pool = namedPool(pools, poolName, `${where}.hostKey`);
  const key = pool.hostKeys.find((each) => each.product === product);
  if (key === undefined) {
    const known = pool.hostKeys.map((each) => each.product);
    return unknownName(`${where}.hostKey.product`, `host key in ${pool.name},`, product, known);
  }
  const kind = { kind: 'hostKey', pool: pool.name, product } as const;
  return {
    title: `host key ${product}: ${state}`,
    change: { ...kind, state },
    undone: `host key ${product}: ${key.state ?? 'Activated'}`,
    undo: { ...kind, state: key.state ?? 'Activated' },
  };
}

const MACHINE_TITLES: Readonly<Record<Of<'machines'>['do'], string>> = {
  rearm: 'slmgr /rearm on',
  toKms: 'KMS client key for',
  toMak: 'MAK for',
  hardwareChange: 'new hardware in',
  activateNow: 'slmgr /ato on',
  forgetHost: 'slmgr /ckms on',
};

function machinesEffect({ do: what, group, share }: Of<'machines'>, { where, fleet }: Context): Effect {
  const names = fleet.machines.map(({ name }) => name);
  const named = namedGroup(names, group, `${where}.machines.group`);
  if (share === 0)
    throw new UserError(`${where}.machines.share: 0 is nobody; write a share above 0, or remove the entry`);
  const part = share < 1 ? `${Number((share * 100).toFixed(1))} % of ` : '';
  return {
    title: `${MACHINE_TITLES[what]} ${part}${named ?? 'all machines'}`,
    change: { kind: 'machines', what, group: named, share },
  };
}

function domainOf(pool: PoolPlan, name: string, place: string): PoolPlan['domains'][number] {
  const known = pool.domains.map((domain) => domain.name);
  return (
    pool.domains.find((domain) => domain.name === name) ?? unknownName(place, `domain of ${pool.name},`, name, known)
  );
}
