// SPDX-License-Identifier: Apache-2.0
//
// `changes[]` of a fleet file: what happens to hosts, DNS, store and machines, and when.

import { INTERVAL_MINUTES, ON_LOSS, whole } from '@kmspool/crds';
import { HOST_KEY_PRODUCTS, HOST_KEY_STATES } from '@kmspool/kms/catalog';
import * as z from 'zod';
import { groupName, oneOf, share, time } from './schema-fields.ts';

const poolName = z.string().min(1).max(40).optional().describe('Which pool; needed when there are several.');
const interval = whole({ ...INTERVAL_MINUTES, unit: 'minutes' });
const priority = whole({ min: 0, max: 65_535, unit: 'a priority' });
const weight = whole({ min: 0, max: 65_535, unit: 'a weight' });

const storeLost = z.strictObject({
  pool: poolName,
  onLoss: z.enum(ON_LOSS).optional().describe("What the hosts do. Default: as the pool's store says, else LastKnown."),
  maxStaleSeconds: whole({ min: 1, max: 2_592_000, unit: 'seconds' })
    .optional()
    .describe('How long LastKnown holds. Default: as the pool says, else 3600.'),
});

const intervals = z.strictObject({
  pool: poolName,
  activationIntervalMinutes: interval.optional().describe('slmgr /sai.'),
  renewalIntervalMinutes: interval.optional().describe('slmgr /sri.'),
});

const domainRemoved = z.strictObject({ pool: poolName, name: z.string().min(1).max(253).describe('The domain.') });

const ranking = z.strictObject({
  pool: poolName,
  domain: z.string().min(1).max(253).describe('The domain whose records change.'),
  priority: priority.optional().describe('SRV priority of all hosts.'),
  weight: weight.optional().describe('SRV weight of each host.'),
  tiers: z
    .array(
      z.strictObject({
        hosts: whole({ min: 1, max: 100, unit: 'hosts' }).optional().describe('How many hosts, by ordinal.'),
        priority: priority.default(0).describe('SRV priority.'),
        weight: weight.default(0).describe('SRV weight.'),
      }),
    )
    .min(1)
    .max(16)
    .optional()
    .describe('As spec.dns.domains[].tiers of a pool.'),
});

const hostKey = z.strictObject({
  pool: poolName,
  product: z.enum(HOST_KEY_PRODUCTS).describe('The host key.'),
  state: z.enum(HOST_KEY_STATES).describe('Its new state.'),
});

export const MACHINE_CHANGES = ['rearm', 'toKms', 'toMak', 'hardwareChange', 'activateNow', 'forgetHost'] as const;

const machines = z.strictObject({
  do: z
    .enum(MACHINE_CHANGES)
    .describe(
      'rearm: slmgr /rearm. toKms, toMak: another key and /ato. hardwareChange: out of tolerance. activateNow: slmgr /ato. forgetHost: slmgr /ckms.',
    ),
  group: groupName.optional().describe('Which group. Default: all.'),
  share: share.default(1).describe('What share of them, drawn at random.'),
});

const KINDS = [
  'hostDown',
  'dnsDown',
  'storeLost',
  'intervals',
  'domainRemoved',
  'ranking',
  'hostKey',
  'machines',
] as const;

/** One entry of `changes`. */
export const changeSchema = z
  .strictObject({
    at: time.describe('When, since the start.'),
    for: time.optional().describe('For how long; then it is as it was. Default: for good.'),
    hostDown: z.string().min(1).max(253).optional().describe('The host that stops, such as campus-0.'),
    dnsDown: z.literal(true).optional().describe('No name server answers.'),
    storeLost: storeLost.optional().describe('The shared table cannot be reached.'),
    intervals: intervals.optional().describe('The hosts hand out other intervals.'),
    domainRemoved: domainRemoved.optional().describe('The pool is no longer published there.'),
    ranking: ranking.optional().describe('Priority and weight of the hosts change.'),
    hostKey: hostKey.optional().describe('A host key is blocked, say.'),
    machines: machines.optional().describe('Something is done to machines.'),
  })
  .superRefine(oneOf(KINDS, 'write what happens'))
  .refine(
    ({ for: length, machines: done }) => length === undefined || done === undefined,
    'has for, but what is done to machines cannot be undone; remove for',
  );

export type FleetChange = z.output<typeof changeSchema>;
