// SPDX-License-Identifier: Apache-2.0
//
// docs/kmsctl.md from its parts: the program's commands, a hand-written section for each verb, and the output of the examples in them.
// How sections are written is docs/kmsctl/README.md. It reads no file and runs nothing itself.

import type { ArgumentNode, CommandNode, FlagNode, ValueHint } from '../../kmsctl/cli/tree.ts';

export interface DocSources {
  readonly root: CommandNode;
  /** What stands before the verbs; `<!-- verbs -->` in it becomes their list. */
  readonly front: string;
  /** By verb. */
  readonly sections: ReadonlyMap<string, string>;
  /** Runs a command line without `kmsctl`: what it writes, and its exit code. */
  readonly run: (args: readonly string[]) => Promise<{ readonly code: number; readonly output: string }>;
}

export type MadeDoc =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly errors: readonly string[] };

const NOTICE = '<!-- Made by `make generate` from docs/kmsctl/ and from the program itself. Do not edit it here. -->\n';
const SAMPLE = '*A sample: addresses, times and identities differ.*';

/** The whole document, or what is missing in its parts, one line each. */
export async function makeDoc({ root, front, sections, run }: DocSources): Promise<MadeDoc> {
  const verbs = root.children.filter(({ name }) => name !== 'help');
  const errors = [
    ...missing(verbs, sections),
    ...(front.includes('<!-- verbs -->') ? [] : ['front.md: put <!-- verbs --> where the list of verbs belongs']),
  ];
  const parts: string[] = [];
  for (const verb of verbs) {
    const section = sections.get(verb.name);
    if (section === undefined) continue;
    const filled = await withExamples(section, run);
    errors.push(...filled.errors.map((error) => `${verb.name}.md: ${error}`));
    parts.push(withReference(filled.text, commandsOf(verb)));
  }
  if (errors.length > 0) return { ok: false, errors };
  const head = front.replace('<!-- verbs -->', verbTable(verbs));
  return { ok: true, text: `${NOTICE}${[head, ...parts].map((part) => part.trim()).join('\n\n')}\n` };
}

/** A verb and what is below it, without commander's `help`. */
function commandsOf(node: CommandNode): CommandNode[] {
  return [node, ...node.children.filter(({ name }) => name !== 'help').flatMap(commandsOf)];
}

function missing(verbs: readonly CommandNode[], sections: ReadonlyMap<string, string>): string[] {
  const lacking = verbs.flatMap((verb) => {
    const section = sections.get(verb.name);
    if (section === undefined) return [`the verb ${verb.name} has no section; write docs/kmsctl/${verb.name}.md`];
    const lines = section.split('\n');
    return commandsOf(verb)
      .filter((node) => !lines.includes(headingOf(node)))
      .map(
        (node) => `${verb.name}.md: has no line ${JSON.stringify(headingOf(node))}; add it with what the command does`,
      );
  });
  const known = verbs.map(({ name }) => name);
  const strangers = [...sections.keys()].filter((name) => !known.includes(name));
  return [...lacking, ...strangers.map((name) => `${name}.md: there is no verb ${name}; remove the file`)];
}

/** `## dns`, `### dns export`. */
function headingOf({ path }: CommandNode): string {
  return `${'#'.repeat(path.length + 1)} ${path.join(' ')}`;
}

function verbTable(verbs: readonly CommandNode[]): string {
  const rows = verbs.map(({ name, summary }) => `| [\`${name}\`](#${name}) | ${cell(summary)} |`);
  return ['| verb | what it does |', '|---|---|', ...rows].join('\n');
}

/** Puts usage below each command's heading, and its flags at the end of what is written there. */
function withReference(section: string, commands: readonly CommandNode[]): string {
  const byHeading = new Map(commands.map((node) => [headingOf(node), node]));
  const out: string[] = [];
  let current: CommandNode | undefined;
  for (const line of section.trim().split('\n')) {
    const next = byHeading.get(line);
    if (next === undefined) {
      out.push(line);
      continue;
    }
    if (current !== undefined) out.push(...flagTable(current));
    current = next;
    out.push(line, '', '```', usageOf(next), '```');
  }
  return [...out, ...(current === undefined ? [] : flagTable(current))].join('\n').replace(/\n{3,}/g, '\n\n');
}

