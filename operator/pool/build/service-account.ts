// SPDX-License-Identifier: Apache-2.0

// The identity of a pool's Pods towards Kubernetes: one without any right and without a token, for a host never talks to the API server. It is there
// so that nobody gives rights to hosts by giving them to the namespace's default account.
import { SERVICE_ACCOUNTS, type ServiceAccount } from '../kinds.ts';
import { intentOf, type PoolSource, poolMetadata } from './object.ts';

/** The ServiceAccount `<pool>`. */
export function buildServiceAccount({ pool, owner }: PoolSource): ServiceAccount {
  return intentOf(SERVICE_ACCOUNTS, {
    metadata: poolMetadata({ pool, owner }),
    automountServiceAccountToken: false,
  });
}
