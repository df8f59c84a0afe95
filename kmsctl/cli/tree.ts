// SPDX-License-Identifier: Apache-2.0
//
// The command line as a value: verbs, flags, arguments and their choices, read from commander's own objects, so that completion, the
// reference and the program cannot differ. It parses and prints nothing.

import { EDITIONS, PRODUCT_SLUGS } from '@kmspool/kms/catalog';
import type { Argument, Command, Option } from 'commander';

/** What may stand for a value: words that are known, a file, a folder, or anything. */
export type ValueHint =
  | { readonly kind: 'words'; readonly words: readonly string[] }
  | { readonly kind: 'file' | 'dir' | 'any' };

export interface FlagNode {
  /** `-o`; undefined where there is none. */
  readonly short: string | undefined;
  /** `--output`. */
  readonly long: string | undefined;
  /** As in the help: `-o, --output <format>`. */
  readonly written: string;
  readonly description: string;
  /** Undefined for a flag that takes no value. */
  readonly value: ValueHint | undefined;
  readonly required: boolean;
  /** As text; undefined where there is none, or none worth telling. */
  readonly defaultText: string | undefined;
}

export interface ArgumentNode {
  readonly name: string;
  /** As in the help: `<file...>`, `[pool]`. */
  readonly written: string;
  readonly description: string;
  readonly required: boolean;
  readonly variadic: boolean;
  readonly value: ValueHint;
}

export interface CommandNode {
  readonly name: string;
  /** Names from the program's verb on: `['dns', 'export']`; empty for the program itself. */
  readonly path: readonly string[];
  /** One line, for lists. */
  readonly summary: string;
  readonly description: string;
  /** `[options] <file...>`. */
  readonly usage: string;
  readonly flags: readonly FlagNode[];
  readonly args: readonly ArgumentNode[];
  readonly children: readonly CommandNode[];
}

/** The tree of a command and all that is below it. */
export function commandTree(command: Command, path: readonly string[] = []): CommandNode {
  const help = command.createHelp();
  const below = help.visibleCommands(command);
  const names = below.map((each) => each.name());
  return {
    name: command.name(),
    path,
    summary: command.summary() || command.description(),
    description: command.description(),
    usage: command.usage(),
    flags: help.visibleOptions(command).map(flagNode),
    args: command.registeredArguments.map((argument) => argumentNode(argument)),
    children: below.map((each) => childNode(each, path, names)),
  };
}

// commander's own `help [verb]` takes the names that stand beside it.
function childNode(child: Command, path: readonly string[], siblings: readonly string[]): CommandNode {
  const node = commandTree(child, [...path, child.name()]);
  if (child.name() !== 'help') return node;
  const words = siblings.filter((name) => name !== 'help');
  return { ...node, args: node.args.map((argument) => ({ ...argument, value: { kind: 'words', words } })) };
}

/** This command and all below it, parents first. */
export function allNodes(node: CommandNode): readonly CommandNode[] {
  return [node, ...node.children.flatMap(allNodes)];
}

function flagNode(option: Option): FlagNode {
  const placeholder = /[<[]([^>\]]+)[>\]]/.exec(option.flags)?.[1];
  const { defaultValue, defaultValueDescription } = option;
  const plain = defaultValue === undefined || defaultValue === false || typeof defaultValue === 'object';
  return {
    short: option.short,
    long: option.long,
    written: option.flags,
    description: option.description,
    value:
      placeholder === undefined ? undefined : hintOf({ name: option.name(), placeholder, choices: option.argChoices }),
    required: option.mandatory,
    defaultText: defaultValueDescription ?? (plain ? undefined : String(defaultValue)),
  };
}

function argumentNode(argument: Argument): ArgumentNode {
  const name = argument.name();
  const inside = argument.variadic ? `${name}...` : name;
  return {
    name,
    written: argument.required ? `<${inside}>` : `[${inside}]`,
    description: argument.description,
    required: argument.required,
    variadic: argument.variadic,
    value: hintOf({ name, placeholder: name, choices: argument.argChoices }),
  };
}

interface Hinted {
  readonly name: string;
  /** What stands in the brackets. */
  readonly placeholder: string;
  readonly choices: readonly string[] | undefined;
}

const FILES: readonly string[] = ['file', 'manifest', 'scenario', 'fleet', 'path'];
const FOLDERS: readonly string[] = ['dir', 'folder'];

// By what it is called: whoever names a value `<file>` need say no more.
function hintOf({ name, placeholder, choices }: Hinted): ValueHint {
  if (choices !== undefined) return { kind: 'words', words: choices };
  if (name === 'product') return { kind: 'words', words: PRODUCT_SLUGS };
  if (name === 'edition') return { kind: 'words', words: EDITIONS.map(({ slug }) => slug) };
  const plain = placeholder.replace('...', '');
  if (FILES.includes(plain)) return { kind: 'file' };
  return { kind: FOLDERS.includes(plain) ? 'dir' : 'any' };
}
