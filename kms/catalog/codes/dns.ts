// SPDX-License-Identifier: Apache-2.0
//
// Codes of DNS: what a client or host gets to hear when it looks for, or publishes, `_vlmcs._tcp`.

import type { Hresult } from '../types.ts';

const CLIENT = ['KmsClient'] as const;

export const DNS_CODES: readonly Hresult[] = [
  {
    code: 0x8007232b,
    symbol: 'NoSrvRecord',
    decidedBy: 'client',
    activation: CLIENT,
    texts: {
      en: {
        meaning: 'DNS has no _vlmcs._tcp SRV record in the domains the client searches.',
        remedy: 'Publish the record in a domain the client searches, or name the host on the client with slmgr /skms.',
        cause:
          'No KMS host is set up, its publishing failed (event 12293) or is switched off, or it publishes in another domain than the client’s.',
        steps: [
          'On the client: nslookup -type=all _vlmcs._tcp, and again with each domain of its suffix search list.',
          'No record anywhere: look for event 12293 on the host, and switch publishing on (slmgr /sdns).',
          'A record in another domain: publish there too, or add that suffix on the client.',
          'Without DNS: slmgr /skms HOST:PORT. Without any host: install a MAK.',
        ],
        pool: 'DNS desired against observed for each domain, condition DnsPublished.',
      },
      ko: {
        meaning: '클라이언트가 검색하는 도메인에 _vlmcs._tcp SRV 레코드가 없습니다.',
        remedy: '클라이언트가 검색하는 도메인에 레코드를 게시하거나 클라이언트에서 slmgr /skms로 호스트를 지정하세요.',
        cause:
          'KMS 호스트가 없거나, 게시에 실패했거나(12293 이벤트), 게시가 꺼져 있거나, 클라이언트와 다른 도메인에 게시되어 있습니다.',
        steps: [
          '클라이언트에서 nslookup -type=all _vlmcs._tcp를 실행하고 접미사 검색 목록의 각 도메인으로 다시 실행합니다.',
          '어디에도 없으면 호스트에서 12293 이벤트를 찾고 게시를 켭니다(slmgr /sdns).',
          '다른 도메인에 있으면 그 도메인에도 게시하거나 클라이언트에 접미사를 추가합니다.',
          'DNS가 없으면 slmgr /skms 호스트:포트를 쓰고, 호스트가 없으면 MAK를 설치합니다.',
        ],
        pool: '도메인별로 원하는 DNS 레코드와 관찰된 레코드, DnsPublished 조건.',
      },
    },
  },
  {
    code: 0x8007007b,
    symbol: 'NoDnsDomain',
    decidedBy: 'client',
    activation: CLIENT,
    texts: {
      en: {
        meaning: 'The client has no DNS domain in which it could look for a host.',
        remedy: 'Give the client a DNS suffix (DHCP option 15 or its domain), or name the host with slmgr /skms.',
        cause:
          'A computer in a workgroup has only the suffix that DHCP hands out; without one it cannot even ask for the SRV record.',
        steps: [
          'On the client: ipconfig /all; look at Primary Dns Suffix and DNS Suffix Search List.',
          'Hand out a domain by DHCP option 15, or set the suffix by policy.',
          'Or name the host: slmgr /skms HOST:PORT, then slmgr /ato.',
        ],
        pool: 'The domains that the pool is published in: the client needs one of them as a suffix.',
      },
      ko: {
        meaning: '클라이언트에 호스트를 찾을 DNS 도메인이 없습니다.',
        remedy: '클라이언트에 DNS 접미사를 주거나(DHCP 옵션 15 또는 도메인) slmgr /skms로 호스트를 지정하세요.',
        cause: '작업 그룹 컴퓨터에는 DHCP가 준 접미사뿐입니다. 그마저 없으면 SRV 레코드를 물을 수도 없습니다.',
        steps: [
          '클라이언트에서 ipconfig /all을 실행해 주 DNS 접미사와 DNS 접미사 검색 목록을 봅니다.',
          'DHCP 옵션 15로 도메인을 주거나 정책으로 접미사를 설정합니다.',
          '또는 호스트를 지정합니다: slmgr /skms 호스트:포트 다음 slmgr /ato.',
        ],
        pool: '풀이 게시된 도메인. 클라이언트의 접미사 중 하나가 그 안에 있어야 합니다.',
      },
    },
  },
  {
    code: 0x8007232a,
    symbol: 'DnsServerFailure',
    decidedBy: 'dns',
    activation: ['KmsHost'],
    texts: {
      en: {
        meaning: 'The DNS server failed while the host published its record or a computer looked for it.',
        remedy: 'Mend the name server or the way to it; on a host this is the code of event 12293.',
        cause:
          'The name server answered SERVFAIL: the zone is not loaded, its primary is away, or dynamic updates fail.',
        steps: [
          'Ping the name server from client and host, and query it by both UDP and TCP port 53.',
          'Look at the zone on the server: loaded, writable, dynamic updates allowed for this host.',
          'Publish again: restart the licensing service of the host, then look for event 12294.',
        ],
        pool: 'Condition DnsPublished, and what each authoritative name server answers.',
      },
      ko: {
        meaning: '호스트가 레코드를 게시하거나 컴퓨터가 찾는 동안 DNS 서버에 오류가 발생했습니다.',
        remedy: '이름 서버나 그곳까지의 경로를 고치세요. 호스트에서는 12293 이벤트의 코드입니다.',
        cause:
          '이름 서버가 SERVFAIL로 응답했습니다. 영역이 로드되지 않았거나, 주 서버가 없거나, 동적 업데이트가 실패합니다.',
        steps: [
          '클라이언트와 호스트에서 이름 서버에 ping하고 UDP와 TCP 53 포트로 모두 조회합니다.',
          '서버에서 영역이 로드되었고 쓸 수 있으며 이 호스트의 동적 업데이트를 허용하는지 봅니다.',
          '호스트의 라이선스 서비스를 다시 시작해 다시 게시하고 12294 이벤트를 확인합니다.',
        ],
        pool: 'DnsPublished 조건과 권한 있는 이름 서버 각각의 응답.',
      },
    },
  },
  {
    code: 0x8007251d,
    symbol: 'NoDnsRecords',
    decidedBy: 'client',
    activation: CLIENT,
    texts: {
      en: {
        meaning: 'The name _vlmcs._tcp exists in DNS, but without an SRV record.',
        remedy: 'Create the SRV record under that very name, and remove what stands there instead.',
        cause:
          'A record of another type, or something below the name, was created by hand, or the last SRV record was removed.',
        steps: [
          'nslookup -type=all _vlmcs._tcp.DOMAIN shows what is there.',
          'Create the SRV record: service _vlmcs, protocol _tcp, port 1688, the host’s full name.',
        ],
        pool: 'What the authoritative name servers show under the pool’s record against what is desired.',
      },
      ko: {
        meaning: 'DNS에 _vlmcs._tcp 이름은 있지만 SRV 레코드가 없습니다.',
        remedy: '바로 그 이름으로 SRV 레코드를 만들고 대신 있는 것을 제거하세요.',
        cause: '다른 형식의 레코드나 하위 이름을 수동으로 만들었거나 마지막 SRV 레코드를 지운 경우입니다.',
        steps: [
          'nslookup -type=all _vlmcs._tcp.도메인으로 무엇이 있는지 봅니다.',
          'SRV 레코드를 만듭니다. 서비스 _vlmcs, 프로토콜 _tcp, 포트 1688, 호스트의 전체 이름입니다.',
        ],
        pool: '권한 있는 이름 서버가 풀의 레코드에 대해 보여 주는 것과 원하는 것의 비교.',
      },
    },
  },
  {
    code: 0x80092328,
    symbol: 'DnsNameMissing',
    decidedBy: 'client',
    activation: CLIENT,
    texts: {
      en: {
        meaning: 'The name that the client asked for does not exist in DNS.',
        remedy: 'Treat it as 0x8007232B: publish the SRV record in a domain the client searches.',
        cause:
          'The same answer, NXDOMAIN, told by another part of Windows: no SRV record, or a host name given with slmgr /skms that no longer exists.',
        steps: [
          'If slmgr /dlv shows a registered KMS machine name: resolve it with nslookup, correct it, or clear it with slmgr /ckms.',
          'Otherwise follow 0x8007232B.',
        ],
        pool: 'DNS desired against observed, and whether the hosts’ own names resolve.',
      },
      ko: {
        meaning: '클라이언트가 물은 이름이 DNS에 없습니다.',
        remedy: '0x8007232B와 같이 처리하세요. 클라이언트가 검색하는 도메인에 SRV 레코드를 게시합니다.',
        cause:
          'Windows의 다른 부분이 알린 같은 응답(NXDOMAIN)입니다. SRV 레코드가 없거나 slmgr /skms로 지정한 호스트 이름이 더는 없습니다.',
        steps: [
          'slmgr /dlv에 등록된 KMS 컴퓨터 이름이 있으면 nslookup으로 확인해 고치거나 slmgr /ckms로 지웁니다.',
          '아니면 0x8007232B 항목을 따릅니다.',
        ],
        pool: '원하는 DNS 레코드와 관찰된 레코드, 호스트 자체의 이름이 확인되는지 여부.',
      },
    },
  },
];
