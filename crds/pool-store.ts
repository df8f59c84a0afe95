// SPDX-License-Identifier: Apache-2.0

// `spec.store`: where the one table of a pool is kept, and what a host does when it cannot reach it.
import * as z from 'zod';
import { DNS_NAME_MAX, nameRef, whole } from './fields.ts';
import { DNS_NAME, REDIS_URL, SERVER_ADDRESS } from './network-names.ts';
import { matching, noRepeat, type Rule, withRules } from './rules.ts';

const serverAddress = withRules(
  z
    .string()
    .min(1)
    .max(DNS_NAME_MAX + 6),
  [matching('server-address', SERVER_ADDRESS, 'write host:port, such as redis-sentinel:26379 or [fd00::5]:6379')],
);

/** Addresses of Sentinels or cluster nodes. */
export const addressesSchema = withRules(z.array(serverAddress).min(1).max(32), [
  noRepeat('server-addresses-once', 'an address stands twice; remove one'),
]).meta({ 'x-kubernetes-list-type': 'set' });

const redisUrlText = z.string().min(1).max(300);
const plainRedisUrl = matching(
  'redis-url',
  REDIS_URL,
  'write redis://host:port/database or rediss://…; user and password belong in the Secret that credentialsSecretRef names',
);

/** The URL of a single Redis, without credentials. */
export const redisUrlSchema = withRules(redisUrlText, [plainRedisUrl]);

const tls = z.strictObject({
  caSecretRef: nameRef('Name of a Secret with ca.crt, the certificate authorities that signed the Redis servers.')
    .optional()
    .describe("Certificate authorities to trust. Default: those that the host's image trusts."),
  clientCertificateSecretRef: nameRef('Name of a Secret of type kubernetes.io/tls (tls.crt, tls.key).')
    .optional()
    .describe('Client certificate to show to Redis, where Redis asks for one.'),
  serverName: withRules(z.string().min(1).max(DNS_NAME_MAX), [
    matching('server-name', DNS_NAME, 'write a DNS name in lower case, such as redis.kms.svc'),
  ])
    .optional()
    .describe('The name that the certificate must be valid for, when it is not the name connected to.'),
  insecureSkipVerify: z
    .boolean()
    .default(false)
    .describe('Accept any certificate. For a test only: whoever answers at the address is then believed.'),
});

const redisFields = z.strictObject({
  url: redisUrlText
    .optional()
    .describe(
      'A single Redis or Valkey server: redis://host:port/database, or rediss:// for TLS. No credentials here.',
    ),
  sentinel: z
    .strictObject({
      name: z
        .string()
        .min(1)
        .max(DNS_NAME_MAX)
        .describe('The name under which the Sentinels know the master (sentinel monitor NAME …).'),
      addresses: addressesSchema.describe(
        'Sentinels, as host:port. One reachable Sentinel is enough to find the master.',
      ),
    })
    .optional()
    .describe('A master with replicas, watched by Redis Sentinel.'),
  cluster: z
    .strictObject({ addresses: addressesSchema.describe('Nodes to learn the cluster from, as host:port.') })
    .optional()
    .describe('A Redis Cluster. All keys of a pool share one hash tag and so live on one node.'),
  credentialsSecretRef: nameRef(
    'Name of a Secret with password, and where needed username, sentinelUsername, sentinelPassword.',
  )
    .optional()
    .describe('Credentials for Redis and for the Sentinels. Default: none are sent.'),
  tls: tls
    .optional()
    .describe('Speak TLS. An empty object turns it on with default trust. rediss:// turns it on as well.'),
});

type Topology = { url?: unknown; sentinel?: unknown; cluster?: unknown };

/** Redis is one of three things. */
export const oneTopology: Rule<Topology> = {
  id: 'one-redis-topology',
  rule: '(has(self.url) ? 1 : 0) + (has(self.sentinel) ? 1 : 0) + (has(self.cluster) ? 1 : 0) == 1',
  message: 'set exactly one of url, sentinel and cluster',
  check: ({ url, sentinel, cluster }) => [url, sentinel, cluster].filter((way) => way !== undefined).length === 1,
};

// Held by the object and not by the text: an API server quotes a text that it refuses, and with it a password in the URL.
const noCredentials: Rule<{ url?: string | undefined }> = {
  ...plainRedisUrl,
  rule: `!has(self.url) || ${plainRedisUrl.rule.replace('self.', 'self.url.')}`,
  check: ({ url }) => url === undefined || plainRedisUrl.check(url),
  field: 'url',
};

/** `spec.store.redis`. */
export const redisSchema = withRules(redisFields, [oneTopology, noCredentials]);

/** What a host does when Redis is away. */
export const ON_LOSS = ['LastKnown', 'Refuse'] as const;

/** Default bounds of what is remembered beside the table. */
export const RETENTION_DEFAULT = { clients: 100_000, events: 100_000 } as const;

const retention = z.strictObject({
  clients: whole({ min: 0, max: 10_000_000, unit: 'clients' })
    .default(RETENTION_DEFAULT.clients)
    .describe(
      'Clients in the inventory (who, product, last seen); the longest unseen leave first. The count is not limited by it.',
    ),
  events: whole({ min: 0, max: 10_000_000, unit: 'events' })
    .default(RETENTION_DEFAULT.events)
    .describe('Activation requests (event 12290) in the stream; the oldest leave first.'),
});

/** `spec.store`. */
export const storeSchema = z.strictObject({
  redis: redisSchema.describe('Redis 6.2 or later, or Valkey 7.2 or later. Exactly one of url, sentinel and cluster.'),
  onLoss: z
    .enum(ON_LOSS)
    .default('LastKnown')
    .describe(
      'When Redis is away. LastKnown: answer from the last known table and send the contacts later. Refuse: turn clients away, so that they try the next host. No host ever starts a count of its own.',
    ),
  maxStaleSeconds: whole({
    min: 1,
    max: 2_592_000,
    unit: 'seconds',
    note: 'at most 30 days, for then every record of the table has expired',
  })
    .default(3600)
    .describe('LastKnown ends after this time without Redis; then the host refuses.'),
  retention: retention.prefault({}).describe('How much is remembered beside the table of client machine IDs.'),
  onDelete: z
    .enum(['Retain', 'Purge'])
    .default('Retain')
    .describe(
      'When the pool is deleted. Retain: its keys stay in Redis, and the same Secret finds them again. Purge: they are removed.',
    ),
});
