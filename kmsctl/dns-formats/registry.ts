// SPDX-License-Identifier: Apache-2.0
//
// Registry export files (.reg) with a KMS host's DNS settings: DnsDomainPublishList and DisableDnsPublishing, at the place of
// Windows 7 and later or at Vista's (S2-09, S3-61, S3-64, S3-65, S3-72). Other values are skipped unread and never quoted: the same
// key holds a backup of the machine's product key.

import { no, type Parsed, type PublishList, parseEntries, publishLine } from './publish-list.ts';

/** Where the licensing service keeps its settings, by generation. */
export const REGISTRY_PLACES = {
  SoftwareProtectionPlatform:
    'HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\SoftwareProtectionPlatform',
  /** Vista and Server 2008. */
  SL: 'HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\SL',
} as const;
export type RegistryPlace = keyof typeof REGISTRY_PLACES;

export interface RegistrySettings {
  readonly place: RegistryPlace;
  /** Undefined where the value is not there: the host then publishes in its own domain only (S3-61). */
  readonly list: PublishList | undefined;
  /** DisableDnsPublishing, 0 or absent: true (S2-09). */
  readonly publish: boolean;
  /** What the user should know, in one line each. */
  readonly notes: readonly string[];
}

const HEADERS = { 'Windows Registry Editor Version 5.00': 5, REGEDIT4: 4 } as const;
const BYTES_A_LINE = 25;

/** The text of a file as Windows and others write it: UTF-16 or UTF-8 with or without byte order mark. */
export function decodeText(bytes: Uint8Array): string {
  const [a, b] = bytes;
  if (a === 0xfe && b === 0xff) return new TextDecoder('utf-16be').decode(bytes);
  const utf16 = (a === 0xff && b === 0xfe) || (a !== undefined && a !== 0 && b === 0);
  return new TextDecoder(utf16 ? 'utf-16le' : 'utf-8').decode(bytes);
}

/** UTF-16LE with byte order mark, as `regedit` and `reg import` expect it. */
export function encodeReg(text: string): Buffer {
  return Buffer.from(`\ufeff${text}`, 'utf16le');
}

export function isRegText(text: string): boolean {
  return Object.keys(HEADERS).some((header) => text.trimStart().startsWith(header));
}

/** The settings in a .reg text. Where both places are in it, the newer one is read. */
export function parseReg(text: string): Parsed<RegistrySettings> {
  const version = text.trimStart().startsWith('REGEDIT4') ? 4 : 5;
  const values = valuesByPlace(text);
  const places = (['SoftwareProtectionPlatform', 'SL'] as const).filter((place) => values[place].size > 0);
  const [place, other] = places;
  if (place === undefined) {
    return no(
      'there is no DnsDomainPublishList and no DisableDnsPublishing in it; export the subkey SoftwareProtectionPlatform (on Vista and Server 2008: SL) below HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion',
    );
  }
  const notes = other === undefined ? [] : [`both places are in it; ${place} is used, ${other} is not`];
  const disable = values[place].get('disablednspublishing');
  const publish = disable === undefined ? { ok: true as const, value: true } : parseDisable(disable);
  if (!publish.ok) return publish;
  const raw = values[place].get('dnsdomainpublishlist');
  if (raw === undefined) return { ok: true, value: { place, list: undefined, publish: publish.value, notes } };
  const list = parseMultiText(raw, version);
  if (!list.ok) return list;
  const entries = parseEntries(
    list.value.map((line, at) => ({ text: line, where: `DnsDomainPublishList, entry ${at + 1}` })),
  );
  if (!entries.ok) return entries;
  return { ok: true, value: { place, list: { entries: entries.value }, publish: publish.value, notes } };
}

type Values = Record<RegistryPlace, Map<string, string>>;
const WANTED: readonly string[] = ['dnsdomainpublishlist', 'disablednspublishing'];

