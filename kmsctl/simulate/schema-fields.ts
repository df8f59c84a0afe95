// SPDX-License-Identifier: Apache-2.0
//
// Small parts of the fleet file's schema: times, names, "exactly one of".

import { redacted } from '@kmspool/crds';
import * as z from 'zod';
import { lengthMs } from './time-text.ts';

const FORM = 'write a time such as 30d, 2h, 90m or 1d 9h';

function timeWithin(min: number, form: string): z.ZodPipe<z.ZodString, z.ZodTransform<number, string>> {
  return z
    .string()
    .refine((text) => (lengthMs(text) ?? Number.NEGATIVE_INFINITY) >= min, form)
    .meta({ format: 'duration' })
    .transform((text) => lengthMs(text) ?? 0);
}

/** A time since the start, or a length of time: milliseconds, 0 or more. */
export const time: ReturnType<typeof timeWithin> = timeWithin(0, FORM);

/** A time in either direction, such as how far a clock is off. */
export const signedTime: ReturnType<typeof timeWithin> = timeWithin(
  Number.MIN_SAFE_INTEGER,
  'write a time such as -5h, 90m or 2s',
);

/** Refuses what is shaped like a product key: names stand in reports. */
export function noKey(text: string): boolean {
  return redacted(text) === text;
}

export const NO_KEY = 'this is shaped like a product key; write a name';

/** The name of a fleet or of a group. */
export const groupName: z.ZodString = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,39}$/, "write a name of at most 40 letters, digits, '-', '_' and '.'")
  .refine(noKey, NO_KEY);

/** A share of a whole: 0 … 1. */
export const share: z.ZodNumber = z.number().min(0).max(1).meta({ 'x-kmspool-unit': 'a share' });

/** Exactly one of these fields must be there; `remedy` says what to write. */
export function oneOf(
  names: readonly string[],
  remedy: string,
): (value: object, context: z.core.$RefinementCtx<object>) => void {
  return (value, context) => {
    const there = names.filter((name) => (value as Record<string, unknown>)[name] !== undefined);
    if (there.length === 1) return;
    const message =
      there.length === 0 ? `has none of ${names.join(', ')}; ${remedy}` : `has ${there.join(' and ')}; keep one`;
    context.addIssue({ code: 'custom', message, input: value });
  };
}
