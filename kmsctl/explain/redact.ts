// SPDX-License-Identifier: Apache-2.0
//
// The first thing that happens to whatever a user gives us: what is shaped like a product key is taken out, and only its
// last five characters stay, as slmgr shows them. Nothing that is shown, stored or thrown has seen the text before this.

import type { KeyFinding } from './types.ts';

export interface Redacted {
  readonly text: string;
  readonly keys: readonly KeyFinding[];
}

// 24 letters and digits that cannot be mistaken for one another, and since Windows 8 also N.
const KEY_LETTER = '[BCDFGHJKMNPQRTVWXY2346789]';
const DASH = '[\\p{Pd}\\u2212_~.\\u00b7]';

const SHAPES: readonly RegExp[] = [
  // Joined by something like a dash: any letters, for a mistyped key is nearly the key.
  new RegExp(`[A-Z0-9]{5}(?:\\s*${DASH}+\\s*[A-Z0-9]{5}){4}`, 'giu'),
  // Joined by anything else, or by nothing: the alphabet of keys only, or every fifth word would be one.
  new RegExp(`(?<![A-Z0-9])${KEY_LETTER}{5}(?:[^A-Z0-9]{1,6}${KEY_LETTER}{5}){4}(?![A-Z0-9])`, 'giu'),
  new RegExp(`(?<![A-Z0-9])${KEY_LETTER}{25}(?![A-Z0-9])`, 'giu'),
];

/**
 * The text in Unicode's composed compatibility form, without invisible characters and without product keys.
 * Wide letters, zero-width joints and dashes of all kinds do not hide a key.
 */
export function redact(text: string): Redacted {
  const keys: KeyFinding[] = [];
  const plain = text.normalize('NFKC').replace(/\p{Cf}/gu, '');
  const clean = SHAPES.reduce(
    (left, shape) =>
      left.replace(shape, (key) => {
        const lastFive = key.slice(-5).toUpperCase();
        keys.push({ kind: 'key', lastFive, joiner: joinerOf(key) });
        return `[key \u2026${lastFive}]`;
      }),
    plain,
  );
  return { text: clean, keys };
}

function joinerOf(key: string): KeyFinding['joiner'] {
  const between = key.replace(/[A-Z0-9\s]/gi, '');
  if (/^-+$/.test(between)) return 'hyphen';
  return /[\p{Pd}\u2212]/u.test(between) ? 'dash' : 'other';
}
