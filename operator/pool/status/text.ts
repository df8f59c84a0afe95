// SPDX-License-Identifier: Apache-2.0

// Words for messages of conditions: lists that stay short, sentences that end. Everything here is stable: no times, no counts of attempts.

/** Names in a list before it says how many more there are. */
const MOST_NAMES = 5;
/** Longer texts of others are cut, so that a status stays readable. */
const LONGEST_PART = 400;

/** `a, b and c`; at most five, then `a, b, c, d, e and 3 more`. */
export function listOf(items: readonly string[], most: number = MOST_NAMES): string {
  if (items.length > most) return `${items.slice(0, most).join(', ')} and ${items.length - most} more`;
  const last = items.at(-1) ?? '';
  return items.length < 2 ? last : `${items.slice(0, -1).join(', ')} and ${last}`;
}

/** Parts as one text, `; ` between them, at most so many; each is cut when it is very long. */
export function joined(parts: readonly string[], most: number = MOST_NAMES): string {
  const texts = parts.map((part) => part.replace(/[.;\s]+$/, '')).filter((part) => part !== '');
  const shown = texts.slice(0, most).map((part) => clipped(part, LONGEST_PART));
  return texts.length > most ? `${shown.join('; ')}; and ${texts.length - most} more` : shown.join('; ');
}

/** The text in one line with a full stop; empty stays empty. */
export function sentence(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  return line === '' || /[.!?]$/.test(line) ? line : `${line}.`;
}

/** At most `length` characters. */
export function clipped(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length - 1)}…` : text;
}

/** meta/v1 Time: whole seconds. */
export function instant(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
}

/** The object without members that are undefined, for a status is compared and written as JSON. */
export function defined<T extends object>(object: T): T {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as T;
}

/** Whether two lists hold the same texts in the same order. */
export function sameTexts(a: readonly string[] | undefined, b: readonly string[] | undefined): boolean {
  return a !== undefined && b !== undefined && a.length === b.length && a.every((text, index) => text === b[index]);
}
