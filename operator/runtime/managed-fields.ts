// SPDX-License-Identifier: Apache-2.0

// `metadata.managedFields` cut out of JSON text before it is parsed. It is half of an object, nobody who caches objects reads it, and its members are named
// after values (`k:{"uid":"…"}`): parsed, they fill the engine's table of object shapes, and every other object that is parsed pays for that.
// Pure.

/** Cannot stand inside a string: there its quotes would be escaped. */
const MEMBER = '"managedFields":[';
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN = 0x5b;
const CLOSE = 0x5d;
const COMMA = 0x2c;

/**
 * The text without any member `managedFields` that holds a list. Only for the API server's own JSON, which has no blanks between tokens; text that is no
 * JSON stays as wrong as it was.
 */
export function withoutManagedFields(json: string): string {
  let at = json.indexOf(MEMBER);
  if (at < 0) return json;
  let kept = '';
  let from = 0;
  while (at >= 0) {
    let end = endOfList(json, at + MEMBER.length);
    if (end < 0) break;
    // One of the commas around it goes too: the one before, or of a first member the one behind.
    if (json.charCodeAt(at - 1) === COMMA) at -= 1;
    else if (json.charCodeAt(end) === COMMA) end += 1;
    kept += json.slice(from, at);
    from = end;
    at = json.indexOf(MEMBER, end);
  }
  return kept + json.slice(from);
}

/** Behind the bracket that closes the list whose inside begins at `at`; -1 if it never ends. */
function endOfList(json: string, at: number): number {
  let depth = 1;
  for (let i = at; i < json.length; i++) {
    const code = json.charCodeAt(i);
    if (code === QUOTE) {
      i = endOfString(json, i + 1);
      if (i < 0) return -1;
    } else if (code === OPEN) depth += 1;
    else if (code === CLOSE) {
      depth -= 1;
      if (depth === 0) return i + 1;
    }
  }
  return -1;
}

/** The quote that closes the string whose inside begins at `at`; -1 if it never ends. */
function endOfString(json: string, at: number): number {
  for (let i = json.indexOf('"', at); i >= 0; i = json.indexOf('"', i + 1)) {
    let before = i - 1;
    while (json.charCodeAt(before) === BACKSLASH) before -= 1;
    if ((i - before) % 2 === 1) return i;
  }
  return -1;
}
