// SPDX-License-Identifier: Apache-2.0
//
// Bytes of a file or pipe as text. Windows writes the output of a command in three ways: UTF-16 (PowerShell's `>`), UTF-8,
// and the code page of the console, which in Korea is 949.

/** UTF-16 or UTF-8 by its mark, else UTF-8 if it is that, else code page 949. Never throws. */
export function decodeText(bytes: Uint8Array): string {
  const [first, second] = bytes;
  if (first === 0xff && second === 0xfe) return new TextDecoder('utf-16le').decode(bytes);
  if (first === 0xfe && second === 0xff) return new TextDecoder('utf-16be').decode(bytes);
  // PowerShell without a mark: every other byte of plain text is zero.
  if (bytes.length > 3 && second === 0 && bytes[3] === 0) return new TextDecoder('utf-16le').decode(bytes);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder('euc-kr').decode(bytes);
  }
}
