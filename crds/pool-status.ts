// SPDX-License-Identifier: Apache-2.0

// `status` of a KmsHostPool: what the operator has seen. Nobody else writes it, so it is bounded but has no rules.
import * as z from 'zod';

const count = (meaning: string): z.ZodInt => z.int().min(0).max(0x7fffffff).meta({ format: 'int32' }).describe(meaning);
const generation = (meaning: string): z.ZodInt =>
  z.int().min(0).max(Number.MAX_SAFE_INTEGER).meta({ format: 'int64' }).describe(meaning);
const instant = (meaning: string): z.ZodString => z.string().meta({ format: 'date-time' }).describe(meaning);
const text = (meaning: string): z.ZodString => z.string().max(1024).describe(meaning);

/** A condition, as metav1.Condition. */
export const conditionSchema = z.strictObject({
  type: z.string().min(1).max(316).describe('The type, such as Ready.'),
  status: z.enum(['True', 'False', 'Unknown']).describe('Whether it holds.'),
  observedGeneration: generation('The generation of the pool that this condition speaks of.').optional(),
  lastTransitionTime: instant('When status changed last.'),
  reason: z.string().min(1).max(1024).describe('Why, in one UpperCamelCase word.'),
  message: z.string().max(32_768).describe('Why, in words, and what to do.'),
});

const hostStatus = z.strictObject({
  name: text('Name of the host: <pool>-<ordinal>.'),
  fqdn: text('Its DNS name.').optional(),
  address: text('The first of its addresses.').optional(),
  addresses: z
    .array(z.string().max(64))
    .max(8)
    .meta({ 'x-kubernetes-list-type': 'atomic' })
    .optional()
    .describe('All its addresses.'),
  port: count('The port that clients connect to.').optional(),
  ready: z.boolean().describe('It answers, from the Pod and with the configuration wanted.'),
  priority: count('SRV priority in the first domain; absent for a host that is to go.').optional(),
  weight: count('SRV weight in the first domain; absent for a host that is to go.').optional(),
  version: text('Version of kmspool that it runs.').optional(),
});

const thresholdStatus = z.strictObject({
  name: text('Whose threshold: Server, Client or Office.'),
  required: count('Count that such a client needs.'),
  met: z.boolean().describe('The current count is enough.'),
});

const countStatus = z.strictObject({
  application: text('Windows, Office2010 or Office2013 (Office 2013 and later).'),
  current: count('Distinct client machine IDs of the last 30 days that the table holds.'),
  cap: count('The most that the table keeps: twice the largest count asked for so far.'),
  thresholds: z
    .array(thresholdStatus)
    .max(8)
    .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] })
    .describe('Which products the count is enough for.'),
});

/** Bounds of status.dns[]: SRV records of ours, and names of hosts that are not. */
export const DNS_STATUS_BOUNDS = { published: 200, foreign: 64 } as const;

const records = (most: number, meaning: string): z.ZodOptional<z.ZodArray<z.ZodString>> =>
  z.array(z.string().max(320)).max(most).meta({ 'x-kubernetes-list-type': 'atomic' }).optional().describe(meaning);

const dnsStatus = z.strictObject({
  domain: text('The domain.'),
  record: text('The name of its SRV record.'),
  desired: count('SRV records of ours that should be there.'),
  observed: count('Those of them that all name servers show as they should be.'),
  reason: z.string().max(64).optional().describe('The state of this domain, in the words of DnsPublished.'),
  message: text('What differs, and at which name server.').optional(),
  verifiedAt: instant('Since when all name servers show exactly these records; absent while they do not.').optional(),
  published: records(
    DNS_STATUS_BOUNDS.published,
    'The SRV records (priority, weight, port, target) that all name servers last showed: to fall back on.',
  ),
  foreign: records(
    DNS_STATUS_BOUNDS.foreign,
    'Hosts (target:port) of the same name that are neither ours nor in spec.dns.knownHosts.',
  ),
});

/** `status` of a KmsHostPool. */
export const poolStatusSchema = z.strictObject({
  observedGeneration: generation('The generation of the spec that this status speaks of.').optional(),
  poolId: text('Identity of the pool, from its Secret. It never changes.').optional(),
  replicas: count('Hosts that exist.').optional(),
  readyReplicas: count('Hosts that are ready.').optional(),
  selector: text("Label selector of the pool's Pods, for the scale subresource.").optional(),
  hosts: z
    .array(hostStatus)
    .max(200)
    .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] })
    .optional()
    .describe('The hosts, by ordinal.'),
  counts: z
    .array(countStatus)
    .max(8)
    .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['application'] })
    .optional()
    .describe('The counts of the pool, one for each application.'),
  dns: z
    .array(dnsStatus)
    .max(64)
    .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['domain'] })
    .optional()
    .describe('What is published, by domain.'),
  conditions: z
    .array(conditionSchema)
    .max(16)
    .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['type'] })
    .optional()
    .describe('Ready, Reconciling, Stalled, StoreAvailable, DnsPublished, CountSufficient, HostKeyWithinLimits.'),
});
