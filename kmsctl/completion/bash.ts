// SPDX-License-Identifier: Apache-2.0
//
// The completion script for bash, from 3.2 on, without the bash-completion package.

import { allNodes, type CommandNode, type ValueHint } from '../cli/tree.ts';
import { flagNames, kindOf, pathText, quoted, wordsOf } from './parts.ts';

/** A script to be sourced. */
export function bashScript(root: CommandNode): string {
  const { name } = root;
  return `# bash completion for ${name}; made by \`${name} completion bash\`

${functions(root)}
complete -F _${name} ${name}
`;
}

/**
 * The program `kubectl_complete-kms`, which kubectl (from 1.26 on) runs with the words after `kubectl kms`. The last line is cobra's directive: 4, the
 * words are all there is; 0, the shell may offer files.
 */
export function kubectlScript(root: CommandNode): string {
  const { name } = root;
  return `#!/usr/bin/env bash
# kubectl_complete-kms: completion for kubectl kms; made by \`${name} completion kubectl\`

${functions(root)}
COMP_WORDS=(${name} "$@") COMP_CWORD=$#
_${name}
[ \${#COMPREPLY[@]} -eq 0 ] || printf '%s\\n' "\${COMPREPLY[@]}"
[ \${#COMPREPLY[@]} -eq 0 ] && echo :0 || echo :4
`;
}

function functions(root: CommandNode): string {
  const nodes = allNodes(root);
  const { name } = root;
  return `# Where a word leads from a command; nothing if it is no command.
_${name}_enter() {
  case "$1 $2" in
${nodes.flatMap((node) => node.children.map((child) => `    ${quoted(`${pathText(node)} ${child.name}`)}) printf '%s' ${quoted(pathText(child))};;`)).join('\n')}
  esac
}

# What may stand for the value of a flag, or, without one, for an argument: file, dir, any, or words.
_${name}_values() {
  case "$1 $2" in
${nodes.flatMap(valueCases).join('\n')}
  esac
}

_${name}_flags() {
  case "$1" in
${nodes.map((node) => `    ${quoted(pathText(node))}) printf '%s' ${quoted(node.flags.flatMap(flagNames).join(' '))};;`).join('\n')}
  esac
}

_${name}_children() {
  case "$1" in
${nodes
  .filter(({ children }) => children.length > 0)
  .map(
    (node) =>
      `    ${quoted(pathText(node))}) printf '%s' ${quoted(node.children.map((child) => child.name).join(' '))};;`,
  )
  .join('\n')}
  esac
}

_${name}() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} at=/ next values i
  COMPREPLY=()
  # bash takes --flag=value apart.
  if [ "$cur" = = ]; then cur=; elif [ "$prev" = = ]; then prev=\${COMP_WORDS[COMP_CWORD-2]}; fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    next=$(_${name}_enter "$at" "\${COMP_WORDS[i]}")
    [ -z "$next" ] || at=$next
  done
  values=$(_${name}_values "$at" "$prev")
  if [ -z "$values" ]; then
    case "$cur" in -*) COMPREPLY=($(compgen -W "$(_${name}_flags "$at")" -- "$cur")); return;; esac
    values="$(_${name}_children "$at") $(_${name}_values "$at" '')"
  fi
  case "$values" in
    any|' any') ;;
    file|' file') compopt -o filenames 2>/dev/null; while IFS= read -r i; do COMPREPLY+=("$i"); done < <(compgen -f -- "$cur");;
    dir|' dir') compopt -o filenames 2>/dev/null; while IFS= read -r i; do COMPREPLY+=("$i"); done < <(compgen -d -- "$cur");;
    *) COMPREPLY=($(compgen -W "$values" -- "$cur"));;
  esac
}`;
}

function valueCases(node: CommandNode): string[] {
  const at = pathText(node);
  const print = (hint: ValueHint): string =>
    `printf '%s' ${quoted(hint.kind === 'words' ? wordsOf(hint).join(' ') : kindOf(hint))};;`;
  const flags = node.flags.flatMap((flag) => {
    const { value } = flag;
    return value === undefined
      ? []
      : [
          `    ${flagNames(flag)
            .map((each) => quoted(`${at} ${each}`))
            .join('|')}) ${print(value)}`,
        ];
  });
  const [first] = node.args;
  return first === undefined ? flags : [...flags, `    ${quoted(`${at} `)}) ${print(first.value)}`];
}