function usageOf({ path, children, args, flags }: CommandNode): string {
  const start = ['kmsctl', ...path];
  if (children.length > 0)
    return [
      ...start,
      children
        .map(({ name }) => name)
        .filter((name) => name !== 'help')
        .join('|'),
      '…',
    ].join(' ');
  const needed = flags
    .filter(({ required }) => required)
    .map(({ written }) => written.replace(/^-\w, --[\w-]+/, (both) => both.split(',')[0] ?? both));
  const optional = flags.some(({ required, long }) => !required && long !== '--help') ? ['[flags]'] : [];
  return [...start, ...args.map(({ written }) => written), ...needed, ...optional].join(' ');
}

function flagTable({ args, flags, children }: CommandNode): string[] {
  const own = flags.filter(({ long }) => long !== '--help');
  const rows = [...args.map(argumentRow), ...own.map(flagRow)];
  return rows.length === 0 || children.length > 0
    ? ['']
    : ['', '| argument or flag | meaning | default |', '|---|---|---|', ...rows, ''];
}

function argumentRow({ written, description, value }: ArgumentNode): string {
  return `| ${code(written)} | ${cell(description)}${choicesOf(value)} | |`;
}

function flagRow({ written, description, value, required, defaultText }: FlagNode): string {
  // What is no plain value stands in the description.
  const told = / \(default: (.*?)\)$/.exec(description);
  const meaning = cell(told === null ? description : description.slice(0, told.index));
  const choices = value === undefined ? '' : choicesOf(value);
  const fallback = required ? 'must be given' : defaultText === undefined ? cell(told?.[1] ?? '') : code(defaultText);
  return `| ${code(written)} | ${meaning}${choices} | ${fallback} |`;
}

const CHOICES_MAX = 12;

// Long lists, such as products, have a verb of their own.
function choicesOf(value: ValueHint): string {
  return value.kind === 'words' && value.words.length <= CHOICES_MAX ? `: ${value.words.map(code).join(', ')}` : '';
}

function code(text: string): string {
  return `\`${text.replaceAll('|', '\\|')}\``;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;');
}

const FENCE = /^```console (run|sample)((?: \w+=\S+)*)\n([\s\S]*?)^```$/gm;

/** `console run` blocks get the output of their commands, `console sample` blocks a word that they are samples. */
async function withExamples(section: string, run: DocSources['run']): Promise<{ text: string; errors: string[] }> {
  const errors: string[] = [];
  const parts: string[] = [];
  let end = 0;
  for (const found of section.matchAll(FENCE)) {
    const [whole, kind, settings = '', body = ''] = found;
    parts.push(section.slice(end, found.index));
    end = found.index + whole.length;
    if (kind === 'sample') parts.push(`${SAMPLE}\n\n\`\`\`console\n${body}\`\`\``);
    else parts.push(`\`\`\`console\n${await played(body, settings, { run, errors })}\`\`\``);
  }
  return { text: [...parts, section.slice(end)].join(''), errors };
}

interface Playing {
  readonly run: DocSources['run'];
  readonly errors: string[];
}

async function played(body: string, settings: string, { run, errors }: Playing): Promise<string> {
  const wantedCode = Number(/ exit=(\d+)/.exec(settings)?.[1] ?? 0);
  const most = Number(/ lines=(\d+)/.exec(settings)?.[1] ?? Number.POSITIVE_INFINITY);
  const shown: string[] = [];
  for (const line of body.split('\n').filter((each) => each !== '')) {
    if (!line.startsWith('$ kmsctl ')) {
      errors.push(`${JSON.stringify(line)} is no command; a block "console run" holds lines that begin with $ kmsctl`);
      continue;
    }
    const { code, output } = await run(wordsOf(line.slice('$ kmsctl '.length)));
    if (code !== wantedCode)
      errors.push(`${line} ended with ${code} and not ${wantedCode}: ${output.trim().split('\n').at(-1) ?? ''}`);
    const lines = output.replace(/\n$/, '').split('\n');
    shown.push(line, ...lines.slice(0, most), ...(lines.length > most ? ['…'] : []));
  }
  return `${shown.join('\n')}\n`;
}

/** The words of a command line, with '…' and "…" as quotes. */
export function wordsOf(line: string): string[] {
  return [...line.matchAll(/(?:[^\s'"]|'[^']*'|"[^"]*")+/g)].map(([word]) =>
    word.replace(/'([^']*)'|"([^"]*)"/g, '$1$2'),
  );
}
