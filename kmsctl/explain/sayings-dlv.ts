// SPDX-License-Identifier: Apache-2.0
//
// What can be said of a pasted slmgr /dlv, in every language. When it is said is remarks-dlv.ts.

import { good, note, problem } from './remark.ts';

export const DLV_SAYINGS = {
  licensed: good(['It is licensed.', '사용 허가된 상태입니다.']),
  'notification-reason': note(['Notification reason {code}: {meaning}', '알림 이유 {code}: {meaning}']),
  'host-not-licensed': problem(
    ['License status is “{status}”, not Licensed.', '라이선스 상태가 사용 허가됨이 아니라 “{status}”입니다.'],
    [
      'Activate the host key with Microsoft: slmgr /ato, or slui 4 by phone. Until then clients are answered 0xC004F041.',
      '호스트 키를 Microsoft에서 정품 인증하세요: slmgr /ato 또는 전화로 slui 4. 그때까지 클라이언트는 0xC004F041을 받습니다.',
    ],
  ),
  'not-licensed': problem(
    ['License status is “{status}”, not Licensed.', '라이선스 상태가 사용 허가됨이 아니라 “{status}”입니다.'],
    [
      'Run slmgr /ato and explain the code it reports: a client that stays in grace does not reach its host, or the count is too low.',
      'slmgr /ato를 실행하고 결과 코드를 찾아보세요. 유예 상태에 머무는 클라이언트는 호스트에 연결하지 못하거나 수가 부족합니다.',
    ],
  ),
  'not-licensed-alone': problem(
    ['License status is “{status}”, not Licensed.', '라이선스 상태가 사용 허가됨이 아니라 “{status}”입니다.'],
    ['Run slmgr /ato and explain the code it reports.', 'slmgr /ato를 실행하고 결과 코드를 찾아보세요.'],
  ),
  'host-key': note([
    'Its key is that of {key}: it activates {products}.',
    '{key} 호스트 키입니다. 정품 인증하는 제품: {products}.',
  ]),
  'host-key-misplaced': problem(
    ['A key of {key} does not belong on {os}.', '{key} 호스트 키는 {os}에 설치할 수 없습니다.'],
    ['It goes on {allowed}.', '설치할 수 있는 시스템: {allowed}.'],
  ),
  'not-renewed': problem(
    [
      '{days} of 180 days are left: it has not renewed for about {age} days, and should every 7.',
      '180일 중 {days}일 남았습니다. 약 {age}일 동안 갱신하지 못했습니다. 7일마다 갱신해야 합니다.',
    ],
    ['Look at its 12288 and 12289 events, and run slmgr /ato.', '12288과 12289 이벤트를 보고 slmgr /ato를 실행하세요.'],
  ),
  'kms-disabled': problem(
    ['The Key Management Service is not enabled here.', '이 컴퓨터에서 키 관리 서비스를 사용하지 않습니다.'],
    ['Install a KMS host key (slmgr /ipk) and activate it.', 'KMS 호스트 키를 설치하고(slmgr /ipk) 정품 인증하세요.'],
  ),
  'dns-publishing-off': problem(
    [
      'DNS publishing is off: clients find this host only by records made by hand.',
      'DNS 게시가 꺼져 있습니다. 클라이언트는 수동으로 만든 레코드로만 이 호스트를 찾습니다.',
    ],
    [
      'slmgr /sdns (DisableDnsPublishing = 0 in the registry), then restart the service. Leave it off where DNS takes no dynamic updates.',
      'slmgr /sdns(레지스트리의 DisableDnsPublishing = 0)로 켜고 서비스를 다시 시작하세요. 동적 업데이트가 없는 DNS라면 꺼 둡니다.',
    ],
  ),
  'count-zero': problem(
    [
      'The count is 0: the host has just been activated, or no valid client has reached it in 30 days.',
      '현재 수가 0입니다. 방금 정품 인증되었거나 30일 동안 유효한 클라이언트가 연결하지 않았습니다.',
    ],
    [
      'See whether event 12290 appears when a client runs slmgr /ato; if not: network, DNS, a firewall on TCP 1688, or a full log.',
      '클라이언트가 slmgr /ato를 실행할 때 12290 이벤트가 생기는지 보세요. 없으면 네트워크, DNS, TCP 1688 방화벽, 꽉 찬 로그를 확인합니다.',
    ],
  ),
  'count-one': problem(
    [
      'The count is 1. If more than one machine has asked, they share one CMID: images that were not generalised.',
      '현재 수가 1입니다. 컴퓨터 여러 대가 물었다면 CMID 하나를 함께 쓰는 것입니다. 이미지가 일반화되지 않았습니다.',
    ],
    [
      'Compare the CMID line of slmgr /dlv on two clients; on clones run slmgr /rearm and restart, and run sysprep /generalize before the next capture.',
      '두 클라이언트의 slmgr /dlv에서 CMID 줄을 비교하세요. 복제본에서는 slmgr /rearm 후 다시 시작하고, 다음 캡처 전에 sysprep /generalize를 실행합니다.',
    ],
  ),
  'count-below-all': problem(
    [
      'The count is {count}: too low for anything. Servers and Office need 5, Windows clients 25.',
      '현재 수가 {count}입니다. 서버와 Office(5), Windows 클라이언트(25) 모두 부족합니다.',
    ],
    [
      'Let more machines with distinct CMIDs ask this very host; several hosts each count for themselves.',
      'CMID가 서로 다른 컴퓨터가 더 많이 바로 이 호스트에 묻게 하세요. 호스트가 여럿이면 각자 셉니다.',
    ],
  ),
  'count-below-client': note([
    'The count is {count}: enough for servers and Office (5), not for Windows clients (25).',
    '현재 수가 {count}입니다. 서버와 Office(5)에는 충분하지만 Windows 클라이언트(25)에는 부족합니다.',
  ]),
  'count-ten': note([
    '10 is also the most that a host shows whose clients are all servers, or all Office: twice 5.',
    '10은 클라이언트가 모두 서버이거나 모두 Office인 호스트의 최댓값이기도 합니다(5의 두 배).',
  ]),
  'count-enough': good([
    'The count is {count}: enough for servers, Office and Windows clients.',
    '현재 수가 {count}입니다. 서버, Office, Windows 클라이언트 모두 충분합니다.',
  ]),
  'count-fifty': note([
    '50 is the most it shows: twice the 25 that Windows clients ask for, however many there are.',
    '50이 최댓값입니다. 컴퓨터가 아무리 많아도 Windows 클라이언트가 요구하는 25의 두 배까지만 표시합니다.',
  ]),
  'other-port': note([
    'It listens on port {port}, not 1688: firewalls and hand-made SRV records must say so too. Clients learn the port from the host.',
    '1688이 아니라 {port} 포트에서 수신 대기합니다. 방화벽과 수동 SRV 레코드도 같아야 합니다. 클라이언트는 호스트에서 포트를 배웁니다.',
  ]),
  'failed-requests': note(
    [
      '{failed} of {total} requests failed ({share} %), counted since the host was installed: clients that its host key does not cover.',
      '호스트 설치 이후 요청 {total}개 중 {failed}개({share}%)가 실패했습니다. 호스트 키가 지원하지 않는 클라이언트입니다.',
    ],
    [
      'If they keep growing, compare the host key with the clients’ products: kmsctl catalog PRODUCT.',
      '계속 늘어나면 호스트 키와 클라이언트 제품을 비교하세요: kmsctl catalog 제품.',
    ],
  ),
  'not-a-volume-edition': problem(
    [
      '{name} is no volume edition: KMS cannot activate it.',
      '{name} 버전은 볼륨 버전이 아니므로 KMS로 정품 인증할 수 없습니다.',
    ],
    [
      'Install a volume edition such as Professional or Enterprise.',
      'Professional이나 Enterprise 같은 볼륨 버전을 설치하세요.',
    ],
  ),
  'setup-key-known': good(['…{key} is the setup key of {products}.', '…{key} 키는 {products}의 설치 키입니다.']),
  'setup-key-of-another': problem(
    [
      '…{key} is the setup key of {products}, not of {name}.',
      '…{key} 키는 {products}의 설치 키이며 {name}의 것이 아닙니다.',
    ],
    [
      'Install the KMS client setup key of this edition: slmgr /ipk KEY.',
      '이 버전의 KMS 클라이언트 설치 키를 설치하세요: slmgr /ipk 키.',
    ],
  ),
  'mak-installed': problem(
    [
      'A multiple activation key (MAK) is installed: this computer never asks a KMS host.',
      'MAK(복수 정품 인증 키)가 설치되어 있어 이 컴퓨터는 KMS 호스트에 묻지 않습니다.',
    ],
    [
      'To make it a KMS client, install the setup key of its edition: slmgr /ipk KEY, then slmgr /ato. VAMT does it for many at once.',
      'KMS 클라이언트로 만들려면 버전에 맞는 설치 키를 설치하세요: slmgr /ipk 키 다음 slmgr /ato. 여러 대는 VAMT로 합니다.',
    ],
  ),
  'no-kms-client-key': problem(
    [
      '“{description}” is no KMS client: it never asks a KMS host.',
      '“{description}” 상태는 KMS 클라이언트가 아니므로 KMS 호스트에 묻지 않습니다.',
    ],
    [
      'To make it one, install the KMS client setup key of its edition: slmgr /ipk KEY, then slmgr /ato.',
      'KMS 클라이언트로 만들려면 버전에 맞는 설치 키를 설치하세요: slmgr /ipk 키 다음 slmgr /ato.',
    ],
  ),
  'found-by-dns': good([
    'It found {host} by DNS and was answered there.',
    'DNS로 {host} 호스트를 찾아 응답을 받았습니다.',
  ]),
  'discovery-failed': problem(
    ['It found no KMS host by DNS.', 'DNS로 KMS 호스트를 찾지 못했습니다.'],
    [
      'On this computer run nslookup -type=all _vlmcs._tcp and ipconfig /all, and paste both to kmsctl explain.',
      '이 컴퓨터에서 nslookup -type=all _vlmcs._tcp와 ipconfig /all을 실행해 kmsctl explain에 붙여 넣으세요.',
    ],
  ),
  'host-set-by-hand': note(
    [
      'Its host is set by hand to {host}: it does not look in DNS.',
      '호스트가 수동으로 {host}(으)로 지정되어 있어 DNS에서 찾지 않습니다.',
    ],
    ['slmgr /ckms goes back to finding a host by DNS.', 'slmgr /ckms로 DNS 자동 검색으로 되돌립니다.'],
  ),
  'ipv6-literal': problem(
    ['slmgr does not read IPv6 addresses in /skms.', 'slmgr는 /skms의 IPv6 주소를 읽지 못합니다.'],
    ['Use the host’s name: slmgr /skms NAME:PORT.', '호스트의 이름을 쓰세요: slmgr /skms 이름:포트.'],
  ),
  'caching-off': note([
    'Host caching is off: it asks DNS at every renewal, and may find another host each time.',
    '호스트 캐싱이 꺼져 있어 갱신할 때마다 DNS에 묻고 매번 다른 호스트를 찾을 수 있습니다.',
  ]),
  'caching-on': note([
    'Host caching is on: it stays with this host, and asks DNS again only when that host is silent.',
    '호스트 캐싱이 켜져 있어 이 호스트를 계속 쓰고, 응답이 없을 때만 DNS에 다시 묻습니다.',
  ]),
  'no-rearms': note([
    'No rearm is left: sysprep /generalize will leave the grace period as it is.',
    '남은 rearm이 없습니다. sysprep /generalize를 실행해도 유예 기간이 그대로입니다.',
  ]),
} as const;
