// SPDX-License-Identifier: Apache-2.0

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { columnsOf, wrapLines } from './wrap.ts';

test('Hangul, Han and fullwidth letters take two columns, colours none', () => {
  assert.equal(columnsOf('한국 KMS'), 8);
  assert.equal(columnsOf('\x1b[31m漢字\x1b[39m'), 4);
  assert.equal(columnsOf('Ｋé…'), 4);
});

test('lines are filled, hang under the text, and end without spaces', () => {
  assert.deepEqual(wrapLines('one two three four five', { width: 20, first: '  -> ' }), [
    '  -> one two three',
    '     four five',
  ]);
  assert.deepEqual(wrapLines('가나다 라마바 사아자 차카타', { width: 20, rest: '  ' }), [
    '가나다 라마바 사아자',
    '  차카타',
  ]);
  assert.deepEqual(wrapLines('', { width: 20, first: '- ' }), ['-']);
});

test('no line is longer than the width unless a single word is, and no word is lost', () => {
  const word = fc.string({ unit: fc.constantFrom(...'abc가나다1.'), minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(fc.array(word), fc.integer({ min: 20, max: 100 }), (words, width) => {
      const lines = wrapLines(words.join(' '), { width, first: '* ' });
      for (const line of lines) assert.ok(columnsOf(line) <= width || line.trim().split(' ').length <= 2, line);
      assert.deepEqual(
        lines
          .join(' ')
          .split(/\s+/)
          .slice(1)
          .filter((each) => each !== ''),
        words,
      );
    }),
  );
});
