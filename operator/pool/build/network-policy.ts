// SPDX-License-Identifier: Apache-2.0

// Who may reach a pool's Pods (S3-46: the exception in the host's firewall). Ingress only: where a host may connect to, Redis and DNS, is the site's.
import { HOST_HTTP_PORT, poolSelector } from '@kmspool/crds';
import { NETWORK_POLICIES, type NetworkPolicy } from '../kinds.ts';
import { intentOf, type PoolSource, poolMetadata } from './object.ts';
import { KMS_PORT_NAME } from './pod-template.ts';

/**
 * The NetworkPolicy `<pool>`: the KMS port for `access.allowedSources`, the HTTP port for all Pods of the cluster (the operator, Prometheus, and
 * through the kubelet, which policies let through, probes and port-forward).
 */
export function buildNetworkPolicy({ pool, owner }: PoolSource): NetworkPolicy {
  const { access } = pool.spec;
  const from = access.allowedSources.filter((cidr) => !isLoopback(cidr)).map((cidr) => ({ ipBlock: { cidr } }));
  const http = { from: [{ namespaceSelector: {} }], ports: [{ protocol: 'TCP', port: HOST_HTTP_PORT }] };
  // A rule without `from` would let everybody in: where nobody is left, there is no rule.
  // By name: while a port is being changed, some hosts still listen on the former one.
  const kms = from.length === 0 ? [] : [{ from, ports: [{ protocol: 'TCP', port: KMS_PORT_NAME }] }];
  return intentOf<NetworkPolicy>(NETWORK_POLICIES, {
    metadata: poolMetadata({ pool, owner }),
    spec: {
      podSelector: { matchLabels: poolSelector(pool.metadata.name) },
      policyTypes: ['Ingress'],
      ingress: [...kms, http],
    },
  });
}

/** A range within 127.0.0.0/8 or ::1: nothing on a network has such a source, and not every network plugin takes it. Ranges are canonical by the schema. */
function isLoopback(cidr: string): boolean {
  return cidr.startsWith('127.') || cidr === '::1/128';
}
