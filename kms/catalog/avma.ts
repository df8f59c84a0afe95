// SPDX-License-Identifier: Apache-2.0
//
// Automatic virtual machine activation: which virtualisation host activates which guest (S5-11…S5-13), as typed data
// with lookups. It activates nothing and knows no AVMA key. Sources: Microsoft's "Automatic virtual machine activation"
// page in its 2019 edition, and for 2022 and 2025 hosts and guests in its later ones.

/** Versions of Windows Server that can be host or guest, oldest first: a host activates its own and every earlier one. */
export const AVMA_VERSIONS = [
  'WindowsServer2012R2',
  'WindowsServer2016',
  'WindowsServer2019',
  'WindowsServer2022',
  'WindowsServer2025',
] as const;
export type AvmaVersion = (typeof AVMA_VERSIONS)[number];

export type AvmaEdition = 'Datacenter' | 'Standard' | 'Essentials' | 'DatacenterAzureEdition';

/** A virtualisation host: only the Datacenter edition activates guests. */
export interface AvmaHost {
  readonly version: AvmaVersion;
  readonly edition: 'Datacenter';
  readonly title: string;
  /** Newest first, as in Microsoft's table. */
  readonly guests: readonly AvmaVersion[];
}

/** One version and edition of a guest. */
export interface AvmaGuest {
  readonly version: AvmaVersion;
  readonly edition: AvmaEdition;
  readonly title: string;
}

const YEARS: Readonly<Record<AvmaVersion, string>> = {
  WindowsServer2012R2: '2012 R2',
  WindowsServer2016: '2016',
  WindowsServer2019: '2019',
  WindowsServer2022: '2022',
  WindowsServer2025: '2025',
};

/** S5-13; Essentials ends with 2019, and Azure Edition begins with 2022. */
const EDITIONS: Readonly<Record<AvmaVersion, readonly AvmaEdition[]>> = {
  WindowsServer2012R2: ['Datacenter', 'Standard', 'Essentials'],
  WindowsServer2016: ['Datacenter', 'Standard', 'Essentials'],
  WindowsServer2019: ['Datacenter', 'Standard', 'Essentials'],
  WindowsServer2022: ['Datacenter', 'Standard', 'DatacenterAzureEdition'],
  WindowsServer2025: ['Datacenter', 'Standard', 'DatacenterAzureEdition'],
};

const EDITION_TITLES: Readonly<Record<AvmaEdition, string>> = {
  Datacenter: 'Datacenter',
  Standard: 'Standard',
  Essentials: 'Essentials',
  DatacenterAzureEdition: 'Datacenter: Azure Edition',
};

/** Every host, oldest first. */
export const AVMA_HOSTS: readonly AvmaHost[] = AVMA_VERSIONS.map((version, index) => ({
  version,
  edition: 'Datacenter',
  title: `Windows Server ${YEARS[version]} Datacenter`,
  guests: AVMA_VERSIONS.slice(0, index + 1).reverse(),
}));

/** Every guest, oldest version first. */
export const AVMA_GUESTS: readonly AvmaGuest[] = AVMA_VERSIONS.flatMap((version) =>
  EDITIONS[version].map((edition) => ({
    version,
    edition,
    title: `Windows Server ${YEARS[version]} ${EDITION_TITLES[edition]}`,
  })),
);

/** The versions that a host of this version activates, newest first; none for a version that cannot be a host. */
export function avmaGuestsOf(host: string): readonly AvmaVersion[] {
  return AVMA_HOSTS.find(({ version }) => version === host)?.guests ?? [];
}

/** Whether a host of one version activates a guest of another; false for versions that are not in the table (S5-12). */
export function avmaCovers(host: string, guest: string): boolean {
  return avmaGuestsOf(host).some((version) => version === guest);
}
