// SPDX-License-Identifier: Apache-2.0
//
// The completion script for PowerShell, from 5.1 on.

import { allNodes, type CommandNode, type ValueHint } from '../cli/tree.ts';
import { psQuoted } from '../dns-formats/windows.ts';
import { brief, flagNames, pathText } from './parts.ts';

/** A script for $PROFILE. */
export function powershellCompletion(root: CommandNode): string {
  const nodes = allNodes(root);
  const name = root.name;
  return `# PowerShell completion for ${name}; made by \`${name} completion powershell\`
Register-ArgumentCompleter -Native -CommandName ${psQuoted(name)} -ScriptBlock {
  param($wordToComplete, $commandAst, $cursorPosition)
  $children = @{
${nodes
  .filter(({ children }) => children.length > 0)
  .map(childrenEntry)
  .join('\n')}
  }
  $flags = @{
${nodes.map(flagsEntry).join('\n')}
  }
  $values = @{
${nodes.flatMap(valueEntries).join('\n')}
  }
  $words = @($commandAst.CommandElements | Where-Object { $_.Extent.EndOffset -lt $cursorPosition } | ForEach-Object { $_.Extent.Text })
  $at = '/'
  foreach ($word in $words | Select-Object -Skip 1) {
    if ($children.ContainsKey($at) -and $children[$at].Contains($word)) { $at = $at.TrimEnd('/') + '/' + $word }
  }
  $previous = if ($words.Count -gt 0) { $words[-1] } else { '' }
  $found = if ($values.ContainsKey("$at $previous")) { $values["$at $previous"] }
    elseif ($wordToComplete.StartsWith('-')) { $flags[$at] }
    else { $both = [ordered]@{}; foreach ($part in $children[$at], $values["$at "]) { if ($part) { foreach ($each in $part.Keys) { $both[$each] = $part[$each] } } }; $both }
  foreach ($each in $found.Keys) {
    if ($each.StartsWith($wordToComplete)) {
      [System.Management.Automation.CompletionResult]::new($each, $each, 'ParameterValue', $found[$each])
    }
  }
}
`;
}

function entry(key: string, pairs: readonly (readonly [string, string])[]): string {
  const list = pairs.map(([word, text]) => `${psQuoted(word)} = ${psQuoted(brief(text) || word)}`).join('; ');
  return `    ${psQuoted(key)} = [ordered]@{ ${list} }`;
}

function childrenEntry(node: CommandNode): string {
  return entry(
    pathText(node),
    node.children.map((child) => [child.name, child.summary] as const),
  );
}

function flagsEntry(node: CommandNode): string {
  return entry(
    pathText(node),
    node.flags.flatMap((flag) => flagNames(flag).map((each) => [each, flag.description] as const)),
  );
}

// PowerShell completes files itself where we say nothing.
function valueEntries(node: CommandNode): string[] {
  const at = pathText(node);
  const list = (key: string, hint: ValueHint): string[] =>
    hint.kind === 'words'
      ? [
          entry(
            key,
            hint.words.map((word) => [word, word] as const),
          ),
        ]
      : [];
  const [first] = node.args;
  return [
    ...node.flags.flatMap((flag) => {
      const { value } = flag;
      return value === undefined ? [] : flagNames(flag).flatMap((each) => list(`${at} ${each}`, value));
    }),
    ...(first === undefined ? [] : list(`${at} `, first.value)),
  ];
}
