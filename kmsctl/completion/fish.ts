// SPDX-License-Identifier: Apache-2.0
//
// The completion script for fish, from 3.0 on.

import { allNodes, type CommandNode, type FlagNode } from '../cli/tree.ts';
import { brief, pathText } from './parts.ts';

/** A script for ~/.config/fish/completions/kmsctl.fish. */
export function fishScript(root: CommandNode): string {
  const nodes = allNodes(root);
  const name = root.name;
  const enters = nodes.flatMap((node) =>
    node.children.map(
      (child) =>
        `            case ${literal(`${pathText(node)} ${child.name}`)}\n                set at ${literal(pathText(child))}`,
    ),
  );
  return `# fish completion for ${name}; made by \`${name} completion fish\`

# True where the words so far lead to this command.
function __${name}_at
    set -l at /
    for word in (commandline -opc)[2..-1]
        switch "$at $word"
${enters.join('\n')}
        end
    end
    test "$at" = $argv[1]
end

complete -c ${name} -f
${nodes.flatMap((node) => nodeLines(name, node)).join('\n')}
`;
}

function nodeLines(name: string, node: CommandNode): string[] {
  const here = `complete -c ${name} -n ${literal(`__${name}_at ${pathText(node)}`)}`;
  const children = node.children.map((child) => `${here} -a ${child.name} -d ${literal(brief(child.summary))}`);
  const [first] = node.args;
  const args =
    first?.value.kind === 'words'
      ? [`${here} -a ${literal(first.value.words.join(' '))}`]
      : first?.value.kind === 'file'
        ? [`${here} -F`]
        : [];
  return [...children, ...args, ...node.flags.map((flag) => `${here} ${flagPart(flag)}`)];
}

function flagPart({ short, long, description, value }: FlagNode): string {
  const names = [
    short === undefined ? [] : [`-s ${short.slice(1)}`],
    long === undefined ? [] : [`-l ${long.slice(2)}`],
  ].flat();
  const values = (): string => {
    if (value === undefined) return '';
    if (value.kind === 'words') return ` -x -a ${literal(value.words.join(' '))}`;
    if (value.kind === 'file') return ' -r -F';
    return value.kind === 'dir' ? ' -x -a "(__fish_complete_directories)"' : ' -x';
  };
  return `${names.join(' ')}${values()} -d ${literal(brief(description))}`;
}

function literal(text: string): string {
  return `'${text.replace(/[\\']/g, (letter) => `\\${letter}`)}'`;
}
