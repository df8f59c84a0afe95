// SPDX-License-Identifier: Apache-2.0
//
// The completion scripts, asked in real shells. There is no PowerShell to ask: its script is held to what must stand in it.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Command, Option } from 'commander';
import { processIo } from '../cli/io.ts';
import { buildProgram } from '../cli/program.ts';
import { allNodes, commandTree } from '../cli/tree.ts';
import { runHere } from '../testing/here.ts';
import { askBash, askFish, askZsh, missingShell } from '../testing/shells.ts';
import { bashScript } from './bash.ts';
import { fishScript } from './fish.ts';
import { flagNames } from './parts.ts';
import { powershellCompletion } from './powershell.ts';
import { zshScript } from './zsh.ts';

const dir = mkdtempSync(join(tmpdir(), 'kmsctl-complete-'));
after(() => rmSync(dir, { recursive: true, force: true }));
before(() => {
  writeFileSync(join(dir, 'my pool.yaml'), '');
  mkdirSync(join(dir, 'states'));
});

const ROOT = commandTree(buildProgram({ io: processIo(), exit: () => {} }));
const NODES = allNodes(ROOT);
const VERBS = ROOT.children.map(({ name }) => name);
const FORMATS = NODES.find(({ path }) => path.join(' ') === 'dns export')?.flags.find(
  ({ long }) => long === '--format',
);
const formatWords = FORMATS?.value?.kind === 'words' ? FORMATS.value.words : [];

describe('bash', { skip: missingShell('bash') }, () => {
  const ask = (...words: string[]): string[] => askBash({ dir, script: bashScript(ROOT) }, ['kmsctl', ...words]);

  test('offers the verbs, those that begin as typed, and the verbs of a group', () => {
    assert.deepEqual(ask(''), VERBS);
    assert.deepEqual(ask('ca'), ['catalog']);
    assert.deepEqual(ask('dns', ''), ['export', 'import', 'help']);
    assert.deepEqual(ask('help', 'av'), ['avma']);
  });

  test('offers every flag of every verb', () => {
    for (const node of NODES) {
      assert.deepEqual(ask(...node.path, '-'), node.flags.flatMap(flagNames), node.path.join(' '));
    }
  });

  test('offers the values of a flag, written either way, and files and folders where they belong', () => {
    assert.ok(formatWords.length > 5);
    assert.deepEqual(ask('dns', 'export', '--format', ''), formatWords);
    assert.deepEqual(ask('dns', 'export', '--format', '=', 'bi'), ['bind']);
    assert.deepEqual(ask('dns', 'export', '--format', '='), formatWords);
    assert.deepEqual(ask('up', '-f', 'my'), ['my pool.yaml']);
    assert.deepEqual(ask('dlv', '--state', 'st'), ['states']);
    assert.deepEqual(ask('catalog', 'windows-11'), ['windows-11']);
    assert.deepEqual(ask('completion', ''), ['bash', 'zsh', 'fish', 'powershell', 'kubectl']);
    assert.deepEqual(ask('up', '--port', ''), []);
  });

  test('offers values after other flags have been given', () => {
    assert.deepEqual(ask('dns', 'export', '-f', 'x.yaml', '--remove', '--format', 'un'), ['unbound']);
    assert.deepEqual(ask('up', '-f', 'x.yaml', '--log-level', 'w'), ['warn']);
  });
});

describe('fish', { skip: missingShell('fish') }, () => {
  const ask = (line: string): string[] => askFish({ dir, script: fishScript(ROOT) }, line);

  test('offers verbs, flags, values and files', () => {
    assert.deepEqual(ask('kmsctl ').sort(), [...VERBS].sort());
    assert.deepEqual(ask('kmsctl dns export --format ').sort(), [...formatWords].sort());
    assert.deepEqual(ask('kmsctl dns ').sort(), ['export', 'help', 'import']);
    assert.deepEqual(ask('kmsctl up --log-'), ['--log-level']);
    assert.deepEqual(ask('kmsctl up -f my'), ['my pool.yaml']);
  });
});

describe('zsh', { skip: missingShell('zsh') }, () => {
  const ask = (line: string): string[] => askZsh({ dir, script: zshScript(ROOT) }, line);

  test('offers verbs, the verbs of a group, flags and values', () => {
    assert.deepEqual(ask('kmsctl ').sort(), [...VERBS].sort());
    assert.deepEqual(ask('kmsctl dns export --format '), formatWords);
    assert.deepEqual(ask('kmsctl dns ').sort(), ['export', 'help', 'import']);
    assert.deepEqual(ask('kmsctl up --log-'), ['--log-level']);
  });
});

test('PowerShell knows every verb, flag and value, each in quotes', () => {
  const script = powershellCompletion(ROOT);
  for (const node of NODES) {
    const at = `/${node.path.join('/')}`;
    for (const child of node.children)
      assert.match(script, new RegExp(`'${at}' = \\[ordered\\]@\\{.* '${child.name}' = '`), at);
    for (const flag of node.flags.flatMap(flagNames)) {
      assert.match(script, new RegExp(`'${at}' = \\[ordered\\]@\\{.* '${flag}' = '`), `${at} ${flag}`);
    }
  }
  assert.match(script, /'\/dns\/export --format' = \[ordered\]@\{ 'powershell' = 'powershell'; 'dnscmd' = /);
  // A quote in a description is doubled, so that every line has them in pairs.
  for (const line of script.split('\n')) assert.equal((line.match(/'/g) ?? []).length % 2, 0, line);
});

test('texts that mean something to a shell stay texts', () => {
  const odd = new Command('kmsctl').addCommand(
    new Command('x')
      .summary(`it's $(touch pwned) "q" [a:b] \`touch pwned\` \\`)
      .addOption(new Option('--y <v>', `it's [$(touch pwned)]: \`touch pwned\` \\`).choices(['a', 'b'])),
  );
  const tree = commandTree(odd);
  const place = (script: string): { dir: string; script: string } => ({ dir, script });
  if (!missingShell('bash')) assert.deepEqual(askBash(place(bashScript(tree)), ['kmsctl', 'x', '--y', '']), ['a', 'b']);
  if (!missingShell('fish')) assert.deepEqual(askFish(place(fishScript(tree)), 'kmsctl x --y '), ['a', 'b']);
  if (!missingShell('zsh')) assert.deepEqual(askZsh(place(zshScript(tree)), 'kmsctl x --y '), ['a', 'b']);
  assert.equal(spawnSync('ls', [join(dir, 'pwned')]).status !== 0, true, 'a description was run');
});

test('kmsctl completion prints the script of the shell that is named', async () => {
  const { code, stdout } = await runHere(['completion', 'bash'], { dir });
  assert.deepEqual([code, stdout], [0, bashScript(ROOT)]);
  assert.match(
    (await runHere(['completion', 'tcsh'], { dir })).stderr,
    /Allowed choices are bash, zsh, fish, powershell, kubectl/,
  );
});
