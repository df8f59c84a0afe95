// SPDX-License-Identifier: Apache-2.0
//
// What only a cluster has: conditions, external-dns, Services, NetworkPolicy, allowed sources. Pure.

import { BlockList, isIP, isIPv6 } from 'node:net';
import type { Facts, Seen } from './facts.ts';
import { bad, type Finding, joined, ok, skipped } from './step.ts';

const NONE = 'the pool runs on this machine, without a cluster';

/** The operator's own words. */
export function conditionsStep({ cluster }: Facts): Finding {
  if (cluster === undefined) return skipped(NONE);
  const { metadata, status } = cluster.object;
  const describe = `kubectl -n ${metadata.namespace} describe khp ${metadata.name}`;
  const conditions = status?.conditions ?? [];
  if (conditions.length === 0)
    return bad(
      'fail',
      ['the pool has no conditions: no operator looks at it'],
      'kubectl -n kmspool-system get deploy   # is the operator there, and does it watch this namespace?',
    );
  return joined(
    conditions.map(({ type, status: holds, reason, message }) => {
      const line = `${type} ${holds} ${reason}${isGood(type, holds) ? '' : `: ${message}`}`;
      if (isGood(type, holds)) return ok(line);
      return bad(type === 'Ready' || type === 'Stalled' || type === 'DnsPublished' ? 'fail' : 'warn', [line], describe);
    }),
    skipped('no conditions'),
  );
}

function isGood(type: string, status: string): boolean {
  return type === 'Stalled' || type === 'Reconciling' ? status === 'False' : status === 'True';
}

/** external-dns: there, new enough, told to publish SRV records of DNSEndpoints. */
export function externalDnsStep({ cluster }: Facts): Finding {
  if (cluster === undefined) return skipped(NONE);
  const { externalDns, object } = cluster;
  if (object.spec.dns.publisher === 'None')
    return skipped('spec.dns.publisher is None: records are written by hand (kmsctl dns)');
  return withSeen(externalDns, (found) => {
    if (found.length === 0)
      return bad(
        'fail',
        ['no Deployment runs external-dns'],
        'helm install external-dns …   # version 0.22 or later, --source=crd, --managed-record-types=SRV',
      );
    return joined(
      found.map(({ where, image, args }) => {
        const faults = externalDnsFaults(image, args);
        const [first] = faults;
        return first === undefined
          ? ok(`${where}: ${image}`)
          : bad(
              'fail',
              faults.map((fault) => `${where}: ${fault}`),
              `kubectl -n ${where.replace('/', ' edit deploy ')}   # ${first}`,
            );
      }),
      skipped(''),
    );
  });
}

/** What keeps an external-dns from publishing our SRV records, as far as its arguments tell. */
export function externalDnsFaults(image: string, args: readonly string[]): string[] {
  const values = (flag: string): string[] =>
    args.flatMap((arg, at) =>
      arg.startsWith(`--${flag}=`) ? [arg.slice(flag.length + 3)] : arg === `--${flag}` ? [args[at + 1] ?? ''] : [],
    );
  const [, major, minor] = /:v?(\d{1,4})\.(\d{1,4})/.exec(image) ?? [];
  const old = major !== undefined && Number(major) === 0 && Number(minor) < 22;
  const types = values('managed-record-types');
  return [
    ...(old ? [`version ${major}.${minor} spoils or drops SRV records; use 0.22 or later`] : []),
    ...(values('source').includes('crd') ? [] : ['add --source=crd: it does not read DNSEndpoints']),
    ...(types.includes('SRV') ? [] : ['add --managed-record-types=SRV, with A and AAAA each by itself']),
    ...(values('provider').includes('rfc2136')
      ? ['its provider rfc2136 adds SRV records and never changes or removes them; use another, such as pdns']
      : []),
  ];
}

/** S2-14: each host's Service has an address to publish. */
export function servicesStep({ cluster }: Facts): Finding {
  if (cluster === undefined) return skipped(NONE);
  const { type } = cluster.object.spec.exposure;
  if (type === 'PodIP') return skipped('spec.exposure.type is PodIP: there are no Services');
  return withSeen(cluster.services, (services) =>
    joined(
      services.map(({ name, type: kind, addresses }) =>
        addresses.length > 0
          ? ok(`${name}: ${kind} ${addresses.join(', ')}`)
          : bad(
              'fail',
              [`${name}: a ${kind} without an address, so its host is not in DNS`],
              kind === 'LoadBalancer'
                ? `kubectl describe svc ${name}   # is there a load balancer controller?`
                : `kubectl describe svc ${name}`,
            ),
      ),
      bad('fail', ['the pool has no Service'], 'look at the condition Reconciling, and at the operator'),
    ),
  );
}

/** Policies of others that keep clients out. */
export function networkPolicyStep({ cluster }: Facts): Finding {
  if (cluster === undefined) return skipped(NONE);
  const { port } = cluster.object.spec;
  return withSeen(cluster.networkPolicies, (policies) => {
    // What policies allow adds up, so ours lets in whatever another one says.
    const ours = policies.filter((policy) => policy.ours);
    const names = policies.map(({ name }) => name).join(', ');
    if (policies.length === 0) return ok('no NetworkPolicy selects the hosts: everything is let in');
    if (policies.some(({ ports }) => ports.length === 0 || ports.includes(port)))
      return ok(`${names}: port ${port} is let in`);
    return bad(
      'fail',
      [`${names}: none lets port ${port} in`],
      ours.length === 0
        ? 'the NetworkPolicy of the operator is missing: look at the condition Reconciling'
        : `kubectl edit networkpolicy ${ours[0]?.name}`,
    );
  });
}

/** Who may ask at all: others are cut off before RPC. */
export function allowedSourcesStep({ cluster, clientAddress }: Facts): Finding {
  if (cluster === undefined) return skipped('kmsctl up lets this machine in, whatever spec.access says');
  const { allowedSources } = cluster.object.spec.access;
  const shown = `allowed: ${allowedSources.join(', ')}`;
  if (clientAddress === undefined) return ok(shown, 'give --client ADDRESS to hold one against it');
  if (isAllowed(clientAddress, allowedSources)) return ok(`${clientAddress} is let in`);
  return bad(
    'fail',
    [`${clientAddress} is not let in; ${shown}`],
    `add ${clientAddress}${isIPv6(clientAddress) ? '/128' : '/32'} or its network to spec.access.allowedSources`,
  );
}

function isAllowed(address: string, ranges: readonly string[]): boolean {
  const list = new BlockList();
  for (const range of ranges) {
    const [network = '', bits = ''] = range.split('/');
    const family = isIPv6(network) ? 'ipv6' : 'ipv4';
    if (isIP(network) !== 0) list.addSubnet(network, Number(bits || (family === 'ipv6' ? 128 : 32)), family);
  }
  return list.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
}

function withSeen<T>(seen: Seen<T>, judge: (value: T) => Finding): Finding {
  return seen.ok ? judge(seen.value) : skipped(seen.reason);
}
