// SPDX-License-Identifier: Apache-2.0

// Whose pool is it? The Secret alone says so (docs/pool-reference.md, keySecretRef). Pure. A pool that has had an identity never gets another one in silence.
import { SECRET_KEYS } from '@kmspool/crds';
import { MIN_SECRET_BYTES } from '@kmspool/kms/wire';
import { adminSecretName, keySecretName } from './build/secret.ts';
import type { Identity, Step } from './state.ts';
import type { World } from './world.ts';

/** Judges the Secret against what the status remembers. */
export function judgeIdentity(world: World): Identity {
  const { keySecret } = world;
  const name = keySecretName(world.pool);
  const known = world.object.status?.poolId;
  if (keySecret === undefined) {
    if (known === undefined) return { kind: 'toMake' };
    return refused(
      'KeyChanged',
      `Secret ${name} is gone, and with it the identity ${known}; restore it from a copy, or delete the pool and apply it anew to begin with a new key and an empty count`,
    );
  }
  if (keySecret.poolId === undefined) {
    const bytes = keySecret.keyBytes;
    const what =
      bytes === undefined ? `has no data.${SECRET_KEYS.poolKey}` : `has ${bytes} bytes in data.${SECRET_KEYS.poolKey}`;
    return refused('KeyInvalid', `Secret ${name} ${what}; put at least ${MIN_SECRET_BYTES} random bytes there`);
  }
  if (known !== undefined && known !== keySecret.poolId)
    return refused(
      'KeyChanged',
      `Secret ${name} gives the identity ${keySecret.poolId}, and the pool is ${known}; restore the former Secret, or delete the pool and apply it anew`,
    );
  return { kind: 'known', poolId: keySecret.poolId };
}

function refused(reason: 'KeyChanged' | 'KeyInvalid', message: string): Identity {
  return { kind: 'refused', reason, message };
}

/** The admin token is made when it is missing; one that the user brought stays as it is. */
export function adminSecretSteps(world: World): Step[] {
  return world.adminSecret === undefined
    ? [{ kind: 'makeSecret', secret: 'admin', name: adminSecretName(world.pool) }]
    : [];
}
