// SPDX-License-Identifier: Apache-2.0
//
// What is this? Codes in every form, and each layout of Windows, in English and Korean.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { HRESULTS } from '@kmspool/kms/catalog';
import fc from 'fast-check';
import { codesIn, parseCode } from './code.ts';
import * as pastes from './pastes.fake.ts';
import { recogniseText, recogniseWord } from './recognise.ts';
import type { DlvFinding, EventFinding, Finding, IpconfigFinding, NslookupFinding } from './types.ts';

const only = (text: string): Finding => {
  const found = recogniseText(text);
  assert.equal(found.length, 1, JSON.stringify(found));
  return found[0] ?? assert.fail();
};
const dlv = (text: string): DlvFinding => only(text) as DlvFinding;
const event = (text: string): EventFinding => only(text) as EventFinding;

describe('codes', () => {
  test('hex with and without 0x, signed and unsigned, are one and the same (S4-33)', () => {
    fc.assert(
      fc.property(fc.constantFrom(...HRESULTS.filter(({ code }) => code !== 0)), ({ code }) => {
        const hex = code.toString(16);
        for (const form of [
          `0x${hex}`,
          `0X${hex.toUpperCase()}`,
          hex,
          hex.toUpperCase(),
          `${code}`,
          `${code | 0}`,
          `(0x${hex})`,
          `0x${hex}.`,
        ])
          assert.equal(parseCode(form)?.code, code, form);
      }),
    );
  });

  test('any 32-bit number is the code it was, and nothing makes it throw', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0x10000, max: 0xffffffff }), (code) => {
        assert.equal(
          parseCode(`0x${code.toString(16).padStart(8, '0')}`)?.form === 'rpcFault'
            ? code
            : parseCode(`0x${code.toString(16)}`)?.code,
          code,
        );
      }),
    );
    fc.assert(fc.property(fc.string(), (text) => void parseCode(text)));
  });

  test('80070005 is the code as Windows writes it, not eighty million', () => {
    assert.deepEqual(recogniseWord('80070005'), { kind: 'code', code: 0x80070005, form: 'hex' });
  });

  test('a Win32 error and an RPC fault are told as the HRESULT in which Windows shows them', () => {
    assert.deepEqual(parseCode('1722'), { kind: 'code', code: 0x800706ba, form: 'win32' });
    assert.deepEqual(parseCode('0x1C010014'), { kind: 'code', code: 0x800706bb, form: 'rpcFault' });
  });

  test('words, numbers too large and numbers too small are no codes', () => {
    for (const text of ['face', 'slmgr', '0x', '0xC004F0381', '4294967296', '-2147483649', '1.5', '', 'C004'])
      assert.equal(parseCode(text), undefined, text);
  });

  test('event numbers are events, with and without the word', () => {
    for (const text of ['12288', 'event 12288', '이벤트 12288'])
      assert.deepEqual(recogniseWord(text), { kind: 'event', id: 12288, values: {} });
    assert.equal(recogniseWord('12287')?.kind, 'code');
  });

  test('codes in a message are found, each once', () => {
    const text =
      'Error: 0xC004F074 The Software Protection Service reported … (0xc004f074), see 0x80072EE2, not 0x00000000.';
    assert.deepEqual(
      codesIn(text).map(({ code }) => code),
      [0xc004f074, 0x80072ee2],
    );
    assert.deepEqual(codesIn('11111111-2222-3333-4444-8007000d0000 and 12345'), []);
  });
});

