// SPDX-License-Identifier: Apache-2.0
//
// `kmsctl completion`: a script that completes verbs, flags and their values in a shell. The scripts are completion/'s.

import { Argument, Command } from 'commander';
import { EXIT } from '../cli/io.ts';
import type { VerbContext } from '../cli/program.ts';
import { commandTree } from '../cli/tree.ts';
import { bashScript, kubectlScript } from '../completion/bash.ts';
import { fishScript } from '../completion/fish.ts';
import { powershellCompletion } from '../completion/powershell.ts';
import { zshScript } from '../completion/zsh.ts';

const SHELLS = {
  ...{ bash: bashScript, zsh: zshScript, fish: fishScript, powershell: powershellCompletion },
  kubectl: kubectlScript,
} as const;
type Shell = keyof typeof SHELLS;

const HELP = `
Examples:
  kmsctl completion bash > ~/.local/share/bash-completion/completions/kmsctl
  source <(kmsctl completion bash)            in this shell only
  kmsctl completion zsh > "\${fpath[1]}/_kmsctl"
  kmsctl completion fish > ~/.config/fish/completions/kmsctl.fish
  kmsctl completion powershell >> $PROFILE
  kmsctl completion kubectl > ~/bin/kubectl_complete-kms     for kubectl kms;
                                             make it executable, in your PATH

Exit codes: 0 printed, 2 bad input; then one line says what to change.`;

export function completionCommand({ io, exit }: VerbContext): Command {
  return new Command('completion')
    .summary('a completion script for your shell')
    .description('Print a script that completes verbs, flags and their values; it is made from the program itself.')
    .addArgument(
      new Argument('<shell>', 'which shell; kubectl: the program that completes kubectl kms').choices(
        Object.keys(SHELLS),
      ),
    )
    .addHelpText('after', HELP)
    .action((shell: Shell, _flags: unknown, command: Command) => {
      io.out(SHELLS[shell](commandTree(rootOf(command))));
      exit(EXIT.ok);
    });
}

function rootOf(command: Command): Command {
  return command.parent === null ? command : rootOf(command.parent);
}
