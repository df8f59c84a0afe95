// SPDX-License-Identifier: Apache-2.0
//
// Codes that a KMS host answers or is in itself. Their order is that of dashboards and runbooks.

import type { Hresult } from '../types.ts';

const CLIENT = ['KmsClient'] as const;
const HOST = ['KmsHost'] as const;

export const HOST_CODES: readonly Hresult[] = [
  {
    code: 0,
    symbol: 'Ok',
    decidedBy: 'host',
    activation: CLIENT,
    texts: {
      en: {
        meaning: 'The host counted the request and answered with its current count.',
        remedy: 'Nothing to do; if the client is still not activated, compare the count with its threshold.',
        cause:
          'Success. The client decides by itself whether the count is enough: 5 for servers and Office, 25 for clients.',
        steps: ['Read the count in event 12289 of the client.', 'If it is too low, go on with 0xC004F038.'],
        pool: 'The current count of the application and whether its thresholds are met.',
      },
      ko: {
        meaning: '호스트가 요청을 세고 현재 수를 응답했습니다.',
        remedy: '할 일이 없습니다. 그래도 정품 인증되지 않으면 응답의 수를 클라이언트의 임계값과 비교하세요.',
        cause: '성공입니다. 수가 충분한지는 클라이언트가 판단합니다. 서버와 Office는 5, 클라이언트는 25입니다.',
        steps: ['클라이언트의 12289 이벤트에서 수를 확인합니다.', '수가 모자라면 0xC004F038 항목을 따릅니다.'],
        pool: '해당 애플리케이션의 현재 수와 임계값 충족 여부.',
      },
    },
  },
  {
    code: 0xc004f042,
    symbol: 'ProductNotServed',
    decidedBy: 'host',
    activation: CLIENT,
    texts: {
      en: {
        meaning: 'The host has no host key that covers this product.',
        remedy: 'Add a host key of the product’s group and generation, or send the client to a host that has one.',
        cause:
          'The client reached a host for something else: an Office host asked by Windows, a host key older than the client, or a client key asked by a server.',
        steps: [
          'Find out which product asked: event 12290 of the host, or the Name line of slmgr /dlv on the client.',
          'See which host keys cover it: kmsctl catalog PRODUCT.',
          'Add such a key to the host, or point these clients to the right host with slmgr /skms HOST:PORT.',
        ],
        pool: 'spec.hostKeys against the products refused; the failures by HRESULT and product.',
      },
      ko: {
        meaning: '호스트에 이 제품을 지원하는 호스트 키가 없습니다.',
        remedy: '제품의 그룹과 세대에 맞는 호스트 키를 추가하거나, 그런 키가 있는 호스트로 클라이언트를 보내세요.',
        cause:
          '클라이언트가 다른 용도의 호스트에 연결했습니다. Windows가 Office용 호스트에 물었거나, 호스트 키가 클라이언트보다 오래되었거나, 서버가 클라이언트용 키에 물은 경우입니다.',
        steps: [
          '어느 제품이 물었는지 확인합니다. 호스트의 12290 이벤트 또는 클라이언트 slmgr /dlv의 이름 줄에 있습니다.',
          '그 제품을 지원하는 호스트 키를 찾습니다: kmsctl catalog 제품.',
          '호스트에 그 키를 추가하거나 slmgr /skms 호스트:포트로 클라이언트를 올바른 호스트로 지정합니다.',
        ],
        pool: '거부된 제품과 spec.hostKeys의 비교, HRESULT와 제품별 실패.',
      },
    },
  },
  {
    code: 0xc004f06c,
    symbol: 'ClockSkew',
    decidedBy: 'host',
    activation: CLIENT,
    texts: {
      en: {
        meaning: 'The client’s clock differs from the host’s by more than four hours.',
        remedy: 'Synchronise both clocks by NTP or the domain; times are UTC, so the time zone is not the cause.',
        cause:
          'A request carries the client’s time in UTC. A virtual machine restored from a snapshot, a flat CMOS battery or a machine without NTP is far off.',
        steps: [
          'Compare the UTC time of client and host: w32tm /query /status.',
          'Synchronise: w32tm /resync, or NTP or the hypervisor’s time service.',
          'Try again: slmgr /ato.',
        ],
        pool: 'The clock skew of each host against the store, and the client time in event 12290.',
      },
      ko: {
        meaning: '클라이언트의 시계가 호스트의 시계와 네 시간 넘게 다릅니다.',
        remedy: 'NTP나 도메인으로 두 시계를 맞추세요. 시각은 UTC이므로 표준 시간대는 원인이 아닙니다.',
        cause:
          '요청에는 클라이언트의 UTC 시각이 들어 있습니다. 스냅샷에서 복원한 가상 머신, CMOS 배터리 방전, NTP가 없는 컴퓨터에서 시각이 크게 어긋납니다.',
        steps: [
          '클라이언트와 호스트의 UTC 시각을 비교합니다: w32tm /query /status.',
          '동기화합니다: w32tm /resync, NTP 또는 하이퍼바이저의 시간 서비스.',
          '다시 시도합니다: slmgr /ato.',
        ],
        pool: '저장소에 대한 각 호스트의 시계 차이와 12290 이벤트의 클라이언트 시각.',
      },
    },
  },
  {
    code: 0x8007000d,
    symbol: 'InvalidData',
    decidedBy: 'host',
    activation: CLIENT,
    texts: {
      en: {
        meaning: 'The request could not be read: malformed, of an unknown version, or not made with this pool’s keys.',
        remedy: 'Use a client of this pool; a genuine client needs a licensed host, which an emulated pool is not.',
        cause:
          'An emulated pool has keys of its own. A genuine Windows or Office that finds it by DNS is refused with this code and stays as it was.',
        steps: [
          'If the client is a genuine machine: take the pool’s SRV records out of the domains that such machines search.',
          'If it is a simulated client: give it the key of this pool.',
          'Point the genuine machine back to its licensed host: slmgr /ckms, then slmgr /ato.',
        ],
        pool: 'Who is refused with this code, and whether the pool is published in a domain that is no test zone.',
      },
      ko: {
        meaning:
          '요청을 읽을 수 없습니다. 형식이 잘못되었거나, 알 수 없는 버전이거나, 이 풀의 키로 만들어지지 않았습니다.',
        remedy:
          '이 풀의 클라이언트를 사용하세요. 실제 제품에는 라이선스가 있는 호스트가 필요하며 에뮬레이션 풀은 그렇지 않습니다.',
        cause:
          '에뮬레이션 풀은 자체 키를 씁니다. DNS로 이 풀을 찾은 실제 Windows나 Office는 이 코드로 거부되고 상태는 그대로입니다.',
        steps: [
          '실제 컴퓨터라면 그 컴퓨터가 검색하는 도메인에서 풀의 SRV 레코드를 제거합니다.',
          '시뮬레이션 클라이언트라면 이 풀의 키를 지정합니다.',
          '실제 컴퓨터를 라이선스가 있는 호스트로 되돌립니다: slmgr /ckms 다음 slmgr /ato.',
        ],
        pool: '이 코드로 거부된 컴퓨터와, 풀이 테스트 영역이 아닌 도메인에 게시되었는지 여부.',
      },
    },
  },
  {
    code: 0xc004f041,
    symbol: 'HostNotActivated',
    decidedBy: 'host',
    activation: CLIENT,
    texts: {
      en: {
        meaning: 'A host key covers the product, but the host is not activated with that key.',
        remedy: 'Activate the host, or look at the host key’s state: it may be blocked or used up.',
        cause:
          'A host key has been installed, and activating it with Microsoft, once, by internet or phone, has not been done or was refused.',
        steps: [
          'On the host: slmgr /dlv must say Licensed.',
          'If not: slmgr /ato, or slui 4 to activate by phone.',
          'If that is refused, go on with its code: 0xC004F051 (blocked) or 0xC004C008 (used up).',
        ],
        pool: 'The state of each host key: anything but Activated answers this code.',
      },
      ko: {
        meaning: '제품을 지원하는 호스트 키가 있지만 호스트가 그 키로 정품 인증되지 않았습니다.',
        remedy: '호스트를 정품 인증하거나 호스트 키의 상태를 확인하세요. 차단되었거나 한도를 다 썼을 수 있습니다.',
        cause:
          '호스트 키를 설치했지만 인터넷이나 전화로 한 번 하는 Microsoft 정품 인증을 하지 않았거나 거부되었습니다.',
        steps: [
          '호스트에서 slmgr /dlv의 라이선스 상태가 사용 허가됨인지 확인합니다.',
          '아니면 slmgr /ato를 실행하거나 slui 4로 전화 정품 인증을 합니다.',
          '거부되면 그 코드를 따릅니다. 0xC004F051(차단) 또는 0xC004C008(한도 소진)입니다.',
        ],
        pool: '각 호스트 키의 상태. Activated가 아니면 이 코드를 응답합니다.',
      },
    },
  },
  {
    code: 0xc004d104,
    symbol: 'TableExhausted',
    decidedBy: 'host',
    activation: CLIENT,
    texts: {
      en: {
        meaning: 'The host’s table of clients has grown beyond what it can hold.',
        remedy: 'Find the client that asks for an absurd minimum count, stop it, and set the host up again.',
        cause:
          'A host keeps twice the largest minimum count that any client asked for. A test tool that asks for thousands makes the table grow for good.',
        steps: [
          'Look through the 12290 events for a minimum count above 25.',
          'Stop that program; genuine products ask for 5 or 25.',
          'A licensed host has to be set up again. A pool bounds the count with spec.limits.maxRequiredCount.',
        ],
        pool: 'The cap of each application: more than 50, or 10 for Office, means that somebody asked for too much.',
      },
      ko: {
        meaning: '호스트의 클라이언트 표가 담을 수 있는 크기를 넘었습니다.',
        remedy: '터무니없는 최소 수를 요구하는 클라이언트를 찾아 멈추고 호스트를 다시 설정하세요.',
        cause:
          '호스트는 클라이언트가 요구한 가장 큰 최소 수의 두 배를 보관합니다. 수천을 요구하는 시험 도구가 표를 계속 키웁니다.',
        steps: [
          '12290 이벤트에서 최소 수가 25보다 큰 항목을 찾습니다.',
          '그 프로그램을 멈춥니다. 실제 제품은 5나 25를 요구합니다.',
          '라이선스가 있는 호스트는 다시 설정해야 합니다. 풀에서는 spec.limits.maxRequiredCount가 한도를 둡니다.',
        ],
        pool: '각 애플리케이션의 최대 수. 50(Office는 10)보다 크면 누군가 너무 많이 요구한 것입니다.',
      },
    },
  },
  {
    code: 0xc004f051,
    symbol: 'HostKeyBlocked',
    decidedBy: 'host',
    activation: ['MAK', 'KmsHost'],
    texts: {
      en: {
        meaning: 'The host key has been blocked.',
        remedy: 'Install another host key and activate the host with it; ask the licensing contact why it was blocked.',
        cause:
          'The activation service has blocked this key, a MAK or a KMS host key, most often because it became public.',
        steps: [
          'Get a new key from the volume licensing portal or the Licensing Activation Center.',
          'Install it with slmgr /ipk and activate with slmgr /ato.',
        ],
        pool: 'A host key in state Blocked; clients of its products are answered 0xC004F041.',
      },
      ko: {
        meaning: '호스트 키가 차단되었습니다.',
        remedy: '다른 호스트 키를 설치해 호스트를 정품 인증하고, 차단된 이유를 라이선스 담당자에게 문의하세요.',
        cause: '정품 인증 서비스가 이 키(MAK 또는 KMS 호스트 키)를 차단했습니다. 키가 공개된 경우가 많습니다.',
        steps: [
          '볼륨 라이선스 포털이나 라이선싱 정품 인증 센터에서 새 키를 받습니다.',
          'slmgr /ipk로 설치하고 slmgr /ato로 정품 인증합니다.',
        ],
        pool: 'Blocked 상태의 호스트 키. 그 키의 제품을 쓰는 클라이언트는 0xC004F041을 받습니다.',
      },
    },
  },
  {
    code: 0xc004c008,
    symbol: 'HostKeyLimitReached',
    decidedBy: 'host',
    activation: HOST,
    texts: {
      en: {
        meaning: 'The host key has been used as often as it may: six hosts, ten activations on each.',
        remedy: 'Retire a host, or have the limit raised by the Activation Call Centre.',
        cause:
          'One KMS host key activates up to six computers, and each of them again up to nine more times; rebuilt hosts use it up.',
        steps: [
          'Count the hosts that still hold the key, and remove it where it is not needed.',
          'Ask the Licensing Activation Center for more activations, and say why.',
          'Two hosts are enough for most sites: one pool is one count.',
        ],
        pool: 'A host key in state LimitReached, or more than six replicas: HostKeyWithinLimits is False.',
      },
      ko: {
        meaning: '호스트 키를 허용된 만큼 모두 사용했습니다. 호스트 6대, 각 10번입니다.',
        remedy: '호스트를 줄이거나 정품 인증 콜 센터에 한도 증가를 요청하세요.',
        cause:
          'KMS 호스트 키 하나로 컴퓨터 6대까지, 각각 처음 한 번과 추가로 아홉 번까지 정품 인증할 수 있습니다. 호스트를 자주 다시 설치하면 한도가 소진됩니다.',
        steps: [
          '아직 이 키를 가진 호스트를 세고 필요 없는 곳에서 제거합니다.',
          '라이선싱 정품 인증 센터에 이유를 설명하고 횟수를 늘려 달라고 요청합니다.',
          '대부분의 환경에는 호스트 두 대면 충분합니다. 풀 하나가 수 하나입니다.',
        ],
        pool: 'LimitReached 상태의 호스트 키, 또는 복제본이 여섯 개를 넘어 HostKeyWithinLimits가 False인지 여부.',
      },
    },
  },
];
