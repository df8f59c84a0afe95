// SPDX-License-Identifier: Apache-2.0
//
// Volume editions of Windows and Windows Server, by product. Only names: no keys, no Microsoft IDs.
// Groups: S3-41 (table 1 of the Windows 7 deployment guide); later generations have none.
// A long-term servicing release that needs a newer host key than its product says so with its own generation
// (Microsoft's KMS activation planning page lists LTSB 2016, LTSC 2019/2021 and LTSC 2024 under later keys).

import type { EditionSeed } from './products.ts';

const CLIENT_N: readonly EditionSeed[] = [
  ['professional', 'Professional', 'ClientVL'],
  ['professional-n', 'Professional N', 'ClientVL'],
  ['enterprise', 'Enterprise', 'ClientVL'],
  ['enterprise-n', 'Enterprise N', 'ClientVL'],
];

const PRO: readonly EditionSeed[] = [
  ['pro', 'Pro'],
  ['pro-n', 'Pro N'],
  ['enterprise', 'Enterprise'],
  ['enterprise-n', 'Enterprise N'],
];

const PRO_10: readonly EditionSeed[] = [
  ...PRO,
  ['pro-for-workstations', 'Pro for Workstations'],
  ['pro-n-for-workstations', 'Pro N for Workstations'],
  ['pro-education', 'Pro Education'],
  ['pro-education-n', 'Pro Education N'],
  ['education', 'Education'],
  ['education-n', 'Education N'],
];

export const WINDOWS_VISTA: readonly EditionSeed[] = [
  ['business', 'Business', 'ClientVL'],
  ['business-n', 'Business N', 'ClientVL'],
  ['enterprise', 'Enterprise', 'ClientVL'],
  ['enterprise-n', 'Enterprise N', 'ClientVL'],
];
export const WINDOWS_7: readonly EditionSeed[] = CLIENT_N;
export const WINDOWS_8: readonly EditionSeed[] = PRO;
export const WINDOWS_81: readonly EditionSeed[] = PRO;
export const WINDOWS_10: readonly EditionSeed[] = [
  ...PRO_10,
  ['enterprise-ltsb-2015', 'Enterprise LTSB 2015'],
  ['enterprise-n-ltsb-2015', 'Enterprise N LTSB 2015'],
  ['enterprise-ltsb-2016', 'Enterprise LTSB 2016', undefined, 6],
  ['enterprise-n-ltsb-2016', 'Enterprise N LTSB 2016', undefined, 6],
  ['enterprise-ltsc-2019', 'Enterprise LTSC 2019', undefined, 7],
  ['enterprise-n-ltsc-2019', 'Enterprise N LTSC 2019', undefined, 7],
  ['enterprise-ltsc-2021', 'Enterprise LTSC 2021', undefined, 7],
  ['enterprise-n-ltsc-2021', 'Enterprise N LTSC 2021', undefined, 7],
];
export const WINDOWS_11: readonly EditionSeed[] = [
  ...PRO_10,
  ['enterprise-ltsc-2024', 'Enterprise LTSC 2024', undefined, 9],
  ['enterprise-n-ltsc-2024', 'Enterprise N LTSC 2024', undefined, 9],
];

export const WINDOWS_SERVER_2008: readonly EditionSeed[] = [
  ['web', 'Windows Web Server 2008', 'A'],
  ['hpc', 'Windows HPC Server 2008', 'A'],
  ['standard', 'Standard', 'B'],
  ['standard-without-hyper-v', 'Standard without Hyper-V', 'B'],
  ['enterprise', 'Enterprise', 'B'],
  ['enterprise-without-hyper-v', 'Enterprise without Hyper-V', 'B'],
  ['datacenter', 'Datacenter', 'C'],
  ['datacenter-without-hyper-v', 'Datacenter without Hyper-V', 'C'],
  ['itanium', 'for Itanium-based Systems', 'C'],
];
export const WINDOWS_SERVER_2008_R2: readonly EditionSeed[] = [
  ['web', 'Windows Web Server 2008 R2', 'A'],
  ['hpc', 'Windows HPC Server 2008 R2', 'A'],
  ['standard', 'Standard', 'B'],
  ['enterprise', 'Enterprise', 'B'],
  ['datacenter', 'Datacenter', 'C'],
  ['itanium', 'for Itanium-based Systems', 'C'],
];
export const WINDOWS_SERVER_2012: readonly EditionSeed[] = [
  ['standard', 'Standard'],
  ['datacenter', 'Datacenter'],
  ['multipoint-standard', 'MultiPoint Standard'],
  ['multipoint-premium', 'MultiPoint Premium'],
];
/** Server 2012 R2, 2016 and 2019. */
export const WINDOWS_SERVER_WITH_ESSENTIALS: readonly EditionSeed[] = [
  ['standard', 'Standard'],
  ['datacenter', 'Datacenter'],
  ['essentials', 'Essentials'],
];
/** Server 2022 and 2025. */
export const WINDOWS_SERVER_WITH_AZURE: readonly EditionSeed[] = [
  ['standard', 'Standard'],
  ['datacenter', 'Datacenter'],
  ['datacenter-azure-edition', 'Datacenter: Azure Edition'],
];
