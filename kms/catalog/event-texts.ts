// SPDX-License-Identifier: Apache-2.0
//
// What each event says in words, in every language. Fields are in events.ts.

import type { EventText, Localised } from './types.ts';

export type EventId = 12288 | 12289 | 12290 | 12291 | 12292 | 12293 | 12294 | 12309 | 12310;

export const EVENT_TEXTS: Readonly<Record<EventId, Localised<EventText>>> = {
  12288: {
    en: {
      title: 'The client has sent an activation request',
      meaning: 'Written for each host that the client tries, with its name and port, and the client’s own state.',
      advice:
        'Without a 12289 after it, no answer came: the host was not found, not reached, or its answer was lost. The host name also shows whether clients are spread over several hosts.',
    },
    ko: {
      title: '클라이언트가 정품 인증 요청을 보냈습니다',
      meaning: '클라이언트가 시도한 호스트마다 기록되며 호스트의 이름과 포트, 클라이언트의 상태가 들어 있습니다.',
      advice:
        '뒤에 12289가 없으면 응답이 오지 않은 것입니다. 호스트를 찾지 못했거나, 연결하지 못했거나, 응답이 사라졌습니다. 호스트 이름으로 클라이언트가 여러 호스트에 나뉘었는지도 알 수 있습니다.',
    },
  },
  12289: {
    en: {
      title: 'The client has processed an activation answer',
      meaning: 'Written when an answer came, good or bad: the activation flag is 1 or 0, and the count is the host’s.',
      advice: 'If the flag is 0, read the HRESULT and compare the count with what the product needs: 5 or 25.',
    },
    ko: {
      title: '클라이언트가 정품 인증 응답을 처리했습니다',
      meaning: '좋든 나쁘든 응답이 왔을 때 기록됩니다. 정품 인증 플래그는 1 또는 0이고 수는 호스트의 것입니다.',
      advice: '플래그가 0이면 HRESULT를 읽고 수를 제품에 필요한 수(5 또는 25)와 비교합니다.',
    },
  },
  12290: {
    en: {
      title: 'The host has processed an activation request',
      meaning: 'Written on the host for every contact of a client: who it was, what it needs and in which state it is.',
      advice:
        'One CMID under several names: images that were not generalised. No event for a client: it never reached this host, or the log is full.',
    },
    ko: {
      title: '호스트가 정품 인증 요청을 처리했습니다',
      meaning:
        '클라이언트가 연결할 때마다 호스트에 기록됩니다. 누구인지, 무엇이 필요한지, 어떤 상태인지가 들어 있습니다.',
      advice:
        'CMID 하나가 여러 이름으로 나타나면 이미지가 일반화되지 않은 것입니다. 어떤 클라이언트의 이벤트가 없으면 이 호스트에 연결하지 못했거나 로그가 꽉 찬 것입니다.',
    },
  },
  12291: {
    en: {
      title: 'The host failed to initialise its key management service',
      meaning: 'The computer holds a host key but does not serve: it does not listen on its port.',
      advice:
        'Look at the HRESULT; then at another program on the port, the host key’s licence, and restart the service.',
    },
    ko: {
      title: '호스트가 키 관리 서비스를 초기화하지 못했습니다',
      meaning: '호스트 키는 있지만 서비스하지 않습니다. 포트에서 수신 대기하지 않습니다.',
      advice: 'HRESULT를 보고, 그 포트의 다른 프로그램과 호스트 키의 라이선스를 확인한 뒤 서비스를 다시 시작합니다.',
    },
  },
  12292: {
    en: {
      title: 'The host failed to initialise its renewal timer',
      meaning: 'The host serves, but will not publish its DNS record again by itself every 24 hours.',
      advice: 'Restart the licensing service: net stop sppsvc && net start sppsvc; then look for event 12294.',
    },
    ko: {
      title: '호스트가 갱신 타이머를 초기화하지 못했습니다',
      meaning: '호스트는 서비스하지만 24시간마다 DNS 레코드를 스스로 다시 게시하지 않습니다.',
      advice: '라이선스 서비스를 다시 시작합니다: net stop sppsvc && net start sppsvc. 그다음 12294 이벤트를 찾습니다.',
    },
  },
  12293: {
    en: {
      title: 'Publishing the host in DNS failed',
      meaning: 'The host could not write its SRV record, so clients of that domain do not find it.',
      advice:
        'Look at the HRESULT: no permission on the record (only the first host may change it unless the others are given the right), a zone without dynamic updates, or a name server that does not answer. Without dynamic DNS switch publishing off (slmgr /cdns) and create the record by hand.',
    },
    ko: {
      title: '호스트를 DNS에 게시하지 못했습니다',
      meaning: '호스트가 SRV 레코드를 쓰지 못해 그 도메인의 클라이언트가 호스트를 찾을 수 없습니다.',
      advice:
        'HRESULT를 봅니다. 레코드에 대한 권한이 없거나(권한을 주지 않으면 첫 호스트만 바꿀 수 있음), 영역이 동적 업데이트를 받지 않거나, 이름 서버가 응답하지 않습니다. 동적 DNS가 없으면 게시를 끄고(slmgr /cdns) 레코드를 수동으로 만듭니다.',
    },
  },
  12294: {
    en: {
      title: 'Publishing the host in DNS succeeded',
      meaning: 'The SRV record of that domain points to this host.',
      advice: 'Nothing to do; give the change time to reach all name servers before clients are let loose.',
    },
    ko: {
      title: '호스트를 DNS에 게시했습니다',
      meaning: '그 도메인의 SRV 레코드가 이 호스트를 가리킵니다.',
      advice: '할 일이 없습니다. 클라이언트를 배포하기 전에 변경이 모든 이름 서버에 퍼지도록 기다립니다.',
    },
  },
  12309: {
    en: {
      title: 'The guest has been told the outcome of automatic virtual machine activation',
      meaning:
        'One of four: success; invalid host; invalid data; activation denied. The user of the guest sees no message.',
      advice:
        'Invalid host: the virtualisation server does not answer or its Windows is too old for this guest. Invalid data: the exchange was damaged. Denied: the AVMA IDs do not match.',
    },
    ko: {
      title: '게스트가 자동 가상 머신 정품 인증의 결과를 받았습니다',
      meaning:
        '성공, 잘못된 호스트, 잘못된 데이터, 정품 인증 거부 중 하나입니다. 게스트의 사용자에게는 메시지가 보이지 않습니다.',
      advice:
        '잘못된 호스트는 가상화 서버가 응답하지 않거나 그 Windows가 이 게스트에 비해 오래된 것입니다. 잘못된 데이터는 통신이 손상된 것이고, 거부는 AVMA ID가 일치하지 않는 것입니다.',
    },
  },
  12310: {
    en: {
      title: 'The virtualisation host has seen a request for automatic virtual machine activation',
      meaning: 'The history of AVMA requests on the virtualisation server: which guest asked, and what became of it.',
      advice:
        'Use it to account for guests; the data that a guest exchanges with its host can be changed by the guest.',
    },
    ko: {
      title: '가상화 호스트가 자동 가상 머신 정품 인증 요청을 받았습니다',
      meaning: '가상화 서버에 남는 AVMA 요청 기록입니다. 어느 게스트가 요청했고 결과가 무엇인지 나타냅니다.',
      advice:
        '게스트 사용 현황을 파악하는 데 쓰되, 게스트가 호스트와 교환하는 데이터는 게스트가 바꿀 수 있음에 유의합니다.',
    },
  },
};
