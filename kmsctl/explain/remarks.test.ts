// SPDX-License-Identifier: Apache-2.0
//
// What is said about each paste: the verdicts of the troubleshooting documents, by their ids, and every saying in both languages.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { LANGUAGES } from '@kmspool/kms/catalog';
import { explain } from './explanation.ts';
import * as pastes from './pastes.fake.ts';
import { recogniseText } from './recognise.ts';
import { redact } from './redact.ts';
import { DLV_SAYINGS } from './sayings-dlv.ts';
import { DNS_SAYINGS } from './sayings-dns.ts';
import { EVENT_SAYINGS } from './sayings-events.ts';
import { POOL_SAYINGS } from './sayings-pool.ts';
import type { Remark } from './types.ts';

const said = (text: string): Remark[] => {
  const { items, together } = explain(recogniseText(text), undefined);
  return [...items.flatMap(({ remarks }) => remarks), ...together];
};
const ids = (text: string): string[] => said(text).map(({ id }) => id);
const english = (text: string, id: string): string =>
  said(text).find((remark) => remark.id === id)?.text.en ?? assert.fail(id);

/** The texts are a table: both languages, with the same names to fill in, and no two rows alike. */
test('every saying is complete in both languages', () => {
  const names = (text: string): string[] => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? '').sort();
  for (const table of [DLV_SAYINGS, DNS_SAYINGS, EVENT_SAYINGS, POOL_SAYINGS]) {
    const rows = Object.entries(table);
    for (const [id, { text, remedy, severity }] of rows) {
      assert.match(id, /^[a-z0-9]+(-[a-z0-9]+)*$|^[a-z]+$/);
      for (const both of [text, ...(remedy === undefined ? [] : [remedy])]) {
        assert.deepEqual(names(both.en), names(both.ko), id);
        assert.doesNotMatch(both.en, /\p{Script=Hangul}/u, id);
      }
      assert.match(text.ko, /\p{Script=Hangul}|^\{code\}|^\{name\}/u, id);
      if (severity === 'good') assert.equal(remedy, undefined, id);
    }
  }
});

test('nothing is left to be filled in, whatever the paste', () => {
  for (const [name, paste] of Object.entries(pastes))
    for (const { id, text, remedy } of said(paste))
      for (const language of LANGUAGES)
        assert.doesNotMatch(`${text[language]} ${remedy?.[language] ?? ''}`, /\{\w+\}|undefined|NaN/, `${name} ${id}`);
});

describe('slmgr /dlv of a host', () => {
  const withCount = (count: number): string[] => ids(pastes.HOST_DLV.replace('count: 1\n', `count: ${count}\n`));

  test('its key and Windows: what it activates, and whether it may be there (S1-09, S1-10, S1-11)', () => {
    assert.match(english(pastes.HOST_DLV, 'host-key'), /Windows Server 2019: it activates Windows Server 2019/);
    assert.ok(!ids(pastes.HOST_DLV).includes('host-key-misplaced'));
    const old = pastes.HOST_DLV.replace('10.0.17763.1', '6.1.7601.17514');
    assert.match(english(old, 'host-key-misplaced'), /Windows Server 2019 does not belong on Windows Server 2008 R2/);
  });

  test('anything but Licensed is a problem (S1-12)', () => {
    assert.ok(ids(pastes.HOST_DLV).includes('licensed'));
    assert.ok(ids(pastes.HOST_DLV.replace('Status: Licensed\n', 'Status: Unlicensed\n')).includes('host-not-licensed'));
  });

  test('count 0, 1, 3, 9, 10, 25 and 50 each mean something else (S1-13, S1-14, S1-15, S1-16, S1-17)', () => {
    const verdict = (count: number): string[] => withCount(count).filter((id) => id.startsWith('count'));
    assert.deepEqual([0, 1, 3, 9].map(verdict), [
      ['count-zero'],
      ['count-one'],
      ['count-below-all'],
      ['count-below-client'],
    ]);
    assert.deepEqual([10, 25, 50].map(verdict), [
      ['count-below-client', 'count-ten'],
      ['count-enough'],
      ['count-enough', 'count-fifty'],
    ]);
  });

  test('another port, publishing switched off, a service that is not enabled (S1-20, S1-21, S2-09)', () => {
    for (const id of ['other-port', 'dns-publishing-off']) assert.ok(ids(pastes.HOST_DLV).includes(id), id);
    for (const id of ['other-port', 'dns-publishing-off']) assert.ok(!ids(pastes.HOST_DLV_KO).includes(id), id);
    assert.ok(ids(pastes.HOST_DLV.replace('is enabled on', 'is disabled on')).includes('kms-disabled'));
  });

  test('failed requests are worth a word only where the count is low or they are many (S1-22, S1-23, S1-25)', () => {
    assert.ok(ids(pastes.HOST_DLV).includes('failed-requests'));
    assert.ok(!ids(pastes.HOST_DLV_KO).includes('failed-requests'));
  });
});

