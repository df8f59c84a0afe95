// SPDX-License-Identifier: Apache-2.0
//
// Reads a whole file, or standard input, which may be a pipe of a program that is not ready yet. It decodes nothing.

import { readFileSync, readSync } from 'node:fs';

const CHUNK_BYTES = 65_536;
const WAIT_MS = 10;

/** The bytes of a file; `-` is standard input. Throws the system's error. */
export function readInput(file: string): Buffer {
  return file === '-' ? readStandardInput() : readFileSync(file);
}

// A pipe whose other end is a Node process may be non-blocking: then a read says EAGAIN while there is nothing yet.
function readStandardInput(): Buffer {
  const chunks: Buffer[] = [];
  for (;;) {
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    const length = readSome(chunk);
    if (length === 0) return Buffer.concat(chunks);
    chunks.push(chunk.subarray(0, length));
  }
}

function readSome(chunk: Buffer): number {
  for (;;) {
    try {
      return readSync(0, chunk);
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      if (code === 'EOF') return 0;
      if (code !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, WAIT_MS);
    }
  }
}
