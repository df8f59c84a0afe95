// SPDX-License-Identifier: Apache-2.0

// A stream of bytes as lines of text. A watch is one JSON value a line; chunks end anywhere, also inside a character.
// The reader sets the pace: nothing is read ahead of what was asked for.

/** No object in etcd is larger than 1.5 MiB; what is ten times that is no watch. */
const LONGEST_LINE_BYTES = 16 * 1024 * 1024;
const NEWLINE = 0x0a;

/**
 * The non-empty lines of a UTF-8 stream, without their newline. What follows the last newline is dropped: a line that was
 * cut off.
 *
 * @throws RangeError when a line exceeds 16 MiB.
 */
export async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string, void, void> {
  let held: Uint8Array[] = [];
  let heldBytes = 0;
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      held.push(chunk.subarray(start, end));
      const line = Buffer.concat(held).toString('utf8').trim();
      held = [];
      heldBytes = 0;
      start = end + 1;
      if (line !== '') yield line;
    }
    if (start === chunk.length) continue;
    held.push(chunk.subarray(start));
    heldBytes += chunk.length - start;
    if (heldBytes > LONGEST_LINE_BYTES) throw new RangeError(`a line longer than ${LONGEST_LINE_BYTES} bytes`);
  }
}
