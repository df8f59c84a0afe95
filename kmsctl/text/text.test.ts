// SPDX-License-Identifier: Apache-2.0

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cut, pad, printable, styleFor, visibleWidth } from './style.ts';
import { tableLines } from './table.ts';

const plain = styleFor(false);
const coloured = styleFor(true);

test('colour adds nothing to the width, and without colour nothing to the text', () => {
  assert.equal(visibleWidth(coloured.green('abc')), 3);
  assert.equal(plain.green('abc'), 'abc');
  assert.equal(pad(coloured.red('7'), 3, 'right').endsWith('7\x1b[39m'), true);
  assert.equal(cut('Windows Server', 8), 'Windows…');
});

test('text from elsewhere cannot steer the terminal', () => {
  assert.equal(printable('a\x1b[31mb\nc\u202ed'), 'a\\u{1b}[31mb\\u{a}c\\u{202e}d');
  assert.equal(printable('\ud800'), '\\u{d800}');
  assert.equal(printable('한국 ✔'), '한국 ✔');
});

test('a table lines up its columns, numbers to the right, no spaces at the end', () => {
  const lines = tableLines(
    [
      ['a', '1'],
      ['long', '25'],
    ],
    {
      style: plain,
      columns: [{ title: 'NAME' }, { title: 'COUNT', align: 'right' }],
      indent: '  ',
    },
  );
  assert.deepEqual(lines, ['  NAME  COUNT', '  a         1', '  long     25']);
});

test('a table too wide shortens only the columns that allow it', () => {
  const lines = tableLines([['fixed-text', 'a very long text that gives way']], {
    style: plain,
    columns: [{ title: 'A' }, { title: 'B', minWidth: 6 }],
    width: 22,
  });
  assert.deepEqual(lines, ['A           B', 'fixed-text  a very lo…']);
  assert.ok(lines.every((line) => line.length <= 22));
});
