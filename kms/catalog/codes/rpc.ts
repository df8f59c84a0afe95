// SPDX-License-Identifier: Apache-2.0
//
// Codes of the connection: RPC faults as a client sees them (docs/protocol.md §1.6), and access denied.

import type { Hresult } from '../types.ts';

const CLIENT = ['KmsClient'] as const;

export const RPC_CODES: readonly Hresult[] = [
  {
    code: 0x800706ba,
    symbol: 'ConnectFailed',
    decidedBy: 'client',
    activation: CLIENT,
    texts: {
      en: {
        meaning: 'The client could not connect to the host.',
        remedy: 'Check firewalls for TCP 1688, and whether the SRV record still points to a living host.',
        cause: 'A firewall on the path or on the host itself, or an SRV record of a host that is gone.',
        steps: [
          'Take the host and port from event 12288 and test them: Test-NetConnection HOST -Port 1688.',
          'Enable the firewall exception for the Key Management Service on the host.',
          'Delete SRV records that point to hosts that no longer exist; slmgr /ckms clears the host that a client has cached.',
        ],
        pool: 'Hosts ready of all hosts, and records in DNS that are no host of the pool.',
      },
      ko: {
        meaning: '클라이언트가 호스트에 연결하지 못했습니다.',
        remedy: 'TCP 1688 방화벽과 SRV 레코드가 아직 살아 있는 호스트를 가리키는지 확인하세요.',
        cause: '경로나 호스트 자체의 방화벽, 또는 없어진 호스트의 SRV 레코드입니다.',
        steps: [
          '12288 이벤트의 호스트와 포트를 시험합니다: Test-NetConnection 호스트 -Port 1688.',
          '호스트에서 키 관리 서비스의 방화벽 예외를 켭니다.',
          '없어진 호스트의 SRV 레코드를 지웁니다. 클라이언트가 캐시한 호스트는 slmgr /ckms로 지웁니다.',
        ],
        pool: '전체 중 준비된 호스트, 풀의 호스트가 아닌 DNS 레코드.',
      },
    },
  },
  {
    code: 0x800706d1,
    symbol: 'RpcProcedureOutOfRange',
    decidedBy: 'client',
    activation: CLIENT,
    texts: {
      en: {
        meaning: 'The host does not know the remote procedure that was called.',
        remedy: 'Check that the program on that port is a KMS host and the client a KMS client.',
        cause: 'KMS has one procedure, number 0. Some other RPC program called, or was called.',
        steps: ['Find the program that calls; a genuine client never does this.', 'Check what listens on the port.'],
        pool: 'RPC faults by status in the hosts’ metrics.',
      },
      ko: {
        meaning: '호스트가 호출된 원격 프로시저를 알지 못합니다.',
        remedy: '그 포트의 프로그램이 KMS 호스트이고 부른 쪽이 KMS 클라이언트인지 확인하세요.',
        cause: 'KMS에는 0번 프로시저 하나뿐입니다. 다른 RPC 프로그램이 부르거나 불렸습니다.',
        steps: [
          '호출하는 프로그램을 찾습니다. 실제 클라이언트는 이렇게 하지 않습니다.',
          '그 포트에서 무엇이 수신 대기하는지 확인합니다.',
        ],
        pool: '호스트 메트릭의 상태별 RPC 오류.',
      },
    },
  },
  {
    code: 0x800706b5,
    symbol: 'RpcUnknownInterface',
    decidedBy: 'client',
    activation: CLIENT,
    texts: {
      en: {
        meaning: 'The server on that port does not offer the KMS interface.',
        remedy: 'Check host name and port: some other RPC server listens there.',
        cause: 'An SRV record or slmgr /skms names the wrong port, such as 135, or the wrong machine.',
        steps: ['Compare the port with slmgr /dlv of the host.', 'Correct the SRV record, or slmgr /skms HOST:PORT.'],
        pool: 'The port of the hosts against the port in the SRV records.',
      },
      ko: {
        meaning: '그 포트의 서버가 KMS 인터페이스를 제공하지 않습니다.',
        remedy: '호스트 이름과 포트를 확인하세요. 다른 RPC 서버가 수신 대기하고 있습니다.',
        cause: 'SRV 레코드나 slmgr /skms가 135 같은 잘못된 포트나 다른 컴퓨터를 가리킵니다.',
        steps: ['포트를 호스트의 slmgr /dlv와 비교합니다.', 'SRV 레코드나 slmgr /skms 호스트:포트를 고칩니다.'],
        pool: '호스트의 포트와 SRV 레코드의 포트.',
      },
    },
  },
  {
    code: 0x800706c0,
    symbol: 'RpcProtocolError',
    decidedBy: 'client',
    activation: CLIENT,
    texts: {
      en: {
        meaning: 'The host met a breach of the RPC protocol and gave the call up.',
        remedy: 'Look for a middlebox that alters the stream; capture the traffic if there is none.',
        cause: 'A proxy, an inspecting firewall or a faulty client program changed or cut the RPC messages.',
        steps: [
          'Try from a machine next to the host.',
          'Take inspecting devices out of the path for TCP 1688.',
          'Capture the traffic and compare both ends.',
        ],
        pool: 'RPC faults and connections cut short in the hosts’ metrics.',
      },
      ko: {
        meaning: '호스트가 RPC 프로토콜 위반을 발견해 호출을 포기했습니다.',
        remedy: '스트림을 바꾸는 중간 장비를 찾고, 없으면 트래픽을 캡처하세요.',
        cause: '프록시, 검사 방화벽 또는 잘못된 클라이언트 프로그램이 RPC 메시지를 바꾸거나 잘랐습니다.',
        steps: [
          '호스트 바로 옆의 컴퓨터에서 시도합니다.',
          'TCP 1688 경로에서 검사 장비를 뺍니다.',
          '트래픽을 캡처해 양쪽을 비교합니다.',
        ],
        pool: '호스트 메트릭의 RPC 오류와 중간에 끊긴 연결.',
      },
    },
  },
  {
    code: 0x800706f7,
    symbol: 'RpcBadStubData',
    decidedBy: 'client',
    activation: CLIENT,
    texts: {
      en: {
        meaning: 'The host could not decode the call’s parameters.',
        remedy: 'Check the client program: the RPC frame is sound, but the data in it is not.',
        cause: 'The length fields of the call disagree with its data; a test tool or a damaged client does this.',
        steps: ['Find the program by its address in the host’s log.', 'Repair or update it.'],
        pool: 'RPC faults by status in the hosts’ metrics.',
      },
      ko: {
        meaning: '호스트가 호출의 매개 변수를 해독하지 못했습니다.',
        remedy: '클라이언트 프로그램을 확인하세요. RPC 틀은 맞지만 안의 데이터가 잘못되었습니다.',
        cause: '호출의 길이 필드가 데이터와 맞지 않습니다. 시험 도구나 손상된 클라이언트가 원인입니다.',
        steps: ['호스트 로그의 주소로 프로그램을 찾습니다.', '그 프로그램을 고치거나 업데이트합니다.'],
        pool: '호스트 메트릭의 상태별 RPC 오류 수.',
      },
    },
  },
  {
    code: 0x80070005,
    symbol: 'AccessDenied',
    decidedBy: 'client',
    activation: ['MAK', 'KmsClient', 'KmsHost'],
    texts: {
      en: {
        meaning:
          'Access was denied: slmgr needs an elevated prompt, or a host refused a call that was authenticated or too large.',
        remedy: 'Run slmgr from an elevated prompt; a program that calls the host itself must not authenticate.',
        cause:
          'For an administrator nearly always the prompt: User Account Control keeps slmgr from doing it with lesser rights. On the wire: KMS uses anonymous RPC.',
        steps: [
          'Open a command prompt with “Run as administrator” and repeat the slmgr command.',
          'Remote, in a workgroup: set LocalAccountTokenFilterPolicy to 1 on the target and allow WMI through its firewall.',
        ],
        pool: 'Whether the caller has the rights (a 403 of the Kubernetes API, a 401 of a host’s admin paths).',
      },
      ko: {
        meaning:
          '액세스가 거부되었습니다. slmgr에는 관리자 권한이 필요하거나, 호스트가 인증되었거나 너무 큰 호출을 거부했습니다.',
        remedy:
          'slmgr는 관리자 권한 명령 프롬프트에서 실행하세요. 호스트를 직접 호출하는 프로그램은 인증하지 않아야 합니다.',
        cause:
          '관리자에게는 거의 항상 명령 프롬프트의 문제입니다. 사용자 계정 컨트롤(UAC)이 낮은 권한의 slmgr를 막습니다. 네트워크에서 KMS는 익명 RPC를 씁니다.',
        steps: [
          '“관리자 권한으로 실행”으로 명령 프롬프트를 열고 slmgr 명령을 다시 실행합니다.',
          '작업 그룹의 원격 컴퓨터라면 대상에서 LocalAccountTokenFilterPolicy를 1로 하고 방화벽에서 WMI를 허용합니다.',
        ],
        pool: '호출한 사람의 권한(Kubernetes API의 403, 호스트 관리 경로의 401).',
      },
    },
  },
  {
    code: 0x800706bd,
    symbol: 'RpcNoCallActive',
    decidedBy: 'client',
    activation: CLIENT,
    texts: {
      en: {
        meaning: 'The call was cancelled before it began.',
        remedy: 'Try again; if it repeats, check the client program.',
        cause: 'The client gave up, or was shut down, between connecting and calling.',
        steps: ['slmgr /ato once more.', 'If it comes back, look at the client’s own logs.'],
        pool: 'Nothing in particular; a single one is no sign of trouble.',
      },
      ko: {
        meaning: '호출이 시작되기 전에 취소되었습니다.',
        remedy: '다시 시도하고, 반복되면 클라이언트 프로그램을 확인하세요.',
        cause: '연결과 호출 사이에 클라이언트가 포기했거나 종료되었습니다.',
        steps: ['slmgr /ato를 한 번 더 실행합니다.', '다시 나타나면 클라이언트의 로그를 봅니다.'],
        pool: '특별히 볼 것은 없습니다. 한 번이면 문제의 징후가 아닙니다.',
      },
    },
  },
  {
    code: 0x800706bb,
    symbol: 'RpcServerTooBusy',
    decidedBy: 'client',
    activation: CLIENT,
    texts: {
      en: {
        meaning: 'The host cannot serve now: it sheds load or has lost its client table.',
        remedy: 'The client goes to the next host by itself; look at the host’s store and connection limits.',
        cause:
          'A host of a pool refuses rather than count on its own: its store is away for longer than allowed, or too many connections are open.',
        steps: [
          'Look at the store: can the hosts reach it?',
          'Look at the connections against spec.limits.',
          'Clients retry by themselves; nothing is lost.',
        ],
        pool: 'The store’s state (LastKnown, Refusing) and the connections open.',
      },
      ko: {
        meaning: '호스트가 지금 응대할 수 없습니다. 부하를 줄이는 중이거나 클라이언트 표를 잃었습니다.',
        remedy: '클라이언트는 스스로 다음 호스트로 갑니다. 호스트의 저장소와 연결 한도를 확인하세요.',
        cause: '풀의 호스트는 혼자 세기보다 거부합니다. 저장소가 허용 시간보다 오래 없거나 연결이 너무 많습니다.',
        steps: [
          '호스트가 저장소에 연결할 수 있는지 봅니다.',
          '열린 연결 수를 spec.limits와 비교합니다.',
          '클라이언트는 스스로 다시 시도하므로 잃는 것은 없습니다.',
        ],
        pool: '저장소의 상태(LastKnown, Refusing)와 열린 연결.',
      },
    },
  },
];
