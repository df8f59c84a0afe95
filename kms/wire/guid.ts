// SPDX-License-Identifier: Apache-2.0
//
// GUID text <-> the hex of its 16 wire bytes (docs/protocol.md §1.1, "UUID on the wire").
// The hex form is what maps and stores use as a key: it compares as a plain string and needs no parsing.
// This file knows nothing of versions, variants or which GUIDs exist.

const GUID_TEXT = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const GUID_HEX = /^[0-9a-f]{32}$/i;

/** True if `text` is a GUID written as 8-4-4-4-12 hex digits, either case, without braces. */
export function isGuid(text: string): boolean {
  return GUID_TEXT.test(text);
}

/**
 * GUID text to the 32 lower-case hex digits of its 16 wire bytes: d1 (4 bytes), d2 (2), d3 (2) little-endian,
 * the last 8 bytes as written. Throws a RangeError if `text` is not a GUID.
 */
export function guidToHex(text: string): string {
  if (!GUID_TEXT.test(text)) {
    throw new RangeError(`not a GUID: ${JSON.stringify(text)}; write it as 8-4-4-4-12 hex digits`);
  }
  return swapEnds(text.replaceAll('-', '').toLowerCase());
}

/**
 * 32 hex digits of 16 wire bytes to lower-case GUID text: the inverse of `guidToHex`.
 * Throws a RangeError if `hex` is not 32 hex digits.
 */
export function hexToGuid(hex: string): string {
  if (!GUID_HEX.test(hex)) {
    throw new RangeError(`not the hex of a GUID: ${JSON.stringify(hex)}; give the 32 hex digits of its 16 bytes`);
  }
  const written = swapEnds(hex.toLowerCase());
  return [
    written.slice(0, 8),
    written.slice(8, 12),
    written.slice(12, 16),
    written.slice(16, 20),
    written.slice(20),
  ].join('-');
}

/** Reverses the bytes of d1, d2 and d3; its own inverse. */
function swapEnds(hex: string): string {
  return (
    reverseBytes(hex.slice(0, 8)) + reverseBytes(hex.slice(8, 12)) + reverseBytes(hex.slice(12, 16)) + hex.slice(16)
  );
}

function reverseBytes(hex: string): string {
  let reversed = '';
  for (let i = hex.length - 2; i >= 0; i -= 2) reversed += hex.slice(i, i + 2);
  return reversed;
}
