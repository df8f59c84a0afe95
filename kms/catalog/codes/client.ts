// SPDX-License-Identifier: Apache-2.0
//
// Codes that the computer itself comes to: from a host's answer or silence, or from its own licence state.

import type { Hresult } from '../types.ts';

const CLIENT = ['KmsClient'] as const;

export const CLIENT_CODES: readonly Hresult[] = [
  {
    code: 0xc004f038,
    symbol: 'CountInsufficient',
    decidedBy: 'client',
    activation: CLIENT,
    texts: {
      en: {
        meaning: 'The host answered, but its count is below what the product needs.',
        remedy: 'Let more machines with distinct CMIDs contact the same pool: servers and Office need 5, clients 25.',
        cause:
          'Too few machines asked this host in the last 30 days, they are spread over several hosts, or cloned images share one CMID and count once.',
        steps: [
          'Read the current count: slmgr /dli on the host, or event 12289 on the client.',
          'Stuck at 1: images were not generalised; sysprep /generalize, or slmgr /rearm and restart on each clone.',
          'Spread over several hosts: event 12288 of the clients names the host that each one asked.',
          'Otherwise let more machines ask: slmgr /ato on each; clients retry by themselves every two hours.',
        ],
        pool: 'Count against threshold, machine names that share a CMID, and entries that expire soon.',
      },
      ko: {
        meaning: '호스트가 응답했지만 수가 제품에 필요한 수보다 적습니다.',
        remedy:
          'CMID가 서로 다른 컴퓨터가 더 많이 같은 풀에 연결하게 하세요. 서버와 Office는 5, 클라이언트는 25가 필요합니다.',
        cause:
          '최근 30일 동안 이 호스트에 물은 컴퓨터가 너무 적거나, 여러 호스트에 나뉘어 있거나, 복제된 이미지가 CMID 하나를 함께 써서 한 번만 셉니다.',
        steps: [
          '현재 수를 확인합니다. 호스트의 slmgr /dli 또는 클라이언트의 12289 이벤트에 있습니다.',
          '1에서 멈췄다면 이미지가 일반화되지 않은 것입니다. sysprep /generalize를 쓰거나 복제본마다 slmgr /rearm 후 다시 시작합니다.',
          '여러 호스트에 나뉘었는지는 클라이언트의 12288 이벤트에 나온 호스트 이름으로 알 수 있습니다.',
          '아니면 더 많은 컴퓨터가 묻게 합니다. 각각 slmgr /ato를 실행하거나 두 시간마다의 자동 재시도를 기다립니다.',
        ],
        pool: '수와 임계값, CMID를 함께 쓰는 컴퓨터 이름, 곧 만료되는 항목.',
      },
    },
  },
  {
    code: 0xc004f039,
    symbol: 'NoUsableAnswer',
    decidedBy: 'client',
    activation: CLIENT,
    texts: {
      en: {
        meaning: 'The client got no usable answer: key management is not enabled where it asked.',
        remedy: 'Check that the host runs, that TCP 1688 is open on the whole path, and that the port is the host’s.',
        cause:
          'Something took the connection, but no KMS answered: the service is stopped, no host key is installed there, or a middlebox ends the connection.',
        steps: [
          'From the client: test the port, Test-NetConnection HOST -Port 1688.',
          'On the host: slmgr /dlv must show that the Key Management Service is enabled and on which port it listens.',
          'Enable the firewall exception for the Key Management Service; it exists but is off by default.',
        ],
        pool: 'Hosts ready, their port, and whether the Service and the NetworkPolicy let the client’s network in.',
      },
      ko: {
        meaning: '클라이언트가 쓸 수 있는 응답을 받지 못했습니다. 물은 곳에서 키 관리 서비스를 사용하고 있지 않습니다.',
        remedy: '호스트가 실행 중인지, 전체 경로에서 TCP 1688이 열려 있는지, 포트가 호스트의 것인지 확인하세요.',
        cause:
          '연결은 받았지만 KMS가 응답하지 않았습니다. 서비스가 멈췄거나, 호스트 키가 없거나, 중간 장비가 연결을 끊습니다.',
        steps: [
          '클라이언트에서 포트를 시험합니다: Test-NetConnection 호스트 -Port 1688.',
          '호스트의 slmgr /dlv에서 키 관리 서비스 사용 여부와 수신 대기 포트를 확인합니다.',
          '키 관리 서비스의 방화벽 예외를 켭니다. 예외는 있지만 기본으로 꺼져 있습니다.',
        ],
        pool: '준비된 호스트와 포트, Service와 NetworkPolicy가 클라이언트 네트워크를 허용하는지 여부.',
      },
    },
  },
  {
    code: 0xc004f074,
    symbol: 'NoHostAnswered',
    decidedBy: 'client',
    activation: CLIENT,
    texts: {
      en: {
        meaning: 'Every host the client knows failed or refused.',
        remedy: 'Read the client’s 12288 events: each names a host that was tried and why it failed; mend those.',
        cause:
          'The sum of several failures, one for each host: unreachable, refused for its clock or product, or records of hosts that are gone.',
        steps: [
          'In the client’s Application log, take all 12288 events of this attempt; each has a host and a code.',
          'Explain each code and mend it.',
          'No 12288 at all: the client found no host; follow 0x8007232B.',
        ],
        pool: 'Hosts ready, DNS records that point to no living host, failures by HRESULT, clock skew.',
      },
      ko: {
        meaning: '클라이언트가 아는 모든 호스트가 실패하거나 거부했습니다.',
        remedy: '클라이언트의 12288 이벤트를 읽으세요. 시도한 호스트와 실패 이유가 하나씩 나옵니다. 그것을 고칩니다.',
        cause:
          '호스트마다 하나씩 생긴 실패의 합입니다. 연결할 수 없거나, 시계나 제품 때문에 거부되었거나, 없어진 호스트의 레코드가 남아 있습니다.',
        steps: [
          '클라이언트의 애플리케이션 로그에서 이번 시도의 12288 이벤트를 모두 찾습니다. 각각 호스트와 코드가 있습니다.',
          '각 코드를 설명대로 고칩니다.',
          '12288이 전혀 없으면 호스트를 찾지 못한 것입니다. 0x8007232B 항목을 따릅니다.',
        ],
        pool: '준비된 호스트, 살아 있는 호스트가 없는 DNS 레코드, HRESULT별 실패, 시계 차이.',
      },
    },
  },
  {
    code: 0xc004f009,
    symbol: 'GraceExpired',
    decidedBy: 'client',
    activation: ['MAK'],
    texts: {
      en: {
        meaning: 'The grace period ended before the computer was activated; it is in notification state.',
        remedy: 'Activate it now; if that fails, go on with the code that the attempt reports.',
        cause:
          'Nobody activated the computer within its grace period, or a KMS client reached no host for 180 days and the 30 days of grace that follow.',
        steps: [
          'slmgr /ato, and read the code it reports.',
          'For help with a MAK ask the Licensing Activation Center.',
          'slmgr /rearm starts the grace period again, as often as the rearm count of slmgr /dlv allows.',
        ],
        pool: 'When the client was last seen; its licence status in event 12290 is 5.',
      },
      ko: {
        meaning: '정품 인증되기 전에 유예 기간이 끝났습니다. 컴퓨터는 알림 상태입니다.',
        remedy: '지금 정품 인증하세요. 실패하면 그 시도가 알린 코드를 따릅니다.',
        cause:
          '유예 기간 안에 정품 인증하지 않았거나, KMS 클라이언트가 180일과 이어지는 30일 유예 동안 호스트에 연결하지 못했습니다.',
        steps: [
          'slmgr /ato를 실행하고 결과 코드를 읽습니다.',
          'MAK에 관한 도움은 라이선싱 정품 인증 센터에 문의합니다.',
          'slmgr /rearm은 유예 기간을 다시 시작합니다. 횟수는 slmgr /dlv의 남은 rearm 횟수까지입니다.',
        ],
        pool: '클라이언트가 마지막으로 나타난 때. 12290 이벤트의 라이선스 상태가 5입니다.',
      },
    },
  },
  {
    code: 0xc004f00f,
    symbol: 'HardwareOutOfTolerance',
    decidedBy: 'client',
    activation: ['MAK', 'KmsClient', 'KmsHost'],
    texts: {
      en: {
        meaning: 'The hardware differs too much from that with which the computer was activated.',
        remedy:
          'Activate again: a KMS client by restarting or slmgr /ato, a MAK within its grace period, online or by phone.',
        cause:
          'A disk or mainboard was changed, a driver updated, or a virtual machine moved. KMS clients look mainly at the hard disk.',
        steps: [
          'KMS client: restart, or slmgr /ato.',
          'MAK: activate online or by phone within 30 days.',
          'KMS host: slmgr /ato uses up one of its ten activations.',
        ],
        pool: 'Requests with licence status 3 (out of tolerance) among the totals.',
      },
      ko: {
        meaning: '하드웨어가 정품 인증했을 때와 너무 많이 다릅니다.',
        remedy:
          '다시 정품 인증하세요. KMS 클라이언트는 다시 시작하거나 slmgr /ato, MAK는 유예 기간 안에 온라인이나 전화로 합니다.',
        cause:
          '디스크나 메인보드를 바꾸었거나, 드라이버를 업데이트했거나, 가상 머신을 옮겼습니다. KMS 클라이언트는 주로 하드 디스크를 봅니다.',
        steps: [
          'KMS 클라이언트는 다시 시작하거나 slmgr /ato를 실행합니다.',
          'MAK는 30일 안에 온라인이나 전화로 정품 인증합니다.',
          'KMS 호스트의 slmgr /ato는 열 번 중 한 번을 씁니다.',
        ],
        pool: '누적 요청 중 라이선스 상태 3(허용 오차 초과)의 수.',
      },
    },
  },
  {
    code: 0xc004f064,
    symbol: 'NonGenuineGraceExpired',
    decidedBy: 'client',
    activation: ['MAK'],
    texts: {
      en: {
        meaning: 'The computer was found not to be genuine, and its grace period for that has ended.',
        remedy: 'Ask the Licensing Activation Center for help.',
        cause:
          'Windows Activation Technologies judged the system not genuine, and no genuine key was installed in time.',
        steps: ['Install a genuine key and activate.', 'If the key is genuine, ask the Licensing Activation Center.'],
        pool: 'Nothing: no KMS host decides this. Such clients report licence status 5.',
      },
      ko: {
        meaning: '정품이 아닌 것으로 확인되었고 그에 대한 유예 기간이 끝났습니다.',
        remedy: '라이선싱 정품 인증 센터에 도움을 요청하세요.',
        cause: 'Windows 정품 인증 도구가 정품이 아니라고 판정했고, 제때 정품 키를 설치하지 않았습니다.',
        steps: ['정품 키를 설치하고 정품 인증합니다.', '키가 정품이면 라이선싱 정품 인증 센터에 문의합니다.'],
        pool: '없음. KMS 호스트가 판단하지 않습니다. 이런 클라이언트는 라이선스 상태 5를 보고합니다.',
      },
    },
  },
  {
    code: 0xc004f065,
    symbol: 'NonGenuineGrace',
    decidedBy: 'client',
    activation: ['MAK', 'KmsClient'],
    texts: {
      en: {
        meaning: 'The computer was found not to be genuine; it goes on running for a grace period.',
        remedy: 'Install a genuine key and activate before the period ends; then it falls into notification state.',
        cause: 'Windows Activation Technologies judged the system not genuine.',
        steps: ['Install a genuine key: slmgr /ipk.', 'Activate: slmgr /ato.'],
        pool: 'Requests with licence status 4 (non-genuine grace) among the totals.',
      },
      ko: {
        meaning: '정품이 아닌 것으로 확인되었습니다. 유예 기간 동안은 계속 실행됩니다.',
        remedy: '기간이 끝나기 전에 정품 키를 설치하고 정품 인증하세요. 그 뒤에는 알림 상태가 됩니다.',
        cause: 'Windows 정품 인증 도구가 정품이 아니라고 판정했습니다.',
        steps: ['정품 키를 설치합니다: slmgr /ipk.', '정품 인증합니다: slmgr /ato.'],
        pool: '누적 요청 중 라이선스 상태 4(비정품 유예)의 수.',
      },
    },
  },
  {
    code: 0x8004fe21,
    symbol: 'NotGenuine',
    decidedBy: 'client',
    activation: ['MAK', 'KmsClient'],
    texts: {
      en: {
        meaning: 'This computer is not running genuine Windows, or its system files say so.',
        remedy: 'Install the operating system again.',
        cause:
          'Most often a language pack (MUI) that the edition is not licensed for. It need not be tampering, but malware or damaged system files do it too.',
        steps: [
          'Remember which language packs were installed.',
          'Install the operating system again from volume media.',
        ],
        pool: 'Nothing: no KMS host decides this.',
      },
      ko: {
        meaning: '이 컴퓨터가 정품 Windows를 실행하지 않거나 시스템 파일이 그렇게 보입니다.',
        remedy: '운영 체제를 다시 설치하세요.',
        cause:
          '대개 이 버전에 라이선스가 없는 언어 팩(MUI)을 설치한 것입니다. 반드시 변조는 아니지만 맬웨어나 손상된 시스템 파일도 원인입니다.',
        steps: ['어떤 언어 팩을 설치했는지 확인합니다.', '볼륨 미디어로 운영 체제를 다시 설치합니다.'],
        pool: '없음. KMS 호스트가 판단하지 않습니다.',
      },
    },
  },
];
