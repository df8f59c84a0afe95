// SPDX-License-Identifier: Apache-2.0
//
// Setup keys that are the same for everyone, by name and last five characters: enough to tell from slmgr's "Partial
// Product Key" whether the right one is installed (S1-35). No key is here, and none can be made from what is here.
// Sources: table 6 of the Windows 7 deployment guide (S3-83) and the AVMA page of 2019 (S5-17).

import type { SetupKey } from './types.ts';

/** In the order of the two sources. One AVMA key serves several versions, so its last five stand in several rows. */
export const SETUP_KEYS: readonly SetupKey[] = [
  kmsClient('Windows 7 Professional', 'GPDD4'),
  kmsClient('Windows 7 Professional N', 'QY7MG'),
  kmsClient('Windows 7 Enterprise', 'HVTHH'),
  kmsClient('Windows 7 Enterprise N', 'XCKRJ'),
  kmsClient('Windows HPC Server 2008 R2', '3JCD7'),
  kmsClient('Windows Server 2008 R2 Datacenter', '7M648'),
  kmsClient('Windows Server 2008 R2 Enterprise', 'CPX3Y'),
  kmsClient('Windows Server 2008 R2 for Itanium-based Systems', 'CB83V'),
  kmsClient('Windows Server 2008 R2 Standard', 'R7VHC'),
  kmsClient('Windows Web Server 2008 R2', '6RTM4'),
  ...avma(['Windows Server 2019', 'Windows Server, version 1809'], { Datacenter: 'WMBMW', Standard: '4GF74' }),
  ...avma(['Windows Server 2019'], { Essentials: 'HFV28' }),
  ...avma(['Windows Server, version 1803', 'Windows Server, version 1709', 'Windows Server 2016'], {
    Datacenter: 'CWG3J',
    Standard: '4RHYD',
  }),
  ...avma(['Windows Server 2016'], { Essentials: 'MHBKQ' }),
  ...avma(['Windows Server 2012 R2'], { Datacenter: 'DV4TW', Standard: 'MTB6V', Essentials: 'P36R2' }),
];

/** The setup keys that end in these five characters, in any case; none if it is a key of the site's own. */
export function setupKeysEnding(lastFive: string): readonly SetupKey[] {
  const wanted = lastFive.toUpperCase();
  return SETUP_KEYS.filter((key) => key.lastFive === wanted);
}

function kmsClient(name: string, lastFive: string): SetupKey {
  return { kind: 'KmsClient', name, lastFive };
}

function avma(versions: readonly string[], editions: Readonly<Record<string, string>>): SetupKey[] {
  return versions.flatMap((version) =>
    Object.entries(editions).map(([edition, lastFive]) => ({ kind: 'Avma', name: `${version} ${edition}`, lastFive })),
  );
}
