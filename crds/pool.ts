// SPDX-License-Identifier: Apache-2.0

// KmsHostPool, the one object that a user writes: its schema, its defaults, its types. The CRD and the reference are
// generated from here; the loader and the operator parse with it. It reads no file and knows no cluster.
import * as z from 'zod';
import { nameRef, whole } from './fields.ts';
import { POOL_NAME } from './network-names.ts';
import { type hostKeySchema, hostKeysSchema } from './pool-hostkeys.ts';
import { accessSchema, dnsSchema, exposureSchema } from './pool-network.ts';
import { limitsSchema, podSchema } from './pool-pod.ts';
import { type conditionSchema, poolStatusSchema } from './pool-status.ts';
import { type redisSchema, storeSchema } from './pool-store.ts';
import { type Rule, withRules } from './rules.ts';

export const GROUP = 'kmspool.io';
export const VERSION = 'v1alpha1';
export const API_VERSION = `${GROUP}/${VERSION}` as const;
export const POOL_KIND = 'KmsHostPool';

/** Both intervals that a host hands to clients: 15 minutes to 30 days (S3-54, S3-55). */
export const INTERVAL_MINUTES = { min: 15, max: 43_200 } as const;

const specFields = z.strictObject({
  mode: z
    .enum(['Emulated'])
    .default('Emulated')
    .describe(
      "Emulated: the whole behaviour of KMS hosts with the pool's own keys, for tests, rehearsals and training. No genuine Windows or Office accepts its answers.",
    ),
  replicas: whole({ min: 0, max: 100, unit: 'hosts' })
    .default(2)
    .describe('How many KMS hosts the pool has. More than one needs a store, for they share one count.'),
  port: whole({
    min: 1024,
    max: 65_535,
    unit: 'a port',
    note: 'slmgr /sprt; lower ports need a privilege that a host does not have',
  })
    .default(1688)
    .describe('TCP port of every host; SRV tells it to the clients.'),
  keySecretRef: nameRef('Name of the Secret.')
    .optional()
    .describe(
      'Secret whose data.key (32 random bytes or more) is the identity of the pool. The operator makes it if there is none. Keep a copy: the same Secret is the same pool. Default: <pool>-key.',
    ),
  hostKeys: hostKeysSchema.describe(
    'What the emulated host keys cover, and their state. A product that none covers gets 0xC004F042.',
  ),
  activationIntervalMinutes: whole({ ...INTERVAL_MINUTES, unit: 'minutes', note: 'slmgr /sai' })
    .default(120)
    .describe('How often a client that is not activated yet tries again; handed to the clients.'),
  renewalIntervalMinutes: whole({ ...INTERVAL_MINUTES, unit: 'minutes', note: 'slmgr /sri' })
    .default(10_080)
    .describe('How often an activated client renews; handed to the clients. Default: 7 days.'),
  store: storeSchema
    .optional()
    .describe('Where the shared table is kept. A pool of one host may do without; its count then dies with the host.'),
  exposure: exposureSchema.prefault({}).describe('How clients reach the hosts.'),
  dns: dnsSchema.prefault({}).describe('How clients find the hosts: SRV records _vlmcs._tcp.'),
  access: accessSchema.prefault({}).describe('Who may ask.'),
  limits: limitsSchema.prefault({}).describe('Bounds of one host.'),
  pod: podSchema.prefault({}).describe('Settings of the Pods that are not of KMS.'),
});

type SpecFields = z.output<typeof specFields>;

/** The one rule that a run on a single machine leaves out, for its hosts can share a table in memory. */
export const replicasNeedStore: Rule<SpecFields> = {
  id: 'replicas-need-store',
  rule: 'has(self.store) || self.replicas <= 1',
  message: 'more than one host needs a shared count: add spec.store.redis, or set spec.replicas to 1',
  check: ({ store, replicas }) => store !== undefined || replicas <= 1,
  field: 'replicas',
};

/** The port of a host's HTTP interface (health, metrics, status), in every Pod. */
export const HOST_HTTP_PORT = 8080;

const portIsFree: Rule<SpecFields> = {
  id: 'port-is-free',
  rule: `self.port != ${HOST_HTTP_PORT}`,
  message: `port ${HOST_HTTP_PORT} is taken by the HTTP interface of every host; choose another one, such as 1688`,
  check: ({ port }) => port !== HOST_HTTP_PORT,
  field: 'port',
};

const poolName: Rule<RootFields> = {
  id: 'pool-name',
  rule: `self.metadata.name.matches('${POOL_NAME.source}')`,
  message:
    "the name of a pool begins with a letter and has at most 40 characters of a-z, 0-9 and '-', for hosts are named <pool>-<ordinal>; choose another metadata.name",
  check: ({ metadata }) => POOL_NAME.test(metadata.name),
  field: 'metadata.name',
};

// What of ObjectMeta is of use here; the rest is kept, for a manifest may come from `kubectl get -o yaml`.
const metadata = z.looseObject({
  name: z.string(),
  namespace: z.string().optional(),
  uid: z.string().optional(),
  generation: z.number().optional(),
  resourceVersion: z.string().optional(),
  creationTimestamp: z.string().optional(),
  deletionTimestamp: z.string().optional(),
  labels: z.record(z.string(), z.string()).optional(),
  annotations: z.record(z.string(), z.string()).optional(),
  finalizers: z.array(z.string()).optional(),
});

const rootFields = z.strictObject({
  apiVersion: z.literal(API_VERSION),
  kind: z.literal(POOL_KIND),
  metadata,
  spec: specFields,
  status: poolStatusSchema.optional(),
});

type RootFields = z.output<typeof rootFields>;

/** `spec` with all rules that the API server holds. */
export const poolSpecSchema = withRules(specFields, [replicasNeedStore, portIsFree]);

/** Rules over the whole object. */
export const rootRules: readonly Rule<RootFields>[] = [poolName];

/** A KmsHostPool as the API server accepts it. */
export const poolSchema = withRules(rootFields.extend({ spec: poolSpecSchema }), rootRules);

/** The same for a run on one machine, where the hosts share a table without `spec.store`. */
export const localPoolSchema = withRules(rootFields, rootRules);

/** A pool with all defaults filled in. */
export type KmsHostPool = z.output<typeof poolSchema>;
/** A pool as a user writes it. */
export type KmsHostPoolInput = z.input<typeof poolSchema>;
export type KmsHostPoolSpec = KmsHostPool['spec'];
export type KmsHostPoolStatus = z.output<typeof poolStatusSchema>;
export type Condition = z.output<typeof conditionSchema>;
export type HostKeyEntry = z.output<typeof hostKeySchema>;
export type RedisStore = z.output<typeof redisSchema>;
export type PoolStore = z.output<typeof storeSchema>;
export type PoolDomain = KmsHostPoolSpec['dns']['domains'][number];
export type Tier = NonNullable<PoolDomain['tiers']>[number];
