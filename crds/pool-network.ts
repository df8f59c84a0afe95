// SPDX-License-Identifier: Apache-2.0

// `spec.exposure`, `spec.dns` and `spec.access`: how clients reach the hosts of a pool, how they find them, and who may ask.
import * as z from 'zod';
import { DNS_NAME_MAX, textMap, whole } from './fields.ts';
import { DNS_NAME, isCidrRange, isNameserver, NAMESERVER } from './network-names.ts';
import { matching, noRepeat, noRepeatedField, type Rule, withRules } from './rules.ts';

/** Kinds of exposure; all but PodIP are one Service for each host. */
export const EXPOSURE_TYPES = ['ClusterIP', 'LoadBalancer', 'NodePort', 'PodIP'] as const;

const exposureFields = z.strictObject({
  type: z
    .enum(EXPOSURE_TYPES)
    .default('ClusterIP')
    .describe(
      'ClusterIP, LoadBalancer, NodePort: a Service for each host, for SRV has to name each of them. PodIP: no Service; the records point to the Pods, whose network must reach the clients.',
    ),
  annotations: textMap(64)
    .optional()
    .describe("Annotations for each host's Service, such as a load balancer's settings."),
  loadBalancerClass: z
    .string()
    .min(1)
    .max(316)
    .optional()
    .describe('The load balancer to use, when it is not the default one.'),
  externalTrafficPolicy: z
    .enum(['Local', 'Cluster'])
    .optional()
    .describe(
      "For LoadBalancer and NodePort. Local keeps the client's address, which access.allowedSources and the limits need; Cluster shows a node's address instead. Default: Local.",
    ),
  ipFamilyPolicy: z
    .enum(['SingleStack', 'PreferDualStack', 'RequireDualStack'])
    .default('PreferDualStack')
    .describe('IP families of the Services. AAAA records are published only for addresses that exist.'),
});

type ExposureFields = z.output<typeof exposureFields>;

const exposureRules: Rule<ExposureFields>[] = [
  {
    id: 'load-balancer-class',
    rule: "!has(self.loadBalancerClass) || self.type == 'LoadBalancer'",
    message: 'loadBalancerClass needs type LoadBalancer; set exposure.type to LoadBalancer or remove it',
    check: ({ loadBalancerClass, type }) => loadBalancerClass === undefined || type === 'LoadBalancer',
    field: 'loadBalancerClass',
  },
  {
    id: 'external-traffic-policy',
    rule: "!has(self.externalTrafficPolicy) || self.type == 'LoadBalancer' || self.type == 'NodePort'",
    message: 'externalTrafficPolicy needs type LoadBalancer or NodePort; change exposure.type or remove it',
    check: ({ externalTrafficPolicy, type }) =>
      externalTrafficPolicy === undefined || type === 'LoadBalancer' || type === 'NodePort',
    field: 'externalTrafficPolicy',
  },
];

/** `spec.exposure`. */
export const exposureSchema = withRules(exposureFields, exposureRules);

// A host's name is `<pool>-<n>.<namespace>.<domain>`: 43 + 1 + 63 + 1 characters go in front of the domain.
const DOMAIN_MAX = DNS_NAME_MAX - 108;
const dnsName = matching(
  'dns-name',
  DNS_NAME,
  'write a DNS name in lower case and without a trailing dot, such as lab.example',
);

const priority = whole({ min: 0, max: 65_535, unit: 'a priority', note: 'clients try the lowest first, RFC 2782' });
const weight = whole({ min: 0, max: 65_535, unit: 'a weight', note: 'the share within one priority, RFC 2782' });

const tier = z.strictObject({
  hosts: whole({ min: 1, max: 100, unit: 'hosts' })
    .optional()
    .describe('How many hosts this tier takes, by ordinal. Only the last tier may leave it out; it takes all others.'),
  priority: priority.default(0).describe('SRV priority of the hosts in this tier; clients try the lowest first.'),
  weight: weight.default(0).describe('SRV weight of each host in this tier; the share of clients within one priority.'),
});

type Tier = z.output<typeof tier>;

const openTierLast: Rule<Tier[]> = {
  id: 'open-tier-last',
  rule: 'self.filter(t, !has(t.hosts)).size() == 0 || (self.filter(t, !has(t.hosts)).size() == 1 && !has(self[self.size() - 1].hosts))',
  message:
    'only the last tier may leave out hosts, for it takes all others; give each tier before it a number of hosts',
  check: (tiers) => tiers.every(({ hosts }, index) => hosts !== undefined || index === tiers.length - 1),
};

