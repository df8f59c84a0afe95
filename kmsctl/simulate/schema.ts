// SPDX-License-Identifier: Apache-2.0
//
// The fleet file: its fields, defaults and the words of its errors. docs/fleets.md explains it to people. What refers to
// something else in the file is checked in plan.ts, when the pools are known.

import { localPoolSchema, whole } from '@kmspool/crds';
import { PRODUCT_SLUGS } from '@kmspool/kms/catalog';
import * as z from 'zod';
import { changeSchema } from './schema-changes.ts';
import { expectationSchema } from './schema-expectations.ts';
import { groupName, NO_KEY, noKey, oneOf, signedTime, time } from './schema-fields.ts';

const domainName = z
  .string()
  .regex(/^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.?$/, 'write a DNS domain, such as lab.example')
  .max(253);

const network = z.strictObject({
  membership: z
    .enum(['domain', 'workgroup'])
    .default('domain')
    .describe('A domain member looks in its domain, a machine of a workgroup in the one that DHCP hands out.'),
  domain: domainName.optional().describe('The Active Directory domain; of a domain member only.'),
  dhcpDomain: domainName.optional().describe('DHCP option 15; counts in a workgroup only.'),
  primarySuffix: domainName.optional().describe('The primary DNS suffix, if it was set by hand.'),
  searchList: z.array(domainName).max(32).default([]).describe('The DNS suffix search list, looked in after that.'),
});

const arrivalFields = z.strictObject({
  at: time.default(0).describe('When the first machine is switched on.'),
  over: time.optional().describe('The others follow evenly over this time.'),
  officeDays: whole({ min: 1, max: 1000, unit: 'working days' })
    .optional()
    .describe('At random between 8 and 18 o’clock UTC of so many working days, Monday to Friday.'),
});

const arrival = arrivalFields.refine(
  ({ over, officeDays }) => over === undefined || officeDays === undefined,
  'has both over and officeDays; keep one of them',
);

const image = z.strictObject({
  generalized: z
    .boolean()
    .default(true)
    .describe('Sysprep /generalize before the image was taken. Without it all copies have one CMID.'),
  age: time.default(0).describe('How long the grace had been running when the image was taken.'),
  rearmsLeft: whole({ min: 0, max: 3, unit: 'rearms' })
    .default(3)
    .describe('How often the timer of the image can still be reset; at 0 /generalize leaves it running.'),
});

const clock = z.strictObject({
  offset: signedTime.default(0).describe('How far the clock is off; a host refuses more than 4 hours.'),
  driftPerDay: signedTime.default(0).describe('How much it goes wrong each day.'),
});

const machines = z.strictObject({
  name: groupName.describe('What the group is called.'),
  product: z.enum(PRODUCT_SLUGS).describe('What they are; `kmsctl catalog` lists the products.'),
  edition: z
    .string()
    .min(1)
    .max(80)
    .optional()
    .describe('Edition of the product. Default: its Enterprise or Standard one.'),
  count: whole({ min: 1, max: 5_000_000, unit: 'machines' }).describe('How many there are.'),
  virtual: z.boolean().default(false).describe('Virtual machines count as physical ones do.'),
  key: z
    .enum(['KMS', 'MAK', 'Retail'])
    .default('KMS')
    .describe('The key they come with. Only KMS clients ask a host; a change can convert the others.'),
  network: network.optional().describe("Where they look for hosts. Default: members of the first pool's first domain."),
  kmsHost: z
    .string()
    .regex(/^[A-Za-z0-9._-]+(:\d{1,5})?$/, 'write a host as name or name:port')
    .max(260)
    .optional()
    .describe('Set by slmgr /skms: ask this host only, without DNS. Name or name:port.'),
  hostCaching: z.boolean().default(true).describe('Ask the host that answered last before DNS.'),
  arrival: arrival.prefault({}).describe('When they are switched on for the first time.'),
  clock: clock.prefault({}).describe('How wrong their clocks are.'),
  image: image.prefault({}).describe('The image that they were made from.'),
  rearms: whole({ min: 0, max: 3, unit: 'rearms' })
    .default(0)
    .describe('How often slmgr /rearm is run on each when its grace has run out.'),
});

const poolFields = z.strictObject({
  file: z.string().min(1).max(4096).optional().describe('A KmsHostPool manifest, relative to this file.'),
  pool: z.string().min(1).max(40).optional().describe('Which pool of that manifest, when it has several.'),
  name: z
    .string()
    .regex(/^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$/, "write a pool name of a-z, 0-9 and '-', such as campus")
    .optional()
    .describe('The name of a pool that is described here.'),
  spec: localPoolSchema.shape.spec.optional().describe('Its spec, as in a KmsHostPool.'),
});

const pool = poolFields
  .superRefine(oneOf(['file', 'spec'], 'write file: MANIFEST, or name and spec'))
  .refine(
    ({ spec, name }) => (spec === undefined) === (name === undefined),
    'has only one of name and spec; write both',
  );

/** A fleet file. Times are milliseconds once it is parsed. */
export const fleetSchema = z.strictObject({
  fleet: groupName.describe('What the fleet is called.'),
  title: z.string().min(1).max(200).refine(noKey, NO_KEY).optional().describe('One line for the head of reports.'),
  days: whole({ min: 1, max: 3650, unit: 'days' }).default(180).describe('How long the simulation runs.'),
  start: z.iso
    .datetime('write a time as 2026-01-05T00:00:00Z')
    .default('2026-01-05T00:00:00Z')
    .describe('When it begins, UTC. The default is a Monday.'),
  seed: whole({ min: 0, max: 2_147_483_647, unit: 'a seed' })
    .default(1)
    .describe('The same seed gives the same simulation, to the byte.'),
  pools: z.array(pool).min(1).max(64).describe('The pools of hosts; each has a count of its own.'),
  machines: z.array(machines).min(1).max(1000).describe('Groups of machines that are alike.'),
  changes: z.array(changeSchema).max(1000).default([]).describe('What happens, and when.'),
  expect: z
    .array(expectationSchema)
    .max(100)
    .default([])
    .describe('What must be true; the exit code says whether it was.'),
});

export type Fleet = z.output<typeof fleetSchema>;
export type FleetMachines = Fleet['machines'][number];
export type FleetPool = Fleet['pools'][number];
