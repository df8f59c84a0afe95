// SPDX-License-Identifier: Apache-2.0
//
// For tests: output of Windows as administrators paste it, in the layouts of the documents. Names, IDs and addresses are
// made up; what is shaped like a host's product ID is put together here so that no file holds one.

/** Not a genuine one; the shape of the line is what matters. */
const EXTENDED_PID = ['05426', '00206', '271', '000000-03-1042-9200.0000-0012024'].join('-');
const INSTALLATION_ID = '0'.repeat(9) + '123456789'.repeat(6);

export const HOST_DLV = `
Software licensing service version: 10.0.17763.1

Name: Windows(R), ServerStandard edition
Description: Windows(R) Operating System, VOLUME_KMS_WS19 channel
Activation ID: 11111111-2222-3333-4444-555555555555
Application ID: 55c92734-d682-4d71-983e-d6ec3f16059f
Extended PID: ${EXTENDED_PID}
Product Key Channel: Volume:CSVLK
Installation ID: ${INSTALLATION_ID}
Use License URL: https://activation.example/slspc/SLActivate.asmx
Partial Product Key: 7WXYZ
License Status: Licensed
Remaining Windows rearm count: 1001
Remaining SKU rearm count: 1001
Trusted time: 9/24/2019 3:11:04 PM

Key Management Service is enabled on this machine
    Current count: 1
    Listening on Port: 1689
    DNS publishing disabled
    KMS priority: Normal

Key Management Service cumulative requests received from clients
    Total requests received: 240
    Failed requests received: 60
    Requests with License Status Unlicensed: 0
    Requests with License Status Licensed: 110
    Requests with License Status Initial grace period: 60
    Requests with License Status License expired or Hardware out of tolerance: 4
    Requests with License Status Non-genuine grace period: 0
    Requests with License Status Notification: 6
`;

export const CLIENT_DLV = `
Software licensing service version: 6.1.7601.17514

Name: Windows(R) 7, Enterprise edition
Description: Windows Operating System - Windows(R) 7, VOLUME_KMSCLIENT channel
Activation ID: ae2ee509-1b34-41c0-acb7-6d4650168915
Application ID: 55c92734-d682-4d71-983e-d6ec3f16059f
Extended PID: ${EXTENDED_PID}
Installation ID: ${INSTALLATION_ID}
Partial Product Key: HVTHH
License Status: Initial grace period
Time remaining: 30240 minute(s) (21 day(s))
Remaining Windows rearm count: 0
Trusted time: 10/3/2019 11:21:51 AM

Key Management Service client information
    Client Machine ID (CMID): 7E3A1B90-52C1-4F0D-9B6E-30C1B8F0A911
    DNS auto-discovery: KMS name not available
    Registered KMS machine name: [2001:db8::7]:1688
    KMS machine extended PID: ${EXTENDED_PID}
    Activation interval: 120 minutes
    Renewal interval: 10080 minutes
    KMS host caching is disabled
`;

export const LICENSED_CLIENT_DLV = CLIENT_DLV.replace('Initial grace period', 'Licensed')
  .replace('Time remaining: 30240 minute(s) (21 day(s))', 'Volume activation expiration: 144000 minute(s) (100 day(s))')
  .replace(
    '    DNS auto-discovery: KMS name not available\n',
    '    KMS machine name from DNS: campus-1.kms.lab.example:1688\n',
  )
  .replace(/ {4}Registered.*\n/, '')
  .replace('caching is disabled', 'caching is enabled')
  .replace('rearm count: 0', 'rearm count: 3');

export const MAK_DLV = `
Name: Windows(R), Professional edition
Description: Windows(R) Operating System, VOLUME_MAK channel
Partial Product Key: QQQQ7
License Status: Notification
Notification Reason: 0xC004F009 (grace time expired).
Remaining Windows rearm count: 2
`;

