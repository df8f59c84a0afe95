// SPDX-License-Identifier: Apache-2.0
//
// What can be said of a pasted ipconfig /all or nslookup, in every language. When it is said is remarks-dns.ts.

import { good, note, problem } from './remark.ts';

export const DNS_SAYINGS = {
  'no-address': problem(
    ['The client has no address from its network.', '클라이언트가 네트워크에서 받은 주소가 없습니다.'],
    [
      'Mend cable, switch port or DHCP first: ipconfig /renew.',
      '먼저 케이블, 스위치 포트, DHCP를 고치세요: ipconfig /renew.',
    ],
  ),
  'no-gateway': note([
    'It has no default gateway: it reaches only hosts and name servers of its own subnet.',
    '기본 게이트웨이가 없어 자기 서브넷의 호스트와 이름 서버에만 연결할 수 있습니다.',
  ]),
  'no-dns-server': problem(
    ['It has no DNS server: it can find no host by name.', 'DNS 서버가 없어 이름으로 호스트를 찾을 수 없습니다.'],
    [
      'Set one by DHCP or by hand, or name the host by address: slmgr /skms ADDRESS:PORT.',
      'DHCP나 수동으로 설정하거나 주소로 호스트를 지정하세요: slmgr /skms 주소:포트.',
    ],
  ),
  'ping-dns': note([
    'Check first that it reaches its name server: ping {server}',
    '먼저 이름 서버에 연결되는지 확인하세요: ping {server}',
  ]),
  'public-resolver': problem(
    [
      '{servers} is a resolver of the internet; it does not know your own domains.',
      '{servers} 주소는 인터넷의 공용 DNS 서버이므로 사내 도메인을 알지 못합니다.',
    ],
    ['Use your own name servers only, as second and third too.', '두 번째와 세 번째까지 사내 이름 서버만 사용하세요.'],
  ),
  'no-suffix': problem(
    [
      'It has no DNS suffix, so it cannot ask for _vlmcs._tcp at all: 0x8007007B.',
      'DNS 접미사가 없어 _vlmcs._tcp를 물을 수도 없습니다: 0x8007007B.',
    ],
    [
      'Hand out a domain by DHCP option 15, set the suffix by policy, or slmgr /skms HOST:PORT.',
      'DHCP 옵션 15로 도메인을 주거나, 정책으로 접미사를 설정하거나, slmgr /skms 호스트:포트를 쓰세요.',
    ],
  ),
  workgroup: note([
    'Without a primary suffix it is in a workgroup: its domain is what DHCP option 15 gave it.',
    '주 접미사가 없는 작업 그룹 컴퓨터입니다. 도메인은 DHCP 옵션 15로 받은 것입니다.',
  ]),
  'searched-domains': note(
    ['It looks for a host in {domains}.', '{domains}에서 호스트를 찾습니다.'],
    ['nslookup -type=all _vlmcs._tcp.{first}', 'nslookup -type=all _vlmcs._tcp.{first}'],
  ),
  'no-srv-record': problem(
    [
      'There is no _vlmcs._tcp record in the domains that were asked; a client gets 0x8007232B.',
      '물은 도메인에 _vlmcs._tcp 레코드가 없습니다. 클라이언트에서는 0x8007232B입니다.',
    ],
    [
      'Look for event 12293 on the host, and ask again with the host’s own domain: nslookup -type=all _vlmcs._tcp.DOMAIN.',
      '호스트에서 12293 이벤트를 찾고 호스트의 도메인으로 다시 물으세요: nslookup -type=all _vlmcs._tcp.도메인.',
    ],
  ),
  'dns-timeout': problem(
    ['The name server did not answer.', '이름 서버가 응답하지 않았습니다.'],
    [
      'Ping it, and try UDP and TCP port 53; nothing else can work before this does.',
      'ping하고 UDP와 TCP 53 포트를 시험하세요. 이것이 되기 전에는 다른 것도 되지 않습니다.',
    ],
  ),
  'dns-server-failed': problem(
    ['The name server failed (SERVFAIL), 0x8007232A.', '이름 서버가 실패했습니다(SERVFAIL), 0x8007232A.'],
    [
      'Look at the zone on the server: loaded, and its primary reachable.',
      '서버에서 영역이 로드되었고 주 서버에 연결되는지 보세요.',
    ],
  ),
  'dns-refused': problem(
    ['The name server refused the question.', '이름 서버가 질문을 거부했습니다.'],
    ['Ask a server that serves this client’s network.', '이 클라이언트의 네트워크를 담당하는 서버에 물으세요.'],
  ),
  'srv-record': good([
    '{name} is {target}:{port}{address} (priority {priority}, weight {weight}).',
    '{name}: {target}:{port}{address} (우선 순위 {priority}, 가중치 {weight}).',
  ]),
  'misspelt-record': problem(
    [
      '{name} is misspelt: clients ask for _vlmcs._tcp.',
      '{name} 레코드는 철자가 틀렸습니다. 클라이언트는 _vlmcs._tcp를 묻습니다.',
    ],
    ['Make the record anew as _vlmcs._tcp and delete this one.', '_vlmcs._tcp로 레코드를 다시 만들고 이것을 지우세요.'],
  ),
  'target-is-an-address': problem(
    [
      'The record’s host is the address {target}; it must be a name.',
      '레코드의 호스트가 주소 {target}입니다. 이름이어야 합니다.',
    ],
    [
      'Point it to the host’s full name, which has an A or AAAA record.',
      'A나 AAAA 레코드가 있는 호스트의 전체 이름을 가리키게 하세요.',
    ],
  ),
  'target-without-domain': problem(
    [
      'The record’s host {target} has no domain; clients elsewhere cannot resolve it.',
      '레코드의 호스트 {target}에 도메인이 없어 다른 곳의 클라이언트가 확인할 수 없습니다.',
    ],
    ['Use the host’s full name.', '호스트의 전체 이름을 사용하세요.'],
  ),
  'srv-other-port': note([
    'Port {port} is not the usual 1688: check it against slmgr /dlv of the host.',
    '{port} 포트는 보통의 1688이 아닙니다. 호스트의 slmgr /dlv와 비교하세요.',
  ]),
  'several-records': note([
    'There are several hosts. Each licensed host counts for itself; a pool of kmspool counts as one. Windows 7 and later choose by priority and weight, older ones at random, and a host that a client has cached comes first.',
    '호스트가 여럿입니다. 라이선스가 있는 호스트는 각자 세고 kmspool 풀은 하나로 셉니다. Windows 7 이상은 우선 순위와 가중치로, 이전 버전은 임의로 고르며, 클라이언트가 캐시한 호스트가 먼저입니다.',
  ]),
  'nslookup-is-not-the-client': note(
    [
      'That nslookup finds a host does not prove that the DNS client does: suffix and search list decide.',
      'nslookup이 찾았다고 DNS 클라이언트도 찾는다는 뜻은 아닙니다. 접미사와 검색 목록이 결정합니다.',
    ],
    [
      'Try slmgr /skms NAME:PORT and /ato. If it works, the SRV record is at fault; if only ADDRESS:PORT works, name resolution; if neither, a firewall.',
      'slmgr /skms 이름:포트와 /ato를 해 보세요. 되면 SRV 레코드, 주소:포트로만 되면 이름 확인, 둘 다 안 되면 방화벽 문제입니다.',
    ],
  ),
  'suffix-fits': good(['The client searches the domain of the record.', '클라이언트가 레코드의 도메인을 검색합니다.']),
  'suffix-misses': problem(
    [
      'The record is in {missing}, which the client does not search; it searches {domains}.',
      '레코드는 {missing}에 있지만 클라이언트는 그곳을 검색하지 않고 {domains}에서 검색합니다.',
    ],
    [
      'Publish in {first} too (DnsDomainPublishList; spec.dns.domains of a pool), or add the suffix to the client’s search list.',
      '{first}에도 게시하거나(DnsDomainPublishList, 풀의 spec.dns.domains) 클라이언트의 검색 목록에 접미사를 추가하세요.',
    ],
  ),
} as const;
