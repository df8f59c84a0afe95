// SPDX-License-Identifier: Apache-2.0

// The zones in which an emulated pool may publish: a real client that found it there would be led astray, so they are test zones and named one by one.
// Pure.
import { DNS_NAME } from '@kmspool/crds';

export type ParsedZones =
  | { readonly ok: true; readonly zones: readonly string[] }
  | { readonly ok: false; readonly error: string };

/** True when `domain` is one of the zones or lies below one, by labels and without regard to case. A zone may be written `test` or `*.test`. */
export function isAllowedZone(domain: string, zones: readonly string[]): boolean {
  const name = bareName(domain);
  return zones.map(bareZone).some((zone) => zone !== '' && (name === zone || name.endsWith(`.${zone}`)));
}

/**
 * Reads zones as a flag or a variable holds them: one in a text, or several with commas or spaces between. They come back in lower case, without `*.`,
 * each once. An empty list is one: nothing is allowed then.
 */
export function parseZones(values: readonly string[]): ParsedZones {
  const zones = new Set<string>();
  for (const value of values) {
    const texts = value.split(/[,\s]+/).filter((text) => text !== '');
    if (texts.length === 0)
      return { ok: false, error: 'a zone is empty; write a test zone such as test or lab.example' };
    for (const text of texts) {
      const error = errorOf(text);
      if (error !== undefined) return { ok: false, error };
      zones.add(bareZone(text));
    }
  }
  return { ok: true, zones: [...zones] };
}

/** The classic public zones. Others are public as well; these and all countries are what is most easily mistaken for a suffix of one's own. */
const PUBLIC_ZONES: ReadonlySet<string> = new Set([
  'com',
  'net',
  'org',
  'edu',
  'gov',
  'mil',
  'int',
  'info',
  'biz',
  'arpa',
]);

function errorOf(text: string): string | undefined {
  const zone = bareZone(text);
  if (zone === '' || zone === '*')
    return `"${text}" would allow every zone there is; name the test zones, such as test or lab.example`;
  if (zone.length > 253 || !DNS_NAME.test(zone))
    return `"${text}" is no zone; write a DNS name such as test or lab.example`;
  if (/^[0-9.]+$/.test(zone))
    return `"${text}" is an address, not a zone; write a DNS name such as test or lab.example`;
  if (PUBLIC_ZONES.has(zone) || /^[a-z]{2}$/.test(zone)) {
    return `"${text}" is a public zone, in which real clients look for their hosts; name a zone of your own, such as lab.${zone === 'arpa' ? 'example' : `corp.${zone}`}`;
  }
  return undefined;
}

function bareZone(text: string): string {
  return bareName(text).replace(/^\*?\./, '');
}

function bareName(text: string): string {
  return text.toLowerCase().replace(/\.$/, '');
}
