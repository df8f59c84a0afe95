// SPDX-License-Identifier: Apache-2.0
//
// What the catalogue says in words: every row complete in every language, no two rows alike, nothing left untranslated.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  ACTIVATION_TYPES,
  DECIDERS,
  EDITIONS,
  EVENTS,
  editionBySlug,
  eventById,
  formatHresult,
  HRESULTS,
  hresult,
  hresultFromWin32,
  LANGUAGES,
  type Language,
  LICENSE_STATUSES,
  SETUP_KEYS,
  setupKeysEnding,
  win32OfHresult,
} from './index.ts';

/** The 30 rows of Microsoft's table of error codes with their activation types: M = MAK, C = KMS client, H = KMS host. */
const TABLE: Readonly<Record<number, string>> = {
  2147810849: 'MC',
  2147942405: 'MCH',
  2147942523: 'C',
  2147943568: 'M',
  2147944122: 'C',
  2147951402: 'H',
  2147951403: 'C',
  2147951901: 'C',
  2148082472: 'C',
  3221532928: 'M',
  3221536769: 'M',
  3221536771: 'M',
  3221536776: 'H',
  3221536800: 'M',
  3221536801: 'M',
  3221549065: 'M',
  3221549071: 'MCH',
  3221549076: 'MC',
  3221549100: 'MC',
  3221549109: 'CH',
  3221549112: 'C',
  3221549113: 'C',
  3221549121: 'C',
  3221549122: 'C',
  3221549136: 'MCH',
  3221549137: 'MH',
  3221549156: 'M',
  3221549157: 'MC',
  3221549164: 'C',
  3221549172: 'C',
};
const LETTERS = { MAK: 'M', KmsClient: 'C', KmsHost: 'H' } as const;

const HANGUL = /\p{Script=Hangul}/u;
/** A sentence or a list of the language: English has no Hangul, Korean has some, neither has a loose end. */
function assertText(text: string, language: Language, where: string): void {
  assert.equal(HANGUL.test(text), language === 'ko', `${where} in ${language}: ${text}`);
  assert.match(text, /^\S.*[.?\p{L}\p{N})]$/u, where);
  assert.doesNotMatch(text, / {2}|undefined/, where);
}

const textOf = (code: number, language: Language): string => {
  const row = hresult(code)?.texts[language];
  return row === undefined ? '' : [row.meaning, row.remedy, row.cause, ...row.steps, row.pool].join(' ');
};