const domainFields = z.strictObject({
  name: withRules(z.string().min(1).max(DOMAIN_MAX), [dnsName]).describe(
    'The domain whose clients shall find the pool: _vlmcs._tcp.<name>. In an emulated pool only zones that the operator was told are test zones.',
  ),
  ttlSeconds: whole({ min: 1, max: 604_800, unit: 'seconds' })
    .default(60)
    .describe('Time to live of the records. A withdrawn host is stopped only after it.'),
  priority: priority
    .optional()
    .describe('SRV priority of all hosts in this domain. Default 0. Not together with tiers.'),
  weight: weight.optional().describe('SRV weight of each host in this domain. Default 0. Not together with tiers.'),
  tiers: withRules(z.array(tier).min(1).max(16), [openTierLast])
    .meta({ 'x-kubernetes-list-type': 'atomic' })
    .optional()
    .describe(
      'Priority and weight by ordinal: the first tier takes the first hosts, and so on. Hosts past the last tier get its values.',
    ),
});

const tiersOrPriority: Rule<z.output<typeof domainFields>> = {
  id: 'tiers-or-priority',
  rule: '!has(self.tiers) || (!has(self.priority) && !has(self.weight))',
  message: 'set either tiers or priority and weight; move these two into the tiers, or remove tiers',
  check: ({ tiers, priority: p, weight: w }) => tiers === undefined || (p === undefined && w === undefined),
  field: 'tiers',
};

const nameserver: Rule<string> = {
  id: 'nameserver',
  rule: `isIP(self) || self.matches(r'${NAMESERVER.source}')`,
  message: 'write a name server as host, host:port, or [IPv6]:port, such as 10.0.0.53 or ns1.lab.example:5353',
  check: isNameserver,
};

const knownHost = withRules(z.string().min(1).max(DNS_NAME_MAX), [dnsName]);

/** `spec.dns`. */
export const dnsSchema = z.strictObject({
  publisher: z
    .enum(['ExternalDNS', 'None'])
    .default('ExternalDNS')
    .describe(
      'ExternalDNS: one DNSEndpoint for the pool, which external-dns publishes (slmgr /sdns). None: nothing is published (slmgr /cdns); `kmsctl dns` prints the records.',
    ),
  domains: withRules(z.array(withRules(domainFields, [tiersOrPriority])).max(32), [
    noRepeatedField('domains-once', 'name', 'a domain stands twice; keep one entry for each domain'),
  ])
    .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] })
    .default([])
    .describe("Domains to publish in. The hosts' own names and addresses are published in the first one."),
  knownHosts: withRules(z.array(knownHost).max(64), [noRepeat('known-hosts-once', 'a host stands twice; remove one')])
    .meta({ 'x-kubernetes-list-type': 'set' })
    .default([])
    .describe('Other KMS hosts that may stand in the same SRV records. Any other one is reported as ForeignHostFound.'),
  verifyNameservers: withRules(
    z
      .array(
        withRules(
          z
            .string()
            .min(1)
            .max(DNS_NAME_MAX + 6),
          [nameserver],
        ),
      )
      .max(16),
    [noRepeat('nameservers-once', 'a name server stands twice; remove one')],
  )
    .meta({ 'x-kubernetes-list-type': 'set' })
    .default([])
    .describe("Name servers to ask whether the records are there. Empty: the zone's authoritative servers."),
  withdrawAfterSeconds: whole({ min: 0, max: 86_400, unit: 'seconds' })
    .default(30)
    .describe('A host that is not ready for this long leaves SRV. Shorter restarts leave it alone.'),
  minChangeSeconds: whole({ min: 0, max: 86_400, unit: 'seconds' })
    .default(10)
    .describe(
      "Least time between two changes of a pool's records; changes faster than the zone's replication leave old records behind.",
    ),
});

/**
 * Sources allowed when a manifest names none: loopback, link-local, and the ranges that are never routed on the public
 * Internet (RFC 1918, RFC 4193, RFC 6598 shared address space, which cloud Pod networks use).
 */
export const PRIVATE_SOURCES: readonly string[] = [
  '127.0.0.0/8',
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '100.64.0.0/10',
  '169.254.0.0/16',
  '::1/128',
  'fc00::/7',
  'fe80::/10',
];

const cidr: Rule<string> = {
  id: 'cidr',
  rule: 'isCIDR(self) && self == string(cidr(self).masked())',
  message:
    'write a range in the shortest CIDR form with no bits set after the prefix, such as 10.0.0.0/8, 192.0.2.7/32 or fd00::/8',
  check: isCidrRange,
};

/** One range of sources. */
export const sourceSchema = withRules(z.string().min(1).max(43), [cidr]);

/** `spec.access`. */
export const accessSchema = z.strictObject({
  allowedSources: withRules(z.array(sourceSchema).min(1).max(64), [
    noRepeat('sources-once', 'a range stands twice; remove one'),
  ])
    .meta({ 'x-kubernetes-list-type': 'set' })
    .default([...PRIVATE_SOURCES])
    .describe(
      'Who may ask, as CIDR ranges; a connection from elsewhere is closed at once, and the NetworkPolicy says the same. Default: loopback, link-local and private ranges only. For everybody write 0.0.0.0/0 and ::/0.',
    ),
});
