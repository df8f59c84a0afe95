// SPDX-License-Identifier: Apache-2.0
//
// The count (S1-13…S1-19): thresholds, duplicates, and whether it is one. Pure.

import type { ApplicationCount } from '@kmspool/crds';
import type { Facts } from './facts.ts';
import { bad, type Finding, joined, ok, skipped } from './step.ts';

function countsOf({ pool }: Facts): readonly ApplicationCount[] {
  return pool?.hosts.find(({ status }) => status !== undefined)?.status?.counts ?? [];
}

/** S1-13…S1-16: enough machines have asked. */
export function thresholdsStep(facts: Facts): Finding {
  const counts = countsOf(facts);
  if (counts.length === 0) return skipped('no host told its count');
  const used = counts.filter(({ current, highWaterRequired }) => current > 0 || highWaterRequired > 0);
  const nobody = bad(
    'warn',
    ['nobody has been counted yet: the pool is new, or no valid client has asked (S1-14)'],
    'slmgr /ato   # on a client; then kmsctl events -f',
  );
  return joined(used.map(thresholdFinding), nobody);
}

function thresholdFinding({ application, current, cap, thresholds }: ApplicationCount): Finding {
  const missing = thresholds.filter(({ met }) => !met);
  const shown = `${application}: ${current} of at most ${cap}`;
  const [first] = missing;
  if (first === undefined)
    return ok(`${shown}; ${thresholds.map(({ name, required }) => `${name} ${required}`).join(' and ')} reached`);
  const wanting = missing
    .map(({ name, required }) => `${name} needs ${required}, ${required - current} more`)
    .join('; ');
  return bad(
    'warn',
    [`${shown}; ${wanting} (clients report 0xC004F038)`],
    'kmsctl count --explain   # who is counted, who leaves when, why not more',
  );
}

/** S1-17, S1-37: machines that share a CMID count as one. */
export function duplicatesStep({ pool }: Facts): Finding {
  if (pool === undefined) return skipped('only a domain was named');
  if (pool.duplicates === undefined) return skipped(pool.listingProblem ?? 'they could not be read');
  const { groups, names } = pool.duplicates;
  if (groups === 0) return ok('every client machine ID has one machine name');
  return bad(
    'warn',
    [
      `${names} machine names share ${groups} client machine ID${groups === 1 ? '' : 's'}: images that were not generalised, or renamed machines`,
    ],
    'kmsctl duplicates   # then slmgr /rearm on each',
  );
}

/** S1-19: hosts that do not share one table split the count. */
export function oneCountStep({ pool, targets }: Facts): Finding {
  if (pool === undefined) return skipped('only a domain was named');
  const told = pool.hosts.flatMap(({ name, status }) => (status === undefined ? [] : [{ name, status }]));
  if (told.length === 0) return skipped('no host told its identity');
  const ids = new Set(told.map(({ status }) => status.poolId));
  const others = targets.filter(
    ({ ours, probes }) => ours === false && probes.some(({ outcome }) => outcome === 'kms'),
  );
  if (ids.size > 1)
    return bad(
      'fail',
      told.map(({ name, status }) => `${name}: pool ID ${status.poolId}`),
      'give all hosts the same Secret; another Secret is another pool',
    );
  const lists = told.map(({ status }) =>
    status.counts.map(({ application, current }) => `${application} ${current}`).join(', '),
  );
  const evidence = told.map(({ name }, at) => `${name}: ${lists[at]}`);
  if (new Set(lists).size > 1 && told.some(({ status }) => status.store.kind === 'memory'))
    return bad('fail', evidence, 'give the pool a store: hosts of several processes do not share a table in memory');
  if (others.length > 0)
    return bad(
      'warn',
      [
        `${others.map(({ host }) => host).join(', ')} also answer${others.length === 1 ? 's' : ''} to ${pool.name}'s record and count${others.length === 1 ? 's' : ''} on ${others.length === 1 ? 'its' : 'their'} own`,
      ],
      'remove the foreign SRV records; the clients come over with their next try',
    );
  return ok(`all ${told.length} hosts are one pool (${told[0]?.status.poolId}) and tell one count`);
}
