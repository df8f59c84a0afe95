// SPDX-License-Identifier: Apache-2.0
//
// Codes about product keys and phone activation that the computer itself comes to. A KMS host has no part in them, but an
// administrator meets them on the same screen.

import type { Hresult } from '../types.ts';

const MAK = ['MAK'] as const;
const NO_POOL = { en: 'Nothing: a pool knows no product keys.', ko: '없음. 풀은 제품 키를 알지 못합니다.' } as const;

export const KEY_CODES: readonly Hresult[] = [
  {
    code: 0x80070490,
    symbol: 'KeyDidNotWork',
    decidedBy: 'client',
    activation: MAK,
    texts: {
      en: {
        meaning: 'The product key that was entered did not work.',
        remedy: 'Install it from an elevated prompt instead of the settings page: slmgr -ipk KEY.',
        cause: 'A wrong MAK, or a known fault of the settings page of Windows Server 2019.',
        steps: ['Check the key and the edition it is for.', 'In an elevated prompt: slmgr -ipk KEY, then slmgr /ato.'],
        pool: NO_POOL.en,
      },
      ko: {
        meaning: '입력한 제품 키가 작동하지 않았습니다.',
        remedy: '설정 화면 대신 관리자 권한 명령 프롬프트에서 설치하세요: slmgr -ipk 키.',
        cause: 'MAK가 잘못되었거나 Windows Server 2019 설정 화면의 알려진 문제입니다.',
        steps: [
          '키와 그 키가 맞는 버전을 확인합니다.',
          '관리자 권한 명령 프롬프트에서 slmgr -ipk 키, 다음 slmgr /ato를 실행합니다.',
        ],
        pool: NO_POOL.ko,
      },
    },
  },
  {
    code: 0xc004f014,
    symbol: 'NoProductKey',
    decidedBy: 'client',
    activation: ['MAK', 'KmsClient'],
    texts: {
      en: {
        meaning: 'No product key is installed on this computer.',
        remedy: 'Install the MAK, or for KMS the client setup key of the edition: slmgr /ipk KEY.',
        cause:
          'The key was skipped at setup or removed. Volume media carry the KMS client setup key in Pid.txt in their \\sources folder.',
        steps: [
          'KMS: take the key from \\sources\\Pid.txt of the media or from Microsoft’s list of KMS client setup keys.',
          'slmgr /ipk KEY, then slmgr /ato.',
        ],
        pool: 'Nothing: such a computer asks no host.',
      },
      ko: {
        meaning: '이 컴퓨터에 설치된 제품 키가 없습니다.',
        remedy: 'MAK를 설치하거나 KMS라면 버전에 맞는 클라이언트 설치 키를 설치하세요: slmgr /ipk 키.',
        cause:
          '설치할 때 키를 건너뛰었거나 제거했습니다. 볼륨 미디어의 \\sources 폴더에 있는 Pid.txt에 KMS 클라이언트 설치 키가 있습니다.',
        steps: [
          'KMS라면 미디어의 \\sources\\Pid.txt나 Microsoft의 KMS 클라이언트 설치 키 목록에서 키를 찾습니다.',
          'slmgr /ipk 키, 다음 slmgr /ato를 실행합니다.',
        ],
        pool: '없음. 이런 컴퓨터는 호스트에 묻지 않습니다.',
      },
    },
  },
  {
    code: 0xc004f02c,
    symbol: 'OfflineDataMalformed',
    decidedBy: 'client',
    activation: ['MAK', 'KmsClient'],
    texts: {
      en: {
        meaning: 'The data of an activation by phone has the wrong format.',
        remedy: 'Type the confirmation ID again, all groups and digits.',
        cause: 'The confirmation ID (CID) that was entered is not valid for this computer.',
        steps: [
          'Check the confirmation ID group by group.',
          'slmgr /dti shows the installation ID it must belong to; slmgr /atp CID enters it.',
        ],
        pool: NO_POOL.en,
      },
      ko: {
        meaning: '전화 정품 인증의 데이터 형식이 잘못되었습니다.',
        remedy: '확인 ID의 모든 그룹과 숫자를 다시 입력하세요.',
        cause: '입력한 확인 ID(CID)가 이 컴퓨터에 맞지 않습니다.',
        steps: ['확인 ID를 그룹별로 확인합니다.', 'slmgr /dti로 설치 ID를 보고 slmgr /atp 확인ID로 입력합니다.'],
        pool: NO_POOL.ko,
      },
    },
  },
  {
    code: 0xc004f035,
    symbol: 'VolumeKeyNotAllowed',
    decidedBy: 'client',
    activation: ['KmsClient', 'KmsHost'],
    texts: {
      en: {
        meaning: 'This computer may not be activated with a volume licence key.',
        remedy:
          'Use a MAK or a retail key, or a computer that came with a qualifying Windows; by phone if 0x80072EE2 follows.',
        cause:
          'Volume licences of Windows 7 are upgrades. The BIOS lacks the marker of an OEM computer that was sold with Windows, which KMS activation needs.',
        steps: [
          'Check that the computer has a qualifying licence, and that its BIOS carries the OEM marker.',
          'Change the key to a MAK or retail key and activate: slmgr /ipk KEY, slmgr /ato.',
          'By phone: slmgr /dti shows the installation ID, the Licensing Activation Center gives a confirmation ID, slmgr /atp enters it.',
        ],
        pool: 'Nothing: the computer refuses before it asks a host.',
      },
      ko: {
        meaning: '이 컴퓨터는 볼륨 라이선스 키로 정품 인증할 수 없습니다.',
        remedy: 'MAK나 정품(소매) 키, 또는 적격 Windows가 포함된 컴퓨터를 쓰세요. 0x80072EE2가 이어지면 전화로 합니다.',
        cause:
          'Windows 7 볼륨 라이선스는 업그레이드용입니다. Windows와 함께 판매된 OEM 컴퓨터의 표식이 BIOS에 없는데 KMS 정품 인증에는 그것이 필요합니다.',
        steps: [
          '컴퓨터에 적격 라이선스가 있고 BIOS에 OEM 표식이 있는지 확인합니다.',
          '키를 MAK나 소매 키로 바꾸고 정품 인증합니다: slmgr /ipk 키, slmgr /ato.',
          '전화로 하려면 slmgr /dti로 설치 ID를 보고, 라이선싱 정품 인증 센터에서 확인 ID를 받아 slmgr /atp로 입력합니다.',
        ],
        pool: '없음. 호스트에 묻기 전에 컴퓨터가 거부합니다.',
      },
    },
  },
  {
    code: 0xc004f050,
    symbol: 'KeyRejected',
    decidedBy: 'client',
    activation: ['MAK', 'KmsClient', 'KmsHost'],
    texts: {
      en: {
        meaning: 'The product key is invalid: mistyped, or not a key of this edition.',
        remedy: 'Type it anew; in a pasted key replace em dashes (—) by hyphens (-).',
        cause:
          'A typing error, a beta key on a released system, a key of another edition, or a word processor that turned the hyphens of a pasted key into dashes.',
        steps: [
          'Compare the key letter by letter, and the hyphens: they must be the plain character -.',
          'Check that the key is for this very edition.',
          'slmgr /ipk KEY.',
        ],
        pool: NO_POOL.en,
      },
      ko: {
        meaning: '제품 키가 잘못되었습니다. 잘못 입력했거나 이 버전의 키가 아닙니다.',
        remedy: '다시 입력하세요. 붙여 넣은 키라면 em 대시(—)를 하이픈(-)으로 바꿉니다.',
        cause:
          '입력 오류, 정식 버전에 입력한 베타 키, 다른 버전의 키, 또는 붙여 넣은 키의 하이픈을 대시로 바꾼 워드 프로세서가 원인입니다.',
        steps: [
          '키를 한 글자씩 비교하고 하이픈도 확인합니다. 일반 문자 -여야 합니다.',
          '바로 이 버전의 키인지 확인합니다.',
          'slmgr /ipk 키를 실행합니다.',
        ],
        pool: NO_POOL.ko,
      },
    },
  },
];
