// SPDX-License-Identifier: Apache-2.0
//
// What can be said of event records, product keys and codes, in every language. When it is said is remarks-events.ts.

import { good, note, problem } from './remark.ts';

export const EVENT_SAYINGS = {
  'asked-host': note([
    'It asked {server}; its state is {state}, and it needs a count of {needed}.',
    '{server}에 물었습니다. 상태는 {state}, 필요한 수는 {needed}입니다.',
  ]),
  'no-host-named': note(['It names no host: none was found.', '호스트 이름이 없습니다. 호스트를 찾지 못한 것입니다.']),
  code: problem(['{code} {symbol}: {meaning}', '{code} {symbol}: {meaning}'], ['{remedy}', '{remedy}']),
  'code-unknown': problem(
    ['{code} is not in the catalogue.', '{code} 코드는 카탈로그에 없습니다.'],
    ['kmsctl explain {code}', 'kmsctl explain {code}'],
  ),
  'request-without-answer': problem(
    [
      'There is no 12289 for it: no answer came. The host was not reached, did not answer, or the answer was lost.',
      '이에 대한 12289가 없습니다. 응답이 오지 않았습니다. 호스트에 연결하지 못했거나, 응답이 없었거나, 응답이 사라졌습니다.',
    ],
    [
      'Test the host and port that it names: Test-NetConnection HOST -Port PORT; look for its event 12290 on the host.',
      '나온 호스트와 포트를 시험하세요: Test-NetConnection 호스트 -Port 포트. 호스트에서 해당 12290 이벤트를 찾습니다.',
    ],
  ),
  'several-hosts-asked': problem(
    [
      'The requests went to {count} different hosts: {hosts}. Licensed hosts count each for itself, so none may reach its threshold.',
      '요청이 호스트 {count}곳으로 갔습니다: {hosts}. 라이선스가 있는 호스트는 각자 세므로 어느 쪽도 임계값에 이르지 못할 수 있습니다.',
    ],
    [
      'Keep as few hosts as possible, and see who runs the others: nslookup -type=all _vlmcs._tcp.',
      '호스트를 최소로 줄이고 나머지를 누가 운영하는지 확인하세요: nslookup -type=all _vlmcs._tcp.',
    ],
  ),
  activated: good([
    'Activated. The host’s count was {count}; renewal every {renewal} minutes.',
    '정품 인증되었습니다. 호스트의 수는 {count}이고 {renewal}분마다 갱신합니다.',
  ]),
  'not-activated-count': problem(
    [
      'Answered but not activated: the host’s count was {count}, and {needed} are needed.',
      '응답은 왔지만 정품 인증되지 않았습니다. 호스트의 수는 {count}이고 {needed}이(가) 필요합니다.',
    ],
    [
      'Let {missing} more machines with distinct CMIDs ask this host; the client tries again every {interval} minutes by itself.',
      'CMID가 서로 다른 컴퓨터 {missing}대가 더 이 호스트에 묻게 하세요. 클라이언트는 {interval}분마다 스스로 다시 시도합니다.',
    ],
  ),
  'not-activated': problem(
    [
      'Answered but not activated; the host’s count was {count}.',
      '응답은 왔지만 정품 인증되지 않았습니다. 호스트의 수는 {count}입니다.',
    ],
    [
      'The HRESULT of this event says why; servers and Office need 5, Windows clients 25.',
      '이 이벤트의 HRESULT가 이유입니다. 서버와 Office는 5, Windows 클라이언트는 25가 필요합니다.',
    ],
  ),
  'client-seen': note([
    '{name} asked; its state is {state}, and it needs a count of {needed}: {kind}.',
    '{name} 컴퓨터가 물었습니다. 상태는 {state}, 필요한 수는 {needed}입니다: {kind}.',
  ]),
  'first-activation': note([
    'It is not activated yet: {days} days are left in this state.',
    '아직 정품 인증되지 않았습니다. 이 상태가 {days}일 남았습니다.',
  ]),
  renewal: note([
    'It renews: {days} days of its activation are left.',
    '갱신 요청입니다. 정품 인증이 {days}일 남았습니다.',
  ]),
  'absurd-minimum': problem(
    [
      'No product asks for a count of {needed}: a test tool. A host that believes it keeps a table of {table} for good.',
      '{needed}을(를) 요구하는 제품은 없습니다. 시험 도구입니다. 이를 받아들인 호스트는 크기 {table}의 표를 계속 유지합니다.',
    ],
    [
      'Stop that program; spec.limits.maxRequiredCount bounds it in a pool.',
      '그 프로그램을 멈추세요. 풀에서는 spec.limits.maxRequiredCount가 제한합니다.',
    ],
  ),
  'one-cmid-many-names': problem(
    [
      'CMID {cmid} comes from {count} machines: {names}. They count as one.',
      'CMID {cmid} 하나를 컴퓨터 {count}대가 씁니다: {names}. 모두 합쳐 하나로 셉니다.',
    ],
    [
      'On each but one: slmgr /rearm and restart; run sysprep /generalize before the image is captured again.',
      '하나만 남기고 각각 slmgr /rearm 후 다시 시작하세요. 이미지를 다시 캡처하기 전에 sysprep /generalize를 실행합니다.',
    ],
  ),
  published: good(['The record in {domain} was written.', '{domain}에 레코드를 썼습니다.']),
  'not-published': problem(
    ['The record in {domain} was not written.', '{domain}에 레코드를 쓰지 못했습니다.'],
    [
      'Before clients are let loose: check permissions on _vlmcs._tcp, dynamic updates of the zone, and the name server; or slmgr /cdns and a record by hand.',
      '클라이언트를 배포하기 전에 _vlmcs._tcp의 권한, 영역의 동적 업데이트, 이름 서버를 확인하거나 slmgr /cdns 후 레코드를 수동으로 만드세요.',
    ],
  ),
  'key-removed': note([
    'A product key was in what you gave; it was taken out before anything else and is neither stored nor shown. Last five: {key}.',
    '입력에 제품 키가 있어 먼저 제거했습니다. 저장하거나 표시하지 않습니다. 마지막 다섯 자: {key}.',
  ]),
  'key-dashes': problem(
    [
      'Its groups are joined by dashes, not hyphens: slmgr /ipk then fails with 0xC004F050.',
      '그룹이 하이픈이 아니라 대시로 이어져 있습니다. slmgr /ipk가 0xC004F050으로 실패합니다.',
    ],
    [
      'Type the hyphens anew; word processors turn them into dashes.',
      '하이픈을 다시 입력하세요. 워드 프로세서가 대시로 바꿉니다.',
    ],
  ),
  'key-joiner': problem(
    [
      'Its groups are not joined by hyphens: slmgr /ipk then fails with 0xC004F050.',
      '그룹이 하이픈으로 이어져 있지 않습니다. slmgr /ipk가 0xC004F050으로 실패합니다.',
    ],
    ['Write five groups of five, with hyphens between.', '다섯 글자씩 다섯 그룹을 하이픈으로 이어 쓰세요.'],
  ),
  'key-known': note(['It ends like the setup key of {products}.', '{products}의 설치 키와 끝이 같습니다.']),
} as const;
