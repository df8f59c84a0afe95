// SPDX-License-Identifier: Apache-2.0

// For tests: manifests that break one rule of the CRD each, and some that break none. The unit tests hold them against the loader and the CEL texts,
// the integration tests against a real API server.

/** A KmsHostPool without apiVersion and kind, or what shall be refused as one. */
export type Manifest = { metadata: Record<string, unknown>; spec: Record<string, unknown> };

const SERVER_KEY = { product: 'WindowsServer2025' };
const URL_STORE = { redis: { url: 'redis://redis:6379/0' } };
/** The least that is accepted. */
export const good = (): Manifest => ({
  metadata: { name: 'campus' },
  spec: { replicas: 1, hostKeys: [SERVER_KEY] },
});
/** With other fields of the spec. */
export const withSpec = (spec: Record<string, unknown>): Manifest => ({ ...good(), spec: { ...good().spec, ...spec } });
const withDomain = (domain: Record<string, unknown>): Manifest =>
  withSpec({ dns: { domains: [{ name: 'lab.example', ...domain }] } });
const withRedis = (redis: Record<string, unknown>): Manifest => withSpec({ store: { redis } });
const withSources = (...allowedSources: string[]): Manifest => withSpec({ access: { allowedSources } });

/** What is wrong with it, the field to blame, and the remedy. */
export type Bad = { title: string; manifest: Manifest; path: string; message: RegExp };

