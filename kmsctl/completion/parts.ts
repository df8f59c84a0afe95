// SPDX-License-Identifier: Apache-2.0
//
// What the completion scripts of all shells need.

import type { CommandNode, FlagNode, ValueHint } from '../cli/tree.ts';

/** `/dns/export`; `/` for the program. */
export function pathText({ path }: CommandNode): string {
  return `/${path.join('/')}`;
}

/** The names of a flag, the long one first. */
export function flagNames({ long, short }: FlagNode): string[] {
  return [long, short].filter((name) => name !== undefined);
}

/** The words that a value may be; none if they are not known. */
export function wordsOf(hint: ValueHint): readonly string[] {
  return hint.kind === 'words' ? hint.words : [];
}

export function kindOf(hint: ValueHint): ValueHint['kind'] {
  return hint.kind;
}

/** A literal of a POSIX shell, and of zsh. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** A description on one line. */
export function brief(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}
