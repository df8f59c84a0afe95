// SPDX-License-Identifier: Apache-2.0
//
// The blocks of the documents, and what their fences say of them. Pure: Markdown in, blocks and complaints out. doc-output.ts compares what a block
// printed with what the document shows; test/harness/doc-blocks.ts runs blocks.
//
//   ```sh tested=local              runs in the tests, in the order of its file; must end with 0
//   ```sh tested=local exit=1       must end with 1
//   ```sh tested=local background   goes on running while the blocks after it do, until the file's last; its output says when it is ready
//   ```sh untested: needs a cloud   never runs, and why not
//   ```text output                  what the tested block before it prints; `…` stands for anything (doc-output.ts)
//   ```yaml pool                    a KmsHostPool manifest that the operator accepts
//   ```yaml values                  values that the chart accepts

/** Where tested blocks run: `local` without a cluster; the others in one, in this order. What each needs is said in test/harness/doc-blocks.ts. */
export const GROUPS = [
  'local',
  'cluster-install',
  'cluster-quickstart',
  'cluster-dns',
  'cluster-pool',
  'cluster-uninstall',
] as const;
export type Group = (typeof GROUPS)[number];

/** What a fence says of its block. */
export type Mark =
  | { readonly kind: 'tested'; readonly group: Group; readonly exitCode: number; readonly isBackground: boolean }
  | { readonly kind: 'untested'; readonly reason: string }
  | { readonly kind: 'output' | 'pool' | 'values' };

/** A fenced block. */
export interface DocBlock {
  /** As given, for messages. */
  readonly file: string;
  /** Of the opening fence, from 1. */
  readonly line: number;
  /** First word of the info string; '' without one. */
  readonly language: string;
  /** Without the fences and without their indentation; ends with a line feed unless empty. */
  readonly text: string;
  /** undefined: the fence says nothing of it. */
  readonly mark: Mark | undefined;
  /** What is wrong with what the fence says, and the remedy. */
  readonly problem: string | undefined;
  /** Of a tested block: the `text output` block that follows it. */
  readonly output: string | undefined;
}

/** A block to be run. */
export type TestedBlock = DocBlock & { readonly mark: Extract<Mark, { kind: 'tested' }> };

const SHELLS: readonly string[] = ['sh', 'bash', 'shell', 'zsh', 'console'];

/** All blocks of a document, in order. A fence that is never closed takes the rest of the file, as Markdown has it. */
export function docBlocks(markdown: string, file: string): readonly DocBlock[] {
  return withOutputs(
    rawBlocks(markdown).map(({ info, line, text }) => {
      const [language = '', ...words] = info.split(/\s+/);
      const { mark, problem } = readMark(language, words.join(' '));
      return { file, line, language, text, mark, problem, output: undefined };
    }),
  );
}

interface RawBlock {
  readonly info: string;
  readonly line: number;
  readonly text: string;
}

function rawBlocks(markdown: string): readonly RawBlock[] {
  const blocks: RawBlock[] = [];
  let open: { fence: string; indent: number; info: string; line: number; lines: string[] } | undefined;
  const close = (): void => {
    if (open) blocks.push({ info: open.info, line: open.line, text: open.lines.map((line) => `${line}\n`).join('') });
    open = undefined;
  };
  for (const [index, line] of markdown.split('\n').entries()) {
    const [, indent = '', fence = '', info = ''] = /^(\s*)(`{3,}|~{3,})\s*(.*?)\s*$/.exec(line) ?? [];
    if (open === undefined) {
      if (fence !== '') open = { fence, indent: indent.length, info, line: index + 1, lines: [] };
    } else if (fence.startsWith(open.fence) && info === '') close();
    else open.lines.push(line.slice(Math.min(open.indent, line.length - line.trimStart().length)));
  }
  close();
  return blocks;
}

type Read = Pick<DocBlock, 'mark' | 'problem'>;
const problemOf = (problem: string): Read => ({ mark: undefined, problem });
const markOf = (mark: Mark | undefined): Read => ({ mark, problem: undefined });

function readMark(language: string, rest: string): Read {
  if (language === '') return problemOf('its fence names no language: write ```sh, ```text, ```yaml …');
  if (SHELLS.includes(language)) return readShellMark(language, rest);
  if (rest === '') return markOf(undefined);
  if (language === 'text' && rest === 'output') return markOf({ kind: 'output' });
  if (language === 'yaml' && (rest === 'pool' || rest === 'values')) return markOf({ kind: rest });
  return problemOf(`"${rest}" after ${language} is not known: output goes with text, pool and values with yaml`);
}

function readShellMark(language: string, rest: string): Read {
  if (language !== 'sh') return problemOf(`${language}: write \`\`\`sh, and what it prints as \`\`\`text output`);
  const [, reason] = /^untested:\s*(.*)$/.exec(rest) ?? [];
  if (reason !== undefined)
    return reason === '' ? problemOf('untested needs a reason') : markOf({ kind: 'untested', reason });
  if (rest === '') return problemOf('mark it: tested=GROUP, or untested: and why not');
  return readTestedMark(rest.split(' '));
}

function readTestedMark(words: readonly string[]): Read {
  let group: Group | undefined;
  let exitCode = 0;
  let isBackground = false;
  for (const word of words) {
    const [key, value = ''] = word.split('=');
    const found = GROUPS.find((one) => one === value);
    if (key === 'tested' && found !== undefined) group = found;
    else if (key === 'exit' && /^\d{1,3}$/.test(value)) exitCode = Number(value);
    else if (word === 'background') isBackground = true;
    else return problemOf(`"${word}" is not known: tested=${GROUPS.join('|')}, exit=CODE, background`);
  }
  if (group === undefined) return problemOf('mark it: tested=GROUP, or untested: and why not');
  return markOf({ kind: 'tested', group, exitCode, isBackground });
}

/** Gives each output to the block before it. */
function withOutputs(blocks: readonly DocBlock[]): readonly DocBlock[] {
  return blocks.map((block, index) => {
    const [before, after] = [blocks[index - 1], blocks[index + 1]];
    if (block.mark?.kind === 'output' && before?.mark?.kind !== 'tested' && before?.mark?.kind !== 'untested')
      return { ...block, problem: 'output of what? The block before it is no ```sh' };
    return block.mark?.kind === 'tested' && after?.mark?.kind === 'output' ? { ...block, output: after.text } : block;
  });
}

/** A line for each block whose fence does not say enough, with the place and the remedy. */
export function problemsIn(blocks: readonly DocBlock[]): readonly string[] {
  return blocks.flatMap(({ file, line, problem }) => (problem === undefined ? [] : [`${file}:${line}: ${problem}`]));
}

/** The blocks of a group, in the order given. */
export function testedBlocks(blocks: readonly DocBlock[], group: Group): readonly TestedBlock[] {
  return blocks.filter((block): block is TestedBlock => block.mark?.kind === 'tested' && block.mark.group === group);
}

/** What a block feeds to a command as a here-document, such as a manifest for `kubectl apply -f -`. */
export function hereDocuments(text: string): readonly string[] {
  return [...text.matchAll(/<<-?(['"]?)(\w+)\1[^\n]*\n([\s\S]*?\n)\s*\2$/gm)].map(([, , , document = '']) => document);
}
