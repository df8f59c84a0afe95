// SPDX-License-Identifier: Apache-2.0
//
// `expect[]` of a fleet file: what must be true of the simulation.

import { whole } from '@kmspool/crds';
import { APPLICATIONS, type ApplicationName } from '@kmspool/kms/catalog';
import { STATES } from '@kmspool/kms/fleet';
import * as z from 'zod';
import { groupName, oneOf, share, time } from './schema-fields.ts';

const group = groupName.optional().describe('Which group. Default: all machines.');
const applications = APPLICATIONS.map(({ name }) => name) as [ApplicationName, ...ApplicationName[]];

const KINDS = [
  'neverLeavesLicensed',
  'licensedBy',
  'countAtLeast',
  'maxRetriesPerClient',
  'nobodyIn',
  'hostShare',
] as const;

/** One entry of `expect`. */
export const expectationSchema = z
  .strictObject({
    neverLeavesLicensed: groupName.optional().describe('A group, or all: who is Licensed stays so.'),
    licensedBy: z
      .strictObject({
        at: time.describe('Until when.'),
        share: share.default(1).describe('What share of them.'),
        group,
      })
      .optional()
      .describe('So many are Licensed by then; machines with a MAK count as such.'),
    countAtLeast: z
      .strictObject({
        count: whole({ min: 1, max: 2000, unit: 'a count' }).describe('The least count.'),
        application: z.enum(applications).default('Windows').describe('Which table.'),
        pool: z.string().min(1).max(40).optional().describe('Which pool; needed when there are several.'),
        from: time.default(0).describe('From when.'),
        to: time.optional().describe('Until when. Default: the end.'),
      })
      .optional()
      .describe('The count at every point of the series in that time.'),
    maxRetriesPerClient: z
      .strictObject({ retries: whole({ min: 0, max: 65_535, unit: 'tries' }).describe('The most.'), group })
      .optional()
      .describe('How many tries of one machine may fail in all.'),
    nobodyIn: z
      .strictObject({
        state: z.enum(STATES).describe('The state.'),
        at: time.optional().describe('When. Default: at the end.'),
        group,
      })
      .optional()
      .describe('Nobody is in that state then.'),
    hostShare: z
      .strictObject({
        host: z.string().min(1).max(253).describe('The host, such as campus-0.'),
        atLeast: share.default(0).describe('The least share.'),
        atMost: share.default(1).describe('The largest share.'),
      })
      .optional()
      .describe('Which share of all answered requests the host has.'),
  })
  .superRefine(oneOf(KINDS, 'write what must be true'));

export type FleetExpectation = z.output<typeof expectationSchema>;
