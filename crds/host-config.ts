// SPDX-License-Identifier: Apache-2.0

// HostConfig: the file that the operator (or `kmsctl up`) writes and one host reads. It holds no secret: the pool key,
// Redis credentials and certificates reach a host as files of their own. Building one from a pool is host-config-for.ts.
import { createHash } from 'node:crypto';
import { HOST_KEY_PRODUCTS, HOST_KEY_STATES, HOST_OS_NAMES } from '@kmspool/kms/catalog';
import * as z from 'zod';
import { API_VERSION, INTERVAL_MINUTES } from './pool.ts';
import { sourceSchema } from './pool-network.ts';
import { limitsSchema } from './pool-pod.ts';
import { addressesSchema, ON_LOSS, oneTopology, RETENTION_DEFAULT, redisUrlSchema } from './pool-store.ts';
import { withRules } from './rules.ts';

export const HOST_CONFIG_KIND = 'HostConfig';

const interval = z.int().min(INTERVAL_MINUTES.min).max(INTERVAL_MINUTES.max);
const tcpPort = z.int().min(0).max(65_535);

const memoryStore = z.strictObject({ kind: z.literal('memory') });

const redisStoreFields = z.strictObject({
  kind: z.literal('redis'),
  url: redisUrlSchema.optional(),
  sentinel: z.strictObject({ name: z.string().min(1), addresses: addressesSchema }).optional(),
  cluster: z.strictObject({ addresses: addressesSchema }).optional(),
  /** Present: speak TLS. Certificates are files, named on the host's command line. */
  tls: z
    .strictObject({ serverName: z.string().min(1).optional(), insecureSkipVerify: z.boolean().default(false) })
    .optional(),
  onLoss: z.enum(ON_LOSS).default('LastKnown'),
  maxStaleSeconds: z.int().min(1).default(3600),
});

const redisStore = withRules(redisStoreFields, [oneTopology]);

/** The schema of a HostConfig; unknown fields are errors, for a host must not ignore what its operator asks. */
export const hostConfigSchema = z.strictObject({
  apiVersion: z.literal(API_VERSION),
  kind: z.literal(HOST_CONFIG_KIND),
  pool: z.strictObject({ name: z.string().min(1), namespace: z.string().min(1) }),
  host: z.strictObject({ name: z.string().min(1), ordinal: z.int().min(0).max(99) }),
  /** The identity expected; a host whose key gives another one refuses to start. */
  poolId: z.guid().toLowerCase().optional(),
  /** The port to listen on; 0 takes a free one, for tests. */
  port: tcpPort.default(1688),
  /** What bind_ack's secondary address says (S1-21): the port that clients connect to, where it is another one. */
  advertisedPort: tcpPort.min(1).optional(),
  hostKeys: z
    .array(
      z.strictObject({
        product: z.enum(HOST_KEY_PRODUCTS),
        hostOs: z.enum(HOST_OS_NAMES).optional(),
        state: z.enum(HOST_KEY_STATES).default('Activated'),
      }),
    )
    .min(1),
  activationIntervalMinutes: interval.default(120),
  renewalIntervalMinutes: interval.default(10_080),
  store: z.discriminatedUnion('kind', [memoryStore, redisStore]),
  /** How many are kept; 0 keeps none. */
  retention: z
    .strictObject({
      clients: z.int().min(0).default(RETENTION_DEFAULT.clients),
      events: z.int().min(0).default(RETENTION_DEFAULT.events),
    })
    .prefault({}),
  /** The domains that the pool is published in; the first gives the host its name. */
  domains: z.array(z.string().min(1)).default([]),
  /** CIDR ranges that may connect; an empty list lets nobody in. */
  allowedSources: z.array(sourceSchema),
  /** connectionsPerSource 0 is no limit. */
  limits: limitsSchema.prefault({}),
});

/** A HostConfig with all defaults filled in. */
export type HostConfig = z.output<typeof hostConfigSchema>;
export type HostStoreConfig = HostConfig['store'];
export type HostRedisConfig = Extract<HostStoreConfig, { kind: 'redis' }>;

export type ParsedHostConfig = { ok: true; config: HostConfig } | { ok: false; errors: string[] };

/**
 * Reads a HostConfig from its JSON text.
 * @returns the configuration with defaults, or one line for each error, each naming its field.
 */
export function parseHostConfig(text: string): ParsedHostConfig {
  const json = parseJson(text);
  if (!json.ok) return { ok: false, errors: [`HostConfig is not JSON: ${json.reason}`] };
  const parsed = hostConfigSchema.safeParse(json.value);
  if (parsed.success) return { ok: true, config: parsed.data };
  return {
    ok: false,
    errors: parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'HostConfig'}: ${message}`),
  };
}

function parseJson(text: string): { ok: true; value: unknown } | { ok: false; reason: string } {
  try {
    return { ok: true, value: JSON.parse(text) };
  } catch (error) {
    // The parser quotes the text, line breaks and all.
    return { ok: false, reason: (error instanceof Error ? error.message : String(error)).replaceAll(/\s+/g, ' ') };
  }
}

/** Fields that a running host cannot take over: it has bound the port, joined the store, and has its identity. */
export const RESTART_FIELDS = [
  'pool',
  'host',
  'poolId',
  'port',
  'store',
] as const satisfies readonly (keyof HostConfig)[];

/** The top-level fields in which two configurations differ, in alphabetical order. */
export function changedFields(before: HostConfig, after: HostConfig): (keyof HostConfig)[] {
  const fields = new Set([...Object.keys(before), ...Object.keys(after)]) as Set<keyof HostConfig>;
  return [...fields].filter((field) => canonicalJson(before[field]) !== canonicalJson(after[field])).sort();
}

/**
 * The changed fields that a host takes over only by a restart; none means that it can re-read the file.
 * Everything else (host keys, intervals, advertised port, retention, domains, allowed sources, limits) is re-read.
 */
export function restartNeeded(before: HostConfig, after: HostConfig): (keyof HostConfig)[] {
  const needing: ReadonlySet<keyof HostConfig> = new Set(RESTART_FIELDS);
  return changedFields(before, after).filter((field) => needing.has(field));
}

/** SHA-256, 64 hex digits, over the canonical JSON of the whole configuration. `/status` returns it. */
export function hostConfigHash(config: HostConfig): string {
  return createHash('sha256').update(canonicalJson(config)).digest('hex');
}

/** SHA-256, 64 hex digits, over the fields that need a restart: as a Pod annotation it replaces Pods only then. */
export function restartHash(config: HostConfig): string {
  const kept = Object.fromEntries(RESTART_FIELDS.map((field) => [field, config[field]]));
  return createHash('sha256').update(canonicalJson(kept)).digest('hex');
}

/** JSON with sorted keys and without undefined members, so that equal values have equal texts. For plain values: there is no `toJSON` in them. */
export function canonicalJson(value: unknown): string {
  // A sorted copy and then JSON in one go is more than twice as fast as JSON with a function that sorts.
  return JSON.stringify(sorted(value)) ?? 'null';
}

function sorted(value: unknown): unknown {
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map(sorted);
  const members = value as Readonly<Record<string, unknown>>;
  const copy: Record<string, unknown> = {};
  for (const name of Object.keys(members).sort()) {
    const member = sorted(members[name]);
    // The one name that cannot be assigned.
    if (name === '__proto__') Object.defineProperty(copy, name, { value: member, enumerable: true });
    else copy[name] = member;
  }
  return copy;
}
