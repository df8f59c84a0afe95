// SPDX-License-Identifier: Apache-2.0

// Draining nodes takes one host of a pool at a time.
import { poolSelector } from '@kmspool/crds';
import { DISRUPTION_BUDGETS, type PodDisruptionBudget } from '../kinds.ts';
import { intentOf, type PoolSource, poolMetadata } from './object.ts';

/**
 * The PodDisruptionBudget `<pool>` over all hosts. maxUnavailable, not minAvailable: a pool of one must not hold up a drain for ever; its Deployment
 * makes the next Pod elsewhere. A host that is not ready may always be evicted, for it serves nobody and would block the drain.
 */
export function buildDisruptionBudget({ pool, owner }: PoolSource): PodDisruptionBudget {
  return intentOf<PodDisruptionBudget>(DISRUPTION_BUDGETS, {
    metadata: poolMetadata({ pool, owner }),
    spec: {
      maxUnavailable: 1,
      selector: { matchLabels: poolSelector(pool.metadata.name) },
      unhealthyPodEvictionPolicy: 'AlwaysAllow',
    },
  });
}
