// SPDX-License-Identifier: Apache-2.0

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Io } from '../cli/io.ts';
import { progressOn } from './progress.ts';

function screen(tty: boolean): { readonly io: Io; readonly written: string[] } {
  const written: string[] = [];
  const out = (text: string): void => void written.push(text);
  return {
    written,
    io: { out, err: out, tty, color: tty, columns: () => 80, env: {}, path: (name) => name, program: 'kmsctl' },
  };
}

test('a bar fills on a terminal, not too often, and leaves nothing behind', () => {
  let nowMs = 0;
  const { io, written } = screen(true);
  const progress = progressOn(io, () => nowMs);
  progress.show(0.1);
  assert.deepEqual(written, [], 'what is over soon shows no bar');
  nowMs = 200;
  progress.show(0.5, 'Windows 25');
  progress.show(0.6);
  progress.clear();
  progress.clear();
  assert.deepEqual(written, [`\r\x1b[2K${'█'.repeat(15)}${'░'.repeat(15)}  50 %  Windows 25`, '\r\x1b[2K']);
});

test('in a pipe there is no bar', () => {
  let nowMs = 0;
  const { io, written } = screen(false);
  const progress = progressOn(io, () => nowMs);
  nowMs = 1000;
  progress.show(0.5);
  progress.clear();
  assert.deepEqual(written, []);
});
