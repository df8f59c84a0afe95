// SPDX-License-Identifier: Apache-2.0
//
// The names under which a pool stands in DNS. No check that a name is valid: the manifest's schema does that.

import type { SrvRecord } from './choose.ts';

/** `_vlmcs._tcp.<domain>`: where clients look for KMS hosts (S1-04). A trailing dot of the domain is dropped. */
export function srvName(domain: string): string {
  return `_vlmcs._tcp.${withoutRootDot(domain)}`;
}

/** `<pool>-<n>`: a host's name, also that of its Kubernetes objects. */
export function hostName(pool: string, ordinal: number): string {
  return `${pool}-${ordinal}`;
}

/** `<pool>-<n>.<namespace>.<first domain>`: a host's full name, without a trailing dot. */
export function hostFqdn(pool: string, ordinal: number, namespace: string, firstDomain: string): string {
  return `${hostName(pool, ordinal)}.${namespace}.${withoutRootDot(firstDomain)}`;
}

/** `<priority> <weight> <port> <host>.`, as external-dns ≥ 0.22 takes an SRV target: with exactly one trailing dot. */
export function formatSrvTarget(record: SrvRecord): string {
  return `${record.priority} ${record.weight} ${record.port} ${withoutRootDot(record.target)}.`;
}

function withoutRootDot(name: string): string {
  return name.endsWith('.') ? name.slice(0, -1) : name;
}