/** The raw text of the two values at each place, by lower-case name. */
function valuesByPlace(text: string): Values {
  const values: Values = { SoftwareProtectionPlatform: new Map(), SL: new Map() };
  let place: RegistryPlace | undefined;
  for (const line of joinedLines(text)) {
    const key = /^\[(-?)([^\]]+)\]$/.exec(line);
    if (key !== null) place = key[1] === '-' ? undefined : placeOf(key[2] ?? '');
    const value = /^"([A-Za-z]+)"\s*=\s*(.*)$/.exec(line);
    const name = value?.[1]?.toLowerCase();
    if (place === undefined || name === undefined || !WANTED.includes(name) || value?.[2] === '-') continue;
    values[place].set(name, value?.[2] ?? '');
  }
  return values;
}

function placeOf(key: string): RegistryPlace | undefined {
  const full = key.replace(/^HKLM\\/i, 'HKEY_LOCAL_MACHINE\\').toLowerCase();
  return (['SoftwareProtectionPlatform', 'SL'] as const).find((place) => REGISTRY_PLACES[place].toLowerCase() === full);
}

/** Lines, those that end in `\` joined with the next. */
function joinedLines(text: string): string[] {
  return text
    .replace(/^\ufeff/, '')
    .replace(/\\[ \t]*(?:\r\n|\r|\n)[ \t]*/g, '')
    .split(/\r\n|\r|\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith(';'));
}

function parseDisable(raw: string): Parsed<boolean> {
  const value = /^dword:([0-9a-f]{1,8})$/i.exec(raw)?.[1];
  if (value === undefined) return no('DisableDnsPublishing is no REG_DWORD; export it anew, or write dword:00000000');
  return { ok: true, value: Number.parseInt(value, 16) === 0 };
}

function parseMultiText(raw: string, version: 4 | 5): Parsed<string[]> {
  const hex = /^hex\(7\):(.*)$/i.exec(raw)?.[1];
  if (hex === undefined)
    return no('DnsDomainPublishList is no REG_MULTI_SZ; in the registry make it a multi-string value');
  const parts = hex.split(',').map((part) => part.trim());
  const bytes = parts.at(-1) === '' ? parts.slice(0, -1) : parts;
  const odd = version === 5 && bytes.length % 2 !== 0;
  if (odd || bytes.some((byte) => !/^[0-9a-f]{1,2}$/i.test(byte))) {
    return no('the bytes of DnsDomainPublishList are damaged; export the subkey again');
  }
  const data = Buffer.from(bytes.map((byte) => Number.parseInt(byte, 16)));
  const text = data.toString(version === 5 ? 'utf16le' : 'latin1');
  return { ok: true, value: text.split('\0').filter((line) => line.trim() !== '') };
}

/** A .reg text, lines ended as Windows does: the host's list, and whether it publishes at all. */
export function regText(list: PublishList, { place, publish }: { place: RegistryPlace; publish: boolean }): string {
  const lines = list.entries.map((entry) => publishLine(entry, place === 'SL'));
  const data = Buffer.from(`${lines.map((line) => `${line}\0`).join('')}\0`, 'utf16le');
  const bytes = [...data].map((byte) => byte.toString(16).padStart(2, '0'));
  const service = place === 'SL' ? 'slsvc' : 'sppsvc';
  const rows = bytes.flatMap((_, at) =>
    at % BYTES_A_LINE === 0 ? [bytes.slice(at, at + BYTES_A_LINE).join(',')] : [],
  );
  return [
    'Windows Registry Editor Version 5.00',
    '',
    `; Then restart the licensing service (net stop ${service} && net start ${service}) and look for event 12294.`,
    `[${REGISTRY_PLACES[place]}]`,
    `"DnsDomainPublishList"=hex(7):${rows.join(',\\\r\n  ')}`,
    `"DisableDnsPublishing"=dword:0000000${publish ? 0 : 1}`,
    '',
    '',
  ].join('\r\n');
}
