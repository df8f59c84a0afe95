// SPDX-License-Identifier: Apache-2.0
/** Turns the system's refusal to listen into one line that says what to change. */
import { UserError } from '@kmspool/crds';

const REMEDIES: Readonly<Record<string, string>> = {
  EADDRINUSE: 'is in use by another process; stop that one or choose another port',
  EACCES: 'may not be used by this user; choose a port from 1024 on',
  EADDRNOTAVAIL: 'is not an address of this machine; choose one that is',
};

/** `field` names what to change, `where` is the address and port that was tried. Other errors are returned as they are. */
export function listenError(error: unknown, field: string, where: string): Error {
  if (!(error instanceof Error)) return new Error(String(error));
  const remedy = REMEDIES[(error as NodeJS.ErrnoException).code ?? ''];
  return remedy === undefined ? error : new UserError(`${field}: ${where} ${remedy}`);
}