describe('codes', () => {
  test('the 30 codes of the table are rows with their activation types (S4-33)', () => {
    assert.equal(Object.keys(TABLE).length, 30);
    for (const [code, letters] of Object.entries(TABLE)) {
      const row = hresult(Number(code));
      assert.equal(row?.activation.map((type) => LETTERS[type]).join(''), letters, formatHresult(Number(code)));
    }
  });

  test('and so is the one in passing, a time-out that means: activate by phone (S4-22)', () => {
    assert.match(textOf(0x80072ee2, 'en'), /phone/);
    assert.match(textOf(0x80072ee2, 'ko'), /전화/);
  });

  test('every row is complete in every language, with a short and a long form (S4-33, S4-34)', () => {
    for (const { symbol, texts, activation, decidedBy } of HRESULTS) {
      assert.ok(activation.length > 0 && activation.every((type) => ACTIVATION_TYPES.includes(type)), symbol);
      assert.ok(DECIDERS.includes(decidedBy), symbol);
      for (const language of LANGUAGES) {
        const { meaning, remedy, cause, steps, pool } = texts[language];
        assert.ok(steps.length > 0, symbol);
        for (const text of [meaning, remedy, cause, pool, ...steps]) assertText(text, language, symbol);
        assert.match(meaning + remedy + cause, /\.$/, symbol);
      }
      assert.equal(texts.en.steps.length, texts.ko.steps.length, `${symbol}: as many steps in each language`);
    }
  });

  test('no two rows are alike', () => {
    for (const language of LANGUAGES)
      for (const part of ['meaning', 'remedy', 'cause'] as const) {
        const texts = HRESULTS.map((row) => row.texts[language][part]);
        assert.deepEqual(
          texts.filter((text, at) => texts.indexOf(text) !== at),
          [],
          `${part} in ${language}`,
        );
      }
  });

  const SAID: readonly (readonly [id: string, code: number, en: RegExp, ko: RegExp])[] = [
    ['S4-01', 0x8004fe21, /language pack/, /언어 팩/],
    ['S4-02', 0x80070005, /Run as administrator/, /관리자 권한/],
    ['S4-03', 0x8007007b, /DHCP option 15/, /DHCP 옵션 15/],
    ['S4-04', 0x80070490, /Server 2019.*elevated/, /Server 2019.*관리자 권한/],
    ['S4-05', 0x800706ba, /firewall.*SRV/i, /방화벽.*SRV/],
    ['S4-06', 0x8007232a, /12293/, /12293/],
    ['S4-07', 0x8007232b, /\/skms.*MAK/, /\/skms.*MAK/],
    ['S4-08', 0x8007251d, /SRV record/, /SRV 레코드/],
    ['S4-09', 0x80092328, /0x8007232B/, /0x8007232B/],
    ['S4-10', 0xc004b100, /MAK is not supported/, /MAK는 지원되지 않습니다/],
    ['S4-11', 0xc004c001, /product key is invalid/, /제품 키가 잘못/],
    ['S4-12', 0xc004c003, /blocked.*new MAK.*Install Windows again/, /차단.*새 MAK.*다시 설치/],
    ['S4-13 C3', 0xc004c008, /six hosts, ten activations.*nine more/, /6대, 각 10번.*아홉 번/],
    ['S4-14', 0xc004c020, /used as often as it may/, /횟수만큼 모두 사용/],
    ['S4-15', 0xc004c021, /extension of its limit/, /연장된 한도/],
    ['S4-16', 0xc004f009, /grace period ended.*notification state/, /유예 기간이 끝났습니다.*알림 상태/],
    ['S4-17', 0xc004f00f, /restart.*\/ato.*MAK/, /다시 시작.*\/ato.*MAK/],
    ['S4-18', 0xc004f014, /sources\\Pid\.txt/, /sources\\Pid\.txt/],
    ['S4-19', 0xc004f02c, /confirmation ID/, /확인 ID/],
    ['S4-20 S4-21', 0xc004f035, /OEM marker.*\/dti.*\/atp/, /OEM 표식.*\/dti.*\/atp/],
    ['S4-23', 0xc004f038, /servers and Office need 5, clients 25.*\/dli/, /5, 클라이언트는 25.*\/dli/],
    ['S4-24', 0xc004f039, /1688/, /1688/],
    ['S4-25', 0xc004f041, /slui 4 to activate by phone/, /slui 4로 전화 정품 인증/],
    ['S4-26', 0xc004f042, /Office host asked by Windows/, /Office용 호스트/],
    ['S4-27', 0xc004f050, /em dashes.*beta key/, /em 대시.*베타 키/],
    ['S4-28', 0xc004f051, /new key from the volume licensing portal/, /새 키를 받습니다/],
    ['S4-29', 0xc004f064, /not to be genuine.*has ended/, /정품이 아닌 것.*끝났습니다/],
    ['S4-30', 0xc004f065, /genuine key.*before the period ends/, /기간이 끝나기 전에 정품 키/],
    ['S4-31', 0xc004f06c, /UTC, so the time zone is not the cause/, /표준 시간대는 원인이 아닙니다/],
    ['S4-32', 0xc004f074, /12288/, /12288/],
  ];
  for (const [id, code, en, ko] of SAID)
    test(`${formatHresult(code)} says what its document says (${id})`, () => {
      assert.match(textOf(code, 'en'), en);
      assert.match(textOf(code, 'ko'), ko);
    });

  test('what only Microsoft can settle names the Licensing Activation Center (S4-35)', () => {
    for (const code of [
      0xc004b100, 0xc004c001, 0xc004c003, 0xc004c008, 0xc004c020, 0xc004c021, 0xc004f009, 0xc004f064,
    ]) {
      assert.match(textOf(code, 'en'), /Licensing Activation Center/, formatHresult(code));
      assert.match(textOf(code, 'ko'), /라이선싱 정품 인증 센터/, formatHresult(code));
    }
  });

  test('a Win32 error and its HRESULT are one another’s', () => {
    assert.equal(hresultFromWin32(1722), 0x800706ba);
    assert.equal(win32OfHresult(0x800706ba | 0), 1722);
    assert.equal(win32OfHresult(0xc004f074), undefined);
  });
});

