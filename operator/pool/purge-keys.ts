// SPDX-License-Identifier: Apache-2.0

// `store.onDelete: Purge`: reads the Secrets that open Redis, at this moment and not before, and deletes the pool's keys. The deleting is purge.ts.
import type { Client } from '../runtime/index.ts';
import { SECRETS, type Secret } from './kinds.ts';
import { credentialsOf, purgePool, tlsOf } from './purge.ts';
import type { World } from './world.ts';

export interface Purge {
  readonly world: World;
  readonly poolId: string;
  readonly signal: AbortSignal;
}

/** Deletes every key of the pool. @throws Error in one line when Redis or a Secret cannot be reached. */
export async function purgeKeys(client: Client, { world: { pool }, poolId, signal }: Purge): Promise<void> {
  const redis = pool.spec.store?.redis;
  if (redis === undefined) return;
  const { namespace } = pool.metadata;
  const read = async (ref: { readonly name: string } | undefined): Promise<Secret | undefined> =>
    ref === undefined ? undefined : client.get(SECRETS, { namespace, name: ref.name }, { signal });
  const [credentials, authorities, certificate] = await Promise.all([
    read(redis.credentialsSecretRef),
    read(redis.tls?.caSecretRef),
    read(redis.tls?.clientCertificateSecretRef),
  ]);
  await purgePool({
    redis,
    poolId,
    signal,
    ...(credentials === undefined ? {} : { credentials: credentialsOf(credentials) }),
    ...(redis.tls === undefined ? {} : { tls: tlsOf({ redis, authorities, certificate }) }),
  });
}
