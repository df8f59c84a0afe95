// SPDX-License-Identifier: Apache-2.0
//
// The completion script for zsh, for a file `_kmsctl` in $fpath or for `source <(kmsctl completion zsh)`.

import { allNodes, type CommandNode, type FlagNode, type ValueHint } from '../cli/tree.ts';
import { brief, quoted } from './parts.ts';

/** A script that is autoloaded or sourced. */
export function zshScript(root: CommandNode): string {
  const name = root.name;
  return `#compdef ${name}
# zsh completion for ${name}; made by \`${name} completion zsh\`

${allNodes(root).map(commandFunction).join('\n\n')}

# Autoloaded, the function runs; sourced, it is only registered.
if [ "$funcstack[1]" = "_${name}" ]; then _${name} "$@"; else compdef _${name} ${name}; fi
`;
}

function functionName({ path }: CommandNode): string {
  return `_${['kmsctl', ...path].join('_').replaceAll('-', '_')}`;
}

function commandFunction(node: CommandNode): string {
  const flags = node.flags.map((flag) => `    ${flagSpec(flag)}`);
  if (node.children.length === 0) {
    const args = node.args.map(({ name, variadic, value }, at) => {
      const position = variadic ? '*' : String(at + 1);
      return `    ${quoted(`${position}:${spec(name)}:${action(value)}`)}`;
    });
    return `${functionName(node)}() {\n  _arguments -s \\\n${[...flags, ...args].join(' \\\n')}\n}`;
  }
  const list = node.children.map((child) => quoted(`${child.name}:${brief(child.summary)}`)).join('\n      ');
  const cases = node.children.map((child) => `        ${child.name}) ${functionName(child)};;`).join('\n');
  return `${functionName(node)}() {
  local curcontext="$curcontext" state line
  local -a verbs
  typeset -A opt_args
  _arguments -C \\
${[...flags, `    '1: :->verb'`, `    '*:: :->rest'`].join(' \\\n')}
  case $state in
    verb)
      verbs=(
      ${list}
      )
      _describe -t verbs verb verbs;;
    rest)
      case $line[1] in
${cases}
      esac;;
  esac
}`;
}

function flagSpec({ short, long, description, value }: FlagNode): string {
  const text = `[${spec(brief(description))}]${value === undefined ? '' : `:value:${action(value)}`}`;
  if (short === undefined || long === undefined) return quoted(`${long ?? short ?? ''}${text}`);
  return `${quoted(`(${short} ${long})`)}{${short},${long}}${quoted(text)}`;
}

function action(value: ValueHint): string {
  if (value.kind === 'words') return `(${value.words.join(' ')})`;
  if (value.kind === 'file') return '_files';
  return value.kind === 'dir' ? '_files -/' : ' ';
}

// Brackets and colons end the parts of a specification.
function spec(text: string): string {
  return text.replace(/[\\[\]:]/g, (letter) => `\\${letter}`);
}
