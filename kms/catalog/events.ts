// SPDX-License-Identifier: Apache-2.0
//
// The Windows event-log records of volume activation: what they are called and what they carry, in the order of their
// text (Microsoft, "Windows Event Log", table 11 of the volume activation guide; S1-27…S1-32, S1-40…S1-45, S3-66,
// S3-67, S5-22, S5-23). It writes no events; what they mean in words is event-texts.ts.

import { EVENT_TEXTS, type EventId } from './event-texts.ts';
import type { EventField, KmsEvent } from './types.ts';

const SOURCE = 'Microsoft-Windows-Security-SPP';

const HRESULT = field('hresult', 'HRESULT', 'HRESULT');
const FLAGS = field('flags', 'Status flags', '상태 플래그');
const CMID = field('cmid', 'Client machine ID (CMID)', '클라이언트 컴퓨터 ID(CMID)');
const CLIENT_TIME = field('clientTime', 'Client time (UTC)', '클라이언트 시각(UTC)');
const VM = field('isClientVm', 'Virtual machine flag', '가상 머신 플래그');
const LICENSE_STATUS = field('licenseStatus', 'License status', '라이선스 상태');
const MINUTES = field('minutesToExpiry', 'Minutes until the status expires', '상태 만료까지 남은 시간(분)');
const ACTIVATION_ID = field('activationId', 'Activation ID', '정품 인증 ID');
const MINIMUM_COUNT = field('minimumCount', 'Minimum count needed to activate', '정품 인증에 필요한 최소 수');
const DOMAIN = field('domain', 'DNS domain', 'DNS 도메인');

/** By id. */
export const EVENTS: readonly KmsEvent[] = [
  event(12288, 'client', [
    HRESULT,
    FLAGS,
    field('server', 'Host and port', '호스트와 포트'),
    CMID,
    CLIENT_TIME,
    VM,
    LICENSE_STATUS,
    MINUTES,
    ACTIVATION_ID,
    MINIMUM_COUNT,
  ]),
  event(12289, 'client', [
    HRESULT,
    FLAGS,
    field('activated', 'Activation flag', '정품 인증 플래그'),
    field('unused', 'Unused', '사용 안 함'),
    field('count', 'Current count of the host', '호스트의 현재 수'),
    field('activationIntervalMinutes', 'Activation interval (minutes)', '정품 인증 간격(분)'),
    field('renewalIntervalMinutes', 'Renewal interval (minutes)', '갱신 간격(분)'),
    CLIENT_TIME,
  ]),
  event(12290, 'host', [
    HRESULT,
    MINIMUM_COUNT,
    field('workstationName', 'Workstation name', '컴퓨터 이름'),
    CMID,
    CLIENT_TIME,
    VM,
    LICENSE_STATUS,
    MINUTES,
    ACTIVATION_ID,
  ]),
  event(12291, 'host', [HRESULT]),
  event(12292, 'host', [HRESULT]),
  event(12293, 'host', [HRESULT, DOMAIN]),
  event(12294, 'host', [DOMAIN]),
  // For the two events of automatic virtual machine activation Microsoft publishes no field list.
  event(12309, 'guest', []),
  event(12310, 'host', []),
];

const BY_ID: ReadonlyMap<number, KmsEvent> = new Map(EVENTS.map((e) => [e.id, e]));

/** The event with this number, or undefined. */
export function eventById(id: number): KmsEvent | undefined {
  return BY_ID.get(id);
}

function field(name: string, en: string, ko: string): EventField {
  return { name, title: en, titles: { en, ko } };
}

function event(id: EventId, loggedBy: KmsEvent['loggedBy'], fields: readonly EventField[]): KmsEvent {
  const texts = EVENT_TEXTS[id];
  const log = id === 12290 ? 'Key Management Service' : 'Application';
  return { id, title: texts.en.title, loggedBy, source: SOURCE, log, fields, texts };
}
