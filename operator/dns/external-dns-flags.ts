// SPDX-License-Identifier: Apache-2.0

// What an external-dns was told, read from its Deployment: image, flags, variables. Pure. Who may write a Deployment may write anything into it, so nothing
// here is believed to have the form that it should, and no pattern of theirs is ever run.
import type { Deployment } from '../pool/kinds.ts';

/** The container of an external-dns. */
export interface ExternalDnsContainer {
  /** Version by the image's tag; undefined where there is no telling: `latest`, a digest, an image of another name. */
  readonly version: { readonly major: number; readonly minor: number; readonly text: string } | undefined;
  /** Every value of a flag (without `--`); empty when it is not set, undefined when that cannot be known: it comes from a Secret, a file, a shell. */
  values(flag: string): readonly string[] | undefined;
}

const NAME = 'external-dns';
/** A command line that is longer, in characters, is not read: nobody needs one. */
const LONGEST = 32_768;
/** Nor is a longer variable put into one, since it may stand there thousands of times. */
const LONGEST_FILLED = 256;

/** The container that runs external-dns, by its image or its name; undefined when none does. */
export function externalDnsContainer(deployment: Deployment): ExternalDnsContainer | undefined {
  const containers = objects(deployment.spec?.template?.spec?.['containers']);
  const container =
    containers.find(({ image }) => imageOf(image).name === NAME) ?? containers.find(({ name }) => name === NAME);
  if (container === undefined) return undefined;
  const env = objects(container['env']);
  const elements = [...texts(container['command']), ...texts(container['args'])];
  const isLong = elements.reduce((sum, { length }) => sum + length, 0) > LONGEST;
  const words = isLong ? [] : wordsOf(elements, env);
  const hidden = isLong || objects(container['envFrom']).length > 0 || words.some((word) => word.startsWith('@'));
  return {
    version: versionOf(container['image']),
    values: (flag) => {
      const given = argumentsOf(words, flag);
      if (given.length === 0) return variableOf(env, flag, hidden);
      // A shell, or a variable from elsewhere, fills it in.
      return given.some((value) => value.includes('$')) ? undefined : given;
    },
  };
}

function argumentsOf(words: readonly string[], flag: string): string[] {
  return words.flatMap((word, index) => {
    if (word.startsWith(`--${flag}=`)) return [word.slice(flag.length + 3)];
    return word === `--${flag}` ? [words[index + 1] ?? ''] : [];
  });
}

/** `--managed-record-types` is EXTERNAL_DNS_MANAGED_RECORD_TYPES; several values stand on lines of their own. */
function variableOf(env: readonly Loose[], flag: string, hidden: boolean): readonly string[] | undefined {
  const name = `EXTERNAL_DNS_${flag.toUpperCase().replaceAll('-', '_')}`;
  const variable = env.find((entry) => entry['name'] === name);
  if (variable === undefined) return hidden ? undefined : [];
  const { value } = variable;
  if (typeof value !== 'string' || value.includes('$(')) return undefined;
  return value.split(/\r?\n/).filter((line) => line !== '');
}

function wordsOf(elements: readonly string[], env: readonly Loose[]): string[] {
  const literal = new Map(env.map(({ name, value }) => [name, value]));
  const filled = elements.map((element) =>
    element.replace(/\$\(([A-Za-z0-9_.-]+)\)/g, (whole, name: string) => {
      const value = literal.get(name);
      return typeof value === 'string' && value.length <= LONGEST_FILLED ? value : whole;
    }),
  );
  return filled.flatMap(split);
}

/** An element that holds a whole command line, as after `sh -c`, falls into its words; quotes go. */
function split(element: string): string[] {
  if (!/\s--[a-z]/.test(element)) return [element];
  const words = element.match(/(?:[^\s"']|"[^"]*"|'[^']*')+/g) ?? [];
  return words.map((word) => word.replaceAll(/["']/g, '')).filter((word) => word !== '\\');
}

function imageOf(image: unknown): { name: string; tag: string } {
  const [reference = ''] = typeof image === 'string' ? image.split('@') : [];
  const [name = '', tag = ''] = reference.slice(reference.lastIndexOf('/') + 1).split(':');
  return { name, tag };
}

function versionOf(image: unknown): ExternalDnsContainer['version'] {
  const { name, tag } = imageOf(image);
  const parts = name === NAME ? /^v?(\d{1,4})\.(\d{1,4})(?:\.\d{1,4})?(?![\d.])/.exec(tag) : null;
  return parts === null ? undefined : { major: Number(parts[1]), minor: Number(parts[2]), text: parts[0] };
}

type Loose = Readonly<Record<string, unknown>>;

function objects(value: unknown): Loose[] {
  return Array.isArray(value) ? value.filter((item): item is Loose => typeof item === 'object' && item !== null) : [];
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}
