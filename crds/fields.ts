// SPDX-License-Identifier: Apache-2.0

// The few building blocks of the schemas: whole numbers with a unit, names, references, lists. They carry what the
// generated CRD needs (format, list type, preserved fields) and what an error line needs (unit, note). Keys that start
// with `x-kmspool-` are for error lines only; the generator drops them.
import * as z from 'zod';
import { DNS_NAME } from './network-names.ts';
import { matching, withRules } from './rules.ts';

/** Largest length of a DNS name in text form (RFC 1035 3.1: 255 octets on the wire). */
export const DNS_NAME_MAX = 253;

export type WholeNumber = { min: number; max: number; unit: string; note?: string };

/** A whole number in a closed range; the unit and the note become the remedy of an error line. */
export function whole({ min, max, unit, note }: WholeNumber): z.ZodInt {
  const format = max > 0x7fffffff ? 'int64' : 'int32';
  return z.int().min(min).max(max).meta({ format, 'x-kmspool-unit': unit, 'x-kmspool-note': note });
}

/** The name of a Kubernetes object, a DNS subdomain. */
export const objectName = withRules(z.string().min(1).max(DNS_NAME_MAX), [
  matching(
    'object-name',
    DNS_NAME,
    "write an object name: lower-case letters, digits, '-' and '.', such as campus-key",
  ),
]);

/** A reference to an object of the pool's own namespace. */
export function nameRef(what: string): z.ZodObject<{ name: z.ZodString }, z.core.$strict> {
  return z.strictObject({ name: objectName.describe(what) });
}

/** An object of Kubernetes' own API that is handed on as it is; the API server of the Pod checks it. */
export function kubernetesObject(): z.ZodObject<Record<never, never>, z.core.$loose> {
  return z.looseObject({}).meta({ 'x-kubernetes-preserve-unknown-fields': true });
}

/** A map of short texts, such as labels, annotations and a node selector. */
export function textMap(maxEntries: number): z.ZodRecord<z.ZodString, z.ZodString> {
  return z
    .record(z.string(), z.string())
    .refine((map) => Object.keys(map).length <= maxEntries, {
      error: `has too many entries; keep at most ${maxEntries}`,
    })
    .meta({ maxProperties: maxEntries });
}
