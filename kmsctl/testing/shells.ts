// SPDX-License-Identifier: Apache-2.0
//
// For tests: what a real shell would offer at the end of a line, with a completion script of ours. Not part of the command line.

import { execFileSync, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Why a shell cannot be asked here, for node:test's `skip`; false if it can. */
export function missingShell(shell: 'bash' | 'zsh' | 'fish'): string | false {
  return spawnSync(shell, ['-c', 'true']).status === 0 ? false : `no ${shell} (Debian: apt-get install ${shell})`;
}

const TIMEOUT_MS = 20_000;

/** A folder with the script in it, and files that may be completed. */
export interface ShellPlace {
  readonly dir: string;
  readonly script: string;
}

/** What bash would offer for the last of these words, by the function that the script has registered. */
export function askBash({ dir, script }: ShellPlace, words: readonly string[]): string[] {
  const file = join(dir, 'kmsctl.bash');
  writeFileSync(file, script);
  const ask = `source "$1"; shift
    registered=$(complete -p kmsctl); name=\${registered#*-F }; name=\${name%% *}
    COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); "$name"; printf '%s\\n' "\${COMPREPLY[@]}"`;
  return linesOf(execFileSync('bash', ['--norc', '-c', ask, 'ask', file, ...words], { cwd: dir, timeout: TIMEOUT_MS }));
}

/** What fish would offer for a line. */
export function askFish({ dir, script }: ShellPlace, line: string): string[] {
  const file = join(dir, 'kmsctl.fish');
  writeFileSync(file, script);
  const env = { PATH: process.env['PATH'], HOME: dir, XDG_CONFIG_HOME: dir, XDG_DATA_HOME: dir };
  const ask = ['-N', '-c', 'source $argv[1]; complete -C $argv[2]', file, line];
  return linesOf(execFileSync('fish', ask, { cwd: dir, env, timeout: TIMEOUT_MS })).map(
    (each) => each.split('\t')[0] ?? '',
  );
}

// An interactive zsh on a pseudo-terminal, for its completion works nowhere else. Words go through compadd, which prints them here instead
// of showing them; those that zsh only sorts (-O, -A, -D) go on.
const ASK_ZSH = `
zmodload zsh/zpty
zpty z 'zsh -f -i'
zpty -w z "PS1= ; cd \${(q)1}; fpath=(\${(q)1} \\$fpath); autoload -Uz compinit; compinit -u -d \${(q)1}/dump; stty -echo"
zpty -w z 'compadd () {
  if [[ \${@[1,(i)(-|--)]} == *-(O|A|D)\\ * ]]; then builtin compadd "$@"; return $?; fi
  typeset -a words; builtin compadd -A words "$@"; print -r -- "<"$^words">"
}'
zpty -w z 'fin () { print -r -- "END"; }; zle -N fin; bindkey "^X" fin; print READY'
while zpty -r z line; do [[ $line == READY* ]] && break; done
zpty -n -w z "$2"$'\\t\\x18'
while zpty -r z line; do print -rn -- $line; [[ $line == *END* ]] && break; done
zpty -d z
`;

/** What zsh would offer for a line. */
export function askZsh({ dir, script }: ShellPlace, line: string): string[] {
  writeFileSync(join(dir, '_kmsctl'), script);
  writeFileSync(join(dir, 'ask.zsh'), ASK_ZSH);
  const env = { PATH: process.env['PATH'], HOME: dir, ZDOTDIR: dir, TERM: 'dumb' };
  const said = execFileSync('zsh', ['-f', join(dir, 'ask.zsh'), dir, line], { env, timeout: TIMEOUT_MS }).toString();
  return [...said.matchAll(/<([^>\n]*)>/g)].map((found) => found[1] ?? '');
}

function linesOf(output: Buffer): string[] {
  return output
    .toString()
    .split('\n')
    .filter((each) => each !== '');
}
