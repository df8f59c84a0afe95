// SPDX-License-Identifier: Apache-2.0
//
// For codes that the catalogue does not have: which part of Windows an HRESULT comes from, and the Win32 errors of names,
// networks and RPC that volume activation may bring up. Not a list of all Win32 errors.

import { type Localised, win32OfHresult } from '@kmspool/kms/catalog';

const ERRORS: Readonly<Record<number, Localised>> = {
  2: { en: 'the file was not found', ko: '파일을 찾을 수 없습니다' },
  5: { en: 'access is denied', ko: '액세스가 거부되었습니다' },
  13: { en: 'the data is invalid', ko: '데이터가 잘못되었습니다' },
  53: { en: 'the network path was not found', ko: '네트워크 경로를 찾을 수 없습니다' },
  64: { en: 'the network name is no longer available', ko: '네트워크 이름을 더 이상 사용할 수 없습니다' },
  87: { en: 'a parameter is wrong', ko: '매개 변수가 잘못되었습니다' },
  121: { en: 'the time-out has expired', ko: '제한 시간이 지났습니다' },
  123: { en: 'the name is malformed', ko: '이름의 형식이 잘못되었습니다' },
  1168: { en: 'the element was not found', ko: '요소를 찾을 수 없습니다' },
  1225: { en: 'the other side refused the connection', ko: '상대가 연결을 거부했습니다' },
  1231: { en: 'the network cannot be reached', ko: '네트워크에 연결할 수 없습니다' },
  1232: { en: 'the host cannot be reached', ko: '호스트에 연결할 수 없습니다' },
  1326: { en: 'the user name or password is wrong', ko: '사용자 이름이나 암호가 잘못되었습니다' },
  1460: { en: 'the operation timed out', ko: '작업 시간이 초과되었습니다' },
  1702: { en: 'the RPC binding is invalid', ko: 'RPC 바인딩이 잘못되었습니다' },
  1726: { en: 'the remote procedure call failed', ko: '원격 프로시저 호출에 실패했습니다' },
  1727: {
    en: 'the remote procedure call failed and was not executed',
    ko: '원격 프로시저 호출이 실행되지 않고 실패했습니다',
  },
  1753: { en: 'no endpoint is left to try', ko: '시도할 끝점이 더 없습니다' },
  9001: { en: 'the name server could not read the question', ko: '이름 서버가 질문을 읽지 못했습니다' },
  9005: { en: 'the name server refused', ko: '이름 서버가 거부했습니다' },
  9016: { en: 'the name server rejected the update’s signature', ko: '이름 서버가 업데이트의 서명을 거부했습니다' },
  9017: { en: 'the name server does not know the update’s key', ko: '이름 서버가 업데이트의 키를 알지 못합니다' },
  9018: {
    en: 'the clocks of the updater and the name server differ',
    ko: '업데이트하는 쪽과 이름 서버의 시계가 다릅니다',
  },
  9502: { en: 'the DNS answer is malformed', ko: 'DNS 응답의 형식이 잘못되었습니다' },
  9852: { en: 'no DNS server is configured on this computer', ko: '이 컴퓨터에 DNS 서버가 구성되어 있지 않습니다' },
  10051: { en: 'the network cannot be reached', ko: '네트워크에 연결할 수 없습니다' },
  10054: { en: 'the other side cut the connection', ko: '상대가 연결을 끊었습니다' },
  10060: {
    en: 'the connection timed out: a firewall drops it, or nobody is there',
    ko: '연결 시간이 초과되었습니다. 방화벽이 버리거나 상대가 없습니다',
  },
  10061: {
    en: 'the connection was refused: nothing listens on that port',
    ko: '연결이 거부되었습니다. 그 포트에서 수신 대기하는 것이 없습니다',
  },
  10065: { en: 'there is no route to the host', ko: '호스트로 가는 경로가 없습니다' },
  11001: { en: 'the host name was not found', ko: '호스트 이름을 찾을 수 없습니다' },
  11004: { en: 'the name has no address', ko: '이름에 주소가 없습니다' },
  12007: { en: 'the server’s name could not be resolved', ko: '서버 이름을 확인할 수 없습니다' },
  12029: { en: 'no connection to the server could be made', ko: '서버에 연결할 수 없습니다' },
  12175: { en: 'the secure connection failed', ko: '보안 연결에 실패했습니다' },
};

const FACILITIES: readonly (readonly [prefix: number, text: Localised])[] = [
  [0xc004, { en: 'Windows’ licensing service', ko: 'Windows 라이선스 서비스' }],
  [0x8004, { en: 'an interface’s own codes', ko: '인터페이스 고유의 코드' }],
  [0x8009, { en: 'Windows’ security and cryptography', ko: 'Windows 보안 및 암호화' }],
  [0x8000, { en: 'Windows’ general codes', ko: 'Windows 일반 코드' }],
];

export interface Win32Meaning {
  readonly win32: number;
  /** Undefined for an error that is not in the list. */
  readonly text: Localised | undefined;
}

/** The Win32 error in an HRESULT of 0x8007xxxx, or undefined for another facility. */
export function win32Meaning(code: number): Win32Meaning | undefined {
  const win32 = win32OfHresult(code);
  return win32 === undefined ? undefined : { win32, text: ERRORS[win32] };
}

/** Where a code of another facility comes from, or undefined. */
export function facilityOf(code: number): Localised | undefined {
  return FACILITIES.find(([prefix]) => code >>> 16 === prefix)?.[1];
}
