// SPDX-License-Identifier: Apache-2.0
//
// Host keys (CSVLKs) and the systems they may be installed on: names and tables, not keys. No key text is here, and
// nothing here could hold one. Sources of the host lists:
// - Vista/2008 and 7/2008 R2 keys: table 2 of the Windows 7 deployment guide (S3-43) and S3-28 (KMS 1.1/1.2 on 2003);
// - 8.1/2012 R2 to 2025: Microsoft's "KMS activation planning" page in its editions from 2016 to 2024. There is no
//   Windows 11 key there: Windows 11 comes under the Server 2022 and 2025 keys only;
// - 8/2012: inferred from that page's note on which older hosts an update enables for Windows 8 and Server 2012;
// - Office 2013 to 2024: "Configure a KMS host computer to activate volume licensed versions of Office" ("at least …")
//   and the Office 2013 volume activation page;
// - Office 2010: Server 2003, 7 and 2008 R2 as published; up to 8.1/2012 R2 inferred, for its licence pack is reported
//   not to install as it is on Server 2016 and later.

import { coverageOfKey } from './cover-rule.ts';
import type {
  HostKey,
  HostKeyProduct,
  HostKeyState,
  HostKeyStateInfo,
  HostOs,
  HostOsName,
  ProductGroup,
} from './types.ts';

/** Oldest first, as in HOST_OS_NAMES. */
export const HOST_OSES: readonly HostOs[] = [
  { name: 'WindowsServer2003', title: 'Windows Server 2003', kind: 'server' },
  { name: 'WindowsVista', title: 'Windows Vista', kind: 'client' },
  { name: 'WindowsServer2008', title: 'Windows Server 2008', kind: 'server' },
  { name: 'Windows7', title: 'Windows 7', kind: 'client' },
  { name: 'WindowsServer2008R2', title: 'Windows Server 2008 R2', kind: 'server' },
  { name: 'Windows8', title: 'Windows 8', kind: 'client' },
  { name: 'WindowsServer2012', title: 'Windows Server 2012', kind: 'server' },
  { name: 'Windows81', title: 'Windows 8.1', kind: 'client' },
  { name: 'WindowsServer2012R2', title: 'Windows Server 2012 R2', kind: 'server' },
  { name: 'Windows10', title: 'Windows 10', kind: 'client' },
  { name: 'WindowsServer2016', title: 'Windows Server 2016', kind: 'server' },
  { name: 'WindowsServer2019', title: 'Windows Server 2019', kind: 'server' },
  { name: 'Windows11', title: 'Windows 11', kind: 'client' },
  { name: 'WindowsServer2022', title: 'Windows Server 2022', kind: 'server' },
  { name: 'WindowsServer2025', title: 'Windows Server 2025', kind: 'server' },
];

const HOSTS_2008: readonly HostOsName[] = ['WindowsServer2003', 'WindowsServer2008'];
const HOSTS_2008_R2: readonly HostOsName[] = ['WindowsServer2003', 'WindowsServer2008', 'WindowsServer2008R2'];

type Row = Omit<HostKey, 'defaultHostOs' | 'covers'>;

/** Every host key, in the order of HOST_KEY_PRODUCTS. */
export const HOST_KEYS: readonly HostKey[] = [
  client('WindowsVista', 'Windows Vista, client volume licence', 1, ['WindowsServer2003', 'WindowsVista']),
  grouped('2008', 'A', 1, HOSTS_2008),
  grouped('2008', 'B', 1, HOSTS_2008),
  grouped('2008', 'C', 1, HOSTS_2008),
  client('Windows7', 'Windows 7, client volume licence', 2, ['WindowsServer2003', 'WindowsVista', 'Windows7']),
  grouped('2008 R2', 'A', 2, HOSTS_2008_R2),
  grouped('2008 R2', 'B', 2, HOSTS_2008_R2),
  grouped('2008 R2', 'C', 2, HOSTS_2008_R2),
  client('Windows8', 'Windows 8', 3, ['WindowsVista', 'Windows7', 'Windows8']),
  server('WindowsServer2012', 'Windows Server 2012', 3, [
    'WindowsServer2008',
    'WindowsServer2008R2',
    'WindowsServer2012',
  ]),
  client('Windows81', 'Windows 8.1', 4, ['WindowsVista', 'Windows7', 'Windows8', 'Windows81']),
  server('WindowsServer2012R2', 'Windows Server 2012 R2', 4, [
    'WindowsServer2008',
    'WindowsServer2008R2',
    'WindowsServer2012',
    'WindowsServer2012R2',
  ]),
  client('Windows10', 'Windows 10', 5, ['Windows7', 'Windows8', 'Windows81', 'Windows10']),
  server('WindowsServer2012R2ForWindows10', 'Windows Server 2012 R2 for Windows 10', 5, [
    'WindowsServer2008R2',
    'WindowsServer2012',
    'WindowsServer2012R2',
  ]),
  server('WindowsServer2016', 'Windows Server 2016', 6, [
    'WindowsServer2012',
    'WindowsServer2012R2',
    'WindowsServer2016',
  ]),
  server('WindowsServer2019', 'Windows Server 2019', 7, [
    'WindowsServer2012R2',
    'WindowsServer2016',
    'WindowsServer2019',
  ]),
  server('WindowsServer2022', 'Windows Server 2022', 8, [
    'WindowsServer2016',
    'WindowsServer2019',
    'WindowsServer2022',
  ]),
  server('WindowsServer2025', 'Windows Server 2025', 9, [
    'WindowsServer2019',
    'WindowsServer2022',
    'WindowsServer2025',
  ]),
  office('Office2010', 'Office 2010', 1, [
    'WindowsServer2003',
    'Windows7',
    'WindowsServer2008R2',
    'Windows8',
    'WindowsServer2012',
    'Windows81',
    'WindowsServer2012R2',
  ]),
  office('Office2013', 'Office 2013', 2, atLeast('Windows7', 'WindowsServer2008R2')),
  office('Office2016', 'Office 2016', 3, atLeast('Windows7', 'WindowsServer2008R2')),
  office('Office2019', 'Office 2019', 4, atLeast('Windows81', 'WindowsServer2012')),
  office('Office2021', 'Office LTSC 2021', 5, atLeast('Windows10', 'WindowsServer2016')),
  office('Office2024', 'Office LTSC 2024', 6, atLeast('Windows10', 'WindowsServer2022')),
];