describe('events and licence states', () => {
  test('every event is complete in every language, fields included', () => {
    for (const { id, title, texts, fields } of EVENTS) {
      assert.equal(title, texts.en.title);
      for (const language of LANGUAGES) {
        for (const text of Object.values(texts[language])) assertText(text, language, `${id}`);
        for (const { name, titles } of fields) if (name !== 'hresult') assertText(titles[language], language, name);
      }
    }
    for (const language of LANGUAGES)
      assert.equal(new Set(EVENTS.map(({ texts }) => texts[language].meaning)).size, EVENTS.length);
  });

  test('12289 alone has flag and count (S1-43, S1-44, S1-45); 12291 and 12292 have their code; 12293 names the domain (S1-32)', () => {
    const fields = (id: number): string[] => eventById(id)?.fields.map(({ name }) => name) ?? [];
    assert.deepEqual(fields(12289).slice(2, 5), ['activated', 'unused', 'count']);
    assert.deepEqual([fields(12291), fields(12292)], [['hresult'], ['hresult']]);
    assert.deepEqual([fields(12293), fields(12294)], [['hresult', 'domain'], ['domain']]);
  });

  test('12309 tells the four notifications apart, and that no message is shown (S5-23…28)', () => {
    const { meaning, advice } = eventById(12309)?.texts.en ?? assert.fail();
    assert.match(meaning, /success; invalid host; invalid data; activation denied.*no message/);
    assert.match(advice, /does not answer.*damaged.*do not match/);
  });

  test('12310 is the history on the virtualisation host (S5-22), and its data are the guest’s to change (S5-20)', () => {
    const { meaning, advice } = eventById(12310)?.texts.en ?? assert.fail();
    assert.match(`${meaning} ${advice}`, /history of AVMA requests.*can be changed by the guest/);
    assert.equal(eventById(12310)?.loggedBy, 'host');
  });

  test('every licence state is complete in every language', () => {
    for (const { slug, texts } of LICENSE_STATUSES)
      for (const language of LANGUAGES)
        for (const text of Object.values(texts[language])) assertText(text, language, slug);
  });
});

describe('setup keys', () => {
  test('ten KMS client setup keys, each of an edition of the catalogue (S3-83)', () => {
    const kms = SETUP_KEYS.filter(({ kind }) => kind === 'KmsClient');
    assert.equal(kms.length, 10);
    for (const { name } of kms)
      assert.ok(
        EDITIONS.some((edition) => edition.name === name),
        name,
      );
    assert.equal(editionBySlug('windows-7-professional')?.name, setupKeysEnding('gpdd4')[0]?.name);
  });

  test('13 rows of AVMA keys, some shared by several versions (S5-17)', () => {
    // Five tables: 3 of 2019, 2 of 1809, 2 of 1803 and 1709 together, 3 of 2016, 3 of 2012 R2.
    const avma = SETUP_KEYS.filter(({ kind }) => kind === 'Avma');
    assert.equal(new Set(avma.map(({ name }) => name.replace('1709', '1803'))).size, 13);
    assert.deepEqual(
      setupKeysEnding('WMBMW').map(({ name }) => name),
      ['Windows Server 2019 Datacenter', 'Windows Server, version 1809 Datacenter'],
    );
  });

  test('a row holds five characters and no more', () => {
    for (const key of SETUP_KEYS) {
      assert.match(key.lastFive, /^[A-Z0-9]{5}$/, key.name);
      assert.deepEqual(Object.keys(key).sort(), ['kind', 'lastFive', 'name']);
    }
    assert.deepEqual(setupKeysEnding('AAAAA'), []);
  });
});
