// SPDX-License-Identifier: Apache-2.0
//
// From a fleet file to the plan of a simulation. Names that mean nothing in this file are refused here.

import { UserError } from '@kmspool/crds';
import { type Product, productBySlug } from '@kmspool/kms/catalog';
import { DEFAULT_KMS_PORT } from '@kmspool/kms/client';
import { searchDomains } from '@kmspool/kms/dns';
import type { Arrival, FleetPlan, GroupPlan, PoolPlan } from '@kmspool/kms/fleet';
import { changesOf } from './changes.ts';
import type { LoadedFleet, SimulatedPool } from './fleet-file.ts';
import { unknownName } from './names.ts';
import type { Fleet, FleetMachines } from './schema.ts';

const DAY_MS = 86_400_000;
/** Steps of the series, the finest that gives no more than this many points is taken. */
const POINTS = 750;
const STEPS_MS = [1, 5, 15, 60, 180, 360, 1440, 10_080].map((minutes) => minutes * 60_000);

/** The plan of a fleet; `days` instead of the file's own. Throws a UserError for a name that is not there. */
export function planOf(loaded: LoadedFleet, days: number): FleetPlan {
  const { fleet, pools } = loaded;
  const poolPlans = pools.map(poolPlanOf);
  refuseRepeatedGroups(loaded);
  return {
    startMs: Math.floor(Date.parse(fleet.start) / 60_000) * 60_000,
    days,
    stepMs: STEPS_MS.find((step) => (days * DAY_MS) / step <= POINTS) ?? STEPS_MS.at(-1) ?? DAY_MS,
    pools: poolPlans,
    groups: fleet.machines.map((machines, at) => groupOf(machines, at, loaded)),
    changes: changesOf(fleet.changes, poolPlans, { fleet, shownAs: loaded.shownAs }),
  };
}

function poolPlanOf({ name, namespace, spec }: SimulatedPool): PoolPlan {
  const { dns, store, limits } = spec;
  return {
    name,
    namespace,
    replicas: Math.max(1, spec.replicas),
    port: spec.port,
    hostKeys: spec.hostKeys,
    activationIntervalMinutes: spec.activationIntervalMinutes,
    renewalIntervalMinutes: spec.renewalIntervalMinutes,
    maxRequiredCount: limits.maxRequiredCount,
    domains: dns.domains,
    withdrawAfterMs: dns.publisher === 'None' ? undefined : dns.withdrawAfterSeconds * 1000,
    store: { onLoss: store?.onLoss ?? 'LastKnown', maxStaleSeconds: store?.maxStaleSeconds ?? 3600 },
  };
}

function groupOf(machines: FleetMachines, at: number, { pools, shownAs }: LoadedFleet): GroupPlan {
  const { name, count, virtual, key, hostCaching, network, kmsHost, clock, image, rearms } = machines;
  const [host = '', port] = kmsHost?.split(':') ?? [];
  const configuredPort = port === undefined ? DEFAULT_KMS_PORT : Number(port);
  if (configuredPort < 1 || configuredPort > 65_535) {
    throw new UserError(`${shownAs}: machines[${at}].kmsHost: ${port} is no port; use one from 1 to 65535`);
  }
  const product = productOf(machines.product);
  refuseEdition(machines.edition, product, `${shownAs}: machines[${at}].edition`);
  const home = pools[0]?.spec.dns.domains[0]?.name;
  return {
    name,
    product,
    count,
    virtual,
    key,
    domains:
      network === undefined
        ? searchDomains({ membership: 'domain', adDomain: home })
        : searchDomains({ ...network, adDomain: network.domain }),
    configuredHost: host,
    configuredPort,
    hostCaching,
    arrival: arrivalOf(machines.arrival),
    clock: { offsetMs: clock.offset, driftMsPerDay: clock.driftPerDay },
    image: { generalized: image.generalized, ageMs: image.age, rearmsLeft: image.rearmsLeft },
    rearms,
  };
}

function arrivalOf({ at, over, officeDays }: Fleet['machines'][number]['arrival']): Arrival {
  if (officeDays !== undefined) return { kind: 'officeHours', atMs: at, workdays: officeDays };
  return over === undefined ? { kind: 'atOnce', atMs: at } : { kind: 'ramp', atMs: at, overMs: over };
}

function productOf(slug: string): Product {
  const product = productBySlug(slug);
  if (product === undefined) throw new RangeError(`the catalogue has no ${slug}`);
  return product;
}

/** With or without the product's own slug in front, as `kmsctl activate --edition` takes it. */
function refuseEdition(edition: string | undefined, { slug, editions }: Product, place: string): void {
  const slugs = editions.map((each) => each.slug);
  if (edition === undefined || slugs.includes(edition) || slugs.includes(`${slug}-${edition}`)) return;
  unknownName(place, `edition of ${slug},`, edition, slugs);
}

function refuseRepeatedGroups({ fleet, shownAs }: LoadedFleet): void {
  const names = fleet.machines.map(({ name }) => name);
  const at = names.findIndex((name, index) => names.indexOf(name) < index);
  if (at === -1) return;
  throw new UserError(`${shownAs}: machines[${at}].name: a group ${names[at]} stands above already; rename one`);
}