/** What each state of a host key means to the host, and what a client is answered (docs/protocol.md §9). */
export const HOST_KEY_STATE_INFO: readonly HostKeyStateInfo[] = [
  { state: 'Activated', hostCode: 0, wireCode: 0, title: 'The host is activated with this key.' },
  {
    state: 'NotActivated',
    hostCode: 0xc004f041,
    wireCode: 0xc004f041,
    title: 'The key is installed, but the host has not been activated with it.',
  },
  {
    state: 'Blocked',
    hostCode: 0xc004f051,
    wireCode: 0xc004f041,
    title: 'The activation service has blocked this key.',
  },
  {
    state: 'LimitReached',
    hostCode: 0xc004c008,
    wireCode: 0xc004f041,
    title: 'The key has been used on its six hosts, or ten times on this one.',
  },
];

const KEY_BY_PRODUCT: ReadonlyMap<string, HostKey> = new Map(HOST_KEYS.map((k) => [k.product, k]));
const OS_BY_NAME: ReadonlyMap<string, HostOs> = new Map(HOST_OSES.map((o) => [o.name, o]));
const STATE_INFO: ReadonlyMap<string, HostKeyStateInfo> = new Map(HOST_KEY_STATE_INFO.map((s) => [s.state, s]));

/** The host key of that name, or undefined. */
export function hostKey(product: string): HostKey | undefined {
  return KEY_BY_PRODUCT.get(product);
}

/** The host operating system of that name, or undefined. */
export function hostOs(name: string): HostOs | undefined {
  return OS_BY_NAME.get(name);
}

/** What a state stands for. */
export function hostKeyStateInfo(state: HostKeyState): HostKeyStateInfo {
  const found = STATE_INFO.get(state);
  if (found === undefined) throw new RangeError(`no host key state named ${JSON.stringify(state)}`);
  return found;
}

function client(product: HostKeyProduct, title: string, generation: number, hosts: readonly HostOsName[]): HostKey {
  const group: ProductGroup | undefined = generation <= 2 ? 'ClientVL' : undefined;
  return complete({ product, title, kind: 'client', group, generation, hostOs: hosts });
}

function server(product: HostKeyProduct, title: string, generation: number, hosts: readonly HostOsName[]): HostKey {
  return complete({ product, title, kind: 'server', group: undefined, generation, hostOs: hosts });
}

function grouped(
  version: '2008' | '2008 R2',
  group: 'A' | 'B' | 'C',
  generation: number,
  hosts: readonly HostOsName[],
): HostKey {
  const product: HostKeyProduct =
    version === '2008' ? `WindowsServer2008Group${group}` : `WindowsServer2008R2Group${group}`;
  const title = `Windows Server ${version}, server group ${group}`;
  return complete({ product, title, kind: 'server', group, generation, hostOs: hosts });
}

function office(product: HostKeyProduct, title: string, generation: number, hosts: readonly HostOsName[]): HostKey {
  return complete({ product, title, kind: 'office', group: undefined, generation, hostOs: hosts });
}

function complete(row: Row): HostKey {
  const newest = row.hostOs.at(-1);
  if (newest === undefined) throw new RangeError(`host key ${row.product} has no host OS`);
  return { ...row, defaultHostOs: newest, covers: coverageOfKey(row) };
}

/** Every client system from `firstClient` and every server system from `firstServer` on. */
function atLeast(firstClient: HostOsName, firstServer: HostOsName): readonly HostOsName[] {
  const position = (name: HostOsName): number => HOST_OSES.findIndex((os) => os.name === name);
  const from = { client: position(firstClient), server: position(firstServer) };
  return HOST_OSES.filter((os, index) => index >= from[os.kind]).map((os) => os.name);
}
