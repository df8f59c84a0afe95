// SPDX-License-Identifier: Apache-2.0

// The stable address of one host. A Service for each host, not one for the pool: SRV names hosts, and clients choose among them (RFC 2782).
//
// What a later change of spec.exposure or spec.port does to a live Service:
//   type                 changes in place. From LoadBalancer or NodePort to ClusterIP the outer address and the node ports are given back; going back gives others.
//   loadBalancerClass    may not change while the type is LoadBalancer, nor be removed: the API server answers 422 until the Service is made anew.
//   ipFamilyPolicy       changes in place both ways; the first family stays. RequireDualStack is refused (422) by a cluster of one family.
//   spec.port            changes in place; the node port stays.
//   to PodIP             there is to be no Service: its cluster address is given back and may go to somebody else.
import { hostLabels, LABELS, poolSelector } from '@kmspool/crds';
import { SERVICES, type Service } from '../kinds.ts';
import { annotated, type HostSource, hostMetadata, intentOf, present } from './object.ts';
import { KMS_PORT_NAME } from './pod-template.ts';

/** The Service `<pool>-<ordinal>`; undefined for exposure PodIP. */
export function buildService({ pool, owner, ordinal }: HostSource): Service | undefined {
  const { exposure, port, access } = pool.spec;
  const { type } = exposure;
  if (type === 'PodIP') return undefined;
  const metadata = hostMetadata({ pool, owner, ordinal });
  return intentOf<Service>(SERVICES, {
    metadata: exposure.annotations === undefined ? metadata : annotated(metadata, exposure.annotations),
    // publishNotReadyAddresses is not named: false is its default, and the API server leaves a false one out of what it answers.
    spec: present({
      type,
      ipFamilyPolicy: exposure.ipFamilyPolicy,
      selector: hostSelector(pool.metadata.name, ordinal),
      ports: [{ name: KMS_PORT_NAME, protocol: 'TCP', port, targetPort: KMS_PORT_NAME }],
      // Local keeps the client's address, which allowedSources and the limits go by.
      externalTrafficPolicy: type === 'ClusterIP' ? undefined : (exposure.externalTrafficPolicy ?? 'Local'),
      loadBalancerClass: exposure.loadBalancerClass,
      loadBalancerSourceRanges: type === 'LoadBalancer' ? access.allowedSources : undefined,
    }) as NonNullable<Service['spec']>,
  });
}

/** Labels that select the Pods of one host. A Deployment's selector can never change, so neither may this. */
export function hostSelector(poolName: string, ordinal: number): Record<string, string> {
  return { ...poolSelector(poolName), [LABELS.ordinal]: hostLabels(poolName, ordinal)[LABELS.ordinal] ?? '' };
}
