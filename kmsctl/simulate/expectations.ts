// SPDX-License-Identifier: Apache-2.0
//
// From `expect[]` of a fleet file to the expectations of a simulation.

import { UserError } from '@kmspool/crds';
import type { Expectation, FleetPlan } from '@kmspool/kms/fleet';
import { namedGroup, namedHost, namedPool } from './names.ts';
import type { FleetExpectation } from './schema-expectations.ts';

const DAY_MS = 86_400_000;

interface Context {
  readonly plan: FleetPlan;
  readonly where: string;
  readonly endMs: number;
  readonly groups: readonly string[];
}

/** The expectations in the order of the file. Throws a UserError for a name or a time that is not there. */
export function expectationsOf(expect: readonly FleetExpectation[], plan: FleetPlan, shownAs: string): Expectation[] {
  const endMs = plan.days * DAY_MS;
  const groups = plan.groups.map(({ name }) => name);
  return expect.map((each, at) => expectationOf(each, { plan, where: `${shownAs}: expect[${at}]`, endMs, groups }));
}

function expectationOf(expect: FleetExpectation, context: Context): Expectation {
  const { neverLeavesLicensed: never, licensedBy, nobodyIn, maxRetriesPerClient: retries } = expect;
  const { groups, where, endMs } = context;
  if (never !== undefined) {
    const group = never === 'all' ? undefined : namedGroup([...groups, 'all'], never, `${where}.neverLeavesLicensed`);
    return { kind: 'neverLeavesLicensed', group };
  }
  if (licensedBy !== undefined) {
    const group = namedGroup(groups, licensedBy.group, `${where}.licensedBy.group`);
    return {
      kind: 'licensedBy',
      atMs: within(licensedBy.at, `${where}.licensedBy.at`, endMs),
      share: licensedBy.share,
      group,
    };
  }
  if (nobodyIn !== undefined) {
    const group = namedGroup(groups, nobodyIn.group, `${where}.nobodyIn.group`);
    return {
      kind: 'nobodyIn',
      state: nobodyIn.state,
      atMs: within(nobodyIn.at ?? endMs, `${where}.nobodyIn.at`, endMs),
      group,
    };
  }
  if (retries !== undefined) {
    const group = namedGroup(groups, retries.group, `${where}.maxRetriesPerClient.group`);
    return { kind: 'maxRetriesPerClient', retries: retries.retries, group };
  }
  return hostExpectation(expect, context);
}

function hostExpectation({ countAtLeast, hostShare }: FleetExpectation, { plan, where, endMs }: Context): Expectation {
  if (countAtLeast !== undefined) {
    const { count, application, pool, from, to } = countAtLeast;
    return {
      kind: 'countAtLeast',
      count,
      application,
      pool: namedPool(plan.pools, pool, `${where}.countAtLeast`).name,
      fromMs: within(from, `${where}.countAtLeast.from`, endMs),
      toMs: within(to ?? endMs, `${where}.countAtLeast.to`, endMs),
    };
  }
  if (hostShare === undefined) throw new RangeError(`${where} says nothing`);
  const { host, atLeast, atMost } = hostShare;
  return { kind: 'hostShare', host: namedHost(plan.pools, host, `${where}.hostShare.host`), atLeast, atMost };
}

/** A time after the end would be judged by a state that never was. */
function within(atMs: number, place: string, endMs: number): number {
  if (atMs <= endMs) return atMs;
  throw new UserError(
    `${place}: the simulation ends after ${endMs / DAY_MS} days; write an earlier time, or more days`,
  );
}
