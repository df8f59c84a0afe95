// SPDX-License-Identifier: Apache-2.0

// Objects of one kind are much alike: neighbours in a list differ in names and uids, a new version from the one before in a status. Parsed anew, each has a
// copy of all the rest; shared, a cache is half as large, and an object that changes often leaves little behind. No table of what was seen is kept, so nothing
// is held longer than by who uses it. Pure but for what it is given.

type Members = Record<string, unknown>;

/**
 * The fresh value, made of parts of `known` wherever they are equal: maps, lists and texts. Answers `known` itself when all of it is. Changes `fresh`, which
 * must be JSON that nobody else has; `known` is left as it is, and from now on a change of either would be one of both.
 */
export function sharing<T>(fresh: T, known: unknown): T {
  // Of two equal texts the known one, for the other can go.
  if (fresh === known) return known as T;
  if (!isStructure(fresh) || !isStructure(known) || Array.isArray(fresh) !== Array.isArray(known)) return fresh;
  const equal = Array.isArray(fresh)
    ? shareList(fresh, known as unknown[])
    : shareMap(fresh as Members, known as Members);
  return equal ? (known as T) : fresh;
}

/** Whether all is equal. */
function shareList(fresh: unknown[], known: readonly unknown[]): boolean {
  let equal = fresh.length === known.length;
  for (let at = 0; at < fresh.length; at++) {
    fresh[at] = sharing(fresh[at], known[at]);
    equal &&= fresh[at] === known[at];
  }
  return equal;
}

/** Whether all is equal. What a map only inherits is no JSON and equals nothing; but for `__proto__`, which cannot be assigned either. */
function shareMap(fresh: Members, known: Members): boolean {
  let equal = true;
  let size = 0;
  for (const name in fresh) {
    size++;
    if (name === '__proto__') {
      equal = false;
      continue;
    }
    const twin = known[name];
    const shared = sharing(fresh[name], twin);
    fresh[name] = shared;
    equal &&= shared === twin;
  }
  return equal && size === Object.keys(known).length;
}

function isStructure(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
