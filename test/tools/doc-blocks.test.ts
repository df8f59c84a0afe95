// SPDX-License-Identifier: Apache-2.0
//
// How fences are read, and that every block of the documents that people copy from says whether it is tested.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { loadPools } from '@kmspool/crds';
import { documents } from '../harness/doc-blocks.ts';
import { docBlocks, GROUPS, hereDocuments, problemsIn, testedBlocks } from './doc-blocks.ts';

const lines = (...text: readonly string[]): string => text.join('\n');

describe('a document', () => {
  it('gives its blocks with line, language, text, mark and output', () => {
    const blocks = docBlocks(
      lines('# T', '', '```sh tested=local exit=1', 'a', '', 'b', '```', 'so:', '```text output', 'c', '```'),
      'x.md',
    );
    assert.deepEqual(blocks, [
      {
        file: 'x.md',
        line: 3,
        language: 'sh',
        text: 'a\n\nb\n',
        mark: { kind: 'tested', group: 'local', exitCode: 1, isBackground: false },
        problem: undefined,
        output: 'c\n',
      },
      {
        file: 'x.md',
        line: 9,
        language: 'text',
        text: 'c\n',
        mark: { kind: 'output' },
        problem: undefined,
        output: undefined,
      },
    ]);
  });

  it('loses the indentation of a fence within a list, and no more', () => {
    const [block] = docBlocks(lines('- x', '  ```sh tested=local', '  a', '    b', '  ```'), 'x.md');
    assert.equal(block?.text, 'a\n  b\n');
  });

  it('may show a fence within a longer fence', () => {
    const blocks = docBlocks(lines('````text', '```sh', 'a', '```', '````'), 'x.md');
    assert.deepEqual(
      blocks.map(({ text }) => text),
      ['```sh\na\n```\n'],
    );
  });

  it('gives the blocks of a group in order, and those that run in the background', () => {
    const text = lines('```sh tested=local background', 'a', '```', '```sh tested=cluster-pool', 'b', '```');
    assert.deepEqual(
      testedBlocks(docBlocks(text, 'x.md'), 'local').map(({ text, mark }) => [text, mark.isBackground]),
      [['a\n', true]],
    );
  });

  for (const [what, fence, remedy] of [
    ['a shell block without a mark', 'sh', /mark it/],
    ['a group that is not known', 'sh tested=locl', /"tested=locl" is not known/],
    ['no reason', 'sh untested:', /needs a reason/],
    ['a word that is not known', 'sh tested=local exit=no', /"exit=no" is not known/],
    ['an exit code without a group', 'sh exit=1', /mark it/],
    ['another word for the shell', 'bash tested=local', /write ```sh/],
    ['prompts and output in one block', 'console', /text output/],
    ['no language', '', /names no language/],
    ['a mark of another language', 'yaml tested=local', /not known/],
    ['an output of nothing', 'text output', /output of what/],
  ] as const)
    it(`is told of ${what}, with the line`, () => {
      const [problem = ''] = problemsIn(docBlocks(lines('', `\`\`\`${fence}`, 'a', '```'), 'x.md'));
      assert.match(problem, /^x\.md:2: /);
      assert.match(problem, remedy);
    });

  it('needs no mark for what is no shell', () => {
    const text = lines('```text', 'a', '```', '```yaml', 'b: 1', '```', '```sh untested: needs a cloud', 'c', '```');
    assert.deepEqual(problemsIn(docBlocks(text, 'x.md')), []);
  });

  it('shows what a block feeds to a command', () => {
    assert.deepEqual(hereDocuments("cat <<END\na: 1\nEND\nb <<'X'\nc\nX\n"), ['a: 1\n', 'c\n']);
  });
});

describe('the documents that people copy from', () => {
  const blocks = documents().flatMap(({ path, text }) => docBlocks(text, path));

  it('say of every shell block whether it is tested, and if not, why', () => {
    assert.deepEqual(problemsIn(blocks), []);
  });

  it('have blocks in every group', () => {
    for (const group of GROUPS) assert.ok(testedBlocks(blocks, group).length > 0, group);
  });

  it('hold no pool that the operator would refuse', () => {
    const manifests = blocks.flatMap((block) => {
      const texts = block.mark?.kind === 'pool' ? [block.text] : hereDocuments(block.text);
      return texts.filter((text) => text.includes('kind: KmsHostPool')).map((text) => ({ block, text }));
    });
    assert.ok(manifests.length > 1);
    for (const { block, text } of manifests) {
      const loaded = loadPools(text, { file: `${block.file}:${block.line}` });
      assert.deepEqual(loaded.ok ? [] : loaded.errors, []);
    }
  });
});
