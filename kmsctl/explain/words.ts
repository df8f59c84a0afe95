// SPDX-License-Identifier: Apache-2.0
//
// The words around what is explained: headings, labels and the names of catalogue values, in every language.

import type { ActivationType, Decider, Localised } from '@kmspool/kms/catalog';
import type { CodeForm, DlvRole } from './types.ts';

export const WORDS = {
  activation: { en: 'Activation', ko: '정품 인증 유형' },
  decidedBy: { en: 'Decided by', ko: '판단 주체' },
  cause: { en: 'Why', ko: '원인' },
  steps: { en: 'What to do', ko: '할 일' },
  inPool: { en: 'In a pool', ko: '풀에서 볼 것' },
  fields: { en: 'Fields', ko: '필드' },
  loggedBy: { en: 'Logged by', ko: '기록하는 쪽' },
  log: { en: 'Log', ko: '로그' },
  next: { en: 'Next', ko: '다음' },
  together: { en: 'All of it together', ko: '종합' },
  pool: { en: 'In pool {pool} now', ko: '지금 {pool} 풀에서' },
  more: {
    en: 'More, with causes and steps: add --long.',
    ko: '원인과 단계까지 보려면 --long을 붙이세요.',
  },
  home: {
    en: 'At home, without an administrator: https://support.microsoft.com/windows has help on activation errors.',
    ko: '관리자가 없는 가정용 컴퓨터라면 https://support.microsoft.com/windows 에서 정품 인증 오류 도움말을 보세요.',
  },
  unknown: {
    en: '{code} is no code of volume activation that the catalogue knows.',
    ko: '{code} 코드는 카탈로그에 없는 볼륨 정품 인증 코드입니다.',
  },
  win32: {
    en: 'It is HRESULT_FROM_WIN32 of error {win32}: {text}.',
    ko: 'Win32 오류 {win32}의 HRESULT입니다: {text}.',
  },
  win32Unknown: {
    en: 'It is HRESULT_FROM_WIN32 of error {win32}; on Windows, net helpmsg {win32} tells its text.',
    ko: 'Win32 오류 {win32}의 HRESULT입니다. Windows에서 net helpmsg {win32}로 설명을 볼 수 있습니다.',
  },
  facility: { en: 'Its first half says that it comes from {text}.', ko: '앞부분은 {text}에서 온 코드임을 나타냅니다.' },
  slui: { en: 'On Windows: slui 0x2a {code}', ko: 'Windows에서: slui 0x2a {code}' },
  nothing: {
    en: 'Nothing in it is known: no code, no event, no slmgr /dlv, ipconfig /all or nslookup of _vlmcs._tcp.',
    ko: '알 수 있는 것이 없습니다. 코드, 이벤트, slmgr /dlv, ipconfig /all, _vlmcs._tcp의 nslookup이 아닙니다.',
  },
  ipconfig: { en: 'ipconfig /all of {name}', ko: '{name}의 ipconfig /all' },
  nslookup: { en: 'nslookup of _vlmcs._tcp', ko: '_vlmcs._tcp의 nslookup' },
  key: { en: 'A product key', ko: '제품 키' },
  event: { en: 'Event {id}', ko: '이벤트 {id}' },
  thisComputer: { en: 'a client', ko: '클라이언트' },
} as const satisfies Readonly<Record<string, Localised>>;

export const ACTIVATION_NAMES: Readonly<Record<ActivationType, Localised>> = {
  MAK: { en: 'MAK', ko: 'MAK' },
  KmsClient: { en: 'KMS client', ko: 'KMS 클라이언트' },
  KmsHost: { en: 'KMS host', ko: 'KMS 호스트' },
};

export const DECIDER_NAMES: Readonly<Record<Decider, Localised>> = {
  host: { en: 'the KMS host', ko: 'KMS 호스트' },
  client: { en: 'the computer itself', ko: '해당 컴퓨터' },
  dns: { en: 'the name server', ko: '이름 서버' },
  activationService: { en: 'Microsoft’s activation service', ko: 'Microsoft 정품 인증 서비스' },
};

export const LOGGER_NAMES: Readonly<Record<'host' | 'client' | 'guest', Localised>> = {
  host: { en: 'the KMS host', ko: 'KMS 호스트' },
  client: { en: 'the KMS client', ko: 'KMS 클라이언트' },
  guest: { en: 'the guest', ko: '게스트' },
};

export const ROLE_NAMES: Readonly<Record<DlvRole, Localised>> = {
  host: { en: 'slmgr /dlv of a KMS host', ko: 'KMS 호스트의 slmgr /dlv' },
  client: { en: 'slmgr /dlv of a KMS client', ko: 'KMS 클라이언트의 slmgr /dlv' },
  mak: { en: 'slmgr /dlv of a computer with a MAK', ko: 'MAK를 쓰는 컴퓨터의 slmgr /dlv' },
  other: { en: 'slmgr /dlv', ko: 'slmgr /dlv' },
};

/** How a number was taken, where that is not plain to see. */
export const FORM_NAMES: Readonly<Record<CodeForm, Localised | undefined>> = {
  hex: undefined,
  signed: { en: 'given as a signed number', ko: '부호 있는 10진수로 입력됨' },
  unsigned: { en: 'given as a decimal number', ko: '10진수로 입력됨' },
  win32: { en: 'given as a Win32 error', ko: 'Win32 오류로 입력됨' },
  rpcFault: { en: 'given as an RPC fault', ko: 'RPC 오류로 입력됨' },
};

/** A text with its {names} filled in. */
export function filled(text: string, values: Readonly<Record<string, string | number>>): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}
