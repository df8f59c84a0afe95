// SPDX-License-Identifier: Apache-2.0

// The two Secrets that the operator makes when they are absent, and never writes again: they are created, not applied, and carry no hash of what they
// hold. The random bytes come from the caller.
import {
  ANNOTATIONS,
  adminSecretName as adminName,
  defaultKeySecretName,
  type KmsHostPool,
  poolLabels,
  SECRET_KEYS,
} from '@kmspool/crds';
import { derivePoolKeys, poolIdText } from '@kmspool/kms/wire';
import { apiVersionOf } from '../../runtime/index.ts';
import { SECRETS, type Secret } from '../kinds.ts';
import { namespaceOf, type PoolSource, poolMetadata } from './object.ts';

/** Bytes that a fresh key or token is made of. */
export const SECRET_BYTES = 32;

/** What a Secret is made from. */
export interface SecretSource extends PoolSource {
  /** {@link SECRET_BYTES} random bytes. */
  readonly bytes: Uint8Array;
}

/** Name of the Secret that holds the pool's identity. */
export function keySecretName({ metadata, spec }: KmsHostPool): string {
  return spec.keySecretRef?.name ?? defaultKeySecretName(metadata.name);
}

/** Name of the Secret that holds the token for the hosts' HTTP interface. */
export function adminSecretName({ metadata }: KmsHostPool): string {
  return adminName(metadata.name);
}

/**
 * The Secret that is the pool. It has no owner: it outlives the pool, and the same Secret is the same pool again.
 * @throws RangeError unless there are 32 bytes.
 */
export function buildKeySecret({ pool, owner, bytes }: SecretSource): Secret {
  checkLength(bytes);
  const poolId = poolIdText(derivePoolKeys(Buffer.from(bytes)).poolId);
  return secretOf({
    metadata: {
      name: keySecretName(pool),
      namespace: namespaceOf(owner),
      labels: poolLabels(pool.metadata.name),
      annotations: { [ANNOTATIONS.poolId]: poolId },
    },
    data: { [SECRET_KEYS.poolKey]: Buffer.from(bytes).toString('base64') },
  });
}

/** The Secret with the admin token, as base64url text; it goes with the pool. @throws RangeError unless there are 32 bytes. */
export function buildAdminSecret({ pool, owner, bytes }: SecretSource): Secret {
  checkLength(bytes);
  const token = Buffer.from(bytes).toString('base64url');
  return secretOf({
    metadata: poolMetadata({ pool, owner }, adminSecretName(pool)),
    data: { [SECRET_KEYS.adminToken]: Buffer.from(token).toString('base64') },
  });
}

function secretOf({ metadata, data }: Pick<Secret, 'metadata'> & { readonly data: Record<string, string> }): Secret {
  return { apiVersion: apiVersionOf(SECRETS), kind: SECRETS.kind, metadata, type: 'Opaque', immutable: true, data };
}

function checkLength({ length }: Uint8Array): void {
  if (length !== SECRET_BYTES)
    throw new RangeError(`a Secret is made of ${SECRET_BYTES} random bytes, not of ${length}`);
}
