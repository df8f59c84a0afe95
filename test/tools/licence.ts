// SPDX-License-Identifier: Apache-2.0
//
// Detectors for the static half of the licence boundary (SECURITY.md): text in, findings out. They know shapes, never a genuine key or range,
// so this file holds nothing that it looks for. What a running host accepts and answers is tested elsewhere.
import type { SourceFile } from './source-files.ts';

/** Something that must not stand in the repository. The text itself is not repeated, since it may be a secret. */
export type Finding = { readonly path: string; readonly line: number; readonly what: string };

/** Finds the offsets in a text at which something stands that must not. */
export type Detector = { readonly what: string; readonly find: (text: string) => readonly number[] };

// Product keys use 24 letters and digits that cannot be mistaken for others, and since Windows 8 also N.
const KEY_LETTER = '[BCDFGHJKMNPQRTVWXY2346789]';
// Hyphens and dashes of all kinds (S4-27: keys are pasted with dashes), underscore, blank.
const KEY_JOINER = '[-\\u2010-\\u2015\\u2212_ ]';
// A placeholder such as X five times five shows the form and is no key; a key has many different letters.
const PLACEHOLDER_LETTERS = 3;

const distinctLetters = (text: string): number => new Set(text.toUpperCase().match(new RegExp(KEY_LETTER, 'g'))).size;

function offsets(text: string, pattern: RegExp, isOne: (match: string) => boolean = () => true): readonly number[] {
  return [...text.matchAll(pattern)].filter((match) => isOne(match[0])).map((match) => match.index);
}

/** Five groups of five from the product keys' alphabet, joined or as one quoted word. */
export const productKey: Detector = {
  what: 'shaped like a full product key; keep the product name or the last five characters only',
  find: (text) => {
    const joined = new RegExp(`(?<![A-Z0-9])${KEY_LETTER}{5}(?:${KEY_JOINER}${KEY_LETTER}{5}){4}(?![A-Z0-9])`, 'gi');
    const quoted = new RegExp(`(?<=["'\`])${KEY_LETTER}{25}(?=["'\`])`, 'g');
    const isKey = (match: string): boolean => distinctLetters(match) > PLACEHOLDER_LETTERS;
    return [...offsets(text, joined, isKey), ...offsets(text, quoted, isKey)];
  },
};

/** A genuine host's product ID begins with groups of five, five and three digits. */
export const hostProductId: Detector = {
  what: 'shaped like a genuine host product ID; emulated hosts have one that is unmistakably not (docs/protocol.md §3.2)',
  find: (text) => offsets(text, /(?<![0-9a-f-])\d{5}-\d{5}-\d{3}-/gi),
};

// The first four entries of the AES substitution box (FIPS 197), here in base64 so that this file does not find itself: whoever writes AES by
// hand writes them, as hex bytes, as decimals or as one word.
const SBOX: readonly number[] = [...Buffer.from('Y3x3ew==', 'base64')];
const SBOX_FORMS = [
  SBOX.map((byte) => `0x${byte.toString(16)}`).join('\\W+'),
  SBOX.map((byte) => byte.toString(16)).join('\\W*'),
  SBOX.map((byte) => byte.toString(10)).join('\\W+'),
].join('|');

/** An AES of our own: only with one could a key schedule be changed. The project uses node:crypto's, unmodified. */
export const ownCipher: Detector = {
  what: 'looks like an AES written by hand; use node:crypto, whose key schedule cannot be changed',
  find: (text) => offsets(text, new RegExp(`(?<!\\w)(?:${SBOX_FORMS})`, 'gi')),
};

const HEX_LITERAL = /(?<=["'`])(?:[0-9a-f]{32}|[0-9a-f]{64})(?=["'`])/gi;
const BYTE = '(?:0x[0-9a-f]{1,2}|\\d{1,3})';
const BYTE_LIST = new RegExp(`\\[\\s*${BYTE}(?:\\s*,\\s*${BYTE}){15}(?:(?:\\s*,\\s*${BYTE}){16})?\\s*,?\\s*\\]`, 'gi');
const isOneByteRepeated = (literal: string): boolean =>
  new Set(literal.toLowerCase().match(/[0-9a-f]{2}|\d+/g)).size <= 1;

/** 16 or 32 bytes written out in the program: every key here is derived from the pool's Secret, so none is a constant. */
export const keyLiteral: Detector = {
  what: 'a constant of 16 or 32 bytes, as an AES or HMAC key has; keys are derived from the pool Secret (docs/protocol.md §3.4)',
  find: (text) =>
    offsets(text, HEX_LITERAL, (literal) => !isOneByteRepeated(literal)).concat(
      offsets(text, BYTE_LIST, (l) => !isOneByteRepeated(l)),
    ),
};

/** The words of a name in camelCase, kebab-case, snake_case or capitals, in lower case. */
export function wordsOf(name: string): readonly string[] {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replace(/([A-Z])([A-Z][a-z])/g, '$1 $2')
    .split(/[^A-Za-z0-9]+/)
    .filter((word) => word !== '')
    .map((word) => word.toLowerCase());
}

const KEY_WORDS: readonly string[] = ['key', 'keys', 'secret', 'schedule'];
const CRYPTO_WORDS: readonly string[] = [
  'aes',
  'aes128',
  'aes256',
  'raw',
  'hmac',
  'cmac',
  'mac',
  'iv',
  'cipher',
  'encryption',
  'decryption',
];
const MICROSOFT_WORDS: readonly string[] = [
  'activation',
  'product',
  'csvlk',
  'gvlk',
  'genuine',
  'microsoft',
  'v4',
  'v5',
  'v6',
  'round',
];
const ID_WORDS: readonly string[] = ['epid', 'pid', 'hwid'];

/** Whether an option or variable of this name would let someone put a raw key, a product key or a genuine host's identity in. */
export function namesForbiddenInput(name: string): boolean {
  const words = wordsOf(name);
  const has = (list: readonly string[]): boolean => words.some((word) => list.includes(word));
  if (has(ID_WORDS)) return true;
  return has(KEY_WORDS) && (has(CRYPTO_WORDS) || has(MICROSOFT_WORDS));
}

// The ways in: environment variables, command line options, fields of the zod schemas (manifest, HostConfig).
const INPUT_NAMES: readonly RegExp[] = [
  /\benv(?:\.|\?\.)([A-Za-z_]\w*)/g,
  /\benv(?:\?\.)?\[\s*['"`]([^'"`]+)['"`]\s*\]/g,
  /(?<=['"`\s,])--([a-z][\w-]*)/g,
  /^\s*['"]?([A-Za-z_]\w*)['"]?\s*:\s*z\s*\./gm,
];

/** Environment variables, options and schema fields whose name suggests a raw key, a product key or a genuine identity. */
export const forbiddenInput: Detector = {
  what: 'an option, variable or field whose name suggests a raw key or a genuine host ID; the pool Secret is the only way in',
  find: (text) =>
    INPUT_NAMES.flatMap((pattern) =>
      [...text.matchAll(pattern)].filter((match) => namesForbiddenInput(match[1]!)).map((match) => match.index),
    ),
};

/** What the detectors find, with path and line. */
export function findings(files: readonly SourceFile[], detectors: readonly Detector[]): readonly Finding[] {
  return files.flatMap(({ path, text }) =>
    detectors.flatMap(({ what, find }) =>
      find(text).map((offset) => ({ path, line: text.slice(0, offset).split('\n').length, what })),
    ),
  );
}
