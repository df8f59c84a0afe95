// SPDX-License-Identifier: Apache-2.0
//
// The licence states a client reports, 0–6 (docs/protocol.md §4). Statistics only: no answer depends on them.

import type { LicenseStatus } from './types.ts';

/** By value, 0 to 6. The labels are those of slmgr /dlv's cumulative counters (S1-24), which have no line for 6. */
export const LICENSE_STATUSES: readonly LicenseStatus[] = [
  row(0, 'unlicensed', 'Unlicensed', {
    en: {
      name: 'Unlicensed',
      meaning: 'Without a licence; for Windows this is a passing state, for Office it is not.',
    },
    ko: {
      name: '라이선스 없음',
      meaning: '라이선스가 없습니다. Windows에서는 잠깐의 상태이고 Office에서는 그렇지 않습니다.',
    },
  }),
  row(1, 'licensed', 'Licensed', {
    en: { name: 'Licensed', meaning: 'Activated; a KMS client for 180 days, renewed every 7.' },
    ko: { name: '사용 허가됨', meaning: '정품 인증되었습니다. KMS 클라이언트는 180일 동안이며 7일마다 갱신합니다.' },
  }),
  row(2, 'oob_grace', 'Initial grace period', {
    en: { name: 'Out-of-box grace', meaning: 'Newly installed and not activated yet: 30 days, a try every two hours.' },
    ko: {
      name: '초기 유예 기간',
      meaning: '새로 설치되어 아직 정품 인증되지 않았습니다. 30일 동안 두 시간마다 시도합니다.',
    },
  }),
  row(3, 'oot_grace', 'License expired or Hardware out of tolerance', {
    en: {
      name: 'Out-of-tolerance grace',
      meaning: 'The 180 days are over, or the hardware changed: 30 days to activate again.',
    },
    ko: {
      name: '허용 오차 초과 유예',
      meaning: '180일이 지났거나 하드웨어가 바뀌었습니다. 30일 안에 다시 정품 인증해야 합니다.',
    },
  }),
  row(4, 'non_genuine_grace', 'Non-genuine grace period', {
    en: { name: 'Non-genuine grace', meaning: 'Found not to be genuine; it goes on running for a while.' },
    ko: { name: '비정품 유예 기간', meaning: '정품이 아닌 것으로 확인되었습니다. 한동안은 계속 실행됩니다.' },
  }),
  row(5, 'notification', 'Notification', {
    en: { name: 'Notification', meaning: 'The grace period is over: the computer works on and reminds its user.' },
    ko: { name: '알림', meaning: '유예 기간이 끝났습니다. 컴퓨터는 작동하며 사용자에게 알립니다.' },
  }),
  row(6, 'extended_grace', 'Extended grace period', {
    en: { name: 'Extended grace', meaning: 'A grace period that was extended, as after slmgr /rearm.' },
    ko: { name: '연장된 유예 기간', meaning: 'slmgr /rearm 뒤와 같이 연장된 유예 기간입니다.' },
  }),
];

/** The state with this value, or undefined: a client may send any u32. */
export function licenseStatus(value: number): LicenseStatus | undefined {
  return LICENSE_STATUSES[value];
}

/** The metric label of a state; `unknown` for anything but 0–6, so that a client cannot make labels. */
export function licenseStatusSlug(value: number): string {
  return LICENSE_STATUSES[value]?.slug ?? 'unknown';
}

function row(value: number, slug: string, dlvLabel: string, texts: LicenseStatus['texts']): LicenseStatus {
  return { value, name: texts.en.name, dlvLabel, slug, texts };
}
