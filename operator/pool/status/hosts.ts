// SPDX-License-Identifier: Apache-2.0

// The hosts in a status: one entry each, and how many are there and ready. Pure.
import { type KmsHostPoolStatus, poolSelector } from '@kmspool/crds';
import { rankHosts } from '@kmspool/kms/dns';
import type { HostView } from '../state.ts';
import { type HostEntry, oldStatus, type StatusInput, testimonies } from './input.ts';
import { defined } from './text.ts';

const MOST_HOSTS = 200;
const MOST_ADDRESSES = 8;

/** Serves, from the Pod and with the configuration wanted. */
export function isFullyReady({ ready, configCurrent, template }: HostView): boolean {
  return ready && configCurrent && template === 'Current';
}

/**
 * The hosts as they are shown. After a start of the operator nobody has been asked yet which configuration it runs: a ready host that was shown as ready
 * for this very generation is believed until somebody has.
 */
export function shownHosts(input: StatusInput): readonly HostView[] {
  const before = oldStatus(input);
  if (before.observedGeneration !== input.world.object.metadata.generation) return input.conclusions.hosts;
  const known = new Map((before.hosts ?? []).map((entry) => [entry.name, entry]));
  const unasked = new Set(testimonies(input).flatMap(({ kind, host }) => (kind === 'pending' ? [host.name] : [])));
  return input.conclusions.hosts.map((host) => {
    const entry = known.get(host.name);
    const believed = unasked.has(host.name) && entry?.ready === true && host.ready && host.template === 'Current';
    return believed
      ? { ...host, configCurrent: true, trouble: undefined, version: host.version ?? entry.version }
      : host;
  });
}

type HostPart = Pick<KmsHostPoolStatus, 'replicas' | 'readyReplicas' | 'selector' | 'hosts'>;

/** `replicas`, `readyReplicas`, `selector`, `hosts`. Hosts on their way out are there until they are gone. */
export function hostPart(input: StatusInput): HostPart {
  const { metadata, spec } = input.world.pool;
  const shown = shownHosts(input);
  const [firstDomain] = spec.dns.domains;
  const ranks = firstDomain === undefined ? [] : rankHosts(firstDomain, spec.replicas);
  const hosts = shown.slice(0, MOST_HOSTS).map((host) => hostEntry(host, ranks[host.ordinal]));
  return defined({
    replicas: shown.filter(({ template }) => template !== 'Missing').length,
    readyReplicas: shown.filter(isFullyReady).length,
    selector: selectorText(metadata.name),
    hosts: hosts.length === 0 ? undefined : hosts,
  });
}

/** The label selector as the scale subresource wants it. */
export function selectorText(poolName: string): string {
  return Object.entries(poolSelector(poolName))
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
}

function hostEntry(host: HostView, rank: { priority: number; weight: number } | undefined): HostEntry {
  const addresses = host.addresses.slice(0, MOST_ADDRESSES);
  return defined({
    name: host.name,
    fqdn: host.fqdn,
    address: addresses[0],
    addresses: addresses.length === 0 ? undefined : [...addresses],
    port: host.port,
    ready: isFullyReady(host),
    priority: host.wanted ? rank?.priority : undefined,
    weight: host.wanted ? rank?.weight : undefined,
    version: host.version,
  });
}
