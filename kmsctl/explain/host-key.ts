// SPDX-License-Identifier: Apache-2.0
//
// Which host key a KMS host holds, and on which Windows, as slmgr /dlv tells it: the key by the channel in Description
// (S1-11), the system by the build in the version line (S1-09, S1-10).

import { type HostKey, hostKey } from '@kmspool/kms/catalog';
import type { DlvFinding } from './types.ts';

/** The channel's name after VOLUME_KMS_, and the catalogue's host key. */
const CHANNELS: readonly (readonly [channel: RegExp, product: string])[] = [
  [/^WS25/i, 'WindowsServer2025'],
  [/^WS22/i, 'WindowsServer2022'],
  [/^WS19/i, 'WindowsServer2019'],
  [/^WS16/i, 'WindowsServer2016'],
  [/^2012-?R2/i, 'WindowsServer2012R2'],
  [/^2012/i, 'WindowsServer2012'],
  [/^R2_A/i, 'WindowsServer2008R2GroupA'],
  [/^R2_B/i, 'WindowsServer2008R2GroupB'],
  [/^R2_C/i, 'WindowsServer2008R2GroupC'],
  [/^A\b/i, 'WindowsServer2008GroupA'],
  [/^B\b/i, 'WindowsServer2008GroupB'],
  [/^C\b/i, 'WindowsServer2008GroupC'],
  [/^(?:W|WIN)7/i, 'Windows7'],
  [/^(?:W|WIN)10/i, 'Windows10'],
];

/** Windows by the first three parts of the service's version: the server of that build, and the client. */
const BUILDS: readonly (readonly [build: RegExp, server: string, client: string])[] = [
  [/^6\.0\./, 'WindowsServer2008', 'WindowsVista'],
  [/^6\.1\./, 'WindowsServer2008R2', 'Windows7'],
  [/^6\.2\./, 'WindowsServer2012', 'Windows8'],
  [/^6\.3\./, 'WindowsServer2012R2', 'Windows81'],
  [/^10\.0\.14393/, 'WindowsServer2016', 'Windows10'],
  [/^10\.0\.17763/, 'WindowsServer2019', 'Windows10'],
  [/^10\.0\.20348/, 'WindowsServer2022', 'Windows11'],
  [/^10\.0\.26100/, 'WindowsServer2025', 'Windows11'],
];

/** The host key, or undefined for a channel that the table does not have. */
export function keyOfDlv({ description = '' }: DlvFinding): HostKey | undefined {
  const channel = /VOLUME_KMS_([A-Z0-9_-]+)/i.exec(description)?.[1];
  const product = channel === undefined ? undefined : CHANNELS.find(([pattern]) => pattern.test(channel))?.[1];
  return product === undefined ? undefined : hostKey(product);
}

/** The host's Windows, or undefined for a build that the table does not have. */
export function hostOsOfDlv({ version = '', name = '' }: DlvFinding): string | undefined {
  const row = BUILDS.find(([build]) => build.test(version));
  if (row === undefined) return undefined;
  return /Server/.test(name) ? row[1] : row[2];
}
