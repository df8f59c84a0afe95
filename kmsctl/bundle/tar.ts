// SPDX-License-Identifier: Apache-2.0
//
// Files as a tar archive (POSIX ustar): regular files only, for us only. Pure.

export interface BundleFile {
  /** Relative, with `/`; at most 100 bytes. */
  readonly path: string;
  readonly content: string;
}

const BLOCK = 512;

/** The archive; `mtimeMs` is the time of every file. @throws RangeError for a path that is too long. */
export function tarOf(files: readonly BundleFile[], mtimeMs: number): Buffer {
  const parts = files.flatMap(({ path, content }) => {
    const bytes = Buffer.from(content, 'utf8');
    const padding = Buffer.alloc((BLOCK - (bytes.length % BLOCK)) % BLOCK);
    return [header(path, bytes.length, mtimeMs), bytes, padding];
  });
  return Buffer.concat([...parts, Buffer.alloc(2 * BLOCK)]);
}

function header(path: string, size: number, mtimeMs: number): Buffer {
  if (Buffer.byteLength(path) > 100) throw new RangeError(`${path} is too long for an archive`);
  const block = Buffer.alloc(BLOCK);
  const field = (text: string, offset: number): void => void block.write(text, offset, 'utf8');
  const octal = (value: number, width: number): string => `${value.toString(8).padStart(width - 1, '0')}\0`;
  field(path, 0);
  field(octal(0o600, 8), 100);
  field(octal(0, 8), 108);
  field(octal(0, 8), 116);
  field(octal(size, 12), 124);
  field(octal(Math.floor(mtimeMs / 1000), 12), 136);
  field('        ', 148);
  field('0', 156);
  field('ustar\0', 257);
  field('00', 263);
  const sum = block.reduce((total, byte) => total + byte, 0);
  field(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}
