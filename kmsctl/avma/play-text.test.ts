// SPDX-License-Identifier: Apache-2.0

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { styleFor } from '../text/style.ts';
import { reportLines } from './play-text.ts';

const style = styleFor(false);
const report = {
  title: 'Guests',
  columns: ['host', 'guest', 'empty', 'untrusted_fqdn'],
  rows: [
    ['hv1', 'web', '', 'web.lab.example'],
    ['hv1', 'db\x1b[31m', '', ''],
  ],
};

test('a report leaves out empty columns, and control characters of guests', () => {
  assert.deepEqual(reportLines(report, { style }), [
    'Guests',
    'HOST  GUEST         UNTRUSTED_FQDN',
    'hv1   web           web.lab.example',
    'hv1   db\\u{1b}[31m',
  ]);
});

test('on a narrow terminal it leaves out the last columns and says which', () => {
  assert.deepEqual(reportLines(report, { style, width: 30 }), [
    'Guests',
    'HOST  GUEST',
    'hv1   web',
    'hv1   db\\u{1b}[31m',
    'no room for untrusted_fqdn; -o csv has them',
  ]);
  assert.deepEqual(reportLines({ ...report, rows: [] }, { style }), ['Guests', '  nothing']);
});
