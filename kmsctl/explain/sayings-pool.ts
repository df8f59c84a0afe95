// SPDX-License-Identifier: Apache-2.0
//
// What can be said of a pool in the light of a finding, in every language. When it is said is pool-facts.ts.

import { good, note, problem } from './remark.ts';

export const POOL_SAYINGS = {
  'count-met': good([
    '{application}: count {count}, enough for {threshold} ({required}).',
    '{application}: 현재 수 {count}, {threshold} 임계값({required})에 충분합니다.',
  ]),
  'count-short': problem(
    [
      '{application}: count {count} of {required} for {threshold}.',
      '{application}: {threshold} 임계값 {required} 중 현재 수 {count}.',
    ],
    ['Machines still missing: {missing}.', '더 필요한 컴퓨터: {missing}대.'],
  ),
  expiring: problem(
    [
      '{application}: entries that expire within {days} days unless they renew: {count} ({names}).',
      '{application}: 갱신하지 않으면 {days}일 안에 만료되는 항목: {count}개({names}).',
    ],
    [
      'See why they do not renew: switched off, gone, or no longer reaching the pool.',
      '갱신하지 않는 이유를 확인하세요. 꺼졌거나, 없어졌거나, 풀에 연결하지 못하는 것입니다.',
    ],
  ),
  conclusion: note([
    '{application}: so the count would be {mended} with every clone mended, and {left} in {days} days if nobody renews; {required} are needed.',
    '{application}: 따라서 복제본을 모두 고치면 {mended}, 아무도 갱신하지 않으면 {days}일 뒤 {left}이(가) 됩니다. 필요한 수는 {required}입니다.',
  ]),
  duplicates: problem(
    [
      'Machine names that share a CMID: {names} ({machines} names, counted as {groups}).',
      'CMID를 함께 쓰는 컴퓨터 이름: {names}(이름 {machines}개를 {groups}(으)로 셈).',
    ],
    [
      'On each clone: slmgr /rearm and restart; sysprep /generalize before the next capture.',
      '복제본마다 slmgr /rearm 후 다시 시작하고, 다음 캡처 전에 sysprep /generalize를 실행하세요.',
    ],
  ),
  'no-duplicates': good(['No CMID is shared by two machine names.', '두 컴퓨터 이름이 함께 쓰는 CMID가 없습니다.']),
  'own-cmid-shared': problem(
    ['This CMID is used by {names}: they count as one.', '이 CMID를 {names}에서 함께 씁니다. 하나로 셉니다.'],
    ['On each but one: slmgr /rearm and restart.', '하나만 남기고 각각 slmgr /rearm 후 다시 시작하세요.'],
  ),
  failures: problem(
    [
      'Requests answered {code} since the hosts started: {count}{products}.',
      '호스트 시작 이후 {code}(으)로 응답된 요청: {count}개{products}.',
    ],
    ['kmsctl events names the machines.', 'kmsctl events에서 컴퓨터를 볼 수 있습니다.'],
  ),
  'no-failures': good(['No request was answered {code} here.', '여기서 {code}(으)로 응답된 요청이 없습니다.']),
  'hosts-ready': good(['{ready} of {total} hosts are ready.', '호스트 {total}개 중 {ready}개가 준비되었습니다.']),
  'hosts-not-ready': problem(
    [
      '{ready} of {total} hosts are ready; not {names}.',
      '호스트 {total}개 중 {ready}개가 준비되었습니다. 준비되지 않음: {names}.',
    ],
    ['{reasons}', '{reasons}'],
  ),
  'dns-agrees': good([
    'DNS: {domain} shows all {desired} hosts.',
    'DNS: {domain}에 호스트 {desired}개가 모두 있습니다.',
  ]),
  'dns-differs': problem(
    [
      'DNS: {domain} shows {observed} of {desired} hosts{why}.',
      'DNS: {domain}에 호스트 {desired}개 중 {observed}개가 있습니다{why}.',
    ],
    [
      'Clients of that domain find no more than those; look at the pool’s publishing, then wait one TTL.',
      '그 도메인의 클라이언트는 그만큼만 찾습니다. 풀의 게시를 확인하고 TTL만큼 기다리세요.',
    ],
  ),
  'dns-foreign': problem(
    [
      'DNS: {domain} also points to {targets}, which is no host of this pool.',
      'DNS: {domain}의 {targets}은(는) 이 풀의 호스트가 아닙니다.',
    ],
    [
      'Find out whose it is; delete the record if that host is gone.',
      '누구의 것인지 확인하고, 없어진 호스트라면 레코드를 지우세요.',
    ],
  ),
  'dns-none': note([
    'The pool is published in no domain: clients need slmgr /skms HOST:PORT.',
    '풀이 게시된 도메인이 없습니다. 클라이언트에 slmgr /skms 호스트:포트가 필요합니다.',
  ]),
  'key-activated': good([
    'Host key {product} on {hostOs} is activated.',
    '{hostOs}의 {product} 호스트 키가 정품 인증되었습니다.',
  ]),
  'key-not-activated': problem(
    ['Host key {product} on {hostOs}: {state} ({code}).', '{hostOs}의 {product} 호스트 키: {state}({code}).'],
    [
      'Clients of its products are answered 0xC004F041 until that is mended.',
      '고칠 때까지 그 제품의 클라이언트는 0xC004F041을 받습니다.',
    ],
  ),
  'keys-listed': note(['The pool’s host keys: {keys}.', '풀의 호스트 키: {keys}.']),
  'clock-good': good([
    'The hosts’ clocks are within {seconds} s of the store’s.',
    '호스트의 시계가 저장소와 {seconds}초 이내입니다.',
  ]),
  'clock-off': problem(
    ['A host’s clock is {seconds} s off the store’s.', '호스트의 시계가 저장소와 {seconds}초 다릅니다.'],
    ['Synchronise that node by NTP.', '그 노드를 NTP로 동기화하세요.'],
  ),
  'store-good': good(['The store answers.', '저장소가 응답합니다.']),
  'store-off': problem(
    ['The store: {state}{stale}.', '저장소: {state}{stale}.'],
    [
      'Hosts answer from their last known table, or tell clients to try another host. Mend the store: nothing has to be done to clients.',
      '호스트는 마지막으로 아는 표로 응답하거나 다른 호스트를 시도하라고 합니다. 저장소를 고치면 클라이언트에는 할 일이 없습니다.',
    ],
  ),
  'cap-large': problem(
    [
      '{application}: the table keeps {cap} entries; a client asked for a count of {asked}.',
      '{application}: 표가 항목 {cap}개를 보관합니다. 클라이언트가 {asked}을(를) 요구했습니다.',
    ],
    [
      'Find it among the events and lower spec.limits.maxRequiredCount.',
      '이벤트에서 찾고 spec.limits.maxRequiredCount를 낮추세요.',
    ],
  ),
  'cap-normal': good([
    'No client has asked for more than a product needs.',
    '제품에 필요한 것보다 많이 요구한 클라이언트가 없습니다.',
  ]),
  'is-pool-host': good(['{host} is a host of this pool.', '{host} 호스트는 이 풀에 속합니다.']),
  'is-foreign-host': problem(
    [
      '{host} is no host of this pool ({hosts}): its clients do not count here.',
      '{host} 호스트는 이 풀({hosts})에 속하지 않습니다. 그 클라이언트는 여기서 세지 않습니다.',
    ],
    [
      'slmgr /ckms on the client and /ato, if it should come here.',
      '이 풀을 써야 한다면 클라이언트에서 slmgr /ckms 다음 /ato를 실행하세요.',
    ],
  ),
  'client-searches': good([
    'The client searches {domains}, where the pool is published.',
    '클라이언트가 풀이 게시된 {domains}을(를) 검색합니다.',
  ]),
  'client-does-not-search': problem(
    [
      'The pool is published in {published}; the client searches {searched}.',
      '풀은 {published}에 게시되어 있고 클라이언트는 {searched}을(를) 검색합니다.',
    ],
    [
      'Add the client’s domain to spec.dns.domains, or the pool’s to the client’s suffix search list.',
      '클라이언트의 도메인을 spec.dns.domains에 추가하거나 풀의 도메인을 클라이언트의 접미사 검색 목록에 추가하세요.',
    ],
  ),
  'no-part': note(['A KMS pool has no part in this.', 'KMS 풀과 관계없는 항목입니다.']),
  truncated: note([
    'There are more clients than were read; the figures on expiry are those of the newest.',
    '읽은 것보다 클라이언트가 많습니다. 만료에 관한 수는 최근 항목만의 것입니다.',
  ]),
} as const;
