// SPDX-License-Identifier: Apache-2.0
//
// Reads a pool's Secret from a file: the raw bytes. The only key material there is; there is no option for any other.

import { readFileSync } from 'node:fs';
import { UserError } from '@kmspool/crds';
import { MIN_SECRET_BYTES } from '@kmspool/kms/wire';
import { codeOf } from './pool-file.ts';

/** The Secret in `file`. `field` is what to blame. Throws a UserError when it cannot be read or is too short. */
export function readKeyFile(file: string, field = '--key-file'): Buffer {
  const secret = readBytes(file, field);
  if (secret.length >= MIN_SECRET_BYTES) return secret;
  throw new UserError(
    `${field}: ${file} has ${secret.length} bytes; a pool key needs at least ${MIN_SECRET_BYTES} random ones (head -c ${MIN_SECRET_BYTES} /dev/urandom > FILE)`,
  );
}

function readBytes(file: string, field: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new UserError(`${field}: ${file} cannot be read (${codeOf(error)}); name a file that is there and yours`);
  }
}
