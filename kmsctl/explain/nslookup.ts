// SPDX-License-Identifier: Apache-2.0
//
// Reads `nslookup -type=all _vlmcs._tcp` (S2-16), in English and Korean, and the one-line form of other systems. The
// misspelt `_vmlcs` of the documents (C4) is read as what it is, so that it can be told.

import type { NslookupFinding, SrvLine } from './types.ts';

const OWNER = /^\s*(_v(?:lmcs|mlcs)\._tcp\S*)\s+(?:SRV service location|SRV 서비스 위치)\s*:?\s*$/i;
const ONE_LINE = /^\s*(_v(?:lmcs|mlcs)\._tcp\S*)\s+service\s*=\s*(\d+)\s+(\d+)\s+(\d+)\s+(\S+)\s*$/i;
const PART = /^\s*(priority|weight|port|svr hostname|우선 순위|가중치|포트|svr 호스트 이름)\s*=\s*(\S+)\s*$/i;
/** The example of the documents has port and host name on one line. */
const PORT_AND_HOST = /^\s*(?:port|포트)\s*=\s*(\d+)\s+(?:svr hostname|svr 호스트 이름)\s*=\s*(\S+)\s*$/i;
const ADDRESS = /^\s*(\S+)\s+(?:AAAA IPv6 address|internet address|인터넷 주소|IPv6 주소)\s*=\s*(\S+)\s*$/i;
const SERVER = /^\s*(?:default server|server|기본 서버|서버)\s*:\s*(\S+)/i;

const FAILURES: readonly (readonly [words: RegExp, failure: NonNullable<NslookupFinding['failure']>])[] = [
  [/non-existent domain|NXDOMAIN|can't find _v|을\(를\) 찾을 수 없|No (?:all|srv).*records? available/i, 'notFound'],
  [/server failed|SERVFAIL|서버 (?:오류|실패)/i, 'serverFailed'],
  [/query refused|REFUSED|거부/i, 'refused'],
  [/timed[- ]out|no response from server|시간이 초과/i, 'timeout'],
];

const FIELDS: Readonly<Record<string, 'priority' | 'weight' | 'port' | 'target'>> = {
  priority: 'priority',
  '우선 순위': 'priority',
  weight: 'weight',
  가중치: 'weight',
  port: 'port',
  포트: 'port',
  'svr hostname': 'target',
  'svr 호스트 이름': 'target',
};

type Draft = { -readonly [K in keyof SrvLine]: SrvLine[K] };

/** What nslookup said, or undefined if the text is not about `_vlmcs._tcp`. */
export function parseNslookup(text: string): NslookupFinding | undefined {
  const records: Draft[] = [];
  const addresses: Record<string, string[]> = {};
  let server: string | undefined;
  for (const line of text.split(/\r?\n/)) {
    server ??= SERVER.exec(line)?.[1];
    readRecord(line, records);
    const address = ADDRESS.exec(line);
    if (address !== null) {
      const name = hostKeyOf(address[1] ?? '');
      addresses[name] = [...(addresses[name] ?? []), address[2] ?? ''];
    }
  }
  const failure = records.length > 0 ? undefined : failureOf(text);
  const asked = /_v(?:lmcs|mlcs)\._tcp/i.test(text);
  if (records.length === 0 && !(asked && failure !== undefined)) return undefined;
  return { kind: 'nslookup', server, records, addresses, failure };
}

function readRecord(line: string, records: Draft[]): void {
  const owner = OWNER.exec(line)?.[1];
  if (owner !== undefined) {
    records.push({ name: owner, priority: undefined, weight: undefined, port: undefined, target: undefined });
    return;
  }
  const whole = ONE_LINE.exec(line);
  if (whole !== null) {
    const [, name = '', priority, weight, port, target = ''] = whole;
    records.push({
      name,
      priority: Number(priority),
      weight: Number(weight),
      port: Number(port),
      target: dotless(target),
    });
    return;
  }
  const record = records.at(-1);
  if (record === undefined) return;
  const pair = PORT_AND_HOST.exec(line);
  if (pair !== null) {
    record.port = Number(pair[1]);
    record.target = dotless(pair[2] ?? '');
    return;
  }
  const part = PART.exec(line);
  const field = FIELDS[part?.[1]?.toLowerCase() ?? ''];
  if (part === null || field === undefined) return;
  if (field === 'target') record.target = dotless(part[2] ?? '');
  else record[field] = Number(part[2]);
}

function failureOf(text: string): NslookupFinding['failure'] {
  return FAILURES.find(([words]) => words.test(text))?.[1];
}

/** A name as a key: lower case, without its last dot. */
export function hostKeyOf(name: string): string {
  return dotless(name).toLowerCase();
}

function dotless(name: string): string {
  return name.replace(/\.$/, '');
}
