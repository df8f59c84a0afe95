// SPDX-License-Identifier: Apache-2.0

// Parts of the chart's values that are used more than once. Every leaf has a default and a description: values.yaml, its schema and the README are made of them.
import { z } from 'zod';

/** A Kubernetes object that is passed on as it is: the API server judges it. */
export const passedOn = (description: string) => z.record(z.string(), z.unknown()).default({}).describe(description);

/** A list of such objects. */
export const listPassedOn = (description: string) =>
  z.array(z.record(z.string(), z.unknown())).default([]).describe(description);

/** Labels or annotations. */
export const texts = (description: string) => z.record(z.string(), z.string()).default({}).describe(description);

export const flag = (byDefault: boolean, description: string) => z.boolean().default(byDefault).describe(description);

export const text = (byDefault: string, description: string) => z.string().default(byDefault).describe(description);

/** A whole number within bounds, both included. */
export const whole = (bounds: { readonly min: number; readonly max: number }, byDefault: number, description: string) =>
  z.int().min(bounds.min).max(bounds.max).default(byDefault).describe(description);

/** Minutes or seconds, fractions allowed. */
export const time = (bounds: { readonly min: number; readonly max: number }, byDefault: number, description: string) =>
  z.number().min(bounds.min).max(bounds.max).default(byDefault).describe(description);

/** Auto asks whether the API server knows the kind. */
export const whether = (description: string) =>
  z.enum(['Auto', 'Always', 'Never']).default('Auto').describe(description);

/** A section: an object of known members, none of which has to be given. */
export const section = <T extends z.core.$ZodLooseShape>(description: string, members: T) =>
  z
    .strictObject(members)
    .prefault({} as never)
    .describe(description);

/** Name, tag and digest of an image; its registry is `imageRegistry`. */
export const image = (of: { readonly repository: string; readonly tag: string; readonly what: string }) =>
  section(`Image of ${of.what}.`, {
    repository: z
      .string()
      .regex(/^[a-z0-9]+([._/-]+[a-z0-9]+)*$/)
      .default(of.repository)
      .describe('Its name, without `imageRegistry`, tag or digest.'),
    tag: z
      .string()
      .regex(/^(\w[\w.-]{0,127})?$/)
      .default(of.tag)
      .describe(of.tag === '' ? "Its tag; empty: the chart's appVersion." : 'Its tag.'),
    digest: z
      .string()
      .regex(/^(sha256:[0-9a-f]{64})?$/)
      .default('')
      .describe('`sha256:…`; if given, it decides which image, and the tag is for the eye.'),
    pullPolicy: z.enum(['Always', 'IfNotPresent', 'Never']).default('IfNotPresent').describe('When it is pulled.'),
  });
