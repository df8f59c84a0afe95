// SPDX-License-Identifier: Apache-2.0
//
// Values as JSON or YAML on standard output: whole ones, and lists item by item, so that a hundred thousand of them take no memory.

import { stringify } from 'yaml';
import type { Io } from './io.ts';

export type Encoding = 'json' | 'yaml';

/** A whole value. */
export function printData(value: unknown, encoding: Encoding, io: Io): void {
  io.out(encoding === 'json' ? `${JSON.stringify(value, null, 2)}\n` : yamlOf(value));
}

/** A list: a JSON array or a YAML sequence, each item written when it is there. */
export async function printList(items: AsyncIterable<unknown>, encoding: Encoding, io: Io): Promise<void> {
  let count = 0;
  for await (const item of items) {
    if (encoding === 'yaml') io.out(yamlOf([item]));
    else io.out(`${count === 0 ? '[\n' : ',\n'}${JSON.stringify(item)}`);
    count += 1;
  }
  if (encoding === 'json') io.out(count === 0 ? '[]\n' : '\n]\n');
  else if (count === 0) io.out('[]\n');
}

/** One value a line, as `events -f` prints them: JSON Lines or YAML documents. */
export function printRecord(value: unknown, encoding: Encoding, io: Io): void {
  io.out(encoding === 'json' ? `${JSON.stringify(value)}\n` : `---\n${yamlOf(value)}`);
}

/** JSON is YAML, so that no text of a machine can be anything but text. */
function yamlOf(value: unknown): string {
  return stringify(value, { lineWidth: 0, aliasDuplicateObjects: false });
}
