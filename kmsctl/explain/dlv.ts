// SPDX-License-Identifier: Apache-2.0
//
// Reads slmgr /dlv of a KMS host, a KMS client or another computer, as it is copied from a console or a message box
// (S1-08…S1-17, S1-33…S1-39), in English and Korean; kmsctl dlv is read too. Lines that are not known are passed over.

import { LICENSE_STATUSES } from '@kmspool/kms/catalog';
import type { DlvFinding, DlvRole } from './types.ts';

const BLOCK_START = /^\s*(?:Name|이름)\s*:/i;
const MOST_BLOCKS = 8;

/** What follows a label and a colon. */
const LABELS = {
  version: /^(?:software licensing service version|소프트웨어 라이선[스싱] 서비스 버전)\s*:\s*(.+)$/i,
  name: /^(?:name|이름)\s*:\s*(.+)$/i,
  description: /^(?:description|설명)\s*:\s*(.+)$/i,
  partialKey: /^(?:partial product key|부분 제품 키)\s*:\s*([A-Z0-9]{5})$/i,
  license: /^(?:license status|라이선스 상태)\s*:\s*(.+)$/i,
  reason: /^(?:notification reason|알림 이유)\s*:\s*(0x[0-9a-f]{8})/i,
  minutes: /^(?:time remaining|volume activation expiration|남은 시간|볼륨 정품 인증 만료)\s*:\s*(\d+)/i,
  rearms: /^(?:remaining (?:windows|app|sku) rearm count|남은 .*(?:rearm|다시|재설정).*횟수)\s*:\s*(\d+)/i,
  count: /^(?:current count|현재 (?:개수|수|카운트))\s*:\s*(\d+)/i,
  port: /^(?:listening on port|수신 대기(?: 중인)? 포트|다음 포트에서 수신)\s*:\s*(\d+)/i,
  total: /^(?:total requests received|(?:받은 )?(?:총|전체) 요청 수?.*?)\s*:\s*(\d+)/i,
  failed: /^(?:failed requests received|(?:받은 )?실패한 요청 수?.*?)\s*:\s*(\d+)/i,
  cmid: /^(?:client machine id|클라이언트 (?:컴퓨터|머신) ID)\s*\(?(?:CMID)?\)?\s*:\s*([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/i,
  fromDns: /^(?:kms machine name from dns|dns의 kms (?:컴퓨터|머신|시스템) 이름)\s*:\s*(\S+)/i,
  registered: /^(?:registered kms machine name|등록된 kms (?:컴퓨터|머신|시스템) 이름)\s*:\s*(\S+)/i,
  activation: /^(?:activation interval|정품 인증 간격)\s*:\s*(\d+)/i,
  renewal: /^(?:renewal interval|갱신 간격)\s*:\s*(\d+)/i,
} as const;

const OFF = /disabled|not enabled|사용 안|사용하지|사용할 수 없|해제/i;

/** Words of the License Status line, English and Korean. The longest that fits wins. */
const STATE_WORDS: readonly (readonly [words: RegExp, state: number])[] = [
  [/non-genuine|비정품/i, 4],
  [/extended grace|연장|확장/i, 6],
  [/additional grace|out of tolerance|oot|추가 유예|허용/i, 3],
  [/initial grace|out-of-box|oob|초기 유예/i, 2],
  [/notification|알림/i, 5],
  [/unlicensed|사용 허가되지|라이선스 없음|허가 안/i, 0],
  [/licensed|사용 허가됨|라이선스 있음/i, 1],
  [/grace|유예/i, 2],
];

/** Every block of the text that describes a product; empty if the text is no slmgr /dlv. */
export function parseDlv(text: string): DlvFinding[] {
  const lines = text.split(/\r?\n/).map((line) => line.trim());
  const version = first(lines, LABELS.version);
  const starts = lines.flatMap((line, at) => (BLOCK_START.test(line) ? [at] : []));
  const from = starts.length > 0 ? starts : [0];
  return from
    .slice(0, MOST_BLOCKS)
    .map((start, at) => block(lines.slice(start, from[at + 1]), version))
    .filter(isProduct);
}

/** A block that says something of activation; a message's "Name:" line alone is none. */
function isProduct(found: DlvFinding): boolean {
  const { licenseText, count, cmid, description } = found;
  return licenseText !== undefined || count !== undefined || cmid !== undefined || /channel/i.test(description ?? '');
}

function block(lines: readonly string[], version: string | undefined): DlvFinding {
  const text = (label: RegExp): string | undefined => first(lines, label);
  const number = (label: RegExp): number | undefined => numberOf(text(label));
  const licenseText = text(LABELS.license);
  const description = text(LABELS.description);
  const count = number(LABELS.count);
  const cmid = text(LABELS.cmid)?.toLowerCase();
  return {
    kind: 'dlv',
    role: roleOf(description ?? '', count !== undefined, cmid !== undefined),
    version,
    name: text(LABELS.name),
    description,
    partialKey: text(LABELS.partialKey)?.toUpperCase(),
    licenseText,
    state: stateOf(licenseText),
    reasonCode: text(LABELS.reason) === undefined ? undefined : Number(text(LABELS.reason)),
    minutesLeft: number(LABELS.minutes),
    rearmsLeft: number(LABELS.rearms),
    enabled: switchOf(lines, /^key management service is (?:en|dis)abled|키 관리 서비스를 사용/i),
    count,
    port: number(LABELS.port),
    publishing: switchOf(lines, /^dns (?:publishing|게시)/i),
    totalRequests: number(LABELS.total),
    failedRequests: number(LABELS.failed),
    cmid,
    machineFromDns: text(LABELS.fromDns),
    machineRegistered: text(LABELS.registered),
    discoveryFailed: lines.some((line) =>
      /^dns (?:auto-discovery|자동 (?:검색|발견)).*(?:not available|없|불가)/i.test(line),
    ),
    caching: switchOf(lines, /^kms (?:host|호스트) (?:caching|캐싱|캐시)/i),
    activationIntervalMinutes: number(LABELS.activation),
    renewalIntervalMinutes: number(LABELS.renewal),
  };
}

/** The channel in the description decides; where it is missing, the lines that only one of the roles has. */
function roleOf(description: string, hasCount: boolean, hasCmid: boolean): DlvRole {
  if (/VOLUME_KMSCLIENT/i.test(description)) return 'client';
  if (/VOLUME_KMS/i.test(description)) return 'host';
  if (/_MAK\b|MAK channel/i.test(description)) return 'mak';
  if (/channel|채널/i.test(description)) return 'other';
  if (hasCount) return 'host';
  return hasCmid ? 'client' : 'other';
}

/** The licence state that the words stand for; the catalogue's own names are understood too. */
function stateOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const exact = LICENSE_STATUSES.find(({ texts }) => Object.values(texts).some(({ name }) => name === text));
  return exact?.value ?? STATE_WORDS.find(([words]) => words.test(text))?.[1];
}

function switchOf(lines: readonly string[], label: RegExp): boolean | undefined {
  const line = lines.find((each) => label.test(each));
  return line === undefined ? undefined : !OFF.test(line);
}

function first(lines: readonly string[], label: RegExp): string | undefined {
  for (const line of lines) {
    const value = label.exec(line)?.[1]?.trim();
    if (value !== undefined && value !== '') return value;
  }
  return undefined;
}

function numberOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}
