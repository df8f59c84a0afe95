// SPDX-License-Identifier: Apache-2.0
//
// An error code in any form in which Windows, its tools and its logs write one.

import { hresult, hresultFromWin32, hresultOfRpcFault } from '@kmspool/kms/catalog';
import type { CodeFinding, CodeForm } from './types.ts';

const HEX = /^(?:0x|&h|#)?([0-9a-f]{1,8})[lu]?$/i;
const HEX_WITH_PREFIX = /^(?:0x|&h)/i;
/** Eight hex digits that begin like a failure: `80070005` is a code as Windows writes it, not eighty million. */
const BARE_HRESULT = /^[89a-f][0-9a-f]{7}$/i;
const MAX_U32 = 0xffff_ffff;

/** The code, or undefined if the text is none. Never throws. */
export function parseCode(text: string): CodeFinding | undefined {
  const word = text.trim().replace(/^[([{"'`]+|[)\]}"'`.,;:]+$/g, '');
  if (HEX_WITH_PREFIX.test(word) || BARE_HRESULT.test(word) || /^[0-9a-f]*[a-f][0-9a-f]*$/i.test(word)) {
    const digits = HEX.exec(word)?.[1];
    // A word of letters such as "face" is no code; a code has eight digits or a prefix.
    if (digits === undefined || (!HEX_WITH_PREFIX.test(word) && digits.length !== 8)) return undefined;
    return finding(Number.parseInt(digits, 16), 'hex');
  }
  if (/^-\d{1,10}$/.test(word)) {
    const value = Number(word);
    return value >= -0x8000_0000 ? finding(value >>> 0, 'signed') : undefined;
  }
  if (!/^\d{1,10}$/.test(word) || Number(word) > MAX_U32) return undefined;
  return finding(Number(word), 'unsigned');
}

/** A bare Win32 error or RPC fault status is told as the HRESULT in which Windows shows it. */
function finding(value: number, form: CodeForm): CodeFinding {
  const fault = hresultOfRpcFault(value);
  if (fault !== undefined && value > 0xffff) return { kind: 'code', code: fault, form: 'rpcFault' };
  if (value > 0 && value <= 0xffff && hresult(value) === undefined)
    return { kind: 'code', code: hresultFromWin32(value), form: 'win32' };
  return { kind: 'code', code: value, form };
}

/** Codes that stand somewhere in a text, each once, in their order. Zero is no news. */
export function codesIn(text: string): CodeFinding[] {
  const words = text.match(
    /(?<![0-9a-z])0x[0-9a-f]{8}(?![0-9a-z])|(?<![0-9a-z-])(?:c004|8007|8004|8009)[0-9a-f]{4}(?![0-9a-z-])/gi,
  );
  const codes = [...new Set((words ?? []).map((word) => Number.parseInt(word.replace(/^0x/i, ''), 16)))];
  return codes.filter((code) => code >= 0x8000_0000).map((code) => finding(code, 'hex'));
}