describe('slmgr /dlv of a client', () => {
  test('an edition that is no volume edition (S1-33)', () => {
    assert.ok(
      ids(pastes.CLIENT_DLV.replace('Enterprise edition', 'Ultimate edition')).includes('not-a-volume-edition'),
    );
  });

  test('a MAK or a retail key: it never asks a KMS host (S1-34)', () => {
    assert.ok(ids(pastes.MAK_DLV).includes('mak-installed'));
    assert.ok(ids(pastes.MAK_DLV.replace('VOLUME_MAK', 'RETAIL')).includes('no-kms-client-key'));
  });

  test('the setup key of the edition, and of another one (S1-35)', () => {
    assert.ok(ids(pastes.CLIENT_DLV).includes('setup-key-known'));
    const other = pastes.CLIENT_DLV.replace('HVTHH', 'GPDD4');
    assert.match(
      english(other, 'setup-key-of-another'),
      /GPDD4 is the setup key of Windows 7 Professional, not of .*Enterprise/,
    );
  });

  test('stuck in grace, or licensed but not renewing (S1-36)', () => {
    assert.ok(ids(pastes.CLIENT_DLV).includes('not-licensed'));
    assert.match(english(pastes.LICENSED_CLIENT_DLV, 'not-renewed'), /100 of 180 days are left.*80 days/);
    const fresh = pastes.LICENSED_CLIENT_DLV.replace('144000', '254880');
    assert.ok(!ids(fresh).includes('not-renewed') && ids(fresh).includes('licensed'));
  });

  test('where its host comes from, and whether it is cached (S1-38, S1-39)', () => {
    assert.deepEqual(
      ids(pastes.LICENSED_CLIENT_DLV).filter((id) => /dns|caching|hand/.test(id)),
      ['found-by-dns', 'caching-on'],
    );
    for (const id of ['discovery-failed', 'host-set-by-hand', 'caching-off', 'no-rearms'])
      assert.ok(ids(pastes.CLIENT_DLV).includes(id), id);
  });

  test('an IPv6 address in /skms is one that slmgr does not read (C7)', () => {
    assert.ok(ids(pastes.CLIENT_DLV).includes('ipv6-literal'));
    assert.ok(!ids(pastes.CLIENT_DLV.replace('[2001:db8::7]', 'kms.lab.example')).includes('ipv6-literal'));
  });
});

