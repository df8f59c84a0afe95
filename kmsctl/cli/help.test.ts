// SPDX-License-Identifier: Apache-2.0
//
// Help of every verb, whoever wrote it: what it is for, its flags, examples to copy, exit codes; no line wider than a terminal.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { runHere, type Said } from '../testing/here.ts';
import { processIo } from './io.ts';
import { buildProgram } from './program.ts';
import { allNodes, commandTree } from './tree.ts';

const COLUMNS = 80;
const SUMMARY_MAX = 64;
const ROOT = commandTree(buildProgram({ io: processIo(), exit: () => {} }));
const OWN = allNodes(ROOT).filter(({ name }) => name !== 'help');
const kmsctl = (...args: string[]): Promise<Said> => runHere(args, { dir: '.', columns: COLUMNS });

test('S3-48 without arguments it prints help that lists every verb with its summary', async () => {
  const { code, stdout, stderr } = await kmsctl();
  assert.deepEqual([code, stderr], [0, '']);
  for (const { name } of ROOT.children) assert.match(stdout, new RegExp(`^  ${name} `, 'm'));
});

test('S3-48 a verb that has verbs of its own prints its help without them, and knows a slip of the pen', async () => {
  for (const { path, children } of OWN.filter((node) => node.path.length > 0 && node.children.length > 0)) {
    const { code, stdout, stderr } = await kmsctl(...path);
    assert.deepEqual([code, stderr], [0, '']);
    assert.equal(stdout, (await kmsctl(...path, '--help')).stdout);
    const slip = await kmsctl(...path, `${children[0]?.name.slice(0, -1)}x`);
    assert.deepEqual([slip.code, slip.stdout], [2, '']);
    assert.match(slip.stderr, /^kmsctl: unknown command '\w+' \(Did you mean \w+\?\); see kmsctl [a-z ]+ --help\n$/);
  }
});

describe('S3-48 the help of', () => {
  for (const node of OWN) {
    const called = ['kmsctl', ...node.path].join(' ');

    test(`${called} says what it is for, has examples to copy and the exit codes, and fits a terminal`, async () => {
      const { code, stdout, stderr } = await kmsctl(...node.path, '--help');
      assert.deepEqual([code, stderr], [0, '']);
      assert.match(stdout, new RegExp(`Examples:\n(.*\n)*? {2}(.*\\| )?${called}`), 'examples');
      assert.match(stdout, /\n(Exit codes: 0 |Exit codes:\n)/, 'exit codes');
      const wide = stdout.split('\n').filter((line) => [...line].length > COLUMNS);
      assert.deepEqual(wide, [], `wider than ${COLUMNS} columns`);
    });

    test(`${called} has words for the verb, each flag and each argument`, () => {
      assert.match(node.description, /\.$/, 'the description is a sentence');
      assert.ok(
        node.path.length === 0 || (node.summary.length > 0 && node.summary.length <= SUMMARY_MAX),
        node.summary,
      );
      assert.ok(node.path.length === 0 || !node.summary.endsWith('.'), 'the summary is no sentence');
      for (const flag of node.flags) assert.notEqual(flag.description, '', flag.written);
      for (const argument of node.args) assert.notEqual(argument.description, '', argument.written);
    });
  }

  test('a verb is the same after help as with --help', async () => {
    for (const { path } of OWN.filter((node) => node.path.length === 1)) {
      const [verb = ''] = path;
      assert.equal((await kmsctl('help', verb)).stdout, (await kmsctl(verb, '--help')).stdout);
    }
  });
});
