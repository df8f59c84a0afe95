// SPDX-License-Identifier: Apache-2.0
//
// What Microsoft's activation service says of a multiple activation key (MAK), or that it does not answer.

import type { Hresult } from '../types.ts';

const MAK = ['MAK'] as const;
const NO_POOL = { en: 'Nothing: a pool knows no product keys.', ko: '없음. 풀은 제품 키를 알지 못합니다.' } as const;

export const ACTIVATION_SERVICE_CODES: readonly Hresult[] = [
  {
    code: 0xc004b100,
    symbol: 'ActivationRefused',
    decidedBy: 'activationService',
    activation: MAK,
    texts: {
      en: {
        meaning: 'The activation service determined that this computer cannot be activated.',
        remedy: 'Check that the MAK comes from Microsoft and is valid; ask the Licensing Activation Center.',
        cause: 'This MAK is not supported.',
        steps: [
          'Look the key up in the volume licensing portal.',
          'Ask the Licensing Activation Center whether it is valid.',
        ],
        pool: NO_POOL.en,
      },
      ko: {
        meaning: '정품 인증 서비스가 이 컴퓨터를 정품 인증할 수 없다고 판단했습니다.',
        remedy: 'MAK가 Microsoft에서 받은 유효한 키인지 확인하고 라이선싱 정품 인증 센터에 문의하세요.',
        cause: '이 MAK는 지원되지 않습니다.',
        steps: ['볼륨 라이선스 포털에서 키를 찾습니다.', '유효한지 라이선싱 정품 인증 센터에 묻습니다.'],
        pool: NO_POOL.ko,
      },
    },
  },
  {
    code: 0xc004c001,
    symbol: 'MakInvalid',
    decidedBy: 'activationService',
    activation: MAK,
    texts: {
      en: {
        meaning: 'The activation service determined that the product key is invalid.',
        remedy: 'Check that it is the MAK that Microsoft gave you, letter by letter.',
        cause: 'The MAK that was entered is not valid.',
        steps: ['Compare it with the volume licensing portal.', 'Further help: the Licensing Activation Center.'],
        pool: NO_POOL.en,
      },
      ko: {
        meaning: '정품 인증 서비스가 제품 키가 잘못되었다고 판단했습니다.',
        remedy: 'Microsoft에서 받은 MAK가 맞는지 한 글자씩 확인하세요.',
        cause: '입력한 MAK가 유효하지 않습니다.',
        steps: ['볼륨 라이선스 포털의 키와 비교합니다.', '추가 도움은 라이선싱 정품 인증 센터에서 받습니다.'],
        pool: NO_POOL.ko,
      },
    },
  },
  {
    code: 0xc004c003,
    symbol: 'MakBlocked',
    decidedBy: 'activationService',
    activation: MAK,
    texts: {
      en: {
        meaning: 'The activation service determined that the product key is blocked.',
        remedy: 'Get a new MAK from the Licensing Activation Center, install it and activate.',
        cause: 'The MAK has been blocked on the activation service.',
        steps: ['Ask the Licensing Activation Center for a new MAK.', 'Install Windows again with it, and activate.'],
        pool: NO_POOL.en,
      },
      ko: {
        meaning: '정품 인증 서비스가 제품 키가 차단되었다고 판단했습니다.',
        remedy: '라이선싱 정품 인증 센터에서 새 MAK를 받아 설치하고 정품 인증하세요.',
        cause: '정품 인증 서비스에서 MAK가 차단되었습니다.',
        steps: ['라이선싱 정품 인증 센터에 새 MAK를 요청합니다.', '새 키로 Windows를 다시 설치하고 정품 인증합니다.'],
        pool: NO_POOL.ko,
      },
    },
  },
  {
    code: 0xc004c020,
    symbol: 'MakLimitReached',
    decidedBy: 'activationService',
    activation: MAK,
    texts: {
      en: {
        meaning: 'The multiple activation key has been used as often as it may.',
        remedy: 'Ask the Licensing Activation Center for more activations, or change to KMS.',
        cause: 'A MAK has a limited number of activations, and each reinstalled machine uses one.',
        steps: [
          'Look up the remaining activations in the volume licensing portal or VAMT.',
          'Ask for more, or install the KMS client setup key and activate by KMS.',
        ],
        pool: NO_POOL.en,
      },
      ko: {
        meaning: 'MAK(복수 정품 인증 키)를 허용된 횟수만큼 모두 사용했습니다.',
        remedy: '라이선싱 정품 인증 센터에 횟수를 늘려 달라고 요청하거나 KMS로 전환하세요.',
        cause: 'MAK는 정품 인증 횟수가 정해져 있고 다시 설치한 컴퓨터마다 한 번씩 씁니다.',
        steps: [
          '볼륨 라이선스 포털이나 VAMT에서 남은 횟수를 봅니다.',
          '늘려 달라고 요청하거나 KMS 클라이언트 설치 키를 설치해 KMS로 정품 인증합니다.',
        ],
        pool: NO_POOL.ko,
      },
    },
  },
  {
    code: 0xc004c021,
    symbol: 'MakExtensionLimitReached',
    decidedBy: 'activationService',
    activation: MAK,
    texts: {
      en: {
        meaning: 'The multiple activation key has also used up the extension of its limit.',
        remedy: 'Ask the Licensing Activation Center; a new key may be needed.',
        cause: 'The limit of the MAK had been raised before, and that too is used up.',
        steps: [
          'Find out which machines activate again and again.',
          'Ask the Licensing Activation Center for more activations or a new MAK.',
        ],
        pool: NO_POOL.en,
      },
      ko: {
        meaning: 'MAK(복수 정품 인증 키)의 연장된 한도까지 모두 사용했습니다.',
        remedy: '라이선싱 정품 인증 센터에 문의하세요. 새 키가 필요할 수 있습니다.',
        cause: 'MAK의 한도를 전에 늘린 적이 있고 그것도 다 썼습니다.',
        steps: [
          '어느 컴퓨터가 거듭 정품 인증하는지 찾습니다.',
          '라이선싱 정품 인증 센터에 추가 횟수나 새 MAK를 요청합니다.',
        ],
        pool: NO_POOL.ko,
      },
    },
  },
  {
    code: 0x80072ee2,
    symbol: 'InternetTimeout',
    decidedBy: 'client',
    activation: MAK,
    texts: {
      en: {
        meaning: 'Microsoft’s activation service did not answer in time.',
        remedy: 'Activate by phone, or open the way to the internet and try again.',
        cause: 'The computer has no way to the internet, or a proxy or firewall keeps it from the activation service.',
        steps: [
          'slmgr /dti shows the installation ID.',
          'The Licensing Activation Center gives a confirmation ID for it.',
          'slmgr /atp CID enters it.',
        ],
        pool: 'Nothing: KMS clients never ask the internet.',
      },
      ko: {
        meaning: 'Microsoft 정품 인증 서비스가 제때 응답하지 않았습니다.',
        remedy: '전화로 정품 인증하거나 인터넷 경로를 열고 다시 시도하세요.',
        cause: '컴퓨터가 인터넷에 연결할 수 없거나 프록시나 방화벽이 정품 인증 서비스를 막습니다.',
        steps: [
          'slmgr /dti로 설치 ID를 봅니다.',
          '라이선싱 정품 인증 센터에서 확인 ID를 받습니다.',
          'slmgr /atp 확인ID로 입력합니다.',
        ],
        pool: '없음. KMS 클라이언트는 인터넷에 묻지 않습니다.',
      },
    },
  },
];