describe('ipconfig /all and nslookup', () => {
  test('no suffix at all is 0x8007007B; only that of DHCP is a workgroup (S2-31, S4-03)', () => {
    assert.ok(ids(pastes.IPCONFIG_KO).includes('no-suffix'));
    const dhcp = pastes.IPCONFIG_KO.replace('연결별 DNS 접미사. . . . :', '연결별 DNS 접미사. . . . : branch.example');
    assert.deepEqual(ids(dhcp).slice(-2), ['workgroup', 'searched-domains']);
  });

  test('the name server comes first, and one of the internet knows nothing (S2-08)', () => {
    assert.match(english(pastes.IPCONFIG, 'ping-dns'), /ping 10\.20\.0\.10/);
    assert.match(english(pastes.IPCONFIG, 'public-resolver'), /8\.8\.8\.8/);
    const alone = pastes.IPCONFIG.replace('10.20.3.47', '169.254.7.7').replace(/DNS Servers.*\n.*8\.8\.8\.8\n/, '\n');
    for (const id of ['no-address', 'no-dns-server']) assert.ok(ids(alone).includes(id), id);
  });

  test('each record has a verdict; several hosts have one together (S2-17, S1-19, C1)', () => {
    assert.deepEqual(ids(pastes.NSLOOKUP), [
      'srv-record',
      'srv-record',
      'target-without-domain',
      'srv-other-port',
      'several-records',
      'nslookup-is-not-the-client',
    ]);
    assert.match(
      english(pastes.NSLOOKUP, 'several-records'),
      /Windows 7 and later choose by priority and weight, older ones at random.*cached/,
    );
  });

  test('the misspelt record of the documents is recognised (C4)', () => {
    assert.ok(ids(pastes.NSLOOKUP_OF_THE_DOCUMENT.replace('_vlmcs', '_vmlcs')).includes('misspelt-record'));
  });

  test('nslookup’s success is not the client’s: the search list decides (S2-19, S2-20)', () => {
    assert.ok(ids(pastes.NSLOOKUP).includes('nslookup-is-not-the-client'));
    assert.ok(ids(pastes.IPCONFIG + pastes.NSLOOKUP).includes('suffix-fits'));
    const elsewhere = pastes.IPCONFIG + pastes.NSLOOKUP.replaceAll('tcp.contoso', 'tcp.head.contoso');
    const [missed] = said(elsewhere).filter(({ id }) => id === 'suffix-misses');
    assert.match(missed?.text.en ?? '', /in head\.contoso\.example, which the client does not search/);
    assert.match(
      missed?.remedy?.en ?? '',
      /Publish in corp\.contoso\.example too \(DnsDomainPublishList; spec\.dns\.domains/,
    );
  });

  test('no record, no answer', () => {
    assert.deepEqual(ids(pastes.NSLOOKUP_NOTHING), ['no-srv-record']);
    assert.deepEqual(ids('DNS request timed out.\n_vlmcs._tcp\n'), ['dns-timeout']);
  });
});

describe('events', () => {
  test('a 12288 without its 12289: no answer came (S1-41)', () => {
    assert.ok(ids(pastes.EVENT_12288).includes('request-without-answer'));
    assert.ok(!ids(pastes.EVENT_12288 + pastes.EVENT_12289).includes('request-without-answer'));
  });

  test('requests to several hosts: the count is split (S1-42)', () => {
    assert.match(
      english(pastes.EVENT_12288 + pastes.EVENT_12288_FAILED_KO, 'several-hosts-asked'),
      /2 different hosts: kms-server.*kms-old/,
    );
  });

  test('with both, the second says why: count 19 of the 25 that the first asked for (S1-43, S1-45)', () => {
    assert.match(
      english(pastes.EVENT_12288 + pastes.EVENT_12289, 'not-activated-count'),
      /count was 19, and 25 are needed/,
    );
    const server = pastes.EVENT_12288.replace(/25\n$/, '5\n') + pastes.EVENT_12289.replace('0, 0, 19', '0, 0, 3');
    assert.match(english(server, 'not-activated-count'), /count was 3, and 5 are needed/);
  });

  test('activation flag 1 is activated, 0 with another code says that code (S1-44)', () => {
    const answer = (flag: string, code: string): string[] =>
      ids(pastes.EVENT_12289.replace('0xC004F038, 0x4000000, 0', `${code}, 0x0, ${flag}`));
    assert.deepEqual(answer('1', '0x0'), ['activated']);
    assert.deepEqual(answer('0', '0xC004F06C'), ['not-activated', 'code']);
  });

  test('12290 tells first try from renewal, one CMID of two machines, a refusal, a test tool (S1-28, S1-29, S1-30, S1-37)', () => {
    const told = ids(pastes.EVENTS_12290);
    for (const id of ['first-activation', 'renewal', 'one-cmid-many-names', 'code', 'absurd-minimum'])
      assert.ok(told.includes(id), id);
    assert.match(
      english(pastes.EVENTS_12290, 'one-cmid-many-names'),
      /2 machines: pc-01\.contoso\.example, pc-02\.contoso\.example/,
    );
  });

  test('12293 names the domain and the code, 12294 the domain (S1-32, S3-67, S3-66)', () => {
    assert.deepEqual(ids(pastes.EVENT_12293), ['not-published', 'code']);
    assert.match(english(pastes.EVENT_12294_XML, 'published'), /contoso\.example/);
  });
});

test('a pasted key is told of by its last five, and its dashes (S4-27, S3-83)', () => {
  const { keys } = redact(['BCDFG', 'HJKMP', 'QRTVW', 'XY234', 'HVTHH'].join('\u2014'));
  const told = explain(keys, undefined).items.flatMap(({ remarks }) => remarks);
  assert.deepEqual(
    told.map(({ id }) => id),
    ['key-removed', 'key-dashes', 'key-known'],
  );
  assert.match(told[1]?.text.en ?? '', /0xC004F050/);
});