export const HOST_DLV_KO = `
소프트웨어 라이선싱 서비스 버전: 10.0.14393.0

이름: Windows(R), ServerDatacenter edition
설명: Windows(R) Operating System, VOLUME_KMS_WS16 channel
정품 인증 ID: 11111111-2222-3333-4444-555555555555
확장 PID: ${EXTENDED_PID}
부분 제품 키: 7WXYZ
라이선스 상태: 사용 허가됨

이 컴퓨터에서 키 관리 서비스를 사용하도록 설정했습니다.
    현재 수: 50
    수신 대기 포트: 1688
    DNS 게시 사용
    KMS 우선 순위: 보통

키 관리 서비스가 클라이언트에서 받은 누적 요청 수
    받은 총 요청 수: 3120
    받은 실패한 요청 수: 3
`;

export const CLIENT_DLV_KO = `
이름: Windows(R), Enterprise edition
설명: Windows(R) Operating System, VOLUME_KMSCLIENT channel
부분 제품 키: 2XY43
라이선스 상태: 초기 유예 기간
남은 시간: 41760분(29일)

가장 최근의 정품 인증 정보:
키 관리 서비스 클라이언트 정보
    클라이언트 컴퓨터 ID(CMID): 7e3a1b90-52c1-4f0d-9b6e-30c1b8f0a911
    DNS의 KMS 컴퓨터 이름: kms.contoso.example:1688
    정품 인증 간격: 120분
    갱신 간격: 10080분
    KMS 호스트 캐싱을 사용하도록 설정했습니다.
`;

export const IPCONFIG = `
Windows IP Configuration

   Host Name . . . . . . . . . . . . : PC-0147
   Primary Dns Suffix  . . . . . . . : corp.contoso.example
   Node Type . . . . . . . . . . . . : Hybrid
   IP Routing Enabled. . . . . . . . : No
   WINS Proxy Enabled. . . . . . . . : No
   DNS Suffix Search List. . . . . . : corp.contoso.example
                                       contoso.example

Ethernet adapter Ethernet0:

   Connection-specific DNS Suffix  . : corp.contoso.example
   Description . . . . . . . . . . . : Intel(R) 82574L Gigabit Network Connection
   Physical Address. . . . . . . . . : 00-0C-29-AA-BB-CC
   DHCP Enabled. . . . . . . . . . . : Yes
   Autoconfiguration Enabled . . . . : Yes
   Link-local IPv6 Address . . . . . : fe80::d4a8:6435:d2d8:d9f3%11(Preferred)
   IPv4 Address. . . . . . . . . . . : 10.20.3.47(Preferred)
   Subnet Mask . . . . . . . . . . . : 255.255.255.0
   Lease Obtained. . . . . . . . . . : Thursday, October 3, 2019 8:02:11 AM
   Default Gateway . . . . . . . . . : fe80::1%11
                                       10.20.3.1
   DHCP Server . . . . . . . . . . . : 10.20.3.2
   DNS Servers . . . . . . . . . . . : 10.20.0.10
                                       8.8.8.8
   NetBIOS over Tcpip. . . . . . . . : Enabled
`;

export const IPCONFIG_KO = `
Windows IP 구성

   호스트 이름 . . . . . . . . : PC-0150
   주 DNS 접미사 . . . . . . . :
   노드 유형 . . . . . . . . . : 혼성
   IP 라우팅 사용. . . . . . . : 아니요
   WINS 프록시 사용. . . . . . : 아니요

이더넷 어댑터 이더넷:

   연결별 DNS 접미사. . . . :
   설명. . . . . . . . . . . . : Intel(R) Ethernet Connection
   물리적 주소 . . . . . . . . : 00-0C-29-AA-BB-CD
   DHCP 사용 . . . . . . . . . : 예
   IPv4 주소 . . . . . . . . . : 192.168.0.12(기본 설정)
   서브넷 마스크 . . . . . . . : 255.255.255.0
   기본 게이트웨이 . . . . . . : 192.168.0.1
   DNS 서버. . . . . . . . . . : 168.126.63.1
                                 168.126.63.2
   Tcpip를 통한 NetBIOS. . . . : 사용
`;

export const NSLOOKUP = `
Server:  dc1.contoso.example
Address:  10.20.0.10

_vlmcs._tcp.contoso.example     SRV service location:
          priority       = 0
          weight         = 0
          port           = 1688
          svr hostname   = kms-server.contoso.example
_vlmcs._tcp.contoso.example     SRV service location:
          priority       = 10
          weight         = 0
          port           = 1689
          svr hostname   = KMSOLD
kms-server.contoso.example      internet address = 10.20.0.21
kms-server.contoso.example      AAAA IPv6 address = fd00::21
`;

