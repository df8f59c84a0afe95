// SPDX-License-Identifier: Apache-2.0

// HostStatus: what GET /status of a host serves. It is what `slmgr.vbs /dlv` shows of a KMS host, with the pool's share
// told apart from the host's own. Readers accept unknown fields, for a host may be newer than who asks.
import * as z from 'zod';
import { API_VERSION } from './pool.ts';

export const HOST_STATUS_KIND = 'HostStatus';

/** The catalogue's slugs of license status 0 to 6 (docs/protocol.md §4), and `unknown` for any other value. */
export const LICENSE_STATUS_KEYS = [
  'unlicensed',
  'licensed',
  'oob_grace',
  'oot_grace',
  'non_genuine_grace',
  'notification',
  'extended_grace',
  'unknown',
] as const;

const whole = z.int().min(0);
const instant = z.iso.datetime();

/** The state of the store as one host sees it. */
export const STORE_STATES = ['Starting', 'Available', 'LastKnown', 'Refusing'] as const;

const store = z.looseObject({
  kind: z.enum(['memory', 'redis']),
  state: z.enum(STORE_STATES),
  /** What Redis says of itself: the server that the host talks to. */
  role: z.string().optional(),
  version: z.string().optional(),
  /** Seconds since the last answer; only when it is not Available. */
  staleSeconds: z.number().min(0).optional(),
  /** Contacts that wait for the store, and how full their journal is. */
  journal: z.looseObject({ contacts: whole, bytes: whole, capacityBytes: whole }),
  lastError: z.string().optional(),
});

const applicationCount = z.looseObject({
  application: z.string(),
  /** Distinct client machine IDs of the last 30 days that the table holds. */
  current: whole,
  /** The most that the table keeps: twice the high-water mark. */
  cap: whole,
  /** The largest minimum count asked so far, bounded by limits.maxRequiredCount. */
  highWaterRequired: whole,
  thresholds: z.array(z.looseObject({ name: z.string(), required: whole, met: z.boolean() })),
});

const byLicenseStatus = z.looseObject({
  unlicensed: whole,
  licensed: whole,
  oob_grace: whole,
  oot_grace: whole,
  non_genuine_grace: whole,
  notification: whole,
  extended_grace: whole,
  unknown: whole,
});

/** The schema of a HostStatus. */
export const hostStatusSchema = z.looseObject({
  apiVersion: z.literal(API_VERSION),
  kind: z.literal(HOST_STATUS_KIND),
  /** Version of kmspool. */
  version: z.string(),
  mode: z.literal('Emulated'),
  pool: z.looseObject({ name: z.string(), namespace: z.string() }),
  host: z.looseObject({ name: z.string(), ordinal: whole }),
  poolId: z.string(),
  /** The host PID that every answer of this pool carries. */
  hostPid: z.string(),
  startedAt: instant,
  /** One run of the process; sequence numbers of contacts count within it. */
  incarnation: z.string(),
  /** hostConfigHash of the configuration in force. */
  configHash: z.string(),
  /** How often the configuration has been taken over since the start, 1 after it. */
  generation: whole.optional(),
  ready: z.boolean(),
  /** Why it is not ready; empty when it is. */
  reasons: z.array(z.string()),
  hostKeys: z.array(z.looseObject({ product: z.string(), hostOs: z.string(), state: z.string() })),
  /** The port listened on. */
  port: whole,
  advertisedPort: whole.optional(),
  activationIntervalMinutes: whole,
  renewalIntervalMinutes: whole,
  store,
  /** Of the pool. */
  counts: z.array(applicationCount),
  /** Of the pool, since it exists: slmgr's "cumulative requests". */
  totals: z.looseObject({ total: whole, failed: whole, byLicenseStatus }),
  /** Clients in the pool's inventory. */
  clients: whole,
  /** Client machine IDs that more than one machine name has used. */
  duplicates: whole,
  /** Of this host. */
  connections: z.looseObject({ open: whole, accepted: whole, refused: whole }),
  /** What the store's clock is ahead of the host's, in milliseconds; absent until the store has answered. */
  clockSkewMilliseconds: z.number().optional(),
});

export type HostStatus = z.output<typeof hostStatusSchema>;
export type HostStoreState = (typeof STORE_STATES)[number];
export type HostStoreStatus = HostStatus['store'];
export type ApplicationCount = HostStatus['counts'][number];
export type LicenseStatusKey = (typeof LICENSE_STATUS_KEYS)[number];
