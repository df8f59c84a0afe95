// SPDX-License-Identifier: Apache-2.0
//
// The result codes that KMS hosts answer, KMS clients come to and administrators meet beside them, with what they mean
// and what to do (docs/protocol.md §1.6, §4, §9; S4). The rows are in codes/, by who is concerned; texts are by language.
// Not a list of all Windows errors: an unknown code is undefined.

import { ACTIVATION_SERVICE_CODES } from './codes/activation-service.ts';
import { CLIENT_CODES } from './codes/client.ts';
import { DNS_CODES } from './codes/dns.ts';
import { HOST_CODES } from './codes/host.ts';
import { KEY_CODES } from './codes/keys.ts';
import { RPC_CODES } from './codes/rpc.ts';
import type { Hresult } from './types.ts';

/** In this order: what a host answers and host key states, then what a computer comes to, RPC, DNS, product keys. */
export const HRESULTS: readonly Hresult[] = [
  ...HOST_CODES,
  ...CLIENT_CODES,
  ...RPC_CODES,
  ...DNS_CODES,
  ...KEY_CODES,
  ...ACTIVATION_SERVICE_CODES,
];

/** RPC fault status (docs/protocol.md §1.6) to the Win32 code that Windows makes of it. */
const WIN32_OF_FAULT: ReadonlyMap<number, number> = new Map([
  [0x1c010002, 1745],
  [0x1c010003, 1717],
  [0x1c01000b, 1728],
  [0x000006f7, 1783],
  [0x00000005, 5],
  [0x000006bd, 1725],
  [0x1c010014, 1723],
]);

const FACILITY_WIN32 = 0x80070000;
const BY_CODE: ReadonlyMap<number, Hresult> = new Map(HRESULTS.map((h) => [h.code, h]));

/** The row of a code, given signed or unsigned, or undefined. */
export function hresult(code: number): Hresult | undefined {
  return BY_CODE.get(code >>> 0);
}

/** `0xC004F042`: eight upper-case hex digits, for signed and unsigned codes alike. */
export function formatHresult(code: number): string {
  return `0x${(code >>> 0).toString(16).toUpperCase().padStart(8, '0')}`;
}

/** HRESULT_FROM_WIN32 of a Win32 error, 1 … 0xFFFF. */
export function hresultFromWin32(win32: number): number {
  return (FACILITY_WIN32 | win32) >>> 0;
}

/** The Win32 error that an HRESULT of that facility (0x8007xxxx) carries, or undefined. */
export function win32OfHresult(code: number): number | undefined {
  return (code & 0xffff0000) >>> 0 === FACILITY_WIN32 ? code & 0xffff : undefined;
}

/** The HRESULT in which an RPC fault surfaces at a client (0x8007xxxx), or undefined for a status no host sends. */
export function hresultOfRpcFault(status: number): number | undefined {
  const win32 = WIN32_OF_FAULT.get(status >>> 0);
  return win32 === undefined ? undefined : hresultFromWin32(win32);
}