/** As the DNS document prints it. */
export const NSLOOKUP_OF_THE_DOCUMENT = `
_vlmcs._tcp.contoso.com SRV service location:
priority = 0
weight = 0
port = 1688 svr hostname = kms-server.contoso.com
`;

export const NSLOOKUP_NOTHING = `
Server:  UnKnown
Address:  10.20.0.10

*** UnKnown can't find _vlmcs._tcp: Non-existent domain
`;

export const NSLOOKUP_KO = `
서버:    dc1.contoso.example
Address:  10.20.0.10

_vlmcs._tcp.contoso.example     SRV 서비스 위치:
          우선 순위       = 0
          가중치         = 0
          포트           = 1688
          svr 호스트 이름   = kms-server.contoso.example
`;

export const EVENT_12288 = `
Log Name:      Application
Source:        Microsoft-Windows-Security-SPP
Date:          10/3/2019 11:26:20 AM
Event ID:      12288
Task Category: None
Level:         Information
Computer:      PC-0147.corp.contoso.example
Description:
The client has sent an activation request to the key management service machine.
Info:
0x0, 0x0, kms-server.contoso.example:1688, 7e3a1b90-52c1-4f0d-9b6e-30c1b8f0a911, 2019/10/03 02:26, 0, 2, 30240, ae2ee509-1b34-41c0-acb7-6d4650168915, 25
`;

export const EVENT_12289 = `
Log Name:      Application
Event ID:      12289
Description:
The client has processed an activation response from the key management service machine.
Info:
0xC004F038, 0x4000000, 0, 0, 19, 120, 10080, 2019/10/03 02:26
`;

export const EVENT_12288_FAILED_KO = `
로그 이름:      Application
원본:          Microsoft-Windows-Security-SPP
이벤트 ID:      12288
수준:          정보
설명:
클라이언트가 키 관리 서비스 컴퓨터로 정품 인증 요청을 보냈습니다.
정보:
0x800706BA, 0x0, kms-old.contoso.example:1688, 7e3a1b90-52c1-4f0d-9b6e-30c1b8f0a911, 2019/10/03 02:26, 1, 2, 30240, ae2ee509-1b34-41c0-acb7-6d4650168915, 25
`;

/** Two machines with one CMID, a renewal and a test tool; as the lines of an exported log. */
export const EVENTS_12290 = `
Event ID: 12290
An activation request has been processed.
Info:
0x0,25,PC-01.contoso.example,7e3a1b90-52c1-4f0d-9b6e-30c1b8f0a911,2019/10/03 02:26,1,2,41760,ae2ee509-1b34-41c0-acb7-6d4650168915
Event ID: 12290
0x0,25,PC-02.contoso.example,7E3A1B90-52C1-4F0D-9B6E-30C1B8F0A911,2019/10/03 02:31,1,1,249120,ae2ee509-1b34-41c0-acb7-6d4650168915
Event ID: 12290
0xC004F042,5,SRV-9.contoso.example,0c1d2e3f-0000-4000-8000-000000000009,2019/10/03 02:40,0,2,43200,68531fb9-5511-4989-97be-d11a0f55633f
Event ID: 12290
0x0,1000,loadtest,0c1d2e3f-0000-4000-8000-00000000000a,2019/10/03 02:41,0,2,43200,ae2ee509-1b34-41c0-acb7-6d4650168915
`;

export const EVENT_12293 = `
Event ID:      12293
Level:         Error
Description:
Publishing the Key Management Service (KMS) to DNS in the 'contoso.example' domain failed.
Info:
0x8007232A
`;

export const EVENT_12294_XML = `<Event xmlns="http://schemas.microsoft.com/win/2004/08/events/event"><System>
<Provider Name="Microsoft-Windows-Security-SPP"/><EventID Qualifiers="16384">12294</EventID></System>
<EventData><Data>'contoso.example'</Data></EventData></Event>`;
