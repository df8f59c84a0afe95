// SPDX-License-Identifier: Apache-2.0
//
// What is this? A redacted text in, findings out, in the order in which an administrator would go through them. Pure.

import { eventById } from '@kmspool/kms/catalog';
import { codesIn, parseCode } from './code.ts';
import { parseDlv } from './dlv.ts';
import { parseEvents } from './event-block.ts';
import { parseIpconfig } from './ipconfig.ts';
import { parseNslookup } from './nslookup.ts';
import type { Finding } from './types.ts';

const MOST_CODES = 12;

/** One word: an event number or a code. Undefined if it is neither. */
export function recogniseWord(word: string): Finding | undefined {
  const number = /^(?:event\s*|이벤트\s*)?(\d{5})$/i.exec(word.trim())?.[1];
  if (number !== undefined && eventById(Number(number)) !== undefined)
    return { kind: 'event', id: Number(number), values: {} };
  return parseCode(word);
}

/** A pasted text: every known layout in it; only if there is none, the codes that stand in it. */
export function recogniseText(text: string): Finding[] {
  const word = text.trim();
  const single = word === '' || /\s/.test(word) ? undefined : recogniseWord(word);
  if (single !== undefined) return [single];
  const layouts: Finding[] = [
    ...some(parseIpconfig(text)),
    ...some(parseNslookup(text)),
    ...parseDlv(text),
    ...parseEvents(text),
  ];
  return layouts.length > 0 ? layouts : codesIn(text).slice(0, MOST_CODES);
}

function some<T>(found: T | undefined): T[] {
  return found === undefined ? [] : [found];
}
