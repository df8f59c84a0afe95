// SPDX-License-Identifier: Apache-2.0

// The rules of a leader's Lease, pure: who may take it, what is written into it, and until when its holder may act. The
// protocol is client-go's, so that both can contend for one lease: times in a lease are for people; what counts is how
// long ago, on one's own clock, one has seen it change.
import { defineResource, type KubernetesObject, type Resource } from './resource.ts';

/** coordination.k8s.io/v1 Lease. */
export interface Lease extends KubernetesObject {
  spec?: {
    holderIdentity?: string;
    leaseDurationSeconds?: number;
    acquireTime?: string;
    renewTime?: string;
    leaseTransitions?: number;
  };
}

/** The kind. */
export const LEASES: Resource<Lease> = defineResource<Lease>({
  group: 'coordination.k8s.io',
  version: 'v1',
  plural: 'leases',
  kind: 'Lease',
  namespaced: true,
});

/** A lease as it was last seen to change. */
export interface Observation {
  readonly lease: Lease;
  /** Monotonic time at which this state was first seen. */
  readonly atMs: number;
}

/** A moment on both clocks. */
export interface Moment {
  readonly wallMs: number;
  readonly monotonicMs: number;
}

/** Keeps the time of the first sight of a state: a lease that does not change grows old. */
export function observe(last: Observation | undefined, lease: Lease, nowMs: number): Observation {
  return last !== undefined && JSON.stringify(last.lease.spec) === JSON.stringify(lease.spec)
    ? { lease, atMs: last.atMs }
    : { lease, atMs: nowMs };
}

/** Whether another one holds the lease and has been seen to renew it within the duration that it wrote into it. */
export function isHeldByAnother(observation: Observation, identity: string, nowMs: number): boolean {
  const { holderIdentity = '', leaseDurationSeconds = 0 } = observation.lease.spec ?? {};
  if (holderIdentity === '' || holderIdentity === identity) return false;
  return observation.atMs + leaseDurationSeconds * 1000 > nowMs;
}

/** The lease as this identity would hold it from now on; a renewal if it holds it already. */
export function heldBy(
  lease: Lease,
  { identity, durationSeconds, nowMs }: { identity: string; durationSeconds: number; nowMs: number },
): Lease {
  const spec = lease.spec ?? {};
  const mine = spec.holderIdentity === identity;
  const taken = spec.holderIdentity !== undefined && !mine;
  return {
    ...lease,
    spec: {
      ...spec,
      holderIdentity: identity,
      leaseDurationSeconds: durationSeconds,
      acquireTime: mine ? (spec.acquireTime ?? microTime(nowMs)) : microTime(nowMs),
      renewTime: microTime(nowMs),
      leaseTransitions: (spec.leaseTransitions ?? 0) + (taken ? 1 : 0),
    },
  };
}

/** The lease given back: no holder, so that the next one need not wait. */
export function released(lease: Lease, nowMs: number): Lease {
  return {
    ...lease,
    spec: {
      ...lease.spec,
      holderIdentity: '',
      leaseDurationSeconds: 1,
      acquireTime: microTime(nowMs),
      renewTime: microTime(nowMs),
    },
  };
}

/**
 * Whether a holder whose last renewal was *sent* at `renewed` may still act. Both clocks must agree: the monotonic one
 * stands still while a machine sleeps, the wall's may be set back.
 */
export function mayAct(renewed: Moment, now: Moment, deadlineMs: number): boolean {
  return now.monotonicMs - renewed.monotonicMs < deadlineMs && now.wallMs - renewed.wallMs < deadlineMs;
}

/** meta/v1 MicroTime. */
function microTime(nowMs: number): string {
  return new Date(nowMs).toISOString().replace('Z', '000Z');
}
