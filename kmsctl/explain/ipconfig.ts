// SPDX-License-Identifier: Apache-2.0
//
// Reads `ipconfig /all` (S2-15), in English and Korean: what a client needs to find a KMS host by DNS.

import { isIP } from 'node:net';
import type { IpconfigFinding } from './types.ts';

type Field = 'hostName' | 'primary' | 'search' | 'connection' | 'address' | 'gateway' | 'dns' | 'other';

const LABELS: readonly (readonly [label: RegExp, field: Field])[] = [
  [/^(?:host name|호스트 이름)/i, 'hostName'],
  [/^(?:primary dns suffix|주 dns 접미사)/i, 'primary'],
  [/^(?:dns suffix search list|dns 접미사 검색 목록)/i, 'search'],
  [/^(?:connection-specific dns suffix(?: search list)?|연결별 dns 접미사)/i, 'connection'],
  [/^(?:autoconfiguration |자동 구성 )?(?:ip(?:v[46])?[- ]?(?:address|주소))/i, 'address'],
  [/^(?:link-local ipv6|링크-로컬 ipv6|temporary ipv6|임시 ipv6)/i, 'other'],
  [/^(?:default gateway|기본 게이트웨이)/i, 'gateway'],
  [/^(?:dns servers?|dns 서버)/i, 'dns'],
];

/** `   Host Name . . . . . . . . . . . . : PC1`: the dots are what tells it from other output. */
const LINE = /^\s*(\S.*?)\s*(?:\.\s){1,}\.?\s*:\s*(.*)$/;

const FURTHER = /^\s{10,}\S+\s*$/;

type Found = Record<Field, string[]>;

/** What is on the client, or undefined if the text is no ipconfig /all. */
export function parseIpconfig(text: string): IpconfigFinding | undefined {
  const found = read(text.split(/\r?\n/));
  if (found === undefined) return undefined;
  return {
    kind: 'ipconfig',
    hostName: found.hostName[0],
    primarySuffix: found.primary[0]?.toLowerCase(),
    searchList: lower(found.search),
    connectionSuffixes: lower(found.connection),
    addresses: found.address.filter((each) => isIP(each) !== 0),
    gateways: found.gateway.filter((each) => isIP(each) !== 0),
    dnsServers: found.dns.filter((each) => isIP(each) !== 0),
  };
}

/** The values under each label; undefined where fewer than two labels are known. */
function read(lines: readonly string[]): Found | undefined {
  const found: Found = {
    hostName: [],
    primary: [],
    search: [],
    connection: [],
    address: [],
    gateway: [],
    dns: [],
    other: [],
  };
  const known = new Set<string>();
  let field: Field = 'other';
  for (const line of lines) {
    const [label, value] = split(line);
    if (label !== undefined) field = fieldOf(label);
    if (label !== undefined && field !== 'other') known.add(label);
    if (value !== '') found[field].push(value);
  }
  return known.size < 2 ? undefined : found;
}

/** A further value of the field above stands alone, deep in the line; any other text ends that field. */
function split(line: string): readonly [label: string | undefined, value: string] {
  const labelled = LINE.exec(line);
  if (labelled !== null) return [labelled[1] ?? '', clean(labelled[2] ?? '')];
  const value = clean(line);
  return value === '' || FURTHER.test(line) ? [undefined, value] : ['', value];
}

function fieldOf(label: string): Field {
  return LABELS.find(([pattern]) => pattern.test(label.trim()))?.[1] ?? 'other';
}

/** Without `(Preferred)`, and without the zone of a link-local address. */
function clean(value: string): string {
  return value
    .trim()
    .replace(/\s*\([^)]*\)?\s*$/, '')
    .replace(/%\w+$/, '');
}

function lower(names: readonly string[]): string[] {
  return [...new Set(names.map((name) => name.toLowerCase().replace(/\.$/, '')))];
}