describe('slmgr /dlv', () => {
  test('of a host, with the fields of the guide (S1-08…S1-13, S1-20…S1-24)', () => {
    const { version, name, description, state, count, port, publishing, enabled, totalRequests, failedRequests, role } =
      dlv(pastes.HOST_DLV);
    assert.deepEqual([role, version, name, state], ['host', '10.0.17763.1', 'Windows(R), ServerStandard edition', 1]);
    assert.match(description ?? '', /VOLUME_KMS_WS19 channel/);
    assert.deepEqual(
      [count, port, publishing, enabled, totalRequests, failedRequests],
      [1, 1689, false, true, 240, 60],
    );
  });

  test('of a client, with the fields of the guide (S1-33…S1-39)', () => {
    const client = dlv(pastes.CLIENT_DLV);
    assert.deepEqual([client.role, client.partialKey, client.state, client.minutesLeft], ['client', 'HVTHH', 2, 30240]);
    assert.equal(client.cmid, '7e3a1b90-52c1-4f0d-9b6e-30c1b8f0a911');
    assert.deepEqual(
      [client.discoveryFailed, client.machineRegistered, client.caching],
      [true, '[2001:db8::7]:1688', false],
    );
    assert.deepEqual(
      [client.activationIntervalMinutes, client.renewalIntervalMinutes, client.rearmsLeft],
      [120, 10080, 0],
    );
    const licensed = dlv(pastes.LICENSED_CLIENT_DLV);
    assert.deepEqual(
      [licensed.state, licensed.machineFromDns, licensed.caching],
      [1, 'campus-1.kms.lab.example:1688', true],
    );
  });

  test('of a computer with a MAK, with the reason of its notification', () => {
    const { role, state, reasonCode } = dlv(pastes.MAK_DLV);
    assert.deepEqual([role, state, reasonCode], ['mak', 5, 0xc004f009]);
  });

  test('in Korean', () => {
    const host = dlv(pastes.HOST_DLV_KO);
    assert.deepEqual(
      [host.role, host.state, host.count, host.port, host.publishing, host.enabled],
      ['host', 1, 50, 1688, true, true],
    );
    assert.deepEqual([host.totalRequests, host.failedRequests, host.version], [3120, 3, '10.0.14393.0']);
    const client = dlv(pastes.CLIENT_DLV_KO);
    assert.deepEqual([client.role, client.state, client.minutesLeft, client.caching], ['client', 2, 41760, true]);
    assert.deepEqual(
      [client.cmid, client.machineFromDns],
      ['7e3a1b90-52c1-4f0d-9b6e-30c1b8f0a911', 'kms.contoso.example:1688'],
    );
  });

  test('with several products, a finding for each', () => {
    const found = recogniseText(pastes.HOST_DLV + pastes.MAK_DLV);
    assert.deepEqual(
      found.map((each) => each.kind === 'dlv' && each.role),
      ['host', 'mak'],
    );
  });

  test('states in the words of slmgr', () => {
    const state = (words: string): number | undefined =>
      dlv(pastes.MAK_DLV.replace('Notification\n', `${words}\n`)).state;
    assert.deepEqual(
      [
        'Unlicensed',
        'Licensed',
        'Initial grace period',
        'Additional grace period (KMS license expired or hardware out of tolerance)',
        'Non-genuine grace period.',
        'Notification',
        'Extended grace period',
      ].map(state),
      [0, 1, 2, 3, 4, 5, 6],
    );
    assert.deepEqual(
      [
        '사용 허가되지 않음',
        '사용 허가됨',
        '초기 유예 기간',
        '추가 유예 기간',
        '비정품 유예 기간',
        '알림',
        '연장된 유예 기간',
      ].map(state),
      [0, 1, 2, 3, 4, 5, 6],
    );
  });
});

describe('ipconfig /all and nslookup', () => {
  test('ipconfig /all: address, name servers, gateway, suffixes (S2-15)', () => {
    assert.deepEqual(only(pastes.IPCONFIG), {
      kind: 'ipconfig',
      hostName: 'PC-0147',
      primarySuffix: 'corp.contoso.example',
      searchList: ['corp.contoso.example', 'contoso.example'],
      connectionSuffixes: ['corp.contoso.example'],
      addresses: ['10.20.3.47'],
      gateways: ['fe80::1', '10.20.3.1'],
      dnsServers: ['10.20.0.10', '8.8.8.8'],
    } satisfies IpconfigFinding);
  });

  test('in Korean, of a workgroup computer without a suffix', () => {
    const { hostName, primarySuffix, searchList, addresses, dnsServers } = only(pastes.IPCONFIG_KO) as IpconfigFinding;
    assert.deepEqual([hostName, primarySuffix, searchList, addresses], ['PC-0150', undefined, [], ['192.168.0.12']]);
    assert.deepEqual(dnsServers, ['168.126.63.1', '168.126.63.2']);
  });

  test('nslookup: every record with its address (S2-16, S2-17)', () => {
    const { server, records, addresses } = only(pastes.NSLOOKUP) as NslookupFinding;
    assert.equal(server, 'dc1.contoso.example');
    assert.deepEqual(records, [
      { name: '_vlmcs._tcp.contoso.example', priority: 0, weight: 0, port: 1688, target: 'kms-server.contoso.example' },
      { name: '_vlmcs._tcp.contoso.example', priority: 10, weight: 0, port: 1689, target: 'KMSOLD' },
    ]);
    assert.deepEqual(addresses, { 'kms-server.contoso.example': ['10.20.0.21', 'fd00::21'] });
  });

  test('the block as the document prints it, in Korean, and in one line', () => {
    const record = { priority: 0, weight: 0, port: 1688 };
    for (const [paste, domain] of [
      [pastes.NSLOOKUP_OF_THE_DOCUMENT, 'contoso.com'],
      [pastes.NSLOOKUP_KO, 'contoso.example'],
      ['_vlmcs._tcp.lab.example\tservice = 0 0 1688 kms-server.lab.example.\n', 'lab.example'],
    ] as const)
      assert.deepEqual((only(paste) as NslookupFinding).records, [
        { name: `_vlmcs._tcp.${domain}`, ...record, target: `kms-server.${domain}` },
      ]);
  });

  test('nothing found, a time-out and a failure are told apart', () => {
    const failure = (line: string): unknown =>
      (only(`C:\\> nslookup -type=all _vlmcs._tcp\n${line}\n`) as NslookupFinding).failure;
    assert.equal((only(pastes.NSLOOKUP_NOTHING) as NslookupFinding).failure, 'notFound');
    assert.equal(failure('DNS request timed out.\n    timeout was 2 seconds.'), 'timeout');
    assert.equal(
      failure('*** dc1.contoso.example이(가) _vlmcs._tcp을(를) 찾을 수 없습니다. Non-existent domain'),
      'notFound',
    );
    assert.equal(failure('*** Server failed'), 'serverFailed');
  });
});

