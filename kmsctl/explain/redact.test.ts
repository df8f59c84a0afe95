// SPDX-License-Identifier: Apache-2.0
//
// Nothing that is shaped like a product key survives: not in the text, not in what is said about it, in no language.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { LANGUAGES } from '@kmspool/kms/catalog';
import fc from 'fast-check';
import { styleFor } from '../text/style.ts';
import { decodeText } from './decode.ts';
import { explain, explanationJson } from './explanation.ts';
import { explanationLines } from './layout.ts';
import * as pastes from './pastes.fake.ts';
import { recogniseText } from './recognise.ts';
import { redact } from './redact.ts';

const LETTERS = ['BCDFGHJKMNPQ', 'RTVWXY2346789'].join('');
const group = fc.string({ unit: fc.constantFrom(...LETTERS), minLength: 5, maxLength: 5 });
const groups = fc.array(group, { minLength: 5, maxLength: 5 });
const JOINERS = [
  '-',
  '\u2014',
  '\u2013',
  '\u2010',
  '\u2011',
  '\u2212',
  '\uff0d',
  ' - ',
  ' ',
  '_',
  '.',
  '\u200b-',
  '',
  '\t',
  '-\n',
];
const joiner = fc.constantFrom(...JOINERS);
const shown = fc.constantFrom<(text: string) => string>(
  (text) => text,
  (text) => text.toLowerCase(),
  (text) => text.split('').join('\u200b'),
  (text) => text.replace(/[0-9A-Z]/g, (letter) => String.fromCodePoint((letter.codePointAt(0) ?? 0) + 0xfee0)),
);
const PASTES: readonly string[] = Object.values(pastes);

/** Letters and digits only, so that no joint hides the key. */
const bare = (text: string): string =>
  text
    .normalize('NFKC')
    .replace(/[^A-Za-z0-9]/g, '')
    .toUpperCase();

describe('redaction', () => {
  test('a key goes, in any case, width and joint, wherever it stands; its last five stay', () => {
    fc.assert(
      fc.property(
        groups,
        joiner,
        shown,
        fc.constantFrom('', 'slmgr /ipk ', 'key:', '키 ', '("'),
        (parts, by, show, before) => {
          const { text, keys } = redact(`${before}${show(parts.join(by))} 끝`);
          assert.ok(!bare(text).includes(parts.slice(0, 4).join('')), text);
          assert.equal(keys.length, 1);
          assert.equal(keys[0]?.lastFive, parts[4]);
        },
      ),
    );
  });

  test('no output of any paste with keys strewn into it holds one, as text or JSON, short or long, in either language', () => {
    const layouts = fc.record({ language: fc.constantFrom(...LANGUAGES), long: fc.boolean() });
    fc.assert(
      fc.property(
        fc.constantFrom(...PASTES),
        fc.array(groups, { minLength: 1, maxLength: 3 }),
        joiner,
        layouts,
        (paste, keys, by, how) => {
          const lines = paste.split('\n');
          // Into the values of lines, where a parser would pick them up, and onto lines of their own.
          const strewn = lines.flatMap((line, at) => {
            const key = keys[at % keys.length]?.join(by) ?? '';
            return at % 3 === 0 ? [line.replace(/: .*/, `: ${key}`), key] : [`${line} ${key}`];
          });
          const given = redact(strewn.join('\n'));
          const explanation = explain([...given.keys.slice(0, 3), ...recogniseText(given.text)], undefined);
          const text = explanationLines(explanation, { ...how, style: styleFor(false), width: 80 }).join('\n');
          const json = JSON.stringify(explanationJson(explanation, how.language));
          for (const output of [text, json])
            for (const key of keys) assert.ok(!bare(output).includes(key.slice(0, 4).join('')), output);
        },
      ),
      { numRuns: 200 },
    );
  });

  test('a mistyped key is as secret as a right one', () => {
    const { text } = redact('slmgr /ipk ABCDO-01LIS-BCDFG-HJKMP-QRTVW');
    assert.doesNotMatch(text, /ABCDO|01LIS|HJKMP/);
  });

  test('what is no key stays: GUIDs, addresses, versions, sentences, the pastes', () => {
    for (const text of [
      '55c92734-d682-4d71-983e-d6ec3f16059f',
      '00-0C-29-AA-BB-CC',
      '10.0.17763.1',
      'every third input holds those words alone',
      ...PASTES,
    ])
      assert.deepEqual(redact(text), { text: text.normalize('NFKC'), keys: [] });
  });

  test('dashes of a word processor are told apart from hyphens (S4-27)', () => {
    const key = ['BCDFG', 'HJKMP', 'QRTVW', 'XY234', '6789N'];
    assert.equal(redact(key.join('-')).keys[0]?.joiner, 'hyphen');
    assert.equal(redact(key.join('\u2014')).keys[0]?.joiner, 'dash');
    assert.equal(redact(key.join(' ')).keys[0]?.joiner, 'other');
  });
});

describe('bytes', () => {
  const text = '라이선스 상태: 사용 허가됨';
  test('UTF-8 and UTF-16, with a mark and without, and code page 949 are read', () => {
    const utf16 = Buffer.from(`\ufeff${text}`, 'utf16le');
    const cp949 = Buffer.from('b6f3c0ccbcb1bdba20bbf3c5c23a20bbe7bfeb20c7e3b0a1b5ca', 'hex');
    assert.equal(decodeText(Buffer.from(text)), text);
    assert.equal(decodeText(Buffer.from(`\ufeff${text}`)), text);
    assert.equal(decodeText(utf16), text);
    assert.equal(decodeText(Buffer.from(utf16).swap16()), text);
    assert.equal(decodeText(Buffer.from('0xC004F074', 'utf16le')), '0xC004F074');
    assert.equal(decodeText(cp949), text);
  });
});
