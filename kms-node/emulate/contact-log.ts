// SPDX-License-Identifier: Apache-2.0
/**
 * One log line a contact, at debug level only, with the fields of event 12290 (S1-27…30, S3-74). What a client sends as its name is untrusted text: characters that
 * could rewrite a terminal line are shown as escapes.
 */
import { formatHresult, licenseStatusSlug } from '@kmspool/kms/catalog';
import { hexToGuid, idHex, REQUEST_OFFSET, workstationName } from '@kmspool/kms/wire';
import type { ContactSeen } from './emulator.ts';

/** Control, format, private-use and lone surrogate characters as `\u{…}`; everything else as it is. */
export function printable(text: string): string {
  return text.replace(/[\p{C}\u2028\u2029]/gu, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
}

/** The fields of the log line; the message is constant. */
export function contactFields(seen: ContactSeen): Record<string, string | number | boolean> {
  const { request } = seen.opened;
  const guid = (offset: number): string => hexToGuid(idHex(request, offset));
  return {
    event: 12290,
    hresult: formatHresult(seen.decision.hresult),
    requiredClientCount: request.requiredClientCount,
    workstationName: printable(workstationName(request)),
    cmid: guid(REQUEST_OFFSET.cmid),
    clientTime: clientTime(request.clientTimeMs),
    isClientVm: request.isClientVm > 1 ? 'unknown' : request.isClientVm === 1,
    licenseStatus: licenseStatusSlug(request.licenseStatus),
    minutesToExpiry: request.minutesToExpiry,
    activationId: guid(REQUEST_OFFSET.activationId),
    protocol: seen.opened.protocol,
    address: seen.address,
    ...(seen.count !== undefined && { count: seen.count }),
  };
}

/** FILETIME reaches further than JavaScript's dates. */
function clientTime(ms: number): string {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? `${Math.round(ms)} ms since 1970` : date.toISOString();
}