describe('event records', () => {
  test('12288 has host, state and minimum count (S1-42)', () => {
    const { id, values } = event(pastes.EVENT_12288);
    assert.deepEqual(
      [id, values['server'], values['licenseStatus'], values['minimumCount']],
      [12288, 'kms-server.contoso.example:1688', '2', '25'],
    );
    assert.equal(event(pastes.EVENT_12288_FAILED_KO).values['hresult'], '0x800706BA');
  });

  test('12289 has activation flag and count (S1-44, S1-45)', () => {
    const { id, values } = event(pastes.EVENT_12289);
    assert.deepEqual(
      [id, values['activated'], values['count'], values['renewalIntervalMinutes']],
      [12289, '0', '19', '10080'],
    );
  });

  test('12290 has minimum count, CMID, state and minutes (S1-28, S1-29, S1-30)', () => {
    const found = recogniseText(pastes.EVENTS_12290) as EventFinding[];
    assert.deepEqual(
      found.map(({ id, values }) => [id, values['minimumCount'], values['workstationName'], values['minutesToExpiry']]),
      [
        [12290, '25', 'PC-01.contoso.example', '41760'],
        [12290, '25', 'PC-02.contoso.example', '249120'],
        [12290, '5', 'SRV-9.contoso.example', '43200'],
        [12290, '1000', 'loadtest', '43200'],
      ],
    );
  });

  test('publishing events have the domain, from a sentence and from XML (S1-32)', () => {
    assert.deepEqual(event(pastes.EVENT_12293).values, { hresult: '0x8007232A', domain: 'contoso.example' });
    assert.deepEqual(event(pastes.EVENT_12294_XML).values, { domain: 'contoso.example' });
  });

  test('without a number, the shape of the list says which event it is', () => {
    const ids = [pastes.EVENT_12288, pastes.EVENT_12289, pastes.EVENTS_12290].map((paste) => {
      const bare = paste.replace(/.*(?:ID|Log Name|Source|Date).*\n/g, '');
      return (recogniseText(bare)[0] as EventFinding).id;
    });
    assert.deepEqual(ids, [12288, 12289, 12290]);
  });

  test('the fields of a list that a viewer wrapped are put together again', () => {
    const wrapped = pastes.EVENT_12288.replace('2019/10/03', '\n  2019/10/03');
    assert.deepEqual(event(wrapped).values, event(pastes.EVENT_12288).values);
  });
});

test('a paste of several things gives several findings; of nothing known, none; and no text makes it throw', () => {
  const all = recogniseText(
    pastes.IPCONFIG + pastes.NSLOOKUP + pastes.CLIENT_DLV + pastes.EVENT_12288 + pastes.EVENT_12289,
  );
  assert.deepEqual(
    all.map(({ kind }) => kind),
    ['ipconfig', 'nslookup', 'dlv', 'event', 'event'],
  );
  assert.deepEqual(recogniseText('Dear colleague, name: Kim, our printer does not print.'), []);
  const scraps = fc.array(
    fc.constantFrom(...Object.values(pastes).flatMap((paste) => paste.split('\n')), '', '::', '0x', '= :'),
  );
  fc.assert(fc.property(scraps, (lines) => void recogniseText(lines.join('\n'))));
});
