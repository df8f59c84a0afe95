// SPDX-License-Identifier: Apache-2.0
//
// The maker of docs/kmsctl.md: nothing of the program may be missing in the page, and nothing in the page be untrue. That the page is up to date says
// `make check`, and the last test.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { CommandNode, FlagNode } from '../../kmsctl/cli/tree.ts';
import { type DocSources, makeDoc, wordsOf } from './kmsctl-doc-parts.ts';

const ANY = { kind: 'any' } as const;
const node = (path: readonly string[], more: Partial<CommandNode> = {}): CommandNode => ({
  ...{ name: path.at(-1) ?? 'kmsctl', path, summary: 'more', description: 'More.', usage: '' },
  ...{ flags: [], args: [], children: [], ...more },
});
const flag = (written: string, more: Partial<FlagNode> = {}): FlagNode => ({
  ...{ short: /^-\w/.exec(written)?.[0], long: /--\w+/.exec(written)?.[0], written },
  ...{ description: '', value: undefined, required: false, defaultText: undefined, ...more },
});
const ROOT = node([], {
  children: [
    node(['greet'], {
      summary: 'say a | word',
      args: [{ name: 'name', written: '<name>', description: 'whom', required: true, variadic: false, value: ANY }],
      flags: [
        flag('-f, --file <file>', { description: 'from where', value: { kind: 'file' }, required: true }),
        flag('--how <way>', {
          description: 'which way',
          value: { kind: 'words', words: ['a', 'b'] },
          defaultText: 'a',
        }),
        flag('--loud', { description: 'be loud (default: as the day is)' }),
        flag('-h, --help', { description: 'print help' }),
      ],
    }),
    node(['group'], { children: [node(['group', 'one']), node(['group', 'help'])] }),
    node(['help']),
  ],
});

const SECTIONS: Readonly<Record<string, string>> = {
  greet: '## greet\n\nSays a word.\n\n```console run\n$ kmsctl greet "a b" -f x\n```\n',
  group: '## group\n\nMore.\n\n### group one\n\nThe first.\n',
};

function make(
  changed: Readonly<Record<string, string | undefined>> = {},
  more: Partial<DocSources> = {},
): ReturnType<typeof makeDoc> {
  const sections = Object.entries({ ...SECTIONS, ...changed }).filter(
    (each): each is [string, string] => each[1] !== undefined,
  );
  return makeDoc({
    root: ROOT,
    front: '# kmsctl\n\n<!-- verbs -->\n',
    sections: new Map(sections),
    run: async (args) => ({ code: 0, output: `${args.join('|')}\nsecond\nthird\n` }),
    ...more,
  });
}

async function textOf(made: ReturnType<typeof makeDoc>): Promise<string> {
  const done = await made;
  return done.ok ? done.text : assert.fail(done.errors.join('\n'));
}

async function errorsOf(made: ReturnType<typeof makeDoc>): Promise<string> {
  const done = await made;
  return done.ok ? assert.fail('made') : done.errors.join('\n');
}

describe('the page', () => {
  test('lists the verbs, and has usage, arguments, flags and defaults of each as the program knows them', async () => {
    const text = await textOf(make());
    assert.match(text, /^\| \[`greet`\]\(#greet\) \| say a \\\| word \|$/m);
    assert.match(text, /^## greet\n\n```\nkmsctl greet <name> -f <file> \[flags\]\n```\n\nSays a word\./m);
    assert.match(text, /^\| `<name>` \| whom \| \|$/m);
    assert.match(text, /^\| `-f, --file <file>` \| from where \| must be given \|$/m);
    assert.match(text, /^\| `--how <way>` \| which way: `a`, `b` \| `a` \|$/m);
    assert.match(text, /^\| `--loud` \| be loud \| as the day is \|$/m);
    assert.match(text, /^```\nkmsctl group one …\n```$/m);
    assert.match(text, /^### group one\n\n```\nkmsctl group one\n```$/m);
  });

  test('has examples with the output of their commands, cut where the section says so', async () => {
    assert.match(await textOf(make()), /```console\n\$ kmsctl greet "a b" -f x\ngreet\|a b\|-f\|x\nsecond\nthird\n```/);
    const cut = { greet: '## greet\n\n```console run lines=1\n$ kmsctl greet x\n$ kmsctl greet y\n```\n' };
    assert.match(await textOf(make(cut)), /\$ kmsctl greet x\ngreet\|x\n…\n\$ kmsctl greet y\ngreet\|y\n…\n```/);
  });

  test('says of samples that they are', async () => {
    const text = await textOf(make({ greet: '## greet\n\n```console sample\n$ kmsctl greet me\nnow\n```\n' }));
    assert.match(text, /^\*A sample: .*\*\n\n```console\n\$ kmsctl greet me\nnow\n```$/m);
  });
});

describe('the page is not made', () => {
  test('without a section for every verb and a heading for every subcommand', async () => {
    assert.match(
      await errorsOf(make({ group: undefined })),
      /the verb group has no section; write docs\/kmsctl\/group\.md/,
    );
    assert.match(await errorsOf(make({ group: '## group\n' })), /group\.md: has no line "### group one"/);
    assert.match(await errorsOf(make({ gone: '## gone\n' })), /gone\.md: there is no verb gone; remove the file/);
    assert.match(await errorsOf(make({}, { front: '# kmsctl' })), /front\.md: put <!-- verbs -->/);
  });

  test('when an example ends otherwise than it says, or is no command', async () => {
    const run: DocSources['run'] = async () => ({ code: 2, output: 'kmsctl: no\n' });
    assert.match(
      await errorsOf(make({}, { run })),
      /greet\.md: \$ kmsctl greet "a b" -f x ended with 2 and not 0: kmsctl: no/,
    );
    const told = { greet: '## greet\n\n```console run exit=2\n$ kmsctl greet x\n```\n' };
    assert.match(await textOf(make(told, { run })), /kmsctl: no/);
    const other = { greet: '## greet\n\n```console run\n$ rm x\n```\n' };
    assert.match(await errorsOf(make(other)), /"\$ rm x" is no command/);
  });
});

test('words of a command line keep what is in quotes together', () => {
  assert.deepEqual(wordsOf(`a 'b c' "d e"f --x='y z'`), ['a', 'b c', 'd ef', '--x=y z']);
});

test('docs/kmsctl.md is what the program and its sections make', () => {
  const tool = fileURLToPath(new URL('kmsctl-doc.ts', import.meta.url));
  const { status, stderr } = spawnSync(process.execPath, [tool, '--check'], { encoding: 'utf8' });
  assert.deepEqual([status, stderr], [0, '']);
});