/** Each breaks exactly one rule; every rule is broken by one. */
export const BAD: readonly Bad[] = [
  {
    title: 'two hosts without a store',
    manifest: withSpec({ replicas: 2 }),
    path: 'spec.replicas',
    message: /add spec.store.redis, or set spec.replicas to 1/,
  },
  {
    title: 'the default number of hosts without a store',
    manifest: withSpec({ replicas: undefined }),
    path: 'spec.replicas',
    message: /add spec.store.redis/,
  },
  {
    title: 'the port of the HTTP interface',
    manifest: withSpec({ port: 8080 }),
    path: 'spec.port',
    message: /choose another one, such as 1688/,
  },
  {
    title: 'a pool name with capitals',
    manifest: { ...good(), metadata: { name: 'Campus' } },
    path: 'metadata.name',
    message: /choose another metadata.name/,
  },
  {
    title: 'a pool name of 41 characters',
    manifest: { ...good(), metadata: { name: 'a'.repeat(41) } },
    path: 'metadata.name',
    message: /at most 40 characters/,
  },
  {
    title: 'a Secret name with an underscore',
    manifest: withSpec({ keySecretRef: { name: 'campus_key' } }),
    path: 'spec.keySecretRef.name',
    message: /write an object name/,
  },
  {
    title: 'a product twice',
    manifest: withSpec({ hostKeys: [SERVER_KEY, { product: 'Office2021' }, SERVER_KEY] }),
    path: 'spec.hostKeys',
    message: /keep one entry for each product/,
  },
  {
    title: 'S3-26 a server key on a client system',
    manifest: withSpec({ hostKeys: [{ product: 'WindowsServer2025', hostOs: 'Windows11' }] }),
    path: 'spec.hostKeys[0].hostOs',
    message: /cannot be installed on that operating system; remove hostOs/,
  },
  {
    title: 'no Redis topology',
    manifest: withRedis({}),
    path: 'spec.store.redis',
    message: /exactly one of url, sentinel and cluster/,
  },
  {
    title: 'two Redis topologies',
    manifest: withRedis({ url: 'redis://redis', cluster: { addresses: ['redis:6379'] } }),
    path: 'spec.store.redis',
    message: /exactly one of url, sentinel and cluster/,
  },
  {
    title: 'a password in the Redis URL',
    manifest: withRedis({ url: 'redis://:secret@redis:6379' }),
    path: 'spec.store.redis.url',
    message: /^write redis:.*belong in the Secret/,
  },
  {
    title: 'a Sentinel without a port',
    manifest: withRedis({ sentinel: { name: 'kms', addresses: ['redis-sentinel'] } }),
    path: 'spec.store.redis.sentinel.addresses[0]',
    message: /write host:port/,
  },
  {
    title: 'a Sentinel port above 65535',
    manifest: withRedis({ sentinel: { name: 'kms', addresses: ['redis-sentinel:65536'] } }),
    path: 'spec.store.redis.sentinel.addresses[0]',
    message: /write host:port/,
  },
  {
    title: 'a Sentinel twice',
    manifest: withRedis({ sentinel: { name: 'kms', addresses: ['a:1', 'a:1'] } }),
    path: 'spec.store.redis.sentinel.addresses',
    message: /stands twice/,
  },
  {
    title: 'a TLS server name with a space',
    manifest: withRedis({ url: 'rediss://redis', tls: { serverName: 'my redis' } }),
    path: 'spec.store.redis.tls.serverName',
    message: /write a DNS name/,
  },
  {
    title: 'a load balancer class without a load balancer',
    manifest: withSpec({ exposure: { loadBalancerClass: 'metallb' } }),
    path: 'spec.exposure.loadBalancerClass',
    message: /set exposure.type to LoadBalancer/,
  },
  {
    title: 'a traffic policy on a ClusterIP',
    manifest: withSpec({ exposure: { type: 'ClusterIP', externalTrafficPolicy: 'Local' } }),
    path: 'spec.exposure.externalTrafficPolicy',
    message: /change exposure.type/,
  },
  {
    title: 'tiers and a priority',
    manifest: withDomain({ priority: 0, tiers: [{ hosts: 1 }] }),
    path: 'spec.dns.domains[0].tiers',
    message: /either tiers or priority and weight/,
  },
  {
    title: 'tiers and a weight',
    manifest: withDomain({ weight: 0, tiers: [{ hosts: 1 }] }),
    path: 'spec.dns.domains[0].tiers',
    message: /either tiers or priority and weight/,
  },
  {
    title: 'a tier without hosts before another one',
    manifest: withDomain({ tiers: [{ priority: 1 }, { hosts: 1 }] }),
    path: 'spec.dns.domains[0].tiers',
    message: /only the last tier may leave out hosts/,
  },
  {
    title: 'a domain twice',
    manifest: withSpec({ dns: { domains: [{ name: 'lab.example' }, { name: 'lab.example', priority: 3 }] } }),
    path: 'spec.dns.domains',
    message: /a domain stands twice/,
  },
  {
    title: 'a domain with a trailing dot',
    manifest: withDomain({ name: 'lab.example.' }),
    path: 'spec.dns.domains[0].name',
    message: /without a trailing dot/,
  },
  {
    title: 'a domain with an underscore',
    manifest: withDomain({ name: '_vlmcs._tcp.lab.example' }),
    path: 'spec.dns.domains[0].name',
    message: /write a DNS name/,
  },
  {
    title: 'a known host that is no name',
    manifest: withSpec({ dns: { knownHosts: ['kms.other.example:1688'] } }),
    path: 'spec.dns.knownHosts[0]',
    message: /write a DNS name/,
  },
  {
    title: 'a known host twice',
    manifest: withSpec({ dns: { knownHosts: ['kms.example', 'kms.example'] } }),
    path: 'spec.dns.knownHosts',
    message: /stands twice/,
  },
  {
    title: 'a name server with a bad port',
    manifest: withSpec({ dns: { verifyNameservers: ['10.0.0.53', '10.0.0.53:0'] } }),
    path: 'spec.dns.verifyNameservers[1]',
    message: /write a name server as/,
  },
  {
    title: 'a name server twice',
    manifest: withSpec({ dns: { verifyNameservers: ['fd00::53', 'fd00::53'] } }),
    path: 'spec.dns.verifyNameservers',
    message: /stands twice/,
  },
  {
    title: 'an address for a range',
    manifest: withSources('10.0.0.1'),
    path: 'spec.access.allowedSources[0]',
    message: /10\.0\.0\.1.*CIDR form/,
  },
  {
    title: 'a range with host bits',
    manifest: withSources('10.0.0.1/8'),
    path: 'spec.access.allowedSources[0]',
    message: /no bits set after the prefix/,
  },
  {
    title: 'a pull secret twice',
    manifest: withSpec({ pod: { imagePullSecrets: [{ name: 'pull' }, { name: 'pull' }] } }),
    path: 'spec.pod.imagePullSecrets',
    message: /a Secret stands twice/,
  },
  {
    title: 'a range twice',
    manifest: withSources('10.0.0.0/8', '10.0.0.0/8'),
    path: 'spec.access.allowedSources',
    message: /a range stands twice/,
  },
];

/** None of them breaks a rule. */
export const GOOD: readonly Manifest[] = [
  good(),
  withSpec({ replicas: 0 }),
  withSpec({ replicas: 100, store: URL_STORE }),
  withSpec({ hostKeys: [{ product: 'WindowsServer2025', hostOs: 'WindowsServer2019' }] }),
  withRedis({ url: 'rediss://[fd00::5]:6380/3' }),
  withRedis({ cluster: { addresses: ['redis-0.redis:6379', '10.0.0.1:65535'] } }),
  withSpec({ exposure: { type: 'LoadBalancer', loadBalancerClass: 'x', externalTrafficPolicy: 'Cluster' } }),
  withDomain({ tiers: [{ hosts: 2 }, { priority: 10 }] }),
  withDomain({ tiers: [{ hosts: 2 }, { hosts: 1, priority: 10 }] }),
  withDomain({ name: 'test' }),
  withSpec({ dns: { verifyNameservers: ['fd00::53', '[fd00::53]:5353', '10.0.0.53', 'ns1.lab.example:53'] } }),
  withSources('0.0.0.0/0', '::/0', '192.0.2.7/32', '2001:db8::/32'),
];

/** The manifest as it is applied. */
export function whole(manifest: Manifest): object {
  return { apiVersion: 'kmspool.io/v1alpha1', kind: 'KmsHostPool', ...manifest };
}
